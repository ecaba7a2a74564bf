import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "vitest";
import { consumer, producer } from "../../../src/index.ts";
import { turns } from "../../support/runtime.ts";

const storage = new AsyncLocalStorage<string>();

test("callbacks run in the context their stage was made in, whoever drives them", async () => {
  const seen: string[] = [];
  const see = (callback: string): void => void seen.push(`${callback}: ${storage.getStore() ?? "none"}`);
  const numbers = storage.run("one", () =>
    producer({
      handleDemand: () => see("handleDemand"),
      handleCancel: () => see("handleCancel"),
      terminate: () => see("terminate"),
    }),
  );
  const sink = storage.run("two", () => consumer(() => see("handleEvents")));
  const plain = consumer(() => see("plain"));
  storage.run("three", () => {
    sink.subscribe(numbers, { maxDemand: 1 });
    plain.subscribe(numbers, { maxDemand: 1 });
  });
  await turns();
  storage.run("four", () => numbers.push([1, 2]));
  await turns();
  await storage.run("five", () => numbers.stop());
  expect(seen.toSorted()).toEqual(
    [
      "handleDemand: one",
      "handleDemand: one",
      "handleEvents: two",
      "plain: none",
      "handleDemand: one",
      "handleDemand: one",
      "terminate: one",
    ].toSorted(),
  );
});

test("an asynchronous callback goes on in its stage's context", async () => {
  const seen: (string | undefined)[] = [];
  const sink = storage.run("mine", () =>
    consumer(async () => {
      seen.push(storage.getStore());
      await Promise.resolve();
      seen.push(storage.getStore());
    }),
  );
  const numbers = producer(() => {});
  storage.run("other", () => sink.subscribe(numbers, { maxDemand: 1 }));
  storage.run("yet another", () => numbers.push([1, 2]));
  await turns();
  expect(seen).toEqual(["mine", "mine", "mine", "mine"]);
});
