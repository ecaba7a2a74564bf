import type { Core } from "../../src/stage/core.ts";

/** Tells the `onReport` of a stage of this package what failed in clean-up. */
export const report = (stage: object, error: unknown, phase: string): void =>
  (stage as { readonly "~core": Core })["~core"].report.tell(error, phase);
