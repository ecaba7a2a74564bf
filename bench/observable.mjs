// One run of the observable scenario: a synchronous Observable of numbers → sum, as it is or with a producer and a link in between.
// node bench/observable.mjs LIBRARY EVENTS; prints events per second. Five shorter runs go before, unmeasured.
import { range, reduce } from "rxjs";
import { fromObservable, toObservable } from "../dist/adapters/rxjs/index.js";

const [library, count] = process.argv.slice(2);

const libraries = {
  rxjs: (source) => source,
  headrace: (source) => toObservable(fromObservable(source, { overflow: "throw", bufferSize: 1000 })),
};

const run = (events) =>
  new Promise((resolve, reject) => {
    let sum = 0;
    libraries[library](range(0, events))
      .pipe(reduce((total, n) => total + n, 0))
      .subscribe({
        next: (total) => {
          sum = total;
        },
        error: reject,
        complete: () => resolve(sum),
      });
  });

const events = Number(count);
for (let i = 0; i < 5; i += 1) await run(Math.ceil(events / 10));
const start = performance.now();
const sum = await run(events);
const seconds = (performance.now() - start) / 1000;
const expected = (events * (events - 1)) / 2;
if (sum !== expected) throw new Error(`${library}: expected ${expected}, got ${sum}`);
console.log(Math.round(events / seconds));
