/** The step around the calls. */
export interface Host {
  readonly step: string;
  readonly index: number;
  readonly stage: string;
  readonly ordered: boolean;
  /** Whether results reach no one any more: then their order is of no account. */
  readonly over: boolean;
  /** Whether one more call may be under way, as far as results are concerned. */
  readonly room: boolean;
  /** Results, in the order in which they go out. */
  emit(results: readonly unknown[]): void;
  /** Calls have ended, or results gone out: there may be room. */
  pump(): void;
  fail(error: unknown): void;
  /** Events that were begun and give nothing that anyone gets. */
  lost(events: readonly unknown[]): void;
}
