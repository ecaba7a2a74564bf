import { can } from "./like.ts";

/** Things easily taken for streams, recognised by a method, and their adapters. */
const elsewhere: readonly (readonly [method: string, what: string, cure: string])[] = [
  ["getReader", "a ReadableStream", "fromReadableStream of headrace/web"],
  ["getWriter", "a WritableStream", "intoWritableStream of headrace/web"],
  ["subscribe", "an Observable", "fromObservable of headrace/rxjs"],
  ["next", "an iterator", "fromIterable of headrace"],
];
const NEEDS = {
  Readable: "read, or data events and pause, with on and removeListener",
  Writable: "write, end, on and removeListener",
  Duplex: "both sides of a stream",
} as const;

/** The expected kind, and where the given value belongs. */
export function adviceOn(value: unknown, expected: keyof typeof NEEDS): string {
  const found = elsewhere.find(([method]) => can(value, method));
  const { readable, writable } = Object(value) as { readonly readable?: unknown; readonly writable?: unknown };
  if (typeof value === "string" && expected !== "Duplex")
    return `a ${expected} (create${expected === "Readable" ? "Read" : "Write"}Stream of node:fs makes one of a path)`;
  if (found) return `a ${expected} (${found[1]} is for ${found[2]})`;
  if (can(readable, "getReader") && can(writable, "getWriter"))
    return `a ${expected} (a TransformStream is for throughTransformStream of headrace/web)`;
  return `a ${expected}, which has ${NEEDS[expected]}`;
}
