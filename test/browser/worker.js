// Import maps do not reach workers.
import { collect, fromIterable, map, pipeline } from "../../dist/src/index.js";

const square = map((n) => n * n);
postMessage(await pipeline(fromIterable([1, 2, 3]), square, collect()).done);
