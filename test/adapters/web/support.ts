import { range } from "../../support/runtime.ts";

export { codeOf, counted, type Outcome, probe, upstream, watch } from "../node/support.ts";

/** What was reported, in a form that `onReport` takes. */
export function reporting(): {
  readonly reports: (readonly [error: unknown, phase: string])[];
  readonly onReport: (error: unknown, where: { readonly phase: string }) => void;
} {
  const reports: (readonly [unknown, string])[] = [];
  return { reports, onReport: (error, { phase }) => void reports.push([error, phase]) };
}

export interface Origin<T> {
  readonly stream: ReadableStream<T>;
  readonly controller: ReadableStreamDefaultController<T>;
  readonly pulls: number;
  /** The reasons it was cancelled with. */
  readonly cancels: unknown[];
}

/** A stream by hand: it enqueues what `pull` says, and counts. */
export function origin<T>(
  options: {
    readonly highWaterMark?: number;
    readonly pull?: (controller: ReadableStreamDefaultController<T>, pulls: number) => void | Promise<void>;
    readonly cancel?: (reason: unknown) => void | Promise<void>;
  } = {},
): Origin<T> {
  let controller!: ReadableStreamDefaultController<T>;
  let pulls = 0;
  const cancels: unknown[] = [];
  const stream = new ReadableStream<T>(
    {
      start: (given) => {
        controller = given;
      },
      pull: (given) => {
        pulls += 1;
        return options.pull?.(given, pulls);
      },
      cancel: (reason) => {
        cancels.push(reason);
        return options.cancel?.(reason);
      },
    },
    { highWaterMark: options.highWaterMark ?? 0 },
  );
  return {
    stream,
    controller,
    cancels,
    get pulls() {
      return pulls;
    },
  };
}

/** A stream that gives 1, 2, … one per pull, and closes behind `last`. */
export const counting = (last: number, highWaterMark = 0): Origin<number> =>
  origin<number>({
    highWaterMark,
    pull: (controller, pulls) => {
      controller.enqueue(pulls);
      if (pulls === last) controller.close();
    },
  });

/** A stream in whose queue these chunks stand. */
export function queued<T>(...chunks: readonly T[]): Origin<T> {
  const it = origin<T>({ highWaterMark: Number.POSITIVE_INFINITY });
  for (const chunk of chunks) it.controller.enqueue(chunk);
  return it;
}

/** A byte stream by hand. */
export function byteOrigin(
  pull: (controller: ReadableByteStreamController) => void = () => {},
  highWaterMark = 0,
): { readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>; readonly controller: ReadableByteStreamController } {
  let controller!: ReadableByteStreamController;
  const stream = new ReadableStream(
    {
      type: "bytes",
      start: (given) => {
        controller = given;
      },
      pull,
    },
    { highWaterMark },
  );
  return { stream, controller };
}

/** Bytes 0, 1, 2, … */
export const bytes = (length: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length }, (_, i) => i);

/** A stream to write to, by hand: each write waits until it is acknowledged. */
export class Drain<T> {
  readonly written: T[] = [];
  /** What happened besides writes, in order. */
  readonly log: unknown[] = [];
  readonly stream: WritableStream<T>;
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  controller!: WritableStreamDefaultController;

  constructor(
    options: {
      readonly highWaterMark?: number;
      /** Writes are acknowledged at once. */
      readonly fast?: boolean;
      readonly close?: () => void | Promise<void>;
      readonly abort?: (reason: unknown) => void | Promise<void>;
    } = {},
  ) {
    const { highWaterMark = 1, fast = false } = options;
    this.stream = new WritableStream<T>(
      {
        start: (controller) => {
          this.controller = controller;
        },
        write: (chunk) => {
          this.written.push(chunk);
          if (fast) return undefined;
          const waiting = Promise.withResolvers<void>();
          this.#waiting.push(waiting);
          return waiting.promise;
        },
        close: () => {
          this.log.push("close");
          return options.close?.();
        },
        abort: (reason) => {
          this.log.push(["abort", reason]);
          return options.abort?.(reason);
        },
      },
      { highWaterMark },
    );
  }
  /** Acknowledges the write under way. */
  acknowledge(): void {
    this.#waiting.shift()?.resolve();
  }
  /** Fails the write under way. */
  fail(error: unknown): void {
    this.#waiting.shift()?.reject(error);
  }
}

/** How a stream has ended, as whoever holds its reader or writer sees it; undefined until then. */
export function endOf(held: { readonly closed: Promise<unknown> }): {
  outcome?: "closed" | { readonly error: unknown };
} {
  const end: { outcome?: "closed" | { readonly error: unknown } } = {};
  const tell = (outcome: "closed" | { readonly error: unknown }): void => {
    end.outcome = outcome;
  };
  held.closed.then(
    () => tell("closed"),
    (error: unknown) => tell({ error }),
  );
  return end;
}

/** A signal that counts its listeners. */
export function countedSignal(): { readonly controller: AbortController; readonly listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    count += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    count -= 1;
    remove(...args);
  };
  return { controller, listeners: () => count };
}

/** Runs `body` and answers with the rejections that nobody has handled, errors that nobody has caught, and warnings. */
export async function unheard(body: () => Promise<void>): Promise<unknown[]> {
  const seen: unknown[] = [];
  const note = (what: unknown): void => void seen.push(what);
  const events = ["unhandledRejection", "uncaughtException", "warning"] as const;
  const others = events.map((event) => process.listeners(event as "warning"));
  for (const event of events) process.removeAllListeners(event).on(event, note);
  try {
    await body();
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    for (const [i, event] of events.entries()) {
      process.removeAllListeners(event);
      for (const other of others[i] ?? []) process.on(event as "warning", other);
    }
  }
  return seen;
}

/** The numbers 1 to `n`. */
export const upTo = (n: number): number[] => range(1, n);
