import type { StageContext } from "../../src/contract/stage.ts";
import { Observable } from "rxjs";
import { test } from "vitest";
import { fromReadable, intoWritable } from "../../adapters/node/index.ts";
import { fromObservable } from "../../adapters/rxjs/index.ts";
import { fromReadableStream, intoWritableStream, throughTransformStream } from "../../adapters/web/index.ts";
import { type Adapter, conformance } from "../../src/conformance/index.ts";
import {
  consumer,
  fromIterable,
  producer,
  type ProducerContext,
  producerConsumer,
  type Subscription,
} from "../../src/index.ts";
import { asyncIterator, iterator, readable, readableStream, sourcesOf, type Tally, writable } from "./foreign.ts";

const adapters: Adapter[] = [
  {
    name: "producer",
    ...sourcesOf((tally, options) =>
      producer<unknown>(
        {
          handleDemand(demand: number, stage: ProducerContext<never>) {
            const { failure, silent } = tally.plan;
            const events: unknown[] = [];
            while (events.length < demand && tally.more) events.push(tally.take());
            if (!tally.more && !silent) {
              stage.push(events as never[]);
              if (failure) stage.fail(failure.error, { after: "buffer" });
              else stage.complete();
              return [];
            }
            return events;
          },
          terminate: () => tally.release(),
        },
        { onLastCancel: "stop", ...options },
      ),
    ),
    capabilities: { endsUnasked: false },
  },
  {
    name: "consumer",
    sink: (probe, options) => ({
      consumer: consumer<unknown>(
        {
          async handleEvents(events: readonly unknown[], subscription: Subscription, stage: StageContext) {
            let at = 0;
            try {
              // oxlint-disable-next-line no-await-in-loop -- one event after the other
              for (; at < events.length && !stage.signal.aborted; at += 1) await probe.event(events[at]);
            } catch (error) {
              stage.giveBack(subscription, events.slice(at + 1));
              stage.fail(error);
            }
          },
          async handleEnd(stage: StageContext) {
            try {
              await probe.end();
            } catch (error) {
              stage.fail(error);
            }
          },
          terminate: (reason) => {
            if (reason.type === "failure") probe.fail(reason.error);
            else if (reason.type !== "complete") void probe.end();
          },
        },
        options,
      ),
    }),
  },
  {
    name: "producerConsumer",
    through: (probe, options) => ({
      stage: producerConsumer<unknown, unknown>(
        {
          handleEvents(events: readonly unknown[], _subscription: unknown, stage: ProducerContext<never>) {
            const out: unknown[] = [];
            try {
              for (const event of events) {
                out.push(...probe.transform(event));
                if (!probe.over) continue;
                stage.complete();
                break;
              }
            } catch (error) {
              stage.fail(error);
            }
            return out;
          },
          handleEnd: () => probe.flush(),
        },
        { onLastCancel: "stop", ...options },
      ),
    }),
  },
  {
    name: "fromIterable, synchronous",
    ...sourcesOf((tally, options) => fromIterable(iterator(tally), options)),
    silentSource: undefined,
    refuses: (foreign) => fromIterable(foreign as never),
    capabilities: { endsUnasked: false },
  },
  {
    name: "fromIterable, asynchronous",
    ...sourcesOf((tally, options) => fromIterable(asyncIterator(tally), options)),
    capabilities: { endsUnasked: false },
  },
  {
    name: "fromReadable, objects",
    ...sourcesOf((tally, options) => fromReadable(readable(tally, 2), options)),
    failedSource: undefined,
    refuses: (foreign) => fromReadable(foreign as never),
    capabilities: { readAhead: 2, failsWithAnything: false },
  },
  {
    name: "fromReadable, objects, nothing ahead",
    ...sourcesOf((tally, options) => fromReadable(readable(tally, 0), options)),
    capabilities: { endsUnasked: false, failsWithAnything: false },
  },
  {
    name: "fromReadable, bytes",
    ...sourcesOf((tally, options) =>
      fromReadable(
        readable(tally, 4, (n) => Buffer.of(n)),
        options,
      ),
    ),
    failedSource: undefined,
    decode: (event) => [...(event as Buffer)],
    capabilities: { joins: true, readAhead: 4, failsWithAnything: false },
  },
  ...[1, 4].map(
    (capacity): Adapter => ({
      name: `intoWritable, high-water mark ${capacity}`,
      sink: (probe, options) => ({ consumer: intoWritable(writable(probe, capacity), options) }),
      refuses: (foreign) => intoWritable(foreign as never),
      capabilities: { capacity },
    }),
  ),
  ...[true, false].map(
    (synchronous): Adapter => ({
      name: `fromObservable, ${synchronous ? "synchronous" : "one per turn"}`,
      ...sourcesOf((tally, options) =>
        fromObservable(observable(tally, synchronous), { ...options, overflow: "throw" }),
      ),
      refuses: (foreign) => fromObservable(foreign as never, { overflow: "throw" }),
      capabilities: { demand: false },
    }),
  ),
  {
    name: "fromReadableStream",
    ...sourcesOf((tally, options) => fromReadableStream(readableStream(tally), options)),
    refuses: (foreign) => fromReadableStream(foreign as never),
  },
  {
    name: "intoWritableStream",
    sink: (probe, options) => {
      const stream = new WritableStream<unknown>({
        write: (event) => probe.event(event),
        close: () => probe.end(),
        abort: (reason) => probe.fail(reason),
      });
      return { consumer: intoWritableStream(stream, options) };
    },
    refuses: (foreign) => intoWritableStream(foreign as never),
  },
  {
    name: "throughTransformStream",
    through: (probe, options) => {
      const stream = new TransformStream<unknown, unknown>({
        transform: (event, controller) => {
          for (const out of probe.transform(event)) controller.enqueue(out);
          if (probe.over) controller.terminate();
        },
        flush: (controller) => {
          for (const out of probe.flush()) controller.enqueue(out);
        },
      });
      return { stage: throughTransformStream(stream, options) };
    },
    refuses: (foreign) => throughTransformStream(foreign as never),
    capabilities: { capacity: 2 },
  },
];

function observable(tally: Tally, synchronous: boolean): Observable<unknown> {
  return new Observable<unknown>((subscriber) => {
    const { failure, silent } = tally.plan;
    const end = (): void => {
      if (silent) return;
      if (failure) subscriber.error(failure.error);
      else subscriber.complete();
    };
    const step = (): void => {
      if (subscriber.closed) return;
      if (!tally.more) return end();
      subscriber.next(tally.take());
      setImmediate(step);
    };
    if (synchronous) {
      while (tally.more && !subscriber.closed) subscriber.next(tally.take());
      end();
    } else setImmediate(step);
    return () => tally.release();
  });
}

for (const adapter of adapters) conformance(adapter, { test });
