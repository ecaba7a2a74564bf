import type { StageOptions } from "../contract/options.ts";

/** Errors that have reached someone: one that runs through a graph by several ways is not reported at the end of each. */
const reported = new WeakSet<object>();

/** Notes that an error has reached someone. */
export const markReported = (error: unknown): void => {
  if (Object(error) === error) reported.add(error as object);
};
const wasReported = (error: unknown): boolean => Object(error) === error && reported.has(error as object);

const whenRejected = (result: unknown, then: (error: unknown) => void): void => {
  if (result instanceof Promise) result.catch(then);
};

/**
 * Who has heard of a stage's errors. Every failure reaches someone once: the consumers that pass it on, `done`, or
 * `onReport`. Carriers are those that are to pass it on and may yet end without having done so.
 */
export class Report {
  readonly name: string;
  readonly onReport: StageOptions["onReport"];
  /** The failure is passed on by others, so that `done` need not be observed. */
  passedOn = false;
  #carriers = 0;

  constructor(name: string, onReport: StageOptions["onReport"]) {
    this.name = name;
    this.onReport = onReport;
  }

  /** Tells of what failed second or in clean-up, and so has nowhere else to go. */
  tell(error: unknown, phase: string): void {
    const { name, onReport } = this;
    markReported(error);
    const failed = (second: unknown): void => console.error(`headrace: onReport of ${name} failed:`, second, error);
    try {
      if (onReport) whenRejected(onReport(error, { stage: name, phase }), failed);
      else console.error(`headrace: ${phase} of ${name} failed:`, error);
    } catch (second) {
      failed(second);
    }
  }

  /**
   * Registers a carrier of the failure. The returned function withdraws it; when the last one withdraws, the failure is
   * reported, unless it has reached someone or `told` says that it will.
   */
  carrier(error: unknown, told: () => boolean): () => void {
    this.passedOn = true;
    this.#carriers += 1;
    return () => {
      this.#carriers -= 1;
      if (this.#carriers === 0 && !told() && !wasReported(error)) this.tell(error, "done"); // M36
    };
  }

  /** Tells of what a function of the user's threw or rejected with. */
  guard(run: () => unknown, phase: string): void {
    try {
      whenRejected(run(), (error) => this.tell(error, phase));
    } catch (error) {
      this.tell(error, phase);
    }
  }
}
