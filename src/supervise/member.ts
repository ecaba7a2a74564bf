import type { Failure } from "../contract/failure.ts";
import type { SubscribeOptions } from "../contract/options.ts";
import type { Inspection } from "../contract/inspection.ts";
import type { ChildState, SupervisedChild } from "./child.ts";
import type { AnyProducer, ChildDeclaration, ChildInspection } from "./declaration.ts";
import { SHUTDOWN } from "./restarts.ts";
import type { Run } from "./run.ts";

/** A subscription as declared. */
export interface Link {
  readonly to: AnyProducer | string;
  readonly options: SubscribeOptions;
}

/** What the supervisor knows of a child. */
export class Member implements SupervisedChild {
  readonly name: string;
  /** Its position. */
  readonly index: number;
  readonly start: ChildDeclaration["start"];
  readonly restart: "permanent" | "transient" | "temporary";
  readonly shutdown: number;
  readonly links: readonly Link[];
  /** Its life now, or the last one. */
  run: Run | undefined;
  /** `"waiting"` before its first start, too. */
  phase: "waiting" | "running" | "ended" = "waiting";
  attempts = 0;
  /** Failures in a row. */
  inRow = 0;
  timer: unknown;
  /** What it has failed with last. */
  error: unknown;
  /** It runs, but could not be subscribed as declared: it is stopped, and has failed with this. */
  broken: { readonly error: unknown } | undefined;

  constructor(declaration: ChildDeclaration, name: string, index: number, links: readonly Link[]) {
    this.name = name;
    this.index = index;
    this.start = declaration.start;
    this.restart = declaration.restart ?? "transient";
    this.shutdown = declaration.shutdown ?? SHUTDOWN;
    this.links = links;
  }

  get state(): ChildState {
    return this.phase === "running" && this.run?.stopping ? "stopping" : this.phase;
  }
  get restarts(): number {
    return Math.max(0, this.attempts - 1);
  }
  get value(): unknown {
    return this.run?.value;
  }
  /** Where its stage or pipeline failed. */
  get failure(): Failure | undefined {
    const { failure } = (this.run?.stoppable ?? {}) as { readonly failure?: Partial<Failure> };
    // Others may have a failure of another kind.
    return Array.isArray(failure?.events) ? (failure as Failure) : undefined;
  }
  /** It can be subscribed to others, or they to it. */
  get present(): boolean {
    return this.phase === "running" && this.run?.stoppable !== undefined;
  }

  inspect(): ChildInspection {
    const { name, state, restart, restarts, run } = this;
    const child = run?.stoppable as { readonly inspect?: () => Inspection } | undefined;
    const inspection = typeof child?.inspect === "function" ? child.inspect() : undefined;
    return { name, state, restart, restarts, ...(inspection !== undefined && { inspection }) };
  }
}

/** A child as its users see it. */
export class Handle implements SupervisedChild {
  readonly name: string;
  readonly #member: Member;

  constructor(member: Member) {
    this.name = member.name;
    this.#member = member;
  }
  get state(): ChildState {
    return this.#member.state;
  }
  get restarts(): number {
    return this.#member.restarts;
  }
  get value(): unknown {
    return this.#member.value;
  }
}
