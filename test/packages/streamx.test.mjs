// streamx, and bare-stream, which is made of it.
import streamx from "streamx";
import bare from "bare-stream";
import { check } from "./checks.mjs";

const transformed = (fn, chunk, callback) => {
  let result;
  try {
    result = fn(chunk);
  } catch (error) {
    callback(error);
    return;
  }
  callback(null, result);
};

check("streamx", {
  readable: (read) =>
    new streamx.Readable({
      read(callback) {
        const chunk = read();
        if (chunk !== undefined) this.push(chunk);
        callback(null);
      },
    }),
  writable: (write) => new streamx.Writable({ write }),
  transform: (fn) => new streamx.Transform({ transform: (chunk, callback) => transformed(fn, chunk, callback) }),
});

check("bare-stream", {
  readable: (read) =>
    new bare.Readable({
      read() {
        const chunk = read();
        if (chunk !== undefined) this.push(chunk);
      },
    }),
  writable: (write) => new bare.Writable({ write: (chunk, _encoding, callback) => write(chunk, callback) }),
  transform: (fn) =>
    new bare.Transform({ transform: (chunk, _encoding, callback) => transformed(fn, chunk, callback) }),
});
