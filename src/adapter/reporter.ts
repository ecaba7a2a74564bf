import type { StageOptions } from "../contract/options.ts";
import { Report } from "../stage/report.ts";

/** Reports as a stage does: to `onReport`, or else to the console. */
export interface Reporter {
  tell(error: unknown, phase: string): void;
  /** Runs a user's function, and tells what it throws or rejects with. */
  guard(run: () => unknown, phase: string): void;
}

/**
 * Makes the reports of something that is no stage and has its options.
 *
 * **Shape** `phase` says what failed; the text is that of a stage. What `onReport` itself throws goes to the console.
 *
 * **Source** rule 6.1.
 *
 * @example
 * import { reporter } from "headrace/adapter";
 *
 * const report = reporter("pool", (error, { stage, phase }) => console.log(stage, phase, String(error))); // pool close Error: busy
 * report.guard(() => { throw new Error("busy"); }, "close");
 */
export const reporter = (name: string, onReport: StageOptions["onReport"]): Reporter => new Report(name, onReport);
