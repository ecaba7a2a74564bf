import { consumer } from "../index.ts";
import { type Check, check } from "./check.ts";
import { atMost, NotApplicable, range, same } from "./expect.ts";
import type { Trial } from "./trial.ts";

/** Asks for all of a source, and expects everything and the end. */
async function all(trial: Trial, count: number, asks: readonly number[]): Promise<void> {
  const watcher = trial.watch(trial.source(count).producer);
  for (const ask of asks) watcher.ask(ask);
  await trial.ended(watcher);
  watcher.completed();
  same(trial.values(watcher.received), range(0, count), "the events");
}

async function windowed(trial: Trial, count: number, maxDemand: number, minDemand: number): Promise<void> {
  const { seen, outcome } = trial.collect(trial.source(count).producer, { maxDemand, minDemand });
  await trial.fulfilled(outcome, "the consumer's done");
  same(seen, range(0, count), "the events");
}

/** Events taken by a source, beyond its permitted read-ahead. */
const takenOf = (taken: (() => number) | undefined): (() => number) => {
  if (!taken) throw new NotApplicable("the source tells no taken()");
  return taken;
};

/** Demand, order and completeness; also true of a transform in front of a source. */
export const demandChecks: readonly Check[] = [
  check("RS-1.1a", "delivers what was asked for, and nothing unasked", ["source"], async (trial) => {
    const watcher = trial.watch(trial.source(5).producer);
    await trial.quiet();
    same(watcher.received.length, 0, "the number of events before the first ask");
    await trial.arrived(watcher.ask(1), 1);
    await trial.arrived(watcher.ask(1).ask(2), 4);
    same(trial.values(watcher.received), range(0, trial.values(watcher.received).length), "the events");
    watcher.cancel();
    await trial.quiet();
  }),
  check("RS-1.1b", "counts events, not batches", ["source"], async (trial) => {
    const watcher = trial.watch(trial.source(100).producer).ask(7);
    await trial.arrived(watcher, 7);
    watcher.cancel();
    await trial.quiet();
  }),
  check("RS-1.2", "may have fewer events than were asked for, and ends without another ask", ["source"], (trial) =>
    all(trial, 3, [10]),
  ),
  check("3.4a", "adds asks up that come in one stretch", ["source", "!joins"], async (trial) => {
    const watcher = trial.watch(trial.source(10).producer).ask(1).ask(2).ask(3);
    await trial.arrived(watcher, 6);
    watcher.cancel();
    await trial.quiet();
  }),
  check("RS-3.2", "takes asks from inside the handling of events", ["source"], async (trial) => {
    const watcher = trial.watch(trial.source(6).producer);
    watcher.each = () => void watcher.ask(1);
    watcher.ask(1).ask(1).ask(1);
    await trial.ended(watcher);
    watcher.completed();
    same(trial.values(watcher.received), range(0, 6), "the events");
  }),
  check("RS-3.17a", "takes an ask of Infinity, and further ones", ["source"], (trial) =>
    all(trial, 20, [Number.POSITIVE_INFINITY, 1]),
  ),
  check("RS-3.17b", "takes asks whose sum is past 2^53 - 1", ["source"], (trial) =>
    all(trial, 20, [Number.MAX_SAFE_INTEGER, 1, Number.MAX_SAFE_INTEGER]),
  ),
  check("3.3a", "is paced by a consumer that asks by hand", ["source"], async (trial) => {
    const seen: unknown[] = [];
    const stage = consumer<unknown>((events) => void seen.push(...events), { runtime: trial.runtime });
    const subscription = stage.subscribe(trial.source(10).producer, { demand: "manual" });
    await trial.quiet();
    for (const [ask, total] of [
      [2, 2],
      [3, 5],
    ] as const) {
      subscription.ask(ask);
      // oxlint-disable-next-line no-await-in-loop -- one ask after the other
      if (!trial.can.joins) await trial.until(() => seen.length >= total, `event ${total} to arrive`);
      // oxlint-disable-next-line no-await-in-loop -- one ask after the other
      await trial.quiet();
      if (trial.can.joins) atMost(seen.length, total, "the number of events");
      else same(seen.length, total, "the number of events");
    }
    same(trial.values(seen), range(0, trial.values(seen).length), "the events");
    subscription.cancel();
    await trial.quiet();
  }),
  check("3.7a", "serves a window of one event", ["source"], (trial) => windowed(trial, 20, 1, 0)),
  check("3.7b", "serves a window of two events", ["source"], (trial) => windowed(trial, 20, 2, 1)),
  check("4.7a", "delivers every event once, in order", ["source"], (trial) => windowed(trial, 200, 10, 5)),
  check("5.9a", "is not done before its last event is delivered", ["source", "!joins"], async (trial) => {
    const { producer } = trial.source(5);
    const outcome = trial.outcome(producer.done);
    const watcher = trial.watch(producer).ask(2);
    await trial.arrived(watcher, 2);
    same(outcome.settled, false, "whether done has settled after 2 of 5 events");
    same(watcher.ends.length, 0, "the number of ends after 2 of 5 events");
    watcher.ask(10);
    await trial.ended(watcher);
    await trial.fulfilled(outcome);
    same(trial.values(watcher.received), range(0, 5), "the events");
    same(producer.state, "completed", "the state");
  }),
  check("RS-1.7a", "says nothing after its end, whatever is asked", ["source"], async (trial) => {
    const watcher = trial.watch(trial.source(1).producer).ask(10);
    await trial.ended(watcher);
    watcher.ask(10);
    watcher.cancel();
    await trial.quiet();
    watcher.completed();
    same(trial.values(watcher.received), [0], "the events");
  }),
  check("RS-1.5b", "ends when there is nothing", ["source"], (trial) => all(trial, 0, [1])),
  check("4.3a", "shares its events among consumers that compete, without loss", ["source"], async (trial) => {
    const { producer } = trial.source(50);
    const pair = [0, 1].map(() => trial.collect(producer, { maxDemand: 4 }, true));
    for (const { outcome } of pair) {
      // oxlint-disable-next-line no-await-in-loop -- both have to be waited for
      await trial.fulfilled(outcome, "a consumer's done");
    }
    for (const { seen } of pair)
      same(
        seen,
        seen.toSorted((a, b) => a - b),
        "the events of one consumer",
      );
    same(
      pair.flatMap(({ seen }) => seen).toSorted((a, b) => a - b),
      range(0, 50),
      "the events of both consumers",
    );
  }),
  check("5.6a", "gives a consumer's unstarted events to the next one", ["source", "!joins"], async (trial) => {
    const { producer } = trial.source(10);
    const first = trial.watch(producer);
    const second = trial.watch(producer);
    await trial.arrived(first.ask(4), 4);
    first.cancel(first.received.slice(2));
    second.ask(Number.POSITIVE_INFINITY);
    await trial.ended(second);
    second.completed();
    same(trial.values(second.received), range(2, 10), "the events of the second consumer");
  }),
  check("1.4a", "serves a consumer that comes later", ["source", "!joins"], async (trial) => {
    const { producer } = trial.source(10);
    const early = trial.watch(producer);
    await trial.arrived(early.ask(3), 3);
    const late = trial.watch(producer).ask(Number.POSITIVE_INFINITY);
    await trial.ended(late);
    late.completed();
    early.completed();
    same(trial.values(late.received), range(3, 10), "the events of the later consumer");
  }),
];

/** Checks that only the foreign side can see. */
export const pullChecks: readonly Check[] = [
  check("7.1a", "takes only its read-ahead before the first ask", ["source", "demand"], async (trial) => {
    const { producer, taken } = trial.source(100);
    const count = takenOf(taken);
    const watcher = trial.watch(producer);
    await trial.quiet();
    atMost(count(), trial.can.readAhead, "the number of events taken");
    watcher.cancel();
    await trial.quiet();
  }),
  check("7.1b", "takes no more than the demand and its read-ahead", ["source", "demand", "!joins"], async (trial) => {
    const { producer, taken } = trial.source(100);
    const count = takenOf(taken);
    const watcher = trial.watch(producer);
    for (const [ask, total] of [
      [1, 1],
      [2, 3],
      [3, 6],
    ] as const) {
      watcher.ask(ask);
      // oxlint-disable-next-line no-await-in-loop -- one ask after the other
      await trial.arrived(watcher, total);
      atMost(count(), total + trial.can.readAhead, `the number of events taken for ${total} asked for`);
    }
    watcher.cancel();
    await trial.quiet();
  }),
];
