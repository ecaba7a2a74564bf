import { expectAssignable, expectError, expectType } from "tsd";
import {
  type BroadcastSubscribeOptions,
  broadcastDispatcher,
  consumer,
  type Dispatcher,
  type DispatcherLink,
  demandDispatcher,
  fromIterable,
  type PartitionName,
  type PartitionSubscribeOptions,
  type Producer,
  type ProducerStage,
  partitionDispatcher,
  producer,
} from "headrace";

interface Order {
  readonly customer: string;
  readonly total: number;
}
const orders: Order[] = [];
const sink = consumer<Order>(() => {});

// Demand: no options.
const competing = fromIterable(orders, { dispatcher: demandDispatcher({ spread: "even" }) });
expectType<Producer<Order>>(competing);
sink.subscribe(competing);
expectError(demandDispatcher({ spread: "odd" }));
expectError(sink.subscribe(competing, { selector: () => true }));
expectError(sink.subscribe(competing, { partition: 0 }));

// Broadcast: a selector that knows the event.
const shared = fromIterable(orders, { dispatcher: broadcastDispatcher({ startAfter: 2 }) });
expectType<Producer<Order, BroadcastSubscribeOptions<Order>>>(shared);
sink.subscribe(shared);
sink.subscribe(shared, {
  selector: (order) => {
    expectType<Order>(order);
    return order.total > 5;
  },
});
expectError(broadcastDispatcher({ startAfter: "2" }));
expectError(sink.subscribe(shared, { selector: "total" }));
expectError(sink.subscribe(shared, { selector: (order: string) => order === "" }));
expectError(sink.subscribe(shared, { selector: (order) => order.nothing }));
expectError(sink.subscribe(shared, { partition: 0 }));

// Partition: the names are known, a count gives numbers; the option is required.
const split = fromIterable(orders, {
  dispatcher: partitionDispatcher({
    partitions: ["small", "large"],
    hash: (order: Order) => (order.total > 5 ? "large" : "small"),
  }),
});
expectType<Producer<Order, PartitionSubscribeOptions<"small" | "large">>>(split);
sink.subscribe(split, { partition: "small" });
sink.subscribe(split, { partition: "large", maxDemand: 5 });
expectError(sink.subscribe(split));
expectError(sink.subscribe(split, {}));
expectError(sink.subscribe(split, { maxDemand: 5 }));
expectError(sink.subscribe(split, { partition: "medium" }));
expectError(sink.subscribe(split, { partition: 0 }));
const counted = fromIterable(orders, {
  dispatcher: partitionDispatcher({ partitions: 4, by: (order: Order) => order.customer }),
});
expectType<Producer<Order, PartitionSubscribeOptions<number>>>(counted);
for (let partition = 0; partition < 4; partition += 1) sink.subscribe(counted, { partition });
expectError(sink.subscribe(counted));
expectError(sink.subscribe(counted, { partition: "0" }));
expectType<PartitionName<readonly ["a", 1]>>("a" as "a" | 1);
expectType<PartitionName<4>>(0 as number);

// Exactly one of by and hash, with what they may answer.
expectError(partitionDispatcher({ partitions: 2 }));
expectError(partitionDispatcher({ by: (n: number) => n }));
expectError(partitionDispatcher({ partitions: 2, by: (n: number) => n, hash: (n: number) => n }));
expectError(partitionDispatcher({ partitions: ["a", "b"], hash: () => "c" }));
expectError(partitionDispatcher({ partitions: 2, by: () => ({}) }));
expectError(partitionDispatcher({ partitions: 2, by: (n: number) => n, maxQueued: "5" }));
partitionDispatcher({ partitions: ["a", "b"], hash: (n: number) => (n > 0 ? "a" : undefined) });

// Iteration: as it is where no options are needed, by name where they are.
async function loops(): Promise<void> {
  for await (const order of competing) expectType<Order>(order);
  for await (const order of shared) expectType<Order>(order);
  for await (const order of split.events({ partition: "small" })) expectType<Order>(order);
  for await (const batch of split.batches({ partition: "large", maxDemand: 5 })) expectType<readonly Order[]>(batch);
  for await (const batch of shared.batches({ selector: (order) => order.total > 5 }))
    expectType<readonly Order[]>(batch);
  expectType<AsyncIterableIterator<Order>>(competing.events());
  expectType<AsyncIterableIterator<readonly Order[]>>(competing.batches({ maxDemand: 5 }));
}
void loops;
async function misuse(): Promise<void> {
  expectError(await Array.fromAsync(split));
  expectError(split.events());
  expectError(split.batches({ maxDemand: 5 }));
  expectError(split.events({ partition: "medium" }));
}
void misuse;
expectError(split[Symbol.asyncIterator]());

// Somebody's own dispatcher: its subscribe options are inferred.
class Weighted<Event> implements Dispatcher<Event, { readonly weight: number }> {
  readonly wanted = 0;
  readonly queued = 0;
  subscribe = (_link: DispatcherLink, options: { readonly weight: number }): void => void options.weight;
  ask = (_link: DispatcherLink, _count: number): void => {};
  cancel = (_link: DispatcherLink): void => {};
  giveBack = (_link: DispatcherLink, _events: readonly Event[]): void => {};
  dispatch = (events: readonly Event[]): number => events.length;
}
const weighted = producer(() => [1], { dispatcher: new Weighted<number>() });
expectType<ProducerStage<number, { readonly weight: number }>>(weighted);
const numbers = consumer<number>(() => {});
numbers.subscribe(weighted, { weight: 3 });
expectError(numbers.subscribe(weighted));
expectError(numbers.subscribe(weighted, { weight: "3" }));
expectError(producer(() => ["a"], { dispatcher: new Weighted<number>() }));
expectError(producer(() => [1], { dispatcher: {} }));

// Every dispatcher fulfils the contract.
expectAssignable<Dispatcher<Order>>(demandDispatcher());
expectAssignable<Dispatcher<string>>(demandDispatcher());
