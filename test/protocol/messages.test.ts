import { describe, expect, test } from "vitest";
import { broadcastDispatcher, consumer, producer, producerConsumer } from "../../src/index.ts";
import { testRuntime, turns } from "../support/runtime.ts";
import { codeOf, Counter, Forwarder, outcome, Quiet, RawConsumer, RawProducer } from "../support/stages.ts";

const nothing = () => {};
/** A producer that serves nothing by itself, and one consumer on the wire. */
const wire = () => {
  const runtime = testRuntime();
  const reports: unknown[] = [];
  const onReport = (error: unknown) => void reports.push(error);
  const p = producer(new Quiet<number>(), { runtime, onReport });
  return { runtime, reports, p, raw: new RawConsumer<number>().attach(p) };
};

describe("2. Messages", () => {
  test("2.1 events count by the length of their arrays, and push takes nothing else", async () => {
    const { p, raw } = wire();
    raw.ask(3);
    await turns();
    p.push([1, 2]);
    expect(p.demand).toBe(1);
    p.push([]);
    expect([p.demand, raw.batches]).toEqual([1, [[1, 2]]]);
    expect(codeOf(() => p.push("34" as never))).toBe("ERR_EVENTS");
    expect(codeOf(() => p.push(3 as never))).toBe("ERR_EVENTS");
  });

  test("2.1 the sender does not touch a batch again", async () => {
    const { p, raw } = wire();
    raw.ask(2);
    await turns();
    p.push([1, 2, 3, 4]);
    const [first] = raw.batches;
    raw.ask(2);
    await turns();
    expect(first).toEqual([1, 2]);
    expect(raw.batches).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test("2.1 consumers of a broadcast share the array, and a strict runtime freezes it", async () => {
    for (const strict of [true, false]) {
      const p = producer(new Counter(1), { runtime: testRuntime({ strict }), dispatcher: broadcastDispatcher() });
      const [a, b] = [new RawConsumer<number>("a").attach(p), new RawConsumer<number>("b").attach(p)];
      a.ask(2);
      b.ask(2);
      await turns();
      expect(a.batches).toEqual([[0, 1]]);
      expect(a.batches[0]).toBe(b.batches[0]);
      expect(Object.isFrozen(a.batches[0])).toBe(strict);
    }
  });

  test("2.2 a batch that is no array ends the link with a ProtocolError", async () => {
    const { runtime } = wire();
    const raw = new RawProducer<number>();
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    const subscription = c.subscribe(raw.producer, { cancel: "temporary" });
    await turns();
    raw.port.events("abc" as never);
    await turns();
    const reason = { type: "failure", error: { name: "ProtocolError", code: "ERR_MESSAGE" } };
    expect([subscription.state, sink.batches]).toEqual(["ended", []]);
    expect(raw.ends).toMatchObject([{ reason }]);
    expect(sink.log.at(-1)).toMatchObject(["cancelled", reason]);
  });

  test.each([[0], [-1], [1.5], [Number.NaN], [2 ** 53], ["1"], [undefined]])(
    "2.2 an ask of %o ends the link with a ProtocolError",
    async (count) => {
      const { p, raw } = wire();
      raw.ask(count as number);
      await turns();
      expect(raw.ends).toMatchObject([{ type: "failure", error: { name: "ProtocolError", code: "ERR_ASK_SIGNAL" } }]);
      expect([p.state, p.inspect().links]).toEqual(["running", []]);
    },
  );

  test("2.3 a producer's messages on a link arrive in order", async () => {
    const { p, raw } = wire();
    raw.ask(9);
    await turns();
    p.push([1]);
    p.push([2, 3]);
    p.push([4]);
    p.complete();
    await p.done;
    expect(raw.log).toEqual([
      ["events", [1]],
      ["events", [2, 3]],
      ["events", [4]],
      ["end", { type: "complete" }],
    ]);
  });

  test("2.3 a consumer's messages on a link arrive in order", async () => {
    const runtime = testRuntime();
    const log: unknown[] = [];
    const p = producer<number>(
      { handleDemand: (n) => void log.push(n), handleCancel: (reason) => void log.push(reason.type) },
      { runtime },
    );
    const raw = new RawConsumer<number>().attach(p).ask(1).ask(2).ask(4);
    await turns();
    raw.leave().ask(8);
    await turns();
    expect(log).toEqual([1, 2, 4, "cancel"]);
  });

  test("2.4 a producer that has heard end ignores asks", async () => {
    const { p, raw } = wire();
    raw.leave();
    raw.ask(5);
    await turns();
    raw.ask(5);
    await turns();
    p.push([1]);
    expect([p.demand, raw.batches, raw.ends]).toEqual([0, [], []]);
  });

  test("2.4 so does one that has said it", async () => {
    const { p, raw } = wire();
    raw.confirms = false;
    p.complete();
    await turns();
    expect(raw.ends).toEqual([{ type: "complete" }]);
    raw.ask(5);
    await turns();
    expect([p.demand, raw.log]).toEqual([0, [["end", { type: "complete" }]]]);
  });

  test("2.4 events that cross a consumer's end go back", async () => {
    const { p, raw } = wire();
    raw.ask(5);
    await turns();
    raw.leave();
    p.push([1, 2]);
    const next = new RawConsumer<number>("next").attach(p).ask(5);
    await turns();
    expect([raw.batches, next.batches]).toEqual([[], [[1, 2]]]);
  });

  test("2.5 a stage does not read the state of its peer", async () => {
    const { runtime } = wire();
    const raw = new RawProducer<number>();
    const read: PropertyKey[] = [];
    const peer = new Proxy(raw, {
      get(target, key) {
        read.push(key);
        const value: unknown = Reflect.get(target, key);
        return value;
      },
    });
    const sink = new Forwarder<number>();
    consumer(sink, { runtime }).subscribe(peer as never, { maxDemand: 2, minDemand: 0 });
    await turns();
    raw.port.events([1, 2]);
    await turns();
    expect(sink.batches).toEqual([[1, 2]]);
    expect(read).toContain("~attach");
    expect(read.filter((key) => ["state", "demand", "bufferedCount", "failure", "done"].includes(String(key)))).toEqual(
      [],
    );
  });

  test("2.5 inspect() reads the whole graph from any of its stages", async () => {
    const { runtime } = wire();
    const [p, t, c] = [
      producer(new Quiet<number>(), { runtime, name: "p" }),
      producerConsumer<number, number>(() => {}, { runtime, name: "t" }),
      consumer(nothing, { runtime, name: "c" }),
    ];
    t.subscribe(p);
    c.subscribe(t);
    await turns();
    for (const stage of [p, t, c]) {
      const { stages, links } = stage.inspect();
      expect(stages[0]?.name).toBe(stage.name);
      expect(new Set(stages.map(({ name, state }) => `${name} ${state}`))).toEqual(
        new Set(["p running", "t running", "c running"]),
      );
      expect(new Set(links.map(({ consumerName }) => consumerName))).toEqual(new Set(["t", "c"]));
    }
  });

  test.each([[undefined], [null], [0], ["text"], [Symbol("s")], [{ own: true }], [new Error("e")]])(
    "2.6 the failure %o is passed on by identity",
    async (error) => {
      const { runtime } = wire();
      const p = producer(new Quiet<number>(), { runtime });
      const t = producerConsumer<number, number>(() => {}, { runtime });
      const c = consumer<number>(() => {}, { runtime });
      t.subscribe(p);
      c.subscribe(t);
      const ended = [outcome(p), outcome(t), outcome(c)];
      p.fail(error);
      const seen = [await ended[0], await ended[1], await ended[2]];
      expect(seen.map((value) => Object.is(value, error))).toEqual([true, true, true]);
      expect([p.state, t.state, c.state]).toEqual(["failed", "failed", "failed"]);
    },
  );

  test("2.7 a port whose events throws ends its own link with that value", async () => {
    const { p } = wire();
    const thrown = new Error("port");
    const bad = new RawConsumer<number>("bad");
    Object.assign(bad, {
      events: () => {
        throw thrown;
      },
    });
    bad.attach(p).ask(1);
    const good = new RawConsumer<number>("good").attach(p).ask(1);
    await turns();
    p.push([1, 2]);
    await turns();
    expect(bad.ends).toEqual([{ type: "failure", error: thrown }]);
    expect([good.batches.length, p.state]).toEqual([1, "running"]);
  });

  test("2.7 a port whose ask throws ends its own link with that value", async () => {
    const { runtime } = wire();
    const thrown = new Error("port");
    const bad = {
      name: "bad",
      "~attach": () => ({
        ask: () => {
          throw thrown;
        },
        end: nothing,
      }),
    };
    const sink = new Forwarder<number>();
    const c = consumer(sink, { runtime });
    c.subscribe(producer(new Counter(1), { runtime }), { maxDemand: 2, minDemand: 0 });
    c.subscribe(bad as never, { cancel: "temporary" });
    await turns();
    expect(sink.log).toContainEqual(["cancelled", { type: "failure", error: thrown }]);
    expect([c.state, c.subscriptions.length, sink.batches]).toEqual(["running", 1, [[0, 1]]]);
  });

  test("2.7 if end throws the value goes to onReport, and the failure counts as not passed on", async () => {
    const { p, reports } = wire();
    const [thrown, error] = [new Error("port"), new Error("failure")];
    const bad = new RawConsumer<number>("bad");
    Object.assign(bad, {
      carries: true,
      end: () => {
        throw thrown;
      },
    });
    bad.attach(p);
    await turns();
    p.fail(error);
    await turns();
    expect([p.state, new Set(reports)]).toEqual(["failed", new Set([thrown, error])]);
  });
});
