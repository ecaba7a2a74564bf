/** When and how often what has failed is done again. */
export interface Retry {
  /** Attempts in all, the first one included. **Units** from 1. */
  readonly attempts: number;
  /** Before the second attempt. **Units** milliseconds. @default 0 */
  readonly delay?: number | undefined;
  /** By which the delay grows from attempt to attempt. @default 2 */
  readonly factor?: number | undefined;
  /** **Units** milliseconds. @default no limit */
  readonly maxDelay?: number | undefined;
  /** `"full"`: anything between nothing and the delay, so that callers do not come back together. @default "full" */
  readonly jitter?: "full" | "none" | undefined;
  /** Whether this failure is worth another attempt. @default every one is */
  readonly when?: ((error: unknown, attempt: number) => boolean) | undefined;
}
