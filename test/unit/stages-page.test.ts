import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  ConsumerHandle,
  EmittingContext,
  PlainContext,
  ProducerConsumerHandle,
  ProducerHandle,
  SourceHandle,
} from "../../src/stage/faces.ts";
import * as headrace from "../../src/index.ts";
import { subscribeNames } from "../../src/stage/subscribe-options.ts";
import { optionsOf } from "../support/option-names.ts";

const page = readFileSync(new URL("../../docs/stages.md", import.meta.url), "utf8");
/** The sections by their headings. */
const sections = new Map(page.split(/^## /m).map((text) => [text.slice(0, text.indexOf("\n")), text]));
/** What a section says in code: names, without their arguments. */
const named = (heading: string): ReadonlySet<string> =>
  new Set(Array.from((sections.get(heading) ?? "").matchAll(/`(\[?[\w.]+\]?)[(`]/g), ([, name]) => name as string));

/** The members of a class and of those it extends. */
function membersOf(of: { readonly prototype: object }): readonly string[] {
  const members: string[] = [];
  for (let at = of.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
    for (const key of Reflect.ownKeys(at)) members.push(typeof key === "symbol" ? `[${key.description}]` : key);
  return members.filter((name) => name !== "constructor" && !name.startsWith("~"));
}

describe("docs/stages.md names", () => {
  const { producer, consumer, runtime, demandDispatcher, broadcastDispatcher, partitionDispatcher } = headrace;
  test.each<readonly [string, string, readonly string[]]>([
    ["the options of a producer", "Options of a stage", optionsOf((options) => producer(() => {}, options))],
    ["the options of a consumer", "Options of a stage", optionsOf((options) => consumer(() => {}, options))],
    ["the options of a subscription", "Options of a subscription", [...subscribeNames, "selector", "partition"]],
    ["the options of runtime()", "Running", optionsOf(runtime)],
    ["the options of demandDispatcher()", "Dispatchers", optionsOf(demandDispatcher)],
    ["the options of broadcastDispatcher()", "Dispatchers", optionsOf(broadcastDispatcher)],
    ["the options of partitionDispatcher()", "Dispatchers", optionsOf(partitionDispatcher)],
    ["the members of a consumer", "A stage from outside", membersOf(ConsumerHandle)],
    ["the members of a source", "A stage from outside", membersOf(SourceHandle)],
    ["the members of a producer", "A stage from outside", membersOf(ProducerHandle)],
    ["the members of a producerConsumer", "A stage from outside", membersOf(ProducerConsumerHandle)],
    ["what a consumer's callbacks get", "A stage from within", membersOf(PlainContext)],
    ["what a producer's callbacks get", "A stage from within", membersOf(EmittingContext)],
    [
      "a subscription's members",
      "A stage from outside",
      ["ask", "cancel", "resubscribe", "producer", "consumer", "options", "state", "pending"],
    ],
  ])("%s", (_what, heading, names) => {
    expect(names.length).toBeGreaterThan(0);
    const there = named(heading);
    expect(names.filter((name) => !there.has(name))).toEqual([]);
  });

  test("every callback", () => {
    const source = readFileSync(new URL("../../src/stage/make-stage.ts", import.meta.url), "utf8");
    const list = /const callbacks = \[([^\]]*)\]/.exec(source)?.[1] ?? "";
    const callbacks = Array.from(list.matchAll(/"(\w+)"/g), ([, name]) => name as string);
    expect(callbacks).toContain("handleDemand");
    expect(callbacks.filter((name) => !named("Callbacks").has(name))).toEqual([]);
  });

  test("every function but the steps, which have a page", () => {
    const composition = readFileSync(new URL("../../docs/composition.md", import.meta.url), "utf8");
    const names = Object.keys(headrace);
    expect(names.filter((name) => !page.includes(`\`${name}`) && !composition.includes(`\`${name}(`))).toEqual([]);
  });

  test("no option that does not exist", () => {
    const rows = Array.from((sections.get("Options of a stage") ?? "").matchAll(/^\| `(\w+)/gm), ([, name]) => name);
    expect(new Set(rows)).toEqual(new Set(optionsOf((options) => producer(() => {}, options))));
  });
});
