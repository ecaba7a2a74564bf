// A two-sided adapter: a buffer that takes events at its own pace, and drops by policy what does not fit while its consumers
// are slow. Shows `coupled`, and that a foreign side need not be foreign: here the output's own buffer stands in between.
import type { ProducerConsumer, ProducerOptions } from "headrace";
import {
  coupled,
  refuse,
  requireInteger,
  requireOneOf,
  sink,
  type SinkBehaviour,
  source,
  type SourceBehaviour,
  type SourceContext,
} from "headrace/adapter";

export interface BufferOptions<in Event> extends Pick<ProducerOptions<Event>, "name" | "runtime" | "signal"> {
  /** Events held while consumers want none. **Units** events, from 1. */
  readonly size: number;
  /** What to do with what does not fit: drop the oldest event held, or the one that has come. */
  readonly policy: "drop-oldest" | "drop-newest";
  /** Hears of what was dropped (cause `"overflow"`), or left over at the end. */
  readonly onDiscard?: ProducerOptions<Event>["onDiscard"];
  readonly onReport?: ProducerOptions<Event>["onReport"];
}

/** The side that emits. Nothing is taken for a demand: what there is was pushed before. */
class Output<Event> implements SourceBehaviour<Event> {
  stage!: SourceContext<Event>;

  begin(stage: SourceContext<Event>): void {
    this.stage = stage;
  }
  handleDemand(): void {}
}

/** The side that takes: at once, whatever consumers want. */
class Input<Event> implements SinkBehaviour<Event> {
  readonly #output: Output<Event>;

  constructor(output: Output<Event>) {
    this.#output = output;
  }

  handleEvents(events: readonly Event[]): void {
    // Bounded by bufferSize: its policy decides on what does not fit, and tells onDiscard.
    this.#output.stage.push(events);
  }

  /** A good end of the input is this side's to pass on: what is held still goes out. A failure goes on by itself. */
  handleEnd(): void {
    this.#output.stage.complete();
  }
}

/**
 * Makes a stage that its source never waits for.
 *
 * **Shape** the events that came, in order, without those that were dropped.
 * **Backpressures** never. **Completes** when its sources have, behind what it holds. **Cancels** when its last consumer leaves.
 */
export function buffer<Event>(options: BufferOptions<Event>): ProducerConsumer<Event, Event> {
  const { size, policy, ...rest } = options;
  requireInteger("size", size ?? refuse("ERR_OPTION", "a size", size), 1);
  requireOneOf("policy", policy ?? refuse("ERR_OPTION", "a policy", policy), ["drop-oldest", "drop-newest"]);
  const output = new Output<Event>();
  const producer = source(output, { ...rest, bufferSize: size, overflow: policy }, { name: "buffer", pushes: true });
  const { onDiscard: _, ...shared } = rest;
  return coupled(sink(new Input(output), { ...shared, name: `${producer.name} input` }), producer);
}
