import { DemandDispatcher } from "./dispatchers/demand.ts";
import { argumentError } from "./errors.ts";
import { ConsumerHandle, EmittingContext, ProducerConsumerHandle, ProducerHandle, StageContext } from "./handle.ts";
import { check, having, integer, known, oneOf } from "./options.ts";
import { type AnyDispatcher, Output } from "./output.ts";
import { defaultRuntime } from "./runtime.ts";
import { type AnyBehaviour, Core } from "./stage.ts";
import type { EmitOptions, Stage, StageKind, StageOptions } from "./types.ts";

type Options = StageOptions & EmitOptions<never> & { readonly dispatcher?: object | undefined };

/** What an option has to be. */
type Rule = (name: string, value: unknown) => void;
const is =
  (type: "string" | "function"): Rule =>
  (name, value) =>
    check(name, value, type);
const among =
  (...values: readonly string[]): Rule =>
  (name, value) =>
    oneOf(name, value, values);
const stageOptions: Readonly<Record<string, Rule>> = {
  name: is("string"),
  signal: (name, value) => having(name, value, "an AbortSignal", "aborted", "boolean"),
  runtime: (name, value) => having(name, value, "a runtime()", "schedule"),
  onReport: is("function"),
};
const emitOptions: Readonly<Record<string, Rule>> = {
  ...stageOptions,
  dispatcher: (name, value) => having(name, value, "a Dispatcher", "dispatch"),
  bufferSize: (name, value) => integer(name, value, 0, Number.POSITIVE_INFINITY),
  overflow: among("throw", "drop-oldest", "drop-newest"),
  onDiscard: is("function"),
  demandMode: among("forward", "accumulate"),
  onLastCancel: among("continue", "stop"),
  defaultMaxDemand: (name, value) => integer(name, value, 1),
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
type Faces = readonly [handle: new (core: Core) => Stage, context: new (core: Core) => object];

const faces = {
  producer: [ProducerHandle, EmittingContext],
  producerConsumer: [ProducerConsumerHandle, EmittingContext],
  consumer: [ConsumerHandle, StageContext],
} as const;

/** Makes a stage with all that stages of its kind can show. */
export const make = (kind: StageKind, behaviour: unknown, options: Options, defaults?: Options): object =>
  makeWith(faces[kind], kind, behaviour, options, defaults);

/** Checks what the user gave, makes the stage and its handle, and sets it going. */
export function makeWith(
  [Handle, Context]: Faces,
  kind: StageKind,
  behaviour: unknown,
  options: Options,
  defaults: Options = {},
): object {
  const main = kind === "producer" ? "handleDemand" : "handleEvents";
  const pull = typeof behaviour === "function";
  const callbacksOf = (pull ? { [main]: behaviour } : behaviour) as AnyBehaviour;
  if (typeof callbacksOf !== "object" || callbacksOf === null || typeof callbacksOf[main] !== "function")
    throw argumentError("ERR_BEHAVIOUR", `a ${kind} to be a function or an object with ${main}`, behaviour);
  for (const name of callbacks) check(name, callbacksOf[name], "function");
  const emits = kind !== "consumer";
  const rules = emits ? emitOptions : stageOptions;
  known(kind, options, Object.keys(rules));
  for (const [name, rule] of Object.entries(rules)) rule(name, (options as Record<string, unknown>)[name]);
  count += 1;
  const core: Core = new Core({
    kind,
    name: options.name ?? defaults.name ?? `${kind}#${count}`,
    behaviour: callbacksOf,
    pull: pull && kind === "producer",
    runtime: options.runtime ?? defaultRuntime,
    signal: options.signal,
    onReport: options.onReport,
    onDiscard: options.onDiscard as ((discarded: unknown) => void) | undefined,
    onLastCancel: options.onLastCancel ?? defaults.onLastCancel,
    defaultMaxDemand: options.defaultMaxDemand ?? defaults.defaultMaxDemand,
    output: emits ? (stage) => outputOf(stage, options) : undefined,
  });
  core.context = new Context(core);
  const handle = new Handle(core);
  core.handle = handle;
  core.start();
  return handle;
}

/** Dispatchers in use: one keeps the books of one producer. */
const taken = new WeakSet<object>();

function outputOf(stage: Core, options: Options): Output {
  const dispatcher = (options.dispatcher ?? new DemandDispatcher()) as AnyDispatcher;
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
