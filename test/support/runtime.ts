import { type Clock, type Runtime, runtime, seededScheduler } from "../../src/index.ts";
import { compile } from "./compiled.ts";

/** A clock that only moves when it is told to. Microtasks and macrotasks are the platform's. */
export class VirtualClock implements Clock {
  #now = 0;
  readonly #timers = new Map<object, { readonly at: number; readonly fn: () => void }>();

  now(): number {
    return this.#now;
  }
  microtask(fn: () => void): void {
    void Promise.resolve().then(fn);
  }
  macrotask(fn: () => void): void {
    setImmediate(fn);
  }
  setTimer(fn: () => void, ms: number): unknown {
    const timer = {};
    this.#timers.set(timer, { at: this.#now + ms, fn });
    return timer;
  }
  clearTimer(timer: unknown): void {
    this.#timers.delete(timer as object);
  }
  /** Timers that have not fired and were not cleared. */
  get pending(): number {
    return this.#timers.size;
  }
  /** When the next timer fires. */
  get due(): number | undefined {
    let due: number | undefined;
    for (const { at } of this.#timers.values()) if (due === undefined || at < due) due = at;
    return due;
  }
  /** Moves the time on and fires what is due, in order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= until).toSorted(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#now = due[1].at;
      this.#timers.delete(due[0]);
      due[1].fn();
    }
    this.#now = until;
  }
}

export interface TestRuntime extends Runtime {
  readonly clock: VirtualClock;
}

/** A strict runtime on a virtual clock; with a seed, a shuffled schedule. */
export function testRuntime(options: { readonly seed?: number; readonly strict?: boolean } = {}): TestRuntime {
  const { seed, strict = true } = options;
  const scheduler = seed === undefined ? undefined : seededScheduler(seed);
  return runtime({ clock: new VirtualClock(), strict, scheduler, compile }) as TestRuntime;
}

/** Lets everything that can happen without time passing happen: a few turns of the event loop. */
export async function turns(count = 4): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

/**
 * Moves the clock from timer to timer until `done` is settled, or nothing is left to fire. `between`: turns of the event loop
 * that take no time.
 */
export async function runOn(clock: VirtualClock, done: PromiseLike<unknown>, between = 2): Promise<void> {
  const state = { over: false };
  const end = (): void => {
    state.over = true;
  };
  done.then(end, end);
  for (let idle = 0; !state.over && idle < 4; ) {
    // oxlint-disable-next-line no-await-in-loop -- what happens at this time, then the next
    await turns(between);
    const { due } = clock;
    idle = due === undefined ? idle + 1 : 0;
    if (due !== undefined && !state.over) clock.advance(due - clock.now());
  }
}

/** The numbers from `from` to `to`, both included. */
export const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
/** Each number twice in a row. */
export const twice = (from: number, to: number): number[] => range(from, to).flatMap((n) => [n, n]);
