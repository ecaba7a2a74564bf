/*
 * GenStage's ConsumerSupervisor. A child is what `start` returns; "kill" is a rejected `done`, "shutdown" a good end;
 * "ignore" is null. The backoff is none here: a restart comes with the next timer, at the same time of the clock.
 */
import { describe, expect, test } from "vitest";
import { producer } from "../../src/index.ts";
import { type ConsumerSupervisorOptions, consumerSupervisor, RestartError } from "../../src/supervise/index.ts";
import { FakeChild } from "../support/children.ts";
import { testRuntime, turns } from "../support/runtime.ts";
import { codeOf, outcome, Quiet, RawProducer } from "../support/stages.ts";

type Options = Partial<ConsumerSupervisorOptions<string>>;

/** Starts that behave by their event: those of a restart may behave in another way. */
function setUp(options: Options = {}) {
  const runtime = testRuntime();
  const started: FakeChild[] = [];
  const tried: string[] = [];
  const reports: (readonly [phase: string, error: unknown])[] = [];
  const start = (event: string, { attempt, signal }: { attempt: number; signal: AbortSignal }) => {
    tried.push(event);
    const what = attempt === 1 ? event.split(" ")[0] : (event.split(" then ")[1] ?? event);
    if (what === "ignore") return null;
    if (what === "error") throw new Error("found");
    if (what === "unknown") return 7 as never;
    const child = new FakeChild(event, signal);
    started.push(child);
    return child;
  };
  const supervisor = consumerSupervisor<string>({
    runtime,
    name: "s",
    start,
    backoff: { delay: 0 },
    onReport: (error, { phase }) => void reports.push([phase, error]),
    ...options,
  });
  const events = new Quiet<string>();
  const source = producer(events, { runtime, name: "p" });
  /** Emits, and lets everything happen that can. */
  const emit = async (...batch: string[]): Promise<void> => {
    source.push(batch);
    await turns();
  };
  /** Lets restarts happen that are due now. */
  const restart = async (): Promise<void> => {
    await turns();
    runtime.clock.advance(0);
    await turns();
  };
  const at = (index: number): FakeChild => started.at(index) as FakeChild;
  return { runtime, started, tried, reports, supervisor, source, events, emit, restart, at };
}

const count = (workers: number, active: number) => ({ workers, active });

describe("start and its options", () => {
  test.each<readonly [string, unknown]>([
    ["nothing", undefined],
    ["no start", {}],
    ["a list of two starts", [() => null, () => null]],
    ["a start that is no function", { start: "job" }],
    ["options that do not exist", { start: () => null, strategy: "unknown" }],
    ["an unknown restart", { start: () => null, restart: "always" }],
    ["permanent, which would do an event again and again", { start: () => null, restart: "permanent" }],
  ])("GS-159 refuses %s at once", (_what, options) => {
    expect(codeOf(() => consumerSupervisor(options as never))).toBe("ERR_OPTION");
  });

  test("GS-159 says of permanent what else there is", () => {
    expect(() => consumerSupervisor({ start: () => null, restart: "permanent" as never })).toThrow(
      /temporary or transient, got "permanent": a child that has done its event would do it again/,
    );
  });

  // A name is a label here: there is no registry that could resolve it.
  test("GS-161 GS-162 runs under its name", async () => {
    const { supervisor } = setUp({ restart: "transient" });
    await turns();
    expect([supervisor.name, supervisor.state, supervisor.kind]).toEqual(["s", "running", "consumer"]);
    expect(setUp({ restart: "temporary", name: "t" }).supervisor.name).toBe("t");
  });

  test("GS-163 startChild returns the child, or null, or throws what start throws", async () => {
    const { supervisor, at } = setUp({ restart: "transient" });
    const three = supervisor.startChild("ok3");
    const two = supervisor.startChild("ok2");
    expect([three?.event, three?.value, two?.event]).toEqual(["ok3", at(0), "ok2"]);
    expect(() => supervisor.startChild("error")).toThrow("found");
    expect(supervisor.startChild("ignore")).toBeNull();
    expect(codeOf(() => supervisor.startChild("unknown"))).toBe("ERR_CHILD");
    expect(supervisor.count()).toEqual(count(2, 2));
  });
});

