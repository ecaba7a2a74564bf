// node run-snippets.mjs FILE…: imports one file after the other, each once the one before has nothing left to do, and
// writes results.json: what was printed on which line, and what went wrong.
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const files = process.argv.slice(2);
const results = [];
let current;

const fail = (what) => current.failures.push(what);
const said = (error) => (error instanceof Error ? `${error.stack}` : format(error));

/** The line of the snippet from which this is called. Line 1 of the file is its prelude. */
function line() {
  const frame = new RegExp(`${current.file.replace(".", "\\.")}:(\\d+)`).exec(new Error("where").stack);
  return frame ? Number(frame[1]) - 1 : 0;
}

const print = (text) => (current.printed[line()] ??= []).push(text);
for (const level of ["log", "info", "warn", "error"]) console[level] = (...args) => print(format(...args));
process.stdout.write = (chunk, encoding, callback) => {
  print(String(chunk));
  const done = typeof encoding === "function" ? encoding : callback;
  if (done) process.nextTick(done);
  return true;
};

process.on("uncaughtException", (error) => fail(`threw ${said(error)}`));
process.on("unhandledRejection", (error) => fail(`rejected ${said(error)}`));
// Nothing is left to do: the snippet has ended, or waits for what will never come.
process.on("beforeExit", () => {
  if (!current) return;
  if (!current.over) fail("never ends: nothing is left that could go on");
  next();
});
// Killed for taking too long.
process.on("SIGTERM", () => {
  fail("never ends: it was stopped");
  save();
  process.exit(1);
});

const save = () => fs.writeFileSync("results.json", JSON.stringify(results));

async function load(run) {
  try {
    await import(pathToFileURL(path.resolve(run.file)).href);
  } catch (error) {
    fail(`threw ${said(error)}`);
  }
  run.over = true;
}

function next() {
  const file = files.shift();
  if (file === undefined) {
    current = undefined;
    save();
    return;
  }
  const run = { file, printed: {}, failures: [], over: false };
  current = run;
  results.push(run);
  void load(run);
  // Whatever the import does, the loop takes another turn, after which `beforeExit` is told.
  setImmediate(() => {});
}

next();
