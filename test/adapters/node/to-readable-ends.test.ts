import { beforeEach, describe, expect, test } from "vitest";
import { toReadable } from "../../../adapters/node/index.ts";
import type { ConsumerPort, End, Producer } from "../../../src/index.ts";
import { type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";
import { counted, endOf, implementations, upstream } from "./support.ts";

/** A producer without manners: the test speaks for it. */
const rogue = () => {
  const said: (number | End)[] = [];
  const ports: ConsumerPort<unknown>[] = [];
  const source = {
    "~attach": (port: ConsumerPort<unknown>) => {
      ports.push(port);
      return { ask: (count: number) => void said.push(count), end: (end: End) => void said.push(end) };
    },
  };
  return { source: source as unknown as Producer<unknown>, said, port: () => ports[0]! };
};

const firstTwo = async (source: Producer<number>) => {
  const got: number[] = [];
  for await (const event of source) if (got.push(event) === 2) break;
  return got;
};

describe.each(implementations)("the end of a Readable of %s from a stage", (_, { Readable }) => {
  let runtime: TestRuntime;
  beforeEach(() => {
    runtime = testRuntime();
  });

  test("B10 a failure destroys, once, with what was buffered", async () => {
    const error = new Error("third");
    const { stage } = upstream<number>(runtime);
    const readable = toReadable(stage, { Readable });
    const said = endOf(readable);
    readable.on("readable", () => {});
    await turns();
    stage.push([1, 2]);
    await turns();
    expect(readable.readableLength).toBe(2);
    stage.fail(error);
    await turns();
    expect(said).toEqual(["error third", "close"]);
    expect(readable.errored).toBe(error);
  });

  test("B10 a reader that flows gets what came before the failure", async () => {
    const { stage } = upstream<number>(runtime);
    const readable = toReadable(stage, { Readable });
    const said = endOf(readable);
    const got: number[] = [];
    readable.on("data", (event: number) => got.push(event));
    await turns();
    stage.push([1, 2]);
    stage.fail(new Error("third"), { after: "buffer" });
    await turns();
    expect(got).toEqual([1, 2]);
    expect(said).toEqual(["error third", "close"]);
  });

  test("B10 so does a producer that has failed before, or completed", async () => {
    const failed = upstream<number>(runtime);
    failed.stage.fail(new Error("before"));
    const readable = toReadable(failed.stage, { Readable });
    const said = endOf(readable);
    await turns();
    expect(said).toEqual(["error before", "close"]);
    const completed = counted(runtime, 0);
    completed.stage.complete();
    await turns();
    expect(await toReadable(completed.stage, { Readable }).toArray()).toEqual([]);
  });

  test("B11 a failure that is no Error", async () => {
    const { stage } = upstream<number>(runtime);
    const readable = toReadable(stage, { Readable });
    const errors: unknown[] = [];
    readable.on("error", (error) => errors.push(error));
    await turns();
    stage.fail("Boum");
    await turns();
    expect(errors).toEqual(["Boum"]);
  });

  test.each([undefined, null, 0, "", false])("B11 a falsy failure (%j) is the cause of an Error", async (error) => {
    const { stage } = upstream<number>(runtime);
    const readable = toReadable(stage, { Readable });
    const said = endOf(readable);
    await turns();
    stage.fail(error);
    await turns();
    expect(said).toEqual([`error the producer failed with ${error === "" ? '""' : String(error)}`, "close"]);
    expect((readable.errored as Error).cause).toBe(error);
  });

  test("B13 destroy cancels, then closes", async () => {
    const up = upstream<number>(runtime);
    const readable = toReadable(up.stage, { Readable });
    readable.resume();
    await turns();
    const endsAtClose: number[] = [];
    readable.on("close", () => endsAtClose.push(up.ends.length));
    const said = endOf(readable);
    readable.destroy();
    await turns();
    expect(up.demands).toEqual([readable.readableHighWaterMark]);
    expect(up.ends).toEqual([{ type: "cancel" }]);
    expect(endsAtClose).toEqual([1]);
    expect(said).toEqual(["close"]);
  });

  test("B13 what was not pushed goes back", async () => {
    const up = upstream<number>(runtime);
    const readable = toReadable(up.stage, { Readable, highWaterMark: 4 });
    const got: number[] = [];
    readable.on("data", (event: number) => {
      got.push(event);
      if (event === 2) readable.destroy();
    });
    await turns();
    up.stage.push([1, 2, 3, 4]);
    await turns();
    expect(got).toEqual([1, 2]);
    expect(up.stage.bufferedCount).toBe(2);
    expect(await firstTwo(up.stage)).toEqual([3, 4]);
  });

  test("B14 destroy with an error passes the reason", async () => {
    const error = new Error("enough");
    const up = upstream<number>(runtime);
    const readable = toReadable(up.stage, { Readable });
    const said = endOf(readable);
    readable.destroy(error);
    await turns();
    expect(up.ends).toEqual([{ type: "cancel", reason: error }]);
    expect(said).toEqual(["error enough", "close"]);
  });

  test("B15 leaving a loop is no failure", async () => {
    const up = counted(runtime, 100);
    const readable = toReadable(up.stage, { Readable, highWaterMark: 2 });
    const got: number[] = [];
    for await (const event of readable) {
      got.push(event as number);
      if (got.length === 3) break;
    }
    await turns();
    expect(got).toEqual([1, 2, 3]);
    expect(up.ends).toEqual([{ type: "cancel" }]);
    expect(readable.destroyed).toBe(true);
    expect(readable.errored).toMatchObject({ name: "AbortError" });
  });

  test("B17 an event after destroy is dropped", async () => {
    const { source, said, port } = rogue();
    const readable = toReadable(source, { Readable });
    const words = endOf(readable);
    readable.resume();
    await turns();
    readable.destroy();
    port().events([1]);
    await turns();
    expect(said).toEqual([readable.readableHighWaterMark, { reason: { type: "cancel" }, unstarted: [] }]);
    expect(words).toEqual(["close"]);
  });

  test("B18 an event after the end is dropped, and a failure is told once", async () => {
    const { source, port } = rogue();
    const readable = toReadable(source, { Readable });
    const words = endOf(readable);
    readable.resume();
    await turns();
    port().end({ reason: { type: "failure", error: new Error("one") } });
    port().events([1]);
    port().end({ reason: { type: "failure", error: new Error("two") } });
    await turns();
    port().events([2]);
    await turns();
    expect(words).toEqual(["error one", "close"]);
  });

  test("B18 more events than were asked for end the link, behind those that were", async () => {
    const { source, said, port } = rogue();
    const readable = toReadable(source, { Readable, highWaterMark: 2 });
    const got: unknown[] = [];
    readable.on("data", (event) => got.push(event));
    const words = endOf(readable);
    await turns();
    port().events([1, 2, 3, 4]);
    await turns();
    expect(got).toEqual([1, 2]);
    expect(said.slice(1)).toEqual([{ reason: { type: "failure", error: readable.errored }, unstarted: [3, 4] }]);
    expect(readable.errored).toMatchObject({ code: "ERR_OVERDELIVERY" });
    expect(words).toHaveLength(2);
  });
});
