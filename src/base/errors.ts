import { adviceFor } from "./advice.ts";
import type { Failure } from "../contract/failure.ts";
import { isUnplaced, placeFailure, recordFailure, UNPLACED } from "./failure.ts";

export type Family =
  | "ArgumentError"
  | "ProtocolError"
  | "CallbackError"
  | "OverflowError"
  | "TimeoutError"
  | "RestartError";
export type ArgumentCode =
  | "ERR_OPTION"
  | "ERR_RANGE"
  | "ERR_BEHAVIOUR"
  | "ERR_NOT_PRODUCER"
  | "ERR_NOT_SOURCE"
  | "ERR_SOURCE_USED"
  | "ERR_NOT_RUNNING"
  | "ERR_COMPILE"
  | "ERR_EVENTS"
  | "ERR_GIVE_BACK"
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
export type CallbackCode =
  | "ERR_CALLBACK"
  | "ERR_RESULT"
  | "ERR_PARTITION_KEY"
  | "ERR_LINE_LENGTH"
  | "ERR_JSON"
  | "ERR_EMPTY"
  | "ERR_CHILD";
export type OverflowCode = "ERR_OVERFLOW" | "ERR_OPEN_GROUPS" | "ERR_LAG";
export type TimeoutCode = "ERR_DRAIN_TIMEOUT" | "ERR_TIMEOUT" | "ERR_IDLE" | "ERR_SHUTDOWN";
export type RestartCode = "ERR_RESTARTS";
export type ErrorCode = ArgumentCode | ProtocolCode | CallbackCode | OverflowCode | TimeoutCode | RestartCode;

/**
 * Each code's rule of docs/protocol.md, expectation (`{}` is filled in later), and advice. The rest is in
 * error-table.ts.
 */
export const TEXTS: Readonly<Record<ErrorCode, readonly [rule: string, expected?: string, advice?: string]>> = {
  ERR_OPTION: ["1.1"],
  ERR_RANGE: ["1.1"],
  ERR_BEHAVIOUR: ["1.2"],
  ERR_NOT_PRODUCER: ["1.3", "a producer", "the from… functions make one"],
  ERR_NOT_SOURCE: ["1.3"],
  ERR_SOURCE_USED: [
    "8.9",
    "a source that has not been taken",
    "an iterator or a stream gives its events once: open another",
  ],
  ERR_NOT_RUNNING: [
    "8.9",
    "a pipeline that runs",
    "this pipeline has no sink: add forEach, collect … or subscribe to it",
  ],
  ERR_COMPILE: ["8.12", "{}", "allow it, or leave compile out"],
  ERR_EVENTS: ["2.1", "an array of events", "one event is [event]"],
  ERR_GIVE_BACK: ["6.12", "a subscription of {}, and its events, each once", "giveBack(subscription, events)"],
  ERR_ASK: ["3.2", "a whole number of events from 1 to 2^53 - 1 or Infinity"],
  ERR_ASK_AUTOMATIC: ["3.3", "a subscription that is asked by hand", 'subscribe with { demand: "manual" }'],
  ERR_ENDED: ["5.1", "a running stage", "make a new one, for an ended one does not start again"],
  ERR_STOPPED: ["1.5", "a producer that was not stopped", "make a new one"],
  ERR_DUPLICATE: ["1.6", "one subscription per consumer", "take a second consumer"],
  ERR_PARTITION: ["1.7"],
  ERR_PARTITION_TAKEN: ["1.7", "a free partition", "each has one consumer at a time"],
  ERR_OVERDELIVERY: ["3.1", "at most {} events"],
  ERR_ASK_SIGNAL: ["3.2", "a whole number of events from 1 to 2^53 - 1 or Infinity"],
  ERR_DUPLICATE_LINK: ["1.6", "a new port"],
  ERR_MESSAGE: ["2.2", "an array of events"],
  ERR_DISPATCHER: ["4.1", "a dispatcher to {}"],
  ERR_CALLBACK: ["6.1", "{} to succeed", "throw an Error, which arrives as it is"],
  ERR_RESULT: ["6.2"],
  ERR_PARTITION_KEY: ["4.5"],
  ERR_LINE_LENGTH: ["8.8", "{}", 'raise maxLength, or set onTooLong: "skip" or "cut" (of jsonLines onFailure)'],
  ERR_JSON: ["8.3", "{}", 'set onFailure: "skip", or a function'],
  ERR_EMPTY: ["8.6", "{}", "first({ orElse }) has a result then"],
  ERR_CHILD: [
    "8.13",
    "{}",
    "start returns a promise, or something with done and stop; null if there is nothing to start",
  ],
  ERR_OVERFLOW: ["4.6", "room in {}", "wait for flushed() between pushes, or set bufferSize or overflow"],
  ERR_OPEN_GROUPS: ["8.11", "{}", 'set evict: "lru" to complete the one used least recently, or raise maxOpen'],
  ERR_LAG: ["4.11", "{}", "raise max, or let it drop"],
  ERR_DRAIN_TIMEOUT: ["5.13", "{}", "allow more time; what was held is told to onDiscard, or onLost of a supervisor"],
  ERR_TIMEOUT: ["8.8", "{}", "read signal in the function to give up with it, or add retry or onFailure"],
  ERR_IDLE: ["8.8", "{}", "reopen the source, or give idle more time"],
  ERR_SHUTDOWN: [
    "8.13",
    "{}",
    "it is abandoned and may run on: let it give up with signal, or allow more time by shutdown",
  ],
  ERR_RESTARTS: ["8.13"],
};

