import pMap from "p-map";

export const others = async (array, steps) => {
  let events = array;
  for (const [kind, fn] of steps)
    if (kind === "map") events = await pMap(events, fn);
    else events = events.filter(fn);
  return events.length;
};

const mapped = {
  "p-map": async (_, { handler, concurrency, add }, source) =>
    (await pMap(source, handler, { concurrency })).reduce(add, 0),
};
export const async = { "resolves at once": mapped, "1 to 5 ms": mapped };
