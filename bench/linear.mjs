// One run of the linear scenario: numbers → double → keep multiples of 3 → sum, in four separate stages.
// node bench/linear.mjs LIBRARY EVENTS [MAX_DEMAND]; prints events per second. A tenth of the run goes before, unmeasured.
import { Readable, Transform, Writable } from "node:stream";
import { filter, map, range } from "rxjs";
import { consumer, producer, producerConsumer } from "../dist/src/index.js";

const [library, count, demand] = process.argv.slice(2);

/** What every library must come to. */
const expected = (events) => {
  const kept = Math.ceil(events / 3);
  return 3 * kept * (kept - 1);
};

const libraries = {
  headrace: async (events) => {
    let next = 0;
    let sum = 0;
    const numbers = producer({
      handleDemand(wanted, stage) {
        const from = next;
        const size = Math.min(wanted, events - from);
        const out = new Array(size);
        for (let i = 0; i < size; i += 1) out[i] = from + i;
        next = from + size;
        if (next === events) stage.complete();
        return out;
      },
    });
    const doubled = producerConsumer((batch) => {
      const size = batch.length;
      const out = new Array(size);
      for (let i = 0; i < size; i += 1) out[i] = batch[i] * 2;
      return out;
    });
    const kept = producerConsumer((batch) => {
      const size = batch.length;
      const out = new Array(size);
      let n = 0;
      for (let i = 0; i < size; i += 1) {
        const event = batch[i];
        if (event % 3 === 0) out[n++] = event;
      }
      if (n === 0) return undefined;
      if (n < size) out.length = n;
      return out;
    });
    const total = consumer((batch) => {
      const size = batch.length;
      for (let i = 0; i < size; i += 1) sum += batch[i];
    });
    const options = { maxDemand: Number(demand ?? 1000) };
    total.subscribe(kept, options);
    kept.subscribe(doubled, options);
    doubled.subscribe(numbers, options);
    await total.done;
    return sum;
  },

  // The floor: no stages at all.
  "plain loop": async (events) => {
    let sum = 0;
    for (let i = 0; i < events; i += 1) {
      const doubled = i * 2;
      if (doubled % 3 === 0) sum += doubled;
    }
    return sum;
  },

  // The floor with batches: three arrays made once, filled by hand.
  "arrays of 1000": async (events) => {
    const numbers = new Array(1000).fill(0);
    const doubled = new Array(1000).fill(0);
    const kept = new Array(1000).fill(0);
    let sum = 0;
    for (let from = 0; from < events; from += 1000) {
      const size = Math.min(1000, events - from);
      for (let i = 0; i < size; i += 1) numbers[i] = from + i;
      for (let i = 0; i < size; i += 1) doubled[i] = numbers[i] * 2;
      let n = 0;
      for (let i = 0; i < size; i += 1) if (doubled[i] % 3 === 0) kept[n++] = doubled[i];
      for (let i = 0; i < n; i += 1) sum += kept[i];
    }
    return sum;
  },

  rxjs: (events) =>
    new Promise((resolve, reject) => {
      let sum = 0;
      range(0, events)
        .pipe(
          map((n) => n * 2),
          filter((n) => n % 3 === 0),
        )
        .subscribe({
          next: (n) => {
            sum += n;
          },
          error: reject,
          complete: () => resolve(sum),
        });
    }),

  "node transforms": (events) =>
    new Promise((resolve, reject) => {
      let next = 0;
      let sum = 0;
      const numbers = new Readable({
        objectMode: true,
        read() {
          this.push(next < events ? next++ : null);
        },
      });
      const doubled = new Transform({ objectMode: true, transform: (n, _, done) => done(null, n * 2) });
      const kept = new Transform({
        objectMode: true,
        transform(n, _, done) {
          if (n % 3 === 0) this.push(n);
          done();
        },
      });
      const total = new Writable({
        objectMode: true,
        write(n, _, done) {
          sum += n;
          done();
        },
      });
      for (const stream of [numbers, doubled, kept, total]) stream.on("error", reject);
      numbers
        .pipe(doubled)
        .pipe(kept)
        .pipe(total)
        .on("finish", () => resolve(sum));
    }),

  "async generators": async (events) => {
    async function* numbers() {
      for (let i = 0; i < events; i += 1) yield i;
    }
    async function* doubled(source) {
      for await (const n of source) yield n * 2;
    }
    async function* kept(source) {
      for await (const n of source) if (n % 3 === 0) yield n;
    }
    let sum = 0;
    for await (const n of kept(doubled(numbers()))) sum += n;
    return sum;
  },
};

const run = libraries[library];
const events = Number(count);
await run(Math.ceil(events / 10));
const start = performance.now();
const sum = await run(events);
const seconds = (performance.now() - start) / 1000;
if (sum !== expected(events)) throw new Error(`${library}: expected ${expected(events)}, got ${sum}`);
console.log(Math.round(events / seconds));
