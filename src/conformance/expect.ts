/** A value, as messages show it. */
export function show(value: unknown): string {
  if (Array.isArray(value)) {
    const shown = value.slice(0, 12).map(show).join(", ");
    return `[${shown}${value.length > 12 ? `, … ${value.length} in all` : ""}]`;
  }
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null && !(value instanceof Error)) {
    const type = (value as { readonly type?: unknown }).type;
    return typeof type === "string" ? `{ type: ${show(type)} }` : "an object";
  }
  return String(value);
}

/** Fails the current check. */
export function ensure(holds: boolean, expected: string, got: unknown): void {
  if (!holds) throw new Error(`expected ${expected}, got ${show(got)}`);
}

const equal = (a: unknown, b: unknown): boolean =>
  Array.isArray(a) && Array.isArray(b)
    ? a.length === b.length && a.every((element, i) => Object.is(element, b[i]))
    : Object.is(a, b);

/** The same value, or lists of the same values. */
export function same(actual: unknown, expected: unknown, what: string): void {
  ensure(equal(actual, expected), `${what} to be ${show(expected)}`, actual);
}

export function atMost(actual: number, most: number, what: string): void {
  ensure(actual <= most, `${what} to be at most ${most}`, actual);
}

/** Whether `call` throws an error with this code. */
export function throwsCode(call: () => unknown, code: string, what: string): void {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  ensure((thrown as { readonly code?: unknown } | undefined)?.code === code, `${what} to throw ${code}`, thrown);
}

export const range = (from: number, below: number): number[] =>
  Array.from({ length: Math.max(0, below - from) }, (_, i) => from + i);

/** Marks a check that does not apply to the factories' products. */
export class NotApplicable {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}
