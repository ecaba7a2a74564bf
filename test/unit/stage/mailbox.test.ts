import { expect, test } from "vitest";
import { Mailbox, ASK, CALL, EVENTS, STOP } from "../../../src/stage/mailbox.ts";
import { range } from "../../support/runtime.ts";

/** The payloads in a mailbox, which is empty afterwards. */
const drain = (box: Mailbox): unknown[] => {
  const all: unknown[] = [];
  for (; box.size > 0; box.drop()) all.push(box.payload);
  return all;
};

test("2.3 keeps messages in order, across the edge of the ring and when it grows", () => {
  const box = new Mailbox();
  for (const n of range(1, 6)) box.push(ASK, "link", n);
  for (let n = 0; n < 4; n += 1) box.drop();
  for (const n of range(7, 30)) box.push(ASK, "link", n);
  expect([box.size, box.op, box.target, box.payload]).toEqual([26, ASK, "link", 5]);
  expect(drain(box)).toEqual(range(5, 30));
});

test("puts a message before all others, also when it is full", () => {
  const box = new Mailbox();
  for (const n of range(1, 20)) box.unshift(EVENTS, undefined, n);
  box.push(EVENTS, undefined, 0);
  expect(drain(box)).toEqual([...range(1, 20).toReversed(), 0]);
});

test("has no message when it is empty", () => {
  const box = new Mailbox();
  expect(box.size).toBe(0);
  box.push(STOP, undefined, undefined);
  box.drop();
  expect(box.size).toBe(0);
});

test("keeps no reference to what was dropped", () => {
  const box = new Mailbox();
  box.push(CALL, "target", "payload");
  box.drop();
  expect([box.target, box.payload]).toEqual([undefined, undefined]);
});

test("5.6 gives out the messages of one link and keeps the others in order", () => {
  const box = new Mailbox();
  for (const n of range(1, 10)) box.push(EVENTS, n % 3 === 0 ? "mine" : "other", n);
  box.push(ASK, "mine", 11);
  expect(box.extract(EVENTS, "mine")).toEqual([3, 6, 9]);
  expect(drain(box)).toEqual([1, 2, 4, 5, 7, 8, 10, 11]);
});
