// Puts a scenario's picture and its targets into docs/performance.md, between the marks that name it; its rows, too, where
// a picture does not show all that was measured.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { plot } from "./plot.mjs";
import { asMarkdown, tables } from "./tables.mjs";

const docs = (path) => fileURLToPath(new URL(`../docs/${path}`, import.meta.url));

export function draw(name, scenario, rows, { machine, versions, date, runs }) {
  writeFileSync(docs(`pictures/bench-${name}.svg`), plot(name, scenario, rows));
  const page = docs("performance.md");
  const picture = `![Benchmark ${name}: ${scenario.title}](pictures/bench-${name}.svg)`;
  const all = tables(scenario, rows).filter(({ title }) => title === "targets" || scenario.inFull);
  let text = between(readFileSync(page, "utf8"), name, [picture, ...all.map(asMarkdown)].join("\n\n"));
  text = between(text, "machine", `${machine}; ${versions}. ${date}, medians of ${runs} runs.`);
  writeFileSync(page, text);
}

function between(text, name, content) {
  const [from, to] = [`<!-- bench ${name} -->`, `<!-- end ${name} -->`];
  const [before, after] = [text.indexOf(from), text.indexOf(to)];
  if (before < 0 || after < 0) throw new Error(`expected ${from} and ${to} in docs/performance.md`);
  return `${text.slice(0, before + from.length)}\n\n${content}\n\n${text.slice(after)}`;
}
