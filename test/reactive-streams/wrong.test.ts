import { describe, expect, test } from "vitest";
import { consumerCheck, consumerChecks } from "./consumer-checks.ts";
import { failed } from "./harness.ts";
import { sourceCheck, sourceChecks } from "./source-checks.ts";
import { consumerOf, type WrongConsumer } from "./wrong-consumers.ts";
import { doubleOf, type Wrong } from "./wrong-sources.ts";

const scale = 200;

describe("a source written by hand that keeps to the rules", () => {
  test.each(sourceChecks)("RS-$rule $title", async ({ run: checkRule }) => {
    await checkRule(doubleOf(), scale);
  });
});

describe("a consumer written by hand that keeps to the rules", () => {
  test.each(consumerChecks)("RS-$rule $title", async ({ run: checkRule }) => {
    await checkRule(consumerOf());
  });
});

const wrongSources: [what: string, wrong: Wrong, caughtBy: string[]][] = [
  ["never emits", { neverEmits: true }, ["1.1a", "1.2"]],
  ["never says that an ask is wrong", { swallowsWrongAsks: true }, ["3.9"]],
  ["sends one event too many for each ask", { amount: (n) => n + 1 }, ["1.1a", "1.2", "3.17a"]],
  ["counts batches for events", { amount: () => 100 }, ["1.1b"]],
  ["serves whatever its consumer does", { servesAfterACancel: true, amount: (n) => n + 1 }, ["3.6", "3.12"]],
  ["goes on after a cancel", { servesAfterACancel: true, batchesOf: 1 }, ["3.6", "1.8a", "3.12"]],
  ["emits before the subscription", { attached: (port) => port.events([0]) }, ["1.9b", "1.5b"]],
  [
    "ends before the subscription",
    { attached: (port) => port.end({ reason: { type: "complete" } }) },
    ["1.9b", "1.5b"],
  ],
  ["fails before the subscription", { attached: (port) => port.end({ reason: failed("E") }) }, ["1.9b", "1.4a"]],
  [
    "fails by throwing from the subscription",
    {
      attached: () => {
        throw new Error("no");
      },
    },
    ["1.4a", "1.9b"],
  ],
  ["ends, and then serves asks", { servesAfterTheEnd: true }, ["1.7a", "1.6"]],
  ["forgets to end", { neverEnds: true }, ["1.5a", "1.2", "0a"]],
  ["answers an ask inside the event", { recursive: true }, ["3.3a", "1.3a", "3.4"]],
  ["throws from a second cancel", { throwsOnSecondCancel: true }, ["3.7"]],
  ["adds demand with 32 bits", { add: (a, b) => (a + b) | 0 }, ["3.17a", "3.17c"]],
  [
    "lets the sum of demand overflow",
    { batchesOf: 1, add: (a, b) => (a + b > 2 ** 53 - 1 ? a + b - 2 ** 54 : a + b) },
    ["3.17c", "3.17d"],
  ],
  [
    "fails when demand reaches the largest",
    { add: (a, b) => (a + b >= 2 ** 53 - 1 ? Number.MIN_VALUE : a + b) },
    ["3.17b"],
  ],
  ["ends only on the next ask", { endsOnlyWhenAsked: true }, ["1.5c"]],
  ["accepts the same consumer twice", { acceptsTwice: true }, ["1.10"]],
  ["loses the wake-up", { losesTheWakeUp: true }, ["3.3d"]],
  ["loses failures with empty values", { losesFalsyErrors: true }, ["1.4e"]],
  ["takes only the last of several asks", { add: (_a, b) => b }, ["3.8b"]],
];

describe.each(wrongSources)("a source that %s", (_what, wrong, caughtBy) => {
  test.each(caughtBy)("RS-%s sees it", async (rule) => {
    await expect(sourceCheck(rule)(doubleOf(wrong), scale)).rejects.toBeInstanceOf(Error);
  });
});

const wrongConsumers: [what: string, wrong: WrongConsumer, caughtBy: string[]][] = [
  ["never asks", { neverAsks: true }, ["2.1a", "0d", "3.8a"]],
  ["asks unbidden", { asksUnbidden: true }, ["2.1c"]],
  ["asks in the handler of the end", { asksInTheEnd: true }, ["2.3a", "2.3b", "2.4", "2.9b"]],
  ["cancels in the handler of the end", { cancelsInTheEnd: true }, ["2.3a", "2.3b", "2.4", "2.10b"]],
  ["cancels after the end", { cancelsAfterTheEnd: true }, ["2.4"]],
  ["throws on an event after its cancel", { throwsOnLateEvents: true }, ["2.8a"]],
  ["handles an event after its cancel", { seesLateEvents: true }, ["2.8a"]],
  ["swallows null", { swallowsNull: true }, ["2.13b"]],
  ["takes a failure with an empty value for an end", { losesFalsyErrors: true }, ["2.13c"]],
  ["goes on after its handler has failed", { goesOnAfterItsHandlerFailed: true }, ["2.13d"]],
  ["does not hear that its handler rejects", { ignoresRejections: true }, ["2.13d"]],
  ["asks for more than it is told to", { countsAsksTwice: true }, ["3.8a", "2.1a"]],
  ["misses the end", { missesTheEnd: true }, ["2.9a", "2.9b", "2.10a", "2.10b"]],
  ["never confirms a good end", { neverConfirms: true }, ["2.3a", "2.3c", "2.4", "2.9b", "3.10", "3.11"]],
  ["confirms a good end twice", { confirmsTwice: true }, ["2.3a", "2.4", "2.9b", "3.11"]],
];

describe.each(wrongConsumers)("a consumer that %s", (_what, wrong, caughtBy) => {
  test.each(caughtBy)("RS-%s sees it", async (rule) => {
    await expect(consumerCheck(rule, consumerOf(wrong))).rejects.toBeInstanceOf(Error);
  });
});
