import type {
  ProducerConsumer,
  ProducerOptions,
  Reason,
  Role,
  SubscribeOptionsOf,
  Subscription,
} from "../../src/index.ts";
import {
  type NoOptions,
  refuse,
  requireType,
  type SourceContext,
  transform,
  type TransformBehaviour,
} from "../../src/adapter/index.ts";
import { InstalledClass } from "./installed.ts";
import { isSubscribable, offered, subscribableOf } from "./interop.ts";
import type {
  AnyObservableClass,
  InstalledObservable,
  ObservableLike,
  SubscribableLike,
  SubscriberLike,
  ValueOf,
} from "./like.ts";
import { Receiver } from "./receiver.ts";

export interface ThroughOperatorsOptions<in Out, in out SO extends object = NoOptions>
  extends ProducerOptions<Out, SO> {
  /** The class of the chain's Observable. @default the installed RxJS's */
  readonly Observable?: AnyObservableClass | undefined;
}

/** Output during the input is the stage's result; later output is collected. */
class ChainReceiver<Out> extends Receiver<Out> {
  result: Out[] | undefined;
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
    if (this.result === undefined) super.next(value);
    else if (!this.closed) this.result.push(value);
  }
}

/** Feeds a chain of operators batch by batch. */
class OperatorStage<In, Out> implements TransformBehaviour<In, Out> {
  readonly #result: ObservableLike<Out>;
  readonly #options: ProducerOptions<Out>;
  readonly #signal: AbortSignal | undefined;
  #receiver!: ChainReceiver<Out>;
  #opened = false;
  /** The listeners of the chain's source: nearly always one. */
  readonly #listeners: SubscriberLike<In>[] = [];
  /** It has had a listener. */
  #fed = false;
  #inputOver = false;
  /** A batch that came before the chain listened. */
  #early: { readonly events: readonly In[]; readonly subscription: Subscription } | undefined;
  #wake: (() => void) | undefined;

  constructor(
    chain: (source: SubscribableLike<In>) => ObservableLike<Out>,
    Class: AnyObservableClass,
    options: ProducerOptions<Out>,
  ) {
    this.#options = options;
    this.#signal = options.signal;
    this.#result = chain(offered(new Class(this.#onListen)));
    if (!isSubscribable(subscribableOf(this.#result)))
      refuse("ERR_NOT_SOURCE", "a chain of operators to return an Observable", this.#result);
  }

  begin(stage: SourceContext<Out>): void {
    const { overflow = "throw", bufferSize } = this.#options;
    this.#receiver = new ChainReceiver<Out>(stage, { overflow, bufferSize });
    // A batch waiting for an ended chain goes back.
    this.#receiver.onEnd = () => this.#wake?.();
  }

  handleSubscribe(role: Role): void {
    if (role === "consumer") this.#open();
  }

  handleEvents(events: readonly In[], subscription: Subscription, stage: SourceContext<Out>): Out[] | Promise<Out[]> {
    const receiver = this.#open();
    receiver.collector.send();
    if (this.#fed || receiver.closed) return this.#feed(events, subscription, stage);
    this.#early = { events, subscription };
    return this.#listened().then(() => this.#feedEarly(stage));
  }

  handleEnd(stage: SourceContext<Out>): Out[] | "later" {
    const receiver = this.#open();
    receiver.collector.send();
    this.#inputOver = true;
    const out: Out[] = [];
    receiver.result = out;
    for (const listener of this.#listeners.slice()) listener.complete();
    receiver.result = undefined;
    if (receiver.closed) return out;
    if (out.length > 0) stage.answer(out);
    return "later";
  }

  terminate(reason: Reason, stage: SourceContext<Out>): void {
    this.#inputOver = true;
    this.#receiver.end(reason);
    if (this.#early) stage.giveBack(this.#early.subscription, this.#early.events);
    this.#early = undefined;
    this.#wake?.();
  }

  #feedEarly(stage: SourceContext<Out>): Out[] {
    const early = this.#early;
    this.#early = undefined;
    return early ? this.#feed(early.events, early.subscription, stage) : [];
  }

  #feed(events: readonly In[], subscription: Subscription, stage: SourceContext<Out>): Out[] {
    const receiver = this.#receiver;
    const listeners = this.#listeners;
    const out: Out[] = [];
    let at = 0;
    receiver.result = out;
    try {
      for (; at < events.length && listeners.length > 0 && !receiver.closed && !this.#signal?.aborted; at += 1) {
        const event = events[at] as In;
        if (listeners.length === 1) (listeners[0] as SubscriberLike<In>).next(event);
        else for (const listener of listeners.slice()) listener.next(event);
      }
    } finally {
      receiver.result = undefined;
    }
    // The chain has had enough, though it may still emit.
    if (listeners.length === 0 || receiver.closed) stage.complete();
    if (at < events.length) stage.giveBack(subscription, events.slice(at));
    return out;
  }

  /** Subscribes to the chain's Observable, once. */
  #open(): ChainReceiver<Out> {
    const receiver = this.#receiver;
    if (this.#opened) return receiver;
    this.#opened = true;
    receiver.collector.open(() => receiver.listen(subscribableOf(this.#result)));
    return receiver;
  }

  /** Resolves once the chain listens to its source, or never will. */
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
 * Makes a stage of a chain of RxJS operators, a function from an Observable to an Observable.
 *
 * **Shape** the output of a batch makes one batch; later output (`delay`, `mergeMap` of promises) is collected by
 * turns. The chain is subscribed to once, with the first consumer.
 * **Units** `bufferSize` in events, 10 000 unless given.
 * **Backpressures** takes input while its consumers want events. The chain's contents have no bound; its later output
 * is buffered, and beyond `bufferSize` the policy `overflow` (`"throw"`) applies.
 * **Completes** with the chain, whose source completes with the stage's. A chain that has had enough (`take`) leaves
 * the sources, which get the rest back; one that listens again later (`repeat`) finds its input over.
 * **Cancels** by unsubscribing when its last consumer leaves.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: the chain returns no Observable; `ERR_OPTION`, `ERR_RANGE`. An error of the
 * chain fails the stage by identity, behind earlier output; events behind the failing one go back. A failing source
 * fails the stage, unseen by the chain, and a full buffer with an `OverflowError` under `"throw"`.
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
  const { Observable: Class = InstalledClass } = options;
  if (typeof chain !== "function") refuse("ERR_NOT_SOURCE", "a chain of operators", chain);
  requireType("Observable", Class, "function");
  return transform(new OperatorStage(chain as never, Class, options), options, {
    own: ["Observable"],
    pushes: true,
  });
}
