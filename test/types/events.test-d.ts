/// <reference lib="dom" />
import { EventEmitter } from "node:events";
import type { Interface } from "node:readline";
import { type Consumer, consumer, fromIterable, partitionDispatcher, type Producer } from "headrace";
import {
  type EmitterLike,
  type EventTargetLike,
  fromEvents,
  type FromEmitterOptions,
  type FromEventsOptions,
  intoEmitter,
  type IntoEmitterOptions,
} from "headrace/events";
import { expectAssignable, expectError, expectType } from "tsd";

declare const button: HTMLButtonElement;
declare const socket: WebSocket;
const emitter = new EventEmitter();
const done = Symbol("done");
interface Clock {
  tick: [at: number, label: string];
  second: [at: number];
  stop: [];
  late: [by?: number];
  any: [value: any];
  rest: string[];
  [done]: [ok: boolean];
}
const typed = new EventEmitter<Clock>();
class Watch extends EventEmitter<Clock> {}
const watch = new Watch();
declare const signal: AbortSignal;
declare const reader: Interface;
declare const anything: EventEmitter<any>;
declare const counters: EventEmitter<Record<string, [count: number]>>;
declare const wide: EmitterLike | EventTargetLike;
/** As other libraries type theirs: by the name, which is one of those known. */
declare const strict: {
  on<Name extends keyof Clock>(name: Name, listener: (...args: Clock[Name]) => void): void;
  off<Name extends keyof Clock>(name: Name, listener: (...args: Clock[Name]) => void): void;
  eventNames(): (keyof Clock)[];
};
declare const unnamed: {
  on(name: "tick" | "tock", listener: (...args: unknown[]) => void): void;
  off(name: "tick" | "tock", listener: (...args: unknown[]) => void): void;
};
const target = new EventTarget();
const overflow = "throw";

// An EventTarget tells the type of its events.
expectType<Producer<MouseEvent>>(fromEvents(button, "mousedown", { overflow }));
expectType<Producer<KeyboardEvent>>(fromEvents(button, "keydown", { overflow: "drop-oldest", bufferSize: 1 }));
expectType<Producer<MessageEvent>>(fromEvents(socket, "message", { overflow, close: "close", error: "error" }));
expectType<Producer<string>>(fromEvents(button, "keydown", { overflow, map: (event) => event.key }));
expectType<Producer<Event>>(fromEvents(signal, "abort", { overflow }));
expectType<Producer<Event>>(fromEvents(window, "online", { overflow }));
// So does an EventEmitter with a map of events: its first argument, or all of them to `map`.
expectType<Producer<number>>(fromEvents(typed, "tick", { overflow }));
expectType<Producer<number>>(fromEvents(typed, "second", { overflow, end: "stop", onLastCancel: "continue" }));
expectType<Producer<undefined>>(fromEvents(typed, "stop", { overflow }));
expectType<Producer<number | undefined>>(fromEvents(typed, "late", { overflow }));
expectType<Producer<unknown>>(fromEvents(typed, "any", { overflow }));
expectType<Producer<string | undefined>>(fromEvents(typed, "rest", { overflow }));
expectType<Producer<boolean>>(fromEvents(typed, done, { overflow }));
expectType<Producer<number>>(fromEvents(counters, "whatever", { overflow }));
expectType<Producer<readonly [number, string]>>(
  fromEvents(typed, "tick", {
    overflow,
    map: (at, label) => {
      expectType<number>(at);
      expectType<string>(label);
      return [at, label] as const;
    },
  }),
);
expectType<Producer<[at: number, label: string]>>(fromEvents(typed, "tick", { overflow, map: (...args) => args }));
expectType<Producer<string>>(fromEvents(typed, "tick", { overflow, map: (at: number) => `${at}` }));
expectType<Producer<unknown>>(fromEvents(typed, "any", { overflow, map: (value: unknown) => value }));
consumer<number>(() => {}).subscribe(fromEvents(typed, "tick", { overflow }));
const halves = fromEvents(typed, "second", {
  overflow,
  dispatcher: partitionDispatcher({ partitions: 2, by: (at: number) => at }),
});
consumer<number>(() => {}).subscribe(halves, { partition: 1 });
// Of a class that extends one, and of other libraries', the names only.
expectType<Producer<unknown>>(fromEvents(watch, "tick", { overflow }));
expectType<Producer<number>>(fromEvents<number>(watch, "tick", { overflow }));
expectType<Producer<string>>(fromEvents(watch, "tick", { overflow, map: (at: number, label: string) => label + at }));
expectType<Producer<number>>(fromEvents(watch as EventEmitter<Clock>, "tick", { overflow }));
expectType<Producer<unknown>>(fromEvents(strict, "tick", { overflow }));
expectType<Producer<number>>(fromEvents<number>(strict, "tick", { overflow }));
expectType<Producer<unknown>>(fromEvents(unnamed, "tick", { overflow }));
// Nothing is known of others, and nothing is `any`.
expectType<Producer<unknown>>(fromEvents(emitter, "tick", { overflow }));
expectType<Producer<unknown>>(fromEvents(reader, "line", { overflow }));
expectType<Producer<unknown>>(fromEvents(anything, "tick", { overflow }));
expectType<Producer<unknown>>(fromEvents(target, "tick", { overflow }));
expectType<Producer<unknown>>(fromEvents(wide, "tick", { overflow }));
expectType<Producer<unknown>>(fromEvents(emitter, "tick", { overflow, map: (at) => at }));
expectType<Producer<unknown>>(fromEvents(watch, "tick", { overflow, map: (at) => at }));
expectType<Producer<unknown[]>>(fromEvents(emitter, "tick", { overflow, map: (...args) => args }));
expectType<Producer<unknown>>(fromEvents(target, "tick", { overflow, map: (event) => event }));
// Whoever wraps it says as little or as much.
export function wrapped<Out, Source extends EventEmitter>(source: Source, name: string): void {
  expectType<Producer<unknown>>(fromEvents(source, name, { overflow }));
  expectType<Producer<Out>>(fromEvents<Out>(source, name, { overflow }));
  expectType<Producer<Out>>(fromEvents<Out>(typed, "tick", { overflow }));
}
// Others are told it.
expectType<Producer<MouseEvent>>(fromEvents<MouseEvent>(button, "click", { overflow }));
expectType<Producer<CustomEvent<number>>>(fromEvents<CustomEvent<number>>(target, "tick", { overflow }));
expectType<Producer<number>>(fromEvents<number>(emitter, "tick", { overflow, end: "end", error: false }));
expectType<Producer<number>>(fromEvents<number>(typed, "tick", { overflow }));
expectType<Producer<unknown>>(fromEvents(emitter, Symbol("tick"), { overflow }));
expectType<Producer<string>>(
  fromEvents(emitter, "tick", { overflow, map: (at: number, label: string) => `${at} ${label}` }),
);
expectType<Producer<number>>(
  fromEvents<number>(emitter, "tick", { overflow, pause: () => {}, resume: () => {}, onLastCancel: "continue" }),
);
const split = fromEvents(emitter, "tick", {
  overflow,
  map: (at: number) => at,
  dispatcher: partitionDispatcher({ partitions: 2, by: (at: number) => at }),
});
consumer<number>(() => {}).subscribe(split, { partition: 1 });
expectAssignable<FromEventsOptions<number>>({ overflow, name: "ticks" });
expectAssignable<FromEmitterOptions<[at: number], string>>({ overflow, map: (at: number) => `${at}` });

