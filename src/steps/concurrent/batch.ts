import { requireInteger, requireMillis, requireType } from "../../base/check.ts";
import { callbackError } from "../../base/errors.ts";
import { requireNeeded } from "../../base/needed.ts";
import type { Key } from "../../base/hash.ts";
import type { Fixed } from "../../contract/options.ts";
import type { Subscription } from "../../contract/stage.ts";
import type { Step } from "../../contract/step.ts";
import { type Setting, makeStep } from "../../adapter/step.ts";
import { bySubscription, type Taken } from "./lanes.ts";
import { Pair } from "./pair.ts";

export interface BatchOptions<in Event> {
  /** **Units** events, from 1. */
  readonly size: number;
  /** A batch is due so long after its first event. **Units** milliseconds, from 0. @default only full ones go out */
  readonly within?: number | undefined;
  /** Batches hold events of one key. */
  readonly by?: ((event: Event) => Key) | undefined;
  /**
   * With `by`: batches that are begun and not full. The first event of one key more sends the oldest out, however small:
   * with more keys than this most batches are. **Units** batches, from 1. @default 100
   */
  readonly maxOpen?: number | undefined;
}

/** A batch that is begun. */
interface Open<In> {
  readonly key: Key | undefined;
  /** By the clock, when its first event came. */
  readonly since: number;
  readonly events: In[];
  /** The place of each event among all that were taken. */
  readonly seqs: number[];
  /** Where its events came from, for a batch that goes back: each is the source from its index on. */
  readonly sources: { readonly from: number; readonly subscription: Subscription }[];
}

function* takenOf<In>({ events, seqs, sources }: Open<In>): Iterable<Taken<In>> {
  for (const [i, { from, subscription }] of sources.entries()) {
    const to = sources[i + 1]?.from ?? events.length;
    for (let at = from; at < to; at += 1)
      yield { event: events[at] as In, subscription, seq: seqs[at] as number, lane: undefined };
  }
}

class Batch<In> extends Pair<In, In[]> {
  readonly #setting: Setting;
  readonly #size: number;
  readonly #within: number | undefined;
  readonly #by: ((event: In) => Key) | undefined;
  readonly #maxOpen: number;
  /** Begun and not full, the oldest first. */
  readonly #open = new Map<Key | undefined, Open<In>>();
  /** Full, or in the way of another key. */
  #ready: Open<In>[] = [];
  #held = 0;
  #seq = 0;
  #timer: unknown;

  constructor(options: BatchOptions<In>, setting: Setting) {
    super();
    this.#setting = setting;
    this.#size = options.size;
    this.#within = options.within;
    this.#by = options.by;
    this.#maxOpen = options.by ? (options.maxOpen ?? 100) : 1;
  }

  get empty(): boolean {
    return this.#held === 0;
  }

  override get working(): boolean {
    return this.#timer !== undefined;
  }

