export type Family = "ArgumentError" | "ProtocolError" | "CallbackError" | "OverflowError";
export type ArgumentCode =
  | "ERR_OPTION"
  | "ERR_RANGE"
  | "ERR_BEHAVIOUR"
  | "ERR_NOT_PRODUCER"
  | "ERR_NOT_SOURCE"
  | "ERR_EVENTS"
  | "ERR_ASK"
  | "ERR_ASK_AUTOMATIC"
  | "ERR_ENDED"
  | "ERR_STOPPED"
  | "ERR_DUPLICATE"
  | "ERR_PARTITION"
  | "ERR_PARTITION_TAKEN";
export type ProtocolCode =
  | "ERR_OVERDELIVERY"
  | "ERR_ASK_SIGNAL"
  | "ERR_DUPLICATE_LINK"
  | "ERR_MESSAGE"
  | "ERR_DISPATCHER";
export type CallbackCode = "ERR_CALLBACK" | "ERR_RESULT" | "ERR_PARTITION_KEY";
export type OverflowCode = "ERR_OVERFLOW";
export type ErrorCode = ArgumentCode | ProtocolCode | CallbackCode | OverflowCode;

/**
 * What each error says was expected (`{}`, or all of it, is filled in where it is made) and the rule of docs/protocol.md that says so.
 * The rest of the table, which only readers need, is in error-table.ts.
 */
export const TEXTS: Readonly<Record<ErrorCode, readonly [rule: string, expected?: string]>> = {
  ERR_OPTION: ["1.1"],
  ERR_RANGE: ["1.1"],
  ERR_BEHAVIOUR: ["1.2"],
  ERR_NOT_PRODUCER: ["1.3", "a producer"],
  ERR_NOT_SOURCE: ["1.3"],
  ERR_EVENTS: ["2.1", "an array of events"],
  ERR_ASK: ["3.2", "a whole number of events from 1 to 2^53 - 1 or Infinity"],
  ERR_ASK_AUTOMATIC: ["3.3", 'a subscription with demand: "manual"'],
  ERR_ENDED: ["5.1", "a running stage"],
  ERR_STOPPED: ["1.5", "a producer that was not stopped"],
  ERR_DUPLICATE: ["1.6", "one subscription per consumer"],
  ERR_PARTITION: ["1.7"],
  ERR_PARTITION_TAKEN: ["1.7", "a free partition"],
  ERR_OVERDELIVERY: ["3.1", "at most {} events"],
  ERR_ASK_SIGNAL: ["3.2", "a whole number of events from 1 to 2^53 - 1 or Infinity"],
  ERR_DUPLICATE_LINK: ["1.6", "a new port"],
  ERR_MESSAGE: ["2.2", "an array of events"],
  ERR_DISPATCHER: ["4.1", "a dispatcher to {}"],
  ERR_CALLBACK: ["6.1", "{} to succeed"],
  ERR_RESULT: ["6.2"],
  ERR_PARTITION_KEY: ["4.5"],
  ERR_OVERFLOW: ["4.6", "room in {} (bufferSize, overflow)"],
};

/** Every error of headrace carries its family under this key, so that two copies of the package agree. */
const brand: unique symbol = Symbol.for("headrace.error") as never;

/** A value in a few words, for an error text. */
export const describe = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `function ${value.name}`.trimEnd();
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Error) return String(value);
  if (typeof value === "object" && value !== null) return `an object (${value.constructor?.name ?? "no prototype"})`;
  return String(value);
};

const textOf = (code: ErrorCode, expected: string, got: unknown): string => {
  const [rule, text = "{}"] = TEXTS[code];
  let shown = "a value that cannot be shown";
  try {
    shown = got instanceof Words ? got.text : describe(got);
  } catch {
    // Whatever user code throws can itself throw when it is looked at.
  }
  return `expected ${text.replace("{}", () => expected)}, got ${shown}, rule ${rule}`;
};