describe("ends of children", () => {
  test("GS-165 a temporary child is not restarted, whatever its reason", async () => {
    const { supervisor, at, restart, reports } = setUp({ restart: "temporary" });
    supervisor.startChild("ok2");
    at(0).end();
    await restart();
    expect(supervisor.count()).toEqual(count(0, 0));
    supervisor.startChild("ok2");
    at(1).kill("whatever");
    await restart();
    expect(supervisor.count()).toEqual(count(0, 0));
    expect(reports).toEqual([["child 2", "whatever"]]);
  });

  // A pair tagged shutdown is a failure value here (D-065).
  test("GS-166 a transient child is restarted unless its end is normal", async () => {
    const { supervisor, at, restart, started } = setUp({ restart: "transient" });
    for (const end of [() => at(-1).end(), () => at(-1).kill("shutdown"), () => at(-1).kill("normal")]) {
      supervisor.startChild("ok2");
      end();
      await restart();
      expect(supervisor.count()).toEqual(count(0, 0));
    }
    supervisor.startChild("ok2");
    at(-1).kill("whatever");
    await restart();
    expect(supervisor.count()).toEqual(count(1, 1));
    expect(started).toHaveLength(5);
  });

  test("GS-167 a child is restarted with different results", async () => {
    const { supervisor, at, restart } = setUp({ restart: "transient", maxRestarts: 100_000 });
    const listed = () => supervisor.children().length;
    supervisor.startChild("ok2");
    expect(listed()).toBe(1);
    at(-1).kill();
    await restart();
    expect(supervisor.count()).toEqual(count(1, 1));
    supervisor.startChild("ok3");
    expect(listed()).toBe(2);
    at(-1).kill();
    await restart();
    expect(supervisor.count()).toEqual(count(2, 2));
    supervisor.startChild("ok then ignore");
    expect(listed()).toBe(3);
    at(-1).kill();
    await restart();
    expect(supervisor.count()).toEqual(count(2, 2));
    supervisor.startChild("ok then error");
    expect(listed()).toBe(3);
    at(-1).kill();
    await turns();
    expect(supervisor.count()).toEqual(count(3, 2));
    supervisor.startChild("ok then unknown");
    expect(listed()).toBe(4);
    expect(supervisor.children().map(({ state }) => state)).toEqual(["running", "running", "waiting", "running"]);
    at(-1).kill();
    await turns();
    expect(supervisor.count()).toEqual(count(4, 2));
    await supervisor.stop();
  });

  // GenStage's ends with shutdown, a good end. A failure has to reach someone: here it fails, with all causes.
  test("GS-169 too many restarts end the supervisor", async () => {
    const { supervisor, at, runtime, reports } = setUp({
      restart: "transient",
      maxRestarts: 1,
      backoff: { delay: 10 },
    });
    const ended = outcome(supervisor);
    supervisor.startChild("ok then error");
    at(0).kill();
    await turns();
    runtime.clock.advance(10);
    const error = (await ended) as RestartError;
    expect(error).toBeInstanceOf(RestartError);
    expect([error.code, error.causes.map(String)]).toEqual([
      "ERR_RESTARTS",
      ["Error: ok then error killed", "Error: found"],
    ]);
    expect(error.cause).toBe(error.causes[1]);
    expect(reports).toEqual([["child 1", error.causes[0]]]);
    expect(supervisor.count()).toEqual(count(0, 0));
  });

  test("GS-170 restarts of the same moment count within 0 ms", async () => {
    const { supervisor, at, runtime } = setUp({ restart: "transient", within: 0 });
    const ended = outcome(supervisor);
    supervisor.startChild("ok then error");
    at(0).kill();
    await turns();
    runtime.clock.advance(0);
    expect(((await ended) as RestartError).causes).toHaveLength(4);
  });

  test("GS-171 retries use the allowance up", async () => {
    const { supervisor, at, runtime, tried } = setUp({ restart: "transient", maxRestarts: 10 });
    const ended = outcome(supervisor);
    supervisor.startChild("ok then error");
    at(0).kill();
    await turns();
    runtime.clock.advance(0);
    expect(((await ended) as RestartError).causes).toHaveLength(11);
    expect(tried).toHaveLength(11);
  });
});

const three = (options: Options) => {
  const all = setUp(options);
  for (const event of ["ok 1", "ok 2", "ok 3"]) all.supervisor.startChild(event);
  return all;
};

