import {
  balance,
  batch,
  boundary,
  broadcast,
  buffer,
  compose,
  distinct,
  filter,
  flatMap,
  flatMapAsync,
  fromIterable,
  idle,
  latest,
  map,
  mapAsync,
  partitionBy,
  type Pipeline,
  pipeline,
  type Producer,
  rateLimit,
  rateLimiter,
  skip,
  take,
  takeUntil,
  takeWhile,
  tap,
} from "../../../src/index.ts";
import type { Item } from "./books.ts";
import { keyOf, type Scene } from "./scene.ts";

type Steps = readonly unknown[];
type Make = (scene: Scene, inBranch: boolean) => Steps;
export type Build = (...parts: readonly unknown[]) => Pipeline<unknown>;
export const build: Build = pipeline as unknown as Build;

/** What a step between them drops is dropped on purpose. */
function between(step: unknown): Steps {
  return [tap(pass(true)), step, tap(pass(false))];
}

const pass = (passed: boolean) => (item: Item) => {
  item.passed = passed;
};

function perEvent(scene: Scene): Steps {
  const { random } = scene;
  const fails = (item: Item): Item => {
    if (scene.bad) throw scene.books.fail("a step");
    return item;
  };
  scene.story.push("map");
  const some = random.below(60);
  const count = random.below(20);
  const kind = random.below(12);
  if (kind < 6) return [map(fails), tap<Item>(() => {})];
  scene.whole = false;
  if (kind === 7 || kind === 8) scene.books.enough = true;
  scene.story.push(["filter", "take", "takeWhile", "skip", "distinct", "flatMap"][kind - 6] as string);
  const keep = (item: Item): boolean => fails(item).id !== some;
  const steps = [
    filter(keep),
    take<Item>(some),
    takeWhile<Item>(keep),
    skip<Item>(count),
    distinct((item: Item) => fails(item).id % 7, { max: 3 }),
    flatMap((item: Item) => (fails(item).id % 5 === 0 ? [] : [item])),
  ];
  return between(steps[kind - 6]);
}

/** Options that `mapAsync` and `forEach` share, and a function that works by them. */
export function calls<Out>(scene: Scene, where: string, then: (item: Item) => Out) {
  const { random, books } = scene;
  const keyed = random.chance(50);
  const attempts = random.pick([1, 1, 2, 3]);
  const timeout = random.chance(40) ? 30 : undefined;
  const how = random.pick(["fail", "skip", "function"] as const);
  const final = how === "fail";
  const fn = (item: Item, { attempt, signal }: { readonly attempt: number; readonly signal: AbortSignal }) => {
    const over = (): Out | undefined => (signal.aborted ? undefined : then(item));
    const passes = (passed: boolean): void => {
      if (how === "skip") item.passed = passed;
    };
    passes(false);
    if (timeout !== undefined && how === "skip") signal.addEventListener("abort", () => passes(true));
    if (timeout !== undefined && scene.bad && signal)
      return new Promise<never>((_resolve, reject) => {
        const obeys = random.chance(50);
        signal.addEventListener("abort", () => obeys && reject(signal.reason as Error));
      });
    if (!scene.bad) return random.chance(scene.slowness) ? scene.wait().then(over) : then(item);
    // One that an abort has overtaken is reported, or not, as it comes.
    const error = books.fail(where, final && attempt === attempts);
    const fail = (): never => {
      passes(true);
      throw error;
    };
    return random.chance(50) ? fail() : scene.wait().then(fail);
  };
  const onFailure =
    how === "function"
      ? async ({ event, error }: { readonly event: Item; readonly error: unknown }) => {
          books.heard.push(error);
          books.note("dead", [event]);
          if (random.chance(scene.slowness)) await scene.wait();
        }
      : how;
  if (how !== "fail") scene.whole = false;
  const concurrency = random.between(1, 6);
  const options = {
    concurrency,
    ...(keyed && { key: keyOf, maxQueued: random.between(1, 10) }),
    ...(timeout !== undefined && { timeout }),
    ...(random.chance(20) && { rate: { events: random.between(1, 4), interval: random.between(1, 15) } }),
    ...(attempts > 1 && { retry: { attempts, delay: random.below(10), jitter: "none" as const } }),
    onFailure: onFailure as never,
    onDiscard: scene.onDiscard as never,
  };
  return { fn, options, keyed, concurrency };
}

const concurrent: Make = (scene) => {
  const { random } = scene;
  const { fn, options, keyed, concurrency } = calls(scene, "mapAsync", (item) => item);
  const ordered = random.pick([undefined, true, false]);
  if (!keyed && ordered === false && concurrency > 1) scene.ordered = false;
  const maxHeld = random.chance(50) ? { maxHeld: random.below(6) } : {};
  scene.story.push(`mapAsync ${concurrency}${keyed ? " keyed" : ""}${ordered === undefined ? "" : ` ${ordered}`}`);
  return [mapAsync(fn as (item: Item) => Item, { ...options, ordered, ...maxHeld })];
};

const flattening: Make = (scene) => {
  const { random } = scene;
  const concurrency = random.between(1, 3);
  const ordered = random.pick([undefined, true, false]);
  if (concurrency > 1 && ordered !== true) scene.ordered = false;
  scene.story.push(`flatMapAsync ${concurrency} ${ordered}`);
  const open = (item: Item): unknown => {
    if (item.children) throw new Error("begun twice");
    const children = item.split(item.parent ? 1 : random.below(4));
    const kind = random.below(3);
    if (kind === 0) return children;
    if (kind === 1) return fromIterable(children, { runtime: scene.runtime, onDiscard: () => {} });
    return (async function* () {
      for (const child of children) {
        // oxlint-disable-next-line no-await-in-loop -- one at a time
        if (random.chance(scene.slowness)) await scene.wait(4);
        if (scene.bad) throw scene.books.fail("an inner source");
        yield child;
      }
    })();
  };
  const fn = (item: Item): unknown => scene.work("flatMapAsync", () => open(item));
  return [flatMapAsync<Item, Item>(fn as never, { concurrency, ordered })];
};

