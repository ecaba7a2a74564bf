import { test } from "vitest";
import { type Adapter, conformance } from "../../src/conformance/index.ts";
import { concat, merge, queue, reopen } from "../../src/index.ts";
import { asyncIterator, iterator, sourcesOf } from "./foreign.ts";

const once = { attempts: 1 };

const adapters: Adapter[] = [
  {
    name: "concat, synchronous",
    ...sourcesOf((tally, options) => concat.with(options as never)(iterator(tally))),
    silentSource: undefined,
    capabilities: { endsUnasked: false },
    refuses: (foreign) => concat(foreign as never),
  },
  {
    name: "concat, asynchronous",
    ...sourcesOf((tally, options) => concat.with(options as never)(asyncIterator(tally), [])),
    capabilities: { endsUnasked: false },
    refuses: (foreign) => concat(foreign as never),
  },
  {
    name: "merge, synchronous",
    ...sourcesOf((tally, options) => merge.with(options as never)(iterator(tally))),
    silentSource: undefined,
    capabilities: { endsUnasked: false },
    refuses: (foreign) => merge(foreign as never),
  },
  {
    name: "merge, asynchronous",
    ...sourcesOf((tally, options) => merge.with(options as never)([], asyncIterator(tally))),
    capabilities: { endsUnasked: false },
    refuses: (foreign) => merge(foreign as never),
  },
  {
    name: "reopen, synchronous",
    ...sourcesOf((tally, options) => reopen(() => iterator(tally), once, options as never)),
    silentSource: undefined,
    capabilities: { endsUnasked: false },
  },
  {
    name: "reopen, asynchronous",
    ...sourcesOf((tally, options) => reopen(() => asyncIterator(tally), once, options as never)),
    capabilities: { endsUnasked: false },
  },
  {
    name: "queue",
    source: (count, options) => {
      const events = queue<unknown>({ size: 10_000, ...options });
      for (let n = 0; n < count && !options.signal?.aborted; n += 1) events.tryOffer(n);
      events.complete();
      return { producer: events };
    },
  },
];
for (const adapter of adapters) conformance(adapter, { test });
