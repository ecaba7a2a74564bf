import { describe, expect, test } from "vitest";
import {
  type Bytes,
  collect,
  decodeText,
  type Discarded,
  failureOf,
  forEach,
  fromIterable,
  jsonLines,
  type LineFailure,
  lines,
  pipeline,
  tap,
  producer,
  take,
} from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { failureFrom, slow, staged } from "./support.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const linesOf = (chunks: readonly Bytes[], options?: Parameters<typeof lines>[0]) =>
  pipeline(fromIterable(chunks), lines(options), collect()).done;

const textOf = (chunks: readonly Bytes[], ...options: Parameters<typeof decodeText>) =>
  pipeline(fromIterable(chunks), decodeText(...options), collect()).done;
const valuesOf = (chunks: readonly Bytes[], options?: Parameters<typeof jsonLines>[0]) =>
  pipeline(fromIterable(chunks), jsonLines(options), collect()).done;

/** A source that gives each chunk when it is told to, and hears what comes back. */
function chunked() {
  const told: Discarded[] = [];
  const onDiscard = (discarded: Discarded) => void told.push(discarded);
  const source = producer<Bytes>({ handleDemand: () => {} }, { runtime: testRuntime(), onDiscard });
  return { source, told };
}

describe("lines", () => {
  test("ends lines with LF and CRLF; a CR alone is text, a last line needs no end", async () => {
    expect(await linesOf(["a\r\n\r\nb\rc\n", "\n", "d\r"])).toEqual(["a", "", "b\rc", "", "d\r"]);
    expect(await linesOf(["a\r", "\n", "b\r", "\r", "\nc\n"])).toEqual(["a", "b\r", "c"]);
    expect(await linesOf(["", new Uint8Array(), "a"])).toEqual(["a"]);
    expect(await linesOf([])).toEqual([]);
  });

  test("drops a byte order mark in front, of bytes and of strings, and no other", async () => {
    const marked = bytes("\uFEFFa\n\uFEFFb");
    expect(await linesOf([marked.subarray(0, 1), marked.subarray(1, 2), marked.subarray(2)])).toEqual(["a", "\uFEFFb"]);
    expect(await linesOf(["", "\uFEFF", "a\n", "\uFEFFb"])).toEqual(["a", "\uFEFFb"]);
    expect(await linesOf(["a\n", bytes("\uFEFFb")])).toEqual(["a", "\uFEFFb"]);
  });

  test("takes a line in very many pieces, and very many lines in one", async () => {
    const count = 300_000;
    const pieces = Array.from({ length: count }, (_, i) => (i % 3 === 0 ? "é" : Uint8Array.of(0x61)));
    const [line] = (await linesOf([...pieces, "\n"])) as [string];
    expect([line.length, line.slice(0, 6)]).toEqual([count, "éaaéaa"]);
    expect((await linesOf(["x\n".repeat(count)])).length).toBe(count);
  });

  test("fails at a line that is too long, behind the lines before; what was not begun goes back", async () => {
    const { source } = chunked();
    source.push(["ab\nc", "defg", "behind"]);
    source.complete();
    const got: string[] = [];
    const { done } = pipeline(
      source,
      lines({ maxLength: 4 }),
      forEach((line) => void got.push(line)),
    );
    const error = await failureFrom(done);
    expect(error).toMatchObject({ code: "ERR_LINE_LENGTH", name: "CallbackError", line: { index: 1, text: "cdef" } });
    expect((error as Error).message).toMatch(
      /^expected line 1 to have at most 4 UTF-16 units, got more: raise maxLength/,
    );
    expect(failureOf(error)).toMatchObject({ step: "lines", index: 0, event: "defg", events: ["c", "defg"] });
    expect(got).toEqual(["ab"]);
    expect(await pipeline(source, collect()).done).toEqual(["behind"]);
  });

  test("counts units without the end of the line", async () => {
    const fits = { maxLength: 3 };
    expect(await linesOf(["abc\r\nabc\nabc"], fits)).toEqual(["abc", "abc", "abc"]);
    expect(await linesOf(["abc\r", "\n", "abc\r", "\nabc"], fits)).toEqual(["abc", "abc", "abc"]);
    expect(await linesOf(["abc", "\r\nab", "c", "\r", "\n"], fits)).toEqual(["abc", "abc"]);
    for (const chunks of [["abc\r"], ["abc\rd\n"], ["abc\r", "d\n"], ["abcd\n"], ["abcd", "\n"], ["ab", "cd"]])
      expect(await failureFrom(linesOf(chunks, fits))).toMatchObject({ line: { index: 0, text: "abc" } });
    expect(await linesOf(["a".repeat(2 ** 20)])).toHaveLength(1);
    expect(await failureFrom(linesOf(["a".repeat(2 ** 20), "b"]))).toMatchObject({ code: "ERR_LINE_LENGTH" });
    expect(await linesOf(["a".repeat(2 ** 20), "b"], { maxLength: Number.POSITIVE_INFINITY })).toHaveLength(1);
  });

  test("drops or cuts a line that is too long, and holds none of the rest", async () => {
    const chunks = ["one\ntoo", " long", " by far\r", "\nend\ntoo long\nx", "yz\n", "last one"];
    expect(await linesOf(chunks, { maxLength: 3, onTooLong: "skip" })).toEqual(["one", "end", "xyz"]);
    expect(await linesOf(chunks, { maxLength: 3, onTooLong: "cut" })).toEqual([
      "one",
      "too",
      "end",
      "too",
      "xyz",
      "las",
    ]);
    expect(await linesOf(["ab😀c\nab😀"], { maxLength: 3, onTooLong: "cut" })).toEqual(["ab", "ab"]);
  });

  test("takes no more chunks than its window while its lines are not wanted", async () => {
    let taken = 0;
    const runtime = testRuntime();
    const source = producer<string>((demand) => Array.from({ length: demand }, () => `${(taken += 1)}\n`.repeat(50)), {
      defaultMaxDemand: 16,
      onLastCancel: "stop",
      onDiscard: () => {},
      runtime,
    });
    const { got, sink, next } = slow<string>();
    const running = pipeline(source, lines(), sink);
    for (let i = 0; i < 120; i += 1) await next();
    // Half a window is lines, 1000 of them in front of the sink; the rest of it waits.
    expect(got.length).toBeGreaterThan(100);
    expect(taken).toBeLessThanOrEqual(16 + (got.length + 1000 + 400) / 50);
    const stopped = running.stop({ timeout: 0 });
    runtime.clock.advance(1);
    await stopped;
  });

  test("tells a line without an end when it is stopped, and gives back what it has not begun", async () => {
    const { source } = chunked();
    const told: Discarded[] = [];
    const stage = staged(lines(), { name: "text", onDiscard: (discarded) => void told.push(discarded) });
    const got: string[] = [];
    const loop = stage.events()[Symbol.asyncIterator]();
    stage.subscribe(source);
    const first = loop.next();
    source.push(["a\nb", Uint8Array.of(0xc3)]);
    got.push((await first).value as string);
    await stage.stop();
    expect(got).toEqual(["a"]);
    expect(told).toEqual([{ events: ["b\uFFFD"], cause: "stop", stage: "text" }]);
    expect((await loop.next()).done).toBe(true);
  });

  test("does not pass on a line that a failing source has cut off", async () => {
    for (const fatal of [false, true]) {
      const { source, told } = chunked();
      const bad = new Error("bad");
      const got: string[] = [];
      const running = pipeline(
        source,
        lines({ fatal }),
        forEach((line) => void got.push(line)),
      );
      const failed = failureFrom(running.done);
      await turns();
      source.push(["a\nb", bytes("é").subarray(0, 1)]);
      source.fail(bad, { after: "buffer" });
      expect(await failed).toBe(bad);
      expect(got).toEqual(["a"]);
      expect(told).toMatchObject([{ events: ["b\uFFFD"], cause: "failure" }]);
    }
  });

  test("tells lines that no one has taken once its consumer has had enough", async () => {
    const { source, told } = chunked();
    source.push(["a\nb\nc", "d\n"]);
    source.complete();
    expect(await pipeline(source, lines(), take(1), collect()).done).toEqual(["a"]);
    await turns();
    expect(told.flatMap(({ events }) => events)).toEqual(["b", "cd"]);
  });

  test("with fatal fails at bytes that are no text, behind the lines before", async () => {
    for (const chunks of [
      [Uint8Array.of(0x61, 0x0a, 0x62, 0xff, 0x0a)],
      [Uint8Array.of(0x61), Uint8Array.of(0x0a, 0x62, 0xc3), Uint8Array.of(0x0a)],
      [Uint8Array.of(0x61, 0x0a, 0x62, 0xc3), "\n"],
      [Uint8Array.of(0x61, 0x0a, 0x62, 0xe6, 0x97)],
      [Uint8Array.of(0x61, 0x0a, 0x80, 0x80, 0x80, 0x80)],
    ]) {
      const got: string[] = [];
      const sink = forEach((line: string) => void got.push(line));
      const error = await failureFrom(pipeline(fromIterable<Bytes>(chunks), lines({ fatal: true }), sink).done);
      expect(error).toBeInstanceOf(TypeError);
      expect(failureOf(error)).toMatchObject({ step: "lines", index: 0 });
      expect(failureOf(error)?.events.length).toBeGreaterThan(0);
      expect(got).toEqual(["a"]);
    }
    expect(await linesOf([Uint8Array.of(0x61, 0xff, 0xc3, 0x0a)])).toEqual(["a\uFFFD\uFFFD"]);
  });

  test("takes a large chunk as it takes small ones", async () => {
    // Two bytes for a letter, three for a line: some stand across any power of two.
    const each = Array.from({ length: 100_000 }, (_, i) => (i % 7 === 0 ? "äöü" : "ä".repeat(i % 5)));
    for (const end of ["\n", "\r\n"]) {
      const whole = bytes(each.join(end));
      expect(await linesOf([whole])).toEqual(each);
      expect(await linesOf([whole.buffer as ArrayBuffer, "x"])).toEqual([...each.slice(0, -1), `${each.at(-1)}x`]);
    }
  });

  test("with fatal fails in a large chunk behind all lines before", async () => {
    const chunk = bytes(`${"some line\n".repeat(20_000)}b d\n`);
    chunk[chunk.length - 3] = 0xff;
    const got: string[] = [];
    const sink = forEach((line: string) => void got.push(line));
    const error = await failureFrom(pipeline([chunk, "next\n"], lines({ fatal: true }), sink).done);
    expect(error).toBeInstanceOf(TypeError);
    expect(got.length).toBe(20_000);
    // What stands in front of it, and has not gone out, comes once.
    const { event, events } = failureOf(error) ?? {};
    expect(event).toBe(chunk);
    const lost = Buffer.concat((events ?? []).map((part) => Buffer.from(part as Uint8Array)));
    expect(lost.equals(chunk.subarray(chunk.length - lost.length))).toBe(true);
  });

  test("fails at a line of a large chunk that is too long, and tells it once", async () => {
    const text = `${"some line\n".repeat(6000)}${"x".repeat(10_000)}\n`;
    const got: string[] = [];
    const sink = forEach((line: string) => void got.push(line));
    const error = await failureFrom(pipeline([bytes(text)], lines({ maxLength: 9000 }), sink).done);
    expect(error).toMatchObject({ code: "ERR_LINE_LENGTH", line: { index: 6000 } });
    expect(got.length).toBe(6000);
    const [start, rest] = (failureOf(error)?.events ?? []) as [string, Uint8Array];
    expect(start + new TextDecoder().decode(rest)).toBe(text.slice(60_000));
  });

  test("refuses what is neither bytes nor a string, and what is no option", async () => {
    const error = await failureFrom(linesOf(["a\n", 5 as never]));
    expect(error).toMatchObject({ code: "ERR_RESULT" });
    expect((error as Error).message).toMatch(/step 0 \(lines\) of .* to get bytes or strings, got 5/);
    for (const options of [{ maxLength: 0 }, { maxLength: "1" }, { onTooLong: "drop" }, { fatal: 1 }, { size: 1 }])
      expect(() => lines(options as never)).toThrow(/expected/);
  });
});

