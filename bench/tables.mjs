// The rows of a scenario, and what it is held to, as tables: for a terminal, and for a page.
import { judge } from "./judge.mjs";
import { metrics, spread } from "./units.mjs";

/** `{ title, head, body }`: one table for each case, and one of the targets. */
export function tables(scenario, rows) {
  const ways = ["clean", "polluted"].filter((way) => rows.some((row) => row[way] !== undefined));
  const columns = scenario.columns ?? ["wall", "cpu"];
  const groups = Object.keys(scenario.cases).filter((group) => rows.some((row) => row.case === group));
  const cases = groups.map((group) => ({
    title: group,
    head: ["", ...ways.flatMap((way) => heads(columns, way))],
    body: rows
      .filter((row) => row.case === group)
      .map((row) => [row.row, ...ways.flatMap((way) => cells(columns, row[way], scenario.cases[group].unit))]),
  }));
  const judged = judge(scenario, rows);
  if (judged.length === 0) return cases;
  return [
    ...cases,
    { title: "targets", head: ["", "target", ...ways], body: judged.map((one) => targetRow(one, ways)) },
  ];
}

const heads = (columns, way) => [
  ...columns.map((metric, i) => (way === "polluted" && i === 0 ? "polluted" : metrics[metric].head)),
  "spread",
];
const cells = (columns, figures, unit) =>
  figures === undefined
    ? [...columns.map(() => ""), ""]
    : [
        ...columns.map((metric) =>
          figures[metric] === undefined ? "" : metrics[metric].show(figures[metric].median, unit),
        ),
        spread(figures[columns[columns.includes("cpu") ? columns.indexOf("cpu") : 0]]),
      ];

function targetRow({ target, text, ...verdicts }, ways) {
  const one = verdicts[ways[0]];
  const [metric] = target.metrics ?? ["wall"];
  const bound =
    one.most === undefined
      ? `≥ ${[...new Set(ways.map((way) => verdicts[way].least.toFixed(2)))].join(", ")}`
      : metrics[metric].inverse
        ? `≥ ${metrics[metric].show(one.most)}`
        : `≤ ${metrics[metric].show(one.most)}`;
  return [`${target.case}: ${text}`, bound, ...ways.map((way) => outcome(verdicts[way]))];
}

function outcome({ got, word }) {
  const chosen = got[0].among;
  const figures = got.map(({ metric, ratio, own }) => {
    const name = { cpu: "CPU ", importCpu: "CPU " }[metric] ?? "";
    return `${name}${ratio === undefined ? metrics[metric].show(own) : ratio.toFixed(2)}`;
  });
  return `${figures.join(", ")}: ${word}${chosen === undefined ? "" : ` (${chosen})`}`;
}

export const asText = ({ title, head, body }) => {
  const widths = head.map((_, i) => Math.max(...[head, ...body].map((row) => row[i].length)));
  const line = (row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ");
  return `${title}\n${[head, ...body].map((row) => `  ${line(row)}`.trimEnd()).join("\n")}\n`;
};

export const asMarkdown = ({ title, head, body }) => {
  const line = (row) => `| ${row.join(" | ")} |`;
  const rule = `|${head.map((_, i) => (i === 0 ? "---" : "--:")).join("|")}|`;
  return [line([title, ...head.slice(1)]), rule, ...body.map(line)].join("\n");
};
