import { failureOf } from "../base/failure.ts";
import { type Check, check } from "./check.ts";
import { atMost, ensure, NotApplicable, range, same, throwsCode } from "./expect.ts";
import type { Feed, Held } from "./probes.ts";
import type { Outcome, Trial } from "./trial.ts";

interface Setup {
  readonly feed: Feed;
  readonly probe: Held;
  readonly outcome: Outcome;
  readonly stop: () => PromiseLike<void>;
  readonly cancel: () => void;
}

const DEMAND = 4;

interface Settings {
  readonly count?: number;
  readonly failure?: { readonly error: unknown };
  readonly maxDemand?: number;
  readonly signal?: AbortSignal;
  readonly set?: (probe: Held) => void;
}

/** A sink behind a feed. */
function fed(trial: Trial, settings: Settings = {}): Setup {
  const { count = trial.many, failure, maxDemand = DEMAND, signal, set } = settings;
  const { consumer, probe } = trial.sink(signal ? { signal } : {});
  set?.(probe);
  const feed = trial.feed(count, failure);
  const outcome = trial.outcome(consumer.done);
  const subscription = consumer.subscribe(feed.source, { maxDemand });
  return { feed, probe, outcome, stop: () => consumer.stop(), cancel: () => subscription.cancel() };
}

/** The foreign sink, if it has an end, was told of one of either kind, once. */
function told(trial: Trial, { ended, failures }: Held): void {
  if (trial.can.ends) same(ended + failures.length, 1, "the number of ends that were told");
}

/** The foreign sink, if it has an end, was told a good one, once. */
function finished(trial: Trial, { ended }: Held): void {
  same(ended, trial.can.ends ? 1 : 0, "the number of ends");
}

/** The source is left, once, unless the foreign sink never pushes back and took everything before. */
async function left(trial: Trial, { sent, count, left: reasons }: Feed): Promise<void> {
  const tookAll = trial.can.capacity >= count && sent === count;
  if (!tookAll) await trial.until(() => reasons.length > 0, "the source to be left");
  await trial.quiet();
  if (reasons.length > 0 || !tookAll) same(reasons.length, 1, "how often the source was left");
}

/** Large enough to show how a sink treats the rest of a batch. */
const MUCH = 1000;

/** The batch in hand, by the error's record. */
const eventsOf = (error: unknown): readonly unknown[] => failureOf(error)?.events ?? [];

/** Of `count` events, those the foreign sink has not seen are with the source, or in the error's record. */
async function accounted(trial: Trial, { feed, probe, outcome }: Setup, count: number): Promise<void> {
  const rest = await trial.rest(feed);
  const reported = trial.values([...[outcome.value, ...trial.reports].flatMap(eventsOf), ...feed.discarded]);
  const known = new Set([...probe.seen, ...rest, ...reported]);
  const lost = range(0, count).filter((n) => !known.has(n));
  const seen = new Set(probe.seen);
  same(
    rest.filter((n) => seen.has(n)),
    [],
    "the events that were seen and given back",
  );
  same(rest, range(count - rest.length, count), "the events that are left in the source");
  // Events the foreign sink has taken and not worked on are its own.
  ensure(lost.length < trial.can.capacity, `no event to be lost, or fewer than ${trial.can.capacity}`, lost);
}

/** Events neither seen by the foreign sink nor in the stage's hand are with the source, and none twice. */
async function kept(trial: Trial, { feed, probe }: Setup): Promise<void> {
  same(probe.seen, range(0, probe.seen.length), "the events the foreign sink saw");
  await left(trial, feed);
  const rest = await trial.rest(feed);
  const first = feed.count - rest.length;
  same(rest, range(first, feed.count), "the events that are left in the source");
  ensure(first >= probe.seen.length, "no event to be seen and given back", first);
  atMost(first - probe.seen.length, trial.can.capacity + DEMAND / 2, "the number of events that are lost");
}