describe("decodeText", () => {
  test("decodes by any encoding of the platform", async () => {
    expect(await textOf([Uint8Array.of(0x63, 0xe9)], "latin1")).toEqual(["cé"]);
    const wide = Uint8Array.of(0xff, 0xfe, 0x61, 0x00, 0x3d, 0xd8, 0x00, 0xde);
    expect(await textOf([wide.subarray(0, 3), wide.subarray(3, 5), wide.subarray(5)], "utf-16le")).toEqual(["a", "😀"]);
    const odd = [Uint8Array.of(0x61, 0x00, 0x00)];
    expect(await textOf(odd, "utf-16le")).toEqual(["a", "\uFFFD"]);
    expect(await failureFrom(textOf(odd, "utf-16le", { fatal: true }))).toBeInstanceOf(TypeError);
    expect(await failureFrom(textOf([Uint8Array.of(0, 0xd8, 0, 0)], "utf-16le", { fatal: true }))).toBeInstanceOf(
      TypeError,
    );
    expect(() => decodeText("klingon")).toThrow(/expected an encoding that TextDecoder knows, got "klingon"/);
    expect(() => decodeText("utf-8", { fatal: "yes" as never })).toThrow(/expected/);
  });

  test("joins halves of a character, of strings and of bytes", async () => {
    const [high, low] = ["😀".charAt(0), "😀".charAt(1)];
    expect(await textOf([`a${high}`, low, high, "b", high])).toEqual(["a", "😀", `${high}b`, high]);
    expect(await textOf([high, bytes("x"), high])).toEqual([`${high}x`, high]);
    const cut = bytes("é");
    expect(await textOf([cut.subarray(0, 1), "x", cut.subarray(0, 1)])).toEqual(["\uFFFDx", "\uFFFD"]);
    expect(await textOf([bytes("aé").buffer as ArrayBuffer, Buffer.from("b")])).toEqual(["aé", "b"]);
  });

  test("with fatal fails at bytes that are no text, behind the chunks before", async () => {
    const got: string[] = [];
    const sink = forEach((text: string) => void got.push(text));
    const chunks = [bytes("a"), bytes("é").subarray(0, 1), Uint8Array.of(0xff), bytes("b")];
    const { done } = pipeline(fromIterable<Bytes>(chunks), decodeText(undefined, { fatal: true }), sink);
    const error = await failureFrom(done);
    expect(error).toBeInstanceOf(TypeError);
    expect(failureOf(error)).toMatchObject({ step: "decodeText", event: chunks[2] });
    expect(got).toEqual(["a"]);
  });

  test("tells the begin of a character when it is stopped", async () => {
    const told: unknown[] = [];
    const stage = staged(decodeText("utf-8", { fatal: true }), {
      onDiscard: ({ events }) => void told.push(...events),
    });
    const { source } = chunked();
    stage.subscribe(source);
    const first = stage.events()[Symbol.asyncIterator]().next();
    source.push(["a", bytes("日").subarray(0, 2)]);
    expect((await first).value).toBe("a");
    await stage.stop();
    expect(told).toEqual(["\uFFFD"]);

    const wide = staged(decodeText("utf-16le", { fatal: true }), {
      onDiscard: ({ events }) => void told.push(...events),
    });
    const other = chunked();
    wide.subscribe(other.source);
    const next = wide.events()[Symbol.asyncIterator]().next();
    other.source.push(["a", Uint8Array.of(0x61)]);
    expect((await next).value).toBe("a");
    await wide.stop();
    expect(told).toEqual(["\uFFFD", "\uFFFD"]);
  });
});

