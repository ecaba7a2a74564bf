import type { SourceOptions, SourceSubject } from "../../src/conformance/index.ts";
import {
  type ConsumerPort,
  fromIterable,
  type Producer,
  type ProducerContext,
  type ProducerPort,
  producer,
  type Reason,
} from "../../src/index.ts";
import type { Tally } from "./foreign.ts";

/** What a line of the source adapter below does wrong. */
export type SourceFault =
  | "loses the last event"
  | "swaps two events"
  | "doubles an event"
  | "forgets the end"
  | "ends before the last event"
  | "ends only on the next ask"
  | "forgets the release"
  | "releases twice"
  | "swallows the error"
  | "wraps the error"
  | "takes falsy errors for success"
  | "lets the failure overtake"
  | "delivers one too many"
  | "delivers after a cancel"
  | "ignores demand"
  | "reads ahead"
  | "leaks on abort"
  | "ignores the signal"
  | "resolves done early"
  | "stops before the release"
  | "forgets asks of the same stretch"
  | "ignores an ask inside an event"
  | "takes Infinity for nothing"
  | "throws from a second cancel"
  | "loses what is given back"
  | "takes one more than it delivers"
  | "forgets what it has not pushed when it is left"
  | "takes wrong asks"
  | "lets a failed release go unhandled"
  | "lets a failed release go unhandled, too"
  | "swallows a failed release"
  | "takes unknown options"
  | "takes anything for a source"
  | "waits inside a callback";

/** A source over the queue that a tally is: right, but for one fault. */
export function fromQueue(tally: Tally, given: SourceOptions, fault?: SourceFault): SourceSubject {
  const is = (name: SourceFault): boolean => name === fault;
  const { plan } = tally;

  const release = (): void => {
    if (is("lets a failed release go unhandled, too") && plan.release) void Promise.reject(plan.release.error);
    if (!is("swallows a failed release") && !is("lets a failed release go unhandled")) return tally.release();
    try {
      tally.release();
    } catch (error) {
      if (is("lets a failed release go unhandled")) void Promise.reject(error);
    }
    return undefined;
  };
  const end = (stage: ProducerContext<never>): void => {
    const { failure } = plan;
    if (plan.silent || is("forgets the end")) return;
    if (!failure || is("swallows the error") || (is("takes falsy errors for success") && !failure.error))
      stage.complete();
    else
      stage.fail(is("wraps the error") ? new Error("wrapped", { cause: failure.error }) : failure.error, {
        after: "buffer",
      });
  };

  const behaviour = {
    init(stage: ProducerContext<never>): void {
      if (is("reads ahead") && tally.more) tally.take();
      if (!tally.more && !is("ends only on the next ask")) end(stage);
    },
    handleDemand(demand: number, stage: ProducerContext<never>): Promise<never[]> | undefined {
      if (is("waits inside a callback") && plan.silent) return new Promise(() => {});
      if (is("takes Infinity for nothing") && demand === 10_000) return undefined;
      const over = !tally.more;
      const events: number[] = [];
      while ((events.length < demand || is("ignores demand")) && tally.more) events.push(tally.take());
      if (is("takes one more than it delivers") && plan.count === 100 && tally.taken === demand) tally.take();
      if (is("loses the last event") && !tally.more && events.length > 0) events.pop();
      if (is("swaps two events") && events.length > 1) events.push(...events.splice(-2).toReversed());
      if (is("doubles an event") && events.length > 0) events.push(events[0]!);
      // A chunk at a time: the others wait for the next turn of the event loop, or for ever.
      if (is("forgets what it has not pushed when it is left") && events.length > 128) {
        const rest = events.splice(128);
        later(1, () => {
          if (stage.signal.aborted) return;
          stage.push(rest as never[]);
          if (!tally.more) end(stage);
        });
        stage.push(events as never[]);
        return undefined;
      }
      if (events.length > 0) stage.push(events as never[]);
      if (is("lets the failure overtake") && plan.failure) stage.fail(plan.failure.error);
      if (!tally.more && (over || !is("ends only on the next ask"))) end(stage);
      return undefined;
    },
    terminate(reason: Reason): Promise<void> | undefined {
      if (is("forgets the release") || (is("leaks on abort") && reason.type === "failure")) return undefined;
      if (is("stops before the release")) {
        later(2, () => (tally.released += 1));
        return undefined;
      }
      release();
      if (is("releases twice")) release();
      return undefined;
    },
  };

  const { signal, ...unsignalled } = given;
  const { noSuchOption, ...accepted } = given as SourceOptions & { readonly noSuchOption?: unknown };
  let options: SourceOptions = given;
  if (is("ignores the signal")) options = unsignalled;
  if (is("takes unknown options")) options = accepted;
  void [signal, noSuchOption];
  const stage = producer<unknown, object, unknown, unknown, unknown>(behaviour, {
    onLastCancel: "stop",
    ...options,
  }) as unknown as Producer<unknown>;
  return { producer: onWire(stage, is), taken: () => tally.taken, released: () => tally.released };
}

/** The same producer, with what goes over its links changed. */
function onWire(stage: Producer<unknown>, is: (fault: SourceFault) => boolean): Producer<unknown> {
  const attach = (port: ConsumerPort<unknown>, options: never): ProducerPort => {
    let handling = false;
    let asked = false;
    let ends = 0;
    let inner: ProducerPort | undefined;
    const events = (batch: readonly unknown[]): void => {
      handling = true;
      if (is("ends before the last event") && batch.includes(2)) port.end({ reason: { type: "complete" } });
      port.events(is("delivers one too many") ? [...batch, 99] : batch);
      handling = false;
    };
    const changed: ConsumerPort<unknown> = {
      consumer: port.consumer,
      name: port.name,
      subscription: port.subscription,
      carries: port.carries,
      events,
      end: (message) => port.end(message),
    };
    inner = stage["~attach"](changed, options);
    return {
      ask: (count) => {
        if (is("ignores an ask inside an event") && handling) return;
        if (is("takes wrong asks") && !(count > 0)) return;
        if (is("forgets asks of the same stretch")) {
          if (asked) return;
          asked = true;
          queueMicrotask(() => (asked = false));
        }
        inner.ask(count);
      },
      end: (message) => {
        ends += 1;
        if (is("throws from a second cancel") && ends > 1) throw new Error("cancelled before");
        if (is("delivers after a cancel")) later(14, () => port.events([99]));
        inner.end(is("loses what is given back") ? { reason: message.reason } : message);
      },
    };
  };
  const changed = Object.create(stage) as Producer<unknown>;
  Object.defineProperty(changed, "~attach", { value: attach });
  if (is("resolves done early")) Object.defineProperty(changed, "done", { value: Promise.resolve() });
  return changed;
}

export const refusesQueue = (foreign: unknown, fault?: SourceFault): unknown =>
  fromIterable(fault === "takes anything for a source" ? [] : (foreign as never));

/** Some turns of the event loop later. */
function later(turns: number, run: () => void): void {
  if (turns === 0) run();
  else setImmediate(() => later(turns - 1, run));
}
