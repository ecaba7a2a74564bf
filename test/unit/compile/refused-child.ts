// Runs pipelines where no code may be made of text, and prints what was reported and what came out.
import { filter, map, pipeline, reduce } from "../../../src/index.ts";
import { compiler } from "../../../src/compile/index.ts";

const reports: unknown[] = [];
const compile = compiler({ after: 0 });
const onReport = (error: unknown, { stage, phase }: { readonly stage: string; readonly phase: string }): void => {
  const { name, code, message, cause } = error as Error & { readonly code: string };
  reports.push({ name, code, message, cause: String(cause), stage, phase });
};
const build = pipeline.with({ name: "p", compile, onReport });
const results = [];
for (let i = 0; i < 3; i += 1)
  results.push(
    // oxlint-disable-next-line no-await-in-loop -- one behind the other
    await build(
      [1, 2, 3, 4],
      map((n) => n * 2),
      filter((n) => n > 2),
      reduce((sum, n) => sum + n, i),
    ),
  );
console.log(JSON.stringify({ reports, results }));
