export { type FromEmitterOptions, type FromEventsOptions, type FromTargetOptions, fromEvents } from "./from-events.ts";
export { type IntoEmitterOptions, intoEmitter } from "./into-emitter.ts";
export type {
  ArgumentsOf,
  DispatchPeer,
  EmitPeer,
  EmitterNames,
  EmitterPeer,
  EventMapOf,
  EventName,
  EventOf,
  EventPeer,
  EventTargetPeer,
  FirstOf,
  MapArguments,
  NamesOf,
  Told,
  UntypedPeer,
} from "./peer.ts";
