import type { Awaitable } from "./behaviour.ts";
import type { NoSource, PromiseIsNoSource, StepIsNoSource } from "./no-source.ts";
import type { Producer } from "./stage.ts";

/** What events can come from. A string and a typed array are none: they would be characters and single numbers. */
export type Source<Out> = Producer<Out> | EachOf<Out> | AsyncIterable<Out> | Chunks<Out>;

/** An iterable, but no string and no typed array. */
export interface EachOf<out Out> extends Iterable<Out> {
  readonly charAt?: undefined;
  readonly BYTES_PER_ELEMENT?: undefined;
}

/**
 * Never matched, only inferred from: a Node Readable declares `any` chunks, and `string | Buffer` for the stream that
 * its `wrap` takes. The listener of `on` takes `any`, too, so that a Readable that declares its events is believed.
 */
export interface Chunks<Out> extends AsyncIterable<Out> {
  readonly wrap: (
    stream: AsyncIterable<Out> & { readonly on: (name: never, listener: (...chunks: Out[]) => void) => unknown },
  ) => unknown;
}

/** A parameter that is a source. Its name is all that an error says of a string. */
export type SourceNotString<Out> = Source<Out> | NoSource;

/** The events of a source whose type is known as a whole; of a Readable that declares `any`, those its `wrap` takes. */
export type EventOf<S> =
  S extends Chunks<infer Out>
    ? Out
    : S extends { wrap(stream: infer Other): unknown } & AsyncIterable<infer Out>
      ? 0 extends 1 & Out
        ? Other extends AsyncIterable<infer Chunk>
          ? Chunk
          : Out
        : Out
      : S extends Producer<infer Out>
        ? Out
        : S extends AsyncIterable<infer Out> | Iterable<infer Out>
          ? Out
          : never;

/** What a function that opens a source may return. */
export type Opened<Out> = Awaitable<Source<Out>> | Exclude<NoSource, PromiseIsNoSource | StepIsNoSource>;
