import { source } from "../adapter/source.ts";
import { requireInteger, requireMember, requireOptions, refuseUnknown } from "../base/check.ts";
import { Deque } from "../base/deque.ts";
import { argumentError, words } from "../base/errors.ts";
import { errorOf, isFailure } from "../base/reason.ts";
import type { SourceBehaviour, SourceContext } from "../contract/adapter.ts";
import type { NoOptions, SubscribeOptionsOf } from "../contract/dispatcher.ts";
import type { FailOptions, ProducerOptions } from "../contract/options.ts";
import type { Reason } from "../contract/reason.ts";
import type { Task } from "../contract/runtime.ts";
import type { Producer } from "../contract/stage.ts";

export interface QueueOptions<in Out, in out SO extends object = NoOptions> extends ProducerOptions<Out, SO> {
  /** Held besides what has been asked for. **Units** events, from 1. @default 1000 */
  readonly size?: number | undefined;
}

/** The side of a queue that takes events. All of it works detached. */
export interface Offers<in Out> {
  /**
   * Waits for room, first come first served, and resolves with true once the event is taken; with false if it never will be,
   * after `complete()` or `drain()`: the event then goes to `onDiscard`.
   *
   * @throws ArgumentError `ERR_ENDED`, by rejection: the queue has been stopped, or has failed. `signal.reason`: it was to wait
   * no longer, and the event was not taken.
   */
  readonly offer: (event: Out, options?: { readonly signal?: AbortSignal | undefined }) => Promise<boolean>;
  /** Takes the event if there is room now. Otherwise returns false, and the event stays the caller's. Throws `ERR_ENDED`. */
  readonly tryOffer: (event: Out) => boolean;
  /** No more events: offers that wait are taken still, what is held goes out, then the queue completes. */
  readonly complete: () => void;
  /** Ends the queue at once with a failure; `after: "buffer"` delivers what is held first. */
  readonly fail: (error: unknown, options?: FailOptions) => void;
}

export interface Queue<in out Out, SO extends object = NoOptions> extends Producer<Out, SO>, Offers<Out> {}

/** An offer that waits for room. */
class Waiting<Out> {
  readonly event: Out;
  readonly #settle: PromiseWithResolvers<boolean> = Promise.withResolvers();
  readonly #signal: AbortSignal | undefined;
  readonly #withdraw: (waiting: Waiting<Out>) => void;

  constructor(event: Out, signal: AbortSignal | undefined, withdraw: (waiting: Waiting<Out>) => void) {
    this.event = event;
    this.#signal = signal;
    this.#withdraw = withdraw;
    signal?.addEventListener("abort", this);
  }

  get taken(): Promise<boolean> {
    return this.#settle.promise;
  }

  /** The signal has aborted. */
  handleEvent(): void {
    this.#withdraw(this);
    this.reject(this.#signal?.reason);
  }

  resolve(taken: boolean): void {
    this.#signal?.removeEventListener("abort", this);
    this.#settle.resolve(taken);
  }

  reject(error: unknown): void {
    this.#signal?.removeEventListener("abort", this);
    this.#settle.reject(error);
  }
}

const yes = Promise.resolve(true);
const no = Promise.resolve(false);

class QueueSource<Out> implements SourceBehaviour<Out>, Task {
  readonly #size: number;
  readonly #held = new Deque<Out>();
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting<Out>>();
  #stage!: SourceContext<Out>;
  /** `complete()` was called. */
  #closed = false;
  /** Nothing is taken any more. */
  #over = false;
  /** What an offer is refused with, once the stage has ended badly. */
  #ended: unknown;

  constructor(size: number) {
    this.#size = size;
  }

  get held(): number {
    return this.#held.size;
  }

  begin(stage: SourceContext<Out>): void {
    this.#stage = stage;
  }

  handleDemand(): void {
    this.run();
  }

  /** What it has asked for comes no longer: the next handleDemand is for what the others want. */
  handleCancel(_reason: Reason, _subscription: unknown, stage: SourceContext<Out>): void {
    stage.askAgain();
  }

