// Observables of other makes, both ways, whichever of them and headrace was loaded first: each case is a process of its own.
// npm ci --prefix test/packages/observables && node --test test/packages/observables/observables.test.mjs
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const ours = `
const { fromIterable, pipeline, take, collect } = await import("../../../src/index.ts");
const { fromObservable, toObservable } = await import("../../../adapters/rxjs/index.ts");
const taken = (source, count = 3) => pipeline(fromObservable(source, { overflow: "throw" }), take(count), collect()).done;
const made = () => toObservable(fromIterable([1, 2, 3]));
`;

/** By package: how it is loaded, what it makes, and how it takes what another one made. */
const packages = {
  "zen-observable": {
    load: `const { default: Zen } = await import("zen-observable");`,
    makes: `Zen.of(1, 2, 3)`,
    takes: (source) => `new Promise((resolve, reject) => {
      const seen = [];
      Zen.from(${source}).subscribe({ next: (n) => void seen.push(n), error: reject, complete: () => resolve(seen) });
    })`,
  },
  kefir: {
    load: `const { default: Kefir } = await import("kefir");`,
    makes: `Kefir.sequentially(0, [1, 2, 3])`,
    takes: (source) => `new Promise((resolve, reject) => {
      const seen = [];
      Kefir.fromESObservable(${source}).onValue((n) => void seen.push(n)).onError(reject).onEnd(() => resolve(seen));
    })`,
  },
  xstream: {
    load: `const { default: { default: xs } } = await import("xstream");`,
    makes: `xs.of(1, 2, 3)`,
    takes: (source) => `new Promise((resolve, reject) => {
      const seen = [];
      xs.fromObservable(${source}).addListener({ next: (n) => void seen.push(n), error: reject, complete: () => resolve(seen) });
    })`,
  },
  most: {
    load: `const { default: most } = await import("most");`,
    makes: `most.from([1, 2, 3])`,
    takes: (source) => `most.from(${source}).reduce((seen, n) => [...seen, n], [])`,
  },
};

/** Runs a program in this folder; what it prints, as JSON. */
function run(program) {
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: import.meta.dirname,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}
const print = (value) => `console.log(JSON.stringify(await ${value}));`;

for (const [name, { load, makes, takes }] of Object.entries(packages)) {
  for (const [order, program] of [
    ["loaded before headrace", load + ours],
    ["loaded behind headrace", ours + load],
    ["loaded behind headrace, and zen-observable behind both", `${ours}${load}await import("zen-observable");`],
    ["loaded between zen-observable and headrace", `await import("zen-observable");${load}${ours}`],
  ]) {
    test(`F-39 ${name}, ${order}: fromObservable takes what it makes`, () => {
      assert.deepEqual(run(program + print(`taken(${makes})`)), [1, 2, 3]);
    });
    test(`F-39 ${name}, ${order}: it takes what toObservable makes`, () => {
      assert.deepEqual(run(program + print(takes("made()"))), [1, 2, 3]);
    });
  }
}

for (const name of ["kefir", "xstream", "most"])
  test(`F-39 ${name}, loaded behind what toObservable made`, () => {
    const { load, takes } = packages[name];
    assert.deepEqual(run(`${ours}const early = made();${load}${print(takes("early"))}`), [1, 2, 3]);
  });

for (const [order, first, second] of [
  ["before", "redux", "symbol-observable"],
  ["behind", "symbol-observable", "redux"],
])
  test(`F-39 fromObservable takes a store of redux, loaded ${order} the symbol`, () => {
    const program = `await import("${first}");await import("${second}");${ours}
      const { createStore } = await import("redux");
      const store = createStore((n = 7) => n);
      ${print("taken(store, 1)")}`;
    assert.deepEqual(run(program), [7]);
  });
