import { expect, test } from "vitest";
import {
  concat,
  type Discarded,
  failureOf,
  forEach,
  merge,
  pipeline,
  type Producer,
  producer,
  queue,
  reopen,
} from "../../src/index.ts";
import { range, testRuntime, turns } from "../support/runtime.ts";
import { Random } from "./random.ts";

const COUNT = 40;
const sourceOf = (event: number): number => Math.floor(event / 1000);
const onReport = (): void => {};
const bad = new Error("bad");

/** One run: several sources made one in a random way, and ended in a random way. Returns what is wrong. */
async function run(seed: number): Promise<string> {
  const random = new Random(seed);
  const runtime = testRuntime({ seed });
  const [handled, told]: [number[], number[]] = [[], []];
  const onDiscard = ({ events }: Discarded) => void told.push(...(events as readonly number[]));
  const kind = random.pick(["merge", "concat", "reopen"] as const);
  const count = kind === "reopen" ? 1 : random.between(1, 4);
  const late = random.chance(50);
  const made = range(1, count).map((k) => {
    const events = range(k * 1000, k * 1000 + COUNT - 1);
    if (random.chance(50)) {
      const source = queue<number>({
        size: random.between(1, 50),
        runtime,
        onDiscard,
        onReport,
        onLastCancel: "continue",
      });
      const offers = events.map((event) => source.offer(event).catch(() => void told.push(event)));
      if (!late) source.complete();
      return { source, offers, complete: () => source.complete() };
    }
    let next = 0;
    const source = producer<number>(
      {
        handleDemand(demand, stage) {
          const part = events.slice(next, next + demand);
          next += part.length;
          if (next === events.length) stage.complete();
          return part;
        },
      },
      { runtime, onDiscard, onReport },
    );
    return { source, offers: [] as Promise<unknown>[], complete: () => {} };
  });
  const sources = made.map(({ source }) => source);
  const options = { runtime, onDiscard, onReport };
  const all =
    kind === "merge"
      ? merge.with<number>(options)(...sources)
      : kind === "concat"
        ? concat.with(options)(...sources)
        : reopen(() => sources[0] as Producer<number>, { attempts: 1 }, options);

  const most = random.between(0, 2 * COUNT);
  const ending = random.pick(["none", "fails", "stops", "source stops", "drains"] as const);
  let ended: Promise<unknown> | undefined;
  const maxDemand = random.pick([1, 3, 10, 1000]);
  const sink = forEach((event: number) => {
    if (handled.length === most && ending === "fails") throw bad;
    handled.push(event);
    if (handled.length >= most && ended === undefined) {
      if (ending === "stops") ended = running.stop();
      if (ending === "source stops") ended = all.stop();
      if (ending === "drains") ended = running.drain();
    }
    return random.chance(30) ? turns(1) : undefined;
  });
  const running = pipeline.with({ maxDemand })(all, sink);
  const failed = running.done.then(
    () => undefined,
    (error: unknown) => error,
  );
  for (let i = 0; i < 8; i += 1) {
    await turns();
    if (late && i === 2) for (const { complete } of made) complete();
  }
  const hangs = Symbol("hangs");
  const settled = await Promise.race([Promise.all([failed, failed.then(() => ended)]), turns(300).then(() => hangs)]);
  if (settled === hangs)
    return `seed ${seed}, ${kind} of ${count}, ${ending} at ${most}: hangs, ${running
      .inspect()
      .stages.map(({ name, state }) => `${name} ${state}`)
      .join(", ")}`;
  const error = await failed;
  await turns();

  const begun = error === undefined ? [] : ((failureOf(error)?.events ?? []) as readonly number[]);
  const rest: number[] = [];
  for (const { source, offers, complete } of made) {
    complete();
    if (source.state === "running" || source.state === "ending" || source.state === "starting")
      await Promise.race([
        pipeline(
          source,
          forEach((event: number) => void rest.push(event)),
        ).done,
        turns(20),
      ]);
    await Promise.race([Promise.all(offers), turns(20)]);
  }
  const faults: string[] = [];
  const sum = [...handled, ...begun, ...told, ...rest].toSorted((a, b) => a - b);
  const whole = range(1, count).flatMap((k) => range(k * 1000, k * 1000 + COUNT - 1));
  if (sum.join() !== whole.join()) {
    const lost = whole.filter((event) => !sum.includes(event));
    const twice = sum.filter((event, i) => sum[i + 1] === event);
    faults.push(`lost ${lost.join()}; twice ${twice.join()}`);
  }
  for (let k = 1; k <= count; k += 1) {
    const own = handled.filter((event) => sourceOf(event) === k);
    if (own.join() !== own.toSorted((a, b) => a - b).join()) faults.push(`the order of ${k}: ${own.join()}`);
  }
  if (kind === "concat" && handled.join() !== handled.toSorted((a, b) => a - b).join()) faults.push("concat's order");
  if (ending === "none" && handled.length !== whole.length) faults.push(`handled ${handled.length} of ${whole.length}`);
  if (runtime.clock.pending > 0) faults.push(`${runtime.clock.pending} timers`);
  return faults.length > 0 ? `seed ${seed}, ${kind} of ${count}, ${ending} at ${most}: ${faults.join("; ")}` : "";
}

const runs = Math.min(20_000, Number(process.env["HEADRACE_RUNS"] ?? 300));

test("no event of several sources is lost, doubled or out of order, however they end", async () => {
  const faults: string[] = [];
  for (let seed = 1; seed <= runs && faults.length < 10; seed += 1) {
    const fault = await run(seed);
    if (fault !== "") faults.push(fault);
  }
  expect(faults).toEqual([]);
}, 60_000);
