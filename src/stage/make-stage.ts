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

/** Checks one option. */
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
/** A step's setting, known by its position, is accepted whole: every maker reads what concerns it. */
const settingOptions: readonly string[] = ["index", "onDiscard", "compile"];
let count = 0;

/** A stage's handle and its callbacks' context. Unused faces are tree-shaken. */
export type Faces = readonly [handle: new (core: Core) => Stage, context: new (core: Core) => object];

export const producerFaces: Faces = [ProducerHandle, EmittingContext];
export const sourceFaces: Faces = [SourceHandle, SourceFace];
export const transformFaces: Faces = [ProducerConsumerHandle, SourceFace];
export const producerConsumerFaces: Faces = [ProducerConsumerHandle, EmittingContext];
export const consumerFaces: Faces = [ConsumerHandle, PlainContext];
export const sinkFaces: Faces = [ConsumerHandle, SinkFace];

/** Settings of a kind of stage. */
export interface Maker {
  /** The default dispatcher: stages know none. */
  readonly dispatcher?: (() => object) | undefined;
  /** The default name. */
  readonly name?: string | undefined;
  readonly onLastCancel?: EmitOptions<never>["onLastCancel"];
  readonly defaultMaxDemand?: number | undefined;
  /** Further options of this kind, which its maker reads. */
  readonly own?: readonly string[] | undefined;
  /** Whether it emits unasked, so that it may drop. Every producer does. */
  readonly drops?: boolean | undefined;
  /** Options without effect on it, which are refused. */
  readonly refused?: readonly string[] | undefined;
}

/** Checks the user's arguments, makes the stage and its handle, and starts it. */
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
  const whole = typeof (options as { readonly index?: unknown } | null)?.index === "number";
  refuseUnknown(maker.name ?? kind, options, [...names, ...(maker.own ?? [])], whole ? settingOptions : []);
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
  // Before an aborted signal ends it: a begun stage is always terminated.
  (callbacksOf as AdapterBehaviour<object>).begin?.(core.context);
  core.start();
  return handle;
}

/** Dispatchers in use: each keeps the books of one producer. */
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
