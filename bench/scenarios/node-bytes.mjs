import { readFileSync, rmSync, statSync } from "node:fs";
import { createGzip, gunzipSync } from "node:zlib";
import { bytesFile } from "../fixtures.mjs";

/** `sizeOf` says how many bytes have gone into a file; it is deleted once it has been looked at. */
const move = (mb, transforms, sizeOf) => {
  const file = bytesFile(mb);
  return {
    work: { from: file.path, to: `${file.path}.out`, transforms },
    prepare: file.make,
    size: file.bytes,
    expected: (_, { to }) => {
      const size = sizeOf(to);
      rmSync(to);
      return size;
    },
    warm: 1,
    unit: "B",
  };
};

export const title = "a file is copied, and compressed";
export const cases = {
  copy: move(
    256,
    () => [],
    (file) => statSync(file).size,
  ),
  gzip: move(
    16,
    () => [createGzip()],
    (file) => gunzipSync(readFileSync(file)).length,
  ),
};
export const columns = ["wall", "cpu", "rss"];
export const targets = Object.keys(cases).map((group) => ({
  case: group,
  ours: "headrace",
  theirs: "stream.pipeline",
  least: 0.97,
}));
