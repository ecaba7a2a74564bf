import { describe, expect, test, vi } from "vitest";
import { type PortSource, Port, type PortDefaults } from "../../../src/adapter/index.ts";
import { fromIterable, type Producer, type SubscribeOptions } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { codeOf, RawProducer } from "../../support/stages.ts";

/** A consumer that is no stage: takes batch by batch, as an automatic subscription would. */
class Taker extends Port {
  readonly batches: (readonly unknown[])[] = [];
  readonly ends: unknown[] = [];

  start(): this {
    this.open();
    this.request(this.window.open());
    return this;
  }

  override turn(): void {
    for (let batch = this.arrived.shift(); batch; batch = this.arrived.shift()) {
      this.batches.push(batch);
      this.pending -= batch.length;
      this.request(this.window.handOver(batch.length));
    }
    if (!this.reason) return;
    this.ends.push(this.reason);
    this.told();
  }
}

const optionsOf = (producer: unknown, options?: SubscribeOptions, defaults?: PortDefaults) =>
  Port.options(producer, options, defaults);

describe("Port.options", () => {
  const numbers = fromIterable([1], { defaultMaxDemand: 7, onLastCancel: "continue" });

  test("1.3 refuses what is no producer", () => {
    for (const wrong of [undefined, null, 1, {}, []]) expect(codeOf(() => optionsOf(wrong))).toBe("ERR_NOT_PRODUCER");
  });

  test("1.1 refuses what are no options", () => {
    expect(codeOf(() => optionsOf(numbers, null as never))).toBe("ERR_OPTION");
    expect(codeOf(() => optionsOf(numbers, { cancel: "never" as never }))).toBe("ERR_OPTION");
    expect(codeOf(() => optionsOf(numbers, { maxDemand: 0 }))).toBe("ERR_RANGE");
    expect(codeOf(() => optionsOf(numbers, { maxDemand: 2, minDemand: 2 }))).toBe("ERR_RANGE");
  });

  test("3.5 fills in the defaults: the user's, the adapter's, the producer's", () => {
    expect(optionsOf(numbers)).toEqual({ maxDemand: 7, minDemand: 3, cancel: "permanent", demand: "automatic" });
    expect(optionsOf(numbers, {}, { maxDemand: 4 })).toMatchObject({ maxDemand: 4, minDemand: 2 });
    expect(optionsOf(numbers, { maxDemand: 9 }, { maxDemand: 4 })).toMatchObject({ maxDemand: 9, minDemand: 4 });
    expect(optionsOf(fromIterable([1]))).toMatchObject({ maxDemand: 1000, minDemand: 500 });
  });

  test("3.3 manual demand holds whatever the user says, and what the dispatcher takes stays", () => {
    const options = { demand: "automatic", partition: 2 } as SubscribeOptions;
    expect(optionsOf(numbers, options, { demand: "manual" })).toMatchObject({ demand: "manual", partition: 2 });
  });
});

describe("a Port", () => {
  test("3.7 takes by the window, to the end", async () => {
    const producer = fromIterable(range(1, 10), { runtime: testRuntime() });
    const port = new Taker("taker", producer, Port.options(producer, { maxDemand: 4 })).start();
    await turns();
    expect([port.batches.flat(), port.ends, port.state]).toEqual([range(1, 10), [{ type: "complete" }], "ended"]);
    expect(port.batches.map(({ length }) => length)).toEqual([4, 4, 2]);
  });

  test("5.6 gives back the rest and what has arrived when it leaves", async () => {
    const producer = fromIterable(range(1, 10), { runtime: testRuntime(), onLastCancel: "continue" });
    const port = new Taker("taker", producer, Port.options(producer, { maxDemand: 4 }));
    port.turn = () => {};
    port.start();
    await turns();
    const [first] = [port.arrived.shift() ?? []];
    port.leave({ type: "cancel" }, first.slice(1));
    await turns();
    const next = new Taker("next", producer, Port.options(producer)).start();
    await turns();
    expect(next.batches.flat()).toEqual(range(2, 10));
  });

  test("3.2 asks for nothing where there is nothing to ask for", () => {
    const raw = new RawProducer<number>();
    const { producer } = raw;
    const port = new Taker("taker", producer, Port.options(producer, { maxDemand: 4 })).start();
    port.request(0);
    expect(raw.asks).toEqual([4]);
  });

  test("7.3 reports to the producer's onReport", () => {
    const reports: unknown[] = [];
    const producer = fromIterable([1], {
      onReport: (error, { phase }) => void reports.push([error, phase]),
      onLastCancel: "continue",
    });
    const port = new Taker("taker", producer, Port.options(producer));
    port.report("E", "write");
    expect(reports).toEqual([["E", "write"]]);
  });

  test("7.3 and to the console where the producer is of another make", () => {
    const said: unknown[] = [];
    const error = vi.spyOn(console, "error").mockImplementation((...words) => void said.push(words));
    const { producer } = new RawProducer<number>();
    new Taker("taker", producer, Port.options(producer)).report("E", "write");
    error.mockRestore();
    expect(said).toEqual([["headrace: write of taker failed:", "E"]]);
  });

  test("1.3 takes any producer, whatever its events and options", () => {
    const known: Producer<string, { readonly partition: number }> = fromIterable(["a"]) as never;
    const any: PortSource = known;
    expect(new Taker("taker", any, Port.options(any)).opened).toBe(false);
  });
});