const batched: Make = (scene, inBranch) => {
  const { random } = scene;
  const by = random.chance(30) ? { by: keyOf, maxOpen: random.between(1, 4) } : {};
  const within = random.chance(50) ? { within: random.below(20) } : {};
  scene.story.push(`batch${by.by ? " by key" : ""}`);
  const unpack = flatMap((items: Item[]) => {
    // What fails behind it has all of the batch in hand.
    for (const item of items) item.loose = true;
    return items;
  });
  const middle = inBranch || random.chance(60) ? [] : random.pick([shaped, limited, coupled])(scene, inBranch);
  return [batch<Item>({ size: random.between(1, 6), ...within, ...by }), ...middle, unpack];
};

const shaped: Make = (scene) => {
  const maxDemand = scene.random.between(1, 8);
  scene.story.push(`boundary ${maxDemand}`);
  return [boundary<Item>({ maxDemand, minDemand: scene.random.below(maxDemand) })];
};

const coupled: Make = (scene) => {
  const { random, onDiscard } = scene;
  const overflow = random.pick(["hold", "hold", "drop-oldest", "drop-newest", "fail"] as const);
  scene.story.push(`buffer ${overflow}`);
  if (overflow !== "hold") scene.whole = false;
  if (overflow === "drop-oldest" && random.chance(30)) return [latest<Item>({ onDiscard: onDiscard })];
  return [buffer<Item>({ size: random.between(1, 10), overflow, onDiscard: onDiscard })];
};

const limited: Make = (scene) => {
  const { random } = scene;
  const rate = { events: random.between(1, 6), interval: random.between(1, 12) };
  scene.story.push("rateLimit");
  if (random.chance(30)) return [rateLimit<Item>(rateLimiter(rate))];
  if (random.chance(50)) return [rateLimit<Item>(rate)];
  const key = (item: Item | Item[]): number => {
    if (!Array.isArray(item)) return item.key;
    // Batches of several keys overtake each other.
    scene.ordered = false;
    return item[0]?.key ?? 0;
  };
  return [rateLimit<Item>({ ...rate, key, maxQueued: random.between(1, 10) })];
};

const until: Make = (scene) => {
  const { random } = scene;
  const at = random.between(1, 60);
  scene.story.push("takeUntil");
  scene.whole = false;
  if (random.chance(40)) {
    const bad = scene.bad;
    return [takeUntil<Item>(scene.wait(at * 4).then(() => (bad ? Promise.reject(new Error("until")) : undefined)))];
  }
  const controller = new AbortController();
  scene.signals.push(controller.signal);
  scene.outside.setTimer(() => controller.abort(), at * 4);
  return [takeUntil<Item>(controller.signal)];
};

const waking: Make = (scene) => {
  scene.story.push("idle");
  return [idle<Item>({ after: scene.random.pick([5, 50, 10_000]) })];
};

/** Branches that give events, merged. */
const branching: Make = (scene, inBranch) => {
  if (inBranch) return [];
  const { random } = scene;
  const kind = random.pick(["balance", "partitionBy", "broadcast"] as const);
  scene.story.push(`${kind}(`);
  if (kind === "broadcast") {
    // What a branch of it loses, others have: only that it ends, and leaves nothing behind.
    scene.whole = false;
    const shared = tap((item: Item) => {
      item.shared = true;
      item.loose = true;
    });
    const copies = new Set<Item>();
    const once = filter((item: Item) => {
      if (copies.has(item)) return false;
      copies.add(item);
      return true;
    });
    const part = (events: Producer<Item>): unknown =>
      build(events, ...random.pick([perEvent, concurrent, shaped, coupled, limited])(scene, true));
    scene.ordered = false;
    return [shared, broadcast({ a: part as never, b: part as never }), once, ...end(scene)];
  }
  const part = (events: Producer<Item>): unknown => build(events, ...inner(scene));
  if (kind === "balance") {
    scene.ordered = false;
    return [balance(random.between(1, 3), part as never), ...end(scene)];
  }
  const options = { partitions: random.between(1, 3), maxQueued: random.between(1, 20) };
  return [partitionBy<Item, number, never>(keyOf, options, part as never), ...end(scene)];
};

function end(scene: Scene): Steps {
  scene.story.push(")");
  return [];
}

const makes: readonly Make[] = [
  perEvent,
  perEvent,
  concurrent,
  concurrent,
  flattening,
  batched,
  shaped,
  coupled,
  limited,
  until,
  waking,
  branching,
];

/** What stands in a branch: one step at least. */
export function inner(scene: Scene): Steps {
  const steps = scene.random.pick(makes)(scene, true);
  return steps.length > 0 ? steps : [map((item: Item) => item)];
}

/** A few random steps. Those of one kind may be composed to one. */
export function anySteps(scene: Scene): Steps {
  const { random } = scene;
  const all: unknown[] = [];
  for (let count = random.below(5); count > 0; count -= 1) {
    const steps = random.pick(makes)(scene, false);
    if (steps.length > 1 && random.chance(20)) all.push((compose as unknown as (list: Steps) => unknown)(steps));
    else all.push(...steps);
  }
  return all;
}
