/** Calls `run(on)` in its asynchronous context. */
export type AsyncContext = <T>(run: (on: T) => void, on: T) => void;

interface AsyncHooks {
  readonly AsyncLocalStorage: {
    new (): { run(store: unknown, fn: () => unknown): unknown; disable(): void };
    snapshot?(): AsyncContext;
  };
  readonly AsyncResource: new (type: string) => object;
}

// Looked up by name at run time: nothing is imported, so browsers need no stand-in.
const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } };
const hooks = process?.getBuiltinModule?.("node:async_hooks") as AsyncHooks | undefined;

/** A frame is a map from storages to stores (no `instanceof` sees it); a storage that was left keeps its entry. */
const isNothing = (frame: unknown): boolean => {
  if (Object.prototype.toString.call(frame) !== "[object Map]") return frame === undefined;
  const stores: Iterable<unknown> = Map.prototype.values.call(frame);
  return [...stores].every((store) => store === undefined);
};

/**
 * Entering a context costs as much as a small turn, and most programs have none. Node keeps the current context on each
 * new resource, next to its two ids: other keys show an empty one. Where that does not work (tried once, here), no
 * context counts as empty.
 */
const isEmpty: () => boolean = (() => {
  if (!hooks) return () => true;
  const { AsyncLocalStorage, AsyncResource } = hooks;
  const empty = (): boolean => {
    const resource = new AsyncResource("HEADRACE") as Record<symbol, unknown>;
    return Object.getOwnPropertySymbols(resource).every(
      (key) => key.description?.endsWith("id_symbol") || isNothing(resource[key]),
    );
  };
  const storage = new AsyncLocalStorage();
  const told = empty() && storage.run(1, empty) === false;
  storage.disable();
  return told ? empty : () => false;
})();

/** The current context; undefined where it is empty or the platform has none. */
export function currentContext(): AsyncContext | undefined {
  return isEmpty() ? undefined : hooks?.AsyncLocalStorage.snapshot?.();
}

/** The context at the import of the package, in which the ready queue is worked off. */
export const outermost: AsyncContext = hooks?.AsyncLocalStorage.snapshot?.() ?? ((run, on) => run(on));
