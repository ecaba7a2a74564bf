/** An observer, as an Observable uses it. */
export interface ObserverMethods<in Value> {
  next(value: Value): void;
  error(error: any): void;
  complete(): void;
}

/** Any part of an observer. A Subject is one. */
export interface PartialObserverLike<in Value> {
  readonly next?: ((value: Value) => void) | undefined;
  readonly error?: ((error: any) => void) | undefined;
  readonly complete?: (() => void) | undefined;
  /** RxJS 7: it takes nothing more. */
  readonly closed?: boolean | undefined;
  /** RxJS 9 and the platform: it still takes something. */
  readonly active?: boolean | undefined;
}

/** The argument of the function that makes an Observable. */
export interface SubscriberLike<in Value> extends ObserverMethods<Value> {
  /** RxJS 7: no one listens any more. */
  readonly closed?: boolean | undefined;
  /** RxJS 9 and the platform: someone still listens. */
  readonly active?: boolean | undefined;
  /** RxJS 9 and the platform, which ignore the result of that function. */
  addTeardown?(teardown: () => void): void;
}

/** An Observable. Its observers are functions or objects, so that values are inferred from either. */
export interface SubscribableLike<out Value> {
  subscribe(
    observer: ObserverMethods<Value> & ((value: Value) => void),
    options?: { readonly signal: AbortSignal },
  ): any;
}

/** A class of Observables: RxJS 7's `Observable`, RxJS 9's `ColdObservable`, the platform's. */
export type ObservableClass<in out Value, out Result extends SubscribableLike<unknown>> = new (
  init: (subscriber: SubscriberLike<Value>) => void,
) => Result;
export type AnyObservableClass = new (init: (subscriber: any) => void) => SubscribableLike<any>;

/** The values of an Observable. */
export type ValueOf<Source> = Source extends SubscribableLike<infer Value> ? Value : never;

// A generation's declaration is an error in a project without it: then it stands for any.
/** @ts-ignore: RxJS 7 */
type Observable7<Value> = import("rxjs").Observable<Value>;
/** @ts-ignore: RxJS 7 */
type Interop7<Value> = import("rxjs").InteropObservable<Value>;
/** @ts-ignore: RxJS 9, or a platform that has them */
type PlatformObservable<Value> = Observable<Value>;
type IfKnown<Type, Then, Else> = [unknown] extends [Type] ? Else : Then;

/** An Observable of the installed RxJS. */
export type InstalledObservable<Value> = IfKnown<
  Observable7<unknown>,
  Observable7<Value>,
  IfKnown<PlatformObservable<unknown>, PlatformObservable<Value>, SubscribableLike<Value>>
>;

/** The Observable a class makes. RxJS 9's values cannot be inferred: they are the platform's. */
export type MadeObservable<Result, Value> = IfKnown<
  PlatformObservable<unknown>,
  Result extends PlatformObservable<unknown> ? PlatformObservable<Value> : Result,
  Result
>;

/** An Observable of either generation, or anything that subscribes like one or offers one. */
export type ObservableLike<Value> =
  | SubscribableLike<Value>
  | { readonly "@@observable": () => SubscribableLike<Value> }
  | IfKnown<Interop7<unknown>, Interop7<Value>, never>;
