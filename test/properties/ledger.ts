import { watchUnclaimed } from "../../src/adapter/index.ts";
import {
  type ConsumerPort,
  type Discarded,
  type End,
  type Failure,
  failureOf,
  type Producer,
  type ProducerPort,
  type ResolvedSubscribeOptions,
} from "../../src/index.ts";

/** An event: unique, with a key for partitions. */
export interface Item {
  readonly id: number;
  readonly key: number;
}

/** What one link asked for, delivered and handed over. */
export interface LinkRecord {
  readonly producer: string;
  readonly consumer: string;
  asked: number;
  readonly delivered: Item[];
  readonly handed: Item[];
  readonly partition: number | undefined;
  ended: "no" | "by producer" | "by consumer";
  /** The producer has completed: its consumer owes it a last word. */
  completed: boolean;
  /** Last words of the consumer that gave nothing back. */
  words: number;
}

/** What a stage accepted for delivery, in order, and what it said it discarded. */
export interface StageRecord {
  readonly name: string;
  readonly dispatcher: "demand" | "even" | "custom" | "broadcast" | "partition" | "none";
  readonly accepted: Item[];
  readonly discarded: Discarded[];
  readonly links: LinkRecord[];
  /** What was handed over on any link, in the order of time. */
  readonly handed: Item[];
  /** Answers of promises: a stage that ends before it has taken one ignores it as a whole. */
  readonly offered: (readonly Item[])[];
}

/** Keeps the books of a graph and says at once when a link gets more than it asked for. */
export class Ledger {
  readonly stages: StageRecord[] = [];
  readonly faults: string[] = [];
  /** Reports of clean-up failures: none of them is expected. */
  readonly reports: unknown[] = [];
  /** Errors that the graph has thrown on purpose, and those that its loops have caught. */
  readonly injected: unknown[] = [];
  readonly caught: unknown[] = [];
  /** What the platform was left with. */
  readonly unhandled: unknown[] = [];
  /** What waits for a first consumer. */
  #unclaimed: readonly unknown[] = [];
  nextId = 0;

  inject(what: string): Error {
    const error = new Error(what);
    this.injected.push(error);
    return error;
  }

  /** Hears of unhandled rejections in place of everyone else. Returns how to stop. */
  listen(): () => void {
    const others = process.listeners("unhandledRejection");
    const hear = (error: unknown): void => void this.unhandled.push(error);
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", hear);
    process.on("rejectionHandled", ignore);
    watchUnclaimed((failures) => {
      this.#unclaimed = failures.map(({ error }) => error);
    });
    return () => {
      process.off("unhandledRejection", hear);
      process.off("rejectionHandled", ignore);
      for (const other of others) process.on("unhandledRejection", other);
      watchUnclaimed(() => {});
    };
  }

  open(name: string, dispatcher: StageRecord["dispatcher"]): StageRecord {
    const record: StageRecord = { name, dispatcher, accepted: [], discarded: [], links: [], handed: [], offered: [] };
    this.stages.push(record);
    return record;
  }

