import { expectAssignable, expectError, expectNotAssignable, expectType } from "tsd";
import {
  type Consumer,
  type ConsumerBehaviour,
  type StageContext,
  consumer,
  type Emits,
  fromIterable,
  type NoOptions,
  type Producer,
  type ProducerBehaviour,
  type ProducerConsumer,
  type ProducerConsumerBehaviour,
  type ProducerContext,
  type ProducerStage,
  producer,
  producerConsumer,
  type Reason,
  type Stage,
  type StageState,
  type Subscription,
} from "headrace";

interface Tick {
  readonly at: number;
}

// What a producer emits is inferred from what its callback answers.
expectType<ProducerStage<number>>(producer((demand) => Array.from({ length: demand }, (_, i) => i)));
expectType<ProducerStage<string>>(producer(async () => ["a"]));
expectType<ProducerStage<number>>(producer({ handleDemand: (demand) => [demand] }));
expectType<ProducerStage<Tick>>(producer({ handleDemand(): Emits<Tick> {} }));
expectType<ProducerStage<Tick>>(producer<Tick>({ handleDemand: () => {} }));
expectType<ProducerStage<number>>(
  producer({
    handleDemand(demand, stage) {
      stage.complete();
      return [demand];
    },
  }),
);
expectType<ProducerStage<string>>(
  producer({
    init: () => {},
    handleDemand: () => ["a"],
    handleEnd: (stage) => {
      stage.push(["b"]);
      return ["c"];
    },
    handleSubscribe: (role, subscription) => {
      expectType<"producer" | "consumer">(role);
      expectType<Subscription>(subscription);
    },
    handleCancel: (reason) => expectType<Reason>(reason),
    terminate: (reason) => expectType<Reason>(reason),
  }),
);
producer({ handleDemand: () => ["a"], handleEnd: () => "later" });

