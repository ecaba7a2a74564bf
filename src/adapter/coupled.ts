import { ProducerConsumerHandle, type ConsumerHandle, type ProducerHandle } from "../stage/faces.ts";
import { complete, errorOf, failure, isFailure, sameFailure } from "../base/reason.ts";
import type { AdapterBehaviour, OtherSide, Told } from "../contract/adapter.ts";
import type { Reason } from "../contract/reason.ts";
import type { Core } from "../stage/core.ts";
import type { Consumer, Producer, ProducerConsumer, Stage, Subscription } from "../contract/stage.ts";
import type { DrainOptions, FailOptions, StopOptions, SubscribeOptions } from "../contract/options.ts";
import { toldErrors } from "./told.ts";

/** The user's handle of a sink and a source with something foreign in between. */
class CoupledHandle extends ProducerConsumerHandle {
  readonly #input: Core;

  constructor(input: Core, output: Core) {
    super(output);
    this.#input = input;
  }

  override get subscriptions(): readonly Subscription[] {
    return this.#input.links.slice();
  }

  override subscribe(producer: Stage, options: SubscribeOptions = {}): Subscription {
    return this.#input.link(producer, options);
  }

  override async stop(options?: StopOptions): Promise<void> {
    await Promise.all([super.stop(options), this.#input.ends.stop(options)]);
  }

  /** Drains the input; the foreign thing passes its end on. */
  override async drain(options?: DrainOptions): Promise<void> {
    await Promise.all([this.#input.ends.drain(options), this["~core"].outcome.done]);
  }
}

class Side implements OtherSide {
  readonly #core: Core;
  readonly told: Told;

  constructor(core: Core, told: Told) {
    this.#core = core;
    this.told = told;
  }

  get reason(): Reason | undefined {
    const { outcome, ends } = this.#core;
    return outcome.reason ?? (ends.completing ? complete : undefined);
  }

  end(reason: Reason, { after }: FailOptions = {}): void {
    const { ends, over } = this.#core;
    if (over) return;
    if (after === "buffer") ends.endBehind(reason);
    else ends.end({ reason });
  }

  defer(error: unknown, covered?: (reason: Reason) => boolean): void {
    if (!this.told.add(error)) return;
    const { outcome, report } = this.#core;
    outcome.whenSettled(() => {
      const reason = outcome.reason as Reason;
      // The reason may wrap the same failure.
      const same = toldErrors();
      if (isFailure(reason)) same.add(errorOf(reason));
      if (!same.has(error) && !covered?.(reason)) report.tell(error, "input");
    });
  }

  whenEnded(then: () => void): void {
    this.#core.outcome.whenSettled(then);
  }
}

/**
 * Makes one producerConsumer of two sides of one foreign thing: a sink that feeds it, and a source that emits its
 * output. The hook `couple` shows each side the other.
 *
 * **Shape** the user holds the source, with the sink's subscriptions; its name, options and `done` are the source's.
 * **Completes** with the source. The foreign thing passes on a good end of the input.
 * **Cancels** the sink at once when the source ends; unstarted events go back.
 *
 * @throws nothing. A failure of the sink ends the source with it, behind the events emitted if the sink is `patient`,
 * unless the sink leaves it to the source (`defer`). If the source then ends otherwise, it goes to `onReport` in the
 * phase `"input"`.
 *
 * **Source** rules 5.5 and 7.2.
 *
 * @example
 * import { coupled, sink, source, type SourceContext } from "headrace/adapter";
 *
 * // A queue that takes at its own pace, and keeps what is newest.
 * function latest<T>(most: number) {
 *   let [kept, asked, ended] = [[] as T[], 0, false];
 *   let stage: SourceContext<T>;
 *   const serve = () => {
 *     const events = kept.splice(0, asked);
 *     asked -= events.length;
 *     if (events.length > 0) stage.answer(events);
 *     if (ended && kept.length === 0) stage.complete();
 *   };
 *   const output = source<T>({
 *     begin: (context) => void (stage = context),
 *     handleDemand: (demand) => {
 *       asked += demand;
 *       serve();
 *     },
 *   });
 *   const input = sink<T>({
 *     handleEvents: (events) => {
 *       kept = [...kept, ...events].slice(-most);
 *       serve();
 *     },
 *     handleEnd: () => {
 *       ended = true;
 *       serve();
 *     },
 *   });
 *   return coupled(input, output);
 * }
 * for await (const n of pipeline(fromIterable([1, 2, 3]), latest<number>(100))) console.log(n); // 1, 2, 3
 */
export function coupled<In, Out, SO extends object>(
  consumer: Consumer<In>,
  producer: Producer<Out, SO>,
): ProducerConsumer<In, Out, SO> {
  const input = (consumer as unknown as ConsumerHandle)["~core"];
  const output = (producer as unknown as ProducerHandle)["~core"];
  const handle = new CoupledHandle(input, output);
  input.handle = handle;
  output.handle = handle;
  input.partner = output;
  output.partner = input;
  // The user sees the output's `done`.
  input.report.passedOn = true;
  const told = toldErrors();
  const [sinkSide, sourceSide] = [new Side(input, told), new Side(output, told)];
  const follow = (reason: Reason): void => {
    if (isFailure(reason)) told.add(errorOf(reason));
    sinkSide.end(asLeaving(reason));
  };
  output.onEnding = follow;
  coupleWith(input, sourceSide);
  coupleWith(output, sinkSide);
  if (output.over) follow(output.outcome.reason as Reason);
  // The foreign thing had ended before. In a turn, so that sources subscribed at once hear it.
  else if (sourceSide.reason) void input.ends.stop();
  input.outcome.whenSettled(() => {
    const reason = input.outcome.reason as Reason;
    if (!isFailure(reason)) return;
    const error = errorOf(reason);
    const { carried } = input.outcome;
    if (carried) output.outcome.passesOnFor(() => void input.outcome.withdraw());
    if (!output.over && !output.outcome.failed)
      output.ends.failWith({ reason: failure(error), failure: input.outcome.failure }, isPatient(input));
    else if (!carried) sourceSide.defer(error);
    else if (told.add(error)) output.outcome.whenSettled(() => passedOnElsewhere(input, output, reason));
  });
  return handle as unknown as ProducerConsumer<In, Out, SO>;
}

/** A failure that came from a source, and that the output does not fail with: others may have passed it on. */
function passedOnElsewhere({ outcome }: Core, output: Core, reason: Reason): void {
  if (!sameFailure(reason, output.outcome.reason)) outcome.withdraw();
}

const coupleWith = (core: Core, other: OtherSide): void =>
  (core.callbacks.behaviour as AdapterBehaviour<never>).couple?.(other);

const isPatient = ({ callbacks }: Core): boolean => callbacks.behaviour.patient === true;

/** To its sources, a stage with a complete output has had enough. */
const asLeaving = (reason: Reason): Reason => (isFailure(reason) ? reason : { type: "stop" });
