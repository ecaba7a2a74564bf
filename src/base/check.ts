import { argumentError, words } from "./errors.ts";

/** Options that a lone number most likely means. */
const COUNTS: readonly string[] =
  "size concurrency maxDemand partitions startAfter timeout interval maxOpen maxLength".split(" ");

/** Refuses options that are not an object. `names` are those there are. */
export function requireOptions(owner: string, options: unknown, names: readonly string[] = []): void {
  if (typeof options === "object" && options !== null) return;
  const meant = typeof options === "number" && names.find((name) => COUNTS.includes(name));
  const got = words(`${String(options)}: write { ${meant}: ${String(options)} }`);
  throw argumentError("ERR_OPTION", `the options of ${owner} to be an object`, meant ? got : options);
}

/** Refuses options that no code reads: most are misspelt. `silent`: further ones, which errors do not list. */
export function refuseUnknown(
  owner: string,
  options: object,
  names: readonly string[],
  silent: readonly string[] = [],
): void {
  requireOptions(owner, options, names);
  for (const name of Object.keys(options))
    if (!names.includes(name) && !silent.includes(name))
      throw argumentError("ERR_OPTION", `${owner} options among ${names.join(", ")}`, name);
}

/** A whole number from `least` to `most`, or undefined. Infinity passes only as `most`. */
export function requireInteger(
  name: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  requireType(name, value, "number");
  if (value === undefined || value === most) return;
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    throw argumentError("ERR_RANGE", `${name} to be a whole number from ${least} to ${most}`, value);
  }
}

export function requireOneOf(name: string, value: unknown, values: readonly string[]): void {
  if (value !== undefined && !values.includes(value as string))
    throw argumentError("ERR_OPTION", `${name} to be one of ${values.join(", ")}`, value);
}

export function requireType(name: string, value: unknown, type: "function" | "string" | "boolean" | "number"): void {
  if (value === undefined || typeof value === type) return;
  throw argumentError("ERR_OPTION", `${name} to be a ${type}`, value ?? words("none"));
}

/** A user's object, recognised by one of its members. */
export function requireMember(name: string, value: unknown, what: string, member: string, type = "function"): void {
  if (value !== undefined && typeof (value as Record<string, unknown> | null)?.[member] !== type)
    throw argumentError("ERR_OPTION", `${name} to be ${what}`, value);
}

/** Milliseconds from 0, or nothing. */
export function requireMillis(name: string, value: unknown): void {
  if (value === undefined) return;
  requireType(name, value, "number");
  if (!((value as number) >= 0 && (value as number) < Number.POSITIVE_INFINITY))
    throw argumentError("ERR_RANGE", `${name} to be 0 or more milliseconds`, value);
}

/** Checks the arguments of `onStall`. */
export function requireStall(options: { readonly after: number }, report: unknown): void {
  refuseUnknown("onStall", options, ["after"]);
  const { after } = options;
  requireType("after", after ?? null, "number");
  if (!(after > 0)) throw argumentError("ERR_RANGE", "after to be more than 0 milliseconds", after);
  if (typeof report !== "function") throw argumentError("ERR_OPTION", "onStall to take a function", report);
}
