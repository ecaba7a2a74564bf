import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { shutdownOn } from "../../../adapters/node/index.ts";
import { consumerSupervisor, supervisor } from "../../../src/supervise/index.ts";
import { optionsOf } from "../../support/option-names.ts";

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8");

/** The rows of the tables of options by the words in their heads: name and default. */
const tables = new Map<string, readonly (readonly [name: string, fallback: string])[]>(
  Array.from(
    read("docs/supervision.md").matchAll(/^\| (option[^|]*) \| default \| says \|\n\|[-|]+\|\n((?:\|.*\n)+)/gm),
    ([, head, rows]) => [
      head as string,
      Array.from(
        (rows as string).matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm),
        ([, name, fallback]) => [name, fallback] as never,
      ),
    ],
  ),
);
const namesOf = (...heads: readonly string[]): string[] =>
  heads.flatMap((head) => (tables.get(head) ?? []).map(([name]) => name)).toSorted();
const stage = ["name", "onReport", "runtime", "signal"];
const start = () => null;

describe("docs/supervision.md", () => {
  test.each<readonly [string, readonly string[], readonly string[]]>([
    [
      "consumerSupervisor",
      namesOf("option", "option of `consumerSupervisor`"),
      optionsOf((options: object) => consumerSupervisor({ start, ...options })),
    ],
    ["supervisor", namesOf("option", "option of `supervisor`"), optionsOf((options) => supervisor([], options))],
    ["backoff", namesOf("option of `backoff`"), optionsOf((backoff) => supervisor([], { backoff }))],
    ["a child", namesOf("option of a child"), optionsOf((child: object) => supervisor([{ start, ...child }]))],
  ])("has every option of %s, and no other", (_owner, told, known) => {
    expect(known.length).toBeGreaterThan(0);
    expect([...told, ...(known.includes("signal") ? stage : [])].toSorted()).toEqual(known.toSorted());
  });

  test.each([
    ["option", "maxRestarts", /maxRestarts = (\d+)/],
    ["option", "within", /within = (\d+)/],
    ["option of `backoff`", "delay", /delay = (\d+)/],
    ["option of `backoff`", "factor", /factor = (\d+)/],
    ["option of `backoff`", "maxDelay", /maxDelay = ([\d_]+)/],
    ["option of `backoff`", "jitter", /jitter = ("\w+")/],
    ["option of `consumerSupervisor`", "shutdown", /SHUTDOWN = (\d+)/],
    ["option of a child", "shutdown", /SHUTDOWN = (\d+)/],
  ])("the default: %s, %s", (head, name, code) => {
    const fallback = tables.get(head)?.find(([option]) => option === name)?.[1];
    const [, value] = code.exec(read("src/supervise/restarts.ts")) ?? [];
    expect(fallback?.replaceAll(/[` ]/g, "")).toBe(value?.replace("_", ""));
  });

  test("names every option of shutdownOn", () => {
    const running = { drain: async () => {}, stop: () => {} };
    const names = optionsOf((options) => shutdownOn("SIGTERM", running, options));
    expect(names).toEqual(["timeout", "onReport"]);
    expect(read("docs/supervision.md")).toContain("`timeout` counts from the signal, and is 10 000 ms by default");
    expect(read("adapters/node/shutdown-on.ts")).toContain("timeout = 10_000");
  });
});
