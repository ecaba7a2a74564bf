import { reporter, sink } from "../adapter/index.ts";
import { requireInteger, requireOneOf, requireOptions, requireType } from "../base/check.ts";
import { argumentError, words } from "../base/errors.ts";
import type { Consumer } from "../contract/stage.ts";
import { EventChildren } from "./event-children.ts";
import { governed } from "./governed.ts";
import type { ConsumerSupervisor, ConsumerSupervisorOptions } from "./per-event.ts";
import { checkRestarts, checkShutdown, restartNames, Restarts } from "./restarts.ts";

const names = ["start", "restart", "shutdown", "maxDemand", "minDemand", "onLost", ...restartNames];

function check(options: ConsumerSupervisorOptions<never>): void {
  const owner = "consumerSupervisor";
  if (typeof options === "function")
    throw argumentError("ERR_OPTION", `${owner} to get options`, words(`a function: write ${owner}({ start })`));
  requireOptions(owner, options, names);
  const limit = ["maxChildren", "concurrency"].find((name) => name in options);
  if (limit !== undefined) throw argumentError("ERR_OPTION", "maxDemand, the limit of children at a time", limit);
  const { start, restart, shutdown, maxDemand, minDemand, onLost } = options;
  if (typeof start !== "function")
    throw argumentError("ERR_OPTION", `${owner} to get start, a function of an event`, start);
  if ((restart as string) === "permanent") {
    const got = words('"permanent": a child that has done its event would do it again and again');
    throw argumentError("ERR_OPTION", `restart of ${owner} to be temporary or transient`, got);
  }
  requireOneOf("restart", restart, ["temporary", "transient"]);
  checkShutdown(shutdown);
  checkRestarts(options);
  requireInteger("maxDemand", maxDemand, 1);
  requireInteger("minDemand", minDemand, 0, maxDemand === undefined ? undefined : maxDemand - 1);
  requireType("onLost", onLost, "function");
}

/**
 * Makes a consumer that starts one child for each event: a call, a pipeline, a connection, as many at a time as its
 * subscription's `maxDemand`.
 *
 * **Shape** events in; nothing out. `start` gets the event and `{ name, signal, attempt }`.
 * **Units** `maxDemand` in children, restarting ones included; `shutdown`, `within` and `delay` in milliseconds.
 * **Backpressures** asks for as many events as children have ended for good, once those are `minDemand`.
 * **Completes** when its last permanent source has completed and the last child has ended. **Cancels** at a stop, a failure or
 * an abort: unstarted events go back, the children are asked to end in the order of their starts, and abandoned when `shutdown`
 * is over (`ERR_SHUTDOWN`, to `onReport`); events of those cut short go to `onLost`.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: at once. `done` rejects with a RestartError (`ERR_RESTARTS`) after more than
 * `maxRestarts` restarts `within` so long. A first start that fails ends its event alone.
 *
 * **Source** rule 8.13; GenStage's ConsumerSupervisor.
 *
 * @example
 * import { consumerSupervisor } from "headrace/supervise";
 *
 * const done: string[] = [];
 * const jobs = consumerSupervisor({
 *   maxDemand: 2,
 *   restart: "transient",
 *   backoff: { delay: 10 },
 *   onReport: () => {},
 *   start: async (job: string, { attempt }) => {
 *     if (attempt === 1) throw new Error("busy");
 *     done.push(job);
 *   },
 * });
 * await pipeline(["a", "b", "c"], jobs);
 * console.log(done.toSorted()); // [ 'a', 'b', 'c' ]
 */
export function consumerSupervisor<In>(options: ConsumerSupervisorOptions<In>): ConsumerSupervisor<In> {
  check(options);
  const behaviour = new EventChildren<In>(
    options,
    ({ runtime, name }) => new Restarts(options, runtime, name),
    ({ name }) => reporter(name, options.onReport),
  );
  const stage = sink<In>(behaviour, options, { name: "consumerSupervisor", own: names });
  const own: Omit<ConsumerSupervisor<In>, Exclude<keyof Consumer<In>, "subscribe">> = {
    subscribe: governed(stage),
    children: () => behaviour.children,
    count: () => ({ workers: behaviour.workers, active: behaviour.active }),
    startChild: (event) => behaviour.startChild(event),
    terminateChild: (child) => {
      if (Object(child) !== child) throw argumentError("ERR_OPTION", "terminateChild to get one of children()", child);
      return behaviour.terminateChild(child);
    },
  };
  for (const [key, value] of Object.entries(own)) Object.defineProperty(stage, key, { value });
  return stage as ConsumerSupervisor<In>;
}
