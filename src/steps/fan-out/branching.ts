import { requireType } from "../../base/check.ts";
import { argumentError } from "../../base/errors.ts";
import type { Producer } from "../../contract/stage.ts";
import type { Step } from "../../contract/step.ts";

/** A step that distributes events among branches, which the pipeline makes by a function. */
export interface Branching {
  readonly kind: "step";
  readonly name: string;
  readonly "~branches": Branches;
}

export interface Branches {
  readonly dispatcher: () => object;
  readonly names: readonly (string | number)[];
  /** Whether results come as a record by names, or as an array. */
  readonly named: boolean;
  /** The subscribe options of a branch's consumer. */
  readonly options: (name: string | number) => object;
  /** Makes a branch of its events. */
  readonly make: (events: Producer<never>, name: string | number) => unknown;
  /** Whether the events of a branch that has had enough have no other way to go. */
  readonly alone: boolean;
}

export function branching<In, Out>(name: string, branches: Branches): Step<In, Out> {
  return { kind: "step", name, "~branches": branches } satisfies Branching as Step<In, Out>;
}

/** A branch's function. */
export function requireBranch(owner: string, fn: unknown): void {
  if (fn === undefined) throw argumentError("ERR_OPTION", `${owner} to take a function of each branch's events`, fn);
  requireType(`the branch of ${owner}`, fn, "function");
}
