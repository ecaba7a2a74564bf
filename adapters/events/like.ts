/** An event's name. EventTargets know strings only. */
export type EventName = string | symbol;

/** An emitter: `on` and `off` if it has both, else the longer names. */
export type EmitterLike =
  | { on(name: any, listener: (...args: any[]) => void): unknown; off(name: any, listener: any): unknown }
  | {
      addListener(name: any, listener: (...args: any[]) => void): unknown;
      removeListener(name: any, listener: any): unknown;
    };

/** An EventTarget of any platform, as the adapters use it. */
export interface EventTargetLike {
  addEventListener(type: any, listener: any): void;
  removeEventListener(type: any, listener: any): void;
}

/** An emitter, as `intoEmitter` uses it. */
export interface EmitLike {
  emit(name: any, ...args: any[]): unknown;
}
/** An EventTarget, as `intoEmitter` uses it. */
export interface DispatchLike {
  dispatchEvent(event: any): unknown;
}

/** Makes one event of the arguments. A method, so that `(at: number) => at` may narrow them. */
export type MapArguments<Out> = { map(...args: unknown[]): Out }["map"];

interface Unheard {
  readonly unheard: symbol;
}
type Register = (name: string, listener: (first: Unheard) => void) => unknown;
/** An emitter of any name and arguments, so that undeclared events fit. */
export type UntypedLike =
  | { readonly on: Register; readonly off: Register }
  | { readonly addListener: Register; readonly removeListener: Register };

/** Node's modules, by its global `process`; none without Node's types. */
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

/** The map of a typed EventEmitter: `EventEmitter<{ tick: [at: number] }>`. */
export type EventMapOf<Emitter> = Emitter extends NodeEmitterOf<infer Map> ? Map : never;

/** The names an emitter declares, or any. */
export type EmitterNames<Emitter> = [EventMapOf<Emitter>] extends [never]
  ? Emitter extends { eventNames(): readonly (infer Name)[] }
    ? Name & EventName
    : EventName
  : keyof EventMapOf<Emitter> & EventName;

/** The arguments of a name's listeners; `unknown[]` without a map of events. */
export type ArgumentsOf<Emitter, Name> = Known<EventMapOf<Emitter>[Name & keyof EventMapOf<Emitter>]>;

/** Neither `any`, nor never. */
type Known<Args> = 0 extends 1 & Args
  ? unknown[]
  : [Args] extends [never]
    ? unknown[]
    : Args extends readonly unknown[]
      ? Args
      : unknown[];

/** The event made without a `map`: the first argument, never `any`. */
export type FirstOf<Args extends readonly unknown[]> = 0 extends 1 & Args[0]
  ? unknown
  : Args extends readonly [unknown, ...unknown[]]
    ? Args[0]
    : Args extends readonly []
      ? undefined
      : Args[0] | undefined;

/** Accepts a source only where its type is left to its default. */
export type Told<Source> = [EmitterLike | EventTargetLike] extends [Source] ? unknown : never;

/** The names with an `on…` property, which types the event. */
export type NamesOf<Target> = Target extends { readonly on: unknown }
  ? never
  : { [Key in keyof Target]: Key extends `on${infer Name}` ? Name : never }[keyof Target] & string;

/** The event that listeners of a name get. */
export type EventOf<Target, Name extends string> = Target extends { readonly [Key in `on${Name}`]: infer Handler }
  ? Extract<Handler, (event: any) => unknown> extends (event: infer Event) => unknown
    ? Event
    : never
  : never;

/** An event of an EventTarget about which nothing more is known. */
export interface EventLike {
  readonly type: string;
}

/** The class of `intoEmitter`'s events. */
export type CustomEventClass = new (type: string, init?: { readonly detail: unknown }) => EventLike;
