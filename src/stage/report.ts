import type { StageOptions } from "../contract/options.ts";

/**
 * Failures that have reached someone, so that each is told once: by their records, since an error may be thrown in many
 * graphs; else by the error.
 */
const reported = new WeakSet<object>();

/** Notes that a failure has reached someone. */
export const markReported = (failure: unknown): void => {
  if (Object(failure) === failure) reported.add(failure as object);
};
const wasReported = (failure: unknown): boolean => Object(failure) === failure && reported.has(failure as object);

/** Failures told unasked, by `onReport` or as unhandled: one that ends several stages is one. */
const announced = new WeakSet<object>();
export function isFirst(failure: unknown): boolean {
  if (Object(failure) !== failure) return true;
  const first = !announced.has(failure as object);
  announced.add(failure as object);
  return first;
}

const whenRejected = (result: unknown, then: (error: unknown) => void): void => {
  if (result instanceof Promise) result.catch(then);
};

/**
 * Tracks who has heard of a stage's errors. Every failure reaches someone once: consumers that pass it on, `done`, or
 * `onReport`.
 */
export class Report {
  readonly name: string;
  readonly onReport: StageOptions["onReport"];
  /** Others pass the failure on, so `done` need not be observed. */
  passedOn = false;
  #carriers = 0;

  constructor(name: string, onReport: StageOptions["onReport"]) {
    this.name = name;
    this.onReport = onReport;
  }

  /** Reports an error that came second or in clean-up, and so has nowhere else to go. */
  tell(error: unknown, phase: string): void {
    const { name, onReport } = this;
    const failed = (second: unknown): void => console.error(`headrace: onReport of ${name} failed:`, second, error);
    try {
      if (onReport) whenRejected(onReport(error, { stage: name, phase }), failed);
      else if (phase === "fail") console.error(`headrace: ${name} had ended before this failure:`, error);
      else console.error(`headrace: ${phase} of ${name} failed:`, error);
    } catch (second) {
      failed(second);
    }
  }

  /**
   * Registers a carrier of the failure. The returned function withdraws it; with the last one the failure is reported,
   * unless it has reached someone or `told` says that it will. `elsewhere` withdraws from the stages it came from, where
   * others may carry it; false if it came from none.
   */
  carrier(failure: unknown, error: unknown, told: () => boolean, elsewhere: () => boolean): () => void {
    this.passedOn = true;
    this.#carriers += 1;
    let carries = true;
    return () => {
      if (!carries) return;
      carries = false;
      this.#carriers -= 1;
      if (this.#carriers > 0 || told() || wasReported(failure)) return; // M36
      if (elsewhere()) return;
      markReported(failure);
      if (isFirst(failure)) this.tell(error, "done");
    };
  }

  /** Reports errors and rejections of a user's function. */
  guard(run: () => unknown, phase: string): void {
    try {
      whenRejected(run(), (error) => this.tell(error, phase));
    } catch (error) {
      this.tell(error, phase);
    }
  }
}
