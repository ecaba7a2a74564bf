import { Buffer } from "../base/buffer.ts";
import { Heap, type Placed } from "../base/heap.ts";
import type { Dispatcher, DispatcherLink } from "../contract/dispatcher.ts";
import { refuseUnknown, requireOneOf } from "../base/check.ts";
import { addDemand } from "../base/demand.ts";
import { none } from "../base/reason.ts";

export interface DemandDispatcherOptions {
  /**
   * `"fill"`: a batch fills the neediest consumer first. `"even"`: it is dealt out in rounds, so that slow consumers
   * start together. @default "fill"
   */
  readonly spread?: "fill" | "even" | undefined;
}

interface Entry extends Placed {
  readonly link: DispatcherLink;
  unmet: number;
  /** When it took its place: of equals, the earliest comes first. */
  since: number;
  /** It asks by itself, and has yet to ask for the first time. */
  fresh: boolean;
}

/** The neediest first; of equals, the one placed first. */
// M43
const needier = (a: Entry, b: Entry): boolean => a.unmet > b.unmet || (a.unmet === b.unmet && a.since < b.since);

export class DemandDispatcher<Event> implements Dispatcher<Event> {
  readonly #entries = new Map<DispatcherLink, Entry>();
  /** Consumers with demand; unused while there is one consumer, which needs no order. */
  readonly #needs = new Heap<Entry>(needier);
  #only: Entry | undefined;
  /** Events given back by consumers that left. Not empty only while nothing can be placed. */
  readonly #returned = new Buffer<Event>();
  readonly #even: boolean;
  #wanted = 0;
  /** Consumers that have asked for Infinity. */
  #infinite = 0;
  /** Consumers about to ask for the first time: dealing evenly waits for them. */
  #fresh = 0;
  #clock = 0;
  readonly options: readonly string[] = none;

  constructor(even = false) {
    this.#even = even;
  }

  get wanted(): number {
    return this.#fresh > 0 ? 0 : this.#wanted;
  }

  get queued(): number {
    return this.#returned.size;
  }

  subscribe(link: DispatcherLink, options: { readonly demand?: unknown } = {}): void {
    const fresh = this.#even && options.demand === "automatic";
    if (fresh) this.#fresh += 1;
    const entry: Entry = { link, unmet: 0, since: 0, fresh, at: -1 };
    this.#entries.set(link, entry);
    if (this.#only) this.#enter(this.#only);
    this.#only = this.#entries.size === 1 ? entry : undefined;
  }

  ask(link: DispatcherLink, count: number): void {
    const only = this.#only;
    if (only !== undefined && only.link === link && !only.fresh) {
      only.unmet = addDemand(only.unmet, count);
      this.#wanted = only.unmet;
    } else this.#askAmong(link, count);
    if (this.#returned.size > 0) this.#replay();
  }

  cancel(link: DispatcherLink): void {
    const entry = this.#entries.get(link);
    if (!entry) return;
    this.#entries.delete(link); // M42
    this.#needs.remove(entry);
    if (entry.fresh) this.#greet(entry);
    if (entry !== this.#only && entry.unmet === Number.POSITIVE_INFINITY) this.#infinite -= 1;
    this.#wanted = this.#without(entry);
    this.#only = undefined;
    if (this.#entries.size === 1) for (const last of this.#entries.values()) this.#leaveTo(last);
  }

  giveBack(_link: DispatcherLink, events: readonly Event[]): void {
    this.#returned.unshift(events);
    this.#replay();
  }

  dispatch(events: readonly Event[]): number {
    const { length } = events;
    const only = this.#only;
    if (this.#fresh > 0) return 0; // M44
    if (only === undefined) return this.#even ? this.#deal(events) : this.#fill(events);
    const taken = length < only.unmet ? length : only.unmet;
    if (taken === 0) return 0;
    only.unmet -= taken;
    this.#wanted -= taken;
    only.link.deliver(taken === length ? events : events.slice(0, taken));
    return taken;
  }

  whenSent(then: () => void): void {
    this.#returned.mark(then);
  }

  clear(): readonly Event[] {
    return this.#returned.clear();
  }

  inspect(): { readonly type: string } {
    return { type: "demand" };
  }

  #greet(entry: Entry): void {
    entry.fresh = false;
    this.#fresh -= 1;
  }

  #askAmong(link: DispatcherLink, count: number): void {
    const entry = this.#entries.get(link);
    if (!entry) return;
    if (entry.fresh) this.#greet(entry);
    const before = entry.unmet;
    entry.unmet = addDemand(before, count);
    this.#wanted = addDemand(this.#wanted, count);
    if (entry === this.#only) return;
    if (entry.unmet === Number.POSITIVE_INFINITY && before !== entry.unmet) this.#infinite += 1;
    this.#stamp(entry);
    this.#needs.raise(entry);
  }

  /** The only consumer is now one of several. */
  #enter(entry: Entry): void {
    if (entry.unmet === 0) return;
    if (entry.unmet === Number.POSITIVE_INFINITY) this.#infinite += 1;
    this.#stamp(entry);
    this.#needs.raise(entry);
  }

  /** One consumer is left alone. */
  #leaveTo(entry: Entry): void {
    this.#needs.remove(entry);
    this.#infinite = 0;
    this.#wanted = entry.unmet;
    this.#only = entry;
  }

  /** Moves it behind its equals. */
  #stamp(entry: Entry): void {
    this.#clock += 1;
    entry.since = this.#clock;
  }

  /** Moves a served entry to its place, behind its equals. */
  #sink(entry: Entry): void {
    this.#stamp(entry);
    if (entry.unmet > 0) this.#needs.lower(entry);
    else this.#needs.remove(entry);
  }

