import { Readable, Writable } from "node:stream";
import { doubledAndKept, objects } from "./work.mjs";

/** A Node stream of objects, as a driver or a parser gives them. */
function source(events) {
  let next = 0;
  return new Readable({
    objectMode: true,
    read() {
      this.push(next < events ? objects.make(next++) : null);
    },
  });
}
/** A Node stream that adds up what is written to it. */
function sink() {
  const stream = new Writable({
    objectMode: true,
    write(event, _, done) {
      stream.sum = objects.add(stream.sum, event);
      done();
    },
  });
  return Object.assign(stream, { sum: 0 });
}

export const title = "a Readable of objects, double, keep what 3 divides, into a Writable";
export const cases = { objects: { work: { ...objects, source, sink }, expected: doubledAndKept } };
export const targets = [{ case: "objects", ours: "headrace", theirs: "node transforms", least: 3 }];
