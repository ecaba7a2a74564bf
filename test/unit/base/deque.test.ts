import { expect, test } from "vitest";
import { Deque } from "../../../src/base/deque.ts";
import { range } from "../../support/runtime.ts";

const drain = <T>(deque: Deque<T>): T[] => {
  const all: T[] = [];
  for (let item = deque.shift(); item !== undefined; item = deque.shift()) all.push(item);
  return all;
};

test("keeps the order across the edge of the ring, and grows when it is full", () => {
  const deque = new Deque<number>(4);
  for (const n of range(1, 3)) deque.push(n);
  expect([deque.shift(), deque.shift()]).toEqual([1, 2]);
  for (const n of range(4, 12)) deque.push(n);
  expect(deque.size).toBe(10);
  expect([deque.at(0), deque.at(9), deque.at(10)]).toEqual([3, 12, undefined]);
  expect([drain(deque), deque.size]).toEqual([range(3, 12), 0]);
});

test("grows at the front, too", () => {
  const deque = new Deque<number>(2);
  for (const n of range(1, 9)) deque.unshift(n);
  deque.push(0);
  expect(drain(deque)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
});

test("is empty when it says so", () => {
  const deque = new Deque<number>();
  expect([deque.shift(), deque.at(0), deque.size]).toEqual([undefined, undefined, 0]);
});

test("shows an item by its index", () => {
  const deque = new Deque<string>(2);
  for (const item of ["a", "b", "c"]) deque.push(item);
  deque.shift();
  expect([deque.at(0), deque.at(1), deque.at(2)]).toEqual(["b", "c", undefined]);
});

test("pop takes the newest item, and nothing from an empty deque", () => {
  const deque = new Deque<number>(4);
  expect(deque.pop()).toBeUndefined();
  for (const n of [1, 2, 3]) deque.push(n);
  deque.shift();
  for (const n of [4, 5]) deque.push(n);
  expect([deque.pop(), deque.pop(), deque.shift(), deque.pop(), deque.size]).toEqual([5, 4, 2, 3, 0]);
});
