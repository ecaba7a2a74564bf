import { describe, expect, test } from "vitest";
import { ERRORS } from "../../../src/base/error-table.ts";
import { argumentError, TEXTS, words } from "../../../src/base/errors.ts";
import {
  ArgumentError,
  CallbackError,
  type ErrorCode,
  OverflowError,
  ProtocolError,
  producer,
  TimeoutError,
} from "../../../src/index.ts";
import { RestartError } from "../../../src/supervise/index.ts";
import { say } from "../stage/rig.ts";

const families = { ArgumentError, ProtocolError, CallbackError, OverflowError, TimeoutError, RestartError };
/** Makes the error of a code in the way that its family is made. */
const make = (code: ErrorCode): Error => {
  const { family } = ERRORS[code];
  if (family === "ArgumentError") return argumentError(code as never, "this", "that");
  if (family === "ProtocolError") return new ProtocolError(code as never, "this", "that");
  if (family === "CallbackError") return new CallbackError({ code: code as never, expected: "this", got: "that" }, [1]);
  if (family === "TimeoutError") return new TimeoutError(code as never, "this", "that");
  if (family === "RestartError") return new RestartError(code as never, "this", "that", [1]);
  return new OverflowError(code as never, "room", 1, [2, 3]);
};
const codes = Object.keys(TEXTS) as ErrorCode[];

describe("the table of errors", () => {
  test("names every code there is", () => {
    expect(Object.keys(ERRORS)).toEqual(codes);
  });

  test.each(codes)("%s makes an error of its family, with code, name, rule and text", (code) => {
    const { family, rule } = ERRORS[code];
    const error = make(code);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: family, code });
    const [, , advice] = TEXTS[code];
    const end = `${advice ? `: ${advice}` : ""} (docs/protocol.md#rule-${rule})`;
    expect(error.message).toMatch(/^expected .*, got .*/);
    expect(error.message.slice(-end.length)).toBe(end);
    // It is of its family and of no other, whatever copy of the package has made it.
    expect(Object.entries(families).flatMap(([name, one]) => (error instanceof one ? [name] : []))).toEqual([family]);
    expect(Object.keys(error)).toContain("code");
  });

  test("an ArgumentError is also a RangeError or a TypeError", () => {
    const kinds = codes
      .filter((code) => ERRORS[code].family === "ArgumentError")
      .map((code) => [
        code,
        make(code) instanceof RangeError ? "RangeError" : make(code) instanceof TypeError && "TypeError",
      ]);
    expect(kinds.filter(([, kind]) => kind === "RangeError").map(([code]) => code)).toEqual(["ERR_RANGE", "ERR_ASK"]);
    expect(kinds.filter(([, kind]) => kind === false)).toEqual([]);
  });

  test("what is no error of ours is of no family", () => {
    for (const family of Object.values(families))
      for (const other of [undefined, null, 7, "x", {}, new Error("x"), new TypeError("x")])
        expect(other instanceof family).toBe(false);
  });

  test("a value with the brand is one, whoever has made it", () => {
    const foreign = Object.assign(new Error("from another copy"), { [Symbol.for("headrace.error")]: "OverflowError" });
    expect([foreign instanceof OverflowError, foreign instanceof CallbackError]).toEqual([true, false]);
  });
});

class Point {
  readonly x = 0;
}

describe("the text of an error", () => {
  const throwing = {
    get constructor(): never {
      throw new Error("hostile");
    },
  };
  test.each([
    ["a string", "a\nb", '"a\\nb"'],
    ["a number", -0.5, "-0.5"],
    ["a bigint", 7n, "7n"],
    ["a boolean", true, "true"],
    ["nothing", undefined, "undefined"],
    ["null", null, "null"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["a function", say, "function say"],
    ["a function without a name", () => {}, "function"],
    ["an array", [1, 2], "an array of 2"],
    ["an error", new RangeError("no"), "RangeError: no"],
    ["an object", { a: 1 }, "an object (Object)"],
    ["an object of a class", new Point(), "an object (Point)"],
    ["an object without a prototype", Object.create(null), "an object (no prototype)"],
    ["words", words("as they are"), "as they are"],
    ["an object that throws when it is looked at", throwing, "a value that cannot be shown"],
  ])("shows %s", (_what, got, shown) => {
    expect(argumentError("ERR_NOT_PRODUCER", "", got).message).toMatch(`expected a producer, got ${shown}: `);
  });

  test("4.6 names the stage that overflows, and the options that decide", () => {
    const numbers = producer<number>(() => {}, { name: "numbers", bufferSize: 2 });
    expect(() => numbers.push([1, 2, 3])).toThrow(
      "expected room in numbers for 3 events, got 2: wait for flushed() between pushes, or set bufferSize or overflow (docs/protocol.md#rule-4.6)",
    );
  });

  test("fills in what was expected, whatever signs it holds", () => {
    expect(argumentError("ERR_OPTION", "$& and $1", 1).message).toBe(
      "expected $& and $1, got 1 (docs/protocol.md#rule-1.1)",
    );
  });

  test("keeps its cause only if there is one", () => {
    const cause = new Error("why");
    expect(argumentError("ERR_ENDED", "", 1, cause).cause).toBe(cause);
    expect("cause" in argumentError("ERR_ENDED", "", 1)).toBe(false);
  });
});
