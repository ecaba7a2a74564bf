import type { StageOptions } from "../contract/options.ts";

/**
 * Failures that have reached someone: one that runs through a graph by several ways is not told at the end of each. They are
 * known by their records, for an error may be thrown in many graphs; where there is no record, by the error.
 */
const reported = new WeakSet<object>();

/** Notes that a failure has reached someone. */
export const markReported = (failure: unknown): void => {
  if (Object(failure) === failure) reported.add(failure as object);
};
const wasReported = (failure: unknown): boolean => Object(failure) === failure && reported.has(failure as object);

/** Failures told where no one had asked for them, by `onReport` or as unhandled: one that ends several stages is one. */
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
  carrier(failure: unknown, error: unknown, told: () => boolean): () => void {
    this.passedOn = true;
    this.#carriers += 1;
    return () => {
      this.#carriers -= 1;
      if (this.#carriers > 0 || told() || wasReported(failure)) return; // M36
      markReported(failure);
      if (isFirst(failure)) this.tell(error, "done");
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
