import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { map } from "rxjs-9/map";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { fromObservable, throughOperators, toObservable } from "../../../adapters/rxjs/index.ts";
import { collect, fromIterable, pipeline } from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { listener } from "./support.ts";

// As if RxJS 9 were what is installed: a name that it does not export is an error here, as it is to engines.
vi.mock("rxjs", async () => await import("rxjs-9"));

const twice = (source: Observable<number>): Observable<number> => source[map]((n) => 2 * n);
const wrong = (type: string): string =>
  `a.ts(4,7): error TS2322: Type '${type}' is not assignable to type 'undefined'.`;
const root = path.resolve(import.meta.dirname, "../../..");

describe("with RxJS 9 as rxjs", () => {
  test("I29 toObservable makes an Observable of the platform's", async () => {
    const observable = toObservable(fromIterable([1, 2], { runtime: testRuntime() })) as unknown;
    expect(observable).toBeInstanceOf(Observable);
    const log: unknown[] = [];
    (observable as Observable<number>)[map]((n) => 2 * n).subscribe(listener(log));
    await turns();
    expect(log).toEqual([2, 4, "complete"]);
  });

  test("I29 throughOperators gives its chain one", async () => {
    const runtime = testRuntime();
    const stage = throughOperators<number, number>(twice as never, { runtime });
    expect(await pipeline(fromIterable([1, 2], { runtime }), stage, collect()).done).toEqual([2, 4]);
  });

  test("I21 fromObservable takes one", async () => {
    const runtime = testRuntime();
    const stage = fromObservable(Observable.from([1, 2]), { overflow: "throw", runtime });
    expect(await pipeline(stage, collect()).done).toEqual([1, 2]);
  });
});

describe("types", { timeout: 60_000 }, () => {
  const tsc = path.join(root, "node_modules/typescript/bin/tsc");
  let folder: string;
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "headrace-"));
    const options = ["--declaration", "--emitDeclarationOnly", "--declarationMap", "false", "--sourceMap", "false"];
    spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", path.join(folder, "dist"), ...options], {
      cwd: root,
    });
  }, 60_000);
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** What the compiler says, declarations included, where `rxjs` is this package, or none. */
  function compile(rxjs: string | undefined, code: string): string[] {
    const project = path.join(folder, rxjs ?? "none");
    fs.mkdirSync(path.join(project, "node_modules"), { recursive: true });
    fs.cpSync(path.join(folder, "dist"), path.join(project, "dist"), { recursive: true });
    if (rxjs) fs.symlinkSync(path.join(root, "node_modules", rxjs), path.join(project, "node_modules/rxjs"), "dir");
    fs.writeFileSync(path.join(project, "package.json"), '{ "type": "module" }');
    const imports = 'import { fromIterable } from "./dist/src/index.js";\nimport { fromObservable, toObservable } ';
    fs.writeFileSync(path.join(project, "a.ts"), `${imports} from "./dist/adapters/rxjs/index.js";\n${code}\n`);
    const options = "--noEmit --pretty false --strict --module nodenext --target es2023 --types".split(" ");
    const libs = ["--lib", "es2023,es2024.promise,esnext.disposable,dom", "a.ts"];
    const run = spawnSync(process.execPath, [tsc, ...options, "", ...libs], { cwd: project, encoding: "utf8" });
    return run.stdout.split("\n").filter((line) => line !== "");
  }
  const there = "const n: number = 1;\nconst made: undefined = toObservable(fromIterable([n]));";

  test("I21 without rxjs they compile, and an Observable is what can be subscribed to", () => {
    expect(compile(undefined, there)).toEqual([wrong("SubscribableLike<number>")]);
  });

  test("I21 with RxJS 7 an Observable is its own", () => {
    expect(compile("rxjs", there)).toEqual([wrong("Observable<number>")]);
  });

  test("I21 with RxJS 9 an Observable is the platform's, with the operators that are imported", () => {
    const code = `import { map } from "rxjs/map";
const made: undefined = toObservable(fromIterable([1]))[map]((n) => String(n));
fromObservable(new Observable<string>(() => {}), { overflow: "throw" });`;
    expect(compile("rxjs-9", code)).toEqual([wrong("Observable<string>")]);
  });
});
