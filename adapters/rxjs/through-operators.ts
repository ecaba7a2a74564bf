import { defaultDispatcher } from "../../src/dispatchers/demand.ts";
import { makeStage, producerConsumerFaces } from "../../src/stage/make-stage.ts";
import type { NoOptions } from "../../src/contract/dispatcher.ts";
import { argumentError } from "../../src/base/errors.ts";
import type { EmittingContext } from "../../src/stage/faces.ts";
import type {
  Overflow,
  ProducerConsumer,
  ProducerContext,
  ProducerOptions,
  Reason,
  Role,
  SubscribeOptionsOf,
  Subscription,
} from "../../src/index.ts";
import { requireType } from "../../src/base/check.ts";
import { unread } from "../../src/adapter/unread.ts";
import { Inflow } from "./inflow.ts";
import { InstalledClass } from "./installed.ts";
import type {
  AnyObservableClass,
  InstalledObservable,
  ObservableLike,
  SubscribableLike,
  SubscriberLike,
  ValueOf,
} from "./like.ts";
import { isSubscribable, subscribableOf } from "./receiver.ts";

export interface ThroughOperatorsOptions<in Out, in out SO extends object = NoOptions>
  extends ProducerOptions<Out, SO> {
  /**
   * The class of the Observable that the chain is given: RxJS 9's `ColdObservable`, the platform's `Observable`.
   * @default that of the RxJS which is installed
   */
  readonly Observable?: AnyObservableClass | undefined;
}

const coreOf = (context: object): EmittingContext["~core"] => (context as EmittingContext)["~core"];

/** What comes out while something goes in is the stage's answer to that; what comes later is pushed. */
class ChainInflow<Out> extends Inflow<Out> {
  answer: Out[] | undefined;
  /** Called when the chain has ended. */
  onEnd: (() => void) | undefined;

  override error(error: unknown): void {
    super.error(error);
    this.onEnd?.();
  }

  override complete(): void {
    super.complete();
    this.onEnd?.();
  }

  override next(value: Out): void {
    if (this.answer === undefined) super.next(value);
    else if (!this.closed) this.answer.push(value);
  }
}

/** Feeds a chain of operators batch by batch. */
class OperatorStage<In, Out> {
  readonly #result: ObservableLike<Out>;
  readonly #bufferSize: number;
  readonly #overflow: Overflow;
  readonly #signal: AbortSignal | undefined;
  #inflow: ChainInflow<Out> | undefined;
  /** Who listens to the Observable that the chain was given: nearly always one. */
  readonly #listeners: SubscriberLike<In>[] = [];
  /** Somebody has listened. */
  #fed = false;
  #inputOver = false;
  /** A batch that came before the chain has listened. */
  #early: { readonly events: readonly In[]; readonly subscription: Subscription } | undefined;
  #wake: (() => void) | undefined;

