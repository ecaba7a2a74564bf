import type { Dispatcher, DispatcherInspection, DispatcherLink, OptionsOfEvent } from "../contract/dispatcher.ts";
import { argumentError, callbackError, words } from "../base/errors.ts";
import { requireType, requireInteger, refuseUnknown, requireOneOf } from "../base/check.ts";
import { requireNeeded } from "../base/needed.ts";
import type { Lag } from "../contract/options.ts";
import { addDemand } from "../base/demand.ts";
import { Heap, type Placed } from "../base/heap.ts";

export interface BroadcastDispatcherOptions {
  /** Consumers subscribed together before anything is requested. From 1. @default 1 */
  readonly startAfter?: number | undefined;
}
export interface BroadcastSubscribeOptions<in Event> {
  /** Selects the events to deliver, by returning true; the others cost no demand. */
  readonly selector?: ((event: Event) => boolean) | undefined;
  /**
   * How far this consumer may lag behind the others, without holding them up. Where all consumers may, the fastest paces.
   * @default it holds them up
   */
  readonly lag?: Lag | undefined;
}
/** `BroadcastSubscribeOptions`, generic in the event. */
export interface BroadcastOptions extends OptionsOfEvent {
  readonly options: BroadcastSubscribeOptions<this["event"]>;
}

interface Entry<Event> extends Placed {
  readonly link: DispatcherLink;
  /** The position at which this consumer joined. */
  readonly from: number;
  readonly selector: ((event: Event) => boolean) | undefined;
  /** Whether it may lag behind. */
  readonly lags: boolean;
  /** The position up to which this consumer can be served: where it joined, plus its demand. */
  until: number;
}

const slower = (a: Placed & { readonly until: number }, b: typeof a): boolean => a.until < b.until; // M47
const faster = (a: Placed & { readonly until: number }, b: typeof a): boolean => a.until > b.until;

class BroadcastDispatcher<Event> implements Dispatcher<Event, BroadcastOptions> {
  readonly queued = 0;
  readonly options: readonly string[] = ["selector", "lag"];
  readonly #entries = new Map<DispatcherLink, Entry<Event>>();
  readonly #consumers = new Set<object>();
  /** Of consumers that hold the others up, the one that can be served least far stands first. */
  readonly #slowest = new Heap<Entry<Event>>(slower);
  /** Of those that may lag behind, the one that can be served farthest. */
  readonly #fastest = new Heap<Entry<Event>>(faster);
  readonly #startAfter: number;
  #started = false;
  /** Events sent so far: the position that all consumers share. */
  #sent = 0;

  constructor(startAfter: number) {
    this.#startAfter = startAfter;
  }

  get wanted(): number {
    const pacing = this.#slowest.first ?? this.#fastest.first;
    return this.#started && pacing ? Math.max(0, pacing.until - this.#sent) : 0;
  }

