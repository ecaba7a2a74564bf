import { Buffer } from "../base/buffer.ts";
import type { Dispatcher, DispatcherLink } from "../contract/dispatcher.ts";
import { refuseUnknown, requireOneOf } from "../base/check.ts";
import { addDemand } from "../base/demand.ts";

export interface DemandDispatcherOptions {
  /**
   * `"fill"`: a batch fills the consumer that has asked for most before it goes on to the next.
   * `"even"`: it is dealt out in rounds, so that slow asynchronous consumers start together. @default "fill"
   */
  readonly spread?: "fill" | "even" | undefined;
}

interface Entry {
  readonly link: DispatcherLink;
  unmet: number;
}

/** Deals events out to the consumers that have demand, who have enough of it for all, and keeps the order of need. */
type Deal = (entries: Entry[], events: readonly unknown[]) => void;

export class DemandDispatcher<Event> implements Dispatcher<Event> {
  /** The neediest first; of equals, who was placed first. */
  readonly #entries: Entry[] = [];
  /** What consumers that left gave back. Not empty only while nobody has demand. */
  readonly #returned = new Buffer<Event>();
  /** The only consumer, where there is one: it needs no search and no order. */
  #only: Entry | undefined;
  readonly #deal: Deal | undefined;
  #wanted = 0;
  readonly options: readonly string[] = [];

  constructor(deal?: Deal) {
    this.#deal = deal;
  }

  get wanted(): number {
    return this.#wanted;
  }

  get queued(): number {
    return this.#returned.size;
  }

  subscribe(link: DispatcherLink): void {
    this.#entries.push({ link, unmet: 0 });
    this.#count();
  }

  ask(link: DispatcherLink, count: number): void {
    const only = this.#only;
    if (only?.link === link) {
      only.unmet = addDemand(only.unmet, count);
      this.#wanted = only.unmet;
    } else {
      const at = this.#entries.findIndex((candidate) => candidate.link === link);
      const entry = this.#entries[at];
      if (!entry) return;
      entry.unmet = addDemand(entry.unmet, count);
      this.#wanted = addDemand(this.#wanted, count);
      this.#rise(at, entry);
    }
    if (this.#returned.size > 0) this.#replay();
  }

  cancel(link: DispatcherLink): void {
    const at = this.#entries.findIndex((entry) => entry.link === link);
    if (at >= 0) this.#entries.splice(at, 1);
    this.#count();
    this.#wanted = this.#entries.reduce((sum, entry) => addDemand(sum, entry.unmet), 0);
  }

  giveBack(_link: DispatcherLink, events: readonly Event[]): void {
    this.#returned.unshift(events);
    this.#replay();
  }

  dispatch(events: readonly Event[]): number {
    const { length } = events;
    const taken = length < this.#wanted ? length : this.#wanted;
    if (taken === 0) return 0;
    this.#wanted -= taken;
    const only = this.#only;
    if (only) {
      only.unmet -= taken;
      only.link.deliver(taken === length ? events : events.slice(0, taken));
    } else if (this.#deal) this.#deal(this.#entries, events.slice(0, taken));
    else this.#fill(events, taken);
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

  #count(): void {
    this.#only = this.#entries.length === 1 ? this.#entries[0] : undefined;
  }

  /** Moves an entry that asked to its place, behind its equals. */
  #rise(at: number, entry: Entry): void {
    let to = at;
    for (let before = this.#entries[to - 1]; before && before.unmet < entry.unmet; before = this.#entries[to - 1]) {
      this.#entries[to] = before;
      to -= 1;
    }
    this.#entries[to] = entry;
    this.#sink(to, entry);
  }

  /** Moves an entry that was served to its place, behind its equals. */
  #sink(at: number, entry: Entry): void {
    let to = at;
    for (let after = this.#entries[to + 1]; after && after.unmet >= entry.unmet; after = this.#entries[to + 1]) {
      this.#entries[to] = after;
      to += 1;
    }
    this.#entries[to] = entry;
  }

  #fill(events: readonly Event[], taken: number): void {
    for (let from = 0; from < taken; ) {
      const entry = this.#entries[0] as Entry;
      const n = Math.min(taken - from, entry.unmet);
      entry.unmet -= n;
      this.#sink(0, entry);
      entry.link.deliver(n === events.length ? events : events.slice(from, from + n));
      from += n;
    }
  }

  #replay(): void {
    while (this.#wanted > 0 && this.#returned.size > 0) {
      this.dispatch(this.#returned.take(this.#wanted));
      this.#returned.releaseMarks();
    }
  }
}

/** The dispatcher of stages that name none. */
export const defaultDispatcher = (): object => new DemandDispatcher();

const dealEvenly: Deal = (entries, events) => {
  const { length } = events;
  for (let from = 0; from < length; ) {
    const round = entries.filter((entry) => entry.unmet > 0);
    const share = Math.ceil((length - from) / round.length);
    for (const entry of round) {
      const n = Math.min(share, entry.unmet, length - from);
      if (n === 0) break;
      entry.unmet -= n;
      entry.link.deliver(n === length ? events : events.slice(from, from + n));
      from += n;
    }
    entries.sort((a, b) => (a.unmet === b.unmet ? 0 : b.unmet - a.unmet));
  }
};

/**
 * Gives each event to one consumer: the one that has asked for most.
 *
 * **Shape** any number of consumers compete; each event goes to exactly one.
 * **Backpressures** when nobody has demand left; `wanted` is the sum of what is asked for and not delivered.
 * **Errors** `ArgumentError` `ERR_OPTION`: an unknown option or spread.
 * **Source** rules 4.2 and 4.3; GenStage's DemandDispatcher, with demand counted once, so that a consumer's leaving neither
 * stalls nor reorders the others.
 *
 * @example
 * const numbers = producer((demand) => Array.from({ length: demand }, () => 1), { dispatcher: demandDispatcher({ spread: "even" }) });
 */
export function demandDispatcher(options: DemandDispatcherOptions = {}): Dispatcher<unknown> {
  refuseUnknown("demandDispatcher", options, ["spread"]);
  requireOneOf("spread", options.spread, ["fill", "even"]);
  return new DemandDispatcher<unknown>(options.spread === "even" ? dealEvenly : undefined);
}
