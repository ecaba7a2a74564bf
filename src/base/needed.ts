import { refuseUnknown } from "./check.ts";
import { argumentError, describe, words } from "./errors.ts";

/**
 * Refuses options that are unknown, or lack one that has no default. `form` is how they are written, around "…"; `needs`
 * has an example of each that has to be there. A lone number stands for the first of them.
 */
export function requireNeeded(
  owner: string,
  form: string,
  options: unknown,
  names: readonly string[],
  needs: Readonly<Record<string, string>>,
): void {
  const given = Object(options) as Readonly<Record<string, unknown>>;
  if (given === options) refuseUnknown(owner, given, names);
  const all = Object.keys(needs);
  const missing = all.filter((name) => given[name] === undefined);
  if (missing.length === 0) return;
  const shown = (name: string): string => {
    if (given[name] !== undefined) return describe(given[name]);
    return typeof options === "number" && name === all[0] ? String(options) : (needs[name] as string);
  };
  const written = `{ ${all.map((name) => `${name}: ${shown(name)}`).join(", ")} }`;
  const got = given === options ? "none" : describe(options);
  throw argumentError(
    "ERR_OPTION",
    `${owner} to get ${missing.join(" and ")}`,
    words(`${got}: write ${form.replace("…", () => written)}`),
  );
}
