import { defaultDispatcher } from "../dispatchers/demand.ts";
import { consumerFaces, transformFaces, makeStage } from "../stage/make-stage.ts";
import { StageInlet } from "../stage/stage-inlet.ts";
import type { FanOut } from "../steps/fan-out/fan-out.ts";
import type { Pipeline } from "../contract/pipeline.ts";
import { adviceForStep } from "../base/advice.ts";
import { argumentError, describe, TimeoutError, words } from "../base/errors.ts";
import type { Failure } from "../contract/failure.ts";
import type { ConsumerHandle, ProducerConsumerHandle } from "../stage/faces.ts";
import type { Inspection } from "../contract/inspection.ts";
import type { PipelineSignatures } from "./signatures.ts";
import type { Core } from "../stage/core.ts";
import type { PerEvent, PerEventSink } from "../steps/per-event/per-event.ts";
import { Fused, type Placed } from "../steps/per-event/fused.ts";
import type { Setting, StageSink, StageStep } from "../steps/stage-step.ts";
import type { Stage, Subscription } from "../contract/stage.ts";
import type { DrainOptions, StopOptions, SubscribeOptions } from "../contract/options.ts";

type Subscribing = ConsumerHandle | ProducerConsumerHandle;

/** A valid part of a pipeline. */
type Part =
  | { readonly is: "event"; readonly step: PerEvent }
  | { readonly is: "shape"; readonly step: FanOut }
  | { readonly is: "stage"; readonly step: ProducerConsumerHandle }
  | { readonly is: "own stage"; readonly step: StageStep }
  | { readonly is: "sink"; readonly step: PerEventSink }
  | { readonly is: "own sink"; readonly step: StageSink }
  | { readonly is: "consumer"; readonly step: ConsumerHandle };

/** `seen`: the source and earlier parts. */
function partOf(given: unknown, index: number, last: boolean, seen: Set<unknown>): Part {
  const step = given as Partial<
    Record<"kind" | "name" | "subscribe" | "~connect" | "~dispatcher" | "~begin" | "~stage" | "~sink", unknown>
  > | null;
  const kind = typeof step?.subscribe === "function" ? step.kind : undefined;
  if (step?.["~connect"]) return { is: "event", step: given as PerEvent };
  if (step?.["~dispatcher"]) return { is: "shape", step: given as FanOut };
  if (step?.["~stage"]) return { is: "own stage", step: given as StageStep };
  if (kind === "producerConsumer" && !placed.has(given as object) && !seen.has(given)) {
    seen.add(given);
    return { is: "stage", step: given as ProducerConsumerHandle };
  }
  if (last && step?.["~begin"]) return { is: "sink", step: given as PerEventSink };
  if (last && step?.["~sink"]) return { is: "own sink", step: given as StageSink };
  if (last && kind === "consumer") return { is: "consumer", step: given as ConsumerHandle };
  const advice = adviceForStep(given);
  const ours = step && (kind || step["~begin"] || step["~sink"]);
  let got: unknown = ours ? words(`the ${String(step.kind)} ${String(step.name)}`) : given;
  if (!ours && advice) got = words(`${describe(given)}: ${advice}`);
  const expected = `step ${index} of a pipeline to be a step, a free producerConsumer or, last, a sink`;
  throw argumentError("ERR_OPTION", expected, got);
}

let count = 0;
/** Stages within a pipeline: two pipelines would share its events out. */
const placed = new WeakSet<object>();

/** A pipeline under assembly, and the stages it made. */
class Assembly {
  /** The producer of events, so far. */
  current: Stage;
  readonly #source: Stage;
  readonly #name: string;
  #steps: Placed<PerEvent>[] = [];
  /** Stages of the pipeline's own. */
  readonly made: Core[] = [];
  /** How many of them precede a user's stage, which need not end with the sink. */
  before = 0;
  /** Subscriptions made for users' stages. */
  readonly subscriptions: Subscription[] = [];

