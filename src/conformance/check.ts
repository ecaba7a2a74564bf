import type { Adapter, Can } from "./adapter.ts";
import type { Trial } from "./trial.ts";

/** A rule, in runnable form. */
export interface Check {
  readonly rule: string;
  readonly title: string;
  /** Why it does not apply, if so. */
  readonly lacks: (adapter: Adapter, can: Can) => string | undefined;
  readonly run: (trial: Trial) => Promise<void>;
}

type Factory = "source" | "failedSource" | "failedRelease" | "silentSource" | "sink" | "through" | "refuses";
type Flag = { [Name in keyof Can]: Can[Name] extends boolean ? Name : never }[keyof Can];

/** A check that needs a factory, and abilities; "!" marks those it must lack. */
export function check(
  rule: string,
  title: string,
  needs: readonly [Factory, ...(Flag | `!${Flag}`)[]],
  run: (trial: Trial) => Promise<void>,
): Check {
  const [factory, ...flags] = needs;
  const lacks = (adapter: Adapter, can: Can): string | undefined => {
    if (adapter[factory] === undefined) return `there is no ${factory}`;
    for (const flag of flags) {
      const name = (flag.startsWith("!") ? flag.slice(1) : flag) as Flag;
      if (can[name] === flag.startsWith("!")) return `${name} is ${String(can[name])}`;
    }
    return undefined;
  };
  return { rule, title, lacks, run };
}

/** The same check for a transform in front of a source. */
export const ofThrough = ({ rule, title, lacks, run }: Check): Check => ({
  rule: `RS-4.1/${rule}`,
  title: `behind a source, ${title}`,
  lacks: (adapter, can) =>
    adapter.through
      ? lacks({ ...adapter, source: () => ({}) as never }, { ...can, endsUnasked: true, demand: true })
      : "there is no through",
  run: (trial) => {
    trial.behindSource = true;
    return run(trial);
  },
});
