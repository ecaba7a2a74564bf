import { argumentError, words } from "../base/errors.ts";
import type { Core } from "./core.ts";
import { StageInlet } from "./stage-inlet.ts";

type Events = readonly unknown[];

/** The batch in a callback's hand, and the events of it that were given back. */
export interface Given {
  readonly batch: Events;
  readonly events: unknown[];
}

const counts = (events: Events): Map<unknown, number> => {
  const found = new Map<unknown, number>();
  for (const event of events) found.set(event, (found.get(event) ?? 0) + 1);
  return found;
};

/** Whether some event of the batch is given back more often than it is there. */
function repeats({ batch, events }: Given, rest: Events): boolean {
  const left = counts(batch);
  const over = (event: unknown): boolean => {
    const count = left.get(event);
    if (count !== undefined) left.set(event, count - 1);
    return count === 0;
  };
  return events.some(over) || rest.some(over);
}

/** The subscription of a `giveBack`, if its arguments can be meant. */
export function returnable(core: Core, subscription: unknown, rest: Events): StageInlet {
  if (!(subscription instanceof StageInlet) || subscription.core !== core) {
    const got = subscription instanceof StageInlet ? words(`one of ${subscription.name}`) : subscription;
    throw argumentError("ERR_GIVE_BACK", `a subscription of ${core.name}`, got);
  }
  if (!Array.isArray(rest)) throw argumentError("ERR_EVENTS", "", rest);
  const { batch, kept } = subscription;
  if (rest.length > kept) throw argumentError("ERR_GIVE_BACK", `at most the ${kept} events not given back`, rest);
  if (batch.length === 0) return subscription;
  let given = subscription.given;
  if (given?.batch !== batch) subscription.given = given = { batch, events: [] };
  // Events of earlier batches, in a queue of the behaviour, may be equal ones.
  else if (kept + given.events.length === batch.length && repeats(given, rest))
    throw argumentError("ERR_GIVE_BACK", "each event once", words("one twice"));
  given.events.push(...rest);
  return subscription;
}

/** A batch in hand, without the events of it that were given back. */
export function notGivenBack({ given }: StageInlet, batch: Events): Events {
  if (given?.batch !== batch) return batch;
  const gone = counts(given.events);
  const stays = (event: unknown): boolean => {
    const count = gone.get(event) ?? 0;
    if (count > 0) gone.set(event, count - 1);
    return count === 0;
  };
  return batch.toReversed().filter(stays).toReversed();
}
