import { refuseUnknown, requireInteger, requireType } from "../../base/check.ts";
import { ArgumentError, CallbackError, callbackError, words } from "../../base/errors.ts";
import { errorOf, isFailure } from "../../base/reason.ts";
import { isThenable } from "../../base/thenable.ts";
import type { Reason } from "../../contract/reason.ts";
import type { Opened, Source } from "../../contract/source.ts";
import type { Subscription } from "../../contract/stage.ts";
import type { Step } from "../../contract/step.ts";
import { opened as open } from "../../sources/open.ts";
import { Port, type PortSource } from "../../adapter/index.ts";
import { checkFunction } from "../per-event/per-event.ts";
import { type Setting, makeStep } from "../../adapter/step.ts";
import { closeLate } from "../../sources/close-late.ts";
import { type Attempt, OneAttempt } from "./attempt.ts";
import { Held } from "./held.ts";
import { Pair } from "./pair.ts";

export interface FlatMapAsyncOptions {
  /** Inner sources that are open at a time. **Units** from 1. @default 1 */
  readonly concurrency?: number | undefined;
  /** Whether what comes of an event comes behind what comes of the events before it. @default false above 1 */
  readonly ordered?: boolean | undefined;
}

/** Events of an inner source whose turn has not come. */
const AHEAD = 16;

/** An event that has been begun, and the source that was made of it. */
class Inner<In> {
  readonly event: In;
  readonly attempt = new OneAttempt(1);
  port: InnerPort | undefined;

  constructor(event: In) {
    this.event = event;
  }
}

class InnerPort extends Port {
  readonly #onTurn: () => void;
  /** Asked for and not handed on. **Units** events. */
  outstanding = 0;

  constructor(name: string, producer: PortSource, onTurn: () => void) {
    super(name, producer, Port.options(producer, {}, { maxDemand: AHEAD, demand: "manual" }));
    this.#onTurn = onTurn;
  }

  more(count: number): void {
    if (count <= 0 || this.ended) return;
    this.outstanding += count;
    this.request(count);
  }

  /** All that has arrived. */
  take(): unknown[] {
    const events: unknown[] = [];
    for (let batch = this.arrived.shift(); batch; batch = this.arrived.shift()) events.push(...batch);
    this.outstanding -= events.length;
    this.pending -= events.length;
    return events;
  }

  override turn(): void {
    this.#onTurn();
  }
}

class FlatMapAsync<In, Out> extends Pair<In, Out> {
  readonly #fn: (event: In, attempt: Attempt) => unknown;
  readonly #concurrency: number;
  readonly #ordered: boolean;
  readonly #setting: Setting;
  readonly #held = new Held<In>();
  /** In the order of their events. */
  readonly #open = new Set<Inner<In>>();
  #pumping = false;
  #again = false;

  constructor(fn: (event: In, attempt: Attempt) => unknown, concurrency: number, ordered: boolean, setting: Setting) {
    super();
    this.#fn = fn;
    this.#concurrency = concurrency;
    this.#ordered = ordered;
    this.#setting = setting;
  }

  override get working(): boolean {
    return this.#open.size > 0;
  }

  get empty(): boolean {
    return this.#open.size === 0 && this.#held.size === 0;
  }

  take(events: readonly In[], subscription: Subscription): void {
    this.#held.push(events, subscription);
    this.pump();
  }

  /** Inner sources may answer within an ask: what they change is looked at once more. */
  pump(): void {
    this.#again = true;
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#again && !this.over) {
      this.#again = false;
      this.#emit();
      while (this.#open.size < this.#concurrency && this.#held.size > 0 && !this.over) this.#start();
      this.#askInner();
    }
    this.#pumping = false;
    this.checkEmpty();
    if (!this.begun || this.over || this.asks.closed || this.output.demand === 0) return;
    this.asks.ask(this.#concurrency - this.#open.size - this.#held.size - this.asks.outstanding);
  }

  giveBack(): void {
    for (const [subscription, rest] of this.#held.takeAll()) this.input.giveBack(subscription, rest);
  }

  override finish(reason: Reason): undefined {
    const begun = [...this.#open];
    this.#close(isFailure(reason) ? errorOf(reason) : undefined);
    // A failure of its own has told of them already.
    if (begun.length > 0) this.output.discard(begun.map(({ event }) => event) as never);
    return undefined;
  }

  #start(): void {
    const [event] = this.#held.take(1) as [In];
    const inner = new Inner(event);
    this.#open.add(inner);
    let opened: unknown;
    try {
      opened = this.#fn(event, inner.attempt);
    } catch (error) {
      this.#fail(inner, error);
      return;
    }
    if (!isThenable(opened)) this.#attach(inner, opened);
    else
      Promise.resolve(opened).then(
        (source) => this.#arrived(inner, source),
        (error: unknown) => {
          if (!inner.attempt.over) this.#fail(inner, error);
          else if (!inner.attempt.gaveUp(error)) this.input.report(error, "flatMapAsync");
        },
      );
  }

  #arrived(inner: Inner<In>, opened: unknown): void {
    this.#attach(inner, opened);
    this.pump();
  }

  #attach(inner: Inner<In>, opened: unknown): void {
    const { name, runtime, onReport } = this.#setting;
    const given = opened as Partial<PortSource & Iterable<unknown> & AsyncIterable<unknown>> | null | undefined;
    if (inner.attempt.over) {
      if (typeof given?.[Symbol.asyncIterator] === "function" && given["~attach"] === undefined)
        void closeLate(given as AsyncIterable<unknown>, (error) => this.input.report(error, "flatMapAsync"));
      return;
    }
    try {
      const producer = open(opened as Source<unknown>, { name: `${name} inner`, runtime, onReport }) as PortSource;
      const port = new InnerPort(name, producer, () => this.pump());
      port.open();
      inner.port = port;
    } catch (error) {
      this.#fail(inner, error instanceof ArgumentError ? this.#noSource(error, inner.event) : error);
    }
  }