/** The key of an error's family: two copies of the package agree on it. */
const brand: unique symbol = Symbol.for("headrace.error") as never;

/** Of what an object is one. A generator's constructor has no name. */
const nameOf = (value: object): string => {
  const { constructor, [Symbol.toStringTag]: tag } = value as { readonly [Symbol.toStringTag]?: unknown };
  return constructor?.name || (typeof tag === "string" ? tag : "no prototype");
};

/** A value in a few words, for an error text. */
export const describe = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `function ${value.name}`.trimEnd();
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Error) return String(value);
  if (typeof value === "object" && value !== null) return `an object (${nameOf(value)})`;
  return String(value);
};

/** Codes for a thing that is no stage: its kind tells the way out. */
const foreign: readonly ErrorCode[] = ["ERR_NOT_PRODUCER", "ERR_NOT_SOURCE"];

const textOf = (code: ErrorCode, expected: string, got: unknown, better?: string): string => {
  const [rule, text = "{}", usual] = TEXTS[code];
  let shown = "a value that cannot be shown";
  try {
    shown = got instanceof Words ? got.text : describe(got);
  } catch {
    // A thrown value can itself throw when it is inspected.
  }
  const advice = better ?? (foreign.includes(code) ? adviceFor(got) : undefined) ?? usual;
  return `expected ${text.replace("{}", () => expected)}, got ${shown}${advice ? `: ${advice}` : ""} (docs/protocol.md#rule-${rule})`;
};

class Words {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
/** Words that an error text does not quote. */
export const words = (text: string): unknown => new Words(text);

const isOf = (value: unknown, family: Family): boolean =>
  typeof value === "object" && value !== null && (value as { [brand]?: unknown })[brand] === family;

interface Details {
  readonly code: ErrorCode;
  readonly expected: string;
  readonly got: unknown;
  /** In place of the code's. */
  readonly advice?: string | undefined;
}

const dress = (error: Error, family: Family, code: ErrorCode): void => {
  Object.defineProperties(error, {
    [brand]: { value: family },
    name: { value: family, configurable: true },
    code: { value: code, enumerable: true },
  });
};

/**
 * Bad input, thrown at once. Each is also a `TypeError` or a `RangeError`.
 *
 * @example
 * try { subscription.ask(-1) } catch (error) { if (error instanceof ArgumentError) console.log(error.code) }
 */
export class ArgumentError extends Error {
  declare readonly name: "ArgumentError";
  declare readonly code: ArgumentCode;
  // Never constructed: instances are made as a TypeError or a RangeError.
  private constructor() {
    super();
  }
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOf(value, "ArgumentError");
  }
}

