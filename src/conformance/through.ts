import type { ThroughSubject } from "./adapter.ts";
import { type Check, check, ofThrough } from "./check.ts";
import { atMost, range, same, throwsCode } from "./expect.ts";
import type { Feed, Identity } from "./probes.ts";
import { demandChecks } from "./source-demand.ts";
import type { Outcome, Trial } from "./trial.ts";
import type { Watcher } from "./watcher.ts";

interface Setup extends ThroughSubject {
  readonly feed: Feed;
  readonly probe: Identity;
  readonly watcher: Watcher;
  readonly outcome: Outcome;
}

const DEMAND = 4;

interface Settings {
  readonly count?: number;
  readonly failure?: { readonly error: unknown };
  readonly signal?: AbortSignal;
  readonly set?: Partial<Identity>;
}

/** A transform behind a feed, and a watcher behind it that has not asked. */
function between(trial: Trial, settings: Settings = {}): Setup {
  const { count = trial.many, failure, signal, set } = settings;
  const subject = trial.through(signal ? { signal } : {});
  Object.assign(subject.probe, set);
  const outcome = trial.outcome(subject.stage.done);
  const watcher = trial.watch(subject.stage);
  const feed = trial.feed(count, failure);
  subject.stage.subscribe(feed.source, { maxDemand: DEMAND });
  return { ...subject, feed, watcher, outcome };
}

const everything = Number.POSITIVE_INFINITY;

/** The source is left, once; its rest goes on without a gap, and a running foreign side is released. */
async function isLeft(trial: Trial, { feed, released }: Setup, byItself = false): Promise<void> {
  // A transform that never pushes back took everything before it could leave.
  if (trial.can.capacity >= feed.count && feed.sent === feed.count) return;
  await trial.until(() => feed.left.length > 0, "the source to be left");
  await trial.quiet();
  same(feed.left.length, 1, "how often the source was left");
  if (released && !byItself) same(released(), 1, "the number of releases");
  if (released) atMost(released(), 1, "the number of releases");
  const rest = await trial.rest(feed);
  same(rest, range(feed.count - rest.length, feed.count), "the events that are left in the source");
}

const own: readonly Check[] = [
  check("7.2h", "emits the foreign transform's rest at its end", ["through", "flushes"], async (trial) => {
    const { watcher, outcome } = between(trial, { count: 3, set: { last: [7, 8] } });
    watcher.ask(everything);
    await trial.ended(watcher);
    watcher.completed();
    same(trial.values(watcher.received), [0, 1, 2, 7, 8], "the events");
    await trial.fulfilled(outcome);
  }),
  check("7.2i", "emits the rest behind an empty source", ["through", "flushes"], async (trial) => {
    const { watcher } = between(trial, { count: 0, set: { last: [7] } });
    watcher.ask(everything);
    await trial.ended(watcher);
    watcher.completed();
    same(trial.values(watcher.received), [7], "the events");
  }),
  check("RS-4.2a", "passes the failure of its source on, unasked", ["through"], async (trial) => {
    const error = new Error("source");
    const { watcher, outcome } = between(trial, { count: 0, failure: { error } });
    await trial.ended(watcher);
    watcher.failed(error, true);
    await trial.rejected(outcome, error, true);
  }),
  check("7.2j", "passes the failure of its source on behind events", ["through"], async (trial) => {
    const error = new Error("source");
    const { watcher, outcome } = between(trial, { count: 10, failure: { error } });
    watcher.ask(everything);
    await trial.ended(watcher);
    watcher.failed(error, true);
    same(trial.values(watcher.received), range(0, watcher.received.length), "the events");
    await trial.rejected(outcome, error, true);
  }),
  check("7.2k", "fails with the error of the foreign transform", ["through", "fails"], async (trial) => {
    const error = new Error("foreign");
    const setup = between(trial, { set: { failsAt: 5, error } });
    setup.watcher.ask(10);
    await trial.ended(setup.watcher);
    setup.watcher.failed(error, trial.can.failsByIdentity);
    const values = trial.values(setup.watcher.received);
    same(values, range(0, values.length), "the events");
    atMost(values.length, 5, "the number of events");
    await trial.rejected(setup.outcome, error);
    await isLeft(trial, setup, true);
  }),
  check(
    "7.3e",
    "leaves its source when the foreign transform ends by itself",
    ["through", "endsEarly"],
    async (trial) => {
      const setup = between(trial, { set: { endsAfter: 3 } });
      setup.watcher.ask(10);
      await trial.ended(setup.watcher);
      setup.watcher.completed();
      same(trial.values(setup.watcher.received), range(0, 3), "the events");
      await trial.fulfilled(setup.outcome);
      await isLeft(trial, setup, true);
    },
  ),
  check("3.11a", "takes no more than it is asked for and can hold", ["through"], async (trial) => {
    const { watcher, feed } = between(trial);
    await trial.quiet();
    const most = DEMAND + trial.can.capacity;
    atMost(feed.sent, most, "the number of events taken from the source before the first ask");
    watcher.ask(3);
    await trial.arrived(watcher, 3);
    atMost(feed.sent, most + 3, "the number of events taken from the source for 3 asked for");
    watcher.ask(everything);
    await trial.ended(watcher);
    same(trial.values(watcher.received), range(0, feed.count), "the events");
  }),
  check("5.10a", "leaves its source when its last consumer leaves", ["through"], async (trial) => {
    const setup = between(trial);
    setup.watcher.ask(2);
    await trial.arrived(setup.watcher, 2);
    setup.watcher.cancel();
    await trial.settled(setup.outcome);
    await isLeft(trial, setup);
  }),
  check("5.4h", "stops, and has left its source then", ["through"], async (trial) => {
    const setup = between(trial);
    setup.watcher.ask(2);
    await trial.arrived(setup.watcher, 2);
    await trial.fulfilled(trial.outcome(setup.stage.stop()), "stop()");
    await trial.ended(setup.watcher);
    same(
      setup.watcher.ends.map(({ type }) => type),
      ["stop"],
      "the ends of the subscription",
    );
    await isLeft(trial, setup);
  }),
  check("5.4i", "fails with the reason of a signal that aborts midway", ["through"], async (trial) => {
    const reason = new Error("midway");
    const controller = new AbortController();
    const setup = between(trial, { signal: controller.signal });
    setup.watcher.ask(2);
    await trial.arrived(setup.watcher, 2);
    controller.abort(reason);
    await trial.ended(setup.watcher);
    setup.watcher.failed(reason, true);
    await trial.rejected(setup.outcome, reason, true);
    await isLeft(trial, setup);
  }),
  check("5.4j", "fails with the reason of a signal that aborted before", ["through"], async (trial) => {
    const reason = new Error("before");
    const { stage, probe } = trial.through({ signal: AbortSignal.abort(reason) });
    const outcome = trial.outcome(stage.done);
    const watcher = trial.watch(stage).ask(1);
    await trial.ended(watcher);
    watcher.failed(reason, true);
    await trial.rejected(outcome, reason, true);
    same(probe.seen.length, 0, "the number of events");
  }),
  check("1.1c", "refuses options that it does not know, as a transform", ["through"], async (trial) => {
    throwsCode(() => trial.through({ noSuchOption: true } as never), "ERR_OPTION", "an option that does not exist");
  }),
];

export const throughChecks: readonly Check[] = [...own, ...demandChecks.map(ofThrough)];
