// An SVG of one scenario: a bar for each row, and a line across its end for the middle half of the runs.
import { metrics } from "./units.mjs";

const WIDTH = 860;
const LEFT = 250;
const BAR = 440;
const STYLE = `
    svg { --ink: #1b2733; --soft: #5b6b7b; --line: #9fb0c0; --paper: #ffffff; --ours: #2f6fab; --theirs: #9fb3c6; --floor: #d5dde5; }
    @media (prefers-color-scheme: dark) {
      svg { --ink: #e6edf3; --soft: #9fb0c0; --line: #5b6b7b; --paper: #0d1117; --ours: #58a6e8; --theirs: #4d6072; --floor: #2b3641; }
    }
    text { font: 13px/1.3 sans-serif; fill: var(--ink); }
    .soft { fill: var(--soft); font-size: 12px; }
    .head { font-weight: bold; }
    .paper { fill: var(--paper); }
    .ours { fill: var(--ours); } .theirs { fill: var(--theirs); } .floor { fill: var(--floor); }
    .polluted { opacity: 0.6; }
    .spread { stroke: var(--ink); stroke-width: 1.5; }`;

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const kind = (row) => (row.startsWith("floor") ? "floor" : row.startsWith("headrace") ? "ours" : "theirs");

export function plot(name, scenario, rows) {
  const metric = scenario.plot ?? "cpu";
  const { shown, what, longer } = axis(metric);
  const ways = ["clean", "polluted"].filter((way) => rows.some((row) => row[way] !== undefined));
  const height = ways.length * 11 + 8;
  let y = 46;
  const parts = [];
  for (const group of Object.keys(scenario.cases)) {
    const own = rows.filter((row) => row.case === group);
    if (own.length === 0) continue;
    const all = own.flatMap((row) => ways.map((way) => shown(row[way][metric].median)));
    const scale = scaleOf(all);
    parts.push(`<text class="head" x="20" y="${y}">${escape(group)}</text>`);
    parts.push(
      `<text class="soft" x="${LEFT}" y="${y}">${what}, ${scale.log ? "logarithmic" : "linear"}: ${longer}</text>`,
    );
    y += 10;
    for (const row of own) {
      parts.push(`<text x="${LEFT - 10}" y="${y + height / 2 + 2}" text-anchor="end">${escape(row.row)}</text>`);
      for (const [i, way] of ways.entries()) {
        const figures = row[way][metric];
        const [from, to] = [figures.low, figures.high].map((value) => LEFT + scale.of(shown(value)));
        const [top, length] = [y + 2 + 11 * i, scale.of(shown(figures.median))];
        parts.push(
          `<rect class="${kind(row.row)} ${way}" x="${LEFT}" y="${top}" width="${round(length)}" height="10"/>`,
        );
        parts.push(`<path class="spread" d="M${round(from)} ${top + 5}H${round(to)}"/>`);
        const label = LEFT + Math.max(length, from - LEFT, to - LEFT) + 8;
        const text = metrics[metric].plotted(figures.median, scenario.cases[group].unit);
        parts.push(
          `<text class="soft" x="${round(label)}" y="${top + 9}">${text}${way === "clean" ? "" : " polluted"}</text>`,
        );
      }
      y += height;
    }
    y += 30;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-labelledby="t d">`,
    `  <title id="t">Benchmark ${name}</title>`,
    `  <desc id="d">${escape(scenario.title)}. Bars of ${what}; the figures are in the table below the picture.</desc>`,
    `  <style>${STYLE}\n  </style>`,
    `  <rect class="paper" width="${WIDTH}" height="${y}" rx="8"/>`,
    `  <text x="20" y="22">${escape(`${name}: ${scenario.title}`)}</text>`,
    ...parts.map((part) => `  ${part}`),
    `</svg>\n`,
  ].join("\n");
}

/** What is drawn of a metric: of times their inverse, so that more is longer. */
function axis(metric) {
  if (metric === "cpu" || metric === "wall") {
    const what = metric === "cpu" ? "per second of CPU time" : "per second";
    return { shown: (value) => 1 / value, what, longer: "longer is better" };
  }
  return { shown: (value) => value, what: metrics[metric].axis ?? metrics[metric].head, longer: "shorter is better" };
}

/** Lengths of bars: logarithmic from below the smallest where the largest is more than thirty times that. */
function scaleOf(values) {
  const positive = values.filter((value) => value > 0);
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  if (most / least <= 30) return { log: false, of: (value) => Math.max(0, (BAR * value) / most) };
  const floor = Math.log(least) - 0.7;
  return {
    log: true,
    of: (value) => (value <= least / 2 ? 1 : (BAR * (Math.log(value) - floor)) / (Math.log(most) - floor)),
  };
}

const round = (n) => Math.round(n * 10) / 10;
