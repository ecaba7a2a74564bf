import { createServer, type Server } from "node:http";
import {
  collect,
  consumer,
  fromIterable,
  type Consumer,
  type Pipeline,
  pipeline,
  type Producer,
  producer,
} from "headrace";
import {
  type Child,
  type ChildContext,
  type ChildDeclaration,
  type ChildOfEvent,
  type ChildState,
  type ConsumerSupervisor,
  consumerSupervisor,
  type LostEvent,
  type LostEvents,
  RestartError,
  type Stoppable,
  type Strategy,
  type SupervisedChild,
  type Supervisor,
  type SupervisorInspection,
  supervisor,
} from "headrace/supervise";
import { expectAssignable, expectError, expectNotAssignable, expectType } from "tsd";

interface Job {
  readonly id: number;
}
declare const jobs: Producer<Job>;
declare const partitioned: Producer<Job, { readonly partition: number }>;
const work = async (_job: Job, _signal: AbortSignal): Promise<void> => {};

// What a child is
declare const stage: Consumer<Job>;
declare const running: Pipeline<Job[]>;
declare const nested: Supervisor;
expectAssignable<Child>(stage);
expectAssignable<Child>(running);
expectAssignable<Child>(nested);
expectAssignable<Child>(Promise.resolve(1));
expectAssignable<Stoppable>({ done: Promise.resolve(), stop: () => {} });
expectNotAssignable<Child>(undefined);
expectNotAssignable<Child>({ stop: () => {} });
expectNotAssignable<Child>({ done: true, stop: () => {} });
expectNotAssignable<Child>(createServer());

// One child an event
const each = consumerSupervisor({ start: (job: Job, { signal }) => work(job, signal) });
expectType<ConsumerSupervisor<Job>>(each);
expectAssignable<Consumer<Job>>(each);
expectType<readonly ChildOfEvent<Job>[]>(each.children());
expectType<{ readonly workers: number; readonly active: number }>(each.count());
expectType<ChildOfEvent<Job> | null>(each.startChild({ id: 1 }));
declare const one: ChildOfEvent<Job>;
expectType<Promise<boolean>>(each.terminateChild(one));
expectType<Job>(one.event);
expectType<ChildState>(one.state);
expectType<Pipeline>(pipeline(jobs, each));
each.subscribe(jobs, { maxDemand: 10, cancel: "temporary" });
each.subscribe(partitioned, { partition: 1 });
expectError(each.subscribe(partitioned));
expectError(each.subscribe(fromIterable(["text"])));
expectError(each.startChild("text"));
expectError(each.terminateChild("child 1"));
consumerSupervisor<Job>({
  start: (job, context) => {
    expectType<Job>(job);
    expectType<ChildContext>(context);
    return pipeline([job], collect());
  },
  restart: "transient",
  maxRestarts: Number.POSITIVE_INFINITY,
  within: 1000,
  backoff: { delay: 10, factor: 3, maxDelay: 1000, jitter: "none" },
  shutdown: 0,
  maxDemand: 4,
  minDemand: 0,
  onLost: (lost) => expectType<LostEvent<Job>>(lost),
});
consumerSupervisor({ start: (job: Job) => (job.id > 1 ? work(job, AbortSignal.abort()) : null) });
expectError(consumerSupervisor());
expectError(consumerSupervisor({}));
expectError(consumerSupervisor({ start: (job: Job) => void job }));
expectError(consumerSupervisor({ start: (job: Job) => job.id }));
expectError(consumerSupervisor({ start: work, restart: "permanent" }));
expectError(consumerSupervisor({ start: work, maxChildren: 4 }));
expectError(consumerSupervisor({ start: work, strategy: "oneForOne" }));
expectError(consumerSupervisor({ start: work, shutdown: "brutal" }));

// Several children
const sink = (): Consumer<Job> => consumer((events: readonly Job[]) => void events);
const all = supervisor(
  [
    { name: "jobs", start: () => producer<Job>(() => []) },
    { start: sink, subscribeTo: "jobs" },
    { start: sink, subscribeTo: [jobs, { to: partitioned, partition: 1, maxDemand: 4, cancel: "temporary" }, "jobs"] },
    { start: () => pipeline(jobs, collect()), restart: "permanent", shutdown: 100 },
    { start: ({ signal, attempt }) => work({ id: attempt }, signal), restart: "temporary" },
    { start: async () => sink() },
    { start: () => supervisor([]) },
    { start: () => null },
  ],
  {
    strategy: "restForOne",
    signal: AbortSignal.abort(),
    onLost: (lost) => expectType<LostEvents>(lost),
    onReport: (error, { stage: name, phase }) => {
      expectType<unknown>(error);
      expectType<string>(name + phase);
    },
  },
);
expectType<Supervisor>(all);
expectType<Promise<void>>(all.done);
expectType<Promise<void>>(all.stop({ timeout: 1, reason: "shutdown" }));
expectType<Promise<void>>(all.drain({ timeout: 1 }));
expectType<readonly SupervisedChild[]>(all.children());
expectType<SupervisorInspection>(all.inspect());
expectAssignable<AsyncDisposable>(all);
expectType<Strategy>(all.inspect().strategy);
expectAssignable<readonly ChildDeclaration[]>([{ start: sink, subscribeTo: jobs }]);
expectError(supervisor({ start: sink }));
expectError(supervisor([sink]));
expectError(supervisor([{ start: () => {} }]));
expectError(supervisor([{ start: (): Server => createServer() }]));
expectError(supervisor([{ start: sink, restart: "always" }]));
expectError(supervisor([{ start: sink, subscribeTo: 7 }]));
expectError(supervisor([{ start: sink, subscribeTo: sink() }]));
expectError(supervisor([{ start: sink, subscribeTo: { maxDemand: 4 } }]));
expectError(supervisor([{ start: sink }], { strategy: "one_for_one" }));
expectError(supervisor([{ start: sink }], { restarts: 3 }));
expectError(all.stop("shutdown"));

const error: unknown = new Error("unknown");
if (error instanceof RestartError) {
  expectType<"ERR_RESTARTS">(error.code);
  expectType<readonly unknown[]>(error.causes);
}
