import type { Inspection, StageInspection, Waiting } from "../contract/inspection.ts";

const over = ["completed", "stopped", "failed"];

/** Says in words what a graph waits for, and since when: a line for each cause, the ones that hold events first. */
export function explain({ time, stages }: Inspection): string {
  const running = stages.filter(({ state }) => !over.includes(state));
  if (running.length === 0) return `${stages[0]?.name ?? "nothing"}: all stages have ended`;
  const lines = running.flatMap((stage) => [...heldIn(stage), ...waitsOf(stage, time)]);
  return lines.length > 0 ? lines.join("\n") : "nothing waits: all that was asked for is on its way";
}

/** Where events are held, and by whom. */
function heldIn({ name, input, buffered = 0, dispatcher }: StageInspection): string[] {
  const lines: string[] = [];
  if (input > 0) lines.push(`${name} holds ${count(input, "batch", "batches")} of input until its output is wanted`);
  if (buffered > 0) lines.push(`${count(buffered, "event", "events")} ${buffered === 1 ? "waits" : "wait"} in ${name}`);
  for (const { name: partition, queued, consumer, demand } of dispatcher?.partitions ?? [])
    if (queued > 0 && demand === 0) {
      const of = consumer === undefined ? "which has no consumer" : `for ${consumer}`;
      lines.push(
        `${count(queued, "event", "events")} ${queued === 1 ? "waits" : "wait"} in partition ${partition} of ${name}, ${of}`,
      );
    }
  if (dispatcher?.heldBy && dispatcher.heldBy.length > 0)
    lines.push(`${name} is held back by ${dispatcher.heldBy.join(", ")}`);
  return lines;
}

function waitsOf({ name, waiting, working }: StageInspection, time: number): string[] {
  const waits = waiting.map(({ for: what, on, since }) => `${said[what](name, on)} for ${seconds(time - since)}`);
  return working ? [`${name} has calls or timers of its own under way`, ...waits] : waits;
}

const said: Readonly<Record<Waiting["for"], (name: string, on: string) => string>> = {
  callback: (name, on) => `${name} has been in ${on}`,
  events: (name, on) => `${name} has been waiting for events of ${on}`,
  demand: (name, on) => `${on} has not asked ${name}`,
  push: (name, on) => `${name} has not given what ${on} was asked for`,
};

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