class Counter implements ProducerBehaviour<number> {
  #next = 0;
  handleDemand(demand: number, stage: ProducerContext<number>): number[] {
    expectType<number>(stage.demand);
    return Array.from({ length: demand }, () => this.#next++);
  }
}
expectType<ProducerStage<number>>(producer(new Counter()));

// Misuses of producer().
expectError(producer());
expectError(producer({}));
expectError(producer({ handleDemand: 5 }));
expectError(producer({ handleDemand: () => [1], handleCal: () => {} }));
expectError(producer({ handleDemand: (demand: string) => [demand] }));
expectError(producer(() => 5));
expectError(producer(() => [1], { buffersize: 5 }));
expectError(producer(() => [1], { bufferSize: "5" }));
expectError(producer(() => [1], { overflow: "drop" }));
expectError(producer(() => [1], { onLastCancel: true }));
expectError(producer(() => [1], { demandMode: "later" }));
expectError(producer(() => [1], { signal: new AbortController() }));
expectError(producer({ handleDemand: () => ["a"], handleEnd: () => [1] }));
expectError(producer({ handleDemand: () => ["a"], handleEnd: () => "now" }));

// Options may be undefined, and discarded events are typed.
producer(() => [1], { signal: undefined, name: undefined, bufferSize: undefined });
producer<Tick>(() => {}, {
  onDiscard: ({ events, cause }) => {
    expectType<readonly Tick[]>(events);
    expectType<"overflow" | "stop" | "failure" | "abort">(cause);
  },
});

// What a stage offers from outside.
const ticks = producer<Tick>(() => {});
expectType<boolean>(ticks.push([{ at: 1 }]));
expectType<Promise<void>>(ticks.drained());
expectType<Promise<void>>(ticks.done);
expectType<Promise<void>>(ticks.stop({ reason: "shutdown", timeout: 100 }));
expectType<StageState>(ticks.state);
expectType<"forward" | "accumulate">(ticks.demandMode);
expectType<number>(ticks.demand);
expectType<number>(ticks.bufferedCount);
expectType<Promise<number>>(ticks.call((stage) => stage.demand));
expectType<Promise<string>>(ticks.call(async () => "a"));
expectType<Promise<boolean>>(ticks.info((stage) => stage.push([{ at: 2 }])));
expectError(ticks.push([{ at: "1" }]));
expectError(ticks.push({ at: 1 }));
expectError(ticks.call((stage) => stage.drained()));
expectError(ticks.call((stage) => stage.call(() => 1)));
expectError(ticks.call());
expectError((ticks.demandMode = "backward"));
expectError((ticks.state = "running"));
expectError(ticks.stop("shutdown"));

// A Producer has no side that emits or ends, and is covariant; a ProducerStage is invariant.
expectAssignable<Producer<Tick>>(ticks);
expectAssignable<Producer<unknown>>(ticks);
expectAssignable<Stage>(ticks);
expectNotAssignable<ProducerStage<unknown>>(ticks);
expectNotAssignable<Producer<{ readonly at: number; readonly more: string }>>(ticks);
const seen: Producer<Tick> = ticks;
expectError(seen.push([{ at: 1 }]));
expectError(seen.complete());
expectError(seen.fail(new Error("no")));

// producerConsumer()
expectType<ProducerConsumer<number, string>>(producerConsumer((events: readonly number[]) => events.map(String)));
expectType<ProducerConsumer<number, string>>(
  producerConsumer({
    handleEvents: (events: readonly number[], subscription, stage) => {
      expectType<Subscription>(subscription);
      expectType<number>(stage.demand);
      return events.map(String);
    },
    handleEnd: () => ["end"],
  }),
);
class Parser implements ProducerConsumerBehaviour<string, Tick> {
  handleEvents(lines: readonly string[]): Tick[] {
    return lines.map((line) => ({ at: Number(line) }));
  }
}
expectType<ProducerConsumer<string, Tick>>(producerConsumer(new Parser()));
expectError(producerConsumer({ handleDemand: () => [1] }));
expectError(producerConsumer((events: number[]) => events));
expectError(producerConsumer((events: readonly number[]) => events.length));

// consumer()
expectType<Consumer<number>>(consumer((events: readonly number[]) => console.log(events)));
expectType<Consumer<number>>(consumer<number>(async (events) => expectType<readonly number[]>(events)));
class Printer implements ConsumerBehaviour<string> {
  handleEvents(lines: readonly string[], _subscription: Subscription, stage: StageContext): void {
    stage.stop();
    console.log(lines.length);
  }
}
expectType<Consumer<string>>(consumer(new Printer()));
const sink: string[] = [];
consumer((lines: readonly string[]) => sink.push(...lines));
consumer<string>({ handleEvents: () => {}, handleEnd: async () => {} });
expectError(consumer<number>((events) => events.sort()));
expectError(consumer((events: string[]) => events));
expectError(consumer<number>(() => {}, { bufferSize: 5 }));
expectError(consumer<number>({ handleEvents: () => {}, handleDemand: () => [1] }));
expectError(consumer<number>({ handleEvents: (_events, _subscription, stage) => stage.push([1]) }));
expectError(consumer<number>({ handleEvents: (_events, _subscription, stage) => stage.drained() }));

// A consumer takes producers of its events, and of narrower ones.
const numbers = fromIterable([1, 2, 3]);
expectType<Producer<number>>(numbers);
const any = consumer<unknown>(() => {});
expectType<Subscription>(any.subscribe(numbers));
expectType<Subscription>(
  consumer<number>(() => {}).subscribe(numbers, { maxDemand: 5, minDemand: 1, cancel: "temporary", data: "mine" }),
);
expectType<readonly Subscription[]>(any.subscriptions);
expectError(consumer<string>(() => {}).subscribe(numbers));
expectError(any.subscribe());
expectError(any.subscribe([1, 2, 3]));
expectError(any.subscribe(numbers, { maxDemand: "5" }));
expectError(any.subscribe(numbers, { cancel: "always" }));
expectError(any.subscribe(numbers, { demand: "auto" }));
expectError(any.subscribe(numbers, { partition: 0 }));
expectError(any.subscribe(numbers, { selector: () => true }));
expectError(numbers.subscribe(numbers));

// Subscriptions.
const subscription = any.subscribe(numbers, { demand: "manual" });
expectType<void>(subscription.ask(5));
expectType<void>(subscription.cancel("shutdown"));
expectType<Subscription>(subscription.resubscribe({ maxDemand: 3 }));
expectType<"pending" | "active" | "ended">(subscription.state);
expectType<number>(subscription.pending);
expectType<number>(subscription.options.maxDemand);
expectError(subscription.ask());
expectError(subscription.ask(5n));
expectError((subscription.pending = 3));

// Iterables, also asynchronous and of objects.
async function* lines(): AsyncGenerator<string> {
  yield "a";
}
expectType<Producer<string>>(fromIterable(lines()));
expectType<Producer<[string, number]>>(fromIterable(new Map([["a", 1]])));
expectType<Producer<number, NoOptions>>(fromIterable(new Set([1])));
expectError(fromIterable(5));
expectError(fromIterable({}));
expectError(fromIterable([1], { maxDemand: 5 }));
