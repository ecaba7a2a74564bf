/// <reference lib="dom" />
import { EventEmitter } from "node:events";
import { type Consumer, consumer, fromIterable, partitionDispatcher, type Producer } from "headrace";
import { fromEvents, type FromEventsOptions, intoEmitter, type IntoEmitterOptions } from "headrace/events";
import { expectAssignable, expectError, expectType } from "tsd";

declare const button: HTMLButtonElement;
declare const socket: WebSocket;
const emitter = new EventEmitter();
const typed = new EventEmitter<{ tick: [at: number, label: string] }>();
const target = new EventTarget();
const overflow = "throw";

// An EventTarget tells the type of its events.
expectType<Producer<MouseEvent>>(fromEvents(button, "mousedown", { overflow }));
expectType<Producer<KeyboardEvent>>(fromEvents(button, "keydown", { overflow: "drop-oldest", bufferSize: 1 }));
expectType<Producer<MessageEvent>>(fromEvents(socket, "message", { overflow, close: "close", error: "error" }));
expectType<Producer<string>>(fromEvents(button, "keydown", { overflow, map: (event) => event.key }));
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
