import { argumentError, words } from "../base/errors.ts";
import type { Core } from "./core.ts";
import { StageInlet } from "./stage-inlet.ts";

type Events = readonly unknown[];

/** What callbacks have given back of a link. */
export interface Given {
  readonly total: number;
  /** Those given back since the last batch was handed over. */
  readonly events: Events;
  /** Events handed over by then. */
  readonly at: number;
}

/** A list without others, each taken out as often as it is there, the last first. */
function without(list: Events, others: Events): Events {
  const counts = new Map<unknown, number>();
  for (const event of others) counts.set(event, (counts.get(event) ?? 0) + 1);
  const stays = (event: unknown): boolean => {
    const count = counts.get(event) ?? 0;
    counts.set(event, count - 1);
    return count <= 0;
  };
  return list.toReversed().filter(stays).toReversed();
}

/** Notes a `giveBack`, if its arguments can be meant, and returns the subscription. */
export function noteGivenBack(core: Core, link: unknown, rest: Events): StageInlet {
  const refuse = (got: unknown): never => {
    throw argumentError("ERR_GIVE_BACK", core.name, got);
  };
  if (!(link instanceof StageInlet)) return refuse(link);
  if (link.core !== core) refuse(words(`one of ${link.name}`));
  if (!Array.isArray(rest)) throw argumentError("ERR_EVENTS", "", rest);
  const { handed: at, given } = link;
  const total = (given?.total ?? 0) + rest.length;
  if (total > at) refuse(words(`${total - at} more`));
  const events = given?.at === at ? given.events.concat(rest) : rest;
  const batch = core.callbacks.batchOf(link);
  // Events of earlier batches, in the behaviour's queue, may be equal.
  if (batch && at - total + events.length === batch.length) {
    const known = new Set(batch);
    const back = events.filter((event) => known.has(event)).length;
    if (back + without(batch, events).length > batch.length) refuse(words("one twice"));
  }
  link.given = { total, events, at };
  return link;
}

/** The last batch, without the events of it that were given back. */
export const notGivenBack = ({ given, handed }: StageInlet, batch: Events): Events =>
  given?.at === handed ? without(batch, given.events) : batch;
