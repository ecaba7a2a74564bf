/// <reference lib="esnext.disposable" preserve="true" />
// What people take for a source. No value fits, for none has the member whose name is the advice: the compiler says that it is
// missing. `kind` keeps them out of what is said of producers, which have one.

export interface ObservableIsNoSource {
  readonly kind?: undefined;
  readonly subscribe: unknown;
  readonly forEach: unknown;
  readonly pipe: unknown;
  readonly "fromObservable(observable, { overflow }) of headrace/rxjs makes a source of it": never;
}

/** The platform's, and RxJS 9's. */
export interface PlatformObservableIsNoSource {
  readonly kind?: undefined;
  readonly subscribe: unknown;
  readonly forEach: unknown;
  readonly switchMap: unknown;
  readonly takeUntil: unknown;
  readonly catch: unknown;
  readonly finally: unknown;
  readonly "fromObservable(observable, { overflow }) of headrace/rxjs makes a source of it": never;
}

export interface EmitterIsNoSource {
  readonly kind?: undefined;
  readonly on: unknown;
  readonly once: unknown;
  readonly off: unknown;
  readonly emit: unknown;
  readonly "fromEvents(emitter, name, { overflow }) of headrace/events makes a source of it": never;
}

export interface EventTargetIsNoSource {
  readonly kind?: undefined;
  readonly addEventListener: unknown;
  readonly removeEventListener: unknown;
  readonly dispatchEvent: unknown;
  readonly "fromEvents(target, name, { overflow }) of headrace/events makes a source of it": never;
}

export interface FunctionIsNoSource {
  (...args: never): unknown;
  readonly kind?: undefined;
  readonly "a function is no source: call it, or poll(fn)": never;
}

export interface PromiseIsNoSource {
  readonly kind?: undefined;
  readonly then: unknown;
  readonly catch: unknown;
  readonly finally: unknown;
  readonly "a promise is no source: await it": never;
}

export interface PipelineIsNoSource {
  readonly kind?: undefined;
  readonly then: unknown;
  readonly done: unknown;
  readonly stop: unknown;
  readonly drain: unknown;
  readonly failure: unknown;
  readonly inspect: unknown;
  readonly explain: unknown;
  readonly onStall: unknown;
  readonly [Symbol.asyncDispose]: unknown;
  readonly "a pipeline that ends in a sink has no events to give: leave its sink out": never;
}

export interface ResponseIsNoSource {
  readonly kind?: undefined;
  readonly body: unknown;
  readonly headers: unknown;
  readonly json: unknown;
  readonly text: unknown;
  readonly "the source is its body": never;
}

/** Where its async iterator is not declared: before TypeScript 6 without lib "dom.asynciterable". */
export interface ReadableStreamIsNoSource {
  readonly kind?: undefined;
  readonly getReader: unknown;
  readonly pipeTo: unknown;
  readonly pipeThrough: unknown;
  readonly tee: unknown;
  readonly "fromReadableStream(stream) of headrace/web makes a source of it": never;
}

export interface TypedArrayIsNoSource {
  readonly kind?: undefined;
  readonly BYTES_PER_ELEMENT: unknown;
  readonly buffer: unknown;
  readonly byteLength: unknown;
  readonly byteOffset: unknown;
  readonly "a typed array would be single numbers: put it into an array": never;
}

export interface StepIsNoSource {
  readonly kind: "step" | "sink" | "consumer";
  readonly "the source is missing: it comes before the steps": never;
}

export type NoSource =
  | ObservableIsNoSource
  | PlatformObservableIsNoSource
  | EmitterIsNoSource
  | EventTargetIsNoSource
  | FunctionIsNoSource
  | PromiseIsNoSource
  | PipelineIsNoSource
  | ResponseIsNoSource
  | ReadableStreamIsNoSource
  | TypedArrayIsNoSource
  | StepIsNoSource;
