import { Deque } from "../base/deque.ts";
import type { Clock } from "../contract/runtime.ts";

/** The platform's clock, as of the package's import. */
export const platformClock: Clock = (() => {
  // Captured once, so that fake timers installed later do not freeze pipelines.
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
