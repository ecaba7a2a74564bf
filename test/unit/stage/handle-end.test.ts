import { describe, expect, test } from "vitest";
import { turns } from "../../support/runtime.ts";
import { boom, type Inside, Rig } from "./rig.ts";

const emitting = ["producer", "producerConsumer"] as const;
const kinds = [...emitting, "consumer"] as const;
type Kind = (typeof kinds)[number];
const complete = { type: "complete" } as const;

/** A rig with demand for everything. */
async function open(kind: Kind, handleEnd: (stage: Inside) => unknown, demand = 100): Promise<Rig> {
  const rig = new Rig(kind, { handleEnd });
  await turns();
  if (kind !== "consumer" && demand > 0) rig.sink.ask(demand);
  await turns();
  return rig;
}

/** Its input is over: `complete()`, or the end of its only source. */
async function close(rig: Rig): Promise<Rig> {
  if (rig.stage.kind === "producer") rig.emits.complete();
  else rig.source.port.end({ reason: complete });
  await turns();
  return rig;
}

describe.each(kinds)("handleEnd of a %s", (kind) => {
  test("5.8 runs once when the input is over, and the end waits for its promise", async () => {
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const rig = await open(kind, () => {
      log.push(`handleEnd, ${rig.handled.length} batches, ${rig.last.length} terminated`);
      return gate.promise;
    });
    if (kind !== "producer") rig.source.port.events([1, 2, 3]);
    await close(rig);
    expect(log).toEqual([`handleEnd, ${kind === "producer" ? 0 : 2} batches, 0 terminated`]);
    expect([rig.stage.state, rig.stage.inspect().stages[0]?.busy]).toEqual(["ending", "handleEnd"]);
    gate.resolve();
    const { last, done } = await rig.seen();
    expect([log.length, last, done]).toEqual([1, ["complete"], "fulfilled"]);
  });

  test.each(["throws", "rejects"] as const)("6.1 that %s fails the stage", async (how) => {
    const rig = await open(kind, () => {
      if (how === "throws") throw boom;
      return Promise.reject(boom);
    });
    const { last, done } = await close(rig).then(() => rig.seen());
    expect([last, done]).toEqual([["failure boom"], "rejected boom"]);
  });

  test("5.8 that calls fail ends the stage with that error", async () => {
    const rig = await open(kind, (stage) => stage.fail(boom));
    await close(rig);
    expect([rig.done, rig.reports]).toEqual(["rejected boom", []]);
  });

  test.each(["stop", "abort", "fail"] as const)("5.8 does not run after %s", async (how) => {
    let ran = 0;
    const rig = await open(kind, () => void (ran += 1));
    if (how === "stop") void rig.stage.stop();
    else if (how === "abort") rig.abort.abort(boom);
    else if (kind === "consumer") rig.source.port.end({ reason: { type: "failure", error: boom } });
    else rig.emits.fail(boom, { after: "buffer" });
    await turns();
    expect([ran, rig.done]).toEqual([0, how === "stop" ? "fulfilled" : "rejected boom"]);
  });

  test("5.8 runs also when a callback calls complete()", async () => {
    let ran = 0;
    const rig = await open(kind, () => void (ran += 1));
    await rig.stage.call((stage) => stage.complete());
    await turns();
    expect([ran, rig.done]).toEqual([1, "fulfilled"]);
  });

  test("5.8 complete() inside it says nothing new", async () => {
    let ran = 0;
    const rig = await open(kind, (stage) => {
      ran += 1;
      stage.complete();
      stage.complete();
    });
    await close(rig);
    expect([ran, rig.done, rig.last]).toEqual([1, "fulfilled", [complete]]);
  });
});

describe.each(emitting)("what handleEnd of a %s answers with", (kind) => {
  test("5.8 goes out last, behind the buffer and what it pushed", async () => {
    const rig = await open(
      kind,
      (stage) => {
        stage.push?.(["pushed"]);
        return ["returned"];
      },
      0,
    );
    rig.emits.push(["buffered"]);
    await close(rig);
    expect(rig.sink.batches).toEqual([]);
    rig.sink.ask(100);
    const { out, told } = await rig.seen();
    expect([out, told]).toEqual([["buffered", "pushed", "returned"], ["complete"]]);
  });

  test.each([7, "late", { length: 1 }])("6.2 %o, which is no array, fails the stage", async (answer) => {
    const rig = await open(kind, () => answer);
    await close(rig);
    expect([rig.done, rig.sink.ends]).toMatchObject([
      "rejected ERR_RESULT",
      [{ type: "failure", error: { code: "ERR_RESULT", events: [] } }],
    ]);
  });

  test("5.8 null is nothing", async () => {
    const rig = await open(kind, () => null);
    await close(rig);
    expect([rig.done, rig.sink.batches]).toEqual(["fulfilled", []]);
  });
});

