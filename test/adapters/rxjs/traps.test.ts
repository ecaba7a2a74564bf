import { readFileSync } from "node:fs";
import { mergeMap, type Observable, range as rangeOf } from "rxjs";
import { describe, expect, test } from "vitest";
import { fromObservable, throughOperators } from "../../../adapters/rxjs/index.ts";
import { collect, forEach, fromIterable, mapAsync, pipeline } from "../../../src/index.ts";
import { range, testRuntime, turns } from "../../support/runtime.ts";
import { failureFrom } from "../../unit/steps/support.ts";

const page = readFileSync("docs/adapters/rxjs.md", "utf8");
const [, first = ""] = page.split("\n\n");
const [, , second = ""] = page.split("\n\n");

const lookUp = async (n: number): Promise<number> => n;
const cold = () => fromObservable(rangeOf(1, 100_000), { overflow: "throw", bufferSize: 100 });

describe("F-52 asynchronous operators", () => {
  test("F-52 the docs say first that mergeMap takes its whole input, and name the steps that do not", () => {
    expect(first).toContain("`mergeMap(fn, 16)`, which\ntakes its whole input at once");
    expect(second).toContain("`mapAsync`");
    expect(second).toContain("`flatMapAsync`");
  });

  test.each(["mergeMap", "mapAsync"])("F-52 what is taken and not done behind a slow sink: %s", async (kind) => {
    const runtime = testRuntime();
    let [taken, done, most] = [0, 0, 0];
    function* rows(): Generator<number> {
      for (const n of range(0, 1999)) {
        taken += 1;
        most = Math.max(most, taken - done);
        yield n;
      }
    }
    const source = fromIterable(rows(), { runtime, defaultMaxDemand: 16 });
    const sink = forEach(async () => {
      await Promise.resolve();
      done += 1;
    });
    const running =
      kind === "mapAsync"
        ? pipeline.with({ maxDemand: 16 })(source, mapAsync(lookUp, { concurrency: 16, maxHeld: 16 }), sink)
        : pipeline(
            source,
            throughOperators<number, number>((rows$: Observable<number>) => rows$.pipe(mergeMap(lookUp, 16))),
            sink,
          );
    await running;
    expect(done).toBe(2000);
    // The inside of a chain has no bound, as the docs say: only the steps have one.
    expect(most).toBeLessThanOrEqual(kind === "mapAsync" ? 16 + 16 + 16 : 2000);
  });
});

describe("F-53 a cold Observable in front of something asynchronous", () => {
  test("F-53 it overflows, as the docs and the README say, and is held in front of what is synchronous", async () => {
    expect(first).toContain("not an Observable in front of anything asynchronous");
    expect(readFileSync("README.md", "utf8")).toContain(
      "in front of a file or a promise it is not: use `fromIterable`",
    );
    expect(
      await failureFrom(
        pipeline(
          cold(),
          forEach(() => turns(1)),
        ),
      ),
    ).toMatchObject({ code: "ERR_OVERFLOW" });
    expect(await pipeline(cold(), collect())).toHaveLength(100_000);
  });

  test("F-53 what the docs name instead is held", async () => {
    let taken = 0;
    let [done, most] = [0, 0];
    function* numbers(): Generator<number> {
      for (const n of range(1, 300)) {
        taken += 1;
        most = Math.max(most, taken - done);
        yield n;
      }
    }
    const slow = async (): Promise<void> => {
      await Promise.resolve();
      done += 1;
    };
    await pipeline(fromIterable(numbers(), { defaultMaxDemand: 10 }), forEach(slow));
    expect(most).toBeLessThanOrEqual(10 + 1);
    expect(done).toBe(300);
  });
});
