import type { Step } from "./step.ts";

/** `any` and `never` may be promises, and are taken for none. */
export type IsAnyOrNever<T> = 0 extends 1 & T ? true : [T] extends [never] ? true : false;

/** Stands where `map` was given a function that returns a promise: no step. */
export interface UseMapAsync<in In, out Out> {
  readonly kind: "the function returns a promise: mapAsync(fn)";
  readonly "~in"?: ((event: In) => void) | undefined;
  readonly "~out"?: Out | undefined;
}
export type Sync<In, P> = [P] extends [PromiseLike<unknown>]
  ? IsAnyOrNever<P> extends true
    ? Step<In, P>
    : UseMapAsync<In, Awaited<P>>
  : Step<In, P>;

export type SyncTap<In, P> = IsAnyOrNever<P> extends true ? Step<In, In> : UseMapAsync<In, In>;

/** Stands where `flatMap` was given a function that returns a promise or an async iterable: no step. */
export interface UseFlatMapAsync<in In, out Out> {
  readonly kind: "the function returns a promise or an async iterable: flatMapAsync(fn)";
  readonly "~in"?: ((event: In) => void) | undefined;
  readonly "~out"?: Out | undefined;
}
export type SyncMany<In, P> = [P] extends [PromiseLike<unknown> | AsyncIterable<unknown>]
  ? IsAnyOrNever<P> extends true
    ? Step<In, P>
    : UseFlatMapAsync<In, Awaited<P> extends Iterable<infer Out> | AsyncIterable<infer Out> ? Out : never>
  : Step<In, unknown>;
