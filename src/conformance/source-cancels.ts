import type { SourceSubject } from "./adapter.ts";
import { type Check, check } from "./check.ts";
import { atMost, ensure, NotApplicable, range, same } from "./expect.ts";
import type { Trial } from "./trial.ts";
import type { Watcher } from "./watcher.ts";

/** A source of 100 events of which two are taken. */
async function begun(trial: Trial, more?: object): Promise<SourceSubject & { readonly watcher: Watcher }> {
  const subject = trial.source(100, more);
  const watcher = trial.watch(subject.producer).ask(2);
  await trial.arrived(watcher, 2);
  return { ...subject, watcher };
}

/** The foreign side was released once, and no more events are taken from it. */
async function isReleased(trial: Trial, { taken, released }: SourceSubject): Promise<void> {
  if (released) await trial.until(() => released() > 0, "the foreign side to be released");
  await trial.quiet();
  const before = taken?.();
  await trial.quiet();
  same(taken?.(), before, "the number of events taken after the release");
  if (released) same(released(), 1, "the number of releases");
}

async function leaveLoop(trial: Trial, subject: SourceSubject): Promise<unknown[]> {
  const iterator = subject.producer.events({ maxDemand: 2 });
  const seen: unknown[] = [];
  while (seen.length < 3) {
    const next = trial.outcome(iterator.next());
    // oxlint-disable-next-line no-await-in-loop -- one pull after the other
    await trial.fulfilled(next, "the next element of a loop");
    const { done, value } = next.value as IteratorResult<unknown>;
    if (done) break;
    seen.push(value);
    if (trial.can.joins) break;
  }
  await trial.fulfilled(trial.outcome(iterator.return?.() ?? Promise.resolve()), "the return of a loop");
  return seen;
}