describe.each(emitting)('handleEnd of a %s that answers "later"', (kind) => {
  test("5.8 leaves the stage open: pushes, calls and infos go on until it calls complete()", async () => {
    const log: string[] = [];
    const rig = await open(kind, () => {
      log.push("handleEnd");
      return "later";
    });
    await close(rig);
    expect([rig.stage.state, rig.emits.push(["a"]), rig.sink.batches]).toEqual(["ending", true, [["a"]]]);
    expect(await rig.emits.call((stage) => stage.push(["b"]))).toBe(true);
    expect(await rig.stage.info(() => "info")).toBe("info");
    await turns();
    expect(rig.done).toBe("pending");
    rig.emits.complete();
    expect(() => rig.emits.push(["late"])).toThrow(expect.objectContaining({ code: "ERR_ENDED" }));
    const { out, told, done } = await rig.seen();
    expect([log, out, told, done]).toEqual([["handleEnd"], ["a", "b"], ["complete"], "fulfilled"]);
  });

  test("5.8 the complete() may come from a callback, too", async () => {
    const rig = await open(kind, () => "later");
    await close(rig);
    await rig.emits.call((stage) => {
      stage.push(["last"]);
      stage.complete();
    });
    const { out, told } = await rig.seen();
    expect([out, told]).toEqual([["last"], ["complete"]]);
  });

  test("5.8 answered after complete() was called inside it means nothing", async () => {
    const rig = await open(kind, (stage) => {
      stage.push?.(["last"]);
      stage.complete();
      return "later";
    });
    await close(rig);
    const { out, told, done } = await rig.seen();
    expect([out, told, done]).toEqual([["last"], ["complete"], "fulfilled"]);
  });

  test("5.8 a second complete() from outside while handleEnd runs says nothing new", async () => {
    const gate = Promise.withResolvers<"later">();
    const rig = await open(kind, () => gate.promise);
    await close(rig);
    rig.emits.complete();
    gate.resolve("later");
    await turns();
    expect([rig.done, rig.last]).toEqual(["pending", []]);
    rig.emits.complete();
    await turns();
    expect(rig.done).toBe("fulfilled");
  });

  test("5.8 is asked for nothing and takes nothing any more, but holds what is pushed", async () => {
    const rig = await open(kind, () => "later", 1);
    const asks = rig.source.asks.length;
    await close(rig);
    expect(rig.emits.push(["a", "b", "c"])).toBe(false);
    rig.scripts.push(() => {
      throw new Error("no callback runs any more");
    });
    rig.sink.ask(1);
    await turns();
    expect([rig.sink.batches.flat(), rig.emits.bufferedCount, rig.done]).toEqual([["a", "b"], 1, "pending"]);
    rig.emits.complete();
    await turns();
    rig.sink.ask(1);
    const { out, told } = await rig.seen();
    expect([out, told, rig.source.asks.length]).toEqual([["a", "b", "c"], ["complete"], asks]);
  });

  test.each([
    ["stop", "stop", "fulfilled", [["stop", "b"]], (rig: Rig) => void rig.stage.stop()],
    ["fail", "failure boom", "rejected boom", [["failure", "b"]], (rig: Rig) => rig.emits.fail(boom)],
    ["abort", "failure boom", "rejected boom", [["abort", "b"]], (rig: Rig) => rig.abort.abort(boom)],
  ] satisfies [string, string, string, unknown, (rig: Rig) => void][])(
    "5.8 can still end by %s",
    async (_how, reason, done, lost, end) => {
      const rig = await open(kind, () => "later", 1);
      await close(rig);
      rig.emits.push(["a", "b"]);
      end(rig);
      const seen = await rig.seen();
      expect([seen.out, seen.discarded, seen.told, seen.done]).toEqual([["a"], lost, [reason], done]);
    },
  );

  test("5.8 can still fail behind its buffer", async () => {
    const rig = await open(kind, () => "later", 0);
    await close(rig);
    rig.emits.push(["a"]);
    rig.emits.fail(boom, { after: "buffer" });
    expect(() => rig.emits.push(["late"])).toThrow(expect.objectContaining({ code: "ERR_ENDED" }));
    await turns();
    expect(rig.done).toBe("pending");
    rig.sink.ask(1);
    const { out, told, done } = await rig.seen();
    expect([out, told, done]).toEqual([["a"], ["failure boom"], "rejected boom"]);
  });
});

test('5.8 "later" of a consumer keeps it open until it calls complete() itself', async () => {
  const rig = await open("consumer", () => "later");
  await close(rig);
  expect([rig.stage.state, rig.done]).toEqual(["ending", "pending"]);
  expect(await rig.stage.call(() => "called")).toBe("called");
  await rig.stage.call((stage) => stage.complete());
  await turns();
  expect([rig.done, rig.last]).toEqual(["fulfilled", [complete]]);
});

test("D-002 what a consumer's handleEnd answers with otherwise means nothing", async () => {
  const rig = await open("consumer", () => 7);
  await close(rig);
  expect([rig.done, rig.reports]).toEqual(["fulfilled", []]);
});

test("5.5 the sources are left before handleEnd runs, and get back what waits", async () => {
  const seen: unknown[] = [];
  const rig = await open("producerConsumer", () => void seen.push(...rig.source.ends), 0);
  rig.source.port.events([1, 2]);
  await turns();
  rig.emits.complete();
  await turns();
  expect(seen).toEqual([{ reason: complete, unstarted: [1, 2] }]);
});
