import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { channel } from "../../examples/notify-channel/channel.ts";
import { serverOf } from "../../examples/notify-channel/server.ts";
import { closeAtTheEnd, newPage } from "./page.mjs";

describe("examples/notify-channel", { timeout: 120_000 }, () => {
  let told;
  let server;
  let address;
  before(async () => {
    told = channel(50);
    server = serverOf(told).listen(0, "127.0.0.1");
    await once(server, "listening");
    address = `http://127.0.0.1:${server.address().port}`;
  });
  after(async () => {
    await told.close();
    server.closeAllConnections();
    server.close();
  });
  closeAtTheEnd();

  const open = async (query) => {
    const page = await newPage();
    await page.goto(`${address}/?${query}`);
    await page.waitForFunction(() => document.querySelector("#state").value === "live");
    return page;
  };
  const shows = (page, text) => page.waitForFunction((wanted) => globalThis.last === wanted, text);
  const count = (page) => page.evaluate(() => Number(document.querySelector("#count").value));

  test("W-60 three tabs, one of them stalled: the others see all, and it sees the newest", async () => {
    const [ticks, one, stalled] = [await open("topic=ticks"), await open("topic=news"), await open("topic=news")];
    await ticks.waitForFunction(() => globalThis.last?.startsWith("tick"));
    await one.fill("input", "the mill turns");
    await one.click("button");
    await Promise.all([shows(one, "the mill turns"), shows(stalled, "the mill turns")]);

    // Its scripts stand still, from the next one on.
    const debug = await stalled.context().newCDPSession(stalled);
    await debug.send("Debugger.enable");
    await debug.send("Debugger.pause");
    const long = "x".repeat(200_000);
    const sent = 250;
    for (let n = 1; n <= sent; n += 1) {
      assert.equal(told.post({ topic: "news", text: `${n} ${long}` }), true);
      await one.waitForFunction((wanted) => globalThis.last?.startsWith(`${wanted} `), n);
    }
    await debug.send("Debugger.resume");
    await stalled.waitForFunction((wanted) => globalThis.last?.startsWith(`${wanted} `), sent);
    const [all, some] = [await count(one), await count(stalled)];
    assert.equal(all, sent + 1);
    assert.ok(some < all, `${some} of ${all}`);
  });
});
