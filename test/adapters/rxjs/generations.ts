import {
  BehaviorSubject,
  config,
  filter as filter7,
  from as from7,
  map as map7,
  mergeMap as mergeMap7,
  Observable as Observable7,
  reduce as reduce7,
  ReplaySubject,
  retry as retry7,
  Subject as Subject7,
  take as take7,
} from "rxjs";
import { behaviorSubject, ColdObservable, replaySubject, Subject as Subject9 } from "rxjs-9";
import { filter as filter9 } from "rxjs-9/filter";
import { map as map9 } from "rxjs-9/map";
import { mergeMap as mergeMap9 } from "rxjs-9/merge-map";
import { reduce as reduce9 } from "rxjs-9/reduce";
import { retry as retry9 } from "rxjs-9/retry";
import { take as take9 } from "rxjs-9/take";
import { vi } from "vitest";
import type { ObservableLike } from "../../../adapters/rxjs/index.ts";

/** What the tests use of an Observable of either generation. */
export interface Source<T> {
  subscribe(observer: Listener<T> & ((value: T) => void), options?: { readonly signal: AbortSignal }): unknown;
}
export interface Listener<T> {
  next(value: T): void;
  error(error: unknown): void;
  complete(): void;
}
export interface SubjectOf<T> extends Source<T>, Listener<T> {}
/** What a source says its values to. */
export interface Emitter<T> extends Listener<T> {
  open(): boolean;
  onTeardown(fn: () => void): void;
}
export type Chain<In = number, Out = In> = (source: Source<In>) => ObservableLike<Out>;
type ClassOf = new (init: (subscriber: never) => void) => Source<never>;

/** The same words for RxJS 7 and RxJS 9. */
export interface Generation {
  readonly name: string;
  /** The class that makes a run for each who subscribes. */
  readonly Class: ClassOf;
  cold<T>(init: (emitter: Emitter<T>) => void): Source<T>;
  subject<T>(): SubjectOf<T>;
  behavior<T>(value: T): SubjectOf<T>;
  replay<T>(): SubjectOf<T>;
  /** Subscribes, and answers how to leave. */
  listen<T>(source: unknown, observer: Partial<Listener<T>> | ((value: T) => void)): () => void;
  /** Hears errors that no observer does, until what it answers with is called. */
  hearUncaught(hear: (error: unknown) => void): () => void;
  map<In, Out>(fn: (value: In) => Out): Chain<In, Out>;
  filter<In>(fn: (value: In) => boolean): Chain<In>;
  take<In>(count: number): Chain<In>;
  reduce<In, Out>(fn: (all: Out, value: In) => Out, seed: Out): Chain<In, Out>;
  mergeMap<In, Out>(fn: (value: In) => Promise<Out>): Chain<In, Out>;
  retry<In>(): Chain<In>;
}

const asSource = <T>(value: unknown): Source<T> => value as Source<T>;
const seven = <T>(source: unknown): Observable7<T> => source as Observable7<T>;
const nine = <T>(source: unknown): Observable<T> => source as Observable<T>;

const rxjs7: Generation = {
  name: "RxJS 7",
  Class: Observable7 as unknown as ClassOf,
  cold: <T>(init: (emitter: Emitter<T>) => void) =>
    asSource<T>(
      new Observable7<T>((subscriber) =>
        init({
          next: (value) => subscriber.next(value),
          error: (error) => subscriber.error(error),
          complete: () => subscriber.complete(),
          open: () => !subscriber.closed,
          onTeardown: (fn) => subscriber.add(fn),
        }),
      ),
    ),
  subject: <T>() => new Subject7<T>() as unknown as SubjectOf<T>,
  behavior: <T>(value: T) => new BehaviorSubject<T>(value) as unknown as SubjectOf<T>,
  replay: <T>() => new ReplaySubject<T>() as unknown as SubjectOf<T>,
  listen: (source, observer) => {
    const subscription = seven(source).subscribe(observer as never);
    return () => subscription.unsubscribe();
  },
  hearUncaught: (hear) => {
    config.onUnhandledError = hear;
    return () => {
      config.onUnhandledError = null;
    };
  },
  map: (fn) => (source) => map7(fn)(seven(source)),
  filter: (fn) => (source) => filter7(fn)(seven(source)),
  take: (count) => (source) => take7(count)(seven(source)) as never,
  reduce: (fn, seed) => (source) => reduce7(fn, seed)(seven(source)),
  mergeMap: (fn) => (source) => mergeMap7((value) => from7(fn(value as never)))(seven(source)),
  retry: () => (source) => retry7()(seven(source)) as never,
};

const rxjs9: Generation = {
  name: "RxJS 9",
  Class: ColdObservable as unknown as ClassOf,
  cold: <T>(init: (emitter: Emitter<T>) => void) =>
    asSource<T>(
      new ColdObservable<T>((subscriber) =>
        init({
          next: (value) => subscriber.next(value),
          error: (error) => subscriber.error(error),
          complete: () => subscriber.complete(),
          open: () => subscriber.active,
          onTeardown: (fn) => subscriber.addTeardown(fn),
        }),
      ),
    ),
  subject: <T>() => new Subject9<T>() as unknown as SubjectOf<T>,
  behavior: <T>(value: T) => behaviorSubject(value) as unknown as SubjectOf<T>,
  replay: <T>() => replaySubject({ bufferSize: 100 } as never) as unknown as SubjectOf<T>,
  listen: (source, observer) => {
    const controller = new AbortController();
    nine(source).subscribe(observer as never, { signal: controller.signal });
    return () => controller.abort();
  },
  hearUncaught: (hear) => {
    vi.stubGlobal("reportError", hear);
    return () => vi.unstubAllGlobals();
  },
  map: (fn) => (source) => nine<never>(source)[map9](fn),
  filter: (fn) => (source) => nine<never>(source)[filter9](fn as never),
  take: (count) => (source) => nine(source)[take9](count) as never,
  reduce: (fn, seed) => (source) => nine<never>(source)[reduce9](fn as never, seed as never),
  mergeMap: (fn) => (source) => nine<never>(source)[mergeMap9](fn as never) as never,
  retry: () => (source) => nine(source)[retry9]() as never,
};

export const generations: readonly Generation[] = [rxjs7, rxjs9];

/** A cold source of these values. */
export const values = <T>(generation: Generation, ...all: readonly T[]): Source<T> =>
  generation.cold((emitter) => {
    for (const value of all) emitter.next(value);
    emitter.complete();
  });

/** An Observable by hand: who subscribed, who left, and a way to talk to each. */
export class TapOf<T> {
  readonly emitters: Emitter<T>[] = [];
  torn = 0;
  readonly observable: Source<T>;

  constructor(generation: Generation, onSubscribe: (emitter: Emitter<T>) => void = () => {}) {
    this.observable = generation.cold((emitter) => {
      this.emitters.push(emitter);
      emitter.onTeardown(() => {
        this.torn += 1;
      });
      onSubscribe(emitter);
    });
  }
  next(...all: readonly T[]): this {
    for (const value of all) for (const emitter of this.emitters) emitter.next(value);
    return this;
  }
}
