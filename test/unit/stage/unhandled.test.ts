import path from "node:path";
import { expect, test } from "vitest";
import { root, run } from "../../examples/support.ts";

const child = path.join(root, "test/unit/stage/unhandled-child.ts");

test("5.11 a failure is an unhandled rejection, once, unless something carries it on", {
  timeout: 60_000,
}, async () => {
  const { code, stdout, stderr } = await run(process.execPath, ["--conditions=@headrace/source", child]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual({
    "nobody looks": ["boom"],
    "no consumer has come yet": [],
    "done was looked at, but not observed": ["boom"],
    "done is observed": [],
    "done is observed after fail()": [],
    "stop with a failure": ["boom"],
    "stop with a failure, awaited": ["boom"],
    "stop as normal": [],
    "the caller has aborted": [],
    "the caller had aborted": [],
    "await using": ["thrown boom"],
    "a consumer carries it": [],
    "a consumer carries it, and nobody looks there": ["boom"],
    "a chain carries it to its end": ["boom"],
    "only a temporary subscription": ["boom"],
    "a loop carries it": [],
    "only a temporary loop": ["boom"],
    "a failing consumer does not fail its source": ["boom"],
    "somebody subscribes to what has failed": ["boom"],
  });
});
