export { type FromObservableOptions, fromObservable, type ObservableLike } from "./from-observable.ts";
export { toObservable } from "./to-observable.ts";
