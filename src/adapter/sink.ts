import type { SinkBehaviour } from "../contract/adapter.ts";
import type { StageOptions } from "../contract/options.ts";
import type { Consumer } from "../contract/stage.ts";
import { makeStage, sinkFaces } from "../stage/make-stage.ts";
import type { Traits } from "./source.ts";

/**
 * Makes a consumer that hands events to a foreign sink.
 *
 * **Shape** batches in; nothing out.
 * **Backpressures** while `handleEvents` or its promise is pending.
 * **Completes** when its last permanent subscription has ended well, after `handleEnd`. **Cancels** its subscriptions
 * when it ends; events it holds go back by `stage.giveBack`.
 *
 * @throws ArgumentError `ERR_BEHAVIOUR`, `ERR_OPTION`: at once.
 *
 * **Source** rules 7.2 and 7.3.
 *
 * @example
 * import { sink } from "headrace/adapter";
 *
 * const lines: string[] = [];
 * const printer = sink<string>({ handleEvents: (events) => void lines.push(...events) }, {});
 * await pipeline(fromIterable(["a", "b"]), printer).done;
 */
export function sink<In>(behaviour: SinkBehaviour<In>, options: StageOptions = {}, traits: Traits = {}): Consumer<In> {
  return makeStage(sinkFaces, "consumer", behaviour, options, traits) as Consumer<In>;
}