export const sinkChecks: readonly Check[] = [
  check("4.7b", "passes every event on once, in order, then the end", ["sink"], async (trial) => {
    const { probe, outcome } = fed(trial, { count: 50 });
    await trial.fulfilled(outcome);
    await trial.quiet();
    same(probe.seen, range(0, 50), "the events");
    finished(trial, probe);
    same(probe.failures.length, 0, "the number of failures");
  }),
  check("3.7c", "takes events one at a time", ["sink"], async (trial) => {
    const { probe, outcome } = fed(trial, { count: 20, maxDemand: 1 });
    await trial.fulfilled(outcome);
    same(probe.seen, range(0, 20), "the events");
  }),
  check("7.2d", "is done when the end has been taken, not before", ["sink", "ends", "endWaits"], async (trial) => {
    const { probe, outcome } = fed(trial, { count: 3, set: (sink) => void (sink.holdsEnd = true) });
    await trial.until(() => probe.ended > 0, "the end to be passed on");
    await trial.quiet();
    same(outcome.settled, false, "whether done has settled before the end was taken");
    same(probe.seen, range(0, 3), "the events before the end");
    probe.release();
    await trial.fulfilled(outcome);
    same(probe.ended, 1, "the number of ends");
  }),
  check("7.2e", "passes on the end of an empty source", ["sink", "ends"], async (trial) => {
    const { probe, outcome } = fed(trial, { count: 0 });
    await trial.fulfilled(outcome);
    same([probe.seen.length, probe.ended], [0, 1], "the numbers of events and ends");
  }),
  check("7.2f", "passes the failure of its source on", ["sink"], async (trial) => {
    const error = new Error("source");
    const { probe, outcome } = fed(trial, { count: 3, failure: { error } });
    await trial.rejected(outcome, error, true);
    if (trial.can.ends) await trial.until(() => probe.failures.length > 0, "the foreign sink to be told");
    await trial.quiet();
    if (trial.can.ends && trial.can.failsByIdentity) same(probe.failures, [error], "the failures");
    same(probe.ended, 0, "the number of ends");
    same(probe.seen, range(0, probe.seen.length), "the events");
  }),
  check("7.2g", "fails with the error of the foreign sink's end", ["sink", "ends", "endWaits"], async (trial) => {
    const error = new Error("end");
    const set = (sink: Held): void => void Object.assign(sink, { failsAtEnd: true, error });
    const { outcome } = fed(trial, { count: 3, set });
    await trial.rejected(outcome, error);
  }),
  check("RS-2.1a", "asks for no more than the foreign sink takes", ["sink"], async (trial) => {
    const { capacity } = trial.can;
    const { probe, feed, outcome } = fed(trial, { set: (sink) => void (sink.held = true) });
    await trial.until(() => probe.seen.length > 0, "the first event");
    await trial.quiet();
    atMost(feed.sent, DEMAND + capacity, "the number of events taken from the source");
    atMost(probe.most, capacity, "the number of events under way in the foreign sink");
    if (capacity < feed.count) same(outcome.settled, false, "whether done has settled");
    probe.release();
    await trial.fulfilled(outcome);
    atMost(probe.most, capacity, "the number of events under way in the foreign sink");
    same(probe.seen, range(0, feed.count), "the events");
  }),
  check("7.3d", "fails with the error of the foreign sink, and leaves its source", ["sink", "fails"], async (trial) => {
    const error = new Error("foreign");
    const { outcome, feed } = fed(trial, { set: (sink) => void Object.assign(sink, { failsAt: 5, error }) });
    await trial.rejected(outcome, error);
    await left(trial, feed);
  }),
  check("5.6c", "gives unstarted events back when the foreign sink fails", ["sink", "fails"], async (trial) => {
    const error = new Error("foreign");
    const setup = fed(trial, { set: (sink) => void Object.assign(sink, { failsAt: 5, error }) });
    await trial.settled(setup.outcome);
    await kept(trial, setup);
  }),
  check(
    "5.6e",
    "loses no event but the one in hand when the foreign sink fails in a large batch",
    ["sink", "fails"],
    async (trial) => {
      const count = 2 * MUCH;
      // Numbers that the foreign system cannot tell apart cannot be traced.
      if (!trial.tells(count)) throw new NotApplicable(`events do not stand for numbers up to ${count}`);
      const error = new Error("foreign");
      for (const failsAt of [5, MUCH / 2, MUCH + 203]) {
        const set = (sink: Held): void => void Object.assign(sink, { failsAt, error });
        const setup = fed(trial, { count, maxDemand: MUCH, set });
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await trial.settled(setup.outcome);
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await accounted(trial, setup, count);
      }
    },
  ),
  check("5.7a", "ends the foreign sink when its subscription is cancelled", ["sink"], async (trial) => {
    const setup = fed(trial, { set: (sink) => void (sink.held = true) });
    await trial.until(() => setup.probe.seen.length > 0, "the first event");
    setup.cancel();
    setup.probe.release();
    await trial.fulfilled(setup.outcome);
    await trial.quiet();
    told(trial, setup.probe);
    await kept(trial, setup);
  }),
  check("5.4e", "has ended the foreign sink when stop() resolves", ["sink"], async (trial) => {
    const setup = fed(trial, { set: (sink) => void (sink.held = true) });
    await trial.until(() => setup.probe.seen.length > 0, "the first event");
    const stopped = trial.outcome(setup.stop());
    setup.probe.release();
    await trial.fulfilled(stopped, "stop()");
    told(trial, setup.probe);
    await trial.fulfilled(setup.outcome);
    await kept(trial, setup);
  }),
  check("5.4f", "fails with the reason of a signal that aborts midway", ["sink"], async (trial) => {
    const reason = new Error("midway");
    const controller = new AbortController();
    const set = (sink: Held): void => void Object.assign(sink, { held: true, each: () => controller.abort(reason) });
    const setup = fed(trial, { signal: controller.signal, set });
    const { probe, outcome } = setup;
    await trial.until(() => probe.seen.length > 0, "the first event");
    await trial.quiet();
    probe.release();
    await trial.rejected(outcome, reason, true);
    await trial.quiet();
    told(trial, probe);
    if (trial.can.ends && trial.can.failsByIdentity) same(probe.failures, [reason], "the failures that were told");
    await kept(trial, setup);
  }),
  check("5.4g", "fails with the reason of a signal that aborted before", ["sink"], async (trial) => {
    const reason = new Error("before");
    const { consumer, probe } = trial.sink({ signal: AbortSignal.abort(reason) });
    await trial.rejected(trial.outcome(consumer.done), reason, true);
    await trial.quiet();
    same(probe.seen.length, 0, "the number of events");
    same(probe.ended, 0, "the number of ends");
  }),
  check("5.3a", "ends when the last of its sources has", ["sink"], async (trial) => {
    const { consumer, probe } = trial.sink();
    const outcome = trial.outcome(consumer.done);
    for (const count of [3, 20]) consumer.subscribe(trial.feed(count).source, { maxDemand: 4 });
    await trial.fulfilled(outcome);
    same(
      probe.seen.toSorted((a, b) => a - b),
      [...range(0, 3), ...range(0, 20)].toSorted((a, b) => a - b),
      "the events",
    );
    finished(trial, probe);
  }),
  check("5.9b", "confirms a good end of its source, once, behind the last event", ["sink"], async (trial) => {
    for (const count of [20, 0]) {
      const { consumer, probe } = trial.sink();
      const feed = trial.wireFeed(count, () => probe.seen.length);
      const outcome = trial.outcome(consumer.done);
      consumer.subscribe(feed.source, { maxDemand: DEMAND });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await trial.fulfilled(outcome);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await trial.quiet();
      feed.confirmed();
    }
  }),
  check("1.1b", "refuses options that it does not know, as a sink", ["sink"], async (trial) => {
    throwsCode(() => trial.sink({ noSuchOption: true } as never), "ERR_OPTION", "an option that does not exist");
  }),
];
