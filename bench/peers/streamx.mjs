// streamx: Node streams rewritten. Its transforms take any event.
import { createReadStream, createWriteStream } from "node:fs";
import { pipelinePromise, Readable, Transform, Writable } from "streamx";

const transform = {
  map: (fn) => new Transform({ transform: (event, done) => done(null, fn(event)) }),
  filter: (fn) =>
    new Transform({
      transform(event, done) {
        if (fn(event)) this.push(event);
        done(null);
      },
    }),
};
const numbers = (events, make = (i) => i) => {
  let next = 0;
  return new Readable({
    read(done) {
      this.push(next < events ? make(next++) : null);
      done(null);
    },
  });
};
const adding = (add, wait) => {
  const total = new Writable({
    write(event, ready) {
      total.sum = add(total.sum, event);
      const pause = wait?.();
      if (pause === undefined) ready(null);
      else pause.then(() => ready(null));
    },
  });
  return Object.assign(total, { sum: 0 });
};
const sumOf = async (...streams) => {
  await pipelinePromise(...streams);
  return streams.at(-1).sum;
};

/** Its streams end at undefined as at null, so such an event goes in a box. */
export const others = (array, steps) => {
  const [first, ...rest] = steps;
  const boxed = ([kind, fn], open) =>
    kind === "map" ? transform.map((event) => fn(open(event))) : transform.filter((event) => fn(open(event)));
  const source = numbers(array.length, (i) => ({ event: array[i] }));
  const made = [transform.map(({ event }) => event ?? ""), boxed(first, (event) => (event === "" ? undefined : event))];
  return sumOf(
    source,
    ...made,
    ...rest.map((one) => boxed(one, (event) => event)),
    adding((count) => count + 1),
  );
};

const through = {
  streamx: (events, { make, double, keep, add }) =>
    sumOf(numbers(events, make), transform.map(double), transform.filter(keep), adding(add)),
};
export const linear = { numbers: through, objects: through };

const fromInput = {
  streamx: (_, { double, keep, add }, input) =>
    sumOf(Readable.from(input), transform.map(double), transform.filter(keep), adding(add)),
};
// Readable.from takes arrays and async iterables, no other iterables.
export const iterable = { array: fromInput, "async generator": fromInput };

const mapped = {
  streamx: (events, { stages, inc, add }) =>
    sumOf(numbers(events), ...Array.from({ length: stages - 2 }, () => transform.map(inc)), adding(add)),
};
export const deep = { "20 stages": mapped, "4 stages": mapped };

const move = {
  streamx: async (bytes, { from, to, transforms }) => {
    await pipelinePromise(createReadStream(from), ...transforms(), createWriteStream(to));
    return bytes;
  },
};
export const node_bytes = { copy: move };

export const memory = {
  "ten million": { streamx: (events, { slow, add }) => sumOf(numbers(events), adding(add, slow())) },
};

export const startup = {
  "a pipeline of three steps": {
    streamx: [
      `import { pipelinePromise, Readable, Transform, Writable } from "streamx";`,
      `let sum = 0; await pipelinePromise(Readable.from([1, 2, 3]), new Transform({ transform(n, done) { if (n > 1) this.push(n * 2); done(null); } }), new Writable({ write(n, done) { sum += n; done(null); } }));`,
    ],
  },
};
export const size = startup;
