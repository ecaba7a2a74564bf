import { describe, expect, test } from "vitest";
import { debounce } from "../../examples/steps/debounce.ts";
import { collect, map, pipeline, producer } from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";

function rig() {
  const runtime = testRuntime();
  const source = producer<number>(() => {}, { runtime });
  const wait = async (ms: number): Promise<void> => {
    await turns();
    runtime.clock.advance(ms);
    await turns();
  };
  return { runtime, source, wait };
}

describe("a step of one's own", () => {
  test("8.8 passes on the last event of each burst, and the one it holds at the end", async () => {
    const { runtime, source, wait } = rig();
    const running = pipeline(source, debounce({ after: 100 }), collect());
    for (const n of [1, 2, 3]) {
      source.push([n]);
      await wait(99);
    }
    await wait(1);
    source.push([4, 5]);
    await wait(10);
    expect(running.inspect().stages.find(({ name }) => name.endsWith("debounce"))?.dropped).toBe(3);
    source.complete();
    expect(await running).toEqual([3, 5]);
    expect(runtime.clock.pending).toBe(0);
  });

  test("8.8 asks for nothing before it is asked, and for one event at a time then", async () => {
    const { source } = rig();
    const step = debounce<number>({ after: 100 });
    const made = pipeline(source, step);
    await turns();
    expect(source.demand).toBe(0);
    const loop = made.events();
    void loop.next();
    await turns();
    expect(source.demand).toBe(1);
    await loop.return?.();
    // The step is made anew for each pipeline.
    const again = pipeline([7], step, collect());
    expect(await again).toEqual([7]);
  });

  test.each(["stop", "failure", "drain"])(
    "8.8 at a %s the event that it holds is not lost, and no timer is left",
    async (how) => {
      const { runtime, source, wait } = rig();
      const kept: number[] = [];
      const boom = new Error("boom");
      const running = pipeline(
        source,
        debounce({ after: 100 }),
        map((n) => {
          kept.push(n);
          return n;
        }),
        collect(),
      );
      source.push(range(1, 3));
      await wait(10);
      const failed = running.done.catch((error: unknown) => error);
      if (how === "stop") await running.stop();
      else if (how === "drain") await running.drain({ timeout: 1000 });
      else source.fail(boom);
      await turns();
      expect(runtime.clock.pending).toBe(0);
      if (how === "failure") await failed;
      const back = how === "stop" ? source.bufferedCount : kept.length;
      expect(back).toBe(1);
    },
  );

  test("8.8 refuses wrong options at once", () => {
    expect(() => debounce({} as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(() => debounce({ after: 0 })).toThrow(expect.objectContaining({ code: "ERR_RANGE" }));
  });
});
