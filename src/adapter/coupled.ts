import { ProducerConsumerHandle, type ConsumerHandle, type ProducerHandle } from "../stage/faces.ts";
import { errorOf, failure, isFailure } from "../base/reason.ts";
import type { Reason } from "../contract/reason.ts";
import type { Core } from "../stage/core.ts";
import type { Consumer, Producer, ProducerConsumer, Stage, Subscription } from "../contract/stage.ts";
import type { StopOptions, SubscribeOptions } from "../contract/options.ts";

/** One stage over two: what the user holds of a consumer and a producer with something foreign in between. */
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
}

/**
 * Makes one producerConsumer of the consumer that feeds a foreign system and the producer that reads from it. A failure
 * of either side ends the other with it. A good end of the input is the foreign system's to pass on; the end of the
 * output ends the input, which gives back what it had not started.
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
  // The output's `done` is the one the user sees.
  input.report.passedOn = true;
  output.outcome.whenSettled(() => {
    if (!input.over)
      input.ends.end({ reason: asLeaving(output.outcome.reason as Reason), failure: output.outcome.failure });
  });
  input.outcome.whenSettled(() => {
    const reason = input.outcome.reason as Reason;
    if (!isFailure(reason)) return;
    const error = errorOf(reason);
    if (!output.over && !output.outcome.failed)
      output.ends.failWith({ reason: failure(error), failure: input.outcome.failure }, false);
    else if (errorOf(output.outcome.reason as Reason) !== error) output.report.tell(error, "input");
  });
  return handle as unknown as ProducerConsumer<In, Out, SO>;
}

/** To its sources, a stage whose output is complete has had enough. */
const asLeaving = (reason: Reason): Reason => (isFailure(reason) ? reason : { type: "stop" });
