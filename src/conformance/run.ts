import { argumentError } from "../base/errors.ts";
import { requireType as checkOption, refuseUnknown } from "../base/check.ts";
import { type Adapter, capabilitiesOf, capabilityNames } from "./adapter.ts";
import type { Check } from "./check.ts";
import { NotApplicable } from "./expect.ts";
import { hearRejections } from "./rejections.ts";
import { sinkChecks } from "./sink.ts";
import { cancelChecks } from "./source-cancels.ts";
import { demandChecks, pullChecks } from "./source-demand.ts";
import { endChecks } from "./source-ends.ts";
import { throughChecks } from "./through.ts";
import { Trial } from "./trial.ts";

/** All rules, including those that do not apply. */
const checks: readonly Check[] = [
  ...demandChecks,
  ...pullChecks,
  ...endChecks,
  ...cancelChecks,
  ...sinkChecks,
  ...throughChecks,
];

/** The required part of a test framework. */
export interface Framework {
  readonly test: (title: string, run: () => Promise<void>) => unknown;
}

/** The outcome of a rule. A deviation is declared and does fail. */
export interface Verdict {
  readonly rule: string;
  readonly title: string;
  readonly outcome: "pass" | "fail" | "deviation" | "not applicable";
  /** The error; for a deviation or a rule that does not apply, the reason. */
  readonly error?: unknown;
}

/** Runs one check, and fails with its finding. */
async function attempt(adapter: Adapter, check: Check): Promise<void> {
  const unhandled: unknown[] = [];
  const stop = hearRejections((reason) => void unhandled.push(reason));
  const trial = new Trial(adapter);
  try {
    try {
      await check.run(trial);
    } finally {
      await trial.close();
    }
  } catch (error) {
    // A flaw precedes its consequence.
    if (trial.flaws.length === 0) throw error;
  } finally {
    stop();
  }
  if (trial.flaws.length > 0) throw new Error([...new Set(trial.flaws)].join("; "));
  if (unhandled.length > 0) throw new Error("expected every rejection to be handled", { cause: unhandled[0] });
}

async function judge(adapter: Adapter, check: Check): Promise<Verdict> {
  const { rule, title } = check;
  const lacks = check.lacks(adapter, capabilitiesOf(adapter));
  if (lacks !== undefined) return { rule, title, outcome: "not applicable", error: lacks };
  const reason = adapter.deviations?.find((deviation) => deviation.rule === rule)?.reason;
  try {
    await attempt(adapter, check);
  } catch (error) {
    if (error instanceof NotApplicable) return { rule, title, outcome: "not applicable", error: error.reason };
    return reason === undefined
      ? { rule, title, outcome: "fail", error }
      : { rule, title, outcome: "deviation", error: reason };
  }
  if (reason === undefined) return { rule, title, outcome: "pass" };
  const error = new Error(`expected a deviation (${reason}), got an undeclared pass: the rule is kept`);
  return { rule, title, outcome: "fail", error };
}

const factories = ["source", "failedSource", "failedRelease", "silentSource", "sink", "through", "refuses"];
const functions = [...factories, "encode", "decode"];
const names = ["name", ...functions, "capabilities", "deviations", "patience"];

/** Refuses descriptions that would pass checks vacuously. */
function checked(adapter: Adapter): Adapter {
  refuseUnknown("conformance", adapter, names);
  if (typeof adapter.name !== "string") throw argumentError("ERR_OPTION", "name to be a string", adapter.name);
  for (const name of functions) checkOption(name, adapter[name as keyof Adapter], "function");
  refuseUnknown("capabilities", adapter.capabilities ?? {}, capabilityNames);
  const { source, sink, through } = adapter;
  if (!source && !sink && !through)
    throw argumentError("ERR_OPTION", "an adapter with a source, a sink or a through", undefined);
  for (const { rule } of adapter.deviations ?? []) {
    const check = checks.find((each) => each.rule === rule);
    if (!check || check.lacks(adapter, capabilitiesOf(adapter)) !== undefined)
      throw argumentError("ERR_OPTION", "deviations from rules that apply", rule);
  }
  return adapter;
}

/**
 * Registers a test for each protocol rule that applies to an adapter.
 *
 * **Shape** one call of `test` per rule, titled `name: rule its text`; `test` may be vitest's, node:test's or any
 * function that runs its argument. Rules are those of docs/protocol.md, or RS- and a rule of Reactive Streams.
 * **Units** `patience` in turns of the event loop, 1000 unless given.
 * **Completes** a test resolves when the rule is kept, or broken and declared as a deviation.
 *
 * @throws ArgumentError `ERR_OPTION`: no factory, an unknown name, a deviation from a rule that does not apply. A test
 * rejects with expectation and result; an obsolete deviation rejects, too.
 *
 * **Source** the rules that can be seen from outside; the TCK of Reactive Streams.
 *
 * @example
 * const titles: string[] = [];
 * const source = (count: number, options: object) => ({
 *   producer: fromIterable(Array.from({ length: count }, (_, i) => i), options),
 * });
 * conformance({ name: "arrays", source, capabilities: { endsUnasked: false } }, { test: (title) => titles.push(title) });
 * console.log(titles[0]); // arrays: RS-1.1a delivers what was asked for, and nothing unasked
 */
export function conformance(adapter: Adapter, { test }: Framework): void {
  const { name } = checked(adapter);
  for (const check of checks) {
    if (check.lacks(adapter, capabilitiesOf(adapter)) !== undefined) continue;
    test(`${name}: ${check.rule} ${check.title}`, async () => {
      const { outcome, error } = await judge(adapter, check);
      if (outcome === "fail") throw error;
    });
  }
}

/**
 * Runs all protocol rules on an adapter, one after the other.
 *
 * **Shape** one verdict per rule, including those that do not apply.
 * **Units** `patience` in turns of the event loop, 1000 unless given.
 * **Completes** after the last rule; a broken rule never rejects it.
 *
 * @throws ArgumentError `ERR_OPTION`, by rejection, as `conformance` throws it.
 *
 * **Source** as `conformance`.
 *
 * @example
 * const source = (count: number, options: object) => ({
 *   producer: fromIterable(Array.from({ length: count }, (_, i) => i), options),
 * });
 * const verdicts = await runConformance({ name: "arrays", source, capabilities: { endsUnasked: false } });
 * console.log(verdicts.filter(({ outcome }) => outcome === "fail").length); // 0
 */
export async function runConformance(adapter: Adapter): Promise<Verdict[]> {
  checked(adapter);
  const verdicts: Verdict[] = [];
  for (const check of checks) {
    // oxlint-disable-next-line no-await-in-loop -- each check has the event loop to itself
    verdicts.push(await judge(adapter, check));
  }
  return verdicts;
}
