import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Bytes, collect, decodeText, fromIterable, jsonLines, lines, pipeline } from "../../src/index.ts";
import { testRuntime } from "../support/runtime.ts";

const runs = Number(process.env["HEADRACE_RUNS"] ?? 500);

/** Text of the pieces that matter: ends of lines, characters of one to four bytes, marks that look like a BOM. */
const texts = fc
  .array(fc.constantFrom("a", "bc", "\n", "\r", "\r\n", "é", "日本", "😀", "\uFEFF", " "), { maxLength: 40 })
  .map((pieces) => pieces.join(""));
const cuts = fc.array(fc.tuple(fc.nat({ max: 200 }), fc.boolean()), { maxLength: 30 });

/** Cuts text anywhere: bytes at any byte, or strings at any unit; strings only where a character of bytes is whole. */
function chunksOf(text: string, plan: readonly (readonly [number, boolean])[], only?: "bytes" | "strings"): Bytes[] {
  const chunks: Bytes[] = [];
  const points = Array.from(text);
  let at = 0;
  for (const [size, isText] of [...plan, [points.length, false] as const]) {
    const part = points.slice(at, at + (size % 7)).join("");
    const rest = size === points.length ? points.slice(at).join("") : part;
    at += Array.from(rest).length;
    if (only === "strings" || (only === undefined && isText)) {
      const middle = size % (rest.length + 1);
      chunks.push(rest.slice(0, middle), rest.slice(middle));
      continue;
    }
    const bytes = new TextEncoder().encode(rest);
    const [a, b] = [size % (bytes.length + 1), (size * 3) % (bytes.length + 1)].toSorted((x, y) => x - y) as [
      number,
      number,
    ];
    chunks.push(bytes.subarray(0, a), new DataView(bytes.slice(a, b).buffer), bytes.slice(b).buffer);
  }
  return chunks;
}

const isBad = (row: string): boolean => row === "{" || row === "nope";
const withoutBom = (text: string): string => (text.startsWith("\uFEFF") ? text.slice(1) : text);
function naive(text: string): string[] {
  const all = withoutBom(text).split("\n");
  const last = all.pop() as string;
  const ended = all.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  return last === "" ? ended : [...ended, last];
}
const source = (chunks: readonly Bytes[], seed: number) => fromIterable(chunks, { runtime: testRuntime({ seed }) });
const kinds = fc.constantFrom(undefined, "bytes" as const, "strings" as const);

describe("text that is cut anywhere", () => {
  test("gives the lines of the whole", async () => {
    await fc.assert(
      fc.asyncProperty(texts, cuts, kinds, fc.boolean(), fc.nat(), async (text, plan, only, fatal, seed) => {
        const chunks = chunksOf(text, plan, only);
        expect(await pipeline(source(chunks, seed), lines({ fatal }), collect()).done).toEqual(naive(text));
      }),
      { numRuns: runs },
    );
  });

  test("is the text of the whole", async () => {
    await fc.assert(
      fc.asyncProperty(texts, cuts, kinds, fc.boolean(), fc.nat(), async (text, plan, only, fatal, seed) => {
        const chunks = chunksOf(text, plan, only);
        const got = await pipeline(source(chunks, seed), decodeText("utf-8", { fatal }), collect()).done;
        expect(got.join("")).toBe(withoutBom(text));
        expect(got.filter((part) => part === "" || /^[\udc00-\udfff]|[\ud800-\udbff]$/.test(part))).toEqual([]);
      }),
      { numRuns: runs },
    );
  });

  test("has the same lines that are too long", async () => {
    const policies = fc.constantFrom("skip" as const, "cut" as const);
    await fc.assert(
      fc.asyncProperty(
        texts,
        cuts,
        fc.integer({ min: 1, max: 6 }),
        policies,
        async (text, plan, maxLength, onTooLong) => {
          const chunks = chunksOf(text, plan);
          const cut = (line: string) => line.slice(0, maxLength).replace(/[\ud800-\udbff]$/, "");
          const expected = naive(text).flatMap((line) => {
            if (line.length <= maxLength) return [line];
            return onTooLong === "cut" ? [cut(line)] : [];
          });
          const got = await pipeline(source(chunks, 1), lines({ maxLength, onTooLong }), collect()).done;
          expect(got).toEqual(expected);
        },
      ),
      { numRuns: runs },
    );
  });

  test("bytes that are no text become what the platform makes of the whole", async () => {
    const bytes = fc.uint8Array({ maxLength: 24 }).map((all) => all.map((byte) => (byte < 50 ? 10 : byte | 0x80)));
    await fc.assert(
      fc.asyncProperty(bytes, fc.array(fc.nat({ max: 24 }), { maxLength: 8 }), async (all, at) => {
        const edges = [0, ...at.map((n) => Math.min(n, all.length)), all.length].toSorted((a, b) => a - b);
        const chunks = edges.slice(1).map((to, i) => all.slice(edges[i], to));
        const whole = new TextDecoder("utf-8", { ignoreBOM: true }).decode(all);
        expect(await pipeline(source(chunks, 1), lines(), collect()).done).toEqual(naive(whole));

        const strict: string[] = [];
        const running = pipeline(source(chunks, 1), lines({ fatal: true }));
        let failed = false;
        try {
          for await (const line of running) strict.push(line);
        } catch {
          failed = true;
        }
        // The lines in front of the first bad byte, however the bytes are cut.
        const good = goodLines(all);
        expect([failed, strict]).toEqual([good.bad, good.lines]);
      }),
      { numRuns: runs },
    );
  });

  test("gives the values of its lines of JSON, with the positions of those that are none", async () => {
    const rows = fc.array(fc.constantFrom('{"a":1}', "[1,2]", "", " ", "{", "null", '"é日😀"', "nope"), {
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(rows, cuts, fc.boolean(), fc.boolean(), async (all, plan, crlf, slow) => {
        const bad: (readonly [number, string])[] = [];
        const onFailure = async ({ index, line }: { readonly index: number; readonly line: string }) => {
          bad.push([index, line]);
          if (slow) await Promise.resolve();
        };
        const chunks = chunksOf(all.join(crlf ? "\r\n" : "\n"), plan);
        const got = await pipeline(source(chunks, 1), jsonLines({ onFailure }), collect()).done;
        expect(got).toEqual(all.filter((row) => row.trim() !== "" && !isBad(row)).map((row) => JSON.parse(row)));
        expect(bad).toEqual(all.flatMap((row, i) => (isBad(row) ? [[i, row]] : [])));
      }),
      { numRuns: runs },
    );
  });
});

function goodLines(all: Uint8Array): { readonly bad: boolean; readonly lines: readonly string[] } {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let [from, text] = [0, ""];
  try {
    for (let at = all.indexOf(10); at >= 0; at = all.indexOf(10, from)) {
      text += decoder.decode(all.subarray(from, at + 1));
      from = at + 1;
    }
    text += decoder.decode(all.subarray(from));
    return { bad: false, lines: naive(text) };
  } catch {
    return { bad: true, lines: naive(text) };
  }
}
