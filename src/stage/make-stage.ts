import { argumentError } from "../base/errors.ts";
import {
  ConsumerHandle,
  EmittingContext,
  PlainContext,
  ProducerConsumerHandle,
  ProducerHandle,
  SinkFace,
  SourceFace,
  SourceHandle,
} from "./faces.ts";
import { requireType, requireMember, requireInteger, refuseUnknown, requireOneOf } from "../base/check.ts";
import { type AnyDispatcher, Output } from "./output.ts";
import { defaultRuntime } from "../runtime/engine.ts";
import type { AnyBehaviour } from "./callbacks.ts";
import { Core } from "./core.ts";
import type { AdapterBehaviour } from "../contract/adapter.ts";
import type { EmitOptions, StageOptions } from "../contract/options.ts";
import type { Stage } from "../contract/stage.ts";
import type { StageKind } from "../contract/states.ts";

type Options = StageOptions & EmitOptions<never> & { readonly dispatcher?: object | undefined };

/** What an option has to be. */
type Rule = (name: string, value: unknown) => void;
const is =
  (type: "string" | "function"): Rule =>
  (name, value) =>
    requireType(name, value, type);
const among =
  (...values: readonly string[]): Rule =>
  (name, value) =>
    requireOneOf(name, value, values);
const stageOptions: Readonly<Record<string, Rule>> = {
  name: is("string"),
  signal: (name, value) => requireMember(name, value, "an AbortSignal", "aborted", "boolean"),
  runtime: (name, value) => requireMember(name, value, "a runtime()", "schedule"),
  onReport: is("function"),
};
const emitOptions: Readonly<Record<string, Rule>> = {
  ...stageOptions,
  dispatcher: (name, value) => requireMember(name, value, "a Dispatcher", "dispatch"),
  bufferSize: (name, value) => requireInteger(name, value, 0, Number.POSITIVE_INFINITY),
  overflow: among("throw", "fail", "drop-oldest", "drop-newest"),
  onDiscard: is("function"),
  demandMode: among("forward", "accumulate"),
  onLastCancel: among("continue", "stop"),
  defaultMaxDemand: (name, value) => requireInteger(name, value, 1),
};
const callbacks = [
  "init",
  "handleDemand",
  "handleEvents",
  "handleEnd",
  "handleSubscribe",
  "handleCancel",
  "terminate",
] as const;
let count = 0;

/** What a stage shows of itself: outside, and to its callbacks. What a program does not use of them stays out of its bundle. */
export type Faces = readonly [handle: new (core: Core) => Stage, context: new (core: Core) => object];

export const producerFaces: Faces = [ProducerHandle, EmittingContext];
export const sourceFaces: Faces = [SourceHandle, SourceFace];
export const transformFaces: Faces = [ProducerConsumerHandle, SourceFace];
export const producerConsumerFaces: Faces = [ProducerConsumerHandle, EmittingContext];
export const consumerFaces: Faces = [ConsumerHandle, PlainContext];
export const sinkFaces: Faces = [ConsumerHandle, SinkFace];

/** What the makers of stages say of theirs. */
export interface Maker {
  /** Which consumer gets which event, unless the user says: stages know no dispatcher. */
  readonly dispatcher?: (() => object) | undefined;
  /** Where the user says nothing. */
  readonly name?: string | undefined;
  readonly onLastCancel?: EmitOptions<never>["onLastCancel"];
  readonly defaultMaxDemand?: number | undefined;
  /** Options that this kind of stage takes besides, for its maker to read. */
  readonly own?: readonly string[] | undefined;
  /** Whether it emits unasked, so that it may drop. Every producer does. */
  readonly drops?: boolean | undefined;
  /** Options that could not act on it. */
  readonly refused?: readonly string[] | undefined;
}

/** Checks what the user gave, makes the stage and its handle, and sets it going. */
export function makeStage(
  [Handle, Context]: Faces,
  kind: StageKind,
  behaviour: unknown,
  options: Options,
  maker: Maker = {},
): object {
  const main = kind === "producer" ? "handleDemand" : "handleEvents";
  const pull = typeof behaviour === "function";
  const callbacksOf = (pull ? { [main]: behaviour } : behaviour) as AnyBehaviour;
  if (typeof callbacksOf !== "object" || callbacksOf === null || typeof callbacksOf[main] !== "function")
    throw argumentError("ERR_BEHAVIOUR", `a ${kind} to be a function or an object with ${main}`, behaviour);
  for (const name of callbacks) requireType(name, callbacksOf[name], "function");
  const emits = kind !== "consumer";
  const rules = emits ? emitOptions : stageOptions;
  const names = Object.keys(rules).filter((name) => !maker.refused?.includes(name));
  refuseUnknown(maker.name ?? kind, options, [...names, ...(maker.own ?? [])]);
  for (const [name, rule] of Object.entries(rules)) rule(name, (options as Record<string, unknown>)[name]);
  if (kind === "producerConsumer" && !maker.drops && options.overflow?.startsWith("drop"))
    throw argumentError(
      "ERR_OPTION",
      "overflow of a producerConsumer to be throw or fail: buffer() drops",
      options.overflow,
    );
  count += 1;
  const core: Core = new Core({
    kind,
    name: options.name ?? `${maker.name ?? kind}#${count}`,
    behaviour: callbacksOf,
    pull: pull && kind === "producer",
    runtime: options.runtime ?? defaultRuntime,
    signal: options.signal,
    putBack: callbacksOf.putBack && ((events) => callbacksOf.putBack?.(events) ?? events),
    onReport: options.onReport,
    onDiscard: options.onDiscard as ((discarded: unknown) => void) | undefined,
    onLastCancel: options.onLastCancel ?? maker.onLastCancel,
    defaultMaxDemand: options.defaultMaxDemand ?? maker.defaultMaxDemand,
    output: emits ? (stage) => outputOf(stage, options, maker) : undefined,
  });
  core.context = new Context(core);
  const handle = new Handle(core);
  core.handle = handle;
  // Before an aborted signal ends it: what is begun is always terminated.
  (callbacksOf as AdapterBehaviour<object>).begin?.(core.context);
  core.start();
  return handle;
}

/** Dispatchers in use: one keeps the books of one producer. */
const taken = new WeakSet<object>();

function outputOf(stage: Core, options: Options, maker: Maker): Output {
  const dispatcher = (options.dispatcher ?? maker.dispatcher?.()) as AnyDispatcher;
  if (taken.has(dispatcher)) throw argumentError("ERR_OPTION", "a free dispatcher", dispatcher);
  taken.add(dispatcher);
  return new Output({
    dispatcher,
    bufferSize: options.bufferSize ?? 10_000,
    overflow: options.overflow ?? "throw",
    demandMode: options.demandMode ?? "forward",
    strict: stage.runtime.strict,
  });
}
