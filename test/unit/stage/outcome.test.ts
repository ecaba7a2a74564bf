import { afterEach, describe, expect, test, vi } from "vitest";
import { type Discarded, producer, type StageOptions } from "../../../src/index.ts";
import { RawConsumer } from "../../support/stages.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { boom, sayReason } from "./rig.ts";

const other = new Error("other");
afterEach(() => {
  vi.restoreAllMocks();
});
/** What goes to the console. */
const listen = () => ({
  error: vi.spyOn(console, "error").mockImplementation(() => {}),
  warn: vi.spyOn(console, "warn").mockImplementation(() => {}),
});
const make = (
  options: StageOptions & { readonly onDiscard?: (discarded: Discarded) => unknown } = {},
  terminate?: () => unknown,
) => producer<number>({ handleDemand: () => {}, terminate }, { runtime: testRuntime(), name: "mine", ...options });
const failing = (): never => {
  throw boom;
};

describe("a failure that nobody has looked at", () => {
  test("5.11 can still be looked at in the stretch in which the stage has ended", async () => {
    const stage = make();
    stage.fail(boom);
    await stage.stop();
    await expect(stage.done).rejects.toBe(boom);
    expect(stage.done).toBe(stage.done);
  });

  test("5.11 done of a stage that has ended well fulfils, whenever it is asked for", async () => {
    const stage = make();
    await stage.stop();
    await turns();
    expect(await stage.done).toBe(undefined);
  });
});

describe("onReport", () => {
  test("6.1 hears of what fails in clean-up, and where", async () => {
    const { error } = listen();
    const reports: unknown[] = [];
    const stage = make({ onReport: (what, where) => void reports.push([what, where]) }, failing);
    await stage.stop();
    expect([reports, error.mock.calls]).toEqual([[[boom, { stage: "mine", phase: "terminate" }]], []]);
  });

  test("6.1 hears of a terminate that rejects, too", async () => {
    const reports: unknown[] = [];
    const stage = make({ onReport: (what) => void reports.push(what) }, () => Promise.reject(boom));
    await stage.stop();
    expect([reports, stage.state]).toEqual([[boom], "stopped"]);
  });

  test("without one, the console hears it", async () => {
    const { error } = listen();
    await make({}, failing).stop();
    expect(error.mock.calls).toEqual([["headrace: terminate of mine failed:", boom]]);
  });

  test.each([
    [
      "throws",
      () => {
        throw other;
      },
    ],
    ["rejects", async () => Promise.reject(other)],
  ])("that %s: the console hears of both errors, and the stage ends well", async (_how, onReport) => {
    const { error } = listen();
    const stage = make({ onReport: onReport as unknown as () => undefined }, failing);
    await stage.stop();
    await turns();
    expect([error.mock.calls, stage.state]).toEqual([[["headrace: onReport of mine failed:", other, boom]], "stopped"]);
  });
});

describe("onDiscard", () => {
  test.each([
    ["throws", failing],
    ["rejects", async () => Promise.reject(boom)],
  ])("6.1 that %s is reported, and the stage ends as it would", async (_how, onDiscard) => {
    const reports: unknown[] = [];
    const stage = make({ onDiscard, onReport: (what, { phase }) => void reports.push([phase, what]) });
    stage.push([1]);
    await stage.stop();
    await turns();
    expect([reports, stage.state]).toEqual([[["onDiscard", boom]], "stopped"]);
  });

  test("4.9 hears of late events together with what the consumer had not started, in order", async () => {
    const discarded: Discarded[] = [];
    const stage = make({ onDiscard: (what) => void discarded.push(what) });
    stage.done.catch(() => {});
    const raw = new RawConsumer<number>().attach(stage).ask(3);
    await turns();
    stage.push([1]);
    raw.leave({ type: "cancel" }, [1]);
    // The link has ended; the producer has not noticed yet, and ends itself.
    stage.push([2, 3]);
    stage.fail(boom);
    await turns();
    expect([discarded, raw.batches]).toEqual([[{ events: [1, 2, 3], cause: "failure", stage: stage.name }], [[1]]]);
  });

  test("4.8 late events come behind what comes back, and before what is new", async () => {
    const stage = make();
    const [first, second] = [new RawConsumer<number>().attach(stage).ask(3), new RawConsumer<number>().attach(stage)];
    await turns();
    stage.push([1]);
    first.leave();
    stage.push([2, 3]);
    await turns();
    stage.push([4]);
    second.ask(5);
    await turns();
    expect([first.batches, second.batches.flat()]).toEqual([[[1]], [2, 3, 4]]);
  });

  test("4.9 without one, there is one warning in the life of a stage", async () => {
    const { warn } = listen();
    const stage = make({ bufferSize: 1, overflow: "drop-newest" } as never);
    stage.push([1, 2, 3]);
    stage.push([4]);
    await stage.stop();
    expect(warn.mock.calls).toEqual([["headrace: mine discarded 2 events (overflow), see onDiscard"]]);
  });
});

