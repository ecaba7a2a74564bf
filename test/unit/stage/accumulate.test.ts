import { describe, expect, test } from "vitest";
import { type Discarded, OverflowError, producer, type ProducerOptions } from "../../../src/index.ts";
import { RawConsumer } from "../../support/stages.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { boom, sayReason } from "./rig.ts";

/** A producer that accumulates, with a consumer played by hand. */
async function accumulating(options: ProducerOptions<number> = {}, answer: (demand: number) => number[] = () => []) {
  const demands: number[] = [];
  const discarded: Discarded[] = [];
  const stage = producer<number>(
    {
      handleDemand: (demand) => {
        demands.push(demand);
        return answer(demand);
      },
    },
    {
      runtime: testRuntime(),
      demandMode: "accumulate",
      onDiscard: (what) => void discarded.push(what),
      ...options,
    },
  );
  stage.done.catch(() => {});
  const raw = new RawConsumer<number>().attach(stage);
  await turns();
  return { stage, raw, demands, discarded };
}
const note = (log: string[], what: string) => (): void => void log.push(what);

describe("an accumulating producer", () => {
  test("3.12 works its log off in order when it is set to forward", async () => {
    const { stage, raw, demands } = await accumulating({}, (demand) => range(1, demand));
    raw.ask(2);
    await turns();
    stage.push([10, 11]);
    await turns();
    expect([raw.batches, demands, stage.bufferedCount]).toEqual([[], [], 2]);
    stage.demandMode = "forward";
    await turns();
    // The demand came first, but its events go behind those logged after it.
    expect(demands).toEqual([2]);
    expect([raw.batches.flat(), stage.bufferedCount]).toEqual([[10, 11], 2]);
    raw.ask(2);
    await turns();
    expect(raw.batches.flat()).toEqual([10, 11, 1, 2]);
  });

  test("4.10 an info takes its place among the events of the log", async () => {
    const log: string[] = [];
    const { stage, raw } = await accumulating();
    raw.ask(2);
    await turns();
    void stage.info(note(log, "before"));
    await turns();
    stage.push([1, 2]);
    void stage.info(note(log, "between"));
    await turns();
    stage.push([3]);
    void stage.info(note(log, "behind"));
    await turns();
    // The log holds a demand before the first one, but no event.
    expect(log).toEqual(["before"]);
    stage.demandMode = "forward";
    await turns();
    expect([log, raw.batches.flat()]).toEqual([
      ["before", "between"],
      [1, 2],
    ]);
    raw.ask(1);
    await turns();
    expect([log, raw.batches.flat()]).toEqual([
      ["before", "between", "behind"],
      [1, 2, 3],
    ]);
  });

  test("4.10 events that are dropped hold no info up", async () => {
    const log: string[] = [];
    const { stage } = await accumulating({ bufferSize: 2, overflow: "drop-oldest" });
    stage.push([1]);
    void stage.info(note(log, "info"));
    await turns();
    expect(log).toEqual([]);
    stage.push([2, 3]);
    await turns();
    expect(log).toEqual(["info"]);
  });

  test("4.10 an info with nothing in the log runs at once", async () => {
    const { stage } = await accumulating();
    expect(await stage.info(() => "now")).toBe("now");
  });

  test.each(["stop", "failure"] as const)("5.4 a %s discards the log and rejects the infos in it", async (how) => {
    const { stage, raw, discarded } = await accumulating();
    raw.ask(5);
    await turns();
    stage.push([1]);
    const info = stage.info(() => "never").catch((error: { code: string }) => error.code);
    await turns();
    stage.push([2, 3]);
    if (how === "stop") void stage.stop();
    else stage.fail(boom);
    await turns();
    expect(await info).toBe("ERR_ENDED");
    expect([raw.batches, discarded]).toEqual([[], [{ events: [1, 2, 3], cause: how, stage: stage.name }]]);
    expect(raw.ends.map(sayReason)).toEqual([how === "stop" ? "stop" : "failure boom"]);
  });

  test("5.9 complete() waits for forward", async () => {
    const { stage, raw } = await accumulating();
    raw.ask(5);
    await turns();
    stage.push([1]);
    stage.complete();
    await turns();
    expect([raw.batches, stage.state]).toEqual([[], "ending"]);
    stage.demandMode = "forward";
    await turns();
    expect([raw.batches, raw.ends.map(sayReason)]).toEqual([[[1]], ["complete"]]);
  });

  test("4.6 what is pushed is bounded: what fits is logged, the rest is thrown", async () => {
    const { stage, raw } = await accumulating({ bufferSize: 3 });
    stage.push([1, 2]);
    let error: unknown;
    try {
      stage.push([3, 4, 5]);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(OverflowError);
    expect([(error as OverflowError).rejected, stage.bufferedCount]).toEqual([[4, 5], 3]);
    stage.demandMode = "forward";
    raw.ask(9);
    await turns();
    expect(raw.batches.flat()).toEqual([1, 2, 3]);
  });

  test.each([
    ["drop-newest", [1, 2, 3], [[4, 5], [6]]],
    ["drop-oldest", [4, 5, 6], [[1, 2], [3]]],
  ] as const)("4.6 %s drops within the log", async (overflow, kept, dropped) => {
    const { stage, raw, discarded } = await accumulating({ bufferSize: 3, overflow });
    raw.ask(1);
    await turns();
    expect(stage.push([1, 2])).toBe(false);
    expect(stage.push([3, 4, 5])).toBe(false);
    expect(stage.push([6])).toBe(false);
    expect(discarded).toEqual(dropped.map((events) => ({ events, cause: "overflow", stage: stage.name })));
    stage.demandMode = "forward";
    raw.ask(9);
    await turns();
    expect(raw.batches.flat()).toEqual(kept);
  });

  test("4.6 drop-oldest drops what is buffered before what is logged", async () => {
    const { stage, raw, discarded } = await accumulating({
      bufferSize: 3,
      overflow: "drop-oldest",
      demandMode: "forward",
    });
    stage.push([1, 2]);
    stage.demandMode = "accumulate";
    stage.push([3]);
    stage.push([4, 5, 6]);
    expect(discarded.map(({ events }) => events)).toEqual([[1, 2, 3]]);
    stage.demandMode = "forward";
    raw.ask(9);
    await turns();
    expect(raw.batches.flat()).toEqual([4, 5, 6]);
  });

  test("3.12 a demand whose consumer has gone is not replayed", async () => {
    const { stage, raw, demands } = await accumulating();
    raw.ask(4);
    await turns();
    raw.leave();
    const next = new RawConsumer<number>().attach(stage).ask(1);
    await turns();
    stage.demandMode = "forward";
    await turns();
    expect([demands, next.batches]).toEqual([[1], []]);
  });

  test("3.12 set to what it is already changes nothing; to anything else throws", async () => {
    const { stage } = await accumulating();
    stage.demandMode = "accumulate";
    expect(stage.demandMode).toBe("accumulate");
    expect(() => {
      stage.demandMode = "backward" as never;
    }).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(stage.demandMode).toBe("accumulate");
  });
});
