// Fails stages in many ways and prints, for each way, what the platform took for an unhandled rejection.
import {
  consumer,
  fromIterable,
  type Producer,
  producer,
  type ProducerStage,
  producerConsumer,
  type Subscription,
} from "../../../src/index.ts";

const boom = new Error("boom");
/** A producer that a consumer has seen, so that its failure waits for no one. */
const quiet = (): ProducerStage<number> => {
  const stage = producer<number>(() => {});
  stage["~attach"]({ ...seen, consumer: stage }, {} as never);
  return stage;
};
const seen = {
  name: "seen",
  carries: false,
  subscription: {} as Subscription,
  events: (): void => {},
  end: (): void => {},
};
const sink = () => consumer<number>(() => {});
const ignore = (): void => {};
const drain = async (producer_: Producer<number>, cancel: "permanent" | "temporary"): Promise<void> => {
  for await (const _ of producer_.events({ cancel })) ignore();
};

const ways: Readonly<Record<string, () => unknown>> = {
  "nobody looks": () => quiet().fail(boom),
  "no consumer has come yet": () => producer<number>(() => {}).fail(boom),
  "done was looked at, but not observed": () => {
    const stage = quiet();
    void stage.done;
    stage.fail(boom);
  },
  "done is observed": () => {
    const stage = quiet();
    stage.done.catch(ignore);
    stage.fail(boom);
  },
  "done is observed after fail()": () => {
    const stage = quiet();
    stage.fail(boom);
    stage.done.catch(ignore);
  },
  "stop with a failure": () => void quiet().stop({ reason: boom }),
  "stop with a failure, awaited": () => quiet().stop({ reason: boom }),
  "stop as normal": () => quiet().stop({ reason: "normal" }),
  "the caller has aborted": () => {
    const controller = new AbortController();
    sink().subscribe(
      producer<number>(() => {}, { signal: controller.signal }),
      { cancel: "temporary" },
    );
    controller.abort(boom);
  },
  "the caller had aborted": () => void producer(() => {}, { signal: AbortSignal.abort(boom) }),
  "await using": async () => {
    await using stage = quiet();
    stage.fail(boom);
    // The failure of the block is that of the stage.
    await Promise.resolve();
  },
  "a consumer carries it": () => {
    const [stage, carrier] = [quiet(), sink()];
    carrier.done.catch(ignore);
    carrier.subscribe(stage);
    stage.fail(boom);
  },
  "a consumer carries it, and nobody looks there": () => {
    const [stage, carrier] = [quiet(), sink()];
    carrier.subscribe(stage, { cancel: "transient" });
    stage.fail(boom);
  },
  "a chain carries it to its end": () => {
    const stage = quiet();
    const middle = producerConsumer<number, number>((events) => events);
    middle.subscribe(stage);
    sink().subscribe(middle);
    stage.fail(boom);
  },
  "only a temporary subscription": () => {
    const [stage, bystander] = [quiet(), sink()];
    bystander.subscribe(stage, { cancel: "temporary" });
    stage.fail(boom);
  },
  "a loop carries it": () => {
    const stage = quiet();
    const loop = drain(stage, "permanent").catch(ignore);
    stage.fail(boom);
    return loop;
  },
  "only a temporary loop": () => {
    const stage = quiet();
    const loop = drain(stage, "temporary");
    stage.fail(boom);
    return loop;
  },
  "a failing consumer does not fail its source": () => {
    const source = fromIterable([1, 2, 3]);
    consumer<number>(() => Promise.reject(boom)).subscribe(source);
  },
  "somebody subscribes to what has failed": () => {
    const stage = quiet();
    stage.done.catch(ignore);
    stage.fail(boom);
    return stage.stop().then(() => void sink().subscribe(stage));
  },
};

let caught: string[] = [];
process.on("unhandledRejection", (error) => {
  const { message, code } = error as { message: string; code?: string };
  caught.push(code ?? message);
});
const results: Record<string, readonly string[]> = {};
for (const [way, run] of Object.entries(ways)) {
  caught = [];
  try {
    await run();
  } catch (error) {
    caught.push(`thrown ${(error as Error).message}`);
  }
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
  results[way] = caught;
}
console.log(JSON.stringify(results));
