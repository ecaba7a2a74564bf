/** The name of an event. EventTargets know strings only. */
export type EventName = string | symbol;

/** What the adapters use of an emitter: `on` and `off` if it has both, else the longer names. */
export type EmitterPeer =
  | { on(name: any, listener: (...args: any[]) => void): unknown; off(name: any, listener: any): unknown }
  | {
      addListener(name: any, listener: (...args: any[]) => void): unknown;
      removeListener(name: any, listener: any): unknown;
    };

/** What the adapters use of an EventTarget: any platform's has it, whoever declares it. */
export interface EventTargetPeer {
  addEventListener(type: any, listener: any): void;
  removeEventListener(type: any, listener: any): void;
}

/** What `intoEmitter` uses of an emitter. */
export interface EmitPeer {
  emit(name: any, ...args: any[]): unknown;
}
/** What `intoEmitter` uses of an EventTarget. */
export interface DispatchPeer {
  dispatchEvent(event: any): unknown;
}

/** Makes one event of what a listener is called with. */
export type MapArguments<out Out> = (...args: any[]) => Out;

/** The names of events that an EventTarget has an `on…` property for, which tells the type of the event. */
export type NamesOf<Target> = Target extends { readonly on: unknown }
  ? never
  : { [Key in keyof Target]: Key extends `on${infer Name}` ? Name : never }[keyof Target] & string;

/** The event an EventTarget gives the listeners of a name. */
export type EventOf<Target, Name extends string> = Target extends { readonly [Key in `on${Name}`]: infer Handler }
  ? Extract<Handler, (event: any) => unknown> extends (event: infer Event) => unknown
    ? Event
    : never
  : never;

/** Every event of an EventTarget that nothing more is known of. */
export interface EventPeer {
  readonly type: string;
}

/** The class of events that `intoEmitter` makes. */
export type CustomEventClass = new (type: string, init?: { readonly detail: unknown }) => EventPeer;
