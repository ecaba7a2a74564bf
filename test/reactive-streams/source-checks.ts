import { deepEqual, equal, throws } from "node:assert/strict";
import type { Reason } from "../../src/index.ts";
import { range, turns } from "../support/runtime.ts";
import { complete, failed, ManualConsumer, settled, type Source, type SourceFactory } from "./harness.ts";

/** A rule of sources as a plain function: it rejects for a source that breaks it. */
export interface SourceCheck {
  readonly rule: string;
  readonly title: string;
  /** Asks for a source without end. */
  readonly endless?: true;
  /** Asks for a source that knows its end before it is asked. */
  readonly eager?: true;
  readonly run: (make: SourceFactory, scale: number) => Promise<void>;
}

const codeOf = (reason: Reason): unknown =>
  reason.type === "failure" ? (reason.error as { code?: unknown }).code : reason.type;
const maximum = Number.MAX_SAFE_INTEGER;
const half = (maximum - 1) / 2;
const attach = (source: Source): ManualConsumer => new ManualConsumer().attach(source);

/** What a consumer has seen, once nothing can happen any more. */
async function checkSeen(consumer: ManualConsumer, count: number, ends: readonly unknown[] = []): Promise<void> {
  await settled(consumer, count, ends.length);
  await turns();
  // First what is cheap to tell: long lists that differ take their time.
  deepEqual([consumer.received.length, consumer.ends, consumer.flaws], [count, ends, []]);
  deepEqual(consumer.received, range(0, count - 1));
}

const check = (rule: string, title: string, run: SourceCheck["run"]): SourceCheck => ({ rule, title, run });
const endless = (rule: string, title: string, run: SourceCheck["run"]): SourceCheck => ({
  ...check(rule, title, run),
  endless: true,
});

const steps = async (make: SourceFactory, count: number): Promise<void> => {
  const consumer = attach(make(count));
  for (let seen = 1; seen <= count; seen += 1) {
    consumer.ask(1);
    await settled(consumer, seen, 0);
    await turns();
    deepEqual(consumer.received, range(0, seen - 1));
  }
  consumer.ask(1);
  await checkSeen(consumer, count, [complete]);
  await checkSeen(consumer, count, [complete]);
};