  /** The demand without an entry. Inexact sums are made anew. */
  #without({ unmet }: Entry): number {
    if (this.#infinite > 0) return Number.POSITIVE_INFINITY;
    if (this.#wanted <= Number.MAX_SAFE_INTEGER) return this.#wanted - unmet;
    let sum = 0;
    for (const entry of this.#entries.values()) sum = addDemand(sum, entry.unmet);
    return sum;
  }

  /** Fills the neediest first. A served consumer may leave, ask or bring others meanwhile. */
  #fill(events: readonly Event[]): number {
    const { length } = events;
    let from = 0;
    while (from < length) {
      const entry = this.#only ?? this.#needs.first;
      if (!entry || entry.unmet === 0) break;
      const n = length - from < entry.unmet ? length - from : entry.unmet;
      const batch = n === length ? events : events.slice(from, from + n);
      from += n;
      entry.unmet -= n;
      this.#wanted -= n;
      if (entry !== this.#only) this.#sink(entry);
      entry.link.deliver(batch);
    }
    return from;
  }

  /** Deals out in rounds, the neediest first. */
  #deal(events: readonly Event[]): number {
    const { length } = events;
    const order = this.#needs.sorted();
    let from = 0;
    for (let round = order; from < length && round.length > 0; round = order.filter((entry) => this.#isNeedy(entry))) {
      const share = Math.ceil((length - from) / round.length);
      for (const entry of round) {
        const n = this.#isNeedy(entry) ? Math.min(share, entry.unmet, length - from) : 0;
        if (n === 0) continue;
        const batch = n === length ? events : events.slice(from, from + n);
        from += n;
        entry.unmet -= n;
        this.#wanted -= n;
        entry.link.deliver(batch);
      }
    }
    for (const entry of order) if (entry.at >= 0) this.#sink(entry);
    return from;
  }

  #isNeedy(entry: Entry): boolean {
    return entry.unmet > 0 && this.#entries.get(entry.link) === entry;
  }

  #replay(): void {
    while (this.wanted > 0 && this.#returned.size > 0) {
      const batch = this.#returned.take(this.wanted);
      const sent = this.dispatch(batch);
      if (sent < batch.length) {
        this.#returned.unshift(batch.slice(sent));
        if (sent === 0) return;
      } else this.#returned.releaseMarks();
    }
  }
}

/** The default dispatcher. */
export const defaultDispatcher = (): object => new DemandDispatcher();

/**
 * Gives each event to one consumer: the one with the largest demand.
 *
 * **Shape** any number of consumers compete.
 * **Backpressures** when no consumer has demand left.
 * **Errors** `ArgumentError` `ERR_OPTION`: an unknown option or spread.
 *
 * **Source** rules 4.2 and 4.3; GenStage's DemandDispatcher, with demand counted once, so that a consumer that leaves
 * neither stalls nor reorders the others.
 *
 * @example
 * const numbers = producer((demand) => Array.from({ length: demand }, () => 1), { dispatcher: demandDispatcher({ spread: "even" }) });
 */
export function demandDispatcher(options: DemandDispatcherOptions = {}): Dispatcher<unknown> {
  refuseUnknown("demandDispatcher", options, ["spread"]);
  requireOneOf("spread", options.spread, ["fill", "even"]);
  return new DemandDispatcher<unknown>(options.spread === "even");
}
