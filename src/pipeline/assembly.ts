import { argumentError, words } from "../base/errors.ts";
import type { SubscribeOptions } from "../contract/options.ts";
import type { PipelineOptions } from "../contract/pipeline.ts";
import type { Stage } from "../contract/stage.ts";
import { defaultDispatcher } from "../dispatchers/demand.ts";
import type { Core } from "../stage/core.ts";
import type { ConsumerHandle, ProducerConsumerHandle } from "../stage/faces.ts";
import { consumerFaces, makeStage, transformFaces } from "../stage/make-stage.ts";
import type { StageInlet } from "../stage/stage-inlet.ts";
import type { Branching } from "../steps/fan-out/branching.ts";
import type { FanOut } from "../steps/fan-out/fan-out.ts";
import { Fused, type Placed } from "../steps/per-event/fused.ts";
import type { PerEvent, PerEventSink } from "../steps/per-event/per-event.ts";
import type { Setting } from "../adapter/step.ts";
import { branchesOf } from "./branches.ts";
import { BranchSinks } from "./branch-sinks.ts";
import { holdBack } from "./idle.ts";
import { type PlacedPart, placed } from "./parts.ts";
import { OneSink, type PipelineEnd } from "./pipeline-end.ts";
import { Running } from "./running.ts";

type Subscribing = ConsumerHandle | ProducerConsumerHandle;

let count = 0;

/** A pipeline under assembly, and what it has made. */
export class Assembly {
  /** The producer of events, so far. */
  #current: Stage;
  readonly #name: string;
  readonly #setting: PipelineOptions;
  #steps: Placed<PerEvent>[] = [];
  /** Stages of the pipeline's own. */
  readonly #made: Core[] = [];
  /** How many of them precede a user's stage, which need not end with the sink. */
  #before = 0;
  readonly #links: StageInlet[] = [];
  /** Subscriptions made for users' stages. */
  readonly #foreign: StageInlet[] = [];
  /** The maxDemand of the last stage's own choice, which options can only lower. */
  #window = Number.POSITIVE_INFINITY;

  constructor(source: Stage, setting: PipelineOptions) {
    count += 1;
    this.#name = setting.name ?? `pipeline#${count}`;
    this.#setting = setting;
    this.#current = source;
  }

