// One browser per test file, a page per use, and the server that both need: all of them end with the file.
import fs from "node:fs";
import path from "node:path";
import { after } from "node:test";
import { chromium } from "playwright-core";
import { serve } from "../../examples/browser/serve.mjs";

export const root = path.resolve(import.meta.dirname, "../..");

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** Entries of the package that Node alone can load. */
const NODE_ONLY = ["headrace/node"];

/** Every entry of the package that a browser can load. */
const entries = Object.keys(JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")).exports)
  .filter((name) => name !== "./package.json")
  .map((name) => name.replace(/^\./, "headrace"))
  .filter((name) => !NODE_ONLY.includes(name));

let browser;
let server;

/** An empty page. */
export async function newPage() {
  browser ??= await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
    // Its sandbox needs a user other than root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: FLAGS,
  });
  return browser.newPage({ viewport: { width: 900, height: 720 } });
}

/** Opens a page of the server's. What the page complains of is collected. */
export async function openPage(address) {
  server ??= await serve(["dist", "examples", "test/browser", "node_modules/rxjs", "node_modules/tslib"]);
  const page = await newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText;
    // Whoever cancels a body aborts its request.
    if (why !== "net::ERR_ABORTED") complaints.push(`${request.url()}: ${why}`);
  });
  await page.goto(server.address + address);
  return { page, complaints, entries };
}

export function closeAtTheEnd() {
  after(async () => {
    await browser?.close();
    await server?.close();
    browser = undefined;
    server = undefined;
  });
}
