import { type Check, check } from "./check.ts";
import { atMost, ensure, range, same, show, throwsCode } from "./expect.ts";
import type { Trial } from "./trial.ts";

async function failsWith(trial: Trial, error: unknown, after: number): Promise<void> {
  const { producer } = trial.failedSource(error, after);
  const outcome = trial.outcome(producer.done);
  const watcher = trial.watch(producer).ask(10);
  await trial.ended(watcher);
  watcher.failed(error, trial.can.failsByIdentity);
  same(trial.values(watcher.received), range(0, after), "the events");
  await trial.rejected(outcome, error);
  same(producer.state, "failed", "the state");
}

export const endChecks: readonly Check[] = [
  check("7.2a", "ends behind its last event, unasked", ["source", "endsUnasked"], async (trial) => {
    const watcher = trial.watch(trial.source(3).producer).ask(3);
    await trial.ended(watcher);
    watcher.completed();
    same(trial.values(watcher.received), range(0, 3), "the events");
  }),
  check("RS-1.5a", "ends at the latest when it is asked for more than there is", ["source"], async (trial) => {
    const watcher = trial.watch(trial.source(3).producer);
    for (let i = 0; i < 4; i += 1) {
      watcher.ask(1);
      // oxlint-disable-next-line no-await-in-loop -- one ask after the other
      await trial.quiet();
    }
    await trial.ended(watcher);
    watcher.completed();
    same(trial.values(watcher.received), range(0, 3), "the events");
  }),
  check("RS-1.5c", "ends without an ask when there is nothing", ["source", "endsUnasked"], async (trial) => {
    const watcher = trial.watch(trial.source(0).producer);
    await trial.ended(watcher);
    watcher.completed();
  }),
  check("1.5a", "tells later consumers of its end", ["source"], async (trial) => {
    const { producer } = trial.source(1);
    await trial.ended(trial.watch(producer).ask(10));
    const late = trial.watch(producer).ask(1);
    await trial.ended(late);
    late.completed();
    same(late.received.length, 0, "the number of events of the later consumer");
  }),
  check("7.3a", "releases the foreign side at most once when it ends by itself", ["source"], async (trial) => {
    const { producer, released } = trial.source(3);
    const watcher = trial.watch(producer).ask(10);
    await trial.ended(watcher);
    watcher.cancel();
    await producer.stop();
    await trial.quiet();
    if (released) atMost(released(), 1, "the number of releases");
  }),
  check("RS-1.4a", "fails at once when the foreign side does, without an event", ["failedSource"], (trial) =>
    failsWith(trial, new Error("at once"), 0),
  ),
  check("7.2b", "fails behind the events that came before, by identity", ["failedSource"], (trial) =>
    failsWith(trial, new Error("behind 3"), 3),
  ),
  check("7.2c", "does not let its failure overtake events", ["failedSource", "!joins"], async (trial) => {
    const error = new Error("behind 3");
    const watcher = trial.watch(trial.failedSource(error, 3).producer).ask(1);
    await trial.arrived(watcher, 1);
    same(watcher.ends.length, 0, "the number of ends after 1 of 3 events");
    watcher.ask(10);
    await trial.ended(watcher);
    watcher.failed(error, trial.can.failsByIdentity);
    same(trial.values(watcher.received), range(0, 3), "the events");
  }),
  check(
    "RS-1.4e",
    "takes undefined, null, 0 and an empty string for failures",
    ["failedSource", "failsWithAnything"],
    async (trial) => {
      for (const error of [undefined, null, 0, ""]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await failsWith(trial, error, 1);
      }
    },
  ),
  check("RS-1.7b", "says nothing after its failure, whatever is asked", ["failedSource"], async (trial) => {
    const error = new Error("final");
    const { producer } = trial.failedSource(error, 1);
    const watcher = trial.watch(producer).ask(10);
    await trial.ended(watcher);
    watcher.ask(10);
    watcher.cancel();
    await producer.stop();
    await trial.quiet();
    watcher.failed(error, trial.can.failsByIdentity);
    same(trial.values(watcher.received), [0], "the events");
  }),
  check("1.5b", "tells later consumers of its failure", ["failedSource"], async (trial) => {
    const error = new Error("known");
    const { producer } = trial.failedSource(error, 1);
    await trial.ended(trial.watch(producer).ask(10));
    const late = trial.watch(producer).ask(1);
    await trial.ended(late);
    late.failed(error, trial.can.failsByIdentity);
    same(late.received.length, 0, "the number of events of the later consumer");
  }),
  check("1.1a", "refuses options that it does not know", ["source"], async (trial) => {
    throwsCode(() => trial.source(1, { noSuchOption: true } as never), "ERR_OPTION", "an option that does not exist");
  }),
  check("1.3a", "refuses things it cannot adapt", ["refuses"], async (trial) => {
    for (const foreign of [undefined, null, 5, true, {}])
      throwsCode(() => trial.adapter.refuses?.(foreign), "ERR_NOT_SOURCE", `an adapter of ${show(foreign)}`);
  }),
  check("7.1c", "handles calls while the foreign side is silent", ["silentSource"], async (trial) => {
    const { producer } = trial.keep(trial.adapter.silentSource!(trial.sourceOptions()));
    const watcher = trial.watch(producer).ask(5);
    await trial.quiet();
    const answer = trial.outcome(producer.call(() => "here"));
    await trial.fulfilled(answer, "a call");
    same(answer.value, "here", "the result of a call");
    watcher.cancel();
    await trial.quiet();
  }),
  check("5.4a", "stops while the foreign side says nothing", ["silentSource"], async (trial) => {
    const { producer, released } = trial.keep(trial.adapter.silentSource!(trial.sourceOptions()));
    const watcher = trial.watch(producer).ask(5);
    await trial.quiet();
    await trial.fulfilled(trial.outcome(producer.stop()), "stop()");
    await trial.ended(watcher);
    ensure(watcher.ends[0]?.type === "stop", "the subscription to end with a stop", watcher.ends[0]);
    if (released) same(released(), 1, "the number of releases");
  }),
];
