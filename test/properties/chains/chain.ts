import { getEventListeners } from "node:events";
import { failureOf, forEach, pipeline } from "../../../src/index.ts";
import { turns } from "../../support/runtime.ts";
import { Item } from "./books.ts";
import { Scene } from "./scene.ts";
import { anySink, chunksOf, textSteps } from "./sinks.ts";
import { anySource, type Made } from "./sources.ts";
import { anySteps, type Build } from "./steps.ts";

const COUNT = 50;
const LIMIT = 3000;

/** Runs what is due, a little at a time. */
async function round(scene: Scene): Promise<void> {
  await turns(1);
  for (const daily of scene.daily) daily();
  scene.outside.advance(scene.random.below(8));
  scene.runtime.clock.advance(scene.random.below(8));
}

const listeners = ({ signals }: Scene): number =>
  signals.reduce((sum, signal) => sum + (signal.aborted ? 0 : getEventListeners(signal, "abort").length), 0);

const told = ({ error }: { readonly error?: unknown }): string => (error instanceof Error ? error.message : "well");

/** Takes what is left in the sources. */
async function leftIn(scene: Scene, { parts }: Made): Promise<void> {
  const { books, runtime } = scene;
  for (const source of parts) {
    if (!["starting", "running", "ending"].includes(source.state)) continue;
    const sink = forEach((event: unknown) => books.note("back", [event]));
    const running = (pipeline.with({ runtime }) as unknown as Build)(source, sink);
    const state = { over: false };
    const end = (): void => {
      state.over = true;
    };
    running.done.then(end, end);
    // oxlint-disable-next-line no-await-in-loop -- one source behind the other
    for (let i = 0; i < LIMIT && !state.over; i += 1) await round(scene);
    if (!state.over) books.faults.push(`what is left hangs: ${running.explain()}`);
  }
}

/** One random chain, ended in a random way. Returns what is wrong, and the story behind. */
export async function run(seed: number): Promise<string> {
  const scene = new Scene(seed);
  const unhandled = (error: unknown): void => void scene.books.faults.push(`unhandled: ${String(error)}`);
  const { warn } = console;
  console.warn = (...words: readonly unknown[]) => void scene.books.faults.push(`warned: ${words.join(" ")}`);
  process.on("unhandledRejection", unhandled);
  try {
    return await inScene(scene);
  } finally {
    process.off("unhandledRejection", unhandled);
    console.warn = warn;
  }
}

async function inScene(scene: Scene): Promise<string> {
  const { random, books, runtime } = scene;
  for (let id = 0; id < COUNT; id += 1) books.items.push(new Item(id, random.below(5)));
  const text = random.chance(20);
  const json = text && random.chance(50);
  const made = anySource(scene, text ? chunksOf(scene, json) : books.items, text);
  const steps = [...(text ? textSteps(scene, json) : []), ...anySteps(scene), ...anySink(scene)];
  const controller = new AbortController();
  scene.signals.push(controller.signal);
  const { onDiscard, onReport } = scene;
  const options = {
    onDiscard,
    onReport,
    ...(random.chance(50) && { runtime }),
    ...(random.chance(30) && { maxDemand: random.between(1, 10) }),
    ...(random.chance(80) && { signal: controller.signal }),
  };
  const endings = ["stop", "stop in time", "drain", "drain in time", ...("signal" in options ? ["abort"] : [])];
  const ending = random.pick(made.endless ? endings : ["complete", "complete", "complete", ...endings]);
  const until = random.between(1, 60);

  const graph = (pipeline.with(options) as unknown as Build)(made.source, ...steps);
  let outcome: { readonly error?: unknown } | undefined;
  graph.done.then(
    () => (outcome = {}),
    (error: unknown) => (outcome = { error }),
  );
  let ended: Promise<unknown> | undefined;
  let late: unknown;
  const end = (): void => {
    const timeout = random.below(40);
    if (ending === "stop") ended = graph.stop();
    if (ending === "stop in time") ended = graph.stop({ timeout });
    if (ending === "drain") ended = graph.drain();
    if (ending === "drain in time") ended = graph.drain({ timeout });
    if (ending === "abort") controller.abort(new Error("abort"));
    ended = ended?.catch((error: unknown) => (late = error));
  };
  const state = { over: false };
  for (let i = 0; i < LIMIT && !(state.over && i > until); i += 1) {
    if (i === until && !outcome) end();
    // oxlint-disable-next-line no-await-in-loop -- time goes on
    await round(scene);
    if (outcome && !state.over) void Promise.resolve(ended).then(() => (state.over = true));
  }
  scene.story.push(`${ending} at ${until}`);
  const story = (): string =>
    `${scene.story.join(" ")}${text ? " (text)" : ""}: ${books.taken} taken, ${outcome ? told(outcome) : "open"}, late ${String(late)}`;
  if (!state.over) return `hangs: ${story()}\n${graph.explain()}`;
  // Other branches may be at work still.
  for (let [i, quiet] = [0, 0]; i < LIMIT && quiet < 30; i += 1) {
    quiet = listeners(scene) + scene.outside.pending > 0 ? 0 : quiet + 1;
    await round(scene);
  }

  const { error } = outcome as { readonly error?: unknown };
  const failed = outcome !== undefined && "error" in outcome;
  books.cut = failed || ending.endsWith("in time");
  if (failed) books.note("failed", failureOf(error)?.events ?? []);
  await leftIn(scene, made);
  books.balance();
  if (scene.ordered) books.order();
  books.failures(error);
  if (!failed && !late && scene.whole && ["complete", "drain"].includes(ending)) {
    const got = new Set(books.handled);
    for (const shared of scene.shared) for (const item of shared) got.add(item);
    for (const shared of scene.shared)
      if (shared.size !== got.size) books.faults.push(`a branch has had ${shared.size} of ${got.size}`);
  }
  if (runtime.clock.pending > 0) books.faults.push(`${runtime.clock.pending} timers are left`);
  if (listeners(scene) > 0) books.faults.push(`${listeners(scene)} listeners are left`);
  return books.faults.length > 0 ? `${books.faults.slice(0, 8).join("\n  ")}\n  ${story()}` : "";
}
