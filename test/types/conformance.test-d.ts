import { Writable } from "node:stream";
import { fromIterable, producerConsumer } from "headrace";
import { type Adapter, conformance, runConformance, type SinkProbe, type Verdict } from "headrace/conformance";
import { intoWritable } from "headrace/node";
import { expectAssignable, expectError, expectType } from "tsd";

const source: Adapter["source"] = (count, options) => {
  expectType<number>(count);
  return { producer: fromIterable(Array.from({ length: count }, String), options) };
};
const sink: Adapter["sink"] = (probe, options) => {
  expectType<SinkProbe>(probe);
  return { consumer: intoWritable<Uint8Array>(new Writable(), options) };
};
const through: Adapter["through"] = (probe, options) => ({
  stage: producerConsumer<number, string>({ handleEvents: (events) => events.map(String) }, options),
  released: () => probe.flush().length,
});

expectType<Promise<Verdict[]>>(runConformance({ name: "all", source, sink, through }));
expectType<void>(conformance({ name: "source", source }, { test: (title, run) => run().then(() => title) }));
expectAssignable<Verdict["outcome"]>("not applicable");
expectError(conformance({ name: "source", source }));
expectError(runConformance({ source }));
expectError(runConformance({ name: "wrong", source: (count: number) => ({ producer: [count] }) }));
expectError(runConformance({ name: "wrong", source, capabilities: { joined: true } }));
expectError(runConformance({ name: "wrong", source, deviations: [{ rule: "7.1a" }] }));