describe("the end of the supervisor", () => {
  test("GS-173 waits for ever for children with infinite time", async () => {
    const { supervisor, started, runtime } = three({ shutdown: Number.POSITIVE_INFINITY });
    for (const child of started) child.onStop = () => {};
    const stopped = supervisor.stop();
    await turns();
    runtime.clock.advance(1e9);
    await turns();
    expect([supervisor.state, started.map(({ stops }) => stops)]).toEqual(["ending", [[{}], [{}], [{}]]]);
    for (const child of started) child.end();
    await stopped;
    expect([supervisor.state, supervisor.count()]).toEqual(["stopped", count(0, 0)]);
  });

  test("GS-174 children may leave with a reason of their own", async () => {
    const { supervisor, started, reports } = three({ shutdown: Number.POSITIVE_INFINITY });
    const oops = started.map(({ name }) => new Error(`oops ${name}`));
    for (const [i, child] of started.entries()) child.onStop = () => child.kill(oops[i]);
    await supervisor.stop();
    expect(supervisor.state).toBe("stopped");
    expect(reports).toEqual(oops.map((error, i) => [`child ${i + 1}`, error]));
  });

  test("GS-175 children have so many milliseconds", async () => {
    const { supervisor, started, runtime } = three({ shutdown: 1000 });
    await supervisor.stop();
    expect(started.map(({ stops }) => stops.length)).toEqual([1, 1, 1]);
    expect(runtime.clock.pending).toBe(0);
  });

  // JavaScript cannot kill: the signal aborts, and the child is abandoned.
  test("GS-177 a child that does not end in time is abandoned, and told", async () => {
    const { supervisor, started, runtime, reports } = three({ shutdown: 1 });
    const second = started[1] as FakeChild;
    second.onStop = () => {};
    const stopped = supervisor.stop();
    await turns();
    expect([supervisor.count(), second.signal?.aborted]).toEqual([count(1, 1), false]);
    runtime.clock.advance(1);
    await stopped;
    expect([second.signal?.aborted, second.stops]).toEqual([true, [{}, { timeout: 0 }]]);
    expect(reports).toEqual([["shutdown of child 2", expect.objectContaining({ code: "ERR_SHUTDOWN" })]]);
    second.kill("late");
    await turns();
    expect(reports.slice(1)).toEqual([["late end of child 2", "late"]]);
  });

  test("GS-178 terminateChild at once, and then there is none", async () => {
    const { supervisor, at, reports, runtime } = setUp({ shutdown: 0 });
    const child = supervisor.startChild("ok2");
    at(0).onStop = () => {};
    const terminated = supervisor.terminateChild(child!);
    // What has `stop` may end by a timer of its own.
    runtime.clock.advance(0);
    expect(await terminated).toBe(true);
    expect([at(0).signal?.aborted, at(0).stops]).toEqual([true, [{ timeout: 0 }]]);
    expect(reports.map(([phase]) => phase)).toEqual(["shutdown of child 1"]);
    expect(await supervisor.terminateChild(child!)).toBe(false);
    expect(supervisor.count()).toEqual(count(0, 0));
  });

  test("GS-179 terminateChild within its time, and then there is none", async () => {
    const { supervisor, at, reports } = setUp({ shutdown: 1000 });
    const child = supervisor.startChild("ok2");
    expect(await supervisor.terminateChild(child!)).toBe(true);
    expect([child?.state, at(0).stops]).toEqual(["ended", [{}]]);
    expect(await supervisor.terminateChild(child!)).toBe(false);
    expect([supervisor.count(), reports]).toEqual([count(0, 0), []]);
  });
});

describe("subscribing", () => {
  test("GS-181 returns a subscription", async () => {
    const { supervisor, source } = setUp();
    const subscription = supervisor.subscribe(source);
    await turns();
    expect([subscription.state, subscription.options.demand]).toEqual(["active", "manual"]);
  });

  test("GS-182 refuses bad options", () => {
    const { supervisor, source } = setUp();
    expect(() => supervisor.subscribe(source, { maxDemand: 0 })).toThrow(
      /maxDemand to be a whole number from 1 to .*, got 0/,
    );
    expect(() => supervisor.subscribe(source, { minDemand: 2000 })).toThrow(/minDemand .* from 0 to 999, got 2000/);
  });

  // An unknown name is no producer here, and throws; GenStage's supervisor ends with noproc. A failed producer is its like.
  test("GS-183 ends when a permanent producer is none any more", async () => {
    const { supervisor, source } = setUp();
    expect(codeOf(() => supervisor.subscribe("unknown" as never))).toBe("ERR_NOT_PRODUCER");
    const lost = new Error("noproc");
    void outcome(source);
    source.fail(lost);
    await turns();
    const ended = outcome(supervisor);
    supervisor.subscribe(source);
    expect(await ended).toBe(lost);
  });

  test("GS-185 GS-186 goes on when a temporary producer has ended", async () => {
    const { supervisor, source } = setUp();
    void outcome(source);
    source.fail(new Error("noproc"));
    await turns();
    supervisor.subscribe(source, { cancel: "temporary" });
    await turns();
    expect(supervisor.state).toBe("running");
    expect(await supervisor.call(() => "answers")).toBe("answers");
  });
});

