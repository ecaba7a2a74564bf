import { expectAssignable, expectError, expectNotAssignable, expectType } from "tsd";
import {
  ArgumentError,
  CallbackError,
  type Clock,
  type ErrorCode,
  type Family,
  fifoScheduler,
  OverflowError,
  ProtocolError,
  type Runtime,
  runtime,
  type Scheduler,
  seededScheduler,
} from "headrace";

const error: unknown = new Error("unknown");
if (error instanceof ArgumentError) {
  expectType<"ArgumentError">(error.name);
  expectType<
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
    | "ERR_PARTITION_TAKEN"
  >(error.code);
}
if (error instanceof ProtocolError)
  expectType<"ERR_OVERDELIVERY" | "ERR_ASK_SIGNAL" | "ERR_DUPLICATE_LINK" | "ERR_MESSAGE" | "ERR_DISPATCHER">(
    error.code,
  );
if (error instanceof CallbackError) {
  expectType<
    "ERR_CALLBACK" | "ERR_RESULT" | "ERR_PARTITION_KEY" | "ERR_LINE_LENGTH" | "ERR_JSON" | "ERR_EMPTY" | "ERR_CHILD"
  >(error.code);
  expectType<readonly unknown[]>(error.events);
  expectType<unknown>(error.cause);
}
if (error instanceof OverflowError) {
  expectType<"ERR_OVERFLOW" | "ERR_OPEN_GROUPS" | "ERR_LAG">(error.code);
  expectType<readonly unknown[]>(error.rejected);
}
expectNotAssignable<new () => unknown>(ArgumentError);
expectAssignable<ErrorCode>("ERR_ASK");
const family: Family = "ProtocolError";
expectType<"ArgumentError" | "ProtocolError" | "CallbackError" | "OverflowError" | "TimeoutError" | "RestartError">(
  family as Family,
);

const clock: Clock = {
  now: () => 0,
  microtask: queueMicrotask,
  macrotask: queueMicrotask,
  setTimer: () => 0,
  clearTimer: () => {},
};
expectType<Runtime>(runtime());
expectType<Runtime>(runtime({ budget: 1, clock, scheduler: seededScheduler(7), strict: true }));
expectType<Scheduler>(fifoScheduler());
expectType<void>(runtime().flush());
expectError(runtime({ budget: "1" }));
expectError(runtime({ speed: 3 }));
expectError(runtime({ clock: {} }));
expectError(seededScheduler());