  #noSource({ message }: Error, event: In): Error {
    const expected = `step ${this.#setting.index} (flatMapAsync) of ${this.#setting.name} to return a source or a promise of one`;
    return new CallbackError({ code: "ERR_RESULT", expected, got: words(`what is none (${message})`) }, [event]);
  }

  /** Passes on what has come: in order of the first inner source only. */
  #emit(): void {
    for (const inner of this.#open) {
      const { port } = inner;
      if (port) {
        const events = port.take();
        if (events.length > 0 && !this.output.answer(events as Out[])) this.output.discard(events as Out[]);
        const { reason } = port;
        if (reason) {
          port.told();
          if (isFailure(reason)) {
            this.#fail(inner, errorOf(reason), true);
            return;
          }
          this.#open.delete(inner);
          continue;
        }
      }
      if (this.#ordered) return;
    }
  }

  #askInner(): void {
    const { demand } = this.output;
    const share = this.#ordered ? demand : Math.max(1, Math.floor(demand / Math.max(1, this.#open.size)));
    let first = true;
    for (const { port } of this.#open) {
      const most = !this.#ordered || first ? share : AHEAD;
      first = false;
      if (port === undefined || demand === 0) continue;
      if (2 * port.outstanding <= most) port.more(most - port.outstanding);
    }
  }

  /** What an inner source fails with passes as it is. */
  #fail(inner: Inner<In>, cause: unknown, asItIs = false): void {
    const { name, index } = this.#setting;
    const { event } = inner;
    const events = [...this.#open].map((other) => other.event);
    const where = { stage: name, callback: "handleEvents", step: "flatMapAsync", index, event };
    const error = asItIs && Object(cause) !== cause ? cause : callbackError(where, cause, events);
    this.#close(error);
    this.fail(error);
  }

  #close(reason: unknown): void {
    for (const { port, attempt } of this.#open) {
      attempt.abort(reason);
      port?.leave({ type: "cancel" });
    }
    this.#open.clear();
  }
}

/**
 * Passes on all that comes of each event: of an iterable, an async iterable, a producer, or a promise of one.
 *
 * **Shape** none, one or many out for one in. With a `concurrency` of 1 one inner source behind the other; above that the
 * events of several as they come, or `ordered`.
 * **Units** `concurrency` in inner sources that are open at a time, 1 by default.
 * **Backpressures** it takes an event only when one can be opened, and asks an inner source only as it is asked: for its share
 * of what is wanted, 1 at least. `ordered` above 1 opens ahead, and holds 16 events of each inner source whose turn has not
 * come. Events begun are never more than `concurrency`.
 * **Completes** when its source and all inner sources have; a failure of the source comes behind them; so does `drain`.
 * **Cancels** at a stop, an abort or a failure: inner sources are left, and their signals abort; events that were not begun go
 * back to the source, those that were go to `onDiscard`, or are told with the failure.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no function, or no such option. When `fn` or an inner source fails, the step
 * fails with that, behind what it has passed on; with a CallbackError `ERR_RESULT` when `fn` returns no source.
 *
 * **Source** rules 8.2, 8.8.
 *
 * @example
 * const pages = async (book: string) => [`${book} 1`, `${book} 2`];
 * const { done } = pipeline(fromIterable(["a", "b"]), flatMapAsync(pages), collect());
 * console.log(await done); // [ 'a 1', 'a 2', 'b 1', 'b 2' ]
 */
export function flatMapAsync<In, Out>(
  fn: (event: In, attempt: Attempt) => Opened<Out>,
  options: FlatMapAsyncOptions = {},
): Step<In, Out> {
  checkFunction("flatMapAsync", fn);
  refuseUnknown("flatMapAsync", options, ["concurrency", "ordered"]);
  requireInteger("concurrency", options.concurrency, 1);
  requireType("ordered", options.ordered, "boolean");
  const { concurrency = 1, ordered = concurrency === 1 } = options;
  return makeStep<In, Out>("flatMapAsync", (setting) =>
    new FlatMapAsync<In, Out>(fn, concurrency, ordered, setting).make(setting),
  );
}
