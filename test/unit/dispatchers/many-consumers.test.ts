import { describe, expect, test } from "vitest";
import { broadcastDispatcher, consumer, demandDispatcher, type Dispatcher, producer } from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";

/** What is called for each consumer: time would measure the machine. */
function counting<T extends object>(target: T, counts: { calls: number }): T {
  return new Proxy(target, {
    get: (of, key) => {
      const value: unknown = Reflect.get(of, key, of);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        counts.calls += 1;
        return (value as (...all: unknown[]) => unknown).apply(of, args);
      };
    },
  });
}

describe("F-11 subscribing and leaving", () => {
  test.each([
    ["demandDispatcher()", demandDispatcher],
    ["broadcastDispatcher()", broadcastDispatcher],
  ] as const)(
    "F-11 %s: a consumer costs the dispatcher as many calls among thousands as alone",
    async (_name, make) => {
      const perConsumer = async (count: number): Promise<number> => {
        const counts = { calls: 0 };
        const runtime = testRuntime({ strict: false });
        const stage = producer<number, object>(() => {}, {
          runtime,
          dispatcher: counting(make() as unknown as Dispatcher<number, object>, counts),
        });
        const links = Array.from({ length: count }, () => consumer<number>(() => {}, { runtime }).subscribe(stage));
        await turns();
        expect(stage.inspect().links).toHaveLength(count);
        for (const link of links) link.cancel();
        await turns();
        expect(stage.inspect().links).toHaveLength(0);
        return counts.calls / count;
      };
      const [few, many] = [await perConsumer(10), await perConsumer(2000)];
      expect(many).toBeLessThanOrEqual(few + 1);
    },
  );
});
