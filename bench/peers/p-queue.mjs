import PQueue from "p-queue";

const run = async (source, concurrency, handle) => {
  const queue = new PQueue({ concurrency });
  for (const event of source) {
    if (queue.size >= 4 * concurrency) await queue.onSizeLessThan(4 * concurrency);
    void queue.add(() => handle(event));
  }
  await queue.onIdle();
};

export const others = async (array, steps) => {
  let events = array;
  for (const [kind, fn] of steps) {
    const next = [];
    await run(events, 16, (event) => {
      const result = fn(event);
      if (kind === "map") next.push(result);
      else if (result) next.push(event);
    });
    events = next;
  }
  return events.length;
};

const queued = {
  "p-queue": async (_, { handler, concurrency, add }, source) => {
    let sum = 0;
    await run(source, concurrency, async (n) => {
      const result = await handler(n);
      sum = add(sum, result);
    });
    return sum;
  },
};
export const async = { "resolves at once": queued, "1 to 5 ms": queued };

function* numbers(events) {
  for (let i = 0; i < events; i += 1) yield i;
}
export const compete = {
  "four consumers": {
    "p-queue": async (events, { add }) => {
      let sum = 0;
      await run(numbers(events), 4, (n) => {
        sum = add(sum, n);
      });
      return sum;
    },
  },
};