  /** Returns the running pipeline, or without a sink the last producer. */
  assemble(parts: readonly PlacedPart[]): Running | Stage {
    try {
      for (const [at, part] of parts.entries()) {
        const end = this.#add(part, at === parts.length - 1);
        if (end) return this.#running(end, part);
      }
      this.#flush();
    } catch (error) {
      this.#abandon();
      throw error;
    }
    if (this.#links.length > 0) holdBack(this.#current as ProducerConsumerHandle, this.#links, this.#name);
    this.#abortForeign();
    return this.#current;
  }

  /** Returns the end when the step was its last. */
  #add({ is, step, index }: PlacedPart, last: boolean): PipelineEnd | undefined {
    if (is === "event") this.#steps.push({ step, index });
    else if (is === "shape") this.#current = this.#fuse("producerConsumer", new Fused(this.#steps, undefined), step);
    else if (is === "branches") return this.#branch(step, last);
    else if (is === "sink") {
      const fused = new Fused(this.#steps, { step, index });
      return new OneSink(this.#fuse("consumer", fused, step) as ConsumerHandle, fused.result);
    } else if (is === "own stage") {
      this.#flush();
      const stage = this.#own(step["~stage"](this.#settingOf(step.name, index)) as unknown as ProducerConsumerHandle);
      this.#window = stage.defaultMaxDemand ?? Number.POSITIVE_INFINITY;
      this.#current = stage;
    } else if (is === "own sink") {
      this.#flush();
      const { consumer, result } = step["~sink"](this.#settingOf(step.name, index));
      return new OneSink(this.#own(consumer as unknown as ConsumerHandle), result);
    } else {
      this.#flush();
      if (is === "stage") this.#before = this.#made.length;
      const link = this.#link(step);
      link.vital = true;
      this.#foreign.push(link);
      if (is === "consumer") return new OneSink(step, () => undefined);
      placed.add(step);
      step["~core"].stopsAfterLast ??= true;
      this.#current = step;
      this.#window = Number.POSITIVE_INFINITY;
    }
    return undefined;
  }

  #running(end: PipelineEnd, { is }: PlacedPart): Running {
    // A stage of the pipeline's own has the signal already.
    const signal = is === "consumer" ? this.#setting.signal : undefined;
    return new Running(this.#name, end, { stages: this.#made, before: this.#before }, signal);
  }

  /** Turns pending steps into a stage. */
  #flush(): void {
    if (this.#steps.length > 0)
      this.#current = this.#fuse("producerConsumer", new Fused(this.#steps, undefined), undefined);
  }

  #fuse(kind: "producerConsumer" | "consumer", fused: Fused, end: FanOut | PerEventSink | undefined): Subscribing {
    const dispatcher = end && "~dispatcher" in end ? end["~dispatcher"] : undefined;
    const stage = this.#make(kind, fused, end?.name, dispatcher);
    this.#link(stage, fused.limited ? { demand: "manual" } : {});
    this.#window = Number.POSITIVE_INFINITY;
    return stage;
  }

  /** Makes a stage of the pending steps. */
  #make(
    kind: "producerConsumer" | "consumer",
    fused: object,
    last: string | undefined,
    dispatcher: (() => object) | undefined,
  ): Subscribing {
    const names = [...this.#steps.map(({ step }) => step.name), ...(last === undefined ? [] : [last])];
    this.#steps = [];
    const setting = this.#common(names.join("+"));
    if (fused instanceof Fused) fused.setting = setting;
    const { onDiscard, compile: _own, ...common } = setting;
    const options = {
      ...common,
      ...(kind === "producerConsumer" && { onDiscard }),
      ...(dispatcher && { dispatcher: dispatcher() }),
    };
    const faces = kind === "consumer" ? consumerFaces : transformFaces;
    const stage = makeStage(faces, kind, fused, options, {
      onLastCancel: "stop",
      dispatcher: defaultDispatcher,
    }) as Subscribing;
    this.#made.push(stage["~core"]);
    return stage;
  }

  /** The branches are made before the source gets its consumer: a wrong one must not cost it that. */
  #branch({ name, "~branches": plan }: Branching, last: boolean): PipelineEnd | undefined {
    const fused = new Fused(this.#steps, undefined);
    const stage = this.#make("producerConsumer", fused, name, plan.dispatcher) as ProducerConsumerHandle;
    const { merged, sinks } = branchesOf(stage, name, plan, this.#inherited(stage), () =>
      this.#make("producerConsumer", passOn, `${name} merge`, undefined),
    );
    if (sinks && !last) {
      const advice = words(`branches of ${name} that end in sinks: nothing comes behind them`);
      throw argumentError("ERR_OPTION", "branches that return producers, or to be the last step", advice);
    }
    const source = this.#current;
    if (merged) {
      this.#current = merged.stage;
      this.#links.push(...merged.links);
    }
    this.#links.unshift(this.#subscribe(stage, source, fused.limited ? { demand: "manual" } : {}));
    this.#window = Number.POSITIVE_INFINITY;
    return sinks && new BranchSinks(stage["~core"], sinks, plan.named);
  }

  /** What branches inherit. */
  #inherited(stage: Stage): PipelineOptions {
    const { maxDemand, minDemand } = this.#setting;
    const { runtime, onReport, onDiscard, signal, compile } = this.#common(stage.name);
    return { maxDemand, minDemand, runtime, onReport, onDiscard, signal, compile };
  }

  /** What all stages of the pipeline's own have in common. */
  #common(name: string): Omit<Setting, "index"> {
    const core = (this.#current as Partial<ConsumerHandle>)["~core"];
    const { signal, runtime = core?.runtime, onReport, onDiscard, compile = runtime?.compile } = this.#setting;
    return {
      name: `${this.#name} ${name}`,
      signal,
      runtime,
      onReport: onReport ?? core?.report.onReport,
      onDiscard: onDiscard ?? core?.outcome.onDiscard,
      compile,
    };
  }

  #settingOf(name: string, index: number): Setting {
    return { ...this.#common(name), index };
  }

  /** A stage that a step has made stands behind what there is so far. */
  #own<Of extends Subscribing>(stage: Of): Of {
    this.#made.push(stage["~core"]);
    this.#link(stage);
    return stage;
  }

  #link(stage: Subscribing, options: SubscribeOptions = {}): StageInlet {
    const link = this.#subscribe(stage, this.#current, options);
    this.#links.push(link);
    return link;
  }

  #subscribe(stage: Subscribing, to: Stage, options: SubscribeOptions): StageInlet {
    return stage.subscribe(to, { ...this.#windowOptions(), ...options }) as StageInlet;
  }

  /** The window of a link to the last stage. */
  #windowOptions(): SubscribeOptions {
    const { maxDemand, minDemand } = this.#setting;
    if (maxDemand === undefined) return minDemand === undefined ? {} : { minDemand };
    const window = Math.min(maxDemand, this.#window);
    return { maxDemand: window, minDemand: minDemand === undefined ? undefined : Math.min(minDemand, window - 1) };
  }

  /** Where no stage of the pipeline's own has the signal, it ends the subscriptions that were made for users' stages. */
  #abortForeign(): void {
    const { signal } = this.#setting;
    if (signal === undefined || this.#made.length > 0) return;
    const abort = (): void => {
      for (const link of this.#foreign) link.cancel(signal.reason);
    };
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener("abort", abort);
    for (const { core } of this.#foreign) core.outcome.whenSettled(() => signal.removeEventListener("abort", abort));
  }

  /** Leaves everything assembled so far. */
  #abandon(): void {
    for (const link of this.#foreign) link.cancel();
    for (const core of this.#made) core.ends.end({ reason: { type: "stop" } });
  }
}

/** Passes on what comes, behind everything that came before. */
const passOn = { patient: true, handleEvents: (events: readonly unknown[]): readonly unknown[] => events };
