import { EventEmitter } from "node:events";
import { createReadStream } from "node:fs";
import { Duplex, PassThrough, Readable, Transform, Writable } from "node:stream";
import { createGunzip, createGzip } from "node:zlib";
import { createHash } from "node:crypto";
import { Socket } from "node:net";
import {
  type BroadcastOptions,
  type BroadcastSubscribeOptions,
  broadcastDispatcher,
  collect,
  type Consumer,
  decodeText,
  type Discarded,
  forEach,
  fromIterable,
  lines,
  partitionDispatcher,
  pipeline,
  type Pipeline,
  type Producer,
  type ProducerConsumer,
} from "headrace";
import {
  fromReadable,
  type FromReadableOptions,
  intoWritable,
  type IntoWritableOptions,
  throughDuplex,
  type ThroughDuplexOptions,
  toReadable,
  type ToReadableOptions,
} from "headrace/node";
import { expectAssignable, expectError, expectNotAssignable, expectType } from "tsd";

const bytes = fromIterable([Buffer.from("a")]);

// throughDuplex: what it takes and gives.
expectType<ProducerConsumer<Uint8Array, Buffer>>(throughDuplex<Uint8Array, Buffer>(createGunzip()));
expectType<ProducerConsumer<string, number>>(throughDuplex<string, number>(new Transform({ objectMode: true })));
expectType<ProducerConsumer<Buffer, Buffer>>(throughDuplex<Buffer, Buffer>(createHash("sha256")));
expectType<ProducerConsumer<Buffer, Buffer>>(throughDuplex<Buffer, Buffer>(new Socket(), { destroyOnCancel: false }));
expectType<ProducerConsumer<string, string>>(throughDuplex<string, string>(new Duplex(), { end: false, name: "echo" }));
expectType<ProducerConsumer<number, number, BroadcastSubscribeOptions<number>>>(
  throughDuplex<number, number, BroadcastOptions>(new PassThrough(), { dispatcher: broadcastDispatcher() }),
);
expectError(throughDuplex(new Readable()));
expectError(throughDuplex(new Writable()));
expectError(throughDuplex(new EventEmitter()));
expectError(throughDuplex("file"));
expectError(throughDuplex());
expectError(throughDuplex(new PassThrough(), { end: "no" }));
expectError(throughDuplex(new PassThrough(), { destroyOnCancel: 1 }));
expectError(throughDuplex(new PassThrough(), { onStop: "end" }));
expectError(throughDuplex(new PassThrough(), { overflow: "drop" }));
expectError(throughDuplex<string, Buffer>(createGzip()).subscribe(fromIterable([1])));

// throughDuplex: without types its events are what the stream declares, as those of a Readable are.
const file = createReadStream("words.gz");
expectType<Pipeline<void>>(
  pipeline(
    file,
    throughDuplex(createGunzip()),
    lines(),
    forEach((line) => {
      expectType<string>(line);
    }),
  ),
);
expectType<Pipeline<(string | Buffer)[]>>(pipeline(file, throughDuplex(createGunzip(), { end: false }), collect()));
expectType<Pipeline<string[]>>(
  pipeline(["a"], throughDuplex(createGzip()), throughDuplex(createGunzip()), decodeText(), collect()),
);
expectType<Producer<number>>(
  pipeline(
    [1],
    throughDuplex(new Transform({ objectMode: true }), { onDiscard: ({ events }: Discarded<number>) => void events }),
  ),
);
expectError(pipeline(file, throughDuplex(createGunzip()), intoWritable<number>(new Writable())));
expectError(pipeline(file, throughDuplex<Buffer, Buffer>(createGunzip()), lines(), collect()));
expectType<Pipeline<string[]>>(pipeline(fromReadable(file), throughDuplex(createGunzip()), lines(), collect()));
expectType<Pipeline<string[]>>(pipeline(fromReadable(file, { name: "file" }), lines(), collect()));
expectError(pipeline(fromReadable(file), intoWritable<number>(new Writable())));

// throughDuplex: in a pipeline its events are checked on both sides.
expectType<Producer<Buffer>>(pipeline(bytes, throughDuplex<Buffer, Buffer>(createGzip())));
expectType<Pipeline<Buffer[]>>(pipeline(bytes, throughDuplex<Uint8Array, Buffer>(createGzip()), collect()));
expectError(pipeline(fromIterable([1]), throughDuplex<Buffer, Buffer>(createGzip())));
expectError(pipeline(bytes, throughDuplex<Buffer, Buffer>(createGzip()), intoWritable<number>(new Writable())));

// fromReadable: streams of the old kind, too; other emitters not.
expectType<Producer<string>>(fromReadable<string>(new Readable().setEncoding("utf8")));
expectType<Producer<number>>(fromReadable<number>(Object.assign(new EventEmitter(), { readable: true })));
expectType<Producer<number>>(fromReadable<number>(Object.assign(new EventEmitter(), { pause() {}, resume() {} })));
expectType<Producer<string | Buffer>>(fromReadable(new Readable()));
expectError(fromReadable(new EventEmitter()));
expectError(fromReadable(new Writable()));
expectError(fromReadable(new Readable(), { end: false }));
expectError(fromReadable(new Readable(), { bufferSize: "10" }));
expectError(fromReadable<string>(new Readable(), { onDiscard: (_: number) => {} }));

// intoWritable takes what is written, and less specific sources not.
expectType<Consumer<string | Buffer>>(intoWritable<string | Buffer>(new Writable(), { onStop: "destroy" }));
expectAssignable<Consumer<Buffer>>(intoWritable<Uint8Array>(new Writable()));
expectNotAssignable<Consumer<Uint8Array>>(intoWritable<Buffer>(new Writable()));
expectError(intoWritable(new Readable()));
expectError(intoWritable(new Writable(), { onStop: "leave" }));
expectError(intoWritable(new Writable(), { bufferSize: 1 }));

// toReadable
const split = fromIterable([1, 2], {
  dispatcher: partitionDispatcher({ partitions: ["a", "b"], by: (n: number) => n }),
});
expectType<PassThrough>(toReadable(bytes, { Readable: PassThrough }));
expectType<Readable>(toReadable(split, { partition: "a", highWaterMark: 4 }));
expectError(toReadable(split, { partition: "c" }));
expectError(toReadable(bytes, { highWaterMark: "16" }));
expectError(toReadable(bytes, { maxDemand: "1" }));
expectError(toReadable(bytes, { destroyOnCancel: true }));
expectError(toReadable(bytes, { signal: "x" }));

// Options by name.
expectAssignable<FromReadableOptions<string>>({ destroyOnCancel: false, defaultMaxDemand: 4 });
expectAssignable<ThroughDuplexOptions<string>>({ end: false, bufferSize: 10, overflow: "drop-newest" });
expectAssignable<IntoWritableOptions>({ end: undefined, onStop: undefined });
expectAssignable<ToReadableOptions>({ objectMode: false });
expectNotAssignable<IntoWritableOptions>({ end: "yes" });
expectNotAssignable<ThroughDuplexOptions<string>>({ destroyOnCancel: "yes" });