describe("children of events", () => {
  test("GS-187 starts a child for each event", async () => {
    const { supervisor, source, emit, tried } = setUp();
    supervisor.subscribe(source, { cancel: "temporary" });
    await emit("ok2");
    expect(supervisor.children().map(({ event }) => event)).toEqual(["ok2"]);
    await emit("ok3");
    expect(supervisor.count()).toEqual(count(2, 2));
    for (const event of ["error", "ignore", "unknown"]) {
      await emit(event);
      expect([tried.at(-1), supervisor.count()]).toEqual([event, count(2, 2)]);
    }
    expect(supervisor.state).toBe("running");
  });

  test("GS-189 goes on when start throws, whatever it throws", async () => {
    const thrown: unknown[] = [new Error("raised"), "thrown", undefined];
    const all = [...thrown];
    const start = (): never => {
      throw thrown.shift();
    };
    const { supervisor, source, emit, reports } = setUp({ start });
    supervisor.subscribe(source, { cancel: "temporary" });
    for (const event of ["raise", "throw", "exit"]) {
      await emit(event);
      expect(supervisor.children()).toEqual([]);
    }
    // A primitive comes as the cause of an error.
    expect(reports.map(([, error]) => (error === all[0] ? error : (error as Error).cause))).toEqual(all);
    expect(supervisor.state).toBe("running");
  });

  test("GS-190 starts no more than maxDemand at a time", async () => {
    const { supervisor, source, emit, tried, at } = setUp();
    supervisor.subscribe(source, { cancel: "temporary", maxDemand: 1, minDemand: 0 });
    await emit("ok2", "error", "ignore", "ok2", "ok2", "ok2");
    expect([tried, supervisor.count()]).toEqual([["ok2"], count(1, 1)]);
    at(0).end();
    await turns();
    expect([tried, supervisor.count()]).toEqual([["ok2", "error", "ignore", "ok2"], count(1, 1)]);
    const [second] = supervisor.children();
    await supervisor.terminateChild(second!);
    await turns();
    expect([tried.length, supervisor.count()]).toEqual([5, count(1, 1)]);
  });

  test("GS-191 a child that is restarted keeps its slot", async () => {
    const { supervisor, source, emit, at, tried, restart, runtime } = setUp({
      restart: "transient",
      maxRestarts: 100_000,
      backoff: { delay: 10, jitter: "none" },
    });
    supervisor.subscribe(source, { cancel: "temporary", maxDemand: 1, minDemand: 0 });
    await emit("ok then error", "ok2", "ok2", "ok2");
    expect(supervisor.count()).toEqual(count(1, 1));
    at(0).kill();
    await restart();
    const [waiting] = supervisor.children();
    expect([supervisor.count(), waiting?.state, tried]).toEqual([count(1, 0), "waiting", ["ok then error"]]);
    expect(await supervisor.terminateChild(waiting!)).toBe(true);
    await turns();
    expect([supervisor.count(), tried]).toEqual([count(1, 1), ["ok then error", "ok2"]]);
    at(1).kill();
    await turns();
    runtime.clock.advance(10);
    await turns();
    expect([supervisor.count(), tried]).toEqual([count(1, 1), ["ok then error", "ok2", "ok2"]]);
    expect(supervisor.children()[0]?.restarts).toBe(1);
  });

  test("GS-193 asks again when minDemand slots are free (V-10, T-30)", async () => {
    const { supervisor, source, emit, at, tried } = setUp();
    supervisor.subscribe(source, { cancel: "temporary", maxDemand: 3, minDemand: 2 });
    await emit("ok2", "ok2", "ok2");
    expect(supervisor.count()).toEqual(count(3, 3));
    at(0).end();
    await turns();
    expect(source.demand).toBe(0);
    at(1).end();
    await turns();
    expect([supervisor.count(), source.demand]).toEqual([count(1, 1), 2]);
    await emit("ok2");
    await emit("ok2");
    expect(supervisor.count()).toEqual(count(3, 3));
    await emit("ok2");
    expect([tried.length, supervisor.count()]).toEqual([5, count(3, 3)]);
  });

  test("GS-194 asks for nothing while no child has ended", async () => {
    const { supervisor, runtime } = setUp();
    const raw = new RawProducer<string>();
    supervisor.subscribe(raw.producer, { cancel: "temporary", maxDemand: 3, minDemand: 0 });
    await turns();
    expect(raw.asks).toEqual([3]);
    raw.port.events(["ok2", "ok2"]);
    await turns();
    expect([supervisor.count(), raw.asks, runtime.clock.pending]).toEqual([count(2, 2), [3], 0]);
  });
});
