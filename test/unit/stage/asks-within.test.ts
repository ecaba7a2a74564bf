import { describe, expect, test } from "vitest";
import { broadcastDispatcher, partitionDispatcher, producer, producerConsumer } from "../../../src/index.ts";
import { Quiet, RawConsumer, RawProducer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

/** Asks for one more while it is given a batch. */
class Eager extends RawConsumer<number> {
  override readonly events = (batch: readonly number[]): void => {
    this.batches.push(batch);
    this.ask(1);
  };
}

const byParity = () => partitionDispatcher<number, 2>({ partitions: 2, hash: (event) => event % 2 });

describe("a consumer that asks while it is given events", () => {
  test("4.1 gets a partition in order from a producer", async () => {
    const p = producer(new Quiet<number>(), { runtime: testRuntime(), dispatcher: byParity() });
    const [even, odd] = [0, 1].map((partition) => new Eager(`eager ${partition}`).attach(p, { partition }));
    even?.ask(1);
    odd?.ask(1);
    await turns();
    p.push([0, 2, 4, 1, 6]);
    p.push([8, 3, 10]);
    await turns();
    expect([even?.batches.flat(), odd?.batches.flat()]).toEqual([
      [0, 2, 4, 6, 8, 10],
      [1, 3],
    ]);
  });

  test("4.1 gets a partition in order from a producerConsumer", async () => {
    const source = new RawProducer<number>();
    const p = producerConsumer((batch: readonly number[]) => batch, { runtime: testRuntime(), dispatcher: byParity() });
    p.subscribe(source.producer, { maxDemand: 100 });
    const [even, odd] = [0, 1].map((partition) => new Eager(`eager ${partition}`).attach(p, { partition }));
    await turns();
    even?.ask(1);
    odd?.ask(1);
    await turns();
    source.port.events([0, 2, 4, 1, 6]);
    await turns();
    source.port.events([8, 3, 10]);
    await turns();
    expect([even?.batches.flat(), odd?.batches.flat()]).toEqual([
      [0, 2, 4, 6, 8, 10],
      [1, 3],
    ]);
  });

  test("3.9 has each of its asks answered with one handleDemand", async () => {
    const demands: number[] = [];
    const raw = new RawConsumer<number>();
    const waits = Promise.withResolvers<void>();
    const p = producer(
      {
        async handleDemand(demand: number) {
          demands.push(demand);
          if (demands.length > 1) return;
          raw.ask(1);
          await waits.promise;
        },
      },
      { runtime: testRuntime(), dispatcher: broadcastDispatcher() },
    );
    raw.attach(p as never).ask(10);
    await turns();
    raw.ask(2).ask(3);
    waits.resolve();
    await turns();
    expect(demands).toEqual([10, 1, 2, 3]);
  });

  test("3.4 asks for nothing where its end follows in the same stretch", async () => {
    const demands: number[] = [];
    const p = producer((demand) => void demands.push(demand), { runtime: testRuntime() });
    const raw = new RawConsumer<number>().attach(p as never);
    await turns();
    raw.ask(5).leave();
    await turns();
    expect(demands).toEqual([]);
  });
});

test("6.5 a terminate that rejects with a promise is reported, and its stage ends", async () => {
  const reports: unknown[] = [];
  const odd = new Promise(() => {});
  const p = producer(
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- whatever a callback rejects with
    { handleDemand: () => [], terminate: () => Promise.reject(odd) },
    { runtime: testRuntime(), onReport: (error) => void reports.push(error) },
  );
  await p.stop();
  expect([p.state, reports]).toEqual(["stopped", [odd]]);
});
