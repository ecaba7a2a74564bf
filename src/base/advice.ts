const has = (value: unknown, ...names: readonly string[]): boolean =>
  names.every((name) => typeof (value as Record<string, unknown>)[name] === "function");

/** Options of `pipeline.with`, which people hand to `pipeline` itself. */
export const PIPELINE: readonly string[] = [
  "name",
  "signal",
  "maxDemand",
  "minDemand",
  "runtime",
  "onReport",
  "onDiscard",
  "compile",
];

const isClass = (value: unknown): value is { readonly name: string } =>
  typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));

/** The adapter for a foreign thing, recognised by its methods. */
function adapterFor(value: unknown): string | undefined {
  if (value === undefined || value === null) return "the source is missing: look at where it is imported or returned";
  if (isClass(value)) return `a class: its instance may be one, new ${value.name}()`;
  if (typeof value === "function") return "call it, or hand it to producer() as its handleDemand";
  if (typeof value !== "object") return undefined;
  if (has(value, "then", "stop", "drain"))
    return "leave its sink out: a pipeline that ends in a sink has no events to give";
  if (has(value, "json", "text", "arrayBuffer")) return "the source is its body";
  const { kind } = value as { readonly kind?: unknown };
  if (kind === "consumer" || kind === "sink") return "a consumer takes events, and gives none";
  if (kind === "step") return "the source comes first, then the steps";
  if (has(value, "getReader")) return "wrap it with fromReadableStream from headrace/web";
  if (has(value, "getWriter")) return "intoWritableStream from headrace/web makes a consumer of it";
  if (has(value, "read", "on")) return "wrap it with fromReadable from headrace/node";
  if (has(value, "write", "on")) return "intoWritable from headrace/node makes a consumer of it";
  if (has(value, "subscribe")) return "wrap it with fromObservable(observable, { overflow }) from headrace/rxjs";
  if (has(value, "emit", "on") || has(value, "addEventListener"))
    return "wrap it with fromEvents(emitter, name, { overflow }) from headrace/events";
  if (Symbol.iterator in value || Symbol.asyncIterator in value) return "wrap it with fromIterable";
  if (value instanceof ArrayBuffer) return "put it into an array, as new Uint8Array(buffer)";
  return has(value, "then") ? "await it first" : undefined;
}

/** The adapter that makes a step or a sink of a foreign thing. */
function stepFor(value: unknown): string | undefined {
  if (value === undefined || value === null) return "a step is missing: look at where it is imported or returned";
  if (isClass(value)) return "a class is no step: makeStep from headrace/adapter makes one of a function";
  if (typeof value === "function") {
    const called = value.name ? `${value.name}() is called if it is a step` : "a step is called, as collect()";
    return `map(fn) takes a function, throughOperators from headrace/rxjs an operator, and ${called}`;
  }
  if (typeof value !== "object") return undefined;
  if (has(value, "then", "stop", "drain"))
    return "a pipeline that ends in a sink runs by itself: compose(...steps) makes one step of several";
  if (has(value, "then")) return "await it first";
  if (Array.isArray(value)) return "compose(list) makes one step of it";
  if (has(value, "getWriter")) return "intoWritableStream from headrace/web makes a sink of it";
  if ("readable" in value && "writable" in value && !has(value, "write"))
    return "throughTransformStream from headrace/web makes a step of it";
  if (has(value, "write", "read", "on")) return "throughDuplex from headrace/node makes a step of it";
  if (has(value, "write", "on")) return "intoWritable from headrace/node makes a sink of it";
  if (Symbol.iterator in value || Symbol.asyncIterator in value)
    return "a source comes first; merge and concat make one of several";
  const options = Object.keys(value).filter((name) => PIPELINE.includes(name));
  return options.length > 0 ? `options come in front, pipeline.with({ ${options.join(", ")} })(source, …)` : undefined;
}

/** A hostile value can throw wherever it is inspected. */
function careful(advise: (value: unknown) => string | undefined, value: unknown): string | undefined {
  try {
    return advise(value);
  } catch {
    return undefined;
  }
}

/** Advice for a value that is no stage; empty where there is none. */
export function adviceFor(value: unknown): string | undefined {
  return careful(adapterFor, value);
}

/** Advice for a value that is no step; empty where there is none. */
export function adviceForStep(value: unknown): string | undefined {
  return careful(stepFor, value);
}
