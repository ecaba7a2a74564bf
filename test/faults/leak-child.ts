// Attaches and cancels, over and over: node --expose-gc leak-child.ts ROUNDS LIMIT SPRING [DRAIN…].
// Prints a line of JSON per pair. What is above the limit, in bytes per round, is measured again.
import { setImmediate as turn } from "node:timers/promises";
import { drains } from "./leak-drains.ts";
import { type Drain, round, type Source, type Spring } from "./leak-pairs.ts";
import { springs } from "./leak-springs.ts";

const [count, most, spring = "", ...named] = process.argv.slice(2);
const rounds = Number(count);
const limit = Number(most);
const { gc } = globalThis as unknown as { readonly gc: () => void };
/** Tables that grow in leaps make one measurement look like a leak, but not five in a row. */
const ATTEMPTS = 5;

/** A drain that forgets to let go, to show that it is noticed. */
const kept: unknown[] = [];
const leaking: Drain = {
  attach(source: Source) {
    const cancel = drains["consumer"]!().attach(source);
    kept.push(source);
    return cancel;
  },
  listeners: () => kept.length,
};

/** Once everything had the chance to end. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await turn();
}
async function held(): Promise<number> {
  await settled();
  gc();
  // What was only waiting to be told of its end goes now.
  await turn();
  gc();
  return process.memoryUsage().heapUsed;
}

async function grown(from: Spring, to: Drain): Promise<number> {
  const before = await held();
  for (let i = 0; i < rounds; i += 1) await round(from, to);
  return Math.ceil(((await held()) - before) / rounds);
}

for (const drain of named.length > 0 ? named : Object.keys(drains)) {
  const from = springs[spring]!();
  const to = drain === "a leak" ? leaking : drains[drain]!();
  for (let i = 0; i < Math.max(100, rounds / 10); i += 1) await round(from, to);
  await settled();
  const listeners = from.listeners() + to.listeners();
  let bytes = await grown(from, to);
  for (let i = 1; i < ATTEMPTS && bytes > limit; i += 1) bytes = Math.min(bytes, await grown(from, to));
  console.log(JSON.stringify({ drain, bytes, listeners: from.listeners() + to.listeners() - listeners }));
}
