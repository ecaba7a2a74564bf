import { PassThrough, type Readable } from "node:stream";
import { consumer, type Consumer, fromIterable, partitionDispatcher, type Producer } from "headrace";
import { fromReadable, intoWritable, toReadable } from "headrace/node";
import { fromObservable, toObservable } from "headrace/rxjs";
import { type Observable, of } from "rxjs";
import { expectError, expectType } from "tsd";

const split = fromIterable([1, 2, 3], { dispatcher: partitionDispatcher({ partitions: 2, by: (n: number) => n }) });

// Node
expectType<Producer<Uint8Array>>(fromReadable<Uint8Array>(new PassThrough()));
expectType<Producer<string>>(fromReadable<string>(process.stdin, { destroyOnCancel: false }));
expectError(fromReadable([1, 2, 3]));
expectError(fromReadable(new PassThrough(), { destroyOnCancel: "no" }));
expectType<Readable>(toReadable(fromIterable(["a"])));
expectType<Readable>(toReadable(split, { partition: 0, objectMode: true }));
expectError(toReadable(split));
expectError(toReadable(split, { partition: "0" }));
expectError(toReadable(["a"]));
expectType<Consumer<string>>(intoWritable<string>(process.stdout));
expectType<Consumer<Uint8Array>>(intoWritable<Uint8Array>(new PassThrough(), { end: false }));
expectError(intoWritable("file"));
expectError(intoWritable(process.stdout, { end: "no" }));
intoWritable<string | Uint8Array>(process.stdout).subscribe(fromIterable(["a"]));
expectError(intoWritable<string>(process.stdout).subscribe(fromIterable([1])));

// RxJS
expectType<Producer<number>>(fromObservable(of(1, 2), { overflow: "throw" }));
expectType<Producer<string>>(fromObservable(of("a"), { overflow: "drop-oldest", bufferSize: 4 }));
expectError(fromObservable(of(1)));
expectError(fromObservable(of(1), {}));
expectError(fromObservable(of(1), { overflow: "drop" }));
expectError(fromObservable(5, { overflow: "throw" }));
expectType<Observable<number>>(toObservable(fromIterable([1])));
expectType<Observable<number>>(toObservable(split, { partition: 1, maxDemand: 5 }));
expectError(toObservable(split));
expectError(toObservable(of(1)));
consumer<number>(() => {}).subscribe(fromObservable(of(1), { overflow: "throw" }));
expectError(consumer<string>(() => {}).subscribe(fromObservable(of(1), { overflow: "throw" })));
