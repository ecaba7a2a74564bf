import {
  ReadableStream as NodeReadableStream,
  TextDecoderStream as NodeTextDecoderStream,
  TransformStream as NodeTransformStream,
  WritableStream as NodeWritableStream,
} from "node:stream/web";
import {
  broadcastDispatcher,
  consumer,
  fromIterable,
  map,
  partitionDispatcher,
  pipeline,
  type Consumer,
  type Producer,
  type ProducerConsumer,
} from "headrace";
import {
  fromReadableStream,
  intoWritableStream,
  type MinimalReadableStream,
  type ReadableStreamLike,
  throughTransformStream,
  toReadableStream,
  type WebReadableStream,
} from "headrace/web";
import { expectAssignable, expectError, expectType } from "tsd";

declare const minimal: MinimalReadableStream<string>;
declare const peer: ReadableStreamLike<boolean>;
const split = fromIterable([1, 2, 3], { dispatcher: partitionDispatcher({ partitions: 2, by: (n: number) => n }) });
const bytes = fromIterable([new Uint8Array(3)]);

// ReadableStream in: whoever declares it, its chunks are inferred
expectType<Producer<number>>(fromReadableStream(new ReadableStream<number>()));
expectType<Producer<number>>(fromReadableStream(new NodeReadableStream<number>()));
expectType<Producer<string>>(fromReadableStream(minimal));
expectType<Producer<boolean>>(fromReadableStream(peer, { byob: 1024, preventCancel: true }));
expectType<Producer<number | undefined>>(
  fromReadableStream<number | undefined>(new ReadableStream<number | undefined>()),
);
expectAssignable<Producer<Uint8Array>>(fromReadableStream(new Blob([]).stream(), { byob: 1024 }));
expectType<Producer<{ readonly id: number }>>(fromReadableStream<{ readonly id: number }>(new ReadableStream()));
consumer<number>(() => {}).subscribe(
  fromReadableStream(new ReadableStream<number>(), { dispatcher: broadcastDispatcher() }),
  { selector: (n) => n > 1 },
);
expectError(fromReadableStream());
expectError(fromReadableStream([1, 2, 3]));
expectError(fromReadableStream(new WritableStream<number>()));
expectError(fromReadableStream(new ReadableStream<number>(), { byob: "1024" }));
expectError(fromReadableStream(new ReadableStream<number>(), { destroyOnCancel: false }));
expectError(consumer<string>(() => {}).subscribe(fromReadableStream(new ReadableStream<number>())));

// WritableStream out
expectType<Consumer<number>>(intoWritableStream<number>(new WritableStream<number>()));
expectType<Consumer<number>>(intoWritableStream<number>(new NodeWritableStream<number>(), { preventClose: true }));
intoWritableStream(new WritableStream<string | number>()).subscribe(fromIterable(["a"]));
expectError(intoWritableStream(new ReadableStream<number>()));
expectError(intoWritableStream(new WritableStream<number>(), { end: false }));
expectError(intoWritableStream(new WritableStream<number>(), { preventAbort: "no" }));
expectError(intoWritableStream(new WritableStream<string>()).subscribe(fromIterable([1])));

// TransformStream between
expectType<ProducerConsumer<number, string>>(throughTransformStream(new TransformStream<number, string>()));
expectType<ProducerConsumer<number, string>>(throughTransformStream(new NodeTransformStream<number, string>()));
expectAssignable<Producer<string>>(throughTransformStream(new TextDecoderStream()));
expectAssignable<Producer<string>>(throughTransformStream(new NodeTextDecoderStream()));
throughTransformStream(new TextDecoderStream()).subscribe(bytes);
throughTransformStream(new CompressionStream("gzip")).subscribe(bytes);
expectType<Producer<number>>(
  pipeline(
    bytes,
    throughTransformStream(new TextDecoderStream()),
    map((text) => text.length),
  ),
);
expectError(throughTransformStream(new ReadableStream<number>()));
expectError(throughTransformStream(new TransformStream<number, string>(), { preventCancel: true }));
expectError(throughTransformStream(new TransformStream<number, string>()).subscribe(fromIterable(["a"])));

// ReadableStream out: as the project declares it
expectType<ReadableStream<string>>(toReadableStream(fromIterable(["a"])));
expectType<WebReadableStream<string>>(toReadableStream(fromIterable(["a"]), { highWaterMark: 3, maxDemand: 9 }));
expectType<ReadableStream<number>>(toReadableStream(split, { partition: 0, size: (n) => n }));
expectType<ReadableStream<Uint8Array<ArrayBuffer>>>(toReadableStream(bytes, { type: "bytes" }));
new Response(toReadableStream(bytes, { type: "bytes" }));
expectError(toReadableStream([1, 2, 3]));
expectError(toReadableStream(split));
expectError(toReadableStream(split, { partition: "0" }));
expectError(toReadableStream(fromIterable(["a"]), { type: "bytes" }));
expectError(toReadableStream(fromIterable(["a"]), { size: (n: number) => n }));
expectError(toReadableStream(bytes, { type: "bytes", size: () => 1 }));
expectError(toReadableStream(fromIterable(["a"]), { highWaterMark: "3" }));
