import {
  balance,
  broadcast,
  consumer,
  decodeText,
  first,
  flatMap,
  forEach,
  intoGroups,
  jsonLines,
  lines,
  map,
  partitionBy,
  type Producer,
  reduce,
} from "../../../src/index.ts";
import type { Item } from "./books.ts";
import { keyOf, type Scene } from "./scene.ts";
import { build, calls, inner } from "./steps.ts";

type Steps = readonly unknown[];

/** One event at a time, at once or later, and perhaps badly. */
function each(scene: Scene): Steps {
  const handled = (item: Item): void => {
    // A call that was cut short is told, and may still end well, or have ended just then.
    item.loose = true;
    scene.books.note("handled", [item]);
  };
  return [forEach((item: Item) => scene.work("a sink", () => handled(item)))];
}

function several(scene: Scene): Steps {
  const { fn, options, keyed, concurrency } = calls(scene, "forEach", (item) => {
    // It may end while the call of another fails, and is then in both lists.
    item.loose = true;
    scene.books.note("handled", [item]);
  });
  scene.story.push(`forEach ${concurrency}`);
  if (!keyed && concurrency > 1) scene.ordered = false;
  return [forEach(fn as (item: Item) => unknown, options)];
}

function groups(scene: Scene): Steps {
  const { random } = scene;
  scene.story.push("intoGroups");
  const options = {
    maxOpen: random.between(2, 6),
    ...(random.chance(80) && { evict: "lru" as const }),
    ...(random.chance(30) && { idle: random.between(1, 40) }),
    maxQueued: random.between(1, 20),
  };
  const group = (events: Producer<Item>): unknown => build(events, ...each(scene));
  return [intoGroups<Item, number>(keyOf, group as never, options)];
}

function branches(scene: Scene): Steps {
  const { random } = scene;
  const kind = random.pick(["balance", "partitionBy", "broadcast"] as const);
  scene.story.push(`${kind}: `);
  if (kind === "broadcast") {
    scene.ordered = false;
    const all = (items: Set<Item>) => (events: Producer<Item>) =>
      build(
        events,
        forEach((item: Item) => {
          item.loose = true;
          items.add(item);
          return scene.work("a branch", () => {});
        }),
      );
    const [a, b] = [new Set<Item>(), new Set<Item>()];
    scene.shared = [a, b];
    const shared = map((item: Item) => {
      item.shared = true;
      return item;
    });
    const lag = random.chance(30) ? { max: random.between(1, 5), policy: "hold" as const } : undefined;
    return [shared, broadcast({ a: all(a) as never, b: all(b) as never }, { lag })];
  }
  const some = random.chance(40);
  const branch = (events: Producer<Item>): unknown => build(events, ...(some ? inner(scene) : []), ...each(scene));
  if (kind === "balance") {
    scene.ordered = false;
    return [balance(random.between(1, 3), branch as never)];
  }
  return [partitionBy<Item, number, never>(keyOf, { partitions: random.between(1, 3), maxQueued: 5 }, branch as never)];
}

/** A stage of the user's: what its callback fails with has the batch in hand. */
function ownStage(scene: Scene): Steps {
  scene.story.push("consumer");
  const handle = (events: readonly Item[]): unknown => {
    // The callback works on when the stage has been cut short, and what it fails with is then told without them.
    for (const item of events) item.loose = true;
    return scene.work("a consumer", () => scene.books.note("handled", events));
  };
  const { runtime, onReport } = scene;
  return [consumer(handle as () => void, { runtime, onReport })];
}

function folding(scene: Scene): Steps {
  const note = (_none: number, item: Item): number => {
    if (scene.bad) throw scene.books.fail("reduce");
    scene.books.note("handled", [item]);
    return 0;
  };
  if (scene.random.chance(80)) return [reduce(note, 0)];
  scene.story.push("first");
  scene.books.enough = true;
  scene.whole = false;
  return [map((item: Item) => (note(0, item), item)), first({ orElse: undefined })];
}

/** A sink of a random kind, and perhaps branches or groups in front of it. */
export function anySink(scene: Scene): Steps {
  return scene.random.pick([each, each, several, several, groups, branches, ownStage, folding])(scene);
}

// ── Text ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The events as lines, cut anywhere. */
export function chunksOf(scene: Scene, json: boolean): (string | Uint8Array)[] {
  const { random, books } = scene;
  const bytes = random.chance(50);
  const rows = books.items.flatMap(({ text }) => {
    const row = json ? [`"${text}"`] : [text];
    return scene.bad ? ["{", ...row] : row;
  });
  const whole = rows.join(random.pick(["\n", "\r\n"]));
  const chunks: (string | Uint8Array)[] = [];
  for (let at = 0; at < whole.length; ) {
    const part = whole.slice(at, at + random.between(1, 12));
    at += part.length;
    chunks.push(bytes ? new TextEncoder().encode(part) : part);
  }
  return chunks;
}

/** Makes events of chunks again. */
export function textSteps(scene: Scene, json: boolean): Steps {
  const { random, books } = scene;
  scene.story.push(json ? "jsonLines" : "lines");
  const policy = random.pick(["fail", "skip", "function"] as const);
  const tooLong = policy === "fail" && random.chance(5);
  // Of a line that is too long only the beginning is told.
  books.skips = tooLong || (json && policy === "skip");
  const bad = ({ line }: { readonly line: string }): unknown =>
    scene.work("a bad line", () => books.note("dead", [line]));
  const onFailure = policy === "function" ? bad : policy;
  const item = flatMap((line: unknown) => {
    if (scene.bad) throw books.fail("a line");
    const found = books.items[((line as string).codePointAt(0) as number) - FIRST];
    // A line that is no event's, among those that are no JSON, or what is left of one.
    if (found?.text === line) return [found];
    books.note("passed", [line]);
    return [];
  });
  const decode = random.chance(30) ? [decodeText("utf-8")] : [];
  const maxLength = tooLong ? { maxLength: 2 } : {};
  return [...decode, json ? jsonLines({ onFailure: onFailure as never, ...maxLength }) : lines(maxLength), item];
}

const FIRST = 0x4e00;
