import { defaultDispatcher } from "../../src/dispatchers/demand.ts";
import { makeStage, producerFaces } from "../../src/stage/make-stage.ts";
import type { NoOptions } from "../../src/contract/dispatcher.ts";
import { argumentError, ProtocolError, words } from "../../src/base/errors.ts";
import type { Producer, ProducerOptions, Reason, SubscribeOptionsOf, Task } from "../../src/index.ts";
import { addDemand } from "../../src/base/demand.ts";
import { isFailure } from "../../src/base/reason.ts";
import type { Core } from "../../src/stage/core.ts";
import { coreOf } from "./core.ts";
import type { Publisher, Subscriber, Subscription } from "./like.ts";

/** Requests what is asked for; collects what comes in one stretch, and delivers it as one batch. */
class PublisherSource<Out> implements Subscriber<Out>, Task {
  readonly #publisher: Publisher<Out>;
  readonly #signal: AbortSignal | undefined;
  #core!: Core;
  #subscribed = false;
  #subscription: Subscription | undefined;
  /** Asked for before there is a subscription. */
  #wanted = 0;
  /** Requested and not come. */
  #due = 0;
  #batch: Out[] = [];
  #scheduled = false;
  /** How the publisher has ended, or was found to break the protocol. */
  #end: { readonly failed: boolean; readonly error?: unknown } | undefined;
  /** The end is passed on, or nobody is interested any more. */
  #over = false;

  constructor(publisher: Publisher<Out>, signal: AbortSignal | undefined) {
    this.#publisher = publisher;
    this.#signal = signal;
  }

  start(core: Core): void {
    this.#core = core;
  }

  readonly handleDemand = (demand: number): void => {
    if (this.#subscription) this.#request(demand);
    else this.#wanted = addDemand(this.#wanted, demand);
  };

  readonly handleSubscribe = (): void => {
    if (this.#subscribed) return;
    this.#subscribed = true;
    try {
      this.#publisher.subscribe(this);
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly terminate = (reason: Reason): void => {
    const rest = this.#batch;
    const ended = this.#over || this.#end !== undefined;
    this.#over = true;
    this.#batch = [];
    if (rest.length > 0) {
      const cause = isFailure(reason) ? (this.#signal?.aborted ? "abort" : "failure") : "stop";
      this.#core.outcome.discard(rest, cause, this.#core.outlets.size === 0);
    }
    if (!ended) this.#cancel();
  };

  /** A turn behind what came in one stretch. */
  run(): void {
    this.#scheduled = false;
    const batch = this.#batch;
    this.#batch = [];
    const end = this.#end;
    if (batch.length > 0 && !this.#core.answer(batch)) {
      // A stage that takes no more asks for no more.
      if (!this.#over && end === undefined) this.#cancel();
      this.#over = true;
      this.#core.outcome.discard(batch, "stop", this.#core.outlets.size === 0);
    }
    if (this.#over || end === undefined) return;
    this.#over = true;
    if (!end.failed) this.#core.ends.complete(true);
    // With nothing held there is nothing to wait for.
    else if (this.#core.output?.held === 0) this.#core.ends.fail(end.error);
    else this.#core.ends.fail(end.error, { after: "buffer" });
  }

  readonly onSubscribe = (subscription: Subscription): void => {
    const given = subscription as Partial<Subscription> | null | undefined;
    if (typeof given?.request !== "function" || typeof given.cancel !== "function") {
      const error = argumentError("ERR_NOT_SOURCE", "a Subscription with request and cancel", subscription);
      this.#fail(error);
      throw error;
    }
    // A second one is turned away, and so is one that comes too late.
    if (this.#subscription !== undefined || this.#over || this.#end !== undefined) {
      this.#leave(subscription);
      return;
    }
    this.#subscription = subscription;
    if (this.#wanted > 0) this.#request(this.#wanted);
  };

  readonly onNext = (event: Out): void => {
    if (this.#over || this.#end !== undefined) return;
    if (this.#due === 0) {
      this.#fail(new ProtocolError("ERR_OVERDELIVERY", "0", words("1 more")));
      this.#core.outcome.discard([event], "failure");
      return;
    }
    this.#due -= 1;
    this.#batch.push(event);
    this.#wake();
  };

  readonly onError = (error: unknown): void => {
    if (this.#end === undefined && !this.#over) {
      this.#end = { failed: true, error };
      this.#wake();
    } else if (this.#core.outcome.error !== error) this.#core.report.tell(error, "onError");
  };

  readonly onComplete = (): void => {
    if (this.#over || this.#end !== undefined) return;
    this.#end = { failed: false };
    this.#wake();
  };

  #request(count: number): void {
    if (this.#over || this.#end !== undefined) return;
    this.#due = addDemand(this.#due, count);
    try {
      this.#subscription?.request(count);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The publisher has broken the protocol: it is left, and the stage fails behind what came before. */
  #fail(error: unknown): void {
    if (this.#over || this.#end !== undefined) return;
    this.#end = { failed: true, error };
    this.#cancel();
    this.#wake();
  }

  #cancel(): void {
    if (this.#subscription) this.#leave(this.#subscription);
  }

  #leave(subscription: Subscription): void {
    try {
      subscription.cancel();
    } catch (error) {
      this.#core.report.tell(error, "cancel");
    }
  }

  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#core.runtime.schedule(this);
  }
}

/**
 * Makes a producer of a Reactive Streams Publisher.
 *
 * **Shape** one event per `onNext`, `null` and `undefined` included, in order. What comes in one stretch is one batch.
 * **Units** demand in events: what is asked for is requested, 10 000 at a time at most.
 * **Backpressures** exactly: nothing is requested that was not asked for, and nothing is buffered.
 * **Completes** and fails with the Publisher, behind the events that came before. It is subscribed to when the first consumer
 * has subscribed. **Cancels** its subscription when the last consumer has left, or at `stop`.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Publisher; `ERR_OPTION`, `ERR_RANGE`: wrong options. The stage fails with a
 * `ProtocolError` when more comes than was requested, with what `subscribe` or `request` throws, and with a TypeError when
 * `onSubscribe` is given no Subscription, which it throws, too. A second failure, and what `cancel` throws, go to `onReport`.
 *
 * **Source** rules 7.1 to 7.3; Reactive Streams 2.1 to 2.13.
 *
 * @example
 * const numbers = toPublisher(fromIterable([1, 2, 3]));
 * for await (const n of fromPublisher(numbers)) console.log(n); // 1, 2, 3
 */
export function fromPublisher<Out, SO extends object = NoOptions>(
  publisher: Publisher<Out>,
  options: ProducerOptions<Out, SO> = {},
): Producer<Out, SubscribeOptionsOf<SO, Out>> {
  if (typeof (publisher as Partial<Publisher<Out>> | null | undefined)?.subscribe !== "function")
    throw argumentError("ERR_NOT_SOURCE", "a Publisher", publisher);
  const source = new PublisherSource<Out>(publisher, options.signal);
  const stage = makeStage(producerFaces, "producer", source, options, {
    onLastCancel: "stop",
    dispatcher: defaultDispatcher,
  });
  source.start(coreOf(stage));
  return stage as Producer<Out, SubscribeOptionsOf<SO, Out>>;
}
