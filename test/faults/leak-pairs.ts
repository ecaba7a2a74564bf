import { type EventEmitter, getEventListeners } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import type { Producer } from "../../src/index.ts";

export type Source = Producer<never>;
export type Cancel = () => Promise<unknown>;

/** Something that producers are made of, one per round. */
export interface Spring {
  readonly make: () => Source;
  /** Lets a few events come. */
  readonly feed?: () => void;
  /** Listeners on what outlives a round. */
  readonly listeners: () => number;
  /** A producer that outlives a round, too, does not end with it. */
  readonly stays?: boolean;
}
/** Something that a producer is attached to, one per round; answers with what cancels it. */
export interface Drain {
  readonly attach: (source: Source) => Cancel;
  readonly listeners: () => number;
}

export const none = (): number => 0;
export const onEmitter = (emitter: EventEmitter): (() => number) => {
  return () => emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
};
export const onTarget = (target: EventTarget, ...names: readonly string[]): (() => number) => {
  return () => names.reduce((sum, name) => sum + getEventListeners(target, name).length, 0);
};

/** A round: attached, flowing, cancelled, and both sides at their end. */
export async function round(spring: Spring, drain: Drain): Promise<void> {
  const source = spring.make();
  const cancel = drain.attach(source);
  await turn();
  if (spring.feed) {
    spring.feed();
    await turn();
  }
  await cancel();
  await (spring.stays ? turn() : source.done);
}
