// Floors: what the same work costs in a hand-written loop, without any library.

export const others = async (array, steps) => steps.reduce((events, [kind, fn]) => events[kind](fn), array).length;

const linearLoop = {
  "floor: plain loop": async (events, { make, double, keep, add }) => {
    let sum = 0;
    for (let i = 0; i < events; i += 1) {
      const doubled = double(make(i));
      if (keep(doubled)) sum = add(sum, doubled);
    }
    return sum;
  },
  // Three arrays made once, filled by hand: what batches cost without stages.
  "floor: arrays of 1000": async (events, { make, double, keep, add }) => {
    const [numbers, doubled, kept] = [[], [], []];
    let sum = 0;
    for (let from = 0; from < events; from += 1000) {
      const size = Math.min(1000, events - from);
      for (let i = 0; i < size; i += 1) numbers[i] = make(from + i);
      for (let i = 0; i < size; i += 1) doubled[i] = double(numbers[i]);
      let n = 0;
      for (let i = 0; i < size; i += 1) if (keep(doubled[i])) kept[n++] = doubled[i];
      for (let i = 0; i < n; i += 1) sum = add(sum, kept[i]);
    }
    return sum;
  },
};
export const linear = { numbers: linearLoop, objects: linearLoop };

const deepLoop = {
  "floor: plain loop": async (events, { stages, inc, add }) => {
    let sum = 0;
    for (let i = 0; i < events; i += 1) {
      let n = i;
      for (let stage = 2; stage < stages; stage += 1) n = inc(n);
      sum = add(sum, n);
    }
    return sum;
  },
};
export const deep = { "20 stages": deepLoop, "4 stages": deepLoop };

const inFour = (share) => async (events, work) => {
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < events; i += 1) share(sums, i, work);
  return sums.reduce(work.add, 0);
};
export const compete = {
  "four consumers": {
    "floor: plain loop": inFour((sums, i, { add }) => {
      sums[i & 3] = add(sums[i & 3], i);
    }),
  },
};
const byKey = {
  "floor: plain loop": inFour((sums, i, { group, add }) => {
    const one = group(i);
    sums[one] = add(sums[one], i);
  }),
};
export const partition = { uniform: byKey, zipf: byKey };

const toAll = async (events, { add }) => {
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < events; i += 1) for (let k = 0; k < 4; k += 1) sums[k] = add(sums[k], i);
  return sums.reduce(add, 0);
};
const toAllSlowly = async (events, { add, slow }) => {
  const wait = slow();
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < events; i += 1) {
    for (let k = 0; k < 4; k += 1) sums[k] = add(sums[k], i);
    const pause = wait();
    if (pause !== undefined) await pause;
  }
  return sums.reduce(add, 0);
};
export const broadcast = {
  "four consumers": { "floor: plain loop": toAll },
  "one of four is slow": { "floor: await in a loop": toAllSlowly },
};

export const merge = {
  "four sources": {
    "floor: plain loop": async (events, { add }) => {
      let sum = 0;
      for (let i = 0; i < events / 4; i += 1) for (let k = 0; k < 4; k += 1) sum = add(sum, i);
      return sum;
    },
  },
};

const loopOver = async (_, { double, keep, add }, input) => {
  let sum = 0;
  for (const n of input) {
    const doubled = double(n);
    if (keep(doubled)) sum = add(sum, doubled);
  }
  return sum;
};
export const iterable = {
  array: { "floor: for of": loopOver },
  generator: { "floor: for of": loopOver },
  "async generator": {
    "floor: for await": async (_, { double, keep, add }, input) => {
      let sum = 0;
      for await (const n of input) {
        const doubled = double(n);
        if (keep(doubled)) sum = add(sum, doubled);
      }
      return sum;
    },
  },
  "array, out by for await": { "floor: for of": loopOver },
};

/** Calls one behind the other: nothing is at work at a time but one. */
const oneByOne = {
  "floor: await in a loop": async (_, { handler, add }, source) => {
    let sum = 0;
    for (const n of source) sum = add(sum, await handler(n));
    return sum;
  },
};
export const async = { "resolves at once": oneByOne };

export const fairness = {
  "under load": {
    "floor: idle": (over) =>
      new Promise((resolve) => {
        const look = () => (over() ? resolve() : setTimeout(look, 1));
        look();
      }),
  },
};

export const memory = {
  "ten million": {
    "floor: await in a loop": async (events, { slow, add }) => {
      const wait = slow();
      let sum = 0;
      for (let i = 0; i < events; i += 1) {
        const pause = wait();
        if (pause !== undefined) await pause;
        sum = add(sum, i);
      }
      return sum;
    },
  },
};

export const startup = { "a pipeline of three steps": { "floor: bare node": ["", ""] } };
