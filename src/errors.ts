/** What happens to events in flight, and which rule of docs/protocol.md was broken, per code. */
export interface ErrorRow {
  readonly family: "ArgumentError" | "ProtocolError" | "CallbackError" | "OverflowError";
  /** `{expected}` and `{got}` are filled in where the error is made. */
  readonly message: string;
  readonly rule: string;
  readonly inFlight: string;
  /** An `ArgumentError` is also one of these. */
  readonly range?: true;
}

const nothing = "nothing changes: the call had no effect";
const stageFails = "the stage fails: unstarted events go back to its sources, its buffer to onDiscard";

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

/** The one table of errors: classes, tests and docs/errors.md are driven by it. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorRow>> = {
  ERR_OPTION: { family: "ArgumentError", message: "{expected}, got {got}", rule: "1.1", inFlight: nothing },
  ERR_RANGE: { family: "ArgumentError", message: "{expected}, got {got}", rule: "1.1", inFlight: nothing, range: true },
  ERR_BEHAVIOUR: { family: "ArgumentError", message: "expected {expected}, got {got}", rule: "1.2", inFlight: nothing },
  ERR_NOT_PRODUCER: {
    family: "ArgumentError",
    message: "expected a producer, got {got}",
    rule: "1.3",
    inFlight: nothing,
  },
  ERR_NOT_SOURCE: {
    family: "ArgumentError",
    message: "expected {expected}, got {got}",
    rule: "1.3",
    inFlight: nothing,
  },
  ERR_EVENTS: {
    family: "ArgumentError",
    message: "expected an array of events, got {got}",
    rule: "2.1",
    inFlight: nothing,
  },
  ERR_ASK: {
    family: "ArgumentError",
    message: "expected a whole number of events from 1 to 2^53 - 1 or Infinity, got {got}",
    rule: "3.2",
    inFlight: nothing,
    range: true,
  },
  ERR_ASK_AUTOMATIC: {
    family: "ArgumentError",
    message: 'expected a subscription with demand: "manual", got an automatic one',
    rule: "3.3",
    inFlight: nothing,
  },
  ERR_ENDED: {
    family: "ArgumentError",
    message: "expected a running stage, got {got}",
    rule: "5.1",
    inFlight: "nothing was accepted; what was accepted before follows the stage's end",
  },
  ERR_STOPPED: {
    family: "ArgumentError",
    message: "expected a producer that was not stopped, got {got}",
    rule: "1.5",
    inFlight: nothing,
  },
  ERR_DUPLICATE: {
    family: "ArgumentError",
    message: "expected one subscription per consumer, got a second by {got}",
    rule: "1.6",
    inFlight: nothing,
  },
  ERR_PARTITION: { family: "ArgumentError", message: "expected {expected}, got {got}", rule: "1.7", inFlight: nothing },
  ERR_PARTITION_TAKEN: {
    family: "ArgumentError",
    message: "expected a free partition, got {got}, which has a consumer",
    rule: "1.7",
    inFlight: nothing,
  },
  ERR_OVERDELIVERY: {
    family: "ProtocolError",
    message: "expected at most {expected} events, which were asked for, got {got}",
    rule: "3.1",
    inFlight: "what was asked for is handled; the excess goes back with the end of the subscription",
  },
  ERR_ASK_SIGNAL: {
    family: "ProtocolError",
    message: "expected a whole number of events from 1 to 2^53 - 1 or Infinity, got {got}",
    rule: "3.2",
    inFlight: "the subscription ends; events not delivered on it stay with the producer",
  },
  ERR_DUPLICATE_LINK: {
    family: "ProtocolError",
    message: "expected a new port, got {got} again",
    rule: "1.6",
    inFlight: "the second link ends; the first goes on",
  },
  ERR_MESSAGE: {
    family: "ProtocolError",
    message: "expected {expected}, got {got}",
    rule: "2.2",
    inFlight: "the subscription ends; events not delivered on it stay with the producer",
  },
  ERR_DISPATCHER: {
    family: "ProtocolError",
    message: "expected a dispatcher to {expected}, got {got}",
    rule: "4.1",
    inFlight: stageFails,
  },
  ERR_CALLBACK: {
    family: "CallbackError",
    message: "{expected} failed: {got}",
    rule: "6.1",
    inFlight: `${stageFails}; the batch in hand is in events`,
  },
  ERR_RESULT: {
    family: "CallbackError",
    message: "expected {expected}, got {got}",
    rule: "6.2",
    inFlight: `${stageFails}; the batch in hand is in events`,
  },
  ERR_PARTITION_KEY: {
    family: "CallbackError",
    message: "expected {expected}, got {got}",
    rule: "4.5",
    inFlight: `${stageFails}; the batch that held the event is in events`,
  },
  ERR_OVERFLOW: {
    family: "OverflowError",
    message: "expected room for {expected} events in the buffer, got room for {got}",
    rule: "4.6",
    inFlight: "what fits was accepted; rejected holds the rest",
  },
};

/** Every error of headrace carries its family under this key, so that two copies of the package agree. */
const brand: unique symbol = Symbol.for("headrace.error") as never;

const describe = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `function ${value.name}`.trimEnd();
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Error) return String(value);
  if (typeof value === "object" && value !== null) return `an object (${value.constructor?.name ?? "no prototype"})`;
  return String(value);
};

const textOf = (code: ErrorCode, expected: string, got: unknown): string => {
  const row: ErrorRow = ERRORS[code];
  const text = typeof got === "object" && got !== null && verbatim in got ? String(got[verbatim]) : describe(got);
  return `${row.message.replace("{expected}", () => expected).replace("{got}", () => text)}, rule ${row.rule}`;
};

const verbatim: unique symbol = Symbol("text");
/** Words for an error text that are to stand unquoted. */
export const words = (text: string): unknown => ({ [verbatim]: text });

const isOf = (value: unknown, family: ErrorRow["family"]): boolean =>
  typeof value === "object" && value !== null && (value as { [brand]?: unknown })[brand] === family;

interface Details {
  readonly code: ErrorCode;
  readonly expected: string;
  readonly got: unknown;
}

const dress = (error: Error, family: ErrorRow["family"], code: ErrorCode): void => {
  Object.defineProperty(error, brand, { value: family });
  Object.defineProperty(error, "name", { value: family, configurable: true });
  Object.defineProperty(error, "code", { value: code, enumerable: true });
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
  const row: ErrorRow = ERRORS[code];
  const options = cause === undefined ? undefined : { cause };
  const text = textOf(code, expected, got);
  const error = row.range ? new RangeError(text, options) : new TypeError(text, options);
  dress(error, "ArgumentError", code);
  return error as unknown as ArgumentError;
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

/** More was pushed than the buffer holds. What fits was accepted. */
export class OverflowError extends Error {
  declare readonly name: "OverflowError";
  declare readonly code: "ERR_OVERFLOW";
  /** The events that were not accepted, in order. */
  readonly rejected: readonly unknown[];
  constructor(pushed: number, rejected: readonly unknown[]) {
    super(textOf("ERR_OVERFLOW", String(pushed), pushed - rejected.length));
    this.rejected = rejected;
    dress(this, "OverflowError", "ERR_OVERFLOW");
  }
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOf(value, "OverflowError");
  }
}
