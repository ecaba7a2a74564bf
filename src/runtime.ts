import { outermost } from "./context.ts";
import { Deque } from "./deque.ts";
import { argumentError } from "./errors.ts";
import { check, having, known } from "./options.ts";

/** Time and the turns of the event loop, as the runtime needs them. Milliseconds throughout. */
export interface Clock {
  /** Milliseconds since any fixed instant. */
  now(): number;
  /** Runs `fn` once the current synchronous stretch is over. */
  microtask(fn: () => void): void;
  /** Runs `fn` after timers and input had their turn. */
  macrotask(fn: () => void): void;
  setTimer(fn: () => void, ms: number): unknown;
  clearTimer(timer: unknown): void;
}

/** Something with work to do: a stage, mostly. It is in the ready queue at most once. */
export interface Task {
  run(): void;
}

/** The ready queue: which of the tasks that can run does run next. */
export interface Scheduler {
  readonly size: number;
  add(task: Task): void;
  take(): Task | undefined;
}

export interface RuntimeOptions {
  /** Milliseconds of work between two macrotasks. @default 5 */
  readonly budget?: number | undefined;
  /** @default the platform's, as it was when the package was imported */
  readonly clock?: Clock | undefined;
  /** @default first in, first out */
  readonly scheduler?: Scheduler | undefined;
  /** Freezes every batch, so that a callback that changes a shared one throws. @default false */
  readonly strict?: boolean | undefined;
}

/** Runs stages: a ready queue, worked off in a fair share of the event loop. */
export interface Runtime {
  readonly clock: Clock;
  readonly strict: boolean;
  /** The clock's time when it was last read, at most a few turns ago. */
  readonly time: number;
  /** Puts a task into the ready queue. It runs in a microtask at the earliest, never inside this call. */
  schedule(task: Task): void;
  /** Like `schedule`, from a promise's continuation: the queue is worked off at once if the budget allows. */
  resume(task: Task): void;
  /** Works off the ready queue before it returns, however long it is. Inside a run it does nothing. */
  flush(): void;
  /** Whether the budget since the last macrotask is used up, so that a caller should wait for `schedule`. */
  exhausted(): boolean;
}

/** Turns between two looks at the clock: as many as stay short against the budget. */
const MOST_TURNS = 64;

const platform: Clock = (() => {
  // Captured once, so that fake timers a test installs later do not freeze pipelines.
  const { performance, setTimeout, clearTimeout, setImmediate, MessageChannel } = globalThis as typeof globalThis & {
    setImmediate?: (fn: () => void) => unknown;
  };
  const settled = Promise.resolve();
  const viaChannel = (): ((fn: () => void) => void) => {
    const waiting = new Deque<() => void>();
    const channel = new MessageChannel();
    channel.port1.addEventListener("message", () => waiting.shift()?.());
    channel.port1.start();
    return (fn) => {
      waiting.push(fn);
      channel.port2.postMessage(0);
    };
  };
  return {
    now: () => performance.now(),
    microtask: (fn) => void settled.then(fn),
    macrotask: setImmediate ? (fn) => void setImmediate(fn) : viaChannel(),
    setTimer: (fn, ms) => setTimeout(fn, ms),
    clearTimer: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
  };
})();

class Fifo extends Deque<Task> implements Scheduler {
  add(task: Task): void {
    this.push(task);
  }
  take(): Task | undefined {
    return this.shift();
  }
}

/** The default scheduler: first in, first out. */
export const fifoScheduler = (): Scheduler => new Fifo(64);

/** A scheduler that picks any of the ready tasks, the same ones for the same seed. For tests. */
export function seededScheduler(seed: number): Scheduler {
  const ready: Task[] = [];
  let state = seed | 0;
  return {
    get size() {
      return ready.length;
    },
    add: (task) => void ready.push(task),
    take: () => {
      // A linear congruential generator; its high bits are the good ones.
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return ready.splice((state >>> 8) % ready.length, 1)[0];
    },
  };
}

const workOff = (engine: Engine): void => engine.workOff();
const drain = (engine: Engine): void => engine.drain();