  constructor(source: Stage) {
    count += 1;
    this.#name = `pipeline#${count}`;
    this.#source = source;
    this.current = source;
  }

  /** Returns the running pipeline when the step was its last. */
  add({ is, step }: Part, index: number): Composition | undefined {
    if (is === "event") this.#steps.push({ step, index });
    else if (is === "shape") this.current = this.#make("producerConsumer", new Fused(this.#steps, undefined), step);
    else if (is === "sink") {
      const fused = new Fused(this.#steps, { step, index });
      return new Composition(this, this.#make("consumer", fused, step) as ConsumerHandle, fused.result);
    } else if (is === "own stage") {
      this.flush();
      this.current = this.#own(step["~stage"](this.#setting(step.name, index)) as unknown as ProducerConsumerHandle);
    } else if (is === "own sink") {
      this.flush();
      const { consumer, result } = step["~sink"](this.#setting(step.name, index));
      return new Composition(this, this.#own(consumer as unknown as ConsumerHandle), result);
    } else {
      this.flush();
      if (is === "stage") this.before = this.made.length;
      const subscription = step.subscribe(this.current) as StageInlet;
      subscription.vital = true;
      this.subscriptions.push(subscription);
      if (is === "consumer") return new Composition(this, step, () => undefined);
      placed.add(step);
      step["~core"].stopsAfterLast ??= true;
      this.current = step;
    }
    return undefined;
  }

  /** Turns pending steps into a stage. */
  flush(): void {
    if (this.#steps.length > 0)
      this.current = this.#make("producerConsumer", new Fused(this.#steps, undefined), undefined);
  }

  #make(kind: "producerConsumer" | "consumer", fused: Fused, end: FanOut | PerEventSink | undefined): Subscribing {
    const names = [...this.#steps.map(({ step }) => step.name), ...(end ? [end.name] : [])];
    this.#steps = [];
    const { onDiscard, ...common } = this.#common(names.join("+"));
    const options = {
      ...common,
      ...(kind === "producerConsumer" && { onDiscard }),
      ...(end && "~dispatcher" in end && { dispatcher: end["~dispatcher"]() }),
    };
    const faces = kind === "consumer" ? consumerFaces : transformFaces;
    const stage = makeStage(faces, kind, fused, options, {
      onLastCancel: "stop",
      dispatcher: defaultDispatcher,
    }) as Subscribing;
    this.made.push(stage["~core"]);
    const manual: SubscribeOptions = fused.limited ? { demand: "manual" } : {};
    stage.subscribe(this.current, manual);
    return stage;
  }

  /** What all stages of the pipeline's own have in common. */
  #common(name: string): Omit<Setting, "index"> {
    const core = (this.#source as Partial<ConsumerHandle>)["~core"];
    return {
      name: `${this.#name} ${name}`,
      runtime: core?.runtime,
      onReport: core?.report.onReport,
      onDiscard: core?.outcome.onDiscard,
    };
  }

  #setting(name: string, index: number): Setting {
    return { ...this.#common(name), index };
  }

  /** A stage that a step has made stands behind what there is so far. */
  #own<Of extends Subscribing>(stage: Of): Of {
    this.made.push(stage["~core"]);
    stage.subscribe(this.current);
    return stage;
  }

  /** Leaves everything assembled so far. */
  abandon(): void {
    for (const subscription of this.subscriptions) subscription.cancel();
    for (const core of this.made) core.ends.end({ reason: { type: "stop" } });
  }
}

/** A pipeline that runs. */
class Composition implements Pipeline<unknown> {
  readonly #assembly: Assembly;
  readonly #sink: ConsumerHandle;
  readonly #result: () => unknown;
  #done: Promise<unknown> | undefined;

  constructor(assembly: Assembly, sink: ConsumerHandle, result: () => unknown) {
    this.#assembly = assembly;
    this.#sink = sink;
    this.#result = result;
  }

  /** Made on first access: an unobserved failure is then told once, by the sink. */
  get done(): Promise<unknown> {
    this.#done ??= this.#sink.done.then(this.#result);
    return this.#done;
  }

  get failure(): Failure | undefined {
    return this.#sink.failure;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- what looks as if it waited has to wait
  then<Value = unknown, Caught = never>(
    onFulfilled?: ((result: unknown) => Value | PromiseLike<Value>) | null,
    onRejected?: ((error: unknown) => Caught | PromiseLike<Caught>) | null,
  ): Promise<Value | Caught> {
    return this.done.then(onFulfilled, onRejected);
  }

  async drain(options?: DrainOptions): Promise<unknown> {
    try {
      await this.#sink.drain(options);
    } catch (error) {
      // What stands in front of the sink has had the same time.
      if (error instanceof TimeoutError) await this.stop({ timeout: 0 });
      throw error;
    }
    return this.done;
  }

  async stop(options: StopOptions = {}): Promise<void> {
    const { clock } = this.#sink["~core"].runtime;
    const began = clock.now();
    await this.#sink.stop(options);
    const { made, before } = this.#assembly;
    for (const core of made.slice(0, before)) core.ends.end({ reason: { type: "stop" } });
    // A step may wait for what it has begun. What is left of the time is theirs.
    const timeout = Math.max(0, (options.timeout ?? Number.POSITIVE_INFINITY) - (clock.now() - began));
    await Promise.all(made.map((core) => core.ends.stop({ ...options, timeout })));
  }

  inspect(): Inspection {
    return this.#sink.inspect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const heard = this.#done !== undefined;
    await this.stop();
    if (!heard) await this.done;
  }
}

/**
 * Composes a source and steps.
 *
 * **FanOut** with a sink at the end (`forEach`, `reduce`, `collect`, a consumer) a running `Pipeline`, else the last
 * producer. Adjacent per-event steps run in one stage; `balance`, `broadcast`, `partitionBy` end one, and a
 * producerConsumer stands between.
 * **Backpressures** by its stages: events are requested only as the end of the list asks.
 * **Completes** with its source. **Cancels** the source when the sink ends or the last consumer leaves. Its own
 * stages belong to it, and so do the subscriptions it made for yours; the source belongs to its owner.
 *
 * @throws ArgumentError `ERR_NOT_PRODUCER`: the source is no producer. `ERR_OPTION`: an invalid step, or a sink
 * before the end. Errors of `subscribe`. Nothing is left running then.
 *
 * **Source** rules 8.1 to 8.6.
 *
 * @example
 * const { done } = pipeline(
 *   fromIterable(["a b", "c"]),
 *   flatMap((line) => line.split(" ")),
 *   filter((word) => word !== "b"),
 *   collect(),
 * );
 * console.log(await done); // [ 'a', 'c' ]
 */
export const pipeline: PipelineSignatures = compose as unknown as PipelineSignatures;

function compose(source: Stage, ...steps: readonly unknown[]): unknown {
  if (typeof (source as Partial<ProducerConsumerHandle> | null | undefined)?.["~attach"] !== "function")
    throw argumentError("ERR_NOT_PRODUCER", "", source);
  // All are checked before anything is made: a wrong one must not cost the source its first consumer.
  const seen = new Set<unknown>([source]);
  const parts = steps.map((step, index) => partOf(step, index, index === steps.length - 1, seen));
  for (const { is, step } of parts)
    if ((is === "stage" || is === "consumer") && step.state !== "starting" && step.state !== "running")
      throw step["~core"].endedError;
  const assembly = new Assembly(source);
  let composition: Composition | undefined;
  try {
    for (const [index, part] of parts.entries()) composition = assembly.add(part, index);
    assembly.flush();
  } catch (error) {
    assembly.abandon();
    throw error;
  }
  return composition ?? assembly.current;
}
