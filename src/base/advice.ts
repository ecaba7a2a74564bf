const has = (value: unknown, ...names: readonly string[]): boolean =>
  names.every((name) => typeof (value as Record<string, unknown>)[name] === "function");

/** The adapter for a foreign thing, recognised by its methods. */
function adapterFor(value: unknown): string | undefined {
  if (typeof value === "function") return "call it, or hand it to producer() as its handleDemand";
  if (typeof value !== "object" || value === null) return undefined;
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
  return has(value, "then") ? "await it first" : undefined;
}

/** The adapter that makes a step or a sink of a foreign thing. */
function stepFor(value: unknown): string | undefined {
  if (typeof value === "function")
    return "map(fn) takes a function, throughOperators from headrace/rxjs an operator, and collect is called: collect()";
  if (typeof value !== "object" || value === null) return undefined;
  if (has(value, "getWriter")) return "intoWritableStream from headrace/web makes a sink of it";
  if ("readable" in value && "writable" in value && !has(value, "write"))
    return "throughTransformStream from headrace/web makes a step of it";
  if (has(value, "write", "read", "on")) return "throughDuplex from headrace/node makes a step of it";
  return has(value, "write", "on") ? "intoWritable from headrace/node makes a sink of it" : undefined;
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