describe("of two ends", () => {
  test("5.1 a failure that waits for the buffer stands when the stage is stopped, and a second failure is reported", async () => {
    const reports: unknown[] = [];
    const discarded: Discarded[] = [];
    const stage = make({
      onReport: (what, { phase }) => void reports.push([phase, what]),
      onDiscard: (what) => void discarded.push(what),
    });
    const raw = new RawConsumer<number>().attach(stage);
    stage.push([1]);
    stage.fail(boom, { after: "buffer" });
    await turns();
    await stage.stop({ reason: other });
    await expect(stage.done).rejects.toBe(boom);
    expect([raw.ends.map(sayReason), reports]).toEqual([["failure boom"], [["fail", other]]]);
    expect(discarded).toEqual([{ events: [1], cause: "failure", stage: stage.name }]);
  });

  test("5.1 a callback that fails its stage behind the buffer, and throws, has its second error reported", async () => {
    const reports: unknown[] = [];
    const stage = producer<number>(
      {
        handleDemand(_demand: number, self): number[] {
          self.push([1, 2]);
          self.fail(boom, { after: "buffer" });
          throw other;
        },
      },
      { runtime: testRuntime(), onReport: (what) => void reports.push(what) },
    );
    stage.done.catch(() => {});
    const raw = new RawConsumer<number>().attach(stage).ask(1);
    await turns();
    expect([raw.batches, raw.ends, stage.state]).toEqual([[[1]], [], "ending"]);
    raw.ask(1);
    await turns();
    expect([raw.batches, raw.ends.map(sayReason)]).toEqual([[[1], [2]], ["failure boom"]]);
    expect(reports).toEqual([other]);
  });

  test("5.1 fail behind the buffer while handleEnd is pending: its events still go out, then the failure", async () => {
    const gate = Promise.withResolvers<number[]>();
    const stage = producer<number>(
      { handleDemand: () => {}, handleEnd: () => gate.promise },
      { runtime: testRuntime() },
    );
    stage.done.catch(() => {});
    const raw = new RawConsumer<number>().attach(stage).ask(5);
    await turns();
    stage.complete();
    await turns();
    stage.fail(boom, { after: "buffer" });
    gate.resolve([1]);
    await turns();
    expect([raw.batches, raw.ends.map(sayReason)]).toEqual([[[1]], ["failure boom"]]);
  });

  test("5.5 what waits when a stage fails is told once terminate is over", async () => {
    const gate = Promise.withResolvers<void>();
    const stage = make({}, () => gate.promise);
    stage.done.catch(() => {});
    await turns();
    let told = "pending";
    stage
      .call(() => {})
      .then(
        () => (told = "fulfilled"),
        () => (told = "rejected"),
      );
    stage.fail(boom);
    await turns();
    expect([told, stage.state]).toEqual(["pending", "ending"]);
    gate.resolve();
    await turns();
    expect([told, stage.state]).toEqual(["rejected", "failed"]);
  });
});