class Words {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
/** Words for an error text that are to stand unquoted. */
export const words = (text: string): unknown => new Words(text);

const isOf = (value: unknown, family: Family): boolean =>
  typeof value === "object" && value !== null && (value as { [brand]?: unknown })[brand] === family;

interface Details {
  readonly code: ErrorCode;
  readonly expected: string;
  readonly got: unknown;
}

const dress = (error: Error, family: Family, code: ErrorCode): void => {
  Object.defineProperties(error, {
    [brand]: { value: family },
    name: { value: family, configurable: true },
    code: { value: code, enumerable: true },
  });
};

/**
 * Bad input, thrown at once to who gave it. Each one is also a `TypeError` or a `RangeError`.
 *
 * @example
 * try { subscription.ask(-1) } catch (error) { if (error instanceof ArgumentError) console.log(error.code) }
 */
export class ArgumentError extends Error {
  declare readonly name: "ArgumentError";
  declare readonly code: ArgumentCode;
  // Never constructed: each one is made as a TypeError or a RangeError.
  private constructor() {
    super();
  }
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOf(value, "ArgumentError");
  }
}

/** Makes the `ArgumentError` of a code. */
export function argumentError(code: ArgumentCode, expected: string, got: unknown, cause?: unknown): ArgumentError {
  const options = cause === undefined ? undefined : { cause };
  const text = textOf(code, expected, got);
  const Base = code === "ERR_RANGE" || code === "ERR_ASK" ? RangeError : TypeError;
  const error = new Base(text, options);
  dress(error, "ArgumentError", code);
  return error as unknown as ArgumentError;
}

/**
 * Throws the `ArgumentError` of a code.
 *
 * @throws ArgumentError always.
 * @example
 * import { refuse } from "headrace/adapter";
 *
 * const open = (path: unknown) => typeof path === "string" || refuse("ERR_NOT_SOURCE", "a path", path);
 */
export function refuse(code: ArgumentCode, expected: string, got: unknown, cause?: unknown): never {
  throw argumentError(code, expected, got, cause);
}

/** A peer misbehaved: its subscription ends with this. */
export class ProtocolError extends Error {
  declare readonly name: "ProtocolError";
  declare readonly code: ProtocolCode;
  constructor(code: ProtocolCode, expected: string, got: unknown) {
    super(textOf(code, expected, got));
    dress(this, "ProtocolError", code);
  }
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOf(value, "ProtocolError");
  }
}

/** User code threw, rejected or answered what it may not. `cause` is what it threw, `events` the batch in hand. */
export class CallbackError extends Error {
  declare readonly name: "CallbackError";
  declare readonly code: CallbackCode;
  /** The events the callback was working on: the only ones a failure can lose. */
  readonly events: readonly unknown[];
  /** In a pipeline: the step whose function it was, and its position behind the source from 0. */
  declare readonly step?: string;
  declare readonly index?: number;
  /** The event a step had, or a partition's key is made of. */
  declare readonly event?: unknown;
  constructor(
    details: Details & { readonly code: CallbackCode },
    events: readonly unknown[],
    cause?: { readonly cause: unknown },
  ) {
    super(textOf(details.code, details.expected, details.got), cause);
    this.events = events;
    dress(this, "CallbackError", details.code);
  }
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOf(value, "CallbackError");
  }
}

/** The `CallbackError` of what user code threw; `expected` names it. */
export const callbackError = (expected: string, cause: unknown, events: readonly unknown[]): CallbackError =>
  new CallbackError({ code: "ERR_CALLBACK", expected, got: cause }, events, { cause });

/** What a dispatcher or a function in it threw, as an error of ours. */
export function dispatcherError(expected: string, cause: unknown, batch: readonly unknown[]): unknown {
  if (cause instanceof CallbackError || cause instanceof ProtocolError) return cause;
  return callbackError(expected, cause, batch);
}

/** More was pushed than the buffer holds. What fits was accepted. */
export class OverflowError extends Error {
  declare readonly name: "OverflowError";
  declare readonly code: "ERR_OVERFLOW";
  /** The events that were not accepted, in order. */
  readonly rejected: readonly unknown[];
  constructor(stage: string, pushed: number, rejected: readonly unknown[]) {
    super(textOf("ERR_OVERFLOW", `${stage} for ${pushed} events`, pushed - rejected.length));
    this.rejected = rejected;
    dress(this, "OverflowError", "ERR_OVERFLOW");
  }
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOf(value, "OverflowError");
  }
}
