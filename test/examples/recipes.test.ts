import { createInterface } from "node:readline";
import { Readable, Writable } from "node:stream";
import { createGzip, gunzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { intoWritable, throughDuplex } from "../../adapters/node/index.ts";
import {
  type Consumer,
  collect,
  consumer,
  fromIterable,
  type ProducerConsumer,
  type ProducerConsumerBehaviour,
  pipeline,
  producer,
  producerConsumer,
  runtime,
} from "../../src/index.ts";
import { range, turns } from "../support/runtime.ts";

/** Several jobs at a time by hand, on the protocol alone. */
function pool<Job>(limit: number, work: (job: Job) => Promise<unknown>): Consumer<Job> {
  const running = new Set<Promise<unknown>>();
  return consumer<Job>({
    handleSubscribe: (_role, subscription) => subscription.ask(limit),
    handleEvents(jobs, subscription, stage) {
      for (const job of jobs) {
        const run = work(job)
          .then(() => subscription.ask(1))
          .catch((error: unknown) => stage.fail(error))
          .finally(() => running.delete(run));
        running.add(run);
      }
    },
    handleEnd: () => Promise.all(running),
    terminate: () => Promise.all(running),
  });
}

/** The same with results. */
function mapper<Job, Result>(limit: number, work: (job: Job) => Promise<Result>): ProducerConsumer<Job, Result> {
  const running = new Set<Promise<unknown>>();
  const behaviour: ProducerConsumerBehaviour<Job, Result> = {
    handleSubscribe(role, subscription) {
      if (role === "producer") subscription.ask(limit);
    },
    handleEvents(jobs, subscription, stage) {
      for (const job of jobs) {
        const run = work(job)
          .then((result) => {
            stage.push([result]);
            return subscription.ask(1);
          })
          .catch((error: unknown) => stage.fail(error))
          .finally(() => running.delete(run));
        running.add(run);
      }
    },
    handleEnd: async () => void (await Promise.all(running)),
    terminate: () => Promise.all(running),
  };
  return producerConsumer(behaviour);
}

/** Jobs that are finished by hand. */
class Desk {
  readonly open = new Map<number, PromiseWithResolvers<string>>();
  readonly started: number[] = [];
  readonly work = (job: number): Promise<string> => {
    const task = Promise.withResolvers<string>();
    this.open.set(job, task);
    this.started.push(job);
    return task.promise;
  };
  async finish(job: number, error?: Error): Promise<void> {
    const task = this.open.get(job);
    this.open.delete(job);
    if (error) task?.reject(error);
    else task?.resolve(`result ${job}`);
    await turns();
  }
}

const stateOf = async (promise: Promise<unknown>): Promise<string> => {
  let state = "pending";
  promise.then(
    () => (state = "fulfilled"),
    () => (state = "rejected"),
  );
  await turns();
  return state;
};

describe("a sliding window", () => {
  test.each(["synchronous", "asynchronous"])(
    "keeps as many jobs under way as it may, from a source that is %s",
    async (kind) => {
      const desk = new Desk();
      const jobs = pool(3, desk.work);
      const numbers = range(1, 6);
      const later = async function* (): AsyncGenerator<number> {
        yield* numbers;
      };
      jobs.subscribe(fromIterable(kind === "synchronous" ? numbers : later()), { demand: "manual" });
      await turns();
      expect(desk.started).toEqual([1, 2, 3]);
      await desk.finish(2);
      expect([...desk.open.keys()]).toEqual([1, 3, 4]);
      await desk.finish(1);
      await desk.finish(4);
      expect([...desk.open.keys()]).toEqual([3, 5, 6]);
    },
  );

  test("waits at the end for the jobs under way, whose failures count", async () => {
    for (const error of [undefined, new Error("bad")]) {
      const desk = new Desk();
      const jobs = pool(3, desk.work);
      jobs.subscribe(fromIterable([1, 2]), { demand: "manual" });
      await turns();
      await desk.finish(1);
      expect([jobs.state, await stateOf(jobs.done)]).toEqual(["ending", "pending"]);
      const done = jobs.done.then(
        () => "well",
        (reason: unknown) => reason,
      );
      await desk.finish(2, error);
      expect(await done).toBe(error ?? "well");
    }
  });

  test("fails with the error of a job once the others have ended, and gives back what it has not started", async () => {
    const desk = new Desk();
    const jobs = pool(2, desk.work);
    const source = producer<number>(() => {});
    source.push(range(1, 5));
    jobs.subscribe(source, { demand: "manual" });
    await turns();
    const error = new Error("bad");
    const done = jobs.done.catch((reason: unknown) => reason);
    await desk.finish(2, error);
    expect(await stateOf(done)).toBe("pending");
    await desk.finish(1);
    expect([await done, desk.started, source.bufferedCount]).toEqual([error, [1, 2], 3]);
    expect(await done).toBe(error);
    source.complete();
    expect(await pipeline(source, collect()).done).toEqual([3, 4, 5]);
  });

  test("stops when the jobs under way have ended; what fails then is reported", async () => {
    const desk = new Desk();
    const reports: unknown[] = [];
    vi.spyOn(console, "error").mockImplementation((...said) => void reports.push(said.at(-1)));
    const jobs = pool(2, desk.work);
    jobs.subscribe(fromIterable(range(1, 5)), { demand: "manual" });
    await turns();
    const stopped = jobs.stop();
    await desk.finish(1);
    expect(await stateOf(stopped)).toBe("pending");
    const late = new Error("late");
    await desk.finish(2, late);
    await stopped;
    vi.restoreAllMocks();
    expect([desk.started, jobs.state, reports]).toEqual([[1, 2], "stopped", [late]]);
  });

  test("behind a stopped source waits for the jobs under way; what fails then is reported", async () => {
    const desk = new Desk();
    const reports: unknown[] = [];
    vi.spyOn(console, "error").mockImplementation((...said) => void reports.push(said.at(-1)));
    const source = fromIterable(range(1, 5));
    const jobs = pool(2, desk.work);
    jobs.subscribe(source, { demand: "manual" });
    await turns();
    void source.stop();
    await desk.finish(1);
    expect(await stateOf(jobs.done)).toBe("pending");
    const late = new Error("late");
    await desk.finish(2, late);
    await jobs.done;
    vi.restoreAllMocks();
    expect([desk.started, jobs.state, reports]).toEqual([[1, 2], "stopped", [late]]);
  });

  test("passes results on in the order in which jobs finish, the last ones, too", async () => {
    const desk = new Desk();
    const results = mapper(2, desk.work);
    results.subscribe(fromIterable(range(1, 4)), { demand: "manual" });
    const { done } = pipeline(results, collect());
    await turns();
    for (const job of [2, 3, 1]) await desk.finish(job);
    expect([...desk.open.keys()]).toEqual([4]);
    await desk.finish(4);
    expect(await done).toEqual(["result 2", "result 3", "result 1", "result 4"]);
  });

  test("with results fails with the error of a job", async () => {
    const desk = new Desk();
    const results = mapper(2, desk.work);
    results.subscribe(fromIterable([1]), { demand: "manual" });
    const done = pipeline(results, collect()).done.catch((reason: unknown) => reason);
    await turns();
    const error = new Error("bad");
    await desk.finish(1, error);
    expect(await done).toBe(error);
  });
});

test.each([
  [undefined, 5],
  [0, 10],
])("batch by batch, a minDemand of %s runs %i of 10 at once", async (minDemand, most) => {
  const desk = new Desk();
  const worker = consumer((batch: readonly number[]) => Promise.all(batch.map(desk.work)));
  worker.subscribe(fromIterable(range(1, 30)), { maxDemand: 10, minDemand });
  await turns();
  expect(desk.started).toEqual(range(1, most));
  await worker.stop({ timeout: 1 });
});

/** A pipeline through gzip, stopped when some of it has been written; what has arrived. */
async function zipped(who: "source" | "pipeline"): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const some = Promise.withResolvers<void>();
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      some.resolve();
      done();
    },
  });
  const source = producer<string>(() => {});
  const running = pipeline(source, throughDuplex<string, Buffer>(createGzip()), intoWritable(sink));
  source.push(["tick\n"]);
  await some.promise;
  await (who === "source" ? source : running).stop();
  await running.done;
  await source.stop();
  return Buffer.concat(chunks);
}

