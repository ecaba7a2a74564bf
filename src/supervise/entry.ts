import type { Subscription } from "../contract/stage.ts";
import type { ChildState } from "./child.ts";
import type { ChildOfEvent } from "./per-event.ts";
import type { Run } from "./run.ts";

/** A child and its event, until it has ended for good. */
export class EventChild<In> implements ChildOfEvent<In> {
  readonly name: string;
  readonly event: In;
  readonly #entry: Entry<In>;

  constructor(name: string, event: In, entry: Entry<In>) {
    this.name = name;
    this.event = event;
    this.#entry = entry;
  }
  get state(): ChildState {
    const { run, waits, over } = this.#entry;
    if (over) return "ended";
    if (waits) return "waiting";
    return run?.stopping ? "stopping" : "running";
  }
  get restarts(): number {
    return Math.max(0, this.#entry.attempts - 1);
  }
  get value(): unknown {
    return this.#entry.run?.value;
  }
}

/** What the supervisor knows of a child. */
export class Entry<In> {
  readonly child: EventChild<In>;
  readonly from: Subscription | undefined;
  run: Run | undefined;
  attempts = 0;
  /** Failures in a row. */
  inRow = 0;
  waits: { readonly timer: unknown; readonly error: unknown } | undefined;
  over = false;

  constructor(name: string, event: In, from: Subscription | undefined) {
    this.child = new EventChild(name, event, this);
    this.from = from;
  }
}
