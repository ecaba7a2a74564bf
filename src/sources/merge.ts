import { requireType } from "../base/check.ts";
import { argumentError, words } from "../base/errors.ts";
import type { EventOf, Source, SourceNotString } from "../contract/source.ts";
import type { Producer } from "../contract/stage.ts";
import { checkOpens } from "./open.ts";
import { checkSeveral, runtimeOf, Several, type SeveralOptions } from "./several.ts";

export interface MergeOptions<in Out = never> extends SeveralOptions<Out> {
  /** Whether it waits for further sources when all have completed, until `complete()`. @default false */
  readonly keepOpen?: boolean | undefined;
}

export interface Merged<in out Out> extends Producer<Out> {
  /**
   * Takes events of one more source. Works detached.
   *
   * @throws ArgumentError `ERR_NOT_SOURCE`, `ERR_SOURCE_USED`; `ERR_ENDED`: after `complete()`, or the end.
   */
  readonly add: (source: SourceNotString<Out>) => void;
  /** Takes no more sources, and completes with those it has. */
  readonly complete: () => void;
}

class Merge<Out> extends Several<Out> {
  #open = 0;
  /** It ends with its last source. */
  #closing: boolean;
  #closed = false;
  name = "";

  constructor(keepOpen: boolean) {
    super();
    this.#closing = !keepOpen;
  }

  add(given: unknown): void {
    checkOpens(given);
    if (this.#closed || this.ended)
      throw argumentError("ERR_ENDED", "", words(`${this.name}, which takes no more sources`));
    this.attach(given as Source<Out>);
    this.#open += 1;
  }

  left(): void {
    this.#open -= 1;
    this.check();
  }

  close(): void {
    this.#closing = true;
    this.#closed = true;
    this.check();
  }

  check(): void {
    if (!this.#closing || this.#open > 0) return;
    this.#closed = true;
    this.complete();
  }
}

export interface Merging {
  <Sources extends readonly SourceNotString<unknown>[]>(...sources: Sources): Merged<EventOf<Sources[number]>>;
  /** Merges by options: `merge.with({ keepOpen: true })(…)`. */
  readonly with: <Out = never>(
    options: MergeOptions<Out>,
  ) => <Sources extends readonly SourceNotString<unknown>[]>(
    ...sources: Sources
  ) => Merged<EventOf<Sources[number]> | Out>;
}

function merged(options: MergeOptions, sources: readonly unknown[]): Merged<never> {
  for (const given of sources) checkOpens(given);
  const merging = new Merge<never>(options.keepOpen ?? false);
  const { keepOpen: _, ...others } = options;
  const stage = merging.make("merge", others, runtimeOf(sources));
  merging.name = stage.name;
  Object.defineProperties(stage, {
    add: { value: (given: unknown) => merging.add(given) },
    complete: { value: () => merging.close() },
  });
  try {
    // Not if its signal has aborted before.
    for (const given of sources) if (!merging.ended) merging.add(given);
  } catch (error) {
    void stage.stop();
    throw error;
  }
  merging.check();
  return stage as unknown as Merged<never>;
}

/**
 * Makes one producer of several sources: of producers, iterables, async iterables, streams.
 *
 * **Shape** the events of all, each source's in order.
 * **Backpressures** each source is asked for its share of what is wanted, and for one event at least: so many may be held as
 * there are sources. None waits for another.
 * **Completes** with its last source, or with `keepOpen` after `complete()`; `add` gives it one more source while it runs. `drain`
 * drains the sources that end with it, leaves the others, and completes whatever `keepOpen`. **Cancels** its sources when its
 * last consumer leaves: what that had not begun goes back to them, if it came from the one consumer there was, else to
 * `onDiscard`.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`, `ERR_SOURCE_USED`: one is no source, or has been read. `ERR_OPTION`: no such option.
 * Errors of `subscribe`. When one source fails, all fail with that, behind the events before.
 *
 * **Source** rules 7.1 to 7.3.
 *
 * @example
 * const all = await pipeline(merge([1, 2], new Set([3]), ["a"]), collect());
 * console.log(all.length, all.includes("a")); // 4 true
 * const parts = merge.with<number>({ keepOpen: true })();
 * parts.add([1]);
 * parts.add([2]);
 * parts.complete();
 * console.log((await pipeline(parts, collect())).toSorted()); // [ 1, 2 ]
 */
export const merge: Merging = /* @__PURE__ */ Object.assign(
  ((...sources: readonly unknown[]) => merged({}, sources)) as unknown as Merging,
  {
    with: ((options: MergeOptions) => {
      checkSeveral("merge", options, ["keepOpen"]);
      requireType("keepOpen", options.keepOpen, "boolean");
      return (...sources: readonly unknown[]) => merged(options, sources);
    }) as unknown as Merging["with"],
  },
);