class Engine implements Runtime {
  readonly clock: Clock;
  readonly strict: boolean;
  readonly #budget: number;
  readonly #ready: Scheduler;
  time: number;
  /** When the work since the last macrotask began; only meaningful while a macrotask is on its way. */
  #start!: number;
  #macrotask = false;
  #microtask = false;
  #running = false;
  #stride = 1;
  /** First in, first out: then the only task that is ready needs no place in the queue. */
  readonly #plain: boolean;
  #next: Task | undefined;

  constructor(options: RuntimeOptions) {
    this.clock = options.clock ?? platform;
    this.strict = options.strict ?? false;
    this.#budget = options.budget ?? 5;
    this.#ready = options.scheduler ?? fifoScheduler();
    this.#plain = !options.scheduler;
    this.time = this.clock.now();
  }

  schedule(task: Task): void {
    this.#add(task);
    if (this.#running || this.#microtask) return;
    this.#microtask = true;
    this.clock.microtask(this.#onMicrotask);
  }

  resume(task: Task): void {
    this.#add(task);
    if (!this.#running) this.#drain();
  }

  flush(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      outermost(workOff, this);
    } finally {
      this.#running = false;
    }
  }

  workOff(): void {
    for (let task = this.#take(); task; task = this.#take()) task.run();
  }

  #add(task: Task): void {
    if (this.#plain && !this.#next && this.#ready.size === 0) this.#next = task;
    else this.#ready.add(task);
  }

  #take(): Task | undefined {
    const next = this.#next;
    if (!next) return this.#ready.take();
    this.#next = undefined;
    return next;
  }

  exhausted(): boolean {
    this.time = this.clock.now();
    return !this.#begin() && this.time - this.#start >= this.#budget;
  }

  readonly #onMicrotask = (): void => {
    this.#microtask = false;
    if (!this.#running) this.#drain();
  };

  readonly #onMacrotask = (): void => {
    this.#macrotask = false;
    if ((this.#next || this.#ready.size > 0) && !this.#running) this.#drain();
  };

  /** The macrotask on its way both ends the budget and goes on with what is left then. */
  #begin(): boolean {
    if (this.#macrotask) return false;
    this.#macrotask = true;
    this.#start = this.time;
    this.clock.macrotask(this.#onMacrotask);
    return true;
  }

  /** The queue is worked off in no context but the outermost: a stage made in another enters it by itself. */
  #drain(): void {
    if (!this.exhausted()) outermost(drain, this);
  }

  drain(): void {
    this.#running = true;
    let stride = this.#stride;
    let left = stride;
    try {
      for (let task = this.#take(); task; task = this.#take()) {
        task.run();
        left -= 1;
        if (left > 0) continue;
        const before = this.time;
        this.time = this.clock.now();
        if (this.time - this.#start >= this.#budget) break;
        // A look at the clock costs as much as a small turn: look less often while turns are short.
        const took = this.time - before;
        stride = took > this.#budget / 4 ? 1 : took < this.#budget / 32 ? Math.min(MOST_TURNS, stride * 2) : stride;
        left = stride;
      }
    } finally {
      this.#stride = stride;
      this.#running = false;
    }
  }
}

/**
 * Makes a runtime of its own: for tests (a virtual clock, a seeded scheduler, strict batches) or another budget.
 *
 * **Units** `budget` in milliseconds.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_OPTION`: a budget that is not a positive number, an unknown option, one of another kind.
 * @example
 * const calm = runtime({ budget: 1 });
 * const numbers = producer((demand) => Array.from({ length: demand }, () => 1), { runtime: calm });
 */
export function runtime(options: RuntimeOptions = {}): Runtime {
  known("runtime", options, ["budget", "clock", "scheduler", "strict"]);
  const { budget } = options;
  if (budget !== undefined && !(typeof budget === "number" && budget > 0))
    throw argumentError("ERR_RANGE", "budget to be more than 0 milliseconds", budget);
  check("strict", options.strict, "boolean");
  having("clock", options.clock, "a Clock", "now");
  having("scheduler", options.scheduler, "a Scheduler", "take");
  return new Engine(options);
}

/** The runtime of stages that name none. */
export const defaultRuntime: Runtime = new Engine({});