  /** `complete()` lets in those who wait; `drain()` does not. */
  handleEnd(): Out[] {
    this.#over = true;
    const last = this.#take(this.#held.size);
    for (const waiting of this.#waiting) {
      if (this.#closed) last.push(waiting.event);
      else this.#stage.discard([waiting.event]);
      waiting.resolve(this.#closed);
    }
    this.#waiting.clear();
    return last;
  }

  terminate(reason: Reason): void {
    const held = this.#take(this.#held.size);
    if (held.length > 0) this.#stage.discard(held);
    if (reason.type !== "complete") {
      const cause = isFailure(reason) ? errorOf(reason) : undefined;
      this.#ended = argumentError("ERR_ENDED", "", words(`${this.#stage.name}, which has ended`), cause);
    }
    this.#over = true;
    for (const waiting of this.#waiting) waiting.reject(this.#ended);
    this.#waiting.clear();
  }

  offer(event: Out, signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#over || this.#closed) {
      this.#stage.discard([event]);
      return no;
    }
    if (this.#accept(event)) return yes;
    const waiting = new Waiting(event, signal, (one) => this.#waiting.delete(one));
    this.#waiting.add(waiting);
    return waiting.taken;
  }

  tryOffer(event: Out): boolean {
    if (this.#ended !== undefined) throw this.#ended;
    return !this.#over && !this.#closed && this.#accept(event);
  }

  complete(): void {
    if (this.#over || this.#closed) return;
    this.#closed = true;
    this.#stage.complete();
  }

  fail(error: unknown, options?: FailOptions): void {
    if (options?.after === "buffer" && !this.#over) this.#stage.answer(this.#take(this.#held.size));
    this.#stage.fail(error, options);
  }

  /** A turn: events offered in one stretch go out together. */
  run(): void {
    if (this.#over) return;
    for (const waiting of this.#waiting) {
      if (this.#room <= 0) break;
      this.#waiting.delete(waiting);
      this.#held.push(waiting.event);
      waiting.resolve(true);
    }
    const count = Math.min(this.#stage.demand, this.#held.size);
    if (count > 0) this.#stage.answer(this.#take(count));
  }

  #accept(event: Out): boolean {
    if (this.#waiting.size > 0 || this.#room <= 0) return false;
    this.#held.push(event);
    if (this.#held.size === 1 && this.#stage.demand > 0) this.#stage.runtime.schedule(this);
    return true;
  }

  get #room(): number {
    return this.#size + this.#stage.demand - this.#held.size;
  }

  #take(count: number): Out[] {
    const taken: Out[] = [];
    for (let i = 0; i < count; i += 1) taken.push(this.#held.shift() as Out);
    return taken;
  }
}

/**
 * Makes a producer to push events into, by hand and with back-pressure.
 *
 * **Shape** the events offered, in order; those of one stretch in one batch.
 * **Units** `size` in events, 1000 by default: so many are held besides what has been asked for.
 * **Backpressures** `offer` waits for room; `tryOffer` returns false.
 * **Completes** after `complete()`, behind what is held and the offers that wait. At `drain` what is held goes out; offers that
 * wait resolve with false, and their events go to `onDiscard`. **Cancels** when its last consumer leaves, unless
 * `onLastCancel: "continue"`: what is held goes to `onDiscard`, offers that wait reject with `ERR_ENDED`.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no such option. `ERR_ENDED`: an offer to a queue that was stopped, or failed.
 *
 * **Source** rules 5.9, 7.1 to 7.3.
 *
 * @example
 * const jobs = queue<string>({ size: 2 });
 * const running = pipeline(jobs, map((job) => job.toUpperCase()), collect());
 * const { offer } = jobs;
 * for (const job of ["a", "b", "c"]) await offer(job);
 * jobs.complete();
 * console.log(await running); // [ 'A', 'B', 'C' ]
 */
export function queue<Out, SO extends object = NoOptions>(
  options: QueueOptions<Out, SO> = {},
): Queue<Out, SubscribeOptionsOf<SO, Out>> {
  requireOptions("queue", options, ["size"]);
  const { size = 1000 } = options;
  requireInteger("size", options.size, 1);
  const behaviour = new QueueSource<Out>(size);
  const stage = source<Out, SO>(behaviour, options, { name: "queue", own: ["size"] });
  const handle = Object.getPrototypeOf(stage) as object;
  const offers: Offers<Out> = {
    offer: (event, given = {}) => {
      refuseUnknown("offer", given, ["signal"]);
      requireMember("signal", given.signal, "an AbortSignal", "aborted", "boolean");
      return behaviour.offer(event, given.signal);
    },
    tryOffer: (event) => behaviour.tryOffer(event),
    complete: () => behaviour.complete(),
    fail: (error, given) => behaviour.fail(error, given),
  };
  for (const [name, value] of Object.entries(offers)) Object.defineProperty(stage, name, { value });
  Object.defineProperty(stage, "bufferedCount", {
    get: () => (Reflect.get(handle, "bufferedCount", stage) as number) + behaviour.held,
  });
  return stage as Queue<Out, SubscribeOptionsOf<SO, Out>>;
}
