import { compiler, type Compiler } from "../../src/compile/index.ts";
import { defaultRuntime } from "../../src/runtime/engine.ts";

/** With HEADRACE_COMPILE=1 every row of per-event steps gets a loop of its own from its first event on. */
export const compile: Compiler | undefined =
  process.env["HEADRACE_COMPILE"] === "1" ? compiler({ after: 0 }) : undefined;

Object.assign(defaultRuntime, { compile });
