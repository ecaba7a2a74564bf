import type { Compiler } from "./row.ts";
import type { Stall, StallOptions } from "./inspection.ts";

/** Time and the turns of the event loop, for the runtime. Milliseconds throughout. */
export interface Clock {
  /** Milliseconds since any fixed instant. */
  now(): number;
  /** Runs `fn` after the current synchronous stretch. */
  microtask(fn: () => void): void;
  /** Runs `fn` after timers and input have had their turn. */
  macrotask(fn: () => void): void;
  setTimer(fn: () => void, ms: number): unknown;
  clearTimer(timer: unknown): void;
}

/** Something with work to do, usually a stage. It is in the ready queue at most once. */
export interface Task {
  run(): void;
}

/** The ready queue: picks the task that runs next. */
export interface Scheduler {
  readonly size: number;
  add(task: Task): void;
  take(): Task | undefined;
  /** From 0 to below 1: what `Runtime.random` returns. @default Math.random */
  random?(): number;
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
  /** Gives busy stages of per-event steps a loop of their own: `compiler()` of `headrace/compile`. @default none */
  readonly compile?: Compiler | undefined;
}

/** Runs stages: a ready queue, worked off in a fair share of the event loop. */
export interface Runtime {
  readonly clock: Clock;
  readonly strict: boolean;
  /** Of pipelines that name none. */
  readonly compile?: Compiler | undefined;
  /** The clock's time at its last reading, at most a few turns ago. */
  readonly time: number;
  /** Puts a task into the ready queue, which runs in a microtask at the earliest. */
  schedule(task: Task): void;
  /** Like `schedule`, from a promise's continuation: works the queue off at once within the budget. */
  resume(task: Task): void;
  /** Works off the whole ready queue before it returns. Does nothing inside a run. */
  flush(): void;
  /** From 0 to below 1, for jitter. With a seeded scheduler the numbers are the same for the same seed. */
  random(): number;
  /** Whether the budget since the last macrotask is used up. */
  exhausted(): boolean;
  /**
   * Calls `report` when a pipeline that is started on this runtime from now on has stood still for `after` milliseconds: see
   * `Pipeline.onStall`.
   *
   * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`.
   */
  onStall(options: StallOptions, report: (stall: Stall) => void): void;
  /** What `onStall` was given. */
  readonly stall: (StallOptions & { readonly report: (stall: Stall) => void }) | undefined;
}