describe("jsonLines", () => {
  test("gives a value for each line, passes over empty ones", async () => {
    expect(await valuesOf(['{"a":1}\r\n\n  \r\n[2', "]\nnull\n", bytes('"x"')])).toEqual([{ a: 1 }, [2], null, "x"]);
    expect(await valuesOf([])).toEqual([]);
  });

  test("fails with the line's position and text; what stands behind it is told", async () => {
    const { source } = chunked();
    source.push(["1\n\n{\n3\n4", "behind"]);
    source.complete();
    const got: unknown[] = [];
    const { done } = pipeline(
      source,
      jsonLines(),
      forEach((value) => void got.push(value)),
    );
    const error = await failureFrom(done);
    expect(error).toMatchObject({ code: "ERR_JSON", name: "CallbackError", line: { index: 2, text: "{" } });
    expect((error as Error).message).toMatch(/^expected line 2 to be a JSON value, got "{": set onFailure/);
    expect((error as Error).cause).toBeInstanceOf(SyntaxError);
    expect(failureOf(error)).toMatchObject({ step: "jsonLines", index: 0, event: "{", events: ["{", "3", "4"] });
    expect(got).toEqual([1]);
    expect(await pipeline(source, collect()).done).toEqual(["behind"]);
    expect(await failureFrom(valuesOf(["1\n", "x"]))).toMatchObject({ line: { index: 1, text: "x" } });
  });

  test.each(["skip", "cut"] as const)("8.8 lines that are too long count as dropped: %s", async (onTooLong) => {
    const counted: number[] = [];
    const running = pipeline(
      ["longer\nlongest\none\n"],
      lines({ maxLength: 3, onTooLong }),
      tap((line) => {
        if (line === "one") counted.push(...running.inspect().stages.map(({ dropped }) => dropped));
      }),
      collect(),
    );
    expect(await running).toEqual(onTooLong === "skip" ? ["one"] : ["lon", "lon", "one"]);
    expect(Math.max(...counted)).toBe(2);
  });

  test("skips what is no value, and reports the first", async () => {
    const reported: unknown[] = [];
    const onReport = (error: unknown) => void reported.push(error);
    const source = fromIterable(["x\n1\ny\n", "2\nz"], { onReport });
    expect(await pipeline(source, jsonLines({ onFailure: "skip" }), collect()).done).toEqual([1, 2]);
    expect(reported).toMatchObject([{ code: "ERR_JSON", line: { index: 0, text: "x" } }]);
  });

  test("hands a failure to a function, and waits for it", async () => {
    const failures: LineFailure[] = [];
    const gate = Promise.withResolvers<void>();
    const onFailure = (failure: LineFailure) => {
      failures.push(failure);
      return failures.length === 1 ? gate.promise : undefined;
    };
    const got: unknown[] = [];
    const { done } = pipeline(
      fromIterable(["1\nx\n2\n", "3\ny\n4"], { runtime: testRuntime() }),
      jsonLines({ onFailure }),
      forEach((value) => void got.push(value)),
    );
    await turns();
    expect([got, failures.length]).toEqual([[1], 1]);
    gate.resolve();
    await done;
    expect(got).toEqual([1, 2, 3, 4]);
    expect(failures.map(({ line, index }) => [line, index])).toEqual([
      ["x", 1],
      ["y", 4],
    ]);
    expect(failures[0]?.error).toBeInstanceOf(SyntaxError);
  });

  test("fails with what the function throws or rejects with", async () => {
    const bad = new Error("bad");
    const thrown = () => {
      throw bad;
    };
    for (const onFailure of [thrown, () => Promise.reject(bad)]) {
      const got: unknown[] = [];
      const { done } = pipeline(
        fromIterable(["1\nx\n2\n", "3\n"]),
        jsonLines({ onFailure }),
        forEach((value) => void got.push(value)),
      );
      expect(await failureFrom(done)).toBe(bad);
      expect(failureOf(bad)).toMatchObject({ step: "jsonLines", event: "x", events: ["x", "2"] });
      expect(got).toEqual([1]);
    }
    const last = await failureFrom(valuesOf(["1\nx"], { onFailure: () => Promise.reject(bad) }));
    expect([last, failureOf(bad)?.callback]).toEqual([bad, "handleEnd"]);
  });

  test("takes a line that is too long for a failure", async () => {
    const failures: LineFailure[] = [];
    const onFailure = (failure: LineFailure) => void failures.push(failure);
    expect(await valuesOf(["1\n[1,2,3]\n2\n[4,5", ",6]\n3"], { onFailure, maxLength: 3 })).toEqual([1, 2, 3]);
    expect(failures).toMatchObject([
      { line: "[1,", index: 1, error: { code: "ERR_LINE_LENGTH" } },
      { line: "[4,", index: 3, error: { code: "ERR_LINE_LENGTH" } },
    ]);
    const error = await failureFrom(valuesOf(["[1,2,3]\n"], { maxLength: 3 }));
    expect(error).toMatchObject({ code: "ERR_LINE_LENGTH", line: { index: 0, text: "[1," } });
  });

  test("with fatal fails at bytes that are no text, whatever its policy", async () => {
    const reported: unknown[] = [];
    const chunks: Bytes[] = ["1\n", Uint8Array.of(0x32, 0x0a, 0xff, 0x0a), "3\n"];
    const got: unknown[] = [];
    const { done } = pipeline(
      fromIterable(chunks, { onReport: (error) => void reported.push(error) }),
      jsonLines({ fatal: true, onFailure: "skip" }),
      forEach((value) => void got.push(value)),
    );
    const error = await failureFrom(done);
    expect(error).toBeInstanceOf(TypeError);
    expect(failureOf(error)).toMatchObject({ event: chunks[1], events: [chunks[1]] });
    expect([got, reported]).toEqual([[1, 2], []]);
    expect(await failureFrom(valuesOf([5 as never]))).toMatchObject({ code: "ERR_RESULT" });
    const end = await failureFrom(valuesOf([Uint8Array.of(0x31, 0xc3)], { fatal: true }));
    expect([end instanceof TypeError, failureOf(end)?.events]).toEqual([true, ["1"]]);
  });

  test("tells what stands behind a function's line when it is aborted, and gives back what it has not begun", async () => {
    for (const late of ["resolves", "rejects"]) {
      const { source } = chunked();
      const [told, reported]: [Discarded[], unknown[]] = [[], []];
      const gate = Promise.withResolvers<void>();
      const controller = new AbortController();
      const stage = staged(jsonLines({ onFailure: () => gate.promise }), {
        signal: controller.signal,
        onDiscard: (discarded) => void told.push(discarded),
        onReport: (error) => void reported.push(error),
      });
      const loop = stage.events()[Symbol.asyncIterator]();
      stage.subscribe(source);
      const first = loop.next();
      source.push(["1\nx\n2\n3", "4\n"]);
      expect((await first).value).toBe(1);
      await turns();
      controller.abort(new Error("abort"));
      await turns();
      if (late === "resolves") gate.resolve();
      else gate.reject(new Error("late"));
      await turns();
      expect(told.flatMap(({ events }) => events)).toEqual(["2", "3"]);
      expect(told[0]).toMatchObject({ cause: "abort" });
      expect(await failureFrom(loop.next())).toMatchObject({ message: "abort" });
      expect(reported).toHaveLength(late === "resolves" ? 0 : 1);
      source.complete();
      expect(await pipeline(source, collect()).done).toEqual(["4\n"]);
    }
  });

  test("tells the chunk, too, when a line in front of its bad bytes fails", async () => {
    const chunk = Uint8Array.of(0x78, 0x0a, 0xff, 0x0a);
    const error = await failureFrom(valuesOf([chunk], { fatal: true }));
    expect(error).toMatchObject({ code: "ERR_JSON" });
    expect(failureOf(error)).toMatchObject({ event: "x", events: ["x", chunk] });
  });

  test("waits for the function at its last line, too, unless it is aborted", async () => {
    const gate = Promise.withResolvers<void>();
    const controller = new AbortController();
    const told: unknown[] = [];
    const stage = staged(jsonLines({ onFailure: () => gate.promise }), {
      signal: controller.signal,
      onDiscard: ({ events }) => void told.push(...events),
    });
    stage.subscribe(fromIterable<Bytes>(["x"]));
    const loop = failureFrom(stage.events()[Symbol.asyncIterator]().next());
    await turns();
    expect(stage.state).toBe("ending");
    const bad = new Error("abort");
    controller.abort(bad);
    expect(await loop).toBe(bad);
    gate.resolve();
    await turns();
    expect(told).toEqual([]);
  });

  test("refuses what is no option", () => {
    for (const options of [{ onFailure: "cut" }, { maxLength: -1 }, { onTooLong: "cut" }, null])
      expect(() => jsonLines(options as never)).toThrow(/expected/);
  });
});
