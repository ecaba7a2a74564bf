// The async scenario: a generator's numbers, an async handler, 16 calls at a time, and the sum of the results.
// node bench/async.mjs [--json] [--runs N] [--events N] [--slow-events N]
// node bench/async.mjs run CONTESTANT EVENTS at-once|slow; prints the seconds of wall time and of CPU time. Five
// shorter runs go before, unmeasured: what is compared is code that the engine has optimized.
import { Readable } from "node:stream";
import { parseArgs } from "node:util";
import { inTurns, machine, median, spread, timed } from "./turns.mjs";

const CONCURRENCY = 16;
const KEYS = 1000;

const handlers = {
  "at-once": async (n) => n + 1,
  // Real timers of 1 to 5 ms.
  slow: (n) => new Promise((resolve) => setTimeout(resolve, 1 + ((Math.imul(n, 0x9e3779b1) >>> 16) % 5), n + 1)),
};

/** Keys that come in no order, so that events of one key meet. */
const keyOf = (n) => (Math.imul(n, 0x9e3779b1) >>> 8) % KEYS;

function* numbers(events) {
  for (let n = 0; n < events; n += 1) yield n;
}

/** Each gets the same generator and handler, and returns the sum of the results. */
const contestants = {
  "p-map": async () => {
    const { default: pMap } = await import("p-map");
    return async (source, handler) => {
      let sum = 0;
      for (const result of await pMap(source, handler, { concurrency: CONCURRENCY })) sum += result;
      return sum;
    };
  },

  "p-queue": async () => {
    const { default: PQueue } = await import("p-queue");
    return async (source, handler) => {
      const queue = new PQueue({ concurrency: CONCURRENCY });
      let sum = 0;
      const add = (result) => {
        sum += result;
      };
      for (const n of source) {
        if (queue.size >= 4 * CONCURRENCY) await queue.onSizeLessThan(4 * CONCURRENCY);
        void queue.add(() => handler(n)).then(add);
      }
      await queue.onIdle();
      return sum;
    };
  },

  // The sources are pulled by hand, as there is room: a queue of 200,000 would be slower.
  fastq: async () => {
    const { default: fastq } = await import("fastq");
    return (source, handler) =>
      new Promise((resolve, reject) => {
        const queue = fastq.promise(handler, CONCURRENCY);
        let sum = 0;
        let open = 0;
        const next = () => {
          const { done, value } = source.next();
          if (done) return;
          open += 1;
          queue.push(value).then(settled, reject);
        };
        const settled = (result) => {
          sum += result;
          open -= 1;
          next();
          if (open === 0) resolve(sum);
        };
        for (let i = 0; i < 4 * CONCURRENCY; i += 1) next();
      });
  },
  "fastq, callbacks": async () => {
    const { default: fastq } = await import("fastq");
    return (source, handler) =>
      new Promise((resolve, reject) => {
        let sum = 0;
        const worker = (n, settle) => {
          handler(n).then((result) => settle(null, result), settle);
        };
        const queue = fastq(worker, CONCURRENCY);
        const next = () => {
          const { done, value } = source.next();
          if (!done) queue.push(value, settled);
        };
        const settled = (error, result) => {
          if (error) reject(error);
          sum += result;
          next();
        };
        queue.drain = () => resolve(sum);
        for (let i = 0; i < 4 * CONCURRENCY; i += 1) next();
      });
  },

  "rxjs mergeMap": async () => {
    const { from, mergeMap } = await import("rxjs");
    return (source, handler) =>
      new Promise((resolve, reject) => {
        let sum = 0;
        from(source)
          .pipe(mergeMap(handler, CONCURRENCY))
          .subscribe({
            next: (result) => {
              sum += result;
            },
            error: reject,
            complete: () => resolve(sum),
          });
      });
  },

  "node map": () => async (source, handler) => {
    let sum = 0;
    for await (const result of Readable.from(source).map(handler, { concurrency: CONCURRENCY })) sum += result;
    return sum;
  },

  "effect, ordered": () => effect({ concurrency: CONCURRENCY }),
  "effect, unordered": () => effect({ concurrency: CONCURRENCY, unordered: true }),

  "headrace, defaults": () => headrace(({ mapAsync }, handler) => mapAsync(handler)),
  "headrace, ordered: false": () => headrace(({ mapAsync }, handler) => mapAsync(handler, { ordered: false })),
  "headrace, 1000 keys": () => headrace(({ mapAsync }, handler) => mapAsync(handler, { key: keyOf })),
  "headrace, forEach": async () => {
    const { forEach, pipeline } = await import("../dist/src/index.js");
    return async (source, handler) => {
      let sum = 0;
      const each = async (n) => {
        const result = await handler(n);
        sum += result;
      };
      await pipeline(source, forEach(each, { concurrency: CONCURRENCY }));
      return sum;
    };
  },
};

