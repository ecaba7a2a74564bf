export { type FromEventsOptions, type FromTargetOptions, fromEvents } from "./from-events.ts";
export { type IntoEmitterOptions, intoEmitter } from "./into-emitter.ts";
export type {
  DispatchPeer,
  EmitPeer,
  EmitterPeer,
  EventName,
  EventOf,
  EventPeer,
  EventTargetPeer,
  MapArguments,
  NamesOf,
} from "./peer.ts";
