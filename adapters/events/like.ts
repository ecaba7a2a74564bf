/** The name of an event. EventTargets know strings only. */
export type EventName = string | symbol;

/** What the adapters use of an emitter: `on` and `off` if it has both, else the longer names. */
export type EmitterLike =
  | { on(name: any, listener: (...args: any[]) => void): unknown; off(name: any, listener: any): unknown }
  | {
      addListener(name: any, listener: (...args: any[]) => void): unknown;
      removeListener(name: any, listener: any): unknown;
    };

/** What the adapters use of an EventTarget: any platform's has it, whatever declares it. */
export interface EventTargetLike {
  addEventListener(type: any, listener: any): void;
  removeEventListener(type: any, listener: any): void;
}

/** What `intoEmitter` uses of an emitter. */
export interface EmitLike {
  emit(name: any, ...args: any[]): unknown;
}
/** What `intoEmitter` uses of an EventTarget. */
export interface DispatchLike {
  dispatchEvent(event: any): unknown;
}

/** Makes one event of arguments whose types are unknown. As a method, so that `(at: number) => at` says what they are. */
export type MapArguments<Out> = { map(...args: unknown[]): Out }["map"];

interface Unheard {
  readonly unheard: symbol;
}
type Register = (name: string, listener: (first: Unheard) => void) => unknown;
/** An emitter of any name with any arguments: a listener for what no emitter has declared is as good as another. */
export type UntypedLike =
  | { readonly on: Register; readonly off: Register }
  | { readonly addListener: Register; readonly removeListener: Register };

/** The modules of Node, as its global `process` tells of them: a project without types of Node has none. */
type NodeModules = typeof globalThis extends {
  readonly process: { readonly getBuiltinModule: { (id: any): infer Module; (id: string): unknown } };
}
  ? Module
  : never;
type EmitterClassOf<Module> = Module extends {
  readonly EventEmitter: infer Class extends abstract new (...args: any) => unknown;
  readonly errorMonitor: symbol;
}
  ? Class
  : never;
interface NoEmitter<in out Map> {
  readonly map: (map: Map) => Map;
}
declare const NodeEmitter: [EmitterClassOf<NodeModules>] extends [never]
  ? new <Map>() => NoEmitter<Map>
  : EmitterClassOf<NodeModules>;
type NodeEmitterOf<Map extends Record<keyof Map, any[]>> = InstanceType<typeof NodeEmitter<Map>>;

/** The map of events that an EventEmitter of Node was declared with: `EventEmitter<{ tick: [at: number] }>`. */
export type EventMapOf<Emitter> = Emitter extends NodeEmitterOf<infer Map> ? Map : never;

/** The names of events that an emitter has declared, or any. */
export type EmitterNames<Emitter> = [EventMapOf<Emitter>] extends [never]
  ? Emitter extends { eventNames(): readonly (infer Name)[] }
    ? Name & EventName
    : EventName
  : keyof EventMapOf<Emitter> & EventName;

/** What an emitter gives the listeners of a name; `unknown[]` unless it is an EventEmitter of Node with a map of events. */
export type ArgumentsOf<Emitter, Name> = Known<EventMapOf<Emitter>[Name & keyof EventMapOf<Emitter>]>;

/** Neither `any`, nor never. */
type Known<Args> = 0 extends 1 & Args
  ? unknown[]
  : [Args] extends [never]
    ? unknown[]
    : Args extends readonly unknown[]
      ? Args
      : unknown[];

/** The event that is made of arguments without a `map`: the first, never `any`. */
export type FirstOf<Args extends readonly unknown[]> = 0 extends 1 & Args[0]
  ? unknown
  : Args extends readonly [unknown, ...unknown[]]
    ? Args[0]
    : Args extends readonly []
      ? undefined
      : Args[0] | undefined;

/** Nothing more where the type of a source was left to its default, which it is if another was given. */
export type Told<Source> = [EmitterLike | EventTargetLike] extends [Source] ? unknown : never;

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
export interface EventLike {
  readonly type: string;
}

/** The class of events that `intoEmitter` makes. */
export type CustomEventClass = new (type: string, init?: { readonly detail: unknown }) => EventLike;
