import { CallbackError, callbackError, OverflowError, words } from "../../base/errors.ts";
import { failureOf, restoreFailure } from "../../base/failure.ts";
import type { Key } from "../../base/hash.ts";
import type { SinkBehaviour, SinkContext } from "../../contract/adapter.ts";
import type { Failure } from "../../contract/failure.ts";
import type { SubscribeOptions } from "../../contract/options.ts";
import type { Reason } from "../../contract/reason.ts";
import type { Producer, Subscription } from "../../contract/stage.ts";
import type { Role } from "../../contract/states.ts";
import { Asks } from "../concurrent/asks.ts";
import { Held } from "../concurrent/held.ts";
import type { Setting } from "../../adapter/step.ts";
import { Group, type GroupHost } from "./group.ts";

export interface GroupOptions {
  /** Groups that are open at a time. **Units** from 1. @default 100 */
  readonly maxOpen?: number | undefined;
  /** What makes room at `maxOpen`: the group used least recently is completed. @default none: the pipeline fails */
  readonly evict?: "lru" | undefined;
  /** Completes a group without events for so long. **Units** milliseconds. @default never */
  readonly idle?: number | undefined;
  /** Events that wait for their groups. **Units** from 1. @default 1000 */
  readonly maxQueued?: number | undefined;
}

export type GroupFunction<In> = (events: Producer<In>, key: never, group: { readonly reopened: boolean }) => unknown;

function checkedKey(key: unknown): Key {
  if (["string", "number", "bigint", "boolean"].includes(typeof key)) return key as Key;
  const expected = "a key: string, number, bigint or boolean";
  throw new CallbackError({ code: "ERR_PARTITION_KEY", expected, got: key }, []);
}

/** The sink behind `intoGroups`. */
export class Groups<In> implements SinkBehaviour<In>, GroupHost {
  readonly #key: (event: In) => Key;
  readonly #fn: GroupFunction<In>;
  readonly #setting: Setting;
  readonly #maxOpen: number;
  readonly #evicts: boolean;
  readonly #idle: number | undefined;
  readonly #maxQueued: number;
  readonly #asks = new Asks();
  #stage!: SinkContext;
  /** In the order of their last use. */
  readonly #open = new Map<Key, Group<In>>();
  /** Events of keys whose groups have no room yet, or are closing. */
  readonly #waiting = new Map<Key, Held<In>>();
  /** All keys there have been. */
  readonly #seen = new Set<Key>();
  /** Events that wait for their groups. */
  #queued = 0;
  over = false;
  /** It has failed: the end follows. */
  #failed = false;
  #error: unknown;
  /** Where the failure of a group began. */
  #began: Failure | undefined;
  #ending = false;
  #settled: (() => void) | undefined;
  #timer: unknown;

  constructor(key: (event: In) => Key, fn: GroupFunction<In>, options: GroupOptions, setting: Setting) {
    this.#key = key;
    this.#fn = fn;
    this.#setting = setting;
    this.#maxOpen = options.maxOpen ?? 100;
    this.#evicts = options.evict === "lru";
    this.#idle = options.idle;
    this.#maxQueued = options.maxQueued ?? 1000;
  }

  /** How many groups there have been. */
  get count(): number {
    return this.#seen.size;
  }

  begin(stage: SinkContext): void {
    this.#stage = stage;
  }

  admit(options: SubscribeOptions): SubscribeOptions {
    return { ...options, demand: "manual" };
  }

  handleSubscribe(_role: Role, subscription: Subscription): void {
    this.#asks.open(subscription);
    this.#ask();
  }

  handleCancel(_reason: Reason, subscription: Subscription): void {
    this.#asks.close(subscription);
    this.#ask();
  }

