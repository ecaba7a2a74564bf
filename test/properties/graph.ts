import { getEventListeners } from "node:events";
import {
  broadcastDispatcher,
  type Consumer,
  consumer,
  type Dispatcher,
  demandDispatcher,
  OverflowError,
  type Producer,
  type ProducerConsumer,
  type ProducerStage,
  partitionDispatcher,
  producer,
  producerConsumer,
  type Stage,
  type StageContext,
  type Subscription,
} from "../../src/index.ts";
import { type TestRuntime, testRuntime, turns } from "../support/runtime.ts";
import { type Item, Ledger, type StageRecord } from "./ledger.ts";
import { Random } from "./random.ts";

interface Emitter {
  readonly stage: ProducerStage<Item, object>;
  /** The stage as consumers see it: through a port that counts. */
  readonly watched: Producer<Item, object>;
  readonly record: StageRecord;
  readonly partitions: number;
  readonly startAfter: number;
  /** A source that only pushes. */
  readonly pushes: boolean;
  readonly bufferSize: number;
}
interface Pending {
  readonly settle: () => void;
}

const BUFFERS = [0, 1, 5, 10_000];
const DEMANDS = [1, 2, 3, 5, 10, 50, 1000];

/** A dispatcher that takes a few events at a time, whatever it is offered, and sometimes none. */
function bitByBit(most: number, refuses: () => boolean, throws: () => void): Dispatcher<Item, object> {
  const inner = demandDispatcher() as unknown as Dispatcher<Item, object>;
  return {
    get wanted() {
      return inner.wanted;
    },
    get queued() {
      return inner.queued;
    },
    subscribe: (link, options) => inner.subscribe(link, options),
    ask: (link, count) => inner.ask(link, count),
    cancel: (link) => inner.cancel(link),
    giveBack: (link, events) => inner.giveBack(link, events),
    dispatch: (events) => {
      throws();
      return refuses() ? 0 : inner.dispatch(events.slice(0, most));
    },
    whenSent: (then) => inner.whenSent?.(then),
    clear: () => inner.clear?.() ?? [],
  };
}

