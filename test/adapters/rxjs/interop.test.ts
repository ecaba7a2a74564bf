import { from, map, Observable, type ObservableInput, of, toArray } from "rxjs";
import { ColdObservable } from "rxjs-9";
import { afterEach, describe, expect, test } from "vitest";
import { fromObservable, toObservable } from "../../../adapters/rxjs/index.ts";
import { collect, fromIterable, pipeline } from "../../../src/index.ts";

const registered = Symbol.for("https://github.com/benlesh/symbol-observable");
const polyfill = (key: symbol): void =>
  void Object.defineProperty(Symbol, "observable", { value: key, configurable: true });
afterEach(() => void Reflect.deleteProperty(Symbol, "observable"));

type Offers = Readonly<Record<PropertyKey, (() => unknown) | undefined>>;
/** What a library finds that was loaded when this was the key. */
const found = (made: unknown, key: PropertyKey): unknown => (made as Offers)[key]?.();

describe("F-39 what toObservable makes is found under every key", () => {
  test("polyfilled behind RxJS, before it was made", () => {
    const key = Symbol("observable");
    polyfill(key);
    const made = toObservable(fromIterable([1]));
    for (const each of [key, "@@observable", registered]) expect(found(made, each)).toBe(made);
  });

  test("polyfilled by symbol-observable, behind it", () => {
    const made = toObservable(fromIterable([1]));
    polyfill(registered);
    expect([found(made, registered), found(made, "@@observable")]).toEqual([made, made]);
  });

  test("of another class", () => {
    const key = Symbol("observable");
    polyfill(key);
    const made = toObservable(fromIterable([1]), { Observable: ColdObservable });
    for (const each of [key, "@@observable", registered]) expect(found(made, each)).toBe(made);
  });

  test("and is no other Observable for it: nothing shows, and RxJS takes it as its own", async () => {
    polyfill(Symbol("observable"));
    const made = toObservable(fromIterable([1, 2]));
    expect([made instanceof Observable, Object.keys(made).toSorted()]).toEqual([true, Object.keys(of(1)).toSorted()]);
    const doubled = from(made as ObservableInput<number>).pipe(
      map((n) => 2 * n),
      toArray(),
    );
    expect(await new Promise((resolve) => doubled.subscribe(resolve))).toEqual([2, 4]);
  });

  test("unless its class allows of no additions", () => {
    class Sealed extends Observable<number> {
      constructor(subscribe: ConstructorParameters<typeof Observable<number>>[0]) {
        super(subscribe);
        Object.preventExtensions(this);
      }
    }
    polyfill(Symbol("observable"));
    expect(toObservable(fromIterable([1]), { Observable: Sealed })).toBeInstanceOf(Sealed);
  });
});

test.each([
  ["a string, though there is a symbol by now", "@@observable"],
  ["the symbol that symbol-observable registers, though another one came first", registered],
])("F-39 fromObservable takes what is offered under %s", async (_, key) => {
  polyfill(Symbol("observable"));
  const source = { [key]: () => of(1, 2, 3) } as never;
  expect(await pipeline(fromObservable<number>(source, { overflow: "throw" }), collect()).done).toEqual([1, 2, 3]);
});
