import { describe, expect, test } from "vitest";
import { type Adapter, conformance, runConformance, type Verdict } from "../../src/conformance/index.ts";
import { type ArgumentError, fromIterable, producer } from "../../src/index.ts";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const arrays: Adapter = {
  name: "arrays",
  source: (count, options) => ({ producer: fromIterable(numbers(count), options) }),
  capabilities: { endsUnasked: false },
};
/** It has lost its last event. */
const wrong: Adapter = {
  ...arrays,
  source: (count, options) => ({ producer: fromIterable(numbers(count - 1), options) }),
};

const find = (verdicts: readonly Verdict[], rule: string): Verdict | undefined =>
  verdicts.find((verdict) => verdict.rule === rule);
const code = (run: () => unknown): string | undefined => {
  try {
    run();
  } catch (error) {
    return (error as ArgumentError).code;
  }
  return undefined;
};
/** Runs a test of the kit by its rule, and answers what it fails with. */
async function failureOf(adapter: Adapter, rule: string): Promise<unknown> {
  const runs: (() => Promise<void>)[] = [];
  conformance(adapter, {
    test: (title, run) => {
      if (title.startsWith(`${adapter.name}: ${rule} `)) runs.push(run);
    },
  });
  expect(runs).toHaveLength(1);
  return runs[0]?.().then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** What became of each rule, in a line. */
const brief = async (): Promise<string[]> =>
  (await runConformance(wrong)).map(({ rule, outcome, error }) => `${rule} ${outcome} ${String(error)}`);

describe("conformance", () => {
  test("7.1 registers a test for each rule that applies, under its number", async () => {
    const titles: string[] = [];
    conformance(arrays, { test: (title) => titles.push(title) });
    const verdicts = await runConformance(arrays);
    const applying = verdicts.filter(({ error }) => !/^(?:there is no|\w+ is )/.test(String(error)));
    expect(titles).toEqual(applying.map(({ rule, title }) => `arrays: ${rule} ${title}`));
    expect(titles).toContain("arrays: 4.7a delivers every event once, in order");
  });

  test("7.1 a test fulfils when the rule is kept, and rejects with what was expected and got when it is not", async () => {
    expect(await failureOf(arrays, "RS-1.2")).toBeUndefined();
    expect(await failureOf(wrong, "RS-1.2")).toEqual(new Error("expected the events to be [0, 1, 2], got [0, 1]"));
  });

  test("7.1 a flaw on the link comes before what came of it", async () => {
    const eager: Adapter = {
      ...arrays,
      source: (count, options) => {
        const stage = fromIterable(numbers(count), options);
        const changed = Object.create(stage) as typeof stage;
        Object.defineProperty(changed, "~attach", {
          value: (port: Parameters<(typeof stage)["~attach"]>[0]) => {
            let asked = 0;
            return {
              ask: () => {
                asked += 1;
                if (asked === 1) port.events(numbers(3));
              },
              end: () => {},
            };
          },
        });
        return { producer: changed };
      },
      patience: 50,
    };
    expect(await failureOf(eager, "RS-1.1a")).toEqual(new Error("rule 3.1: 3 events were delivered, 1 were asked for"));
  });

  test.each([
    ["no factory", { name: "none" }],
    ["no name", { source: arrays.source }],
    ["an unknown name", { ...arrays, sauce: 1 }],
    ["a factory that is none", { ...arrays, sink: 1 }],
    ["an unknown capability", { ...arrays, capabilities: { joined: true } }],
    ["a deviation from a rule that does not exist", { ...arrays, deviations: [{ rule: "9.9", reason: "none" }] }],
    ["a deviation from a rule that does not apply", { ...arrays, deviations: [{ rule: "7.2d", reason: "none" }] }],
  ])("1.1 refuses %s", async (_, adapter) => {
    expect(code(() => conformance(adapter as Adapter, { test }))).toBe("ERR_OPTION");
    await expect(runConformance(adapter as Adapter)).rejects.toMatchObject({ code: "ERR_OPTION" });
  });
});

describe("runConformance", () => {
  test("7.1 gives each rule a verdict, and each rule its own number", async () => {
    const verdicts = await runConformance(arrays);
    const rules = verdicts.map(({ rule }) => rule);
    expect(new Set(rules).size).toBe(rules.length);
    expect(rules.filter((rule) => !/^(?:RS-4\.1\/)?(?:[1-8]\.\d+[a-z]|RS-\d\.\d+[a-z]?)$/.test(rule))).toEqual([]);
    expect(verdicts.filter(({ outcome }) => outcome === "fail")).toEqual([]);
    expect(find(verdicts, "4.7a")).toEqual({
      rule: "4.7a",
      title: "delivers every event once, in order",
      outcome: "pass",
    });
  });

  test("7.1 says why a rule does not apply", async () => {
    const verdicts = await runConformance(arrays);
    const why = (rule: string): unknown => [find(verdicts, rule)?.outcome, find(verdicts, rule)?.error];
    expect(why("7.2d")).toEqual(["not applicable", "there is no sink"]);
    expect(why("7.2a")).toEqual(["not applicable", "endsUnasked is false"]);
    expect(why("7.1b")).toEqual(["not applicable", "the source tells no taken()"]);
  });

  test("7.1 a declared deviation is one, with its reason", async () => {
    const deviations = [{ rule: "RS-1.2", reason: "it keeps one for itself" }];
    const verdicts = await runConformance({ ...wrong, deviations });
    expect(find(verdicts, "RS-1.2")).toMatchObject({ outcome: "deviation", error: "it keeps one for itself" });
    expect(find(verdicts, "4.7a")?.outcome).toBe("fail");
    expect(await failureOf({ ...wrong, deviations }, "RS-1.2")).toBeUndefined();
  });

  test("7.1 a deviation that passes is a failure", async () => {
    const adapter = { ...arrays, deviations: [{ rule: "RS-1.2", reason: "it was wrong once" }] };
    const error = new Error("expected a deviation (it was wrong once), got an undeclared pass: the rule is kept");
    expect(find(await runConformance(adapter), "RS-1.2")).toMatchObject({ outcome: "fail", error });
    expect(await failureOf(adapter, "RS-1.2")).toEqual(error);
  });

  test("7.1 does not wait for ever", async () => {
    const verdicts = await runConformance({
      name: "mute",
      source: (_count, options) => ({ producer: producer<unknown>(() => {}, options) }),
      patience: 20,
    });
    expect(find(verdicts, "RS-1.2")).toMatchObject({
      outcome: "fail",
      error: new Error("expected the subscription to end within 20 turns of the event loop"),
    });
  });

  test("7.1 gives the same verdicts each time", async () => {
    expect(await brief()).toEqual(await brief());
  });
});
