import type { PipelineOptions } from "../contract/pipeline.ts";
import type { ConsumerPort, ProducerPort } from "../contract/stage.ts";
import type { SourceHandle } from "../stage/faces.ts";

/**
 * A branch's events: the stage that shares them out, with the branch's subscribe options added to each subscription.
 * What is built on it inherits the settings of the pipeline.
 */
export interface BranchView extends SourceHandle {
  readonly "~setting": PipelineOptions;
  readonly "~consumed": boolean;
}

export function branchView(stage: SourceHandle, options: object, setting: PipelineOptions): BranchView {
  let consumed = false;
  const subscribed = (given: object): object => {
    consumed = true;
    return { ...given, ...options };
  };
  const view = Object.create(stage, {
    "~setting": { value: setting },
    "~consumed": { get: () => consumed },
    "~attach": {
      value: (port: ConsumerPort<never>, given: object, replaces?: ProducerPort) =>
        stage["~attach"](port, subscribed(given), replaces),
    },
    // All branches have the same source, so one drains for all.
    "~drain": {
      value: () => {
        stage["~core"].ends.beginDrain();
        return true;
      },
    },
    batches: { value: (given: object = {}) => stage.batches(subscribed(given)) },
    events: { value: (given: object = {}) => stage.events(subscribed(given)) },
    [Symbol.asyncIterator]: { value: () => stage.events(subscribed({})) },
  }) as BranchView;
  return view;
}
