// A sink over an asynchronous store that takes rows in batches, and fails sometimes. Shows `sink`, a promise as the brake,
// `giveBack` for exactly the rows that were not stored, an error that tells of the row in hand, and `markReported`.
import type { Consumer, Reason, StageOptions, Subscription } from "headrace";
import {
  callbackError,
  errorOf,
  isFailure,
  refuse,
  requireInteger,
  sink,
  type SinkBehaviour,
  type SinkContext,
} from "headrace/adapter";

/** What became of a batch: how many rows are stored, from the front, and what the next one failed with. */
export interface Inserted {
  readonly stored: number;
  readonly failure?: { readonly error: unknown } | undefined;
}

export interface Store<Row> {
  /** Stores rows in order, as far as it comes; no further once `signal` has aborted. */
  insert(rows: readonly Row[], signal: AbortSignal): Promise<Inserted>;
  /** Makes what was stored last. */
  commit(): Promise<void>;
  /** Gives up: `error` is why. */
  abandon(error: unknown): void;
}

export interface IntoStoreOptions extends StageOptions {
  /** Rows in one `insert` at most. @default what arrives at once */
  readonly batchSize?: number | undefined;
}

class StoreSink<Row> implements SinkBehaviour<Row> {
  readonly #store: Store<Row>;
  readonly #most: number;
  /** The store has failed, or was told the end: it hears nothing more. */
  #over = false;

  constructor(store: Store<Row>, most: number) {
    this.#store = store;
    this.#most = most;
  }

  /** While this is pending no more is handed over, and once half of `maxDemand` is handed over no more is asked for. */
  async handleEvents(rows: readonly Row[], subscription: Subscription, stage: SinkContext): Promise<void> {
    for (let at = 0; at < rows.length; ) {
      const part = rows.slice(at, at + this.#most);
      // oxlint-disable-next-line no-await-in-loop -- rows are stored in order
      const { stored, failure } = await this.#store.insert(part, stage.signal);
      at += stored;
      if (failure === undefined && stored === part.length) continue;
      // Before the end, so that they return in their place. Behind an abort they return late, to the source or its onDiscard.
      stage.giveBack(subscription, rows.slice(failure ? at + 1 : at));
      if (failure === undefined) return;
      // The row in hand is not given back, or the next consumer would fail on it, too: `failure` holds it.
      this.#over = true;
      stage.fail(callbackError({ stage: stage.name, callback: "insert" }, failure.error, [rows[at]]));
      return;
    }
  }

  /** All sources have completed, and their rows are stored: `done` waits for this. */
  async handleEnd(stage: SinkContext): Promise<void> {
    this.#over = true;
    try {
      await this.#store.commit();
    } catch (error) {
      stage.fail(error);
    }
  }

  /** Last words, whatever the reason. A stop is a good end; a failure is handed on to the store. */
  terminate(reason: Reason, stage: SinkContext): Promise<void> | undefined {
    if (this.#over) return undefined;
    this.#over = true;
    if (!isFailure(reason)) return this.#store.commit();
    // The store knows of it now: `done` still rejects, but the process does not end if no one looks.
    stage.markReported();
    this.#store.abandon(errorOf(reason));
    return undefined;
  }
}

/**
 * Makes a consumer that stores its events as rows.
 *
 * **Shape** one `insert` a batch. **Backpressures** while it is pending. **Fails** with what the store refuses a row with;
 * `failure` holds the row, and those behind it go back to the source.
 */
export function intoStore<Row>(store: Store<Row>, options: IntoStoreOptions = {}): Consumer<Row> {
  if (typeof (store as Partial<Store<Row>> | undefined)?.insert !== "function")
    refuse("ERR_NOT_SOURCE", "a store with insert", store);
  requireInteger("batchSize", options.batchSize, 1);
  const { batchSize = Number.POSITIVE_INFINITY } = options;
  return sink(new StoreSink(store, batchSize), options, { own: ["batchSize"], name: "intoStore" });
}
