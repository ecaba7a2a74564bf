// fastq: queues with a promise for each call ("fastq"), and with callbacks. It has no sources, so these are pulled by
// hand as there is room: a queue of all events would be slower.
import fastq from "fastq";

/** Gives `push` an event for each that is done, and keeps four times the concurrency queued. */
function feed(source, concurrency, push) {
  const next = () => {
    const { done, value } = source.next();
    if (!done) push(value, next);
  };
  for (let i = 0; i < 4 * concurrency; i += 1) next();
}

const promised = (source, worker, concurrency, took) =>
  new Promise((resolve, reject) => {
    const queue = fastq.promise(worker, concurrency);
    let open = 0;
    feed(source, concurrency, (event, next) => {
      open += 1;
      const settled = (result) => {
        took(result);
        open -= 1;
        next();
        if (open === 0) resolve();
      };
      queue.push(event).then(settled, reject);
    });
  });

const calledBack = (source, worker, concurrency, took) =>
  new Promise((resolve, reject) => {
    const queue = fastq((event, settle) => worker(event).then((result) => settle(null, result), settle), concurrency);
    queue.drain = resolve;
    feed(source, concurrency, (event, next) => {
      queue.push(event, (error, result) => {
        if (error) reject(error);
        took(result);
        next();
      });
    });
  });

export const others = async (array, steps) => {
  let events = array;
  for (const [kind, fn] of steps) {
    const results = [];
    const worker = async (event) => ({ event, result: fn(event) });
    await promised(events.values(), worker, 16, ({ event, result }) => {
      if (kind === "map") results.push(result);
      else if (result) results.push(event);
    });
    events = results;
  }
  return events.length;
};

const summed =
  (form) =>
  async (_, { handler, concurrency, add }, source) => {
    let sum = 0;
    await form(source, handler, concurrency, (result) => {
      sum = add(sum, result);
    });
    return sum;
  };
const queued = { fastq: summed(promised), "fastq, callbacks": summed(calledBack) };
export const async = { "resolves at once": queued, "1 to 5 ms": queued };

function* numbers(events) {
  for (let i = 0; i < events; i += 1) yield i;
}
export const compete = {
  "four consumers": {
    fastq: async (events, { add }) => {
      let sum = 0;
      await promised(
        numbers(events),
        async (n) => n,
        4,
        (n) => {
          sum = add(sum, n);
        },
      );
      return sum;
    },
  },
};
