// Node streams, in object mode: Transforms joined by stream.pipeline, and the operators of Readable.
import { once } from "node:events";
import { Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";

const objectMode = true;
export const transform = {
  map: (fn) => new Transform({ objectMode, transform: (event, _, done) => done(null, fn(event)) }),
  filter: (fn) =>
    new Transform({
      objectMode,
      transform(event, _, done) {
        if (fn(event)) this.push(event);
        done();
      },
    }),
};
export const numbers = (events, make = (i) => i) => {
  let next = 0;
  return new Readable({
    objectMode,
    read() {
      this.push(next < events ? make(next++) : null);
    },
  });
};
export const adding = (add) => {
  const total = new Writable({
    objectMode,
    write(event, _, done) {
      total.sum = add(total.sum, event);
      done();
    },
  });
  return Object.assign(total, { sum: 0 });
};
export const sumOf = async (...streams) => {
  await pipeline(...streams);
  return streams.at(-1).sum;
};

export const others = async (array, steps) => {
  await Readable.from(array.map((event) => ({ event })))
    .map(({ event }) => event ?? 0)
    .toArray();
  // Node ends a stream at a null, and takes none for an event.
  const made = steps.map(([kind, fn]) => transform[kind]((event) => fn(event === null ? undefined : event)));
  return sumOf(
    Readable.from(array),
    ...made,
    adding((count) => count + 1),
  );
};

const transforms = (events, { make, double, keep, add }) =>
  sumOf(numbers(events, make), transform.map(double), transform.filter(keep), adding(add));
const operators = (events, { make, double, keep, add }) =>
  numbers(events, make).map(double).filter(keep).reduce(add, 0);
const both = { "node transforms": transforms, "node operators": operators };
export const linear = { numbers: both, objects: both };

const fromInput = {
  "node transforms": (_, { double, keep, add }, input) =>
    sumOf(Readable.from(input), transform.map(double), transform.filter(keep), adding(add)),
  "node operators": (_, { double, keep, add }, input) => Readable.from(input).map(double).filter(keep).reduce(add, 0),
};
export const iterable = {
  array: fromInput,
  generator: fromInput,
  "async generator": fromInput,
  "array, out by for await": {
    "node operators": async (_, { double, keep, add }, input) => {
      let sum = 0;
      for await (const n of Readable.from(input).map(double).filter(keep)) sum = add(sum, n);
      return sum;
    },
  },
};

const mapped = {
  "node transforms": (events, { stages, inc, add }) =>
    sumOf(numbers(events), ...Array.from({ length: stages - 2 }, () => transform.map(inc)), adding(add)),
};
export const deep = { "20 stages": mapped, "4 stages": mapped };

export const slowAdding = ({ add, slow }) => {
  const wait = slow();
  const total = new Writable({
    objectMode,
    write(event, _, ready) {
      total.sum = add(total.sum, event);
      const pause = wait();
      if (pause === undefined) ready();
      else pause.then(() => ready());
    },
  });
  return Object.assign(total, { sum: 0 });
};
const finished = async (totals, add) => {
  await Promise.all(totals.map((total) => once(total, "finish")));
  return totals.reduce((sum, total) => add(sum, total.sum), 0);
};
const pipes = {
  "node pipe": (events, work) => {
    const source = numbers(events);
    const totals = Array.from({ length: 4 }, (_, i) =>
      i === 0 && work.slow !== undefined ? slowAdding(work) : adding(work.add),
    );
    for (const total of totals) source.pipe(total);
    return finished(totals, work.add);
  },
};
export const broadcast = { "four consumers": pipes, "one of four is slow": pipes };

const writes = {
  "node writes": async (events, { group, add }) => {
    const totals = Array.from({ length: 4 }, () => adding(add));
    const shareOut = new Writable({
      objectMode,
      write(event, _, done) {
        const total = totals[group(event)];
        if (total.write(event)) done();
        else total.once("drain", done);
      },
    });
    await pipeline(numbers(events), shareOut);
    for (const total of totals) total.end();
    return finished(totals, add);
  },
};
export const partition = { uniform: writes, zipf: writes };

export const merge = {
  "four sources": {
    "node pipe": async (events, { add }) => {
      const total = adding(add);
      const sources = Array.from({ length: 4 }, () => numbers(Math.ceil(events / 4)));
      for (const source of sources) source.pipe(total, { end: false });
      await Promise.all(sources.map((source) => once(source, "end")));
      total.end();
      return finished([total], add);
    },
  },
};
