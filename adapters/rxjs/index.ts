export { type FromObservableOptions, fromObservable } from "./from-observable.ts";
export { intoObserver, type ObserverLike } from "./into-observer.ts";
export type { InstalledObservable, ObservableLike } from "./like.ts";
export { type ThroughOperatorsOptions, throughOperators } from "./through-operators.ts";
export { toObservable, type ToObservableOptions } from "./to-observable.ts";