  constructor(
    chain: (source: SubscribableLike<In>) => ObservableLike<Out>,
    Class: AnyObservableClass,
    { bufferSize = 10_000, overflow = "throw", signal }: ProducerOptions<Out>,
  ) {
    this.#bufferSize = bufferSize;
    this.#overflow = overflow;
    this.#signal = signal;
    this.#result = chain(new Class(this.#onListen));
    if (!isSubscribable(subscribableOf(this.#result)))
      throw argumentError("ERR_NOT_SOURCE", "a chain of operators to answer with an Observable", this.#result);
  }

  readonly handleSubscribe = (role: Role, _subscription: unknown, context: ProducerContext<Out>): void => {
    if (role === "consumer") this.#open(context);
  };

  readonly handleEvents = (
    events: readonly In[],
    subscription: Subscription,
    context: ProducerContext<Out>,
  ): Out[] | Promise<Out[]> => {
    const inflow = this.#open(context);
    inflow.send();
    if (this.#fed || inflow.closed) return this.#feed(inflow, events, subscription, context);
    this.#early = { events, subscription };
    return this.#listened().then(() => this.#feedEarly(inflow, context));
  };

  readonly handleEnd = (context: ProducerContext<Out>): Out[] | "later" => {
    const inflow = this.#open(context);
    inflow.send();
    this.#inputOver = true;
    const out: Out[] = [];
    inflow.answer = out;
    for (const listener of this.#listeners.slice()) listener.complete();
    inflow.answer = undefined;
    if (inflow.closed) return out;
    if (out.length > 0) coreOf(context).answer(out);
    return "later";
  };

  readonly terminate = (reason: Reason, context: ProducerContext<Out>): void => {
    this.#inputOver = true;
    this.#inflow?.end(reason, this.#signal?.aborted === true);
    if (this.#early) unread(context, this.#early.subscription, this.#early.events);
    this.#early = undefined;
    this.#wake?.();
  };

  #feedEarly(inflow: ChainInflow<Out>, context: ProducerContext<Out>): Out[] {
    const early = this.#early;
    this.#early = undefined;
    return early ? this.#feed(inflow, early.events, early.subscription, context) : [];
  }

  #feed(
    inflow: ChainInflow<Out>,
    events: readonly In[],
    subscription: Subscription,
    context: ProducerContext<Out>,
  ): Out[] {
    const listeners = this.#listeners;
    const out: Out[] = [];
    let at = 0;
    inflow.answer = out;
    try {
      for (; at < events.length && listeners.length > 0 && !inflow.closed && !this.#signal?.aborted; at += 1) {
        const event = events[at] as In;
        if (listeners.length === 1) (listeners[0] as SubscriberLike<In>).next(event);
        else for (const listener of listeners.slice()) listener.next(event);
      }
    } finally {
      inflow.answer = undefined;
    }
    // The chain has had enough, though something may still come out of it.
    if (listeners.length === 0 || inflow.closed) context.complete();
    unread(context, subscription, events.slice(at));
    return out;
  }

  #open(context: ProducerContext<Out>): ChainInflow<Out> {
    if (this.#inflow) return this.#inflow;
    const inflow = new ChainInflow<Out>(context as unknown as EmittingContext, this.#bufferSize, this.#overflow);
    this.#inflow = inflow;
    // A batch that waits for a chain which has ended goes back.
    inflow.onEnd = () => this.#wake?.();
    inflow.listen(subscribableOf(this.#result));
    return inflow;
  }

  /** Fulfils when the chain listens to its source, or will not any more. */
  #listened(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  readonly #onListen = (listener: SubscriberLike<In>): (() => void) => {
    const leave = (): void => {
      const at = this.#listeners.indexOf(listener);
      if (at >= 0) this.#listeners.splice(at, 1);
    };
    listener.addTeardown?.(leave);
    this.#fed = true;
    if (this.#inputOver) listener.complete();
    else this.#listeners.push(listener);
    this.#wake?.();
    return leave;
  };
}

/**
 * Makes a stage of a chain of RxJS operators: a function from an Observable to an Observable, such as `pipe` of RxJS 7
 * answers with.
 *
 * **Shape** what comes out of the chain while a batch goes in is one batch; what comes out later (`delay`, `mergeMap` of
 * promises) is collected by turns. The chain is subscribed to once, when the first consumer has subscribed.
 * **Units** `bufferSize` in events, 10 000 unless given.
 * **Backpressures** it takes input while its consumers want events. A chain cannot be asked: what it keeps to itself is not
 * counted, and what it says later is buffered; beyond `bufferSize` the policy `overflow` (`"throw"`) applies.
 * **Completes** with the chain. The chain's source completes when the stage's has; a chain that has had enough (`take`)
 * leaves the sources, which get back what it was not fed; one that listens again later (`retry` or `repeat` with a delay)
 * finds its input over. **Cancels** by unsubscribing when its last consumer has left.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: the chain answers with no Observable; `ERR_OPTION`, `ERR_RANGE`: wrong options. What the
 * chain fails with fails the stage by identity, behind what came out before; the events behind the one that did it go
 * back. A failure of the stage's source fails the stage, and is not seen by the chain. The stage fails with an
 * `OverflowError` when the policy is `"throw"` and the buffer is full.
 *
 * **Source** rules 7.1 to 7.3.
 *
 * @example
 * import { map, pairwise, pipe } from "rxjs";
 * const steps = throughOperators(pipe(pairwise<number>(), map(([a, b]) => b - a)));
 * steps.subscribe(fromIterable([1, 4, 9, 16]));
 * for await (const step of steps) console.log(step); // 3, 5, 7
 */
export function throughOperators<In, Out, SO extends object = NoOptions>(
  chain: (source: InstalledObservable<In>) => ObservableLike<Out>,
  options?: ThroughOperatorsOptions<Out, SO> & { readonly Observable?: undefined },
): ProducerConsumer<In, Out, SubscribeOptionsOf<SO, Out>>;
export function throughOperators<Source extends SubscribableLike<unknown>, Out, SO extends object = NoOptions>(
  chain: (source: Source) => ObservableLike<Out>,
  options: ThroughOperatorsOptions<Out, SO> & { readonly Observable: AnyObservableClass },
): ProducerConsumer<ValueOf<Source>, Out, SubscribeOptionsOf<SO, Out>>;
export function throughOperators(
  chain: (source: never) => ObservableLike<unknown>,
  options: ThroughOperatorsOptions<never> = {},
): unknown {
  const { Observable: Class = InstalledClass, ...rest } = options;
  if (typeof chain !== "function") throw argumentError("ERR_NOT_SOURCE", "a chain of operators", chain);
  requireType("Observable", Class, "function");
  const behaviour = new OperatorStage(chain as never, Class, rest);
  return makeStage(producerConsumerFaces, "producerConsumer", behaviour, rest, {
    onLastCancel: "stop",
    dispatcher: defaultDispatcher,
  });
}
