// headrace: Observables in and out.
import { pipeline, reduce } from "headrace";
import { fromObservable, toObservable } from "headrace/rxjs";
import { lastValueFrom, range, reduce as rxReduce } from "rxjs";

export { others } from "./headrace.mjs";

export const observable = {
  "rxjs 7": {
    headrace: (events, { add }) =>
      lastValueFrom(
        toObservable(fromObservable(range(0, events), { overflow: "throw", bufferSize: 1000 })).pipe(rxReduce(add, 0)),
      ),
    "headrace, in only": (events, { add }) =>
      pipeline(fromObservable(range(0, events), { overflow: "throw", bufferSize: 1000 }), reduce(add, 0)).done,
  },
};