  /** A producer seen through a port that counts. */
  watch(producer: Producer<Item, object>, record: StageRecord): Producer<Item, object> {
    const inner = new WeakMap<object, ProducerPort>();
    const attach = (port: ConsumerPort<Item>, options: never, replaces?: ProducerPort): ProducerPort => {
      const link: LinkRecord = {
        producer: record.name,
        consumer: port.name,
        partition: (options as { partition?: number }).partition,
        asked: 0,
        delivered: [],
        handed: [],
        ended: "no",
        completed: false,
        words: 0,
      };
      const counted: ConsumerPort<Item> = {
        consumer: port.consumer,
        name: port.name,
        subscription: port.subscription,
        carries: port.carries,
        events: (batch) => {
          if (link.ended !== "no") this.faults.push(`${record.name} → ${port.name}: events after the end`);
          link.delivered.push(...batch);
          if (link.delivered.length > link.asked)
            this.faults.push(`${record.name} → ${port.name}: delivered ${link.delivered.length}, asked ${link.asked}`);
          port.events(batch);
        },
        end: (end: End) => {
          if (link.ended === "by producer") this.faults.push(`${record.name} → ${port.name}: ended twice`);
          link.completed = link.ended === "no" && end.reason.type === "complete";
          link.ended = "by producer";
          port.end(end);
        },
      };
      const up = producer["~attach"](counted, options, replaces && inner.get(replaces));
      const down: ProducerPort = {
        ask: (count) => {
          this.#checkAsk(link, port.subscription.options, count);
          link.asked += count;
          up.ask(count);
        },
        end: (end) => {
          if (link.ended === "no") link.ended = "by consumer";
          if ((end.unstarted ?? []).length === 0) link.words += 1;
          if (link.words > 1) this.faults.push(`${record.name} → ${port.name}: a second last word`);
          else if (link.completed) link.completed = false;
          up.end(end);
        },
      };
      inner.set(down, up);
      // Registered only when the producer took it.
      record.links.push(link);
      this.#records.set(port.subscription, link);
      return down;
    };
    return new Proxy(producer, {
      get: (target, key) => (key === "~attach" ? attach : Reflect.get(target, key, target)),
    });
  }

  readonly #records = new WeakMap<object, LinkRecord>();

