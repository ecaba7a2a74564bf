import { EventEmitter } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { intoEmitter } from "../../adapters/events/index.ts";
import { intoWritable, throughDuplex, toReadable } from "../../adapters/node/index.ts";
import {
  intoSubscriber,
  type Processor,
  type Subscriber,
  type Subscription,
  throughProcessor,
  toPublisher,
} from "../../adapters/reactive-streams/index.ts";
import { intoObserver, throughOperators, toObservable } from "../../adapters/rxjs/index.ts";
import { intoWritableStream, throughTransformStream, toReadableStream } from "../../adapters/web/index.ts";
import {
  type Consumer,
  consumer,
  forEach,
  map,
  pipeline,
  type ProducerConsumer,
  throughGenerator,
} from "../../src/index.ts";
import { type Cancel, type Drain, none, onEmitter, onTarget, type Source } from "./leak-pairs.ts";

const swallow = (): Writable => new Writable({ objectMode: true, write: (_chunk, _encoding, done) => done() });

/** A Subscriber that asks for ten, and keeps what it can cancel with. */
class Asker implements Subscriber<unknown> {
  subscription: Subscription | undefined;
  onSubscribe(subscription: Subscription): void {
    this.subscription = subscription;
    subscription.request(10);
  }
  onNext(): void {}
  onError(): void {}
  onComplete(): void {}
}

/** A Processor that passes everything on, both ways. */
class Relay implements Processor<unknown, unknown> {
  #above: Subscription | undefined;
  #below: Subscriber<unknown> | undefined;
  #wanted = 0;
  subscribe(subscriber: Subscriber<unknown>): void {
    this.#below = subscriber;
    subscriber.onSubscribe({
      request: (count) => {
        if (this.#above) this.#above.request(count);
        else this.#wanted += count;
      },
      cancel: () => this.#above?.cancel(),
    });
  }
  onSubscribe(subscription: Subscription): void {
    this.#above = subscription;
    if (this.#wanted > 0) subscription.request(this.#wanted);
  }
  onNext(event: unknown): void {
    this.#below?.onNext(event);
  }
  onError(error: unknown): void {
    this.#below?.onError(error);
  }
  onComplete(): void {
    this.#below?.onComplete();
  }
}

const into = (make: () => Consumer<never>): (() => Drain) => {
  return () => ({
    attach(source) {
      const stage = make();
      stage.subscribe(source);
      return () => stage.stop();
    },
    listeners: none,
  });
};
const through = (make: () => unknown): (() => Drain) => {
  return () => ({
    attach(source) {
      const stage = make() as ProducerConsumer<never, never>;
      const last = consumer<never>(() => {});
      stage.subscribe(source);
      last.subscribe(stage);
      return async () => {
        await last.stop();
        await stage.stop();
      };
    },
    listeners: none,
  });
};

export const drains: Readonly<Record<string, () => Drain>> = {
  consumer: into(() => consumer<never>(() => {})),
  "consumer, cancelled": () => {
    const stage = consumer<never>(() => {});
    const attach = (source: Source): Cancel => {
      const subscription = stage.subscribe(source, { cancel: "temporary" });
      return async () => subscription.cancel();
    };
    return { attach, listeners: () => stage.subscriptions.length };
  },
  "consumer with a signal": () => {
    const { signal } = new AbortController();
    return { ...into(() => consumer<never>(() => {}, { signal }))(), listeners: onTarget(signal, "abort") };
  },
  "a loop": () => ({
    attach(source) {
      const loop = source.events()[Symbol.asyncIterator]();
      void loop.next();
      return async () => loop.return?.();
    },
    listeners: none,
  }),
  "a pipeline": () => ({
    attach(source) {
      const running = pipeline(
        source,
        map((event) => event),
        forEach(() => {}),
      );
      return () => running.stop();
    },
    listeners: none,
  }),
  throughGenerator: through(() =>
    throughGenerator(async function* (events: AsyncIterable<never>) {
      yield* events;
    }),
  ),
  "intoWritable, left open": () => {
    const writable = swallow();
    return { ...into(() => intoWritable(writable, { end: false }))(), listeners: onEmitter(writable) };
  },
  intoWritable: into(() => intoWritable(swallow())),
  throughDuplex: through(() => throughDuplex(new PassThrough({ objectMode: true }))),
  toReadable: () => ({
    attach(source) {
      const readable = toReadable(source);
      readable.resume();
      return async () => {
        const closed = new Promise((resolve) => readable.once("close", resolve));
        readable.destroy();
        await closed;
      };
    },
    listeners: none,
  }),
  "intoWritableStream, left open": () => {
    const stream = new WritableStream<never>();
    return into(() => intoWritableStream(stream, { preventClose: true }))();
  },
  intoWritableStream: into(() => intoWritableStream(new WritableStream<never>())),
  throughTransformStream: through(() => throughTransformStream(new TransformStream<never, never>())),
  toReadableStream: () => {
    const { signal } = new AbortController();
    const attach = (source: Source): Cancel => {
      const reader = toReadableStream(source, { signal }).getReader();
      void reader.read();
      return () => reader.cancel();
    };
    return { attach, listeners: onTarget(signal, "abort") };
  },
  toObservable: () => ({
    attach(source) {
      const subscription = toObservable(source).subscribe();
      return async () => subscription.unsubscribe();
    },
    listeners: none,
  }),
  intoEmitter: () => {
    const emitter = new EventEmitter();
    return { ...into(() => intoEmitter(emitter, "tick"))(), listeners: onEmitter(emitter) };
  },
  intoObserver: into(() => intoObserver(() => {})),
  throughOperators: through(() => throughOperators((source) => source)),
  intoSubscriber: into(() => intoSubscriber(new Asker())),
  throughProcessor: through(() => throughProcessor(new Relay())),
  toPublisher: () => ({
    attach(source) {
      const asker = new Asker();
      toPublisher(source).subscribe(asker);
      return async () => asker.subscription?.cancel();
    },
    listeners: none,
  }),
};