test("the source lets a Duplex finish, the pipeline leaves it in the middle", async () => {
  expect(gunzipSync(await zipped("source")).toString()).toBe("tick\n");
  const cut = await zipped("pipeline");
  expect(() => gunzipSync(cut)).toThrow("unexpected end of file");
});

test.each([
  ["stop", [], [1, 2]],
  ["complete", ["1+2"], []],
])(
  "a source that is told to %s has what it holds delivered, and handleEnd run, or not",
  async (how, result, discarded) => {
    const lost: number[] = [];
    const source = producer<number>(() => {}, { onDiscard: ({ events }) => void lost.push(...events) });
    source.push([1, 2]);
    const seen: number[] = [];
    const sum = producerConsumer<number, string>({
      handleEvents: (events) => void seen.push(...events),
      handleEnd: () => [seen.join("+")],
    });
    const { done } = pipeline(source, sum, collect());
    if (how === "stop") await source.stop();
    else await source.call((stage) => stage.complete());
    expect([await done, lost]).toEqual([result, discarded]);
  },
);

test("lines that an interface read before somebody asked are lost, and so is its end", async () => {
  const made = createInterface({ input: Readable.from(["a\n", "b\n"]) });
  await new Promise((resolve) => made.once("close", resolve));
  const late = pipeline(fromIterable(made), collect());
  expect(await stateOf(late.done)).toBe("pending");
  await late.stop({ timeout: 1 });
  // These lines are read at once, which those of a file are not: stages that have used up their budget would come too late.
  const patient = runtime({ budget: 60_000 });
  const now = createInterface({ input: Readable.from(["a\n", "b\n"]) });
  expect(await pipeline(fromIterable(now, { runtime: patient }), collect()).done).toEqual(["a", "b"]);
});

test("fake timers do not reach stages", async () => {
  vi.useFakeTimers();
  try {
    const stuck = consumer(() => new Promise(() => {}));
    stuck.subscribe(fromIterable([1]));
    await stuck.stop({ timeout: 1 });
    expect(stuck.state).toBe("stopped");
  } finally {
    vi.useRealTimers();
  }
});
