import { describe, expect, test } from "vitest";
import { sink } from "../../../src/adapter/index.ts";
import { consumer, producer, type Subscription } from "../../../src/index.ts";
import { RawProducer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

describe("giveBack", () => {
  test("7.3 of a queue and of the rest of a batch: they go back in order, with the end of their link", async () => {
    const source = new RawProducer<number>();
    const queue: number[] = [];
    let link!: Subscription;
    const stage = sink<number>(
      {
        handleEvents(events, subscription, self) {
          link = subscription;
          if (queue.length === 0) queue.push(...events);
          else {
            // The rest of the batch first: what came before it may be given back last.
            self.giveBack(subscription, events.slice(1));
            self.complete();
          }
        },
        terminate: (_reason, self) => self.giveBack(link, queue),
      },
      { runtime: testRuntime() },
    );
    stage.subscribe(source.producer, { maxDemand: 10, minDemand: 8 });
    await turns();
    source.port.events([1, 2]);
    source.port.events([3, 4]);
    source.port.events([5]);
    await turns();
    expect(source.ends).toEqual([{ reason: { type: "complete" }, unstarted: [4, 5] }]);
    // `complete` leaves the source before `terminate`: a queue that is to go back is given back before it.
    expect(queue).toEqual([1, 2]);
  });

  test("7.3 in terminate, after a failure: the queue goes back in front of what has arrived since", async () => {
    const source = new RawProducer<number>();
    const boom = new Error("boom");
    const queue: number[] = [];
    let link!: Subscription;
    const stage = sink<number>(
      {
        handleEvents(events, subscription, self) {
          link = subscription;
          queue.push(...events);
          if (queue.length === 4) {
            queue.pop();
            self.giveBack(subscription, [4]);
            self.fail(boom);
          }
        },
        terminate: (_reason, self) => self.giveBack(link, queue),
      },
      { runtime: testRuntime() },
    );
    stage.done.catch(() => {});
    stage.subscribe(source.producer, { maxDemand: 10, minDemand: 8 });
    await turns();
    source.port.events([1, 2]);
    source.port.events([3, 4]);
    source.port.events([5]);
    await turns();
    expect(source.ends).toEqual([{ reason: { type: "failure", error: boom }, unstarted: [1, 2, 3, 4, 5] }]);
  });

  test("F-14 to a source that has completed, as long as its stage has not ended", async () => {
    const runtime = testRuntime();
    const source = producer<number>(() => {}, { runtime });
    const boom = new Error("boom");
    const queue: number[] = [];
    let link!: Subscription;
    const stage = sink<number>(
      {
        handleEvents(events, subscription) {
          link = subscription;
          queue.push(...events);
        },
        handleEnd: () => Promise.reject(boom),
        terminate: (_reason, self) => self.giveBack(link, queue),
      },
      { runtime },
    );
    stage.done.catch(() => {});
    stage.subscribe(source);
    await turns();
    source.push([1, 2, 3]);
    source.complete();
    await turns();
    expect([stage.state, source.state, source.bufferedCount]).toEqual(["failed", "ending", 3]);
    const got: number[] = [];
    consumer<number>((events) => void got.push(...events), { runtime }).subscribe(source);
    await source.done;
    expect(got).toEqual([1, 2, 3]);
  });
});
