import type { Scheduler, Task } from "../contract/runtime.ts";
import { Deque } from "../base/deque.ts";

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

/** A linear congruential generator; its high bits are the good ones. */
const next = (state: number): number => (Math.imul(state, 1664525) + 1013904223) | 0;

/** A scheduler that picks any of the ready tasks, repeatably by seed, and makes `Runtime.random` repeatable. For tests. */
export function seededScheduler(seed: number): Scheduler {
  const ready: Task[] = [];
  let state = seed | 0;
  // Of its own, so that a number drawn does not change the order of tasks.
  let chance = next(~seed);
  return {
    get size() {
      return ready.length;
    },
    add: (task) => void ready.push(task),
    take: () => {
      state = next(state);
      return ready.splice((state >>> 8) % ready.length, 1)[0];
    },
    random: () => {
      chance = next(chance);
      return (chance >>> 8) / 2 ** 24;
    },
  };
}
