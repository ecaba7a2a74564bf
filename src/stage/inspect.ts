import { StageInlet } from "./stage-inlet.ts";
import type { Inspection, StageInspection, Waiting } from "../contract/inspection.ts";
import type { Core } from "./core.ts";

/** Describes every stage reachable from one. The only place that reads a stage's peers. */
export function inspect(from: Core): Inspection {
  // A map iterates over entries added meanwhile.
  const ids = new Map<Core, number>([[from, 0]]);
  const meet = (core: Core): void => {
    if (!ids.has(core)) ids.set(core, ids.size);
  };
  for (const core of ids.keys()) {
    for (const outlet of core.outlets.values()) if (outlet.port instanceof StageInlet) meet(outlet.port.core);
    if (core.partner) meet(core.partner);
    for (const { port } of core.links) if (isOutlet(port)) meet(port.core);
  }
  return {
    time: from.runtime.clock.now(),
    stages: Array.from(ids, ([core, id]) => inspectStage(core, id, ids.get(core.partner as Core))),
    links: Array.from(ids).flatMap(([core, id]) =>
      Array.from(core.outlets.values(), ({ port, unmet, subscription }) => ({
        producer: id,
        consumer: port instanceof StageInlet ? ids.get(port.core) : undefined,
        consumerName: port.name,
        state: subscription.state,
        ...(port instanceof StageInlet && { received: port.handed + 0 }),
        demand: unmet,
        pending: subscription.pending,
        maxDemand: subscription.options.maxDemand,
        minDemand: subscription.options.minDemand,
      })),
    ),
  };
}

const isOutlet = (port: object): port is { readonly core: Core } =>
  (port as { readonly core?: unknown }).core !== undefined;

function inspectStage(core: Core, id: number, partner: number | undefined): StageInspection {
  const { output, busy } = core;
  const { messages, input } = core.backlog;
  const { counts } = core.callbacks.behaviour;
  return {
    id,
    name: core.name,
    kind: core.kind,
    state: core.state,
    messages,
    input,
    calls: counts?.calls ?? core.callbacks.calls,
    waited: core.callbacks.waited,
    dropped: core.outcome.dropped + (counts?.dropped ?? 0),
    ...(core.kind !== "producer" && { received: core.upstream.received }),
    ...(counts?.failed !== undefined && { failed: counts.failed }),
    ...(partner === undefined ? {} : { partner }),
    ...(busy ? { busy } : {}),
    ...(output && {
      emitted: output.emitted,
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
    for (const { unmet, name, askedAt } of core.outlets.values())
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
