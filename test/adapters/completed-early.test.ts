import { Readable } from "node:stream";
import { Subject } from "rxjs";
import { describe, expect, test } from "vitest";
import { fromReadable } from "../../adapters/node/index.ts";
import { fromObservable } from "../../adapters/rxjs/index.ts";
import { fromIterable, type Producer } from "../../src/index.ts";
import { RawConsumer } from "../support/stages.ts";
import { testRuntime, turns } from "../support/runtime.ts";

/** A source of an adapter, and how the other system emits and is seen to be left. */
interface Fed {
  readonly stage: Producer<number>;
  readonly emit: (event: number) => unknown;
  readonly left: () => boolean;
}
type Options = { readonly runtime: ReturnType<typeof testRuntime>; readonly onReport: (error: unknown) => void };

const sources: Readonly<Record<string, (options: Options) => Fed>> = {
  fromIterable: (options) => {
    const waiting: ((result: IteratorResult<number>) => void)[] = [];
    let left = false;
    const iterator = {
      next: () => new Promise<IteratorResult<number>>((resolve) => void waiting.push(resolve)),
      return: async () => {
        left = true;
        return { done: true as const, value: undefined };
      },
    };
    return {
      stage: fromIterable<number>({ [Symbol.asyncIterator]: () => iterator } as AsyncIterable<number>, options),
      emit: (value) => waiting.shift()?.({ done: false, value }),
      left: () => left,
    };
  },
  fromReadable: (options) => {
    const readable = new Readable({ objectMode: true, read() {} });
    return {
      stage: fromReadable<number>(readable, options),
      emit: (event) => readable.push(event),
      left: () => readable.destroyed,
    };
  },
  fromObservable: (options) => {
    const subject = new Subject<number>();
    return {
      stage: fromObservable<number>(subject, { ...options, overflow: "throw" }),
      emit: (event) => subject.next(event),
      left: () => !subject.observed,
    };
  },
};

describe.each(Object.keys(sources))("the stage of %s that is completed from inside with events left", (name) => {
  test("5.1 delivers them and completes, whatever is emitted meanwhile, and leaves its source", async () => {
    const reports: unknown[] = [];
    const { stage, emit, left } = (sources[name] as (typeof sources)[string])({
      runtime: testRuntime(),
      onReport: (error) => void reports.push(error),
    });
    const [gone, other] = [new RawConsumer<number>().attach(stage), new RawConsumer<number>().attach(stage)];
    gone.ask(5);
    await turns();
    gone.leave();
    await turns();
    emit(1);
    await turns();
    expect([stage.bufferedCount, stage.state]).toEqual([1, "running"]);
    await stage.call((self) => self.complete());
    emit(2);
    emit(3);
    await turns();
    expect([stage.bufferedCount, stage.state]).toEqual([1, "ending"]);
    other.ask(5);
    await turns();
    expect([other.batches, other.ends, stage.state]).toEqual([[[1]], [{ type: "complete" }], "completed"]);
    expect([reports, left()]).toEqual([[], true]);
  });
});

test("5.1 what a Readable still has when its stage is completed from inside stays in it", async () => {
  const readable = new Readable({ objectMode: true, highWaterMark: 10, read() {} });
  const stage = fromReadable<number>(readable, { runtime: testRuntime(), destroyOnCancel: false });
  const [gone, other] = [new RawConsumer<number>().attach(stage), new RawConsumer<number>().attach(stage)];
  gone.ask(5);
  await turns();
  gone.leave();
  readable.push(1);
  await turns();
  await stage.call((self) => self.complete());
  for (const event of [2, 3]) readable.push(event);
  await turns();
  other.ask(5);
  await turns();
  expect([other.batches, other.ends]).toEqual([[[1]], [{ type: "complete" }]]);
  expect([readable.destroyed, readable.read(), readable.read(), readable.read()]).toEqual([false, 2, 3, null]);
});

test("5.1 a Readable that fails behind a good end is heard of, and changes nothing", async () => {
  const reports: unknown[] = [];
  const readable = new Readable({ objectMode: true, read() {} });
  const stage = fromReadable<number>(readable, {
    runtime: testRuntime(),
    onReport: (error) => void reports.push(error),
  });
  const [gone, other] = [new RawConsumer<number>().attach(stage), new RawConsumer<number>().attach(stage)];
  gone.ask(5);
  await turns();
  gone.leave();
  readable.push(1);
  await turns();
  await stage.call((self) => self.complete());
  const error = new Error("disk");
  readable.destroy(error);
  await turns();
  other.ask(5);
  await turns();
  expect([other.batches, other.ends, stage.state]).toEqual([[[1]], [{ type: "complete" }], "completed"]);
  expect(reports).toEqual([error]);
});