export const cancelChecks: readonly Check[] = [
  check("7.3b", "lets the foreign side go when its last consumer leaves", ["source"], async (trial) => {
    const subject = await begun(trial);
    const outcome = trial.outcome(subject.producer.done);
    subject.watcher.cancel();
    await trial.fulfilled(outcome);
    await isReleased(trial, subject);
  }),
  check("RS-3.7", "is cancelled once, however often it is said", ["source"], async (trial) => {
    const subject = await begun(trial);
    for (let i = 0; i < 3; i += 1) subject.watcher.cancel();
    await isReleased(trial, subject);
  }),
  check("RS-1.8c", "is cancelled before the first ask", ["source"], async (trial) => {
    const { producer, taken, released } = trial.source(100);
    const outcome = trial.outcome(producer.done);
    const watcher = trial.watch(producer);
    watcher.cancel();
    await trial.fulfilled(outcome);
    await trial.quiet();
    same(watcher.received.length, 0, "the number of events");
    if (released) atMost(released(), 1, "the number of releases");
    if (taken && trial.can.demand) atMost(taken(), trial.can.readAhead, "the number of events taken");
  }),
  check("RS-1.8a", "delivers nothing after a cancel inside an event", ["source", "!joins"], async (trial) => {
    const subject = trial.source(20);
    const watcher = trial.watch(subject.producer);
    watcher.each = () => {
      if (watcher.received.length === 3) watcher.cancel();
    };
    watcher.ask(15);
    await isReleased(trial, subject);
    same(trial.values(watcher.received), range(0, 3), "the events");
  }),
  check("RS-3.6", "ignores asks after a cancel, wrong ones, too", ["source"], async (trial) => {
    const subject = await begun(trial);
    const { watcher } = subject;
    const before = watcher.received.length;
    watcher.cancel();
    await trial.quiet();
    watcher.ask(1).ask(1);
    watcher.askWrongly(-1);
    await isReleased(trial, subject);
    same(watcher.received.length, before, "the number of events");
  }),
  check("3.2a", "ends a subscription with a failure when it is asked wrongly", ["source"], async (trial) => {
    for (const count of [-1, 1.5, Number.NaN]) {
      const watcher = trial.watch(trial.source(10).producer);
      watcher.askWrongly(count);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await trial.ended(watcher);
      const [reason] = watcher.ends;
      const code = reason?.type === "failure" ? (reason.error as { readonly code?: unknown }).code : undefined;
      same(code, "ERR_ASK_SIGNAL", `the code of the failure after an ask of ${count}`);
    }
  }),
  check("5.6b", "puts back or reports events that reach no consumer", ["source", "!joins"], async (trial) => {
    const { producer, putBack } = trial.source(10);
    const outcome = trial.outcome(producer.done);
    const watcher = trial.watch(producer).ask(4);
    await trial.arrived(watcher, 4);
    watcher.cancel(watcher.received.slice(2));
    await trial.fulfilled(outcome);
    await trial.quiet();
    const back = trial.values([...trial.discarded, ...(putBack?.() ?? [])]);
    same(back.slice(0, 2), [2, 3], "the first events that were put back or reported");
    same(back, range(2, 2 + back.length), "the events that were put back or reported");
  }),
  check("5.6d", "loses nothing that it took when it is left", ["source", "demand", "!joins"], async (trial) => {
    const subject = trial.source(100);
    const { producer, taken, putBack } = subject;
    if (!taken) throw new NotApplicable("the source tells no taken()");
    const outcome = trial.outcome(producer.done);
    const watcher = trial.watch(producer);
    watcher.each = () => watcher.cancel();
    watcher.ask(5);
    await trial.fulfilled(outcome);
    await trial.quiet();
    const known = [...watcher.received, ...trial.discarded, ...(putBack?.() ?? [])];
    same(trial.values(known), range(0, known.length), "the events that were delivered, put back or reported");
    atMost(taken() - known.length, trial.can.readAhead, "the number of events that were taken and lost");
  }),
  check("5.6f", "loses nothing of a large demand that it took", ["source", "demand", "!joins"], async (trial) => {
    const count = 2000;
    if (trial.values([trial.codec.encode(count - 1)])[0] !== count - 1)
      throw new NotApplicable(`events do not stand for numbers up to ${count}`);
    for (const how of ["cancel", "stop", "abort"]) {
      const controller = new AbortController();
      const { signal } = controller;
      const discarded = trial.discarded.length;
      const { producer, taken, putBack } = trial.source(count, { signal });
      if (!taken) throw new NotApplicable("the source tells no taken()");
      const outcome = trial.outcome(producer.done);
      const watcher = trial.watch(producer);
      watcher.each = () => {
        if (watcher.received.length !== 5) return;
        if (how === "abort") controller.abort(new Error("midway"));
        else if (how === "stop") void producer.stop();
        // Events it has not looked at go back with the end.
        watcher.cancel();
      };
      watcher.ask(1000);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await trial.settled(outcome);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await trial.quiet();
      const known = [...watcher.received, ...trial.discarded.slice(discarded), ...(putBack?.() ?? [])];
      same(trial.values(known), range(0, known.length), "the events that were delivered, put back or reported");
      atMost(taken() - known.length, trial.can.readAhead, `the number of events that were lost by a ${how}`);
    }
  }),
  check("3.8a", "is left by a loop that ends early", ["source"], async (trial) => {
    const subject = trial.source(100);
    const outcome = trial.outcome(subject.producer.done);
    const seen = trial.values(await leaveLoop(trial, subject));
    ensure(seen.length > 0, "a loop to see events", seen);
    same(seen, range(0, seen.length), "the events that a loop saw");
    await trial.fulfilled(outcome);
    await isReleased(trial, subject);
  }),
  check("5.4b", "fails with the reason of a signal that aborted before", ["source"], async (trial) => {
    const reason = new Error("before");
    const { producer, taken, released } = trial.source(100, { signal: AbortSignal.abort(reason) });
    const outcome = trial.outcome(producer.done);
    const watcher = trial.watch(producer).ask(5);
    await trial.ended(watcher);
    watcher.failed(reason, true);
    await trial.rejected(outcome, reason, true);
    same(watcher.received.length, 0, "the number of events");
    if (taken && trial.can.demand) atMost(taken(), trial.can.readAhead, "the number of events taken");
    if (released) atMost(released(), 1, "the number of releases");
  }),
  check("5.4c", "fails with the reason of a signal that aborts midway", ["source"], async (trial) => {
    const reason = new Error("midway");
    const controller = new AbortController();
    const subject = await begun(trial, { signal: controller.signal });
    const outcome = trial.outcome(subject.producer.done);
    controller.abort(reason);
    await trial.ended(subject.watcher);
    subject.watcher.failed(reason, true);
    await trial.rejected(outcome, reason, true);
    await isReleased(trial, subject);
  }),
  check("5.4d", "has let the foreign side go when stop() resolves", ["source"], async (trial) => {
    const subject = await begun(trial);
    const { producer, released, watcher } = subject;
    let then: number | undefined;
    const stopped = trial.outcome(producer.stop().then(() => (then = released?.())));
    await trial.fulfilled(stopped, "stop()");
    if (released) same(then, 1, "the number of releases when stop() resolves");
    await trial.ended(watcher);
    same(
      watcher.ends.map(({ type }) => type),
      ["stop"],
      "the ends of the subscription",
    );
    await isReleased(trial, subject);
    same(producer.state, "stopped", "the state");
  }),
  check("5.1a", "is stopped once, however often it is said", ["source"], async (trial) => {
    const subject = await begun(trial);
    const stops = [0, 1].map(() => trial.outcome(subject.producer.stop()));
    for (const stop of stops) {
      // oxlint-disable-next-line no-await-in-loop -- both have to be waited for
      await trial.fulfilled(stop, "stop()");
    }
    subject.watcher.cancel();
    await trial.fulfilled(trial.outcome(subject.producer.stop()), "a later stop()");
    await isReleased(trial, subject);
  }),
  check("7.3c", "reports an error in the release of the foreign side", ["failedRelease"], async (trial) => {
    const error = new Error("release");
    const { producer } = trial.keep(trial.adapter.failedRelease!(error, trial.sourceOptions()));
    const outcome = trial.outcome(producer.done);
    const watcher = trial.watch(producer).ask(2);
    await trial.arrived(watcher, 2);
    watcher.cancel();
    await trial.fulfilled(outcome);
    await trial.quiet();
    same(trial.reports.length, 1, "the number of reports");
    if (trial.can.failsByIdentity) {
      const [report] = trial.reports;
      const cause = (report as { readonly cause?: unknown }).cause;
      ensure(report === error || cause === error, "the report to be or to carry the error", report);
    }
  }),
];