/** Makes the `ArgumentError` of a code. `advice`: in place of the code's. */
export function argumentError(
  code: ArgumentCode,
  expected: string,
  got: unknown,
  cause?: unknown,
  advice?: string,
): ArgumentError {
  const options = cause === undefined ? undefined : { cause };
  const text = textOf(code, expected, got, advice);
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

/** A peer misbehaved: its subscription ends with this error. */
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

/**
 * User code returned an invalid result, or threw a primitive, the `cause`; or a step cannot go on with an event. `events` holds
 * those in hand.
 */
export class CallbackError extends Error {
  declare readonly name: "CallbackError";
  declare readonly code: CallbackCode;
  /** The events in the callback's hands: the only ones a failure can lose. */
  readonly events: readonly unknown[];
  /** In a pipeline: the failing step, and its position behind the source from 0. */
  declare readonly step?: string;
  declare readonly index?: number;
  /** The step's event, or the one without a valid key. */
  declare readonly event?: unknown;
  /** Of `lines` and `jsonLines`: the failing line, by its position from 0; of one that is too long the first units. */
  declare readonly line?: { readonly index: number; readonly text: string };
  constructor(
    details: Details & { readonly code: CallbackCode },
    events: readonly unknown[],
    cause?: { readonly cause: unknown },
  ) {
    super(textOf(details.code, details.expected, details.got, details.advice), cause);
    this.events = events;
    dress(this, "CallbackError", details.code);
  }
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOf(value, "CallbackError");
  }
}

/** Where user code was called. */
export type Where = Omit<Failure, "error" | "events" | "earlier">;

/**
 * The error of user code: the very value, or a `CallbackError` around a primitive. Its place is recorded (`failureOf`).
 */
export function callbackError(where: Where, cause: unknown, events: readonly unknown[]): unknown {
  const error = Object(cause) === cause ? cause : wrapped(where, cause, events);
  recordFailure({ ...where, error, events });
  return error;
}

function wrapped({ stage, callback, step, index, event }: Where, cause: unknown, events: readonly unknown[]): unknown {
  const who = step === undefined ? `${callback} of ${stage}` : `step ${index} (${step}) of ${stage}`;
  const error = new CallbackError({ code: "ERR_CALLBACK", expected: who, got: cause }, events, { cause });
  return step === undefined ? error : Object.assign(error, { step, index, event });
}

/** The error of a dispatcher that threw. Its stage adds the name. */
export const dispatchError = (cause: unknown, batch: readonly unknown[]): unknown =>
  isUnplaced(cause) ? cause : callbackError({ stage: UNPLACED, callback: "dispatch" }, cause, batch);

/** The error of a stage whose dispatcher threw. */
export const dispatcherError = (stage: string, cause: unknown): unknown =>
  placeFailure(cause, stage) ? cause : callbackError({ stage, callback: "dispatcher" }, cause, []);

/** A timeout expired. */
export class TimeoutError extends Error {
  declare readonly name: "TimeoutError";
  declare readonly code: TimeoutCode;
  constructor(code: TimeoutCode, expected: string, got: unknown, advice?: string) {
    super(textOf(code, expected, got, advice));
    dress(this, "TimeoutError", code);
  }
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOf(value, "TimeoutError");
  }
}

/** More came than there is room for. What fitted was accepted. */
export class OverflowError extends Error {
  declare readonly name: "OverflowError";
  declare readonly code: OverflowCode;
  /** The rejected events, in order. */
  readonly rejected: readonly unknown[];
  constructor(code: OverflowCode, expected: string, got: unknown, rejected: readonly unknown[]) {
    super(textOf(code, expected, got));
    this.rejected = rejected;
    dress(this, "OverflowError", code);
  }
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOf(value, "OverflowError");
  }
}

/** The `OverflowError` of a buffer that is full. */
export const overflown = (stage: string, pushed: number, rejected: readonly unknown[]): OverflowError =>
  new OverflowError("ERR_OVERFLOW", `${stage} for ${pushed} events`, pushed - rejected.length, rejected);

/** Children failed too often for their supervisor, which has ended with this. */
export class RestartError extends Error {
  declare readonly name: "RestartError";
  declare readonly code: RestartCode;
  /** The failures counted, the oldest first. The last is also the `cause`. */
  readonly causes: readonly unknown[];
  constructor(code: RestartCode, expected: string, got: unknown, causes: readonly unknown[], advice?: string) {
    super(textOf(code, expected, got, advice), { cause: causes.at(-1) });
    this.causes = causes;
    dress(this, "RestartError", code);
  }
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOf(value, "RestartError");
  }
}
