import { DemandDispatcher } from "./dispatchers/demand.ts";
import { argumentError, words } from "./errors.ts";
import { ConsumerHandle, EmittingContext, ProducerConsumerHandle, ProducerHandle, StageContext } from "./handle.ts";
import { check, integer, known, oneOf } from "./options.ts";
import { type AnyDispatcher, Output } from "./output.ts";
import { defaultRuntime } from "./runtime.ts";
import { type AnyBehaviour, Core } from "./stage.ts";
import type { EmitOptions, Stage, StageKind, StageOptions } from "./types.ts";

type Options = StageOptions & EmitOptions<never> & { readonly dispatcher?: object | undefined };

const stageOptions = ["name", "signal", "runtime", "onReport"];
const emitOptions = [
  ...stageOptions,
  "dispatcher",
  "bufferSize",
  "overflow",
  "onDiscard",
  "demandMode",
  "onLastCancel",
  "defaultMaxDemand",
];
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
  checkOptions(kind, options);
  const emits = kind !== "consumer";
  count += 1;
  const core: Core = new Core({
    kind,
    name: options.name ?? defaults.name ?? `${kind}#${count}`,
    behaviour: callbacksOf,
    pull: pull && kind === "producer",
    runtime: options.runtime ?? defaultRuntime,
    signal: options.signal ?? undefined,
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
  if (taken.has(dispatcher))
    throw argumentError(
      "ERR_OPTION",
      "a dispatcher of its own for each producer",
      words("one that another producer has"),
    );
  taken.add(dispatcher);
  return new Output({
    dispatcher,
    bufferSize: options.bufferSize ?? 10_000,
    overflow: options.overflow ?? "throw",
    demandMode: options.demandMode ?? "forward",
    strict: stage.runtime.strict,
  });
}

function checkOptions(kind: StageKind, options: Options): void {
  known(kind, options, kind === "consumer" ? stageOptions : emitOptions);
  check("name", options.name, "string");
  check("onReport", options.onReport, "function");
  check("onDiscard", options.onDiscard, "function");
  integer("bufferSize", options.bufferSize, 0, Number.POSITIVE_INFINITY, true);
  integer("defaultMaxDemand", options.defaultMaxDemand, 1, Number.POSITIVE_INFINITY);
  oneOf("overflow", options.overflow, ["throw", "drop-oldest", "drop-newest"]);
  oneOf("demandMode", options.demandMode, ["forward", "accumulate"]);
  oneOf("onLastCancel", options.onLastCancel, ["continue", "stop"]);
  const { signal, runtime, dispatcher } = options;
  if (signal !== undefined && typeof (signal as { aborted?: unknown } | null)?.aborted !== "boolean")
    throw argumentError("ERR_OPTION", "signal to be an AbortSignal", signal);
  if (runtime !== undefined && typeof (runtime as { schedule?: unknown } | null)?.schedule !== "function")
    throw argumentError("ERR_OPTION", "runtime to be a runtime()", runtime);
  if (dispatcher !== undefined && typeof (dispatcher as { dispatch?: unknown } | null)?.dispatch !== "function")
    throw argumentError("ERR_OPTION", "dispatcher to be a Dispatcher", dispatcher);
}