  take(events: readonly In[], subscription: Subscription): void {
    const by = this.#by;
    const { length } = events;
    this.#held += length;
    if (by === undefined)
      for (let i = 0; i < length; ) {
        const open = this.#openOf(undefined);
        const to = Math.min(length, i + this.#size - open.events.length);
        this.#add(open, events, i, to, subscription);
        i = to;
      }
    else
      for (let i = 0; i < length; i += 1) {
        const event = events[i] as In;
        let key: Key;
        try {
          key = by(event);
        } catch (cause) {
          this.#held -= length - i;
          this.input.giveBack(subscription, events.slice(i + 1));
          const { name, index } = this.#setting;
          this.input.fail(
            callbackError({ stage: name, callback: "handleEvents", step: "batch", index, event }, cause, [event]),
          );
          return;
        }
        this.#add(this.#openOf(key), events, i, i + 1, subscription);
      }
    this.pump();
  }

  pump(): void {
    if (this.over) return;
    const now = this.#within === undefined ? 0 : this.input.runtime.clock.now();
    const out: In[][] = [];
    let wanted = this.output.demand;
    for (; wanted > 0; wanted -= 1) {
      const next = this.#next(now);
      if (next === undefined) break;
      this.#held -= next.events.length;
      out.push(next.events);
    }
    if (out.length > 0) this.output.answer(out);
    this.#arm(now);
    this.checkEmpty();
    this.#ask();
  }

  override unmake(batches: readonly In[][]): readonly In[] {
    return batches.flat(1);
  }

  /** What is held has not been begun. */
  giveBack(): void {
    this.#clear();
    const all = [...this.#ready, ...this.#open.values()].flatMap((open) => Array.from(takenOf(open)));
    for (const [subscription, rest] of bySubscription(all)) this.input.giveBack(subscription, rest);
    this.#ready = [];
    this.#open.clear();
    this.#held = 0;
  }

  override gone(): void {
    this.#clear();
  }

  #openOf(key: Key | undefined): Open<In> {
    let open = this.#open.get(key);
    if (open === undefined) {
      if (this.#open.size === this.#maxOpen) this.#close(this.#oldest as Open<In>);
      const since = this.#within === undefined ? 0 : this.input.runtime.clock.now();
      open = { key, since, events: [], seqs: [], sources: [] };
      this.#open.set(key, open);
    }
    return open;
  }

  /** Adds part of what has come. There is room for it. */
  #add(open: Open<In>, from: readonly In[], start: number, end: number, subscription: Subscription): void {
    const { events, seqs, sources } = open;
    if (sources.at(-1)?.subscription !== subscription) sources.push({ from: events.length, subscription });
    for (let i = start; i < end; i += 1) {
      events.push(from[i] as In);
      seqs.push(this.#seq++);
    }
    if (events.length === this.#size) this.#close(open);
  }

  get #oldest(): Open<In> | undefined {
    for (const open of this.#open.values()) return open;
    return undefined;
  }

  #close(open: Open<In>): void {
    this.#open.delete(open.key);
    this.#ready.push(open);
  }

  /** The batch that goes out next: full ones, and due ones, the oldest first. */
  #next(now: number): Open<In> | undefined {
    const full = this.#ready[0];
    const oldest = this.#oldest;
    const due =
      oldest !== undefined && (this.ending || now - oldest.since >= (this.#within ?? Number.POSITIVE_INFINITY));
    if (due && (full === undefined || (full.seqs[0] as number) > (oldest.seqs[0] as number))) {
      this.#open.delete(oldest.key);
      return oldest;
    }
    return this.#ready.shift();
  }

  /** Asks on while a batch is wanted and none is there; one that is due sometime fills up though it is not wanted yet. */
  #ask(): void {
    if (!this.begun || this.asks.closed || this.#ready.length > 0) return;
    const wanted = this.output.demand > 0;
    if (!wanted && this.#within === undefined) return;
    const most = wanted ? this.#maxOpen * (this.#size - 1) + this.#size : this.#size;
    const count = Math.min(this.#room, most - this.#held) - this.asks.outstanding;
    if (count > 0) this.asks.ask(count);
  }

  /** What fills the next batch. With keys it may take more than that, but may also be of one key. */
  get #room(): number {
    return this.#by ? this.#size : this.#size - this.#held;
  }

  /** A timer runs only while a batch is wanted. */
  #arm(now: number): void {
    this.#clear();
    const oldest = this.#oldest;
    if (this.#within === undefined || oldest === undefined || this.output.demand === 0) return;
    const onTimer = (): void => {
      this.#timer = undefined;
      this.pump();
    };
    this.#timer = this.input.runtime.clock.setTimer(onTimer, oldest.since + this.#within - now);
  }

  #clear(): void {
    if (this.#timer !== undefined) this.input.runtime.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}

/**
 * Makes arrays of `size` events.
 *
 * **Shape** one out for up to `size` in, each an array of the receiver's own; with `by` of one key. Full ones only, until the
 * end. With `within` a batch that is asked for goes out so long after its first event, though it is not full. One that is due
 * and not asked for keeps filling up, so that a slow consumer gets few large batches: `within: 0` is group commit.
 * **Units** `size` in events, `within` in milliseconds from the first event of a batch, `maxOpen` in batches, 100 by default.
 * Behind it `maxDemand` counts batches, 2 by default.
 * **Backpressures** it asks while a batch is wanted and none is full; with `within` also to fill up the one that is not wanted
 * yet. It holds `maxOpen` × (`size` - 1) + `size` events at most, without `by` 2 × `size` - 1. With `by` the oldest batch goes
 * out for the first event of a key too many, full or not: `maxOpen` has to be above the number of keys that take turns.
 * **Completes** with its source, behind the batches that are not full; so it does at `drain`, and a failure of the source comes
 * behind them. **Cancels** at a stop, an abort or a failure: all that it holds goes back to the source.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no size, or no such option. When `by` throws, the step fails with that.
 *
 * **Source** rule 8.8.
 *
 * @example
 * const { done } = pipeline(fromIterable([1, 2, 3, 4, 5]), batch({ size: 2 }), collect());
 * console.log(await done); // [ [ 1, 2 ], [ 3, 4 ], [ 5 ] ]
 */
export function batch<In>(options: BatchOptions<Fixed<In>>): Step<In, In[]> {
  requireNeeded("batch", "batch(…)", options, ["size", "within", "by", "maxOpen"], { size: "100" });
  requireInteger("size", options.size, 1);
  requireMillis("within", options.within);
  requireType("by", options.by, "function");
  requireInteger("maxOpen", options.maxOpen, 1);
  return makeStep<In, In[]>("batch", (setting) => new Batch<In>(options, setting).make(setting, { window: 2 }));
}
