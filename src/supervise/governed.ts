import { argumentError, words } from "../base/errors.ts";
import type { SubscribeOptions } from "../contract/options.ts";
import type { Consumer, Stage, Subscription } from "../contract/stage.ts";

type Ask = Subscription["ask"];
/** What asks for subscriptions whose own `ask` is refused. */
const asks = new WeakMap<Subscription, Ask>();

/** Asks on behalf of the supervisor. */
export function askFor(subscription: Subscription, count: number): void {
  const ask = asks.get(subscription);
  if (ask) ask(count);
  else subscription.ask(count);
}

function refuseManual(stage: string, options: SubscribeOptions | undefined): void {
  if (options?.demand !== "manual") return;
  const got = words('demand: "manual"; its maxDemand is the number of children at a time');
  throw argumentError("ERR_OPTION", `${stage} to ask by itself, as its children end`, got);
}

/** Refuses a subscription's `ask` to anyone but the supervisor, whose count of free slots it would upset. */
function govern(stage: string, subscription: Subscription): Subscription {
  asks.set(subscription, subscription.ask.bind(subscription));
  const renew = subscription.resubscribe.bind(subscription);
  const own: Pick<Subscription, "ask" | "resubscribe"> = {
    ask: () => {
      if (subscription.state === "ended") return;
      const advice = "maxDemand is the number of children at a time";
      throw argumentError("ERR_ASK_AUTOMATIC", "", words(`one of ${stage}`), undefined, advice);
    },
    resubscribe: (options) => {
      refuseManual(stage, options);
      return govern(stage, renew(options));
    },
  };
  for (const [key, value] of Object.entries(own)) Object.defineProperty(subscription, key, { value });
  return subscription;
}

/** The `subscribe` of a stage that governs the demand of its subscriptions itself. */
export function governed<In>(stage: Consumer<In>): Consumer<In>["subscribe"] {
  const { name } = stage;
  const subscribe = stage.subscribe.bind(stage) as (source: Stage, options?: SubscribeOptions) => Subscription;
  return (source: Stage, options?: SubscribeOptions) => {
    refuseManual(name, options);
    return govern(name, subscribe(source, options));
  };
}
