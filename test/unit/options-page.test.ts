import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as headrace from "../../src/index.ts";
import { checkLag } from "../../src/dispatchers/broadcast.ts";
import { optionsOf } from "../support/option-names.ts";

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

interface Row {
  readonly option: string;
  readonly of: string;
  readonly fallback: string;
}

/** The rows of the tables under each heading. */
const sections = new Map<string, readonly Row[]>(
  read("docs/options.md")
    .split(/^##+ /m)
    .map((text) => {
      const heading = text.slice(0, text.indexOf("\n"));
      const rows = Array.from(text.matchAll(/^\| (?:`(\w+)`|\((.*?)\)) \| (.*) \|$/gm), ([, name, words, rest]) => {
        const cells = (rest as string).split(" | ");
        const [of, fallback] = cells.length === 3 ? cells : [heading, cells[0]];
        return { option: name ?? `(${words})`, of: of ?? heading, fallback: fallback as string };
      });
      return [heading, rows];
    }),
);
const rowsOf = (heading: string, owner: string): readonly Row[] => {
  const rows = sections.get(heading) ?? [];
  return rows.filter(({ option, of }) => option[0] !== "(" && new RegExp(`\\b(?:${owner}|both|all three)\\b`).test(of));
};

const h = headrace;
const key = (event: unknown): string => String(event);
const retry = (options: never): unknown => h.mapAsync(async () => 1, { retry: options });
/** Those of every stage, which another page has. */
const common = new Set(optionsOf((options) => h.producer(() => {}, options)));

describe("docs/options.md", () => {
  test.each<readonly [heading: string, owner: string, names: readonly string[]]>([
    ["mapAsync, forEach", "mapAsync", optionsOf((options) => h.mapAsync(async () => 1, options))],
    ["mapAsync, forEach", "forEach", optionsOf((options) => h.forEach(() => {}, options))],
    ["retry", "retry", optionsOf(retry)],
    ["flatMapAsync", "flatMapAsync", optionsOf((options) => h.flatMapAsync(() => [], options))],
    ["batch", "batch", optionsOf(h.batch)],
    ["buffer, latest", "buffer", optionsOf(h.buffer)],
    ["buffer, latest", "latest", optionsOf(h.latest)],
    ["rateLimit, rateLimiter", "rateLimit", optionsOf(h.rateLimit)],
    ["rateLimit, rateLimiter", "rateLimiter", optionsOf(h.rateLimiter)],
    ["idle, boundary, distinct, takeUntil", "idle", optionsOf(h.idle)],
    ["idle, boundary, distinct, takeUntil", "boundary", optionsOf(h.boundary)],
    ["idle, boundary, distinct, takeUntil", "distinct", optionsOf((options) => h.distinct(key, options))],
    ["Text", "lines", optionsOf(h.lines)],
    ["Text", "jsonLines", optionsOf(h.jsonLines)],
    ["balance, broadcast, partitionBy", "broadcast", optionsOf((o) => h.broadcast({ a: () => undefined as never }, o))],
    ["balance, broadcast, partitionBy", "partitionBy", optionsOf((options) => h.partitionBy(key, options))],
    ["lag", "lag", optionsOf(checkLag)],
    ["intoGroups", "intoGroups", optionsOf((options) => h.intoGroups(key, () => undefined as never, options))],
    ["first", "first", optionsOf(() => h.first({ orElse: 1, none: 1 } as never))],
    ["Sources", "queue", optionsOf(h.queue)],
    ["Sources", "poll", optionsOf((options) => h.poll(() => [], options))],
    ["Sources", "merge", optionsOf(h.merge.with)],
  ])("%s: has every option of %s, and no other", (heading, owner, names) => {
    expect(names.length).toBeGreaterThan(0);
    const own = heading === "Sources" ? names.filter((name) => !common.has(name)) : names;
    expect(
      rowsOf(heading, owner)
        .map(({ option }) => option)
        .toSorted(),
    ).toEqual(own.toSorted());
  });

  test.each<readonly [heading: string, option: string, file: string, code: RegExp]>([
    ["mapAsync, forEach", "concurrency", "src/steps/concurrent/map-async.ts", /concurrency = (\d+)/],
    ["mapAsync, forEach", "maxHeld", "src/steps/concurrent/map-async.ts", /maxHeld = (\d+) \* concurrency/],
    ["mapAsync, forEach", "maxQueued", "src/steps/concurrent/map-async.ts", /maxQueued \?\? (\d+)/],
    ["mapAsync, forEach", "maxQueued", "src/steps/concurrent/each.ts", /maxQueued \?\? (\d+)/],
    [
      "mapAsync, forEach",
      "concurrency",
      "src/steps/concurrent/each.ts",
      /concurrency \?\? \(options\.key \? (\d+) : 1/,
    ],
    ["retry", "delay", "src/base/retry.ts", /delay = (\d+)/],
    ["retry", "factor", "src/base/retry.ts", /factor = (\d+)/],
    ["retry", "jitter", "src/base/retry.ts", /jitter = ("\w+")/],
    ["flatMapAsync", "concurrency", "src/steps/concurrent/flat-map-async.ts", /concurrency = (\d+),/],
    ["batch", "maxOpen", "src/steps/concurrent/batch.ts", /maxOpen \?\? (\d+)/],
    ["rateLimit, rateLimiter", "maxQueued", "src/steps/concurrent/rate-limit.ts", /maxQueued \?\? (\d+)/],
    ["Text", "onTooLong", "src/steps/text/lines.ts", /onTooLong = ("\w+")/],
    ["Text", "onFailure", "src/steps/text/json-lines.ts", /onFailure \?\? ("\w+")/],
    ["balance, broadcast, partitionBy", "maxQueued", "src/dispatchers/partition.ts", /maxQueued \?\? (\d+)/],
    ["balance, broadcast, partitionBy", "startAfter", "src/dispatchers/broadcast.ts", /startAfter \?\? (\d+)/],
    ["lag", "policy", "src/dispatchers/broadcast.ts", /policy \?\? ("\w+")/],
    ["intoGroups", "maxOpen", "src/steps/groups/groups.ts", /maxOpen \?\? (\d+)/],
    ["intoGroups", "maxQueued", "src/steps/groups/groups.ts", /maxQueued \?\? (\d+)/],
    ["Sources", "size", "src/sources/queue.ts", /size = (\d+)/],
    ["Sources", "interval", "src/sources/poll.ts", /interval = (\d+)/],
    ["Sources", "keepOpen", "src/sources/merge.ts", /keepOpen \?\? (\w+)/],
  ])("%s: the default of %s is that of %s", (heading, option, file, code) => {
    const row = sections.get(heading)?.find((one) => one.option === option);
    const [, value] = code.exec(read(file)) ?? [];
    expect(value).toBeDefined();
    expect(row?.fallback).toMatch(new RegExp(`^\`?${value}(?!\\w)|of \`forEach\` 1, with \`key\` ${value}`));
  });

  test("every option that has no default is said to be required, and its absence is refused", () => {
    const required = [...sections].flatMap(([, rows]) =>
      rows.filter(({ fallback }) => fallback === "required").map(({ option, of }) => `${option} of ${of}`),
    );
    expect(required).toHaveLength(13);
    for (const make of [h.batch, h.buffer, h.rateLimit, h.rateLimiter, h.idle, h.boundary, retry, checkLag])
      expect(() => make({} as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(() => h.distinct(key, {} as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(() => h.reopen(() => [], {} as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
    expect(() => h.ticks(undefined as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
  });
});
