import { refuseUnknown, requireInteger } from "../base/check.ts";
import { argumentError, words } from "../base/errors.ts";
import type { Compiler, Loop, Row } from "../contract/row.ts";
import { failed, isTrue, refuse } from "../steps/per-event/loop.ts";
import { PARAMETERS, shapeOf, textOf } from "./template.ts";

export type { Compiler } from "../contract/row.ts";

export interface CompilerOptions {
  /** Events behind which functions get a loop of their own, in all pipelines that they stand in. **Units** events, from 0. @default 20000 */
  readonly after?: number | undefined;
}

/**
 * Gives stages of per-event steps that have handled many events a loop of their own, which V8 optimises for their functions
 * alone, whatever else the process runs: for `pipeline.with({ compile })` or `runtime({ compile })`.
 *
 * **Shape** results, errors and their places, and ends are those of the ordinary loop.
 * **Units** `after` in events that have come to the same functions, 20 000 unless set.
 *
 * Loops are made by `new Function`, of fixed texts. Where that is refused (a content security policy without `unsafe-eval`,
 * `--disallow-code-generation-from-strings`), `onReport` gets `ERR_COMPILE` once, and the ordinary loop goes on.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: no such option.
 *
 * **Source** rule 8.12; docs/compile.md.
 *
 * @example
 * import { compiler } from "headrace/compile";
 *
 * const numbers = Array.from({ length: 100_000 }, (_, i) => i);
 * const compile = compiler();
 * console.log(await pipeline.with({ compile })(numbers, map((n) => n * 2), reduce((sum, n) => sum + n, 0))); // 9999900000
 */
export function compiler(options: CompilerOptions = {}): Compiler {
  refuseUnknown("compiler", options, ["after"]);
  const { after = 20_000 } = options;
  requireInteger("after", after, 0);
  const rows = new Map<string, Known>();
  let refused = false;
  return {
    "~loops": (row, report) => {
      const known = knownIn(rows, row);
      return (events) => {
        known.come += events;
        if (known.loop !== undefined || known.come <= after || refused) return known.loop;
        try {
          known.loop = loopOf(row);
        } catch (cause) {
          refused = true;
          const got = words(`a refusal (${String(cause)}): the ordinary loop goes on`);
          report(argumentError("ERR_COMPILE", "compiler() to be allowed to make functions of text", got, cause));
        }
        return known.loop;
      };
    },
  };
}

interface Known {
  /** Events that have come to them, in all pipelines. */
  come: number;
  loop: Loop | undefined;
}

/** Most rows that are known. */
const MOST = 1000;

/**
 * A pipeline made anew, of the same functions or of closures of the same text, finds their loop, which V8 has optimised by
 * then. The text is nothing but a key: a loop takes its functions from the row.
 */
function knownIn(rows: Map<string, Known>, row: Row): Known {
  const { calls, end } = row;
  const key = [shapeOf(row), ...calls.map(({ fn }) => text(fn)), end.fold && text(end.fold.fn)].join("\n");
  let known = rows.get(key);
  if (known === undefined) {
    if (rows.size === MOST) rows.clear();
    known = { come: 0, loop: undefined };
    rows.set(key, known);
  }
  return known;
}

const text = (fn: object): string => Function.prototype.toString.call(fn);

/** Loops made so far: no two have the same text. */
let made = 0;

function loopOf(row: Row): Loop {
  made += 1;
  // oxlint-disable-next-line typescript/no-implied-eval -- the text is fixed, and users' functions come with the row
  const make = new Function(...PARAMETERS, textOf(shapeOf(row), made)) as (...given: readonly unknown[]) => Loop;
  return make(failed, refuse, isTrue);
}
