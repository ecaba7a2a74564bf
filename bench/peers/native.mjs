// What the language has: async generators, iterator helpers.

export const others = async (array, steps) => {
  let source = values(array);
  for (const [kind, fn] of steps) source = step[kind](source, fn);
  let count = 0;
  for await (const _ of source) count += 1;
  const helped = steps.reduce((events, [kind, fn]) => events[kind](fn), array.values()).reduce((n) => n + 1, 0);
  if (helped !== count) throw new Error(`expected ${count}, got ${helped}`);
  return count;
};

async function* values(array) {
  yield* array;
}
const step = {
  async *map(source, fn) {
    for await (const event of source) yield fn(event);
  },
  async *filter(source, accept) {
    for await (const event of source) if (accept(event)) yield event;
  },
};
async function* numbers(events, make = (i) => i) {
  for (let i = 0; i < events; i += 1) yield make(i);
}
function* counted(events, make) {
  for (let i = 0; i < events; i += 1) yield make(i);
}
async function sumOf(source, add) {
  let sum = 0;
  for await (const event of source) sum = add(sum, event);
  return sum;
}

const through = (source, { double, keep, add }) => sumOf(step.filter(step.map(source, double), keep), add);
const helpers = async (source, { double, keep, add }) => source.map(double).filter(keep).reduce(add, 0);
const both = {
  "async generators": (events, work) => through(numbers(events, work.make), work),
  "iterator helpers": (events, work) => helpers(counted(events, work.make), work),
};
export const linear = { numbers: both, objects: both };

const generators = { "async generators": (_, work, input) => through(input, work) };
export const iterable = {
  array: { ...generators, "iterator helpers": (_, work, input) => helpers(input.values(), work) },
  generator: { ...generators, "iterator helpers": (_, work, input) => helpers(input, work) },
  "async generator": generators,
  "array, out by for await": generators,
};

const mapped = {
  "async generators": (events, { stages, inc, add }) => {
    let source = numbers(events);
    for (let stage = 2; stage < stages; stage += 1) source = step.map(source, inc);
    return sumOf(source, add);
  },
};
export const deep = { "20 stages": mapped, "4 stages": mapped };

const inAll = async (sums, add) => (await Promise.all(sums)).reduce(add, 0);

export const compete = {
  "four consumers": {
    "async iterator, shared": (events, { add }) => {
      const source = numbers(events);
      return inAll(
        Array.from({ length: 4 }, () => sumOf(source, add)),
        add,
      );
    },
  },
};

/** Whichever has an event first: a promise of each source is raced. */
async function* merged(sources) {
  const waiting = new Map(sources.map((source) => [source, ask(source)]));
  while (waiting.size > 0) {
    const { source, done, value } = await Promise.race(waiting.values());
    if (done) waiting.delete(source);
    else {
      waiting.set(source, ask(source));
      yield value;
    }
  }
}
const ask = async (source) => ({ source, ...(await source.next()) });

export const merge = {
  "four sources": {
    "async generators": (events, { add }) =>
      sumOf(merged(Array.from({ length: 4 }, () => numbers(Math.ceil(events / 4)))), add),
  },
};

export const fairness = {
  "under load": {
    "async generators": async (over, count) => {
      async function* untilOver() {
        while (!over()) yield 1;
      }
      for await (const _ of step.map(untilOver(), (n) => n * 2)) count(1);
    },
  },
};

export const memory = {
  "ten million": {
    "async generators": async (events, { slow, add }) => {
      const wait = slow();
      let sum = 0;
      for await (const n of numbers(events)) {
        const pause = wait();
        if (pause !== undefined) await pause;
        sum = add(sum, n);
      }
      return sum;
    },
  },
};
