import { describe, expect, test } from "vitest";
import { consumer, producer, producerConsumer, type Reason, type Stage, type StageKind } from "../../../src/index.ts";
import { testRuntime, turns } from "../../support/runtime.ts";
import { boom, say, sayReason } from "./rig.ts";

const kinds = ["producer", "producerConsumer", "consumer"] as const;

/** Three stages in a row which note what they go through, and who is told of it; the one under test is in the middle of its peers. */
class Chain {
  readonly log: string[] = [];
  readonly runtime = testRuntime();
  readonly abort = new AbortController();
  readonly stage: Stage;
  terminated: (() => unknown) | undefined;

  constructor(kind: StageKind) {
    const { runtime } = this;
    const watching = (name: string) => ({
      handleCancel: (reason: Reason) => this.note(`handleCancel of ${name}`, sayReason(reason)),
      terminate: (reason: Reason, stage: { readonly signal: AbortSignal }) => {
        this.note(`terminate of ${name}`, sayReason(reason), stage.signal.aborted ? "aborted" : "not aborted");
        return name === "stage" ? this.terminated?.() : undefined;
      },
      init: (stage: { readonly signal: AbortSignal }) =>
        stage.signal.addEventListener("abort", () => this.note(`signal of ${name}`, say(stage.signal.reason))),
    });
    const behaviour = {
      ...watching("stage"),
      handleDemand: () => {},
      handleEvents: (events: readonly string[]) => events,
    };
    const options = { runtime, signal: this.abort.signal, onDiscard: () => {} };
    const source = producer<string>({ ...watching("source"), handleDemand: () => {} }, { runtime });
    const sink = consumer<string>({ ...watching("sink"), handleEvents: () => {} }, { runtime });
    const follow = { cancel: "temporary", maxDemand: 1 } as const;
    if (kind === "consumer") {
      const made = consumer<string>(behaviour, { runtime, signal: this.abort.signal });
      made.subscribe(source, follow);
      this.stage = made;
    } else if (kind === "producer") {
      const made = producer<string>(behaviour, options);
      sink.subscribe(made, follow);
      this.stage = made;
    } else {
      const made = producerConsumer<string, string>(behaviour, options);
      made.subscribe(source, follow);
      sink.subscribe(made, follow);
      this.stage = made;
    }
    this.stage.done.then(
      () => this.note("done", "fulfilled"),
      (error: unknown) => this.note("done", say(error)),
    );
  }

  note(...words: string[]): void {
    this.log.push(words.join(": "));
  }
}

/** What the peers of a stage go through when it has ended. */
const peers = (kind: StageKind, how: string): string[] => [
  ...(kind === "producer" ? [] : [`handleCancel of source: ${how}`]),
  ...(kind === "consumer" ? [] : [`handleCancel of sink: ${how}`]),
];

describe.each(kinds)("5.5 the end of a %s", (kind) => {
  test.each<[string, string, string, string, (chain: Chain) => void]>([
    ["stop()", "stop", "AbortError", "fulfilled", (chain: Chain) => void chain.stage.stop()],
    ["stop(boom)", "stop boom", "boom", "boom", (chain: Chain) => void chain.stage.stop({ reason: boom })],
    [
      "complete()",
      "complete",
      "AbortError",
      "fulfilled",
      ({ stage }: Chain) => void stage.call((self) => self.complete()).catch(() => {}),
    ],
    [
      "fail(boom)",
      "failure boom",
      "boom",
      "boom",
      ({ stage }: Chain) => void stage.call((self) => self.fail(boom)).catch(() => {}),
    ],
    ["abort", "failure boom", "boom", "boom", ({ abort }: Chain) => abort.abort(boom)],
  ])("5.5 %s: terminate, the links, the peers, done", async (how, reason, signal, done, end) => {
    const chain = new Chain(kind);
    await turns();
    expect(chain.log).toEqual([]);
    end(chain);
    await turns();
    const [first, second, ...rest] = chain.log;
    // A producer hears of a stop before its turn: a callback may be waiting.
    expect([first, second]).toEqual(
      kind === "producer" && how.startsWith("stop")
        ? [`signal of stage: ${signal}`, `terminate of stage: ${reason}: aborted`]
        : [`terminate of stage: ${reason}: not aborted`, `signal of stage: ${signal}`],
    );
    // Peers and done are turns of their own. Which peer comes first is not told.
    expect(rest.toSorted()).toEqual([...peers(kind, reason), `done: ${done}`].toSorted());
    expect(rest.at(-1)).toBe(`done: ${done}`);
  });

  test.each(["stop()", "fail(boom)"] as const)(
    "5.5 %s: the links wait for a terminate that takes time",
    async (how) => {
      const chain = new Chain(kind);
      const gate = Promise.withResolvers<void>();
      chain.terminated = () => gate.promise;
      await turns();
      if (how === "stop()") void chain.stage.stop();
      else void chain.stage.call((self) => self.fail(boom)).catch(() => {});
      await turns();
      const reason = how === "stop()" ? "stop" : "failure boom";
      const last = `terminate of stage: ${reason}`;
      const stopped =
        kind === "producer" ? ["signal of stage: AbortError", `${last}: aborted`] : [`${last}: not aborted`];
      const failed = [`${last}: not aborted`, "signal of stage: boom"];
      expect(chain.log).toEqual(how === "stop()" ? stopped : failed);
      expect(chain.stage.state).toBe("ending");
      gate.resolve();
      await turns();
      expect(chain.log.slice(2).toSorted()).toEqual(
        [...peers(kind, reason), `done: ${how === "stop()" ? "fulfilled" : "boom"}`].toSorted(),
      );
    },
  );

  test("5.5 abort: the links do not wait for terminate, done does", async () => {
    const chain = new Chain(kind);
    const gate = Promise.withResolvers<void>();
    chain.terminated = () => gate.promise;
    await turns();
    chain.abort.abort(boom);
    await turns();
    expect(chain.log.slice(0, 2)).toEqual(["terminate of stage: failure boom: not aborted", "signal of stage: boom"]);
    expect(chain.log.slice(2).toSorted()).toEqual(peers(kind, "failure boom").toSorted());
    expect(chain.stage.state).toBe("ending");
    gate.resolve();
    await turns();
    expect([chain.log.at(-1), chain.stage.state]).toEqual(["done: boom", "failed"]);
  });
});
