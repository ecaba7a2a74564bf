import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { closeAtTheEnd, openPage } from "./page.mjs";

describe("examples/browser", { timeout: 120_000 }, () => {
  let tab;
  beforeEach(async () => {
    await tab?.page.close();
    tab = await openPage("/examples/browser/");
  });
  closeAtTheEnd();
  afterEach(() => assert.deepEqual(tab.complaints, []));

  const set = (id, value, event) =>
    tab.page.evaluate(
      ([name, to, type]) => {
        const element = document.getElementById(name);
        element.value = to;
        element.dispatchEvent(new Event(type));
      },
      [id, value, event],
    );
  /** Many moves in one synchronous stretch, so that nothing can be handled in between. */
  const moves = (count) =>
    tab.page.evaluate((number) => {
      const pad = document.getElementById("pad");
      for (let i = 0; i < number; i += 1)
        pad.dispatchEvent(new PointerEvent("pointermove", { clientX: 300 + i, clientY: 300 }));
    }, count);
  const counts = () =>
    tab.page.evaluate(() =>
      Object.fromEntries(
        ["arrived", "waiting", "dropped", "handled"].map((id) => [id, Number(document.getElementById(id).textContent)]),
      ),
    );
  const shown = (expected) =>
    tab.page.waitForFunction(
      (wanted) =>
        Object.entries(wanted).every(([id, count]) => Number(document.getElementById(id).textContent) === count),
      expected,
    );

  test("W-40 beyond what waits and what is in hand, moves are dropped; the others are handled", async () => {
    await set("delay", 0, "input");
    await moves(100);
    await shown({ arrived: 100, waiting: 0, handled: 21, dropped: 79 });
    await moves(5);
    await shown({ arrived: 105, waiting: 0, handled: 26, dropped: 79 });
  });

  test("W-41 the other policy drops as many", async () => {
    await set("policy", "drop-newest", "change");
    await tab.page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
    await set("delay", 0, "input");
    await moves(50);
    await shown({ arrived: 50, waiting: 0, handled: 21, dropped: 29 });
  });

  test("W-42 a real pointer: every move is handled or dropped in the end", async () => {
    const box = await tab.page.locator("#pad").boundingBox();
    for (let round = 0; round < 5; round += 1) {
      await tab.page.mouse.move(box.x + 20, box.y + 20 + 30 * round);
      await tab.page.mouse.move(box.x + 500, box.y + 60 + 30 * round, { steps: 30 });
    }
    if (process.env.HEADRACE_SCREENSHOT) await tab.page.screenshot({ path: process.env.HEADRACE_SCREENSHOT });
    await set("delay", 0, "input");
    await tab.page.waitForFunction(() => {
      const [arrived, dropped, handled] = ["arrived", "dropped", "handled"].map((id) =>
        Number(document.getElementById(id).textContent),
      );
      return arrived > 21 && arrived === dropped + handled;
    });
    assert.equal((await counts()).waiting, 0);
  });

  test("W-43 detached, nothing listens any more; attached again, it goes on", async () => {
    await set("delay", 0, "input");
    await tab.page.click("#toggle");
    await tab.page.waitForFunction(() => document.getElementById("toggle").textContent === "Attach");
    await moves(30);
    await shown({ arrived: 30, waiting: 0, handled: 0, dropped: 0 });
    await tab.page.click("#toggle");
    await tab.page.waitForFunction(() => document.getElementById("toggle").textContent === "Detach");
    await moves(3);
    await shown({ arrived: 33, waiting: 0, handled: 3, dropped: 0 });
  });
});
