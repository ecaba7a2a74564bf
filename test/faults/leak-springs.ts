import { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import { Observable, type Subscriber } from "rxjs";
import { fromEvents } from "../../adapters/events/index.ts";
import { fromReadable } from "../../adapters/node/index.ts";
import { fromPublisher, type Subscriber as Receiver } from "../../adapters/reactive-streams/index.ts";
import { fromObservable } from "../../adapters/rxjs/index.ts";
import { fromReadableStream } from "../../adapters/web/index.ts";
import { fromIterable, producer } from "../../src/index.ts";
import { none, onEmitter, onTarget, type Source, type Spring } from "./leak-pairs.ts";

const idle = (): Readable => new Readable({ objectMode: true, read() {} });
const never = (): Promise<never> => new Promise(() => {});
const wide = { overflow: "throw", onDiscard: () => {} } as const;
const thrice = (feed: () => unknown) => (): void => {
  for (let i = 0; i < 3; i += 1) feed();
};

/** Where nothing of the foreign side outlives a round. */
const fresh = (make: () => unknown): (() => Spring) => {
  return () => ({ make: make as () => Source, listeners: none });
};

export const springs: Readonly<Record<string, () => Spring>> = {
  "a producer that stays": () => {
    const source = producer((): undefined => {}) as unknown as Source;
    return { make: () => source, listeners: none, stays: true };
  },
  "producer with a signal": () => {
    const { signal } = new AbortController();
    const make = (): Source => producer((): undefined => {}, { signal, onLastCancel: "stop" }) as unknown as Source;
    return { make, listeners: onTarget(signal, "abort") };
  },
  "fromIterable, asynchronous": fresh(() =>
    fromIterable({ [Symbol.asyncIterator]: () => ({ next: never, return: async () => ({ done: true, value: 0 }) }) }),
  ),
  "fromReadable, left open": () => {
    const readable = idle();
    const make = (): Source => fromReadable<never>(readable, { destroyOnCancel: false });
    return { make, listeners: onEmitter(readable) };
  },
  fromReadable: fresh(() => fromReadable(idle())),
  "fromReadableStream, left open": () => {
    const stream = new ReadableStream<never>();
    return { make: () => fromReadableStream(stream, { preventCancel: true }), listeners: none };
  },
  fromReadableStream: fresh(() => fromReadableStream(new ReadableStream<never>())),
  fromObservable: () => {
    const observers = new Set<Subscriber<object>>();
    const observable = new Observable<object>((observer) => {
      observers.add(observer);
      return () => observers.delete(observer);
    });
    return {
      make: () => fromObservable(observable, wide) as unknown as Source,
      feed: thrice(() => observers.forEach((observer) => observer.next({}))),
      listeners: () => observers.size,
    };
  },
  "fromEvents of an emitter": () => {
    const emitter = new EventEmitter();
    return {
      make: () => fromEvents<never>(emitter, "tick", wide),
      feed: thrice(() => emitter.emit("tick", {})),
      listeners: onEmitter(emitter),
    };
  },
  "fromEvents of a target": () => {
    const target = new EventTarget();
    return {
      make: () => fromEvents<never>(target, "tick", wide),
      feed: thrice(() => target.dispatchEvent(new Event("tick"))),
      listeners: onTarget(target, "tick", "error"),
    };
  },
  fromPublisher: () => {
    const wanted = new Map<Receiver<object>, number>();
    const publisher = {
      subscribe(receiver: Receiver<object>): void {
        wanted.set(receiver, 0);
        receiver.onSubscribe({
          request: (count) => void wanted.set(receiver, (wanted.get(receiver) ?? 0) + count),
          cancel: () => void wanted.delete(receiver),
        });
      },
    };
    const emit = (): void => {
      for (const [receiver, count] of wanted) {
        if (count === 0) continue;
        wanted.set(receiver, count - 1);
        receiver.onNext({});
      }
    };
    return {
      make: () => fromPublisher(publisher, { onDiscard: () => {} }) as unknown as Source,
      feed: thrice(emit),
      listeners: () => wanted.size,
    };
  },
};
