import { failure } from "../base/reason.ts";
import { argumentError, overflown } from "../base/errors.ts";
import type { Output } from "./output.ts";
import { requireOneOf } from "../base/check.ts";
import type { Core } from "./core.ts";
import type { DemandMode } from "../contract/options.ts";

/** Emits unasked events within the limit of the buffer. Returns whether all went out. */
export function push(core: Core, events: readonly unknown[], inside: boolean): boolean {
  if (!Array.isArray(events)) throw argumentError("ERR_EVENTS", "", events);
  if (!core.takes(inside)) throw core.endedError;
  const output = core.output as Output;
  if (events.length === 0) return output.buffered === 0;
  const sent = core.offer(events);
  if (sent < 0) return false;
  try {
    return keep(core, events, sent);
  } finally {
    core.moved(output);
  }
}

/** Keeps what fits; the overflow policy decides on the excess. Returns whether there was no rest. */
export function keep(core: Core, events: readonly unknown[], sent: number): boolean {
  const output = core.output as Output;
  const { length } = events;
  if (sent === length) return true;
  const oldest = output.overflow === "drop-oldest";
  const rest = length - sent;
  const room = Math.max(0, output.limit - output.buffered); // M08
  const kept = oldest ? length : Math.min(length, sent + room);
  output.keep(events, sent, kept);
  if (rest <= room) return false;
  if (output.overflow === "throw" || output.overflow === "fail") output.emitted -= length - kept;
  if (output.overflow === "throw") throw overflown(core.name, length, events.slice(kept));
  if (output.overflow === "fail") {
    const error = overflown(core.name, length, events.slice(kept));
    core.ends.failWith({ reason: failure(error) }, false);
    return false;
  }
  core.outcome.discard(oldest ? shed(output, rest - room) : events.slice(kept), "overflow"); // M09
  return false;
}

function shed(output: Output, count: number): readonly unknown[] {
  const dropped: unknown[] = [];
  while (dropped.length < count && output.buffered > 0)
    for (const event of output.shed(count - dropped.length)) dropped.push(event);
  return dropped;
}

/** Resolves when nothing is held. */
export function flushed(core: Core): Promise<void> {
  return new Promise((resolve, reject) =>
    core.ends.whenEmptied((left) => {
      if (left) reject(core.endedError);
      else resolve();
    }),
  );
}

export function setMode(core: Core, mode: DemandMode): void {
  requireOneOf("demandMode", mode, ["forward", "accumulate"]);
  const output = core.output as Output;
  if (output.mode === mode) return;
  output.turnTo(mode);
  core.wake();
}