expectError(fromEvents(typed, "tock", { overflow }));
expectError(fromEvents(typed, Symbol("tick"), { overflow }));
expectError(fromEvents(typed, "tock", { overflow, map: () => 1 }));
expectError(fromEvents(watch, "tock", { overflow }));
expectError(fromEvents(watch, "tock", { overflow, map: (at: number) => at }));
expectError(fromEvents(strict, "tock", { overflow }));
expectError(fromEvents(typed, "tick", {}));
expectError(fromEvents(typed, "tick", { overflow, map: (at: string) => at }));
expectError(fromEvents(typed, "tick", { overflow, map: (at: 1 | 2) => at }));
expectError(fromEvents(typed, "stop", { overflow, map: (at: number) => at }));
expectError(fromEvents(typed, "tick", { overflow, map: (at, label) => at.length + label }));
expectError(fromEvents(emitter, "tick", { overflow, map: (at) => at.length }));
expectError(fromEvents<string>(typed, "tick", { overflow, map: (at: number) => at }));
expectError(consumer<string>(() => {}).subscribe(fromEvents(typed, "tick", { overflow })));
expectError(
  fromEvents(typed, "second", {
    overflow,
    dispatcher: partitionDispatcher({ partitions: 2, by: (at: string) => at.length }),
  }),
);
expectError(fromEvents(emitter, "tick"));
expectError(fromEvents(emitter, "tick", {}));
expectError(fromEvents(emitter, "tick", { overflow: "drop" }));
expectError(fromEvents(emitter, 5, { overflow }));
expectError(fromEvents([1, 2], "tick", { overflow }));
expectError(fromEvents({ on: () => {} }, "tick", { overflow }));
expectError(fromEvents(emitter, "tick", { overflow, map: 5 }));
expectError(fromEvents(emitter, "tick", { overflow, pause: true, resume: true }));
expectError(fromEvents(emitter, "tick", { overflow, error: true }));
expectError(fromEvents<number>(emitter, "tick", { overflow, map: () => "text" }));
expectError(consumer<string>(() => {}).subscribe(fromEvents(button, "keydown", { overflow })));
expectError(consumer<number>(() => {}).subscribe(split));

expectType<Consumer<number>>(intoEmitter<number>(emitter, "tick"));
expectType<Consumer<number>>(intoEmitter<number>(typed, "tick", { args: (at) => [at, "label"], end: "end" }));
expectType<Consumer<string>>(intoEmitter<string>(button, "tick", { create: (text, name) => new Event(name + text) }));
expectType<Consumer<string>>(intoEmitter(target, "tick", { create: (text: string) => new Event(text) }));
intoEmitter<string | number>(emitter, "tick").subscribe(fromIterable([1]));
expectAssignable<IntoEmitterOptions<number>>({ error: "failed", name: "sink" });
expectError(intoEmitter(emitter));
expectError(intoEmitter("emitter", "tick"));
expectError(intoEmitter(emitter, "tick", { overflow }));
expectError(intoEmitter(emitter, "tick", { error: false }));
expectError(intoEmitter<number>(emitter, "tick", { args: (at) => at }));
expectError(intoEmitter<number>(target, "tick", { create: (at) => at }));
expectError(intoEmitter<string>(emitter, "tick").subscribe(fromIterable([1])));
