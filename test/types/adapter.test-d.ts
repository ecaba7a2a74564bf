import { type Consumer, fromIterable, partitionDispatcher, type Producer, type ProducerConsumer } from "headrace";
import {
  type PortSource,
  Collector,
  coupled,
  Port,
  refuse,
  sink,
  type SinkContext,
  source,
  type SourceBehaviour,
  type SourceContext,
  transform,
} from "headrace/adapter";
import { expectError, expectType } from "tsd";

// Makers
expectType<Producer<number>>(source<number>({ handleDemand: (demand) => [demand] }, {}));
expectType<Producer<number>>(
  source<number>({ handleDemand() {} }, { bufferSize: 1 }, { own: ["digits"], pushes: true }),
);
expectType<Consumer<string>>(sink<string>({ handleEvents: (events) => void events.length }));
expectType<ProducerConsumer<string, number>>(
  transform<string, number>({ handleEvents: (events) => events.map(Number) }),
);
expectType<ProducerConsumer<string, number>>(
  coupled(sink<string>({ handleEvents() {} }), source<number>({ handleDemand() {} })),
);
expectError(source<number>({ handleDemand: () => ["a"] }));
expectError(sink<number>({}));
expectError(sink<number>({ handleEvents() {} }, { bufferSize: 1 }));

// The options of a dispatcher are those of the subscribers
const parted = source<number, { readonly partition: 0 | 1 }>(
  { handleDemand() {} },
  { dispatcher: partitionDispatcher({ partitions: 2, by: (n: number) => n }) as never },
);
expectError(sink<number>({ handleEvents() {} }).subscribe(parted));

// What callbacks can say
const says: SourceBehaviour<number> = {
  begin(stage) {
    expectType<SourceContext<number>>(stage);
    expectType<boolean>(stage.answer([1]));
    expectType<void>(stage.discard([1]));
    expectType<number>(stage.buffered);
    expectType<void>(stage.askAgain());
    expectError(stage.answer(["a"]));
    expectError(stage.end({ type: "complete" }));
  },
  handleDemand() {},
  admit: (options) => ({ ...options, demand: "manual" }),
  putBack: (events) => events,
};
source(says);
sink<number>({
  begin(stage) {
    expectType<SinkContext>(stage);
    expectType<void>(stage.markReported());
    expectError(stage.answer([1]));
  },
  handleEvents(events, subscription, stage) {
    expectType<readonly number[]>(events);
    expectType<void>(stage.giveBack(subscription, events.slice(1)));
  },
});

// A collector takes what its stage emits
declare const context: SourceContext<number>;
const collector = new Collector(context, { overflow: "throw", brake: { pause: () => 1, resume: () => 2 } });
expectType<Collector<number>>(collector);
expectError(collector.add("a"));
expectError(new Collector(context, { overflow: "drop" }));
expectError(new Collector(context, { brake: { pause: () => {} } }));

// A port takes any producer
class Mute extends Port {
  override turn(): void {}
}
const any: PortSource = parted;
new Mute("mute", any, Port.options(any, { maxDemand: 4 }));
new Mute("mute", fromIterable(["a"]), Port.options(fromIterable(["a"]), {}, { demand: "manual" }));
expectError(Port.options(any, { maxDemand: "4" }));
expectError(Port.options(any, {}, { demand: "automatic" }));
expectError(new Mute("mute", [1, 2], Port.options(any)));

const checked = (value: unknown): string =>
  typeof value === "string" ? value : refuse("ERR_NOT_SOURCE", "a path", value);
expectType<string>(checked("a"));
expectError(refuse("ERR_NO_SUCH_CODE", "a path", 1));
