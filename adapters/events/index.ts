export { type FromEmitterOptions, type FromEventsOptions, type FromTargetOptions, fromEvents } from "./from-events.ts";
export { type IntoEmitterOptions, intoEmitter } from "./into-emitter.ts";
export type {
  ArgumentsOf,
  DispatchLike,
  EmitLike,
  EmitterNames,
  EmitterLike,
  EventMapOf,
  EventName,
  EventOf,
  EventLike,
  EventTargetLike,
  FirstOf,
  MapArguments,
  NamesOf,
  Told,
  UntypedLike,
} from "./like.ts";
