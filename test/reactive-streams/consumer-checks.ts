import { deepEqual, doesNotThrow, equal } from "node:assert/strict";
import { type End, failureOf, type Reason } from "../../src/index.ts";
import { turns } from "../support/runtime.ts";
import { complete, failed, ManualProducer } from "./harness.ts";

/** A consumer with one link, and what it has seen. It asks and cancels when it is told to. */
export interface Probe {
  readonly seen: unknown[];
  readonly ends: Reason[];
  readonly connect: (source: ManualProducer<unknown>) => void;
  readonly ask: (count: number) => void;
  readonly cancel: () => void;
  /** Ends the consumer, as far as it has not ended. */
  readonly stop: () => Promise<void>;
}
export interface Handlers {
  readonly event?: (event: unknown) => unknown;
  readonly end?: () => unknown;
}
export type ProbeFactory = (handlers?: Handlers) => Probe;
export interface ConsumerCheck {
  readonly rule: string;
  readonly title: string;
  readonly run: (make: ProbeFactory) => Promise<void>;
}

const check = (rule: string, title: string, run: ConsumerCheck["run"]): ConsumerCheck => ({ rule, title, run });

/** What a consumer says to a source that has ended so: it confirms a good end, once. */
const lastWords = (reason: Reason): readonly End[] => (reason.type === "complete" ? [{ reason: complete }] : []);

async function connected(make: ProbeFactory, handlers?: Handlers) {
  const source = new ManualProducer<unknown>();
  const probe = make(handlers);
  probe.connect(source);
  await turns();
  return { source, probe };
}

const endings = [
  ["completes", complete],
  ["fails", failed("E")],
] as const;

