// The commonest mistakes, a block each: the compiler's answer is kept in test/types/mistakes.test.ts. It does not compile.
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { createServer, type ServerResponse } from "node:http";
import { EventEmitter } from "node:events";
import {
  balance,
  broadcast,
  collect,
  filter,
  fromIterable,
  intoGroups,
  lines,
  map,
  mapAsync,
  partitionBy,
  pipeline,
  reduce,
  tap,
} from "headrace";
import { throughDuplex } from "headrace/node";
import { consumerSupervisor } from "headrace/supervise";
import { of, map as rxMap } from "rxjs";

declare const response: ServerResponse;
const numbers = fromIterable([1, 2, 3]);
const rules = [map((n: number) => n)];
// What is no mistake: without types a stream's events are those that it declares.
void pipeline(createReadStream("words.gz"), throughDuplex(createGunzip()), lines(), collect());
void createServer;

// # a step that does not fit
pipeline(
  numbers,
  map((text: string) => text),
  collect(),
);
// # an async function in map
pipeline(
  numbers,
  map(async (n) => n),
  collect(),
);
// # an async function in filter
pipeline(
  numbers,
  filter(async (n) => n > 1),
  collect(),
);
// # an async function in reduce
pipeline(
  numbers,
  reduce(async (sum, n) => sum + n, 0),
);
// # an async function in tap
pipeline(
  numbers,
  tap(async (n) => void n),
  collect(),
);
// # a sink in front of a step
pipeline(
  numbers,
  collect(),
  map((n) => n),
);
// # an Observable as a source
pipeline(of(1), collect());
// # an emitter as a source
pipeline(new EventEmitter(), collect());
// # a string as a source
pipeline("abc", collect());
// # a typed array as a source
pipeline(new Uint8Array(3), collect());
// # a function as a source
pipeline(() => [1], collect());
// # a promise as a source
pipeline(fetch("http://localhost"), collect());
// # a response as a source
pipeline({} as Response, collect());
// # an operator of RxJS as a step
pipeline(
  numbers,
  rxMap((n: number) => n),
  collect(),
);
// # a sink that is not called
pipeline(numbers, collect);
// # a Writable as a sink
pipeline(numbers, response);
// # a list of steps
pipeline(numbers, rules, collect());
// # a step behind a partition
pipeline(
  numbers,
  partitionBy((n) => n, { partitions: 2 }),
  collect(),
);
// # a pipeline with a sink as a source
pipeline(pipeline([1], collect()), collect());
// # a branch that is async
pipeline(
  numbers,
  balance(2, (events) => pipeline(events, collect()).done),
);
// # branches that differ
pipeline(numbers, broadcast({ a: (events) => events, b: (events) => pipeline(events, collect()) }));
// # a group without a sink
pipeline(
  numbers,
  intoGroups(
    (n) => n,
    (events) => events,
  ),
);
// # a child that is not returned
consumerSupervisor({ start: (n: number) => console.log(n) });
// # a permanent child of an event
consumerSupervisor({ start: async (n: number) => n, restart: "permanent" });
// # a callback with a parameter of its own
pipeline(numbers, mapAsync(Number.parseInt), collect());
