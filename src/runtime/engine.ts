import type { Scheduler, Runtime, Clock, Task, RuntimeOptions } from "../contract/runtime.ts";
import { fifoScheduler } from "./schedulers.ts";
import { platformClock } from "./clock.ts";
import { outermost } from "./async-context.ts";
import { argumentError } from "../base/errors.ts";
import type { Stall, StallOptions } from "../contract/inspection.ts";
import { requireType, requireMember, refuseUnknown, requireStall } from "../base/check.ts";

/** Turns between two readings of the clock: few enough to stay short against the budget. */
const MOST_TURNS = 64;

const workOff = (engine: Engine): void => engine.workOff();
const drain = (engine: Engine): void => engine.drain();

class Engine implements Runtime {
  readonly clock: Clock;
  readonly strict: boolean;
  readonly compile: Runtime["compile"];
  readonly #budget: number;
  readonly #ready: Scheduler;
  time: number;
  stall: Runtime["stall"];
  /** When the work since the last macrotask began; only meaningful while a macrotask is scheduled. */
  #start!: number;
  #macrotask = false;
  #microtask = false;
  #running = false;
  #stride = 1;
  /** First in, first out: a single ready task then needs no place in the queue. */
  readonly #plain: boolean;
  #next: Task | undefined;

  constructor(options: RuntimeOptions) {
    this.clock = options.clock ?? platformClock;
    this.strict = options.strict ?? false;
    this.compile = options.compile;
    this.#budget = options.budget ?? 5;
    this.#ready = options.scheduler ?? fifoScheduler();
    this.#plain = !options.scheduler;
    this.time = this.clock.now();
  }

  onStall(options: StallOptions, report: (stall: Stall) => void): void {
    requireStall(options, report);
    this.stall = { after: options.after, report };
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

  random(): number {
    return this.#ready.random?.() ?? Math.random();
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

  /** The scheduled macrotask both ends the budget and continues the work. */
  #begin(): boolean {
    if (this.#macrotask) return false;
    this.#macrotask = true;
    this.#start = this.time;
    this.clock.macrotask(this.#onMacrotask);
    return true;
  }

  /** The queue runs in the outermost context: a stage made in another enters that itself. */
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
        // Reading the clock costs a small turn: read less often while turns are short.
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
 * Makes a separate runtime: for tests (a virtual clock, a seeded scheduler, strict batches) or another budget.
 *
 * **Units** `budget` in milliseconds.
 *
 * @throws ArgumentError `ERR_RANGE`, `ERR_OPTION`: a budget that is not positive, an unknown or wrong option.
 *
 * @example
 * const calm = runtime({ budget: 1 });
 * const numbers = producer((demand) => Array.from({ length: demand }, () => 1), { runtime: calm });
 */
export function runtime(options: RuntimeOptions = {}): Runtime {
  refuseUnknown("runtime", options, ["budget", "clock", "scheduler", "strict", "compile"]);
  const { budget } = options;
  if (budget !== undefined && !(typeof budget === "number" && budget > 0))
    throw argumentError("ERR_RANGE", "budget to be more than 0 milliseconds", budget);
  requireType("strict", options.strict, "boolean");
  requireMember("clock", options.clock, "a Clock", "now");
  requireMember("compile", options.compile, "a compiler()", "~loops");
  requireMember("scheduler", options.scheduler, "a Scheduler", "take");
  return new Engine(options);
}

/** The default runtime. */
export const defaultRuntime: Runtime = new Engine({});