export const consumerChecks: readonly ConsumerCheck[] = [
  check("0d", "asks, gets, and cancels", async (make) => {
    const { source, probe } = await connected(make);
    probe.ask(1);
    probe.ask(1);
    await turns();
    deepEqual(source.asked, 2);
    source.emit("a");
    await turns();
    deepEqual(probe.seen, ["a"]);
    probe.ask(1);
    source.emit("b");
    await turns();
    deepEqual(probe.seen, ["a", "b"]);
    probe.cancel();
    await turns();
    deepEqual(
      source.ends.map(({ reason }) => reason.type),
      ["cancel"],
    );
    deepEqual(source.flaws, []);
  }),
  check("2.1a", "asks before it gets", async (make) => {
    const { source, probe } = await connected(make);
    probe.ask(1);
    await turns();
    deepEqual(source.asks, [1]);
    source.emit("a");
    await turns();
    deepEqual(probe.seen, ["a"]);
  }),
  check("2.1c", "without an ask nothing is asked of the source", async (make) => {
    const { source, probe } = await connected(make);
    await turns();
    deepEqual([source.asks, source.ends, probe.seen], [[], [], []]);
  }),
  ...endings.map(([how, reason]) =>
    check(
      how === "completes" ? "2.3a" : "2.3b",
      `asks and cancels inside the handler of the end do not reach a source that ${how}`,
      async (make) => {
        const { source, probe } = await connected(make, {
          end: () => {
            probe.ask(1);
            probe.cancel();
          },
        });
        probe.ask(1);
        await turns();
        source.finish(reason);
        await turns();
        deepEqual(probe.ends, [reason]);
        deepEqual([source.asks, source.ends, source.flaws], [[1], lastWords(reason), []]);
      },
    ),
  ),
  check("2.3c", "nor later in a handler that waits", async (make) => {
    const { source, probe } = await connected(make, {
      end: async () => {
        await turns(1);
        probe.ask(1);
        probe.cancel();
      },
    });
    source.finish();
    await turns(8);
    deepEqual([probe.ends, source.asks, source.ends, source.flaws], [[complete], [], lastWords(complete), []]);
  }),
  ...endings.map(([how, reason]) =>
    check(
      "2.4",
      `says ${how === "completes" ? "one last word" : "nothing more"} to a source that ${how}, not another when it stops itself`,
      async (make) => {
        const { source, probe } = await connected(make);
        probe.ask(3);
        await turns();
        source.emit("a");
        await turns();
        source.finish(reason);
        await turns();
        probe.ask(1);
        probe.cancel();
        await probe.stop();
        await turns();
        deepEqual([probe.seen, probe.ends], [["a"], [reason]]);
        deepEqual([source.asks, source.ends, source.flaws], [[3], lastWords(reason), []]);
      },
    ),
  ),
  check("2.8a", "takes no notice of events after its cancel", async (make) => {
    const { source, probe } = await connected(make);
    probe.ask(1);
    await turns();
    probe.cancel();
    await turns();
    deepEqual(source.ends.length, 1);
    doesNotThrow(() => source.emit("late"));
    probe.ask(1);
    await turns();
    deepEqual([probe.seen, source.asks, source.flaws], [[], [1], []]);
  }),
  check("2.9a", "sees the end after an ask", async (make) => {
    const { source, probe } = await connected(make);
    probe.ask(1);
    source.finish();
    await turns();
    deepEqual(probe.ends, [complete]);
  }),
  check("2.9b", "sees the end without an ask", async (make) => {
    const { source, probe } = await connected(make);
    source.finish();
    await turns();
    deepEqual([probe.ends, source.ends, source.flaws], [[complete], lastWords(complete), []]);
  }),
  check("2.10a", "sees a failure after asks", async (make) => {
    const { source, probe } = await connected(make);
    probe.ask(1);
    probe.ask(1);
    source.finish(failed("E"));
    await turns();
    deepEqual(probe.ends, [failed("E")]);
  }),
  check("2.10b", "sees a failure without an ask", async (make) => {
    const { source, probe } = await connected(make);
    source.finish(failed("E"));
    await turns();
    deepEqual([probe.ends, source.flaws], [[failed("E")], []]);
  }),
  check("2.13b", "takes null, undefined and other empty values as events", async (make) => {
    const values = [null, undefined, 0, "", false, Number.NaN];
    const { source, probe } = await connected(make);
    probe.ask(10);
    await turns();
    source.emit(...values);
    source.emit(null);
    await turns();
    deepEqual(probe.seen, [...values, null]);
  }),
  check("2.13c", "takes a failure with an empty value for a failure", async (make) => {
    for (const error of [undefined, null, 0, ""]) {
      const { source, probe } = await connected(make);
      source.finish(failed(error));
      await turns();
      deepEqual(probe.ends, [failed(error)]);
    }
  }),
  ...(["throws", "rejects"] as const).map((how) =>
    check("2.13d", `a handler that ${how} cancels once, and sees nothing more`, async (make) => {
      const error = new Error("handler");
      const { source, probe } = await connected(make, {
        event: (event) => {
          if (event !== 1) return undefined;
          if (how === "rejects") return Promise.reject(error);
          throw error;
        },
      });
      probe.ask(5);
      await turns();
      for (let event = 0; event < 5; event += 1) {
        source.emit(event);
        await turns();
      }
      deepEqual(probe.seen, [0, 1]);
      deepEqual(source.ends.length, 1);
      const reason = source.ends[0]?.reason;
      equal(reason?.type === "failure" && reason.error, error);
      deepEqual(failureOf(error)?.events, [1]);
      deepEqual(source.flaws, []);
    }),
  ),
  check("3.8a", "its asks add up", async (make) => {
    const { source, probe } = await connected(make);
    probe.ask(2);
    await turns();
    deepEqual(source.asked, 2);
    source.emit("a");
    source.emit("b");
    await turns();
    deepEqual([probe.seen, source.asked], [["a", "b"], 2]);
    probe.ask(3);
    await turns();
    deepEqual([source.asked, source.flaws], [5, []]);
  }),
  check("3.10", "survives events and the end that come before its ask returns", async (make) => {
    const { source, probe } = await connected(make);
    source.onAsk = () => void source.emit("a", "b").finish();
    probe.ask(2);
    await turns();
    deepEqual([probe.seen, probe.ends], [["a", "b"], [complete]]);
    deepEqual([source.ends, source.flaws], [lastWords(complete), []]);
  }),
  check("3.11", "survives an end that comes before its subscription is handed over", async (make) => {
    for (const [, reason] of endings) {
      const source = new ManualProducer<unknown>();
      source.onAttach = () => void source.finish(reason);
      const probe = make();
      probe.connect(source);
      await turns();
      deepEqual([probe.ends, source.asks, source.ends, source.flaws], [[reason], [], lastWords(reason), []]);
    }
  }),
];

/** The checks of a rule, for those who expect one of them to fail. */
export async function consumerCheck(rule: string, make: ProbeFactory): Promise<void> {
  const found = consumerChecks.filter((candidate) => candidate.rule === rule);
  if (found.length === 0) throw new Error(`no check of rule ${rule}`);
  for (const { run } of found) await run(make);
}
