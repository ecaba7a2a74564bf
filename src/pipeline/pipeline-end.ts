import { failure as failed } from "../base/reason.ts";
import type { Failure } from "../contract/failure.ts";
import type { DrainOptions, StopOptions } from "../contract/options.ts";
import type { Core } from "../stage/core.ts";
import type { ConsumerHandle } from "../stage/faces.ts";

/** Where a running pipeline ends. */
export interface PipelineEnd {
  /** The stage whose clock counts, and from which `inspect` sees the graph. */
  readonly core: Core;
  readonly done: Promise<unknown>;
  readonly failure: Failure | undefined;
  stop(options: StopOptions): Promise<void>;
  drain(options: DrainOptions): Promise<unknown>;
  /** Fails with what another branch has failed with, which is told there. */
  failWith(error: unknown, failure: Failure | undefined): void;
}

/** One sink. */
export class OneSink implements PipelineEnd {
  readonly #sink: ConsumerHandle;
  readonly #result: () => unknown;

  constructor(sink: ConsumerHandle, result: () => unknown) {
    this.#sink = sink;
    this.#result = result;
  }

  get core(): Core {
    return this.#sink["~core"];
  }

  /** Made on access: a failure that no one looks at is then told once, by the sink. */
  get done(): Promise<unknown> {
    return this.#sink.done.then(this.#result);
  }

  get failure(): Failure | undefined {
    return this.#sink.failure;
  }

  stop(options: StopOptions): Promise<void> {
    return this.#sink.stop(options);
  }

  async drain(options: DrainOptions): Promise<unknown> {
    await this.#sink.drain(options);
    return this.done;
  }

  failWith(error: unknown, failure: Failure | undefined): void {
    const { ends, report, over } = this.core;
    if (over) return;
    report.passedOn = true;
    ends.failWith({ reason: failed(error), failure }, false);
  }
}
