export { type FromObservableOptions, fromObservable } from "./from-observable.ts";
export { toObservable } from "./to-observable.ts";