/** One random graph, run to its end. `calm`: nobody joins late, leaves or fails, so every event must arrive. */
export class Graph {
  readonly random: Random;
  readonly ledger = new Ledger();
  /** One, or two whose stages are linked with each other. */
  readonly runtimes: readonly TestRuntime[];
  readonly calm: boolean;
  readonly emitters: Emitter[] = [];
  readonly stages: Stage[] = [];
  readonly #takers: (Consumer<Item> | ProducerConsumer<Item, Item, object>)[] = [];
  readonly #subscriptions: Subscription[] = [];
  readonly #pending: Pending[] = [];
  readonly #controllers: { readonly controller: AbortController; readonly stage: Stage }[] = [];
  #loops = 0;
  readonly #idle = new Set<Stage>();
  #key = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.calm = this.random.chance(40);
    const shuffled = this.random.chance(70) ? { seed } : {};
    this.runtimes = Array.from({ length: this.random.chance(30) ? 2 : 1 }, () => testRuntime(shuffled));
  }

  get #runtime(): TestRuntime {
    return this.random.pick(this.runtimes);
  }

  async run(): Promise<string[]> {
    const release = this.ledger.listen();
    try {
      return await this.#run();
    } finally {
      release();
    }
  }

  async #run(): Promise<string[]> {
    this.#build();
    const steps = this.random.between(10, 50);
    for (let i = 0; i < steps; i += 1) {
      this.#act();
      await (this.random.chance(30) ? turns(1) : Promise.resolve());
    }
    await this.#finish();
    const failures = this.stages.flatMap(({ failure }) => failure ?? []);
    return [...this.ledger.balance(failures), ...(await this.#leftOver())];
  }

  // ── Building ─────────────────────────────────────────────────────────────────────────────────────────────────

  #build(): void {
    const { random } = this;
    for (let i = random.between(1, 3); i > 0; i -= 1) this.#source();
    for (let i = random.between(0, 3); i > 0; i -= 1) {
      const candidates = this.emitters.slice();
      const middle = this.#middle();
      for (let j = random.between(1, 2); j > 0; j -= 1) this.#join(middle, random.pick(candidates));
      if (middle.subscriptions.length === 0) middle.complete();
    }
    for (let i = random.between(1, 4); i > 0; i -= 1) this.#sink(random.pick(this.emitters));
    if (random.chance(40)) this.#loop(random.pick(this.emitters));
    if (this.calm) for (const emitter of this.emitters) this.#cover(emitter);
  }

  /** In a calm graph every emitter and every partition has a consumer. */
  #cover(emitter: Emitter): void {
    const want = emitter.record.dispatcher === "partition" ? emitter.partitions : Math.max(1, emitter.startAfter);
    for (let tries = 0; emitter.record.links.length < want && tries < 50; tries += 1) this.#sink(emitter);
  }

  #items(count: number): Item[] {
    return Array.from({ length: count }, () => {
      this.#key = (this.#key + this.random.between(1, 3)) % 7;
      this.ledger.nextId += 1;
      return { id: this.ledger.nextId, key: this.#key };
    });
  }

  /** The hash of a partition, which may end its own stage. */
  #hash(partition: number, record: () => StageRecord): number {
    if (this.calm || !this.random.chance(1)) return partition;
    const { name } = record();
    const stage = this.stages.find((other) => other.name === name);
    const controller = this.#controllers.find((entry) => entry.stage === stage)?.controller;
    if (this.random.chance(50)) controller?.abort(new Error("aborted in a hash"));
    else void stage?.stop();
    return partition;
  }

  #dispatcher(record: () => StageRecord): {
    kind: StageRecord["dispatcher"];
    make: () => Dispatcher<Item, object>;
    partitions: number;
    startAfter: number;
  } {
    const { random } = this;
    const kind = random.pick(["demand", "even", "custom", "broadcast", "partition", "partition"] as const);
    const partitions = random.between(1, 4);
    const startAfter = random.between(1, 2);
    const maxQueued = random.pick([1, 3, 1000]);
    const make = (): Dispatcher<Item, object> => {
      if (kind === "broadcast") return broadcastDispatcher({ startAfter }) as unknown as Dispatcher<Item, object>;
      if (kind === "partition") {
        const where = random.chance(50)
          ? { partitions, maxQueued, by: ({ key }: Item) => key }
          : { partitions, maxQueued, hash: ({ key }: Item) => this.#hash(key % partitions, record) };
        return partitionDispatcher(where) as unknown as Dispatcher<Item, object>;
      }
      if (kind === "custom")
        return bitByBit(
          random.between(1, 3),
          () => !this.calm && random.chance(20),
          () => this.#maybeThrow(1),
        );
      return demandDispatcher({ spread: kind === "even" ? "even" : "fill" });
    };
    return { kind, make, partitions, startAfter };
  }

  #options(
    record: StageRecord,
    dispatcher: Dispatcher<Item, object>,
    controller: AbortController,
    bufferSize: number,
    drops: boolean,
  ): object {
    const { random } = this;
    return {
      name: record.name,
      runtime: this.#runtime,
      dispatcher,
      signal: controller.signal,
      bufferSize,
      overflow: random.pick(drops ? (["throw", "drop-oldest", "drop-newest"] as const) : (["throw"] as const)),
      onLastCancel: this.calm ? "continue" : random.pick(["continue", "stop"] as const),
      onDiscard: (discarded: StageRecord["discarded"][number]) => void record.discarded.push(discarded),
      onReport: (error: unknown) => void this.ledger.reports.push(error),
    };
  }

  #source(): void {
    const { random } = this;
    const { kind, make, partitions, startAfter } = this.#dispatcher(() => record);
    const record = this.ledger.open(`source${this.emitters.length}`, kind);
    const controller = new AbortController();
    let left = random.between(0, 60);
    const style = random.pick(["pull", "object", "async", "push"] as const);
    const some = (demand: number): Item[] => {
      const items = this.#items(
        Math.min(left, style === "pull" ? random.between(1, demand) : demand + random.between(0, 2)),
      );
      left -= items.length;
      return items;
    };
    let stage: ProducerStage<Item, object>;
    const take = (items: Item[]): Item[] => {
      record.accepted.push(...items);
      return items;
    };
    const over = (): void => {
      if (left === 0) stage.call((self) => self.complete()).catch(() => {});
    };
    const bufferSize = random.pick(BUFFERS);
    const options = this.#options(record, make(), controller, bufferSize, true);
    if (style === "pull")
      stage = producer<Item, object>((demand) => {
        const items = some(demand);
        over();
        return take(items);
      }, options);
    else
      stage = producer<Item, object>(
        {
          handleDemand: (demand, self) => {
            if (style === "push") return undefined;
            this.#maybeThrow(3);
            const acted = this.#inside(self);
            const items = some(demand);
            over();
            if (acted) record.offered.push(items);
            if (style === "object") return take(items);
            return this.#later(items, record);
          },
        },
        options,
      );
    this.#adopt({ stage, record, partitions, startAfter, pushes: style === "push", bufferSize }, controller);
  }

  #middle(): ProducerConsumer<Item, Item, object> {
    const { random } = this;
    const { kind, make, partitions, startAfter } = this.#dispatcher(() => record);
    const record = this.ledger.open(`middle${this.emitters.length}`, kind);
    const controller = new AbortController();
    const growth = random.pick([0, 1, 1, 2]);
    const asynchronous = random.chance(40);
    const bufferSize = random.pick(BUFFERS);
    const stage = producerConsumer<Item, Item, object>(
      {
        handleEvents: (events, subscription, self) => {
          this.ledger.handed(subscription, events);
          this.#maybeThrow(2);
          const acted = this.#inside(self);
          // Keys go with their events, so that an order per key means something behind the next dispatcher, too.
          const out = events.flatMap(({ key }) =>
            Array.from({ length: growth }, () => ({ id: (this.ledger.nextId += 1), key })),
          );
          if (asynchronous) return this.#later(out, record);
          record.accepted.push(...out);
          // A stage that ends inside its callback ignores what it returns.
          if (acted) record.offered.push(out);
          return out;
        },
      },
      this.#options(record, make(), controller, bufferSize, false),
    );
    this.#adopt({ stage, record, partitions, startAfter, pushes: false, bufferSize }, controller);
    this.#takers.push(stage);
    return stage;
  }

  #sink(emitter: Emitter): void {
    const asynchronous = this.random.chance(40);
    const controller = new AbortController();
    const sink = consumer<Item>(
      {
        handleEvents: (events, subscription, self) => {
          this.ledger.handed(subscription, events);
          this.#maybeThrow(2);
          this.#inside(self);
          return asynchronous ? this.#later([], undefined) : undefined;
        },
      },
      {
        name: `sink${this.#takers.length}`,
        runtime: this.#runtime,
        signal: controller.signal,
        onReport: (error) => void this.ledger.reports.push(error),
      },
    );
    this.#watchEnd(sink, controller);
    this.#takers.push(sink);
    this.#join(sink, emitter);
    if (this.random.chance(25)) this.#join(sink, this.random.pick(this.emitters));
    if (sink.subscriptions.length > 0) return;
    // Refused everywhere: nothing will ever end it but this.
    this.#idle.add(sink);
    void sink.stop();
  }

  /** A loop over an emitter: it takes its time, may leave, and may throw. */
  #loop(emitter: Emitter): void {
    const { random } = this;
    const maxDemand = random.pick(DEMANDS);
    const loop = emitter.watched.batches({
      maxDemand,
      cancel: this.calm ? "permanent" : random.pick(["permanent", "temporary"] as const),
      ...(emitter.record.dispatcher === "partition" ? { partition: this.#partition(emitter) } : {}),
    });
    this.#loops += 1;
    const run = async (): Promise<void> => {
      for (let next = await loop.next(); !next.done; next = await loop.next()) {
        this.ledger.handed(loop, next.value);
        if (!this.calm && random.chance(5)) break;
        if (random.chance(30)) await this.#later([], undefined);
      }
    };
    void run()
      .catch((error: unknown) => this.ledger.caught.push(error))
      .then(() => loop.return?.())
      .finally(() => (this.#loops -= 1));
  }

  /** What a callback does to the graph around it. Returns whether it did anything. */
  #inside(stage: StageContext): boolean {
    const { random } = this;
    if (this.calm || !random.chance(3)) return false;
    const subscription = this.#subscriptions.length > 0 ? random.pick(this.#subscriptions) : undefined;
    const actions: (() => void)[] = [
      () => stage.complete(),
      () => stage.stop(),
      () => stage.fail(this.ledger.inject("failed inside")),
      () => subscription?.cancel(),
      () => this.#resubscribe(subscription),
      () => this.#sink(random.pick(this.emitters)),
      () => this.#controllers.find((entry) => entry.stage.name === stage.name)?.controller.abort(new Error("aborted")),
    ];
    random.pick(actions)();
    return true;
  }

  #join(taker: Consumer<Item> | ProducerConsumer<Item, Item, object>, emitter: Emitter): void {
    const { random } = this;
    const maxDemand = random.pick(DEMANDS);
    const manual = !this.calm && random.chance(15);
    const options = {
      maxDemand,
      minDemand: random.chance(50) ? undefined : random.below(maxDemand),
      cancel: this.calm ? "permanent" : random.pick(["permanent", "transient", "temporary"] as const),
      demand: manual ? "manual" : "automatic",
      ...(emitter.record.dispatcher === "partition" ? { partition: this.#partition(emitter) } : {}),
    };
    try {
      this.#subscriptions.push(taker.subscribe(emitter.watched, options as never));
    } catch (error) {
      const { code } = error as { code?: string };
      if (!["ERR_PARTITION_TAKEN", "ERR_DUPLICATE", "ERR_STOPPED", "ERR_ENDED"].includes(code ?? "")) throw error;
    }
  }

  /** A partition without a consumer if there is one. */
  #partition({ record, partitions }: Emitter): number {
    const taken = new Set(record.links.flatMap(({ ended, partition }) => (ended === "no" ? [partition] : [])));
    const free = Array.from({ length: partitions }, (_, i) => i).filter((i) => !taken.has(i));
    return free.length > 0 ? this.random.pick(free) : this.random.below(partitions);
  }

  #adopt(parts: Omit<Emitter, "watched">, controller: AbortController): void {
    const watched = this.ledger.watch(parts.stage, parts.record);
    this.emitters.push({ ...parts, watched });
    this.#watchEnd(parts.stage, controller);
  }

  #watchEnd(stage: Stage, controller: AbortController): void {
    this.stages.push(stage);
    this.#controllers.push({ controller, stage });
  }

  // ── Running ──────────────────────────────────────────────────────────────────────────────────────────────────

  #maybeThrow(percent: number): void {
    if (!this.calm && this.random.chance(percent)) throw this.ledger.inject("a callback failed");
  }

  #later(items: Item[], record: StageRecord | undefined): Promise<Item[]> {
    const fails = !this.calm && this.random.chance(4);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        if (fails) reject(this.ledger.inject("a promise was rejected"));
        else {
          record?.accepted.push(...items);
          if (items.length > 0) record?.offered.push(items);
          resolve(items);
        }
      };
      this.#pending.push({ settle });
    });
  }

  #settleOne(): void {
    const [pending] = this.#pending.splice(this.random.below(this.#pending.length), 1);
    pending?.settle();
  }

  #act(): void {
    const { random } = this;
    if (this.#pending.length > 0 && random.chance(60)) this.#settleOne();
    const emitter = random.pick(this.emitters);
    if (emitter.pushes && random.chance(50)) this.#push(emitter);
    if (random.chance(10)) emitter.stage.demandMode = random.pick(["accumulate", "forward"] as const);
    const subscription = this.#subscriptions.length > 0 ? random.pick(this.#subscriptions) : undefined;
    if (subscription?.options.demand === "manual") subscription.ask(random.between(0, 10));
    if (this.calm || !random.chance(20)) return;
    const stage = random.pick(this.stages);
    const actions: (() => void)[] = [
      () => this.#sink(emitter),
      () => this.#sink(emitter),
      () => subscription?.cancel(random.pick([undefined, "shutdown", "an odd reason"])),
      () => this.#resubscribe(subscription),
      () => void stage.stop({ reason: random.pick([undefined, undefined, "an odd reason"]) }),
      () => this.#controllers.find((entry) => entry.stage === stage)?.controller.abort(new Error("aborted")),
      () => emitter.stage.complete(),
      () =>
        emitter.stage.state === "running" &&
        emitter.stage.fail(this.ledger.inject("failed"), { after: random.pick([undefined, "buffer"]) }),
      () => void stage.stop({ timeout: random.between(0, 3) }),
      () => random.pick(this.runtimes).clock.advance(random.between(1, 5)),
      () => this.#loop(emitter),
    ];
    random.pick(actions)();
  }

  #resubscribe(subscription: Subscription | undefined): void {
    if (subscription === undefined) return;
    try {
      this.#subscriptions.push(subscription.resubscribe({ maxDemand: 3, minDemand: 1 }));
    } catch (error) {
      const { code } = error as { code?: string };
      if (!["ERR_PARTITION_TAKEN", "ERR_DUPLICATE", "ERR_STOPPED", "ERR_ENDED"].includes(code ?? "")) throw error;
    }
  }

  #push({ stage, record, bufferSize }: Emitter): void {
    const items = this.#items(this.random.between(1, 8));
    const before = record.accepted.length;
    record.accepted.push(...items);
    try {
      stage.push(items);
    } catch (error) {
      const lost = error instanceof OverflowError ? error.rejected.length : items.length;
      if (!(error instanceof OverflowError) && (error as { code?: string }).code !== "ERR_ENDED") throw error;
      record.accepted.length = before + items.length - lost;
    }
    const buffered = stage.inspect().stages[0]?.buffered ?? 0;
    if (buffered > bufferSize) this.ledger.faults.push(`${record.name}: buffered ${buffered} of ${bufferSize}`);
  }

  // ── Ending ───────────────────────────────────────────────────────────────────────────────────────────────────

  async #finish(): Promise<void> {
    for (const { stage } of this.emitters) stage.demandMode = "forward";
    if (this.calm) for (const { stage, pushes } of this.emitters) if (pushes) stage.complete();
    await this.#quiet();
    if (this.calm) return;
    for (const stage of this.stages) void stage.stop({ timeout: 10 });
    await this.#quiet();
    for (const { clock } of this.runtimes) clock.advance(10);
    await this.#quiet();
  }

  /** Until nothing is pending and nothing has happened for a while. */
  async #quiet(): Promise<void> {
    for (let idle = 0; idle < 3; idle += 1) {
      while (this.#pending.length > 0) {
        idle = 0;
        this.#settleOne();
        if (this.random.chance(30)) await turns(1);
      }
      await turns(2);
    }
  }

  async #leftOver(): Promise<string[]> {
    const faults: string[] = [];
    for (const stage of this.stages) {
      if (!["completed", "stopped", "failed"].includes(stage.state))
        faults.push(`${stage.name} did not end: ${stage.state}`);
      else {
        const settled = stage.done.then(
          () => true,
          () => true,
        );
        if (!(await Promise.race([settled, turns(2)]))) faults.push(`${stage.name}: done is pending`);
      }
      if (this.calm && !this.#idle.has(stage) && stage.state !== "completed")
        faults.push(`${stage.name} should have completed, is ${stage.state}`);
    }
    if (this.calm)
      for (const { record } of this.emitters)
        if (record.discarded.some(({ cause }) => cause !== "overflow")) faults.push(`${record.name} discarded in calm`);
    for (const { controller, stage } of this.#controllers)
      if (getEventListeners(controller.signal, "abort").length > 0) faults.push(`${stage.name}: a listener is left`);
    if (this.runtimes.some(({ clock }) => clock.pending > 0)) faults.push("a timer is left");
    if (this.#loops > 0) faults.push(`${this.#loops} loops have not ended`);
    return faults;
  }
}
