import type { DispatcherInspection } from "./dispatcher.ts";
import type { Core } from "./stage.ts";
import { Link } from "./subscription.ts";
import type { StageKind, StageState, SubscriptionState } from "./types.ts";

/**
 * Why a stage does nothing: it waits for a callback's promise, for events of a producer, for demand of a consumer, or for a
 * push of what `handleDemand` was asked for.
 */
export interface Waiting {
  readonly for: "callback" | "events" | "demand" | "push";
  /** The callback's name, the other stage's, or a partition without a consumer. */
  readonly on: string;
  /** Since when. **Units** milliseconds of the runtime's clock, exact to a few turns. */
  readonly since: number;
}
export interface StageInspection {
  /** Unique within this inspection. */
  readonly id: number;
  readonly name: string;
  readonly kind: StageKind;
  readonly state: StageState;
  /** The callback whose promise is pending. */
  readonly busy?: string;
  /** Messages received and not handled. */
  readonly messages: number;
  /** Messages of input that wait for demand. */
  readonly input: number;
  /** Events asked for that could be delivered now. */
  readonly demand?: number;
  readonly buffered?: number;
  /** Events kept by the dispatcher. */
  readonly queued?: number;
  readonly dispatcher?: DispatcherInspection;
  readonly waiting: readonly Waiting[];
  /** The id of the other half, where a stage has two with something foreign in between: one takes events, one emits. */
  readonly partner?: number;
}
export interface LinkInspection {
  /** Ids of stages; a consumer outside the graph (a loop, an adapter's port) has none. */
  readonly producer: number;
  readonly consumer: number | undefined;
  readonly consumerName: string;
  readonly state: SubscriptionState;
  /** Asked for and not delivered. */
  readonly demand: number;
  /** Asked for and not handed to `handleEvents`. */
  readonly pending: number;
  readonly maxDemand: number;
  readonly minDemand: number;
}
/** A graph as plain data, taken at one moment. */
export interface Inspection {
  /** The clock's time, which `since` counts on. */
  readonly time: number;
  /** The inspected stage first. */
  readonly stages: readonly StageInspection[];
  readonly links: readonly LinkInspection[];
}

/** Looks at every stage that can be reached from one. The only place where a stage's peers are read. */
export function inspect(from: Core): Inspection {
  // A map goes on to what is put into it meanwhile.
  const ids = new Map<Core, number>([[from, 0]]);
  const meet = (core: Core): void => {
    if (!ids.has(core)) ids.set(core, ids.size);
  };
  for (const core of ids.keys()) {
    for (const outlet of core.outlets) if (outlet.port instanceof Link) meet(outlet.port.core);
    if (core.partner) meet(core.partner);
    for (const { port } of core.links) if (isOutlet(port)) meet(port.core);
  }
  return {
    time: from.runtime.clock.now(),
    stages: Array.from(ids, ([core, id]) => inspectStage(core, id, ids.get(core.partner as Core))),
    links: Array.from(ids).flatMap(([core, id]) =>
      Array.from(core.outlets, ({ port, unmet, subscription }) => ({
        producer: id,
        consumer: port instanceof Link ? ids.get(port.core) : undefined,
        consumerName: port.name,
        state: subscription.state,
        demand: unmet,
        pending: subscription.pending,
        maxDemand: subscription.options.maxDemand,
        minDemand: subscription.options.minDemand,
      })),
    ),
  };
}

const isOutlet = (port: object): port is { readonly core: Core } => "core" in port;

function inspectStage(core: Core, id: number, partner: number | undefined): StageInspection {
  const { output, busy } = core;
  const { messages, input } = core.backlog;
  return {
    id,
    name: core.name,
    kind: core.kind,
    state: core.state,
    messages,
    input,
    ...(partner === undefined ? {} : { partner }),
    ...(busy ? { busy } : {}),
    ...(output && {
      demand: output.dispatcher.wanted,
      buffered: output.buffered,
      queued: output.dispatcher.queued,
      dispatcher: output.dispatcher.inspect?.() ?? { type: "custom" },
    }),
    waiting: waitingOf(core),
  };
}

function waitingOf(core: Core): readonly Waiting[] {
  const { busy, busySince, draining, output } = core;
  const waiting: Waiting[] = [];
  const wait = (what: Waiting["for"], on: string, since: number): void => void waiting.push({ for: what, on, since });
  if (busy) wait("callback", busy, busySince);
  else {
    let asked: number | undefined;
    const wanted = output?.dispatcher.wanted ?? 0;
    for (const { unmet, name, askedAt } of core.outlets)
      if (unmet > 0) asked = Math.min(asked ?? askedAt, askedAt);
      else if (wanted === 0) wait("demand", name, askedAt);
    if (draining) {
      for (const { name, consumer, queued } of output?.dispatcher.inspect?.().partitions ?? [])
        if (queued > 0 && !consumer) wait("demand", `partition ${name}`, busySince);
    } else if (asked !== undefined && wanted > 0 && core.kind === "producer" && output && output.owed > 0)
      wait("push", output.mode === "forward" ? "handleDemand" : "demandMode", asked);
    if (core.backlog.input === 0)
      for (const { pending, producer, arrivedAt } of core.links)
        if (pending > 0) wait("events", producer.name, arrivedAt);
  }
  return waiting;
}
