// What headrace is held to, and whether it holds.
//
// A target compares metrics, all of which are better the lower they are. With `theirs` it is a ratio: so many times as
// good as that row, or as the best of several. With `most` it is a bound. `above` names a row that is taken off both.

/** Each target's ratio or figure by metric, `{ text, bound, clean, polluted }`, where its rows were measured. */
export function judge(scenario, rows) {
  const measured = (group, row) => rows.some((one) => one.row === row && one.case === group);
  const present = ({ case: group, ours, theirs, theirCase = group, above }) =>
    [ours].flat().every((row) => measured(group, row)) &&
    (theirs === undefined || [theirs].flat().some((row) => measured(theirCase, row))) &&
    (above === undefined || measured(group, above));
  return scenario.targets.filter(present).map((target) => {
    const ways = ["clean", "polluted"].filter((way) => rows.some((row) => row[way] !== undefined));
    const verdicts = ways.map((way) => [way, verdict(target, rows, way)]);
    return { target, text: text(target), ...Object.fromEntries(verdicts) };
  });
}

const text = ({ ours, theirs, above, what }) => {
  const against = what ?? (Array.isArray(theirs) ? "the fastest with back-pressure" : theirs);
  return `${ours}${against === undefined ? "" : ` / ${against}`}${above === undefined ? "" : `, above ${above.replace("floor: ", "")}`}`;
};

function verdict(target, rows, way) {
  const { ours, theirs, theirCase = target.case, above, times = 1, most, metrics = ["wall", "cpu"] } = target;
  const least = way === "polluted" ? (target.polluted ?? target.least) : target.least;
  const figure = (group, row, metric) => {
    const of = (name) => rows.find((one) => one.row === name && one.case === group)?.[way]?.[metric]?.median;
    return of(row) - (above === undefined ? 0 : of(above));
  };
  const got = metrics.map((metric) => {
    const own = figure(target.case, ours, metric);
    if (theirs === undefined) return { metric, own, ok: own <= most };
    const best = [theirs]
      .flat()
      .map((row) => ({ row, figure: figure(theirCase, row, metric) }))
      .filter(({ figure: one }) => one > 0)
      .toSorted((a, b) => a.figure - b.figure)[0];
    const ratio = (best.figure / own) * times;
    return { metric, ratio, among: Array.isArray(theirs) ? best.row : undefined, ok: ratio >= least };
  });
  const held = got.filter(({ ok }) => ok).length;
  const word = held === got.length ? "holds" : held === 0 ? "short" : `by ${got.find(({ ok }) => ok).metric} only`;
  return { least, most, got, word };
}