async function effect(options) {
  const { Effect, Stream } = await import("effect");
  return (source, handler) => {
    let sum = 0;
    const mapped = Stream.mapEffect(Stream.fromIterable(source), (n) => Effect.promise(() => handler(n)), options);
    const all = Stream.runForEach(mapped, (result) =>
      Effect.sync(() => {
        sum += result;
      }),
    );
    return Effect.runPromise(all).then(() => sum);
  };
}

async function headrace(step) {
  const core = await import("../dist/src/index.js");
  return (source, handler) =>
    core.pipeline(
      source,
      step(core, handler),
      core.reduce((sum, n) => sum + n, 0),
    ).done;
}

if (process.argv[2] === "run") await run(...process.argv.slice(3));
else compare();

async function run(name, count, kind) {
  const events = Number(count);
  const handler = handlers[kind];
  const contestant = await contestants[name]();
  const shorter = kind === "slow" ? 200 : events / 2;
  for (let i = 0; i < 5; i += 1) await contestant(numbers(Math.ceil(shorter)), handler);
  const { result, seconds, cpu } = await timed(() => contestant(numbers(events), handler));
  const expected = (events * (events + 1)) / 2;
  if (result !== expected) throw new Error(`${name}: expected ${expected}, got ${result}`);
  console.log(JSON.stringify({ seconds, cpu }));
}

function compare() {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      runs: { type: "string", default: "5" },
      events: { type: "string", default: "200000" },
      "slow-events": { type: "string", default: "20000" },
    },
  });
  const runs = Number(values.runs);
  const rows = [
    ...measure("at-once", Number(values.events), runs),
    ...measure("slow", Number(values["slow-events"]), runs),
  ];
  if (values.json) console.log(JSON.stringify(rows));
  else print(rows, runs);
}

function measure(kind, events, runs) {
  const names = Object.keys(contestants);
  const measured = inTurns(names, runs, (name) => [process.argv[1], "run", name, String(events), kind]);
  return names.map((library, i) => {
    const wall = measured[i].map(({ seconds }) => seconds);
    const cpu = median(measured[i].map((one) => one.cpu));
    const seconds = median(wall);
    return { scenario: `async ${kind}`, library, events, seconds, cpu, spread: spread(wall) };
  });
}

function print(rows, runs) {
  console.log(machine("p-map", "p-queue", "fastq", "rxjs", "effect"));
  console.log(`async: medians of ${runs} runs in turn, a process each, ${CONCURRENCY} calls at a time\n`);
  for (const kind of Object.keys(handlers)) {
    const own = rows.filter(({ scenario }) => scenario === `async ${kind}`);
    const theirs = own.filter(({ library }) => !library.startsWith("headrace"));
    const fastest = theirs.toSorted((a, b) => a.seconds - b.seconds)[0];
    const thriftiest = theirs.toSorted((a, b) => a.cpu - b.cpu)[0];
    console.log(
      `${own[0].events} events, ${kind}: speed as a multiple of that of ${fastest.library}, CPU time of ${thriftiest.library}`,
    );
    for (const { library, events, seconds, cpu, spread: apart } of own)
      console.log(
        `${library.padEnd(26)} ${(events / seconds / 1000).toFixed(1).padStart(8)} k/s ` +
          `${(fastest.seconds / seconds).toFixed(2).padStart(6)} ×   CPU ${((cpu / events) * 1e6).toFixed(2).padStart(6)} µs/event ` +
          `${(cpu / thriftiest.cpu).toFixed(2).padStart(6)} ×   ±${(50 * apart).toFixed(0).padStart(3)} %`,
      );
    console.log();
  }
}
