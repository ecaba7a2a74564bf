// Files that are read, made once in the folder for temporary files, and found there afterwards.
import { closeSync, existsSync, openSync, renameSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MB = 2 ** 20;

/** A file of so many megabytes, under its name only when it is whole; `megabyte` gives exactly one, differently each time. */
function fixture(name, mb, megabyte) {
  const path = join(tmpdir(), `headrace-bench-${name}-${mb}`);
  const make = () => {
    if (existsSync(path)) return;
    const made = `${path}.${process.pid}`;
    const handle = openSync(made, "w");
    for (let i = 0; i < mb; i += 1) writeSync(handle, megabyte());
    closeSync(handle);
    renameSync(made, path);
  };
  return { path, make, bytes: mb * MB };
}

let state = 1;
const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
const sentence = "the water of the race turns the wheel of the mill ";

/** Lines of 20 to 180 letters; HEADRACE_BENCH_MB of them, 256 unless set. */
export const linesFile = fixture("lines", Number(process.env.HEADRACE_BENCH_MB ?? 256), () => {
  let text = "";
  while (text.length < MB - 200) text += `${sentence.repeat(4).slice(0, 20 + ((random() >>> 8) % 160))}\n`;
  return `${text}${"x".repeat(MB - text.length - 1)}\n`;
});

/** Text that compresses, differently in each megabyte. */
export const bytesFile = (mb) =>
  fixture("bytes", mb, () => {
    const megabyte = Buffer.alloc(MB, sentence);
    for (let at = 0; at < MB; at += 16) megabyte.writeUInt32LE(random(), at);
    return megabyte;
  });

/** Megabytes in as many chunks as a file would give them, a line's end behind every so many bytes. */
export const longLines = {
  bytes: 64 * MB,
  *chunks(bytes, every) {
    const size = 2 ** 16;
    for (let at = 0; at < bytes; at += size) {
      const chunk = Buffer.alloc(size, "x");
      if ((at + size) % every === 0) chunk[size - 1] = 0x0a;
      yield chunk;
    }
  },
  expected: (bytes) => bytes,
};
