import { argumentError, words } from "../base/errors.ts";
import type { Core } from "./core.ts";
import { StageInlet } from "./stage-inlet.ts";

type Events = readonly unknown[];

/** What callbacks have given back of a link. */
export interface Given {
  readonly total: number;
  /** Those given back since the last batch was handed over. */
  readonly events: unknown[];
  /** Events handed over by then. */
  readonly at: number;
}

/** Takes equal events out of a list, each as often as it is there. */
function taker(events: Events): (event: unknown) => boolean | undefined {
  const left = new Map<unknown, number>();
  for (const event of events) left.set(event, (left.get(event) ?? 0) + 1);
  return (event) => {
    const count = left.get(event);
    if (count !== undefined) left.set(event, count - 1);
    return count === undefined ? undefined : count > 0;
  };
}

/** Notes a `giveBack`, if its arguments can be meant, and returns the subscription. */
export function noteGivenBack(core: Core, subscription: unknown, rest: Events): StageInlet {
  if (!(subscription instanceof StageInlet) || subscription.core !== core) {
    const got = subscription instanceof StageInlet ? words(`one of ${subscription.name}`) : subscription;
    throw argumentError("ERR_GIVE_BACK", `a subscription of ${core.name}`, got);
  }
  if (!Array.isArray(rest)) throw argumentError("ERR_EVENTS", "", rest);
  const { handed } = subscription;
  const given = (subscription.given ??= { total: 0, events: [], at: handed });
  const kept = handed - given.total;
  if (rest.length > kept) throw argumentError("ERR_GIVE_BACK", `at most ${kept} events, those not given back`, rest);
  const before = given.at === handed ? given.events : [];
  const events = before.concat(rest);
  const batch = core.callbacks.batchOf(subscription);
  // Events of earlier batches, in a queue of the behaviour, may be equal ones.
  if (batch !== undefined && kept + before.length === batch.length) {
    const take = taker(batch);
    if (events.some((event) => take(event) === false))
      throw argumentError("ERR_GIVE_BACK", "each event once", words("one twice"));
  }
  Object.assign(given, { total: given.total + rest.length, events, at: handed });
  return subscription;
}

/** The last batch, without the events of it that were given back. */
export function notGivenBack({ given, handed }: StageInlet, batch: Events): Events {
  if (given?.at !== handed) return batch;
  const take = taker(given.events);
  return batch
    .toReversed()
    .filter((event) => take(event) !== true)
    .toReversed();
}
