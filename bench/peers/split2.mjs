import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import split2 from "split2";

/** What the steps leave, each event as a line of JSON, as far as it can be written so. */
export const others = async (array, steps) => {
  const events = steps.reduce((all, [kind, fn]) => all[kind](fn), array);
  let count = 0;
  const objects = Readable.from(events.map((event) => `${JSON.stringify({ text: String(event) })}\n`)).pipe(
    split2(JSON.parse),
  );
  for await (const _ of objects) count += 1;
  return count;
};

const read = {
  split2: (_, { file, highWaterMark }) =>
    new Promise((resolve, reject) => {
      let length = 0;
      const count = (line) => {
        length += line.length + 1;
      };
      const source = createReadStream(file, { highWaterMark }).on("error", reject);
      source
        .pipe(split2())
        .on("data", count)
        .on("error", reject)
        .on("end", () => resolve(length));
    }),
};
export const steps = { "lines, 64 KB chunks": read, "lines, 256 KB chunks": read };
