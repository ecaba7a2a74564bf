import { defineConfig } from "vitest/config";

// One list for vite's resolver and, through `ssr`, for the node processes that vitest starts.
const conditions = ["@headrace/source", "node"];
const common = { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: conditions } } };

export default defineConfig({
  ...common,
  test: {
    coverage: {
      provider: "v8",
      include: ["src/**", "adapters/**"],
      reporter: ["text", "json-summary"],
      thresholds: { "src/**": { lines: 97, branches: 97 } },
    },
    projects: [{ ...common, test: { name: "node", include: ["test/**/*.test.ts"] } }],
  },
});
