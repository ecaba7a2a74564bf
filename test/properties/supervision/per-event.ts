import { getEventListeners } from "node:events";
import { producer } from "../../../src/index.ts";
import { type ChildContext, consumerSupervisor } from "../../../src/supervise/index.ts";
import { FakeChild } from "../../support/children.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { Random } from "../random.ts";
import { Books } from "./books.ts";

/** A random life of a `consumerSupervisor`. Returns what is wrong. */
export async function perEvent(seed: number): Promise<string[]> {
  const random = new Random(seed);
  const runtime = testRuntime({ seed });
  const { clock } = runtime;
  const books = new Books();
  const count = random.between(1, 30);
  let next = 0;
  const take = (demand: number): number[] => {
    const events = Array.from({ length: Math.min(demand, count - next) }, (_, i) => next + i);
    next += events.length;
    books.emitted.push(...events);
    return events;
  };
  const source = producer<number>(
    {
      handleDemand: (demand, stage) => {
        const events = take(demand);
        if (next === count && ends) stage.complete();
        return events;
      },
    },
    { runtime, onDiscard: books.onDiscard, onReport: (error) => void books.reported.push(error) },
  );
  const ends = random.chance(60);
  const handle = (event: number): void => void books.handled.push(event);
  const wait = (ms: number, then: () => void): unknown => clock.setTimer(then, ms);

  /** Works for a while, then ends as chance has it; obeys its signal, or does not. */
  const work = (event: number, { signal }: ChildContext): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = wait(random.between(0, 30), () => {
        if (random.chance(35)) reject(books.fail(`work on ${event}`));
        else {
          handle(event);
          resolve();
        }
      });
      const obeys = random.chance(80);
      signal.addEventListener("abort", () => {
        if (!obeys) return;
        clock.clearTimer(timer);
        reject(signal.reason as Error);
      });
    });
  const stoppable = (event: number, { signal }: ChildContext): FakeChild => {
    const child = new FakeChild(String(event), signal);
    let over = false;
    /** The first end counts. */
    const once = (then: () => void): void => {
      clock.clearTimer(timer);
      if (!over) then();
      over = true;
    };
    const timer = wait(random.between(0, 30), () => {
      over = true;
      if (random.chance(35)) child.kill(books.fail(`child of ${event}`));
      else {
        handle(event);
        child.end();
      }
    });
    const kind = random.below(3);
    child.onStop = () => {
      if (child.stops.length > 1) return;
      // It leaves well, as it has handled its event; or with an abort of its own; or not at all.
      if (kind === 0) once(() => (handle(event), child.end()));
      else if (kind === 1) once(() => child.kill(Object.assign(new Error("given up"), { name: "AbortError" })));
      else once(() => {});
    };
    return child;
  };
  const start = (event: number, context: ChildContext) => {
    const kind = random.below(10);
    if (kind === 0) throw books.fail(`start of ${event}`);
    if (kind === 1) {
      handle(event);
      return null;
    }
    if (kind < 6) return work(event, context);
    if (kind < 8) return stoppable(event, context);
    return turns(1).then(() => stoppable(event, context));
  };

  const controller = new AbortController();
  const maxDemand = random.between(1, 5);
  const supervisor = consumerSupervisor<number>({
    start,
    runtime,
    signal: controller.signal,
    restart: random.pick(["temporary", "transient"]),
    maxRestarts: random.pick([0, 2, 10, Number.POSITIVE_INFINITY]),
    within: random.pick([0, 20, 1000]),
    shutdown: random.pick([0, 5, 100]),
    backoff: { delay: random.between(0, 20), factor: random.between(1, 3), maxDelay: 50 },
    onReport: (error) => void books.reported.push(error),
    onLost: ({ event, error }) => {
      books.lost.push(event);
      books.lostWith.push(error);
    },
  });
  const subscription = supervisor.subscribe(source, {
    maxDemand,
    minDemand: random.below(maxDemand),
    cancel: random.pick(["permanent", "transient", "temporary"]),
  });
  void books.watch(supervisor.done);
  const found: string[] = [];
  let own = 1000;
  for (let i = random.between(0, 25); i > 0; i -= 1) {
    await turns(random.between(1, 3));
    const { workers } = supervisor.count();
    const mine = supervisor.children().filter(({ event }) => event >= 1000).length;
    if (workers - mine > maxDemand) found.push(`${workers} children of ${maxDemand}`);
    const act = random.below(20);
    if (act < 14) clock.advance(random.between(0, 15));
    else if (act < 16) {
      const child = supervisor.children()[random.below(workers || 1)];
      if (child) void supervisor.terminateChild(child);
    } else if (act < 17 && supervisor.state === "running") {
      own += 1;
      books.emitted.push(own);
      try {
        supervisor.startChild(own);
      } catch (error) {
        // It is the caller's: so is the event.
        books.reported.push(error);
        books.left.push(own);
      }
    } else if (act < 18) subscription.cancel();
  }
  const end = random.below(4);
  if (end === 0) controller.abort("enough");
  else if (end === 1) void supervisor.drain().catch(() => {});
  else void supervisor.stop();
  for (let i = 0; i < 400 && !books.over; i += 1) {
    await turns(2);
    clock.advance(10);
  }
  if (!books.over) found.push(`never ends: ${supervisor.state}, ${JSON.stringify(supervisor.count())}`);
  await turns(4);
  // What was abandoned has had its say by now.
  clock.advance(1000);
  await turns(4);
  await takeBack(source, books);
  // An abandoned child may have handled its event all the same.
  const late = new Set(books.lost);
  for (const [at, event] of [...books.handled.entries()].toReversed()) if (late.has(event)) books.handled.splice(at, 1);
  if (clock.pending > 0) found.push(`${clock.pending} timers`);
  if (getEventListeners(controller.signal, "abort").length > 0) found.push("listeners");
  if (supervisor.count().workers > 0) found.push("children");
  return [...found, ...books.faults()];
}

/** What the source still holds. */
export async function takeBack(source: ReturnType<typeof producer<number>>, books: Books): Promise<void> {
  const before = books.emitted.length;
  if (source.state !== "running" && source.state !== "ending") return;
  const rest = source.batches({ maxDemand: 10_000 });
  const seen: number[] = [];
  const reading = (async () => {
    for await (const batch of rest) seen.push(...batch);
  })().catch(() => {});
  await turns(6);
  await source.stop();
  await reading;
  // Those that were made for this reader do not count.
  const fresh = new Set(books.emitted.splice(before));
  books.left.push(...seen.filter((n) => !fresh.has(n)));
  const lost = books.discarded.filter((n) => !fresh.has(n));
  books.discarded.splice(0, books.discarded.length, ...lost);
}
