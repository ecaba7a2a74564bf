import { placeInBranch } from "../base/failure.ts";
import { failure as failed } from "../base/reason.ts";
import type { Failure } from "../contract/failure.ts";
import type { Reason } from "../contract/reason.ts";
import type { DrainOptions, StopOptions } from "../contract/options.ts";
import type { Pipeline } from "../contract/pipeline.ts";
import type { Core } from "../stage/core.ts";
import { drainTimeout } from "../stage/ends.ts";
import { markReported } from "../stage/report.ts";
import type { Running } from "./running.ts";
import type { PipelineEnd } from "./pipeline-end.ts";

/** Branches that end in sinks, as the end of one pipeline: the first failure is that of all. */
export class BranchSinks implements PipelineEnd {
  /** The stage that shares the events out. */
  readonly core: Core;
  readonly done: Promise<unknown>;
  readonly #branches: readonly Pipeline<unknown>[];
  #failure: Failure | undefined;
  #first: { readonly error: unknown } | undefined;
  /** Failures that someone has heard of. */
  readonly #told = new Set<unknown>();

  constructor(core: Core, branches: ReadonlyMap<string | number, Pipeline<unknown>>, named: boolean) {
    this.core = core;
    this.#branches = [...branches.values()];
    const results = Array.from(branches, async ([name, branch]) => {
      try {
        return [name, await branch.done] as const;
      } catch (error) {
        this.#fail(String(name), branch, error);
        throw error;
      }
    });
    this.done = Promise.all(results).then((all) => {
      if (named) return Object.fromEntries(all);
      return all.map(([, result]) => result);
    });
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** The others fail with the same error: a sink that only completed would look whole. */
  #fail(name: string, branch: Pipeline<unknown>, error: unknown): void {
    const { outcome, ends, report } = this.core;
    if (this.#first !== undefined) {
      this.#tell(error, `branch ${name}`);
      return;
    }
    this.#first = { error };
    this.#told.add(error);
    if (outcome.failed && Object.is(outcome.error, error)) {
      // The failure of the source, or of a step before the branches.
      this.#failure = branch.failure;
      return;
    }
    this.#failure = branch.failure && placeInBranch(error, name);
    report.passedOn = true;
    markReported(this.#failure ?? error);
    if (!this.core.over && outcome.failed) {
      // The source's failure waits behind events for a branch that takes none any more: it is not waited for.
      this.#tell(outcome.error, "source");
      markReported(outcome.failure ?? outcome.error);
      ends.end({ reason: outcome.reason as Reason, failure: outcome.failure });
    } else if (!this.core.over) ends.failWith({ reason: failed(error), failure: this.#failure }, false);
    // It has completed, and told the branches so: they are at work on the last events.
    else this.#failAll(error);
  }

  failWith(error: unknown, failure: Failure | undefined): void {
    this.#first ??= { error };
    this.#told.add(error);
    this.#failure ??= failure;
    const { ends, report } = this.core;
    report.passedOn = true;
    if (!this.core.over) ends.failWith({ reason: failed(error), failure }, false);
    else this.#failAll(error);
  }

  /** What comes second, once. */
  #tell(error: unknown, phase: string): void {
    if (this.#told.has(error)) return;
    this.#told.add(error);
    this.core.report.tell(error, phase);
  }

  #failAll(error: unknown): void {
    for (const branch of this.#branches) {
      const running = branch as Partial<Running>;
      if (running["~failWith"]) running["~failWith"](error, this.#failure);
      else void branch.stop({ timeout: 0 });
    }
  }

  async stop(options: StopOptions): Promise<void> {
    await Promise.all(this.#branches.map((branch) => branch.stop(options)));
  }

  async drain({ timeout = Number.POSITIVE_INFINITY }: DrainOptions): Promise<unknown> {
    const { ends, name, runtime } = this.core;
    const { clock } = runtime;
    ends.beginDrain();
    let timer: unknown;
    const late = new Promise<never>((_resolve, reject) => {
      if (timeout === Number.POSITIVE_INFINITY) return;
      timer = clock.setTimer(() => {
        reject(drainTimeout(`the branches of ${name} to drain within ${timeout} ms`, this.core));
      }, timeout);
    });
    try {
      return await Promise.race([this.done, late]);
    } finally {
      clock.clearTimer(timer);
    }
  }
}
