import type { EventOf, Source, SourceNotString } from "../contract/source.ts";
import type { Producer } from "../contract/stage.ts";
import { checkOpens } from "./open.ts";
import { checkSeveral, runtimeOf, Several, type SeveralOptions } from "./several.ts";

export interface ConcatOptions extends SeveralOptions<never> {}

class Concat<Out> extends Several<Out> {
  readonly #sources: readonly unknown[];
  #next = 0;

  constructor(sources: readonly unknown[]) {
    super();
    this.#sources = sources;
  }

  /** The next source begins; one that cannot fails all. */
  left(): void {
    if (this.#next === this.#sources.length) {
      this.complete();
      return;
    }
    const given = this.#sources[this.#next] as Source<Out>;
    this.#next += 1;
    try {
      this.attach(given);
    } catch (error) {
      // A drain takes nothing more in: it completes by itself.
      if ((error as { readonly code?: unknown } | null)?.code !== "ERR_ENDED") this.fail(error);
    }
  }
}

export interface Concatenating {
  <Sources extends readonly SourceNotString<unknown>[]>(...sources: Sources): Producer<EventOf<Sources[number]>>;
  /** Concatenates by options: `concat.with({ onDiscard })(…)`. */
  readonly with: (
    options: ConcatOptions,
  ) => <Sources extends readonly SourceNotString<unknown>[]>(...sources: Sources) => Producer<EventOf<Sources[number]>>;
}

function concatenated(options: ConcatOptions, sources: readonly unknown[]): Producer<never> {
  for (const given of sources) checkOpens(given);
  const concatenating = new Concat<never>(sources);
  const stage = concatenating.make("concat", options, runtimeOf(sources));
  concatenating.left();
  return stage;
}

/**
 * Makes one producer of several sources, one behind the other.
 *
 * **Shape** all events of the first, then of the second, and so on. A later source is not touched before its turn.
 * **Backpressures** the source whose turn it is is asked for what is wanted.
 * **Completes** with the last source; at `drain` with the one whose turn it is. **Cancels** that when its last consumer leaves:
 * what that had not begun goes back, if it came from the one consumer there was, else to `onDiscard`.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`, `ERR_SOURCE_USED`: one is no source, or has been read. `ERR_OPTION`: no such option. When a source fails, or refuses
 * its turn, all fail with that, behind the events before.
 *
 * **Source** rules 7.1 to 7.3.
 *
 * @example
 * console.log(await pipeline(concat([1, 2], new Set(["a"])), collect())); // [ 1, 2, 'a' ]
 */
export const concat: Concatenating = /* @__PURE__ */ Object.assign(
  ((...sources: readonly unknown[]) => concatenated({}, sources)) as unknown as Concatenating,
  {
    with: ((options: ConcatOptions) => {
      checkSeveral("concat", options, []);
      return (...sources: readonly unknown[]) => concatenated(options, sources);
    }) satisfies Concatenating["with"],
  },
);
