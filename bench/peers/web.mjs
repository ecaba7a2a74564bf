// Web streams, as Node has them.
import { open } from "node:fs/promises";
import { Writable } from "node:stream";
import { createWriteStream } from "node:fs";

const transform = {
  map: (fn) => new TransformStream({ transform: (event, controller) => controller.enqueue(fn(event)) }),
  filter: (fn) =>
    new TransformStream({
      transform(event, controller) {
        if (fn(event)) controller.enqueue(event);
      },
    }),
};
const numbers = (events, make = (i) => i) => {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next < events) controller.enqueue(make(next++));
      else controller.close();
    },
  });
};
const sumOf = async (source, add, wait) => {
  let sum = 0;
  const write = (event) => {
    sum = add(sum, event);
    return wait?.();
  };
  await source.pipeTo(new WritableStream({ write }));
  return sum;
};

export const others = (array, steps) =>
  sumOf(
    steps.reduce((source, [kind, fn]) => source.pipeThrough(transform[kind](fn)), ReadableStream.from(array)),
    (count) => count + 1,
  );

const doubledAndKept = (source, { double, keep }) =>
  source.pipeThrough(transform.map(double)).pipeThrough(transform.filter(keep));
const through = {
  "web streams": (events, work) => sumOf(doubledAndKept(numbers(events, work.make), work), work.add),
};
export const linear = { numbers: through, objects: through };

const fromInput = {
  "web streams": (_, work, input) => sumOf(doubledAndKept(ReadableStream.from(input), work), work.add),
};
export const iterable = {
  array: fromInput,
  generator: fromInput,
  "async generator": fromInput,
  "array, out by for await": {
    "web streams": async (_, work, input) => {
      let sum = 0;
      for await (const n of doubledAndKept(ReadableStream.from(input), work)) sum = work.add(sum, n);
      return sum;
    },
  },
};

const mapped = {
  "web streams": (events, { stages, inc, add }) => {
    let source = numbers(events);
    for (let stage = 2; stage < stages; stage += 1) source = source.pipeThrough(transform.map(inc));
    return sumOf(source, add);
  },
};
export const deep = { "20 stages": mapped, "4 stages": mapped };

const inAll = async (sums, add) => (await Promise.all(sums)).reduce(add, 0);

export const compete = {
  "four consumers": {
    "web reader, shared": (events, { add }) => {
      const reader = numbers(events).getReader();
      const consume = async () => {
        let sum = 0;
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return sum;
          sum = add(sum, value);
        }
      };
      return inAll([consume(), consume(), consume(), consume()], add);
    },
  },
};

const teed = {
  "web tee, unbounded": (events, { add, slow }) => {
    const [left, right] = numbers(events).tee();
    const all = [...left.tee(), ...right.tee()];
    return inAll(
      all.map((one, i) => sumOf(one, add, i === 0 ? slow?.() : undefined)),
      add,
    );
  },
};
export const broadcast = { "four consumers": teed, "one of four is slow": teed };

const move = {
  "web streams": async (bytes, { from, to, transforms }) => {
    const handle = await open(from);
    const source = handle.readableWebStream({ type: "bytes", autoClose: true });
    const changed = transforms().length > 0 ? source.pipeThrough(new CompressionStream("gzip")) : source;
    await changed.pipeTo(Writable.toWeb(createWriteStream(to)));
    return bytes;
  },
};
export const node_bytes = { copy: move, gzip: move };

export const fairness = {
  "under load": {
    "web streams": (over, count) => {
      const source = new ReadableStream({
        pull(controller) {
          if (over()) controller.close();
          else controller.enqueue(1);
        },
      });
      return source.pipeThrough(transform.map((n) => n * 2)).pipeTo(new WritableStream({ write: () => count(1) }));
    },
  },
};

export const startup = {
  "a pipeline of three steps": {
    "web streams": [
      "",
      `await ReadableStream.from([1, 2, 3]).pipeThrough(new TransformStream({ transform: (n, to) => to.enqueue(n * 2) })).pipeTo(new WritableStream({ write() {} }));`,
    ],
  },
};