  subscribe(link: DispatcherLink, options: BroadcastSubscribeOptions<Event>): void {
    requireType("selector", options.selector, "function");
    const lags = checkLag(options.lag);
    if (this.#consumers.has(link.consumer)) throw argumentError("ERR_DUPLICATE", "", words(link.name));
    const entry = { link, selector: options.selector, lags, from: this.#sent, until: this.#sent, at: -1 };
    this.#entries.set(link, entry);
    this.#consumers.add(link.consumer);
    (lags ? this.#fastest : this.#slowest).raise(entry);
    this.#started ||= this.#entries.size >= this.#startAfter;
  }

  ask(link: DispatcherLink, count: number): void {
    const entry = this.#entries.get(link);
    if (entry?.lags) {
      entry.until = Math.max(entry.until, this.#sent);
      this.#extend(entry, link.catchUp?.(count) ?? count);
    } else if (entry) this.#extend(entry, count);
  }

  cancel(link: DispatcherLink): void {
    const entry = this.#entries.get(link);
    if (!entry) return;
    this.#entries.delete(link);
    this.#consumers.delete(link.consumer);
    (entry.lags ? this.#fastest : this.#slowest).remove(entry);
  }

  /** The others have these events already. */
  giveBack(): void {}

  dispatch(events: readonly Event[]): number {
    const taken = Math.min(events.length, this.wanted);
    if (taken === 0) return 0;
    const batch = taken === events.length ? events : events.slice(0, taken);
    this.#sent += taken;
    for (const entry of this.#entries.values()) {
      // A consumer that joined meanwhile gets the next events.
      if (entry.from === this.#sent) continue; // M48
      if (entry.selector) this.#select(entry, entry.selector, batch);
      else entry.link.deliver(batch);
    }
    return taken;
  }

  inspect(): DispatcherInspection {
    return { type: "broadcast", heldBy: this.#heldBy() };
  }

  #heldBy(): readonly string[] {
    const entries = Array.from(this.#entries.values());
    if (!this.#started) return [`startAfter: ${entries.length} of ${this.#startAfter} consumers`];
    if (entries.length < 2 || this.wanted > 0) return [];
    return entries.filter(({ until, lags }) => until === this.#sent && !lags).map(({ link }) => link.name);
  }

  #select(entry: Entry<Event>, selector: (event: Event) => boolean, batch: readonly Event[]): void {
    let selected: readonly Event[];
    try {
      selected = batch.filter((event) => selector(event));
    } catch (cause) {
      this.cancel(entry.link);
      entry.link.fail(callbackError({ stage: entry.link.name, callback: "selector" }, cause, batch));
      return;
    }
    const passed = batch.length - selected.length;
    const room = entry.until - this.#sent + batch.length;
    if (selected.length > 0) entry.link.deliver(selected);
    if (passed === 0) return;
    // One that lags behind has no demand that could grow.
    if (entry.lags) entry.until = this.#sent + Math.max(0, room - selected.length) - passed;
    this.#extend(entry, passed);
  }

  #extend(entry: Entry<Event>, count: number): void {
    entry.until = addDemand(entry.until, count);
    if (entry.at < 0) return;
    if (entry.lags) this.#fastest.raise(entry);
    else this.#slowest.lower(entry);
  }
}

/** `own`: options of the owner beyond a dispatcher's. */
export function checkBroadcast(owner: string, options: BroadcastDispatcherOptions, own: readonly string[] = []): void {
  refuseUnknown(owner, options, ["startAfter", ...own]);
  requireInteger("startAfter", options.startAfter, 1);
}

/** Returns whether a consumer may lag behind. */
export function checkLag(lag: Lag | undefined): boolean {
  if (lag === undefined) return false;
  requireNeeded("lag", "{ lag: … }", lag, ["max", "policy"], { max: "100" });
  requireInteger("max", lag.max, 1);
  requireOneOf("policy", lag.policy, ["hold", "drop-oldest", "drop-newest", "cancel"]);
  return (lag.policy ?? "hold") !== "hold";
}

/**
 * Gives each event to every consumer, at the pace of the slowest.
 *
 * **Shape** any number of consumers, each once; all get the same events from where they joined.
 * **Backpressures** when one subscribed consumer has no demand left. One with a `lag` that does not hold loses its own
 * events instead.
 * **Errors** `ArgumentError` `ERR_RANGE`: a wrong `startAfter`; at `subscribe` `ERR_OPTION`: a selector that is no
 * function, `ERR_DUPLICATE`: a consumer subscribed already. A selector that throws ends its own subscription.
 *
 * **Source** rules 4.2 and 4.4; GenStage's BroadcastDispatcher, without its stalls after a cancel and with `startAfter`
 * for a demand mode switched by hand.
 *
 * @example
 * const ticks = producer(() => {}, { dispatcher: broadcastDispatcher({ startAfter: 2 }) });
 */
export function broadcastDispatcher(options: BroadcastDispatcherOptions = {}): Dispatcher<unknown, BroadcastOptions> {
  checkBroadcast("broadcastDispatcher", options);
  return new BroadcastDispatcher<unknown>(options.startAfter ?? 1);
}
