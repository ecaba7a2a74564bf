// One child for each event
export { consumerSupervisor } from "./consumer-supervisor.ts";
export type { ChildOfEvent, ConsumerSupervisor, ConsumerSupervisorOptions, LostEvent } from "./per-event.ts";
// Several children, one after the other
export { supervisor } from "./supervisor.ts";
export type {
  AnyProducer,
  ChildDeclaration,
  ChildInspection,
  LostEvents,
  Strategy,
  SubscribeTo,
  SubscribeToWith,
  Supervisor,
  SupervisorInspection,
  SupervisorOptions,
  SupervisorState,
} from "./declaration.ts";
// What children and their restarts are
export type { Child, ChildContext, ChildState, Stoppable, SupervisedChild } from "./child.ts";
export type { Backoff, RestartOptions } from "./restarts.ts";
export { RestartError } from "../base/errors.ts";
