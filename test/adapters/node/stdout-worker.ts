// Writes to the standard output of a worker thread, which is no file, and tells whether that has ended it.
import { parentPort } from "node:worker_threads";
import { intoWritable } from "../../../adapters/node/index.ts";
import { fromIterable } from "../../../src/index.ts";

const sink = intoWritable<string>(process.stdout, { end: true });
sink.subscribe(fromIterable([""]));
await sink.done;
parentPort?.postMessage({ state: sink.state, ended: process.stdout.writableEnded });
