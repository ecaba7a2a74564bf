// readable-stream 2 and 3, and what is made of them.
import stream from "node:stream";
import from2 from "from2";
import flushWrite from "flush-write-stream";
import rs2 from "readable-stream-2";
import rs3 from "readable-stream-3";
import through2 from "through2-4";
import { check } from "./checks.mjs";

/** The cases' three makers, of the classes of a readable-stream. */
const makeOf = ({ Readable, Transform, Writable }) => ({
  readable: (read) =>
    new Readable({
      read() {
        const chunk = read();
        if (chunk !== undefined) this.push(chunk);
      },
    }),
  writable: (write) => new Writable({ write: (chunk, _encoding, callback) => write(chunk, callback) }),
  transform: (fn) => new Transform({ transform: transforming(fn) }),
});

const transforming = (fn) => (chunk, _encoding, callback) => {
  let result;
  try {
    result = fn(chunk);
  } catch (error) {
    callback(error);
    return;
  }
  callback(null, result);
};

check("node:stream", makeOf(stream));
check("readable-stream 3", makeOf(rs3));
// It has no `close`: what is destroyed ends.
check("readable-stream 2", { ...makeOf(rs2), endsDestroyed: true });
check("through2 4", { transform: (fn) => through2(transforming(fn)) });
check("from2", {
  readable: (read) =>
    from2(function next(_size, done) {
      const chunk = read();
      if (chunk !== undefined) done(null, chunk);
    }),
});
check("flush-write-stream", {
  writable: (write) => flushWrite((chunk, _encoding, callback) => write(chunk, callback)),
});
