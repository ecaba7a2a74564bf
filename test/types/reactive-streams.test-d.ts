import {
  type Consumer,
  consumer,
  fromIterable,
  partitionDispatcher,
  type Producer,
  type ProducerConsumer,
  pipeline,
} from "headrace";
import {
  fromPublisher,
  intoSubscriber,
  type Processor,
  type Publisher,
  type Subscriber,
  type Subscription,
  throughProcessor,
  toPublisher,
} from "headrace/reactive-streams";
import { expectAssignable, expectError, expectNotAssignable, expectType } from "tsd";

declare const numbers: Publisher<number>;
declare const anything: Subscriber<unknown>;
declare const printer: Subscriber<number>;
declare const toText: Processor<number, string>;
const split = fromIterable([1, 2], { dispatcher: partitionDispatcher({ partitions: 2, by: (n: number) => n }) });

// The four are structural.
expectAssignable<Subscription>({ request: (_n: number) => {}, cancel: () => {} });
expectAssignable<Subscriber<string>>({
  onSubscribe: (subscription: Subscription) => subscription.request(1),
  onNext: (text: string) => text.length,
  onError: (error: Error) => error.message,
  onComplete() {},
});
class Doubler implements Processor<number, number> {
  subscribe(_subscriber: Subscriber<number>): void {}
  onSubscribe(_subscription: Subscription): void {}
  onNext(_event: number): void {}
  onError(_error: unknown): void {}
  onComplete(): void {}
}
expectAssignable<Publisher<number | string>>(numbers);
expectNotAssignable<Publisher<string>>(numbers);
expectNotAssignable<Subscription>({ request: () => {} });
expectNotAssignable<Subscriber<number>>({ onNext: () => {} });

expectType<Producer<number>>(fromPublisher(numbers));
expectType<Producer<string>>(fromPublisher(toText, { name: "texts", bufferSize: 5 }));
consumer<number>(() => {}).subscribe(fromPublisher(numbers), { maxDemand: 1 });
const parted = fromPublisher(numbers, { dispatcher: partitionDispatcher({ partitions: 2, by: (n: number) => n }) });
consumer<number>(() => {}).subscribe(parted, { partition: 1 });
expectError(consumer<number>(() => {}).subscribe(parted));
expectError(consumer<string>(() => {}).subscribe(fromPublisher(numbers)));
expectError(fromPublisher([1, 2]));
expectError(fromPublisher(printer));
expectError(fromPublisher(numbers, { maxDemand: 5 }));

expectType<Publisher<number>>(toPublisher(fromIterable([1])));
expectType<Publisher<number>>(toPublisher(split, { partition: 0, data: "mine" }));
toPublisher(fromIterable([1])).subscribe(printer);
toPublisher(fromIterable([1])).subscribe(anything);
expectError(toPublisher(split));
expectError(toPublisher(split, { partition: "0" }));
expectError(toPublisher(numbers));
expectError(toPublisher(fromIterable([1]), { maxDemand: 5 }));

expectType<Consumer<number>>(intoSubscriber(printer));
expectType<Consumer<number>>(intoSubscriber<number>(anything, { name: "sink" }));
intoSubscriber(printer).subscribe(fromIterable([1]));
expectError(intoSubscriber(printer).subscribe(fromIterable(["a"])));
expectError(intoSubscriber(numbers));
expectError(intoSubscriber(printer, { bufferSize: 5 }));

expectType<ProducerConsumer<number, string>>(throughProcessor(toText));
expectType<ProducerConsumer<number, number>>(throughProcessor(new Doubler(), { onLastCancel: "continue" }));
expectType<Producer<string>>(pipeline(fromIterable([1]), throughProcessor(toText)));
expectError(pipeline(fromIterable(["a"]), throughProcessor(toText)));
expectError(throughProcessor(printer));
expectError(throughProcessor(numbers));
expectError(throughProcessor<string, string>(toText));
