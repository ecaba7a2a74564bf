import { afterEach, describe, expect, test, vi } from "vitest";
import { fromReadable } from "../../adapters/node/index.ts";
import { hearRejections } from "../../src/conformance/rejections.ts";
import { type Adapter, conformance, runConformance } from "../../src/conformance/index.ts";
import { Watcher } from "../../src/conformance/watcher.ts";
import { type ConsumerPort, type Producer, type ProducerPort, producer } from "../../src/index.ts";
import { readable, sourcesOf, Tally } from "./foreign.ts";
import { intoQueue } from "./queue-others.ts";
import { fromQueue } from "./queue-source.ts";

/** A watcher of a producer that says what it likes. */
function watched(attach: (port: ConsumerPort<unknown>) => void = () => {}): {
  watcher: Watcher;
  port: ConsumerPort<unknown>;
  said: unknown[];
} {
  const said: unknown[] = [];
  let port: ConsumerPort<unknown> | undefined;
  const stage = Object.create(producer(() => {})) as Producer<unknown>;
  const answer: ProducerPort = { ask: (count) => void said.push(count), end: (end) => void said.push(end) };
  Object.defineProperty(stage, "~attach", {
    value: (given: ConsumerPort<unknown>) => {
      port = given;
      attach(given);
      return answer;
    },
  });
  const watcher = new Watcher(stage, []);
  return { watcher, port: port!, said };
}

describe("a watcher", () => {
  test("3.1 notices events that were not asked for", () => {
    const { watcher, port } = watched();
    watcher.ask(2);
    port.events([0]);
    expect([watcher.pending, watcher.flaws]).toEqual([1, []]);
    port.events([1, 2]);
    expect(watcher.flaws).toEqual(["rule 3.1: 3 events were delivered, 2 were asked for"]);
  });

  test("2.1 notices a batch that is no array", () => {
    const { watcher, port } = watched();
    port.events(5 as never);
    expect(watcher.flaws).toEqual(["rule 2.1: a batch was no array"]);
  });

  test("2.4 notices events behind the end, and a second end", () => {
    const { watcher, port } = watched();
    watcher.ask(1);
    port.end({ reason: { type: "complete" } });
    port.events([0]);
    port.end({ reason: { type: "complete" } });
    expect(watcher.state).toBe("ended");
    expect(watcher.flaws).toEqual(["rule 2.4: events came after the end", "rule 2.4: the subscription ended twice"]);
  });

  test("RS-1.9b notices events before the subscription", () => {
    const { watcher } = watched((port) => port.events([0]));
    expect(watcher.flaws[0]).toBe("RS-1.9b: events came before the subscription");
  });

  test("6.5 notices events inside the handling of events", () => {
    const { watcher, port } = watched();
    watcher.each = (event) => {
      if (event === 0) port.events([1]);
    };
    watcher.ask(2);
    port.events([0]);
    expect(watcher.flaws).toEqual(["rule 6.5: events came inside the handling of events"]);
  });

  test("5.6 gives back what crosses its cancel, and notices what comes long after", () => {
    const { watcher, port, said } = watched();
    expect(watcher.state).toBe("active");
    watcher.ask(3).cancel();
    port.events([0]);
    expect(watcher.flaws).toEqual([]);
    watcher.seal();
    port.events([1]);
    expect(watcher.flaws).toEqual(["rule 2.4: events came long after a cancel"]);
    const reason = { type: "cancel" };
    expect(said).toEqual([3, { reason, unstarted: [] }, { reason, unstarted: [0] }, { reason, unstarted: [1] }]);
  });

  test("3.8 gives back the rest of a batch within which it cancels", () => {
    const { watcher, port, said } = watched();
    watcher.each = () => watcher.cancel();
    watcher.ask(3);
    port.events([0, 1, 2]);
    expect(said).toEqual([3, { reason: { type: "cancel" }, unstarted: [1, 2] }]);
  });

  test("1.9 subscribes once", () => {
    expect(() => watched().watcher.resubscribe()).toThrow("a watcher subscribes once");
  });
});

describe("unhandled rejections", () => {
  afterEach(() => void vi.unstubAllGlobals());

  test("7.3 are heard in a browser", () => {
    const listeners: ((event: object) => void)[] = [];
    vi.stubGlobal("process", undefined);
    vi.stubGlobal("addEventListener", (_name: string, listener: () => void) => void listeners.push(listener));
    vi.stubGlobal("removeEventListener", (_name: string, listener: () => void) => {
      listeners.splice(listeners.indexOf(listener), 1);
    });
    const heard: unknown[] = [];
    const stop = hearRejections((reason) => void heard.push(reason));
    const preventDefault = vi.fn<() => void>();
    listeners[0]?.({ reason: "mine", preventDefault });
    stop();
    expect([heard, listeners, preventDefault.mock.calls.length]).toEqual([["mine"], [], 1]);
  });

  test("7.3 are not heard where nobody tells of them", () => {
    vi.stubGlobal("process", undefined);
    vi.stubGlobal("addEventListener", undefined);
    expect(hearRejections(() => {})()).toBeUndefined();
  });
});

const failures = async (adapter: Adapter): Promise<string[]> =>
  (await runConformance(adapter)).filter(({ outcome }) => outcome === "fail").map(({ rule }) => rule);

describe("capabilities", () => {
  test("7.2 an adapter whose failures are wrapped says so", async () => {
    const adapter: Adapter = {
      name: "wrapping",
      ...sourcesOf((tally, options) => fromQueue(tally, options, "wraps the error").producer),
      capabilities: { failsWithAnything: true },
    };
    expect(await failures(adapter)).toEqual(["RS-1.4a", "7.2b", "7.2c", "RS-1.4e", "RS-1.7b", "1.5b"]);
    expect(await failures({ ...adapter, capabilities: { failsByIdentity: false } })).toEqual([]);
  });

  test("7.2 so does a sink", async () => {
    const adapter: Adapter = {
      name: "wrapping",
      sink: (probe, options) => intoQueue(probe, options, "wraps the failure of its source"),
    };
    expect(await failures(adapter)).toEqual(["7.2f", "5.4f"]);
    expect(await failures({ ...adapter, capabilities: { failsByIdentity: false } })).toEqual([]);
  });
});

conformance(
  {
    name: "fromReadable, left to its owner",
    source: (count, options) => {
      const tally = new Tally({ count });
      const stream = readable(tally, 2);
      const back: unknown[] = [];
      return {
        producer: fromReadable(stream, { ...options, destroyOnCancel: false }),
        putBack: () => {
          for (let event: unknown = stream.read(); event !== null; event = stream.read()) back.push(event);
          return back;
        },
      };
    },
  },
  { test },
);
