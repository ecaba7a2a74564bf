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

/** A scheduler that picks any of the ready tasks, repeatably by seed. For tests. */
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
