import { type ErrorCode, type Family, TEXTS } from "./errors.ts";

/** A code's family, text, rule of docs/protocol.md, and effect on events in flight. */
export interface ErrorRow {
  readonly family: Family;
  /** `{}` stands for the expectation of the case at hand. */
  readonly message: string;
  readonly rule: string;
  readonly inFlight: string;
}

const nothing = "nothing changes";
const stays = "the subscription ends; undelivered events stay with the producer";
const fails = "the stage fails: unstarted events go back, its buffer goes to onDiscard";

const behind = "the step fails behind the lines before: chunks not begun go back to its source";

const outcomes: Readonly<Record<ErrorCode, readonly [Family, inFlight: string]>> = {
  ERR_OPTION: ["ArgumentError", nothing],
  ERR_RANGE: ["ArgumentError", nothing],
  ERR_BEHAVIOUR: ["ArgumentError", nothing],
  ERR_NOT_PRODUCER: ["ArgumentError", nothing],
  ERR_NOT_SOURCE: ["ArgumentError", nothing],
  ERR_SOURCE_USED: ["ArgumentError", nothing],
  ERR_NOT_RUNNING: ["ArgumentError", "nothing was asked for: the source holds all events"],
  ERR_COMPILE: ["ArgumentError", nothing],
  ERR_EVENTS: ["ArgumentError", nothing],
  ERR_GIVE_BACK: ["ArgumentError", nothing],
  ERR_ASK: ["ArgumentError", nothing],
  ERR_ASK_AUTOMATIC: ["ArgumentError", nothing],
  ERR_ENDED: ["ArgumentError", "nothing was accepted"],
  ERR_STOPPED: ["ArgumentError", nothing],
  ERR_DUPLICATE: ["ArgumentError", nothing],
  ERR_PARTITION: ["ArgumentError", nothing],
  ERR_PARTITION_TAKEN: ["ArgumentError", nothing],
  ERR_OVERDELIVERY: ["ProtocolError", "the demand is handled; the excess goes back with the end"],
  ERR_ASK_SIGNAL: ["ProtocolError", stays],
  ERR_DUPLICATE_LINK: ["ProtocolError", "the second link ends; the first goes on"],
  ERR_MESSAGE: ["ProtocolError", stays],
  ERR_DISPATCHER: ["ProtocolError", fails],
  ERR_CALLBACK: ["CallbackError", `${fails}, the batch in hand to events`],
  ERR_RESULT: ["CallbackError", `${fails}, the batch in hand to events`],
  ERR_PARTITION_KEY: ["CallbackError", `${fails}, the batch in hand to events`],
  ERR_LINE_LENGTH: ["CallbackError", `${behind}; the line's begin is in events`],
  ERR_JSON: ["CallbackError", `${behind}; the line and those behind it in its chunk are in events`],
  ERR_EMPTY: ["CallbackError", "nothing: there were no events"],
  ERR_CHILD: ["CallbackError", "the event goes to onLost; a supervisor stops its children"],
  ERR_OVERFLOW: ["OverflowError", "events that fit were accepted; rejected holds the rest"],
  ERR_OPEN_GROUPS: ["OverflowError", `${fails}; the groups fail with it`],
  ERR_LAG: ["OverflowError", "the consumer is cancelled; its events go to onDiscard, and the others go on"],
  ERR_DRAIN_TIMEOUT: ["TimeoutError", "as after stop"],
  ERR_TIMEOUT: ["TimeoutError", "retry and onFailure decide; slot and key are free at once"],
  ERR_IDLE: ["TimeoutError", "the step fails behind what it has passed on"],
  ERR_SHUTDOWN: ["TimeoutError", "the event of the child goes to onLost"],
  ERR_RESTARTS: ["RestartError", "unstarted events go back; the other children are stopped"],
};

/** The one table of errors, by code. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorRow>> = /* @__PURE__ */ Object.fromEntries(
  (Object.keys(outcomes) as ErrorCode[]).map((code) => {
    const [family, inFlight] = outcomes[code];
    const [rule, expected = "{}", advice] = TEXTS[code];
    return [code, { family, message: `expected ${expected}, got …${advice ? `: ${advice}` : ""}`, rule, inFlight }];
  }),
) as Record<ErrorCode, ErrorRow>;
