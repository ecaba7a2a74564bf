import { fanOut } from "./fan-out.ts";
import type { Step } from "../../contract/step.ts";
import {
  type BroadcastDispatcherOptions,
  type BroadcastSubscribeOptions,
  broadcastDispatcher,
} from "../../dispatchers/broadcast.ts";

/**
 * Gives each event to every consumer, at the pace of the slowest.
 *
 * **Shape** each event to all subscribed consumers; a consumer's `selector` picks among them.
 * **Units** `startAfter` in consumers: nothing is requested before there are this many.
 * **Backpressures** when one consumer does not ask.
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: wrong options.
 *
 * **Source** rules 4.4, 8.5.
 *
 * @example
 * const news = pipeline(fromIterable(["a", "b"]), broadcast({ startAfter: 2 }));
 * for (const reader of ["x", "y"]) pipeline(news, forEach((item) => console.log(reader, item)));
 */
export function broadcast<In>(options?: BroadcastDispatcherOptions): Step<In, In, BroadcastSubscribeOptions<In>> {
  broadcastDispatcher(options);
  return fanOut("broadcast", () => broadcastDispatcher(options));
}
