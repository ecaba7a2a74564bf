import type { Stoppable } from "../../src/supervise/index.ts";

/** A child that ends as its test says. */
export class FakeChild implements Stoppable {
  readonly name: string;
  readonly #done: PromiseWithResolvers<void> = Promise.withResolvers();
  /** What `stop` was called with, in order. */
  readonly stops: ({ readonly timeout?: number | undefined } | undefined)[] = [];
  readonly signal: AbortSignal | undefined;
  /** What it does when it is asked to end. */
  onStop: () => unknown = () => this.end();

  constructor(name: string, signal?: AbortSignal) {
    this.name = name;
    this.signal = signal;
  }
  get done(): Promise<void> {
    return this.#done.promise;
  }
  stop(options?: { readonly timeout?: number | undefined }): unknown {
    this.stops.push(options);
    return this.onStop();
  }
  /** A good end: GenStage's `normal`, or `shutdown`. */
  end(): void {
    this.#done.resolve();
  }
  /** GenStage's "kill", or any other abnormal reason. */
  kill(error: unknown = new Error(`${this.name} killed`)): void {
    this.#done.reject(error);
  }
}
