import type { Inspection, Stall } from "../contract/inspection.ts";
import type { Clock } from "../contract/runtime.ts";
import { platformClock } from "../runtime/clock.ts";
import { inDevelopment } from "./development.ts";
import type { Core } from "./core.ts";
import { explain } from "./explain.ts";
import { inspect } from "./inspect.ts";

/** Looks per patience. */
const LOOKS = 4;
/** Milliseconds until the default watch speaks up. */
const PATIENCE = 10_000;

/** Watches a graph: events are held, nothing moves, and no one works or waits for something outside. */
export class Watch {
  readonly #look: () => Inspection | undefined;
  readonly #after: number;
  readonly #report: (stall: Stall) => void;
  #moved = -1;
  #since = 0;
  #told = false;

  /** `look` returns nothing once the graph is gone. */
  constructor(look: () => Inspection | undefined, after: number, report: (stall: Stall) => void) {
    this.#look = look;
    this.#after = after;
    this.#report = report;
  }

  /** Looks once more. Returns false when the graph is gone. */
  again(): boolean {
    const inspection = this.#look();
    if (inspection === undefined) return false;
    const moved = movement(inspection);
    if (moved !== this.#moved || !standsStill(inspection)) {
      this.#moved = moved;
      this.#since = inspection.time;
      this.#told = false;
      return true;
    }
    const time = inspection.time - this.#since;
    if (time < this.#after || this.#told) return true;
    this.#told = true;
    this.#report({ time, text: explain(inspection), inspection });
    return true;
  }
}

/** Grows with everything that happens. */
const movement = ({ stages }: Inspection): number =>
  stages.reduce((sum, { calls, emitted = 0, received = 0, dropped }) => sum + calls + emitted + received + dropped, 0);

function standsStill({ stages, links }: Inspection): boolean {
  let held = 0;
  for (const { busy, working, waiting, input, messages, buffered = 0, queued = 0 } of stages) {
    if (busy || working || messages > 0 || waiting.some((one) => one.for === "push")) return false;
    held += input + buffered + queued;
  }
  // A loop or a foreign consumer that does not ask is its own business.
  return held > 0 && !links.some(({ consumer, demand }) => consumer === undefined && demand === 0);
}

/** Looks from time to time until the graph is gone, or the returned function is called. */
export function watch(clock: Clock, after: number, one: Watch): () => void {
  let timer: unknown;
  const wait = (): void => {
    timer = clock.setTimer(() => {
      if (one.again()) wait();
    }, after / LOOKS);
  };
  wait();
  return () => clock.clearTimer(timer);
}

// ── The default watch ────────────────────────────────────────────────────────────────────────────────────────────

const watched = new Set<Watch>();
let stop: unknown;

function sweep(): void {
  for (const one of watched) if (!one.again()) watched.delete(one);
  stop = undefined;
  if (watched.size > 0) start();
}

/** It keeps no process alive. */
function start(): void {
  const timer = platformClock.setTimer(sweep, PATIENCE / LOOKS) as { readonly unref?: () => void } | number;
  if (typeof timer === "object") timer.unref?.();
  stop = timer;
}

/** In development, a stall of ten seconds prints one line. It keeps no graph alive. */
export function watchByDefault(clock: Clock, name: string, core: Core): void {
  if (clock !== platformClock || !inDevelopment()) return;
  const ref = new WeakRef(core);
  const look = (): Inspection | undefined => {
    const here = ref.deref();
    return here && inspect(here);
  };
  const one = new Watch(look, PATIENCE, ({ time, text }) => {
    watched.delete(one);
    console.warn(`headrace: ${name} has not moved for ${Math.round(time / 1000)} s: ${text.replaceAll("\n", "; ")}`);
  });
  watched.add(one);
  if (stop === undefined) start();
  core.outcome.whenSettled(() => watched.delete(one));
}
