import { getEventListeners } from "node:events";
import { type Consumer, consumer, type Producer, producer, producerConsumer } from "../../../src/index.ts";
import { type ChildDeclaration, type Strategy, consumerSupervisor, supervisor } from "../../../src/supervise/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { Random } from "../random.ts";
import { Books } from "./books.ts";
import { takeBack } from "./per-event.ts";

/** A random life of a `supervisor` over stages: a source outside, a step perhaps, sinks, a promise. Returns what is wrong. */
export async function graph(seed: number): Promise<string[]> {
  const random = new Random(seed);
  const runtime = testRuntime({ seed });
  const { clock } = runtime;
  const books = new Books();
  const onReport = (error: unknown): void => void books.reported.push(error);
  const common = { runtime, onReport };
  const count = random.between(1, 60);
  const ends = random.chance(50);
  let next = 0;
  const source = producer<number>(
    {
      handleDemand: (demand, stage) => {
        const events = Array.from({ length: Math.min(demand, count - next) }, (_, i) => next + i);
        next += events.length;
        books.emitted.push(...events);
        if (next === count && ends) stage.complete();
        return events;
      },
    },
    { ...common, onDiscard: books.onDiscard },
  );
  const rate = random.pick([0, 5, 20]);
  /** Takes its time, or none; fails as chance has it, in front of what it does. */
  const act = (what: string, events: readonly number[], then: () => void): unknown => {
    if (random.chance(rate)) throw books.fail(`${what} at ${events.join()}`);
    if (random.chance(50)) {
      then();
      return undefined;
    }
    const fails = random.chance(rate);
    books.working += 1;
    return new Promise<void>((resolve, reject) => {
      clock.setTimer(
        () => {
          books.working -= 1;
          if (fails) reject(books.fail(`${what} later at ${events.join()}`));
          else {
            then();
            resolve();
          }
        },
        random.between(0, 10),
      );
    });
  };
  const sink = (): Consumer<number> =>
    consumer<number>((events) => act("sink", events, () => void books.handled.push(...events)), common);
  const each = (): Consumer<number> =>
    consumerSupervisor<number>({
      ...common,
      start: (event) => {
        const result = act("child", [event], () => void books.handled.push(event));
        return result === undefined ? null : (result as Promise<void>);
      },
      shutdown: 1000,
      maxRestarts: random.pick([0, 2]),
      restart: random.pick(["temporary", "transient"] as const),
      onLost: ({ event, error }) => {
        books.lost.push(event);
        books.lostWith.push(error);
      },
    });
  const step = (): Producer<number> =>
    producerConsumer<number, number>(
      (events) => {
        const result = act("step", events, () => {});
        return result === undefined ? events : (result as Promise<void>).then(() => events);
      },
      { ...common, onDiscard: books.onDiscard },
    );
  const restart = random.pick(["permanent", "transient"] as const);
  const window = () => {
    const maxDemand = random.between(1, 8);
    return { maxDemand, minDemand: random.below(maxDemand) };
  };
  const shutdown = 1000;
  const children: ChildDeclaration[] = [];
  const stepped = random.chance(50);
  const start = stepped ? step : undefined;
  if (start) children.push({ name: "step", start, restart, shutdown, subscribeTo: { to: source, ...window() } });
  for (let i = random.between(1, 3); i > 0; i -= 1) {
    // A mode that a completed step would leave running without end is left out.
    const to = stepped ? "step" : source;
    const child = random.chance(25) ? each : sink;
    children.push({ start: child, restart, shutdown, subscribeTo: { to, ...window() } });
  }
  if (random.chance(30)) {
    const wait = (ms: number, fails: boolean, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        const timer = clock.setTimer(() => (fails ? reject(books.fail("promise")) : resolve()), ms);
        signal.addEventListener("abort", () => {
          clock.clearTimer(timer);
          reject(signal.reason as Error);
        });
      });
    children.push({
      start: ({ signal }) => wait(random.between(0, 40), random.chance(rate), signal),
      restart: random.pick(["transient", "temporary"] as const),
    });
  }
  const controller = new AbortController();
  const running = supervisor(children, {
    ...common,
    signal: controller.signal,
    strategy: random.pick<Strategy>(["oneForOne", "restForOne", "oneForAll"]),
    maxRestarts: random.pick([0, 3, 20, 1000]),
    within: random.pick([0, 50, 1000]),
    backoff: { delay: random.between(0, 20), maxDelay: 50 },
    onLost: ({ events }) => void books.lost.push(...(events as number[])),
  });
  void books.watch(running.done);
  const found: string[] = [];
  for (let i = random.between(0, 40); i > 0 && !books.over; i -= 1) {
    await turns(random.between(1, 3));
    clock.advance(random.between(0, 12));
  }
  const end = random.below(6);
  if (end < 2) void running.drain().catch(() => {});
  else if (end < 5) void running.stop();
  else controller.abort(new Error("enough"));
  for (let i = 0; i < 400 && (!books.over || books.working > 0); i += 1) {
    await turns(2);
    clock.advance(10);
  }
  if (!books.over)
    found.push(
      `never ends: ${running
        .children()
        .map(({ name, state }) => `${name} ${state}`)
        .join()}`,
    );
  await turns(4);
  await takeBack(source, books);
  if (clock.pending > 0) found.push(`${clock.pending} timers`);
  if (getEventListeners(controller.signal, "abort").length > 0) found.push("listeners");
  // An abort leaves events in hand to callbacks that run on: no one could tell of them.
  return end === 5 ? found : [...found, ...books.faults()];
}
