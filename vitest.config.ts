import { defineConfig } from "vitest/config";

// One list for vite's resolver and, through `ssr`, for the node processes that vitest starts.
const conditions = ["@headrace/source", "node"];
const common = { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: conditions } } };

const ofSteps = [
  "test/unit/{steps,pipeline}/**/*.test.ts",
  "test/protocol/composition.test.ts",
  "test/properties/{chains,steps}.test.ts",
];
const setupFiles = ["test/support/compiled.ts"];

export default defineConfig({
  ...common,
  test: {
    coverage: {
      provider: "v8",
      include: ["src/**", "adapters/**"],
      reporter: ["text", "json-summary"],
      thresholds: { "src/**": { lines: 97, branches: 97 } },
    },
    projects: [
      { ...common, test: { name: "node", include: ["test/**/*.test.ts"] } },
      // What concerns per-event steps, with loops made by headrace/compile from the first event on.
      { ...common, test: { name: "compiled", include: ofSteps, setupFiles, env: { HEADRACE_COMPILE: "1" } } },
    ],
  },
});
