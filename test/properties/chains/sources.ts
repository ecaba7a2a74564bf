import {
  concat,
  fromIterable,
  merge,
  poll,
  type Producer,
  type ProducerContext,
  producer,
  queue,
  reopen,
} from "../../../src/index.ts";
import type { Item } from "./books.ts";
import type { Scene } from "./scene.ts";

type Event = Item | string | Uint8Array;
/** A source of given events, and how a run looks after it. */
export interface Made {
  readonly source: Producer<Event>;
  /** Those it stands for: events that come back are theirs. */
  readonly parts: readonly Producer<Event>[];
  /** It has no end of its own. */
  readonly endless?: boolean;
}

type Make = (scene: Scene, events: readonly Event[]) => Made;

const alone = (source: Producer<Event>): Made => ({ source, parts: [source] });
const watched = (scene: Scene, source: Producer<Event>): Producer<Event> => {
  source.done.catch((error: unknown) => scene.books.known.push(error));
  return source;
};
const optionsOf = ({ runtime, onDiscard, onReport }: Scene) => ({ runtime, onDiscard, onReport });

/** Gives as many as are asked for. */
const inBatches: Make = (scene, events) => {
  scene.story.push("batches");
  let next = 0;
  const fails = scene.random.chance(scene.badness) ? scene.random.below(events.length) : -1;
  const handleDemand = (demand: number, stage: ProducerContext<Event>): Event[] => {
    if (fails >= 0 && next >= fails) throw scene.books.fail("source");
    const part = events.slice(next, next + demand);
    for (const event of part) scene.books.mint(event);
    next += part.length;
    if (next === events.length) stage.complete();
    return part;
  };
  return alone(watched(scene, producer<Event>({ handleDemand }, optionsOf(scene))));
};

/** Gives one event at a time, each later. */
const oneByOne: Make = (scene, events) => {
  scene.story.push("one by one");
  let [next, owed, busy, over] = [0, 0, false, false];
  const delay = scene.random.pick([0, 1, 5]);
  const push = (stage: ProducerContext<Event>): void => {
    busy = owed > 0 && next < events.length;
    if (!busy) return;
    const give = (): void => {
      if (over) return;
      const event = events[next] as Event;
      next += 1;
      owed -= 1;
      scene.books.mint(event);
      stage.push([event]);
      if (next === events.length) stage.complete();
      else push(stage);
    };
    if (delay === 0) queueMicrotask(give);
    else scene.outside.setTimer(give, delay);
  };
  const handleDemand = (demand: number, stage: ProducerContext<Event>): void => {
    owed += demand;
    if (!busy) push(stage);
  };
  const terminate = (): void => {
    over = true;
  };
  return alone(watched(scene, producer<Event>({ handleDemand, terminate }, optionsOf(scene))));
};

const fromArray: Make = (scene, events) => {
  scene.story.push("iterable");
  function* all(): Generator<Event> {
    for (const event of events) {
      scene.books.mint(event);
      yield event;
    }
  }
  return alone(watched(scene, fromIterable(all(), optionsOf(scene))));
};

const fromGenerator: Make = (scene, events) => {
  scene.story.push("async generator");
  const fails = scene.random.chance(scene.badness) ? scene.random.below(events.length) : -1;
  async function* all(): AsyncGenerator<Event> {
    for (const [at, event] of events.entries()) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time
      if (scene.random.chance(scene.slowness)) await scene.wait(3);
      if (at === fails) throw scene.books.fail("generator");
      scene.books.mint(event);
      yield event;
    }
  }
  return alone(watched(scene, fromIterable(all(), optionsOf(scene))));
};

const fromQueue: Make = (scene, events) => {
  const size = scene.random.between(1, 50);
  const onLastCancel = scene.random.pick(["continue", "stop"] as const);
  scene.story.push(`queue of ${size}, ${onLastCancel}`);
  const source = queue<Event>({ ...optionsOf(scene), size, onLastCancel });
  const all = events.slice();
  const offer = (): void => {
    for (let count = scene.random.below(4); count > 0 && all.length > 0; count -= 1) {
      const event = all.shift() as Event;
      scene.books.mint(event);
      // One that is told "false" goes to onDiscard; one that is refused is the user's still.
      source.offer(event).catch(() => scene.books.note("refused", [event]));
      if (all.length === 0) source.complete();
    }
  };
  scene.daily.push(offer);
  return alone(watched(scene, source));
};

const fromPoll: Make = (scene, events) => {
  scene.story.push("poll");
  let next = 0;
  const fn = ({ demand }: { readonly demand: number }): Event[] | Promise<Event[]> =>
    scene.work("poll", () => {
      const part = events.slice(next, next + scene.random.below(demand + 3));
      next += part.length;
      for (const event of part) scene.books.mint(event);
      return part;
    });
  const source = poll<Event>(fn, { ...optionsOf(scene), interval: scene.random.below(10) });
  return { ...alone(watched(scene, source)), endless: true };
};

const single: readonly Make[] = [inBatches, oneByOne, fromArray, fromGenerator, fromQueue];

/** Cuts events into runs of one key, so that the order of each key holds whatever is merged. */
function split(scene: Scene, events: readonly Event[], count: number, byKey: boolean): Event[][] {
  const parts: Event[][] = Array.from({ length: count }, () => []);
  const size = Math.ceil(events.length / count);
  for (const [at, event] of events.entries()) {
    const where = byKey ? (event as Item).key % count : Math.floor(at / size);
    parts[where]?.push(event);
  }
  scene.story.push(`of ${count}`);
  return parts.filter((part) => part.length > 0);
}

const several =
  (kind: "merge" | "concat"): Make =>
  (scene, events) => {
    scene.story.push(kind);
    const parts = split(scene, events, scene.random.between(1, 3), kind === "merge");
    const made = parts.map((part) => scene.random.pick(single)(scene, part));
    const sources = made.map(({ source }) => source);
    const source = (kind === "merge" ? merge : concat).with<Event>(optionsOf(scene))(...sources) as Producer<Event>;
    return { source: watched(scene, source), parts: made.flatMap((one) => one.parts) };
  };

const reopened: Make = (scene, events) => {
  scene.story.push("reopen");
  const parts = split(scene, events, scene.random.between(1, 3), false);
  const last = parts.length;
  const made: Producer<Event>[] = [];
  const open = (): Producer<Event> => {
    const part = parts.shift() as Event[];
    let [given, over] = [0, false];
    const handleDemand = (demand: number, stage: ProducerContext<Event>): Event[] => {
      const next = part.slice(given, given + demand);
      for (const event of next) scene.books.mint(event);
      given += next.length;
      if (given === part.length && parts.length === 0) stage.complete();
      if (given === part.length && parts.length > 0)
        queueMicrotask(() => {
          if (!over) stage.fail(scene.books.fail("reopen", false), { after: "buffer" });
        });
      return next;
    };
    const terminate = (): void => {
      over = true;
    };
    const source = watched(scene, producer<Event>({ handleDemand, terminate }, optionsOf(scene)));
    made.push(source);
    return source;
  };
  const retry = { attempts: last, delay: scene.random.below(10), jitter: "none" } as const;
  return { source: watched(scene, reopen<Event>(open, retry, optionsOf(scene))), parts: made };
};

/** A source of these events, of a random kind. */
export function anySource(scene: Scene, events: readonly Event[], text: boolean): Made {
  const more = text ? [several("concat"), reopened] : [several("merge"), several("concat"), reopened];
  return scene.random.pick([...single, ...single, fromPoll, ...more])(scene, events);
}