  handleEvents(events: readonly In[], subscription: Subscription): void {
    this.#asks.arrived(subscription, events.length);
    this.#queued += events.length;
    const parts = new Map<Key, In[]>();
    for (const [at, event] of events.entries()) {
      let key: Key;
      try {
        key = checkedKey(this.#key(event));
      } catch (cause) {
        this.#handOut(parts, subscription);
        this.#stage.giveBack(subscription, events.slice(at + 1));
        this.#fail(cause, event);
        return;
      }
      const part = parts.get(key);
      if (part) part.push(event);
      else parts.set(key, [event]);
    }
    this.#handOut(parts, subscription);
    this.#ask();
  }

  handleEnd(): Promise<void> | undefined {
    this.#ending = true;
    for (const group of this.#open.values()) group.close();
    return this.#whenEmpty();
  }

  async terminate(reason: Reason): Promise<void> {
    this.over = true;
    this.#clearTimer();
    const open = [...this.#open.values()];
    for (const held of [...this.#waiting.values(), ...open.map((group) => group.held)])
      for (const [subscription, rest] of held.takeAll()) this.#stage.giveBack(subscription, rest);
    this.#waiting.clear();
    if (reason.type === "failure") {
      const { error } = reason;
      const { signal } = this.#setting;
      this.#error = error;
      for (const group of open) group.fail(error, signal?.aborted === true && error === signal.reason);
      if (this.#began) restoreFailure(this.#began);
    } else await Promise.all(open.map((group) => group.pipeline.stop()));
  }

  #handOut(parts: ReadonlyMap<Key, readonly In[]>, subscription: Subscription): void {
    for (const [key, events] of parts) {
      // One of them may have failed this stage.
      if (this.over || this.#failed) this.#stage.giveBack(subscription, events);
      else this.#give(key, events, subscription);
    }
  }

  #give(key: Key, events: readonly In[], subscription: Subscription): void {
    const group = this.#open.get(key);
    if (group !== undefined && !group.closing) {
      this.#open.delete(key);
      this.#open.set(key, group);
      group.add(events, subscription);
      return;
    }
    const waiting = this.#waiting.get(key) ?? new Held<In>();
    this.#waiting.set(key, waiting);
    waiting.push(events, subscription);
    if (group === undefined) this.#admit();
  }

  /** Opens groups for the keys that wait, as far as there is room. */
  #admit(): void {
    for (const [key, waiting] of this.#waiting) {
      if (this.over || this.#failed) return;
      if (this.#open.has(key)) continue;
      if (this.#open.size >= this.#maxOpen) {
        if (this.#evicts) this.#evict();
        else {
          const expected = `at most ${this.#maxOpen} open groups of ${this.#setting.name}`;
          const got = words(`one more for ${String(key)}`);
          this.#failWith(new OverflowError("ERR_OPEN_GROUPS", expected, got, []));
        }
        return;
      }
      this.#waiting.delete(key);
      this.#start(key, waiting);
    }
  }

  /** One group for each key that waits for room. */
  #evict(): void {
    let needed = 0;
    for (const key of this.#waiting.keys()) if (!this.#open.has(key)) needed += 1;
    for (const group of this.#open.values()) if (group.closing) needed -= 1;
    for (const group of this.#open.values()) {
      if (needed <= 0) return;
      if (group.closing) continue;
      needed -= 1;
      group.close();
    }
  }

  #start(key: Key, waiting: Held<In>): void {
    const reopened = this.#seen.has(key);
    this.#seen.add(key);
    let group: Group<In>;
    try {
      const make = (events: Producer<In>): unknown => this.#fn(events, key as never, { reopened });
      group = new Group(`${this.#setting.name} ${String(key)}`, this.#setting, make, this);
    } catch (cause) {
      const all = waiting.takeAll();
      for (const [subscription, events] of all) this.#stage.giveBack(subscription, events);
      this.#fail(cause, undefined);
      return;
    }
    this.#open.set(key, group);
    group.pipeline.done.then(
      () => this.#ended(key, group),
      (error: unknown) => this.#groupFailed(key, group, error),
    );
    for (const [subscription, events] of waiting.takeAll()) group.add(events, subscription);
    if (this.#ending) group.close();
    else this.#watch();
  }

  /** A group's pipeline is done: events of its key that came too late open it again. */
  #ended(key: Key, group: Group<In>): void {
    if (this.over) return;
    this.#open.delete(key);
    this.#wait(key, group.held);
    this.#admit();
    this.#ask();
    if (this.#settled && this.#empty) this.#settled();
  }

  /** The first failure is that of all. */
  #groupFailed(key: Key, group: Group<In>, error: unknown): void {
    if (this.over || this.#failed) {
      // What came second has nowhere else to go.
      if (error !== this.#error) this.#stage.report(error, `group ${String(key)}`);
      return;
    }
    this.#open.delete(key);
    this.#wait(key, group.held);
    const { failure } = group.pipeline;
    if (failure) {
      callbackError({ ...failure, branch: String(key) }, error, failure.events);
      this.#began = failureOf(error);
    }
    this.#failWith(error);
  }

  #fail(cause: unknown, event: In | undefined): void {
    const { name: stage, index } = this.#setting;
    const where = { stage, callback: "handleEvents", step: "intoGroups", index, event };
    this.#failWith(callbackError(where, cause, event === undefined ? [] : [event]));
  }

  #failWith(error: unknown): void {
    this.#failed = true;
    this.#error = error;
    this.#stage.fail(error);
  }

  /** Events that come late, behind none and in front of those that wait. */
  #wait(key: Key, late: Held<In>): void {
    if (late.size === 0) return;
    for (const [subscription, events] of this.#waiting.get(key)?.takeAll() ?? []) late.push(events, subscription);
    this.#waiting.set(key, late);
  }

  get #empty(): boolean {
    return this.#open.size === 0 && this.#waiting.size === 0;
  }

  #whenEmpty(): Promise<void> | undefined {
    if (this.#empty) return undefined;
    return new Promise((resolve) => {
      this.#settled = resolve;
    });
  }

  /** A group has passed events on, or has been given some back. */
  moved(count: number): void {
    this.#queued -= count;
    this.#ask();
  }

  /** Asks for as many as may wait. */
  #ask(): void {
    if (this.over || this.#asks.closed) return;
    const free = this.#maxQueued - this.#queued - this.#asks.outstanding;
    if (2 * free >= this.#maxQueued) this.#asks.ask(free);
  }

  /** Groups that have been idle for long enough are completed. The first in line is the one to go first. */
  #watch(): void {
    if (this.#idle === undefined || this.#timer !== undefined || this.over) return;
    const { clock } = this.#stage.runtime;
    const [oldest] = [...this.#open.values()].filter(({ closing }) => !closing);
    if (oldest === undefined) return;
    this.#timer = clock.setTimer(this.#onTimer, Math.max(0, oldest.usedAt + this.#idle - clock.now()));
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    const before = this.#stage.runtime.clock.now() - (this.#idle as number);
    for (const group of this.#open.values()) if (!group.closing && group.usedAt <= before) group.close();
    this.#watch();
  };

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#stage.runtime.clock.clearTimer(this.#timer);
  }
}
