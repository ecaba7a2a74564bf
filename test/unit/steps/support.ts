import { forEach, type Producer, type ProducerConsumer, producer, type Step } from "../../../src/index.ts";
import type { Setting, StageStep } from "../../../src/adapter/step.ts";
import { type TestRuntime, testRuntime, turns } from "../../support/runtime.ts";

export interface Counted {
  readonly source: Producer<number>;
  readonly runtime: TestRuntime;
  /** Events that were taken from the source. */
  taken: number;
  readonly reported: unknown[];
}

/** A source of the numbers from 0 that counts what is taken, keeps what comes back, and goes on when it is left. */
export function counted(count: number, runtime: TestRuntime = testRuntime()): Counted {
  const reported: unknown[] = [];
  const self: Counted = { source: undefined as never, runtime, taken: 0, reported };
  const source = producer<number>(
    {
      handleDemand(demand, stage) {
        const from = self.taken;
        self.taken = Math.min(count, from + demand);
        if (self.taken === count) stage.complete();
        return Array.from({ length: self.taken - from }, (_, i) => from + i);
      },
    },
    { runtime, onReport: (error) => void reported.push(error) },
  );
  return Object.assign(self, { source });
}

/** Calls that settle when they are told to. */
export class Gates<In, Out = In> {
  readonly begun: In[] = [];
  readonly signals = new Map<In, AbortSignal>();
  readonly #settle = new Map<In, PromiseWithResolvers<Out>>();
  under = 0;
  most = 0;

  readonly call = (event: In): Promise<Out> => {
    this.begun.push(event);
    this.under += 1;
    this.most = Math.max(this.most, this.under);
    const gate = Promise.withResolvers<Out>();
    this.#settle.set(event, gate);
    return gate.promise.finally(() => {
      this.under -= 1;
    });
  };

  readonly signalled = (event: In, { signal }: { readonly signal: AbortSignal }): Promise<Out> => {
    this.signals.set(event, signal);
    return this.call(event);
  };

  open(event: In, value: unknown = event): void {
    this.#settle.get(event)?.resolve(value as Out);
  }

  fail(event: In, error: unknown): void {
    this.#settle.get(event)?.reject(error);
  }
}

/** What a failed promise failed with. */
export const failureFrom = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => undefined,
    (error: unknown) => error,
  );

/** The stage that a pipeline would make of a step. */
export function staged<In, Out>(step: Step<In, Out>, setting: Partial<Setting>): ProducerConsumer<In, Out> {
  const { "~stage": make } = step as Step<In, Out> & StageStep;
  return make({ name: step.kind, index: 0, ...setting }) as unknown as ProducerConsumer<In, Out>;
}

/** A sink that takes its time: `next` lets it go on with one more. */
export function slow<In>() {
  const got: In[] = [];
  let open: (() => void) | undefined;
  const sink = forEach((event: In) => {
    got.push(event);
    return new Promise<void>((resolve) => {
      open = resolve;
    });
  });
  const next = async () => {
    open?.();
    await turns();
  };
  return { got, sink, next };
}

/** A source that gives what it is told to, when it is told to. */
export function fed(runtime = testRuntime()) {
  const source = producer<number>({ handleDemand: () => {} }, { runtime });
  return { source, clock: runtime.clock };
}
