// Which file holds which rows. A file exports one object for each scenario that its library can do: case, row, function.
import { readdirSync } from "node:fs";

/** Floors first, then headrace, then the others. */
const order = (file) => ["floor", "headrace"].findIndex((name) => file.startsWith(name)) >>> 0;
const files = readdirSync(import.meta.dirname)
  .filter((file) => file !== "index.mjs")
  .toSorted((a, b) => order(a) - order(b) || (a < b ? -1 : 1));

/** `{ case, row, file }` for each row of a scenario, case by case. */
export async function rowsOf(scenario, cases) {
  const peers = await Promise.all(files.map(async (file) => [file, await import(`./${file}`)]));
  return cases.flatMap((group) =>
    peers.flatMap(([file, peer]) =>
      Object.keys(peer[scenario.replaceAll("-", "_")]?.[group] ?? {}).map((row) => ({ case: group, row, file })),
    ),
  );
}
