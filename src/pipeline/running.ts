import { TimeoutError } from "../base/errors.ts";
import { requireOptions, requireStall } from "../base/check.ts";
import { failure as failed } from "../base/reason.ts";
import type { Failure } from "../contract/failure.ts";
import type { Inspection, Stall, StallOptions } from "../contract/inspection.ts";
import type { DrainOptions, StopOptions } from "../contract/options.ts";
import type { Pipeline } from "../contract/pipeline.ts";
import type { Core } from "../stage/core.ts";
import { explain } from "../stage/explain.ts";
import { inspect } from "../stage/inspect.ts";
import { Watch, watch, watchByDefault } from "../stage/stall.ts";
import type { PipelineEnd } from "./pipeline-end.ts";

/** The stages that a pipeline made. */
export interface Made {
  readonly stages: readonly Core[];
  /** How many of them precede a user's stage, which need not end with the sink. */
  readonly before: number;
}

/** A pipeline that runs. */
export class Running implements Pipeline<unknown> {
  readonly #end: PipelineEnd;
  readonly #made: Made;
  #done: Promise<unknown> | undefined;

  /** `signal`: aborts an end that is not the pipeline's own. */
  constructor(name: string, end: PipelineEnd, made: Made, signal: AbortSignal | undefined) {
    this.#end = end;
    this.#made = made;
    const { core } = end;
    if (signal) abortWith(signal, core);
    const { stall, clock } = core.runtime;
    if (stall) this.onStall({ after: stall.after }, stall.report);
    else watchByDefault(clock, name, core);
  }

  get done(): Promise<unknown> {
    this.#done ??= this.#end.done;
    return this.#done;
  }

  get failure(): Failure | undefined {
    return this.#end.failure;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- what looks as if it waited has to wait
  then<Value = unknown, Caught = never>(
    onFulfilled?: ((result: unknown) => Value | PromiseLike<Value>) | null,
    onRejected?: ((error: unknown) => Caught | PromiseLike<Caught>) | null,
  ): Promise<Value | Caught> {
    return this.done.then(onFulfilled, onRejected);
  }

  async drain(options: DrainOptions = {}): Promise<unknown> {
    requireOptions("drain", options);
    try {
      await this.#end.drain(options);
    } catch (error) {
      // What stands in front of the end has had the same time.
      if (error instanceof TimeoutError) await this.stop({ timeout: 0 });
      throw error;
    }
    return this.done;
  }

  async stop(options: StopOptions = {}): Promise<void> {
    const { clock } = this.#end.core.runtime;
    const began = clock.now();
    await this.#end.stop(options);
    const { stages, before } = this.#made;
    for (const core of stages.slice(0, before)) core.ends.end({ reason: { type: "stop" } });
    // A step may wait for what it has begun. What is left of the time is theirs.
    const timeout = Math.max(0, (options.timeout ?? Number.POSITIVE_INFINITY) - (clock.now() - began));
    await Promise.all(stages.map((core) => core.ends.stop({ ...options, timeout })));
  }

  /** For the pipeline whose branch it is. */
  "~failWith"(error: unknown, failure: Failure | undefined): void {
    this.#end.failWith(error, failure);
  }

  inspect(): Inspection {
    return inspect(this.#end.core);
  }

  explain(): string {
    return explain(this.inspect());
  }

  onStall(options: StallOptions, report: (stall: Stall) => void): () => void {
    requireStall(options, report);
    const { outcome, runtime, report: told } = this.#end.core;
    const tell = (stall: Stall): void => told.guard(() => report(stall), "onStall");
    const end = watch(runtime.clock, options.after, new Watch(() => this.inspect(), options.after, tell));
    outcome.whenSettled(end);
    return end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const heard = this.#done !== undefined;
    await this.stop();
    if (!heard) await this.done;
  }
}

/** A stage that was made without the signal ends with it all the same. */
function abortWith(signal: AbortSignal, core: Core): void {
  const abort = (): void => core.ends.end({ reason: failed(signal.reason), abort: true });
  if (signal.aborted) {
    abort();
    return;
  }
  signal.addEventListener("abort", abort);
  core.outcome.whenSettled(() => signal.removeEventListener("abort", abort));
}