  /** An automatic link asks when no more than min are outstanding, and then up to max. */
  #checkAsk(link: LinkRecord, { demand, maxDemand, minDemand }: ResolvedSubscribeOptions, count: number): void {
    const outstanding = link.asked - link.handed.length;
    if (demand === "automatic" && (outstanding > minDemand || outstanding + count !== maxDemand))
      this.faults.push(`${link.producer} → ${link.consumer}: asked ${count} with ${outstanding} outstanding`);
  }

  /** A batch reached `handleEvents`. */
  handed(subscription: object, events: readonly Item[]): void {
    const link = this.#records.get(subscription);
    if (link === undefined) throw new Error("a batch on an unknown subscription");
    link.handed.push(...events);
    this.stages.find(({ name }) => name === link.producer)?.handed.push(...events);
    const { length } = link.handed;
    for (let i = length - events.length; i < length; i += 1)
      if (link.handed[i] !== link.delivered[i]) {
        this.faults.push(`${link.producer} → ${link.consumer}: handed over out of order at ${i}`);
        break;
      }
  }

  /** The books at the end, when every stage has ended. */
  balance(failures: readonly Failure[]): string[] {
    const faults = [...this.faults, ...this.#failures()];
    // What a dispatcher, or a function in it, had in hand when it threw: told with the error, which may have come second.
    for (const { stage, callback, events } of [
      ...failures,
      ...this.injected.flatMap((error) => failureOf(error) ?? []),
    ])
      if (["dispatch", "by", "hash"].includes(callback))
        this.stages.find(({ name }) => name === stage)?.offered.unshift(events as readonly Item[]);
    for (const stage of this.stages) {
      for (const { consumer, completed } of stage.links)
        if (completed) faults.push(`${stage.name} → ${consumer}: no last word behind a good end`);
      const dropped = new Set(
        stage.discarded.flatMap(({ events, cause }) => (cause === "overflow" ? (events as readonly Item[]) : [])),
      );
      const kept =
        stage.dispatcher === "broadcast" ? stage.accepted.filter((item) => !dropped.has(item)) : stage.accepted;
      const order = new Map(kept.map((item, i) => [item.id, i]));
      if (order.size !== kept.length) faults.push(`${stage.name}: accepted an event twice`);
      const out = stage.dispatcher === "broadcast" ? this.#broadcast(stage, order) : this.#once(stage, order);
      faults.push(...out);
    }
    return faults;
  }

  /** Every failure has reached someone: the platform or `onReport` once at most, unless a loop has caught it. */
  #failures(): string[] {
    return this.injected.flatMap((error) => {
      const [unhandled, reported, unclaimed, caught] = [this.unhandled, this.reports, this.#unclaimed, this.caught].map(
        (list) => count(list, error),
      ) as [number, number, number, number];
      // What waits for a first consumer may have been told elsewhere in the meantime: it is then let go in silence.
      if (unhandled + reported <= 1 && unhandled + reported + unclaimed + caught > 0) return [];
      return [
        `${String(error)}: ${unhandled} unhandled, ${reported} reported, ${unclaimed} unclaimed, ${caught} caught`,
      ];
    });
  }

  /** Demand and partition: every accepted event was handed over once or discarded once. */
  #once(stage: StageRecord, order: ReadonlyMap<number, number>): string[] {
    const faults: string[] = [];
    const count = new Map<number, number>();
    const note = (items: readonly Item[]): void => {
      for (const { id } of items) {
        if (!order.has(id)) faults.push(`${stage.name}: event ${id} was never accepted`);
        count.set(id, (count.get(id) ?? 0) + 1);
      }
    };
    for (const { handed } of stage.links) note(handed);
    for (const { events } of stage.discarded) note(events as readonly Item[]);
    for (const batch of stage.offered)
      if (batch.every(({ id }) => !count.has(id))) for (const { id } of batch) count.set(id, 1);
    for (const { id } of stage.accepted)
      if (count.get(id) !== 1) faults.push(`${stage.name}: event ${id} is accounted for ${count.get(id) ?? 0} times`);
    if (stage.dispatcher !== "partition" && stage.links.length === 1 && faults.length === 0)
      faults.push(...inOrder(stage, order));
    if (stage.dispatcher === "partition") faults.push(...this.#keyOrder(stage, order));
    return faults;
  }

  /** Partition: the events of a key are handed over in the order they were accepted, whoever consumes them. */
  #keyOrder(stage: StageRecord, order: ReadonlyMap<number, number>): string[] {
    const last = new Map<number, number>();
    return stage.handed.flatMap(({ id, key }) => {
      const at = order.get(id) ?? -1;
      const before = last.get(key) ?? -1;
      last.set(key, at);
      return at > before ? [] : [`${stage.name}: key ${key} out of order: ${at} after ${before}`];
    });
  }

  /** Broadcast: each consumer saw a stretch without gaps, in order, nothing twice. */
  #broadcast(stage: StageRecord, order: ReadonlyMap<number, number>): string[] {
    const faults: string[] = [];
    for (const link of stage.links) {
      let last: number | undefined;
      for (const { id } of link.delivered) {
        const at = order.get(id);
        if (at === undefined) faults.push(`${stage.name}: event ${id} was never accepted`);
        else if (last !== undefined && at !== last + 1)
          faults.push(`${stage.name} → ${link.consumer}: after ${last} came ${at}`);
        last = at;
      }
    }
    const ignored = (id: number): boolean =>
      stage.offered.some((batch) => batch.some((item) => item.id === id) && batch.every((item) => !seen.has(item.id)));
    const seen = new Set(stage.links.flatMap(({ delivered }) => delivered.map(({ id }) => id)));
    const discarded = stage.discarded.flatMap(({ events }) => (events as readonly Item[]).map(({ id }) => id));
    if (new Set(discarded).size !== discarded.length) faults.push(`${stage.name}: discarded an event twice`);
    // What was on its way to a consumer that had just left is dropped, by design: the others have their own.
    if (stage.links.some(({ ended }) => ended === "by consumer")) return faults;
    for (const { id } of stage.accepted)
      if (!seen.has(id) && !discarded.includes(id) && !ignored(id)) faults.push(`${stage.name}: event ${id} was lost`);
    return faults;
  }
}

const ignore = (): void => {};

/** How often an error is in a list. */
const count = (list: readonly unknown[], error: unknown): number => list.filter((other) => other === error).length;

/** With a single consumer all along, events are handed over in the order they were accepted. */
function inOrder(stage: StageRecord, order: ReadonlyMap<number, number>): string[] {
  const places = stage.handed.map(({ id }) => order.get(id) ?? -1);
  const at = places.findIndex((place, i) => i > 0 && place < (places[i - 1] ?? 0));
  return at < 0 ? [] : [`${stage.name}: ${places[at]} came after ${places[at - 1]}`];
}
