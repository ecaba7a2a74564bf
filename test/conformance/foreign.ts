import { Readable, Writable } from "node:stream";
import type { Adapter, SourceOptions, SourceSubject } from "../../src/conformance/index.ts";

/** What a foreign source counts, and how it ends. */
export interface Plan {
  readonly count: number;
  /** What it fails with behind its events. */
  readonly failure?: { readonly error: unknown };
  /** What its release fails with. */
  readonly release?: { readonly error: unknown };
  /** It never says anything. */
  readonly silent?: boolean;
}

export class Tally {
  taken = 0;
  released = 0;
  readonly plan: Plan;

  constructor(plan: Plan) {
    this.plan = plan;
  }
  get more(): boolean {
    return this.taken < this.plan.count;
  }
  take(): number {
    this.taken += 1;
    return this.taken - 1;
  }
  release(): void {
    this.released += 1;
    if (this.plan.release) throw this.plan.release.error;
  }
}

/** All source factories of an adapter, from one that follows a plan. */
export function sourcesOf(
  make: (tally: Tally, options: SourceOptions) => SourceSubject["producer"],
): Required<Pick<Adapter, "source" | "failedSource" | "failedRelease" | "silentSource">> {
  const subject = (plan: Plan, options: SourceOptions): SourceSubject => {
    const tally = new Tally(plan);
    return { producer: make(tally, options), taken: () => tally.taken, released: () => tally.released };
  };
  return {
    source: (count, options) => subject({ count }, options),
    failedSource: (error, count, options) => subject({ count, failure: { error } }, options),
    failedRelease: (error, options) => subject({ count: 10, release: { error } }, options),
    silentSource: (options) => subject({ count: 0, silent: true }, options),
  };
}

export function iterator(tally: Tally): Iterable<number> {
  return {
    [Symbol.iterator]: () => ({
      next: () => {
        if (tally.more) return { done: false, value: tally.take() };
        if (tally.plan.failure) throw tally.plan.failure.error;
        return { done: true, value: undefined };
      },
      return: () => {
        tally.release();
        return { done: true, value: undefined };
      },
    }),
  };
}

export function asyncIterator(tally: Tally): AsyncIterable<number> {
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        if (tally.plan.silent) return new Promise(() => {});
        await Promise.resolve();
        if (tally.more) return { done: false, value: tally.take() };
        if (tally.plan.failure) throw tally.plan.failure.error;
        return { done: true, value: undefined };
      },
      return: async () => {
        tally.release();
        return { done: true, value: undefined };
      },
    }),
  };
}

export function readable(tally: Tally, highWaterMark: number, chunk?: (n: number) => unknown): Readable {
  return new Readable({
    objectMode: chunk === undefined,
    highWaterMark,
    read() {
      const { plan } = tally;
      if (plan.silent) return;
      if (tally.more) {
        const n = tally.take();
        this.push(chunk ? chunk(n) : n);
      } else if (plan.failure) this.destroy(plan.failure.error as Error);
      else this.push(null);
    },
    destroy(error, done) {
      tally.released += 1;
      done((tally.plan.release?.error as Error | undefined) ?? error);
    },
  });
}

export function readableStream(tally: Tally): ReadableStream<number> {
  const { plan } = tally;
  const end = (controller: ReadableStreamDefaultController<number>): void => {
    if (tally.more || plan.silent) return;
    if (plan.failure) controller.error(plan.failure.error);
    else controller.close();
  };
  return new ReadableStream(
    {
      start: (controller) => {
        if (!plan.failure) end(controller);
      },
      pull: (controller) => {
        if (tally.more) controller.enqueue(tally.take());
        else if (plan.failure) return end(controller);
        else if (plan.silent) return new Promise<void>(() => {});
        if (!plan.failure) end(controller);
        return undefined;
      },
      cancel: () => tally.release(),
    },
    { highWaterMark: 0 },
  );
}

type Done = (error?: Error | null) => void;
/** Calls back when a promise has settled, or at once. */
const then = (promise: Promise<void> | undefined, done: Done): void => {
  if (promise === undefined) done();
  // oxlint-disable-next-line no-callback-in-promise -- streams are told by callbacks
  else promise.then(() => done(), done);
};

export function writable(probe: Parameters<NonNullable<Adapter["sink"]>>[0], highWaterMark: number): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark,
    write: (event, _encoding, done) => then(probe.event(event), done),
    final: (done) => then(probe.end(), done),
    destroy: (error, done) => {
      if (error) probe.fail(error);
      done(error);
    },
  });
}
