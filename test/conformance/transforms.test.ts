import { EventEmitter } from "node:events";
import { Transform } from "node:stream";
import { Observable } from "rxjs";
import { test } from "vitest";
import { fromEvents, intoEmitter } from "../../adapters/events/index.ts";
import { throughDuplex } from "../../adapters/node/index.ts";
import { intoObserver, throughOperators } from "../../adapters/rxjs/index.ts";
import { type Adapter, conformance } from "../../src/conformance/index.ts";
import { throughGenerator } from "../../src/index.ts";
import { sourcesOf, type Tally } from "./foreign.ts";

const adapters: Adapter[] = [
  {
    name: "throughDuplex",
    through: (probe, options) => {
      let released = 0;
      const duplex = new Transform({
        objectMode: true,
        highWaterMark: 1,
        transform(event, _encoding, done) {
          try {
            for (const out of probe.transform(event)) this.push(out);
            if (probe.over) this.push(null);
          } catch (error) {
            done(error as Error);
            return;
          }
          done();
        },
        flush(done) {
          for (const out of probe.flush()) this.push(out);
          done();
        },
        destroy(error, done) {
          released += 1;
          done(error);
        },
      });
      return { stage: throughDuplex(duplex, options), released: () => released };
    },
    refuses: (foreign) => throughDuplex(foreign as never),
    capabilities: { capacity: 3 },
  },
  {
    name: "throughOperators",
    through: (probe, options) => {
      let released = 0;
      const chain = (source: Observable<unknown>): Observable<unknown> =>
        new Observable((subscriber) => {
          const inner = source.subscribe({
            next: (event) => {
              try {
                for (const out of probe.transform(event)) subscriber.next(out);
                if (probe.over) subscriber.complete();
              } catch (error) {
                subscriber.error(error);
              }
            },
            error: (error) => subscriber.error(error),
            complete: () => {
              for (const out of probe.flush()) subscriber.next(out);
              subscriber.complete();
            },
          });
          return () => {
            released += 1;
            inner.unsubscribe();
          };
        });
      return { stage: throughOperators(chain, options), released: () => released };
    },
    capabilities: { capacity: 4 },
  },
  {
    name: "throughGenerator",
    through: (probe, options) => {
      async function* generator(source: AsyncIterable<unknown>): AsyncIterable<unknown> {
        for await (const event of source) {
          yield* probe.transform(event);
          if (probe.over) return;
        }
        yield* probe.flush();
      }
      return { stage: throughGenerator(generator, options) };
    },
  },
  {
    name: "intoObserver",
    sink: (probe, options) => {
      const observer = {
        next: (event: unknown) => void probe.event(event),
        error: (error: unknown) => probe.fail(error),
        complete: () => void probe.end(),
      };
      return { consumer: intoObserver<unknown>(observer, options) };
    },
    refuses: (foreign) => intoObserver(foreign as never),
    capabilities: { capacity: Number.POSITIVE_INFINITY, endWaits: false, fails: false },
  },
  {
    name: "fromEvents",
    ...sourcesOf((tally, options) =>
      fromEvents(emitter(tally), "data", { ...options, overflow: "throw", end: "end", error: "error" }),
    ),
    refuses: (foreign) => fromEvents(foreign as never, "data", { overflow: "throw" }),
    capabilities: { demand: false },
  },
  {
    name: "intoEmitter",
    sink: (probe, options) => {
      const target = new EventEmitter();
      target.on("data", (event) => void probe.event(event));
      target.on("end", () => void probe.end());
      target.on("failure", (error) => probe.fail(error));
      return { consumer: intoEmitter<unknown>(target, "data", { ...options, end: "end", error: "failure" }) };
    },
    refuses: (foreign) => intoEmitter(foreign as never, "data"),
    capabilities: { capacity: Number.POSITIVE_INFINITY, endWaits: false, fails: false },
  },
];

/** Emits, one event a turn, from when it is listened to. */
function emitter(tally: Tally): EventEmitter {
  const { failure, silent } = tally.plan;
  const source = new EventEmitter();
  let listening = false;
  const step = (): void => {
    if (silent || !listening) return;
    if (tally.more) {
      source.emit("data", tally.take());
      setImmediate(step);
    } else if (failure) source.emit("error", failure.error);
    else source.emit("end");
  };
  source.on("newListener", (name) => {
    if (name !== "data" || listening) return;
    listening = true;
    setImmediate(step);
  });
  source.on("removeListener", (name) => {
    if (name !== "data") return;
    listening = false;
    tally.release();
  });
  return source;
}

for (const adapter of adapters) conformance(adapter, { test });
