// What people take for a step. No value fits, for none has the member whose name is the advice: the compiler says that it is
// missing. `kind` keeps them out of what is said of steps and sinks, which have one.

export interface FunctionIsNoStep {
  (...args: never): unknown;
  readonly kind?: undefined;
  readonly "a function is no step: map(fn), or throughOperators(operator) of headrace/rxjs": never;
}

export interface NodeStreamIsNoStep {
  readonly kind?: undefined;
  readonly write: unknown;
  readonly end: unknown;
  readonly on: unknown;
  readonly once: unknown;
  readonly off: unknown;
  readonly emit: unknown;
  readonly "intoWritable(writable) of headrace/node makes a sink of it, throughDuplex(duplex) a step": never;
}

export interface WebStreamIsNoStep {
  readonly kind?: undefined;
  readonly getWriter: unknown;
  readonly abort: unknown;
  readonly "intoWritableStream(stream) of headrace/web makes a sink of it": never;
}

export interface TransformStreamIsNoStep {
  readonly kind?: undefined;
  readonly readable: unknown;
  readonly writable: unknown;
  readonly "throughTransformStream(stream) of headrace/web makes a step of it": never;
}

export interface ObserverIsNoStep {
  readonly kind?: undefined;
  readonly next: unknown;
  readonly error: unknown;
  readonly complete: unknown;
  readonly "intoObserver(observer) of headrace/rxjs makes a sink of it": never;
}

export interface EmitterIsNoStep {
  readonly kind?: undefined;
  readonly on: unknown;
  readonly once: unknown;
  readonly off: unknown;
  readonly emit: unknown;
  readonly "intoEmitter(emitter, name) of headrace/events makes a sink of it": never;
}

export interface ListIsNoStep {
  readonly kind?: undefined;
  readonly length: unknown;
  readonly push: unknown;
  readonly map: unknown;
  readonly "compose(list) makes one step of it": never;
}

/** A sink in front of the last step. */
export interface SinkIsNoStep {
  readonly kind: "sink" | "consumer";
  readonly "~in"?: unknown;
  readonly "~ends"?: unknown;
  readonly "~result"?: unknown;
  readonly "nothing comes behind a sink: put it last": never;
}

export type NoStep =
  | FunctionIsNoStep
  | NodeStreamIsNoStep
  | WebStreamIsNoStep
  | TransformStreamIsNoStep
  | ObserverIsNoStep
  | EmitterIsNoStep
  | ListIsNoStep;
