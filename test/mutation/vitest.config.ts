import { defineConfig } from "vitest/config";

const conditions = ["@headrace/source", "node"];

/** The tests that hold the state machine and the dispatchers to their rules. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: [
      "test/unit/{stage,dispatchers,adapter}/**/*.test.ts",
      "test/{protocol,genstage,reactive-streams}/**/*.test.ts",
    ],
  },
});