export const sourceChecks: readonly SourceCheck[] = [
  check("0a", "a source of one event emits one and ends", (make) => steps(make, 1)),
  check("0b", "a source of three events emits three and ends", (make) => steps(make, 3)),

  check("1.1a", "emits what is asked for and no more", async (make) => {
    const consumer = attach(make(5));
    await checkSeen(consumer, 0);
    consumer.ask(1);
    await checkSeen(consumer, 1);
    consumer.ask(1);
    consumer.ask(2);
    await checkSeen(consumer, 4);
    consumer.cancel();
    await checkSeen(consumer, 4);
  }),
  check("1.1b", "counts the events of a batch, not the batches", async (make) => {
    const consumer = attach(make(100));
    consumer.ask(7);
    await checkSeen(consumer, 7);
    deepEqual(
      consumer.sizes.reduce((sum, size) => sum + size, 0),
      7,
    );
  }),
  check("1.1c", "is never ahead of what was asked, whatever the amounts", async (make) => {
    const consumer = attach(make(300));
    for (const amount of [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]) {
      const due = consumer.asked + amount;
      consumer.ask(amount);
      await checkSeen(consumer, due);
    }
  }),
  check("1.2", "may deliver less than was asked and end, without another ask", async (make) => {
    const consumer = attach(make(3));
    consumer.ask(10);
    await checkSeen(consumer, 3, [complete]);
  }),
  check("1.3a", "does not call into a handler that asks in its middle", async (make) => {
    const consumer = attach(make(10));
    consumer.each = () => void consumer.ask(1);
    consumer.ask(1);
    await checkSeen(consumer, 10, [complete]);
    deepEqual(consumer.deepest, 1);
  }),
  check("1.3c", "does not end inside a handler, nor before its events", async (make) => {
    const order: unknown[] = [];
    const consumer = attach(make(2));
    consumer.each = (event) => void order.push(event);
    consumer.atEnd = () => void order.push("end");
    consumer.ask(3);
    await checkSeen(consumer, 2, [complete]);
    deepEqual(order, [0, 1, "end"]);
  }),
  check("1.4a", "tells its failure once, as it is", async (make) => {
    const error = new Error("broken");
    const consumer = attach(make(0, { error }));
    consumer.ask(1);
    await checkSeen(consumer, 0, [failed(error)]);
    equal((consumer.ends[0] as { error?: unknown }).error, error);
  }),
  check("1.4e", "fails with values that are falsy", async (make) => {
    for (const error of [undefined, null, 0, ""]) {
      const consumer = attach(make(2, { error }));
      consumer.ask(5);
      await checkSeen(consumer, 2, [failed(error)]);
    }
  }),
  check("1.5a", "tells its end, and nothing after it", (make) => steps(make, 3)),
  check("1.5b", "an empty source ends, and says nothing before or after", async (make) => {
    const consumer = attach(make(0));
    deepEqual(consumer.flaws, []);
    consumer.ask(1);
    await checkSeen(consumer, 0, [complete]);
  }),
  {
    ...check("1.5c", "a source that knows its end tells it without another ask", async (make) => {
      await checkSeen(attach(make(0)), 0, [complete]);
      const consumer = attach(make(3));
      consumer.ask(3);
      await checkSeen(consumer, 3, [complete]);
    }),
    eager: true,
  },
  check("1.6", "asks and cancels after the end do nothing", async (make) => {
    for (const [failure, end] of [
      [undefined, complete],
      [{ error: "E" }, failed("E")],
    ] as const) {
      const consumer = attach(make(1, failure));
      consumer.ask(2);
      await checkSeen(consumer, 1, [end]);
      consumer.ask(1).cancel().askWrongly(-1).cancel();
      await checkSeen(consumer, 1, [end]);
    }
  }),
  check("1.7a", "nothing comes after the end", async (make) => {
    const consumer = attach(make(1));
    consumer.ask(10);
    await checkSeen(consumer, 1, [complete]);
    consumer.ask(10);
    await checkSeen(consumer, 1, [complete]);
  }),
  check("1.7b", "nothing comes after a failure", async (make) => {
    const consumer = attach(make(1, { error: "E" }));
    consumer.ask(10);
    await checkSeen(consumer, 1, [failed("E")]);
    consumer.ask(10);
    await checkSeen(consumer, 1, [failed("E")]);
  }),
  check("1.7d", "a cancel in the turn of the end leaves at most one terminal signal", async (make) => {
    const consumer = attach(make(1));
    consumer.each = () => void consumer.cancel();
    consumer.ask(10);
    await checkSeen(consumer, 1);
    const other = attach(make(1));
    other.atEnd = () => void other.cancel();
    other.ask(10);
    await checkSeen(other, 1, [complete]);
  }),
  check("1.8a", "stops when it is cancelled inside an event", async (make) => {
    const consumer = attach(make(20));
    consumer.each = (event) => void (event === 2 && consumer.cancel());
    consumer.ask(15);
    await checkSeen(consumer, 3);
  }),
  check("1.8b", "what was asked for and not sent when the cancel came is not sent", async (make) => {
    const consumer = attach(make(20));
    consumer.ask(10);
    await settled(consumer, 1, 0);
    consumer.cancel();
    const seen = consumer.received.length;
    await checkSeen(consumer, seen);
  }),
  check("1.8c", "cancelled before any ask it never says anything", async (make) => {
    const consumer = attach(make(3));
    consumer.cancel();
    await checkSeen(consumer, 0);
  }),
  check("1.9a", "refuses what is no consumer, and goes on", async (make) => {
    const source = make(2);
    for (const nobody of [null, undefined]) throws(() => source["~attach"](nobody as never, {} as never), TypeError);
    const consumer = attach(source);
    consumer.ask(3);
    await checkSeen(consumer, 2, [complete]);
  }),
  check("1.9b", "says nothing before the subscription stands", async (make) => {
    for (const count of [0, 1, 3]) {
      const consumer = attach(make(count));
      deepEqual([consumer.received, consumer.ends, consumer.flaws], [[], [], []]);
      consumer.ask(5);
      await checkSeen(consumer, count, [complete]);
    }
    const consumer = attach(make(0, { error: "E" }));
    deepEqual([consumer.ends, consumer.flaws], [[], []]);
    consumer.ask(1);
    await checkSeen(consumer, 0, [failed("E")]);
  }),
  check("1.10", "refuses the same port a second time; the first link gets what it asked for", async (make) => {
    const source = make(5);
    const port = attach(source);
    const refused = source["~attach"](port, {} as never);
    deepEqual(port.ends.map(codeOf), ["ERR_DUPLICATE_LINK"]);
    port.ends.length = 0;
    port.flaws.length = 0;
    refused.ask(5);
    await turns(8);
    deepEqual(port.received, []);
    port.ask(2);
    await checkSeen(port, 2);
  }),

  check("3.2", "may be asked inside handlers: each event comes once", async (make) => {
    const consumer = attach(make(6));
    consumer.each = () => void consumer.ask(1);
    consumer.ask(1).ask(1).ask(1);
    await checkSeen(consumer, 6, [complete]);
  }),
  check("3.3a", "asking for the next event inside an event does not nest", async (make) => {
    const consumer = attach(make(2));
    consumer.each = () => void consumer.ask(1);
    consumer.ask(1);
    await checkSeen(consumer, 2, [complete]);
    deepEqual(consumer.deepest, 1);
  }),
  check("3.3b", "a long run of single asks needs no stack", async (make, scale) => {
    const consumer = attach(make(scale));
    consumer.each = () => void consumer.ask(1);
    consumer.ask(1);
    await checkSeen(consumer, scale, [complete]);
    deepEqual(consumer.deepest, 1);
  }),
  check("3.3d", "asked without bound it delivers all, and does not lose the wake-up", async (make) => {
    for (const count of [3, 25_000]) {
      const consumer = attach(make(count));
      consumer.ask(Number.POSITIVE_INFINITY);
      await checkSeen(consumer, count, [complete]);
    }
  }),
  check("3.4", "an ask answers at once: what it brings comes later", async (make) => {
    const consumer = attach(make(1000));
    consumer.ask(1_000_000);
    deepEqual(consumer.received, []);
    await checkSeen(consumer, 1000, [complete]);
  }),
  check("3.6", "asks after a cancel do nothing, the wrong ones too", async (make) => {
    const consumer = attach(make(3)).cancel();
    consumer.ask(1).ask(1).ask(1).askWrongly(-1);
    await checkSeen(consumer, 0);
  }),
  check("3.7", "cancels after a cancel do nothing", async (make) => {
    const consumer = attach(make(3)).cancel().cancel().cancel();
    await checkSeen(consumer, 0);
  }),
  check("3.8b", "asks of one stretch add up", async (make) => {
    const consumer = attach(make(10));
    consumer.ask(1).ask(2).ask(3);
    await checkSeen(consumer, 6);
  }),
  check("3.9", "an ask that is no demand ends that link with an error, and no other", async (make) => {
    for (const wrong of [-1, -(2 ** 31), -Infinity, Number.NaN, 1.5, 2 ** 53, "3", 2n, null, undefined, {}, true]) {
      const consumer = attach(make(10));
      consumer.askWrongly(wrong);
      await turns();
      deepEqual(consumer.received, []);
      deepEqual(consumer.ends.map(codeOf), ["ERR_ASK_SIGNAL"]);
      consumer.ask(5);
      await turns();
      deepEqual([consumer.received, consumer.ends.length, consumer.flaws], [[], 1, []]);
    }
  }),
  check("3.12", "a cancel bounds what still comes", async (make) => {
    const consumer = attach(make(20));
    consumer.each = () => void consumer.cancel();
    consumer.ask(10).ask(5);
    await checkSeen(consumer, 1);
  }),
  check("3.17a", "the largest asks", async (make) => {
    for (const amount of [maximum, Number.POSITIVE_INFINITY]) {
      const consumer = attach(make(3));
      consumer.ask(amount);
      await checkSeen(consumer, 3, [complete]);
    }
  }),
  check("3.17b", "asks that add up to the largest one", async (make) => {
    const consumer = attach(make(3));
    consumer.ask(half).ask(half).ask(1);
    await checkSeen(consumer, 3, [complete]);
  }),
  endless("3.17c", "asks that add up to more than can be counted", async (make) => {
    const consumer = attach(make(Number.POSITIVE_INFINITY));
    consumer.each = (event) => {
      if (event < 10) consumer.ask(maximum - 1);
      else consumer.cancel();
    };
    consumer.ask(1);
    await checkSeen(consumer, 11);
  }),
  check("3.17d", "past the largest sum nothing is lost", async (make) => {
    const consumer = attach(make(20_000));
    consumer.ask(maximum).ask(maximum).ask(1);
    await checkSeen(consumer, 20_000, [complete]);
  }),
  check("3.17e", "a long run of asks made before the first event", async (make, scale) => {
    const consumer = attach(make(scale));
    for (let i = 0; i < scale; i += 1) consumer.ask(1);
    await checkSeen(consumer, scale, consumer.ends);
    consumer.ask(1);
    await checkSeen(consumer, scale, [complete]);
  }),
];

/** The check of a rule, for those who expect it to fail. */
export function sourceCheck(rule: string): SourceCheck["run"] {
  const found = sourceChecks.find((candidate) => candidate.rule === rule);
  if (found === undefined) throw new Error(`no check of rule ${rule}`);
  return found.run;
}
