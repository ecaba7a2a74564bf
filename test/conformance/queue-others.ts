import type { StageContext } from "../../src/contract/stage.ts";
import type {
  SinkOptions,
  SinkProbe,
  SinkSubject,
  SourceOptions,
  ThroughProbe,
  ThroughSubject,
} from "../../src/conformance/index.ts";
import {
  type Attachable,
  consumer,
  type ConsumerPort,
  type End,
  type Producer,
  producer,
  type ProducerContext,
  type ProducerPort,
  producerConsumer,
  type Reason,
  type Subscription,
} from "../../src/index.ts";

export type SinkFault =
  | "loses the last event"
  | "swaps two events"
  | "doubles an event"
  | "forgets the end"
  | "ends twice"
  | "ends before the last event"
  | "does not wait for events"
  | "takes events into a list of its own"
  | "does not wait for the end"
  | "swallows the failure of its source"
  | "wraps the failure of its source"
  | "swallows the failure of the foreign sink"
  | "wraps the failure of the foreign sink"
  | "swallows the failure of the end"
  | "leaks on abort"
  | "leaves the foreign sink open at a stop"
  | "keeps the rest of a batch when the foreign sink fails"
  | "never confirms the end of its source"
  | "confirms the end of its source too early"
  | "takes unknown options"
  // No fault: where it happened, and with which events, is recorded.
  | "throws what the foreign sink fails with";

/** A sink over a queue: right, but for one fault. */
export function intoQueue(probe: SinkProbe, given: SinkOptions, fault?: SinkFault): SinkSubject {
  const is = (name: SinkFault): boolean => name === fault;
  const { noSuchOption, ...accepted } = given as SinkOptions & { readonly noSuchOption?: unknown };
  void noSuchOption;
  let own: Promise<unknown> = Promise.resolve();
  let broken = false;

  const write = async (events: readonly unknown[], subscription: Subscription, stage: StageContext): Promise<void> => {
    let at = 0;
    try {
      for (const event of events) {
        at += 1;
        if (stage.signal.aborted || (is("loses the last event") && event === 49)) continue;
        if (is("ends before the last event") && event === 49) void probe.end();
        const written = probe.event(event);
        if (is("doubles an event") && event === 7) void probe.event(event);
        if (!is("does not wait for events")) await written;
      }
    } catch (error) {
      broken = true;
      if (is("throws what the foreign sink fails with")) throw error;
      if (is("wraps the failure of the foreign sink")) throw new Error("wrapped", { cause: error });
      if (is("swallows the failure of the foreign sink")) return;
      if (!is("keeps the rest of a batch when the foreign sink fails")) stage.giveBack(subscription, events.slice(at));
      stage.fail(error);
    }
  };
  const behaviour = {
    handleEvents(
      events: readonly unknown[],
      subscription: Subscription,
      stage: StageContext,
    ): Promise<void> | undefined {
      const batch = is("swaps two events") ? events.toReversed() : events;
      if (!is("takes events into a list of its own")) return write(batch, subscription, stage);
      own = own.then(() => write(batch, subscription, stage));
      return undefined;
    },
    async handleEnd(stage: StageContext): Promise<void> {
      if (is("takes events into a list of its own")) await own;
      if (is("forgets the end") || is("ends before the last event")) return;
      try {
        const ended = probe.end();
        if (is("ends twice")) void probe.end();
        if (!is("does not wait for the end")) await ended;
      } catch (error) {
        if (!is("swallows the failure of the end")) stage.fail(error);
      }
    },
    terminate(reason: Reason): void {
      if (broken || reason.type === "complete") return;
      if (reason.type !== "failure") {
        if (!is("leaves the foreign sink open at a stop")) void probe.end();
      } else if (is("swallows the failure of its source")) void probe.end();
      else if (is("wraps the failure of its source")) probe.fail(new Error("wrapped", { cause: reason.error }));
      else if (!is("leaks on abort")) probe.fail(reason.error);
    },
  };
  const stage = consumer<unknown>(behaviour, is("takes unknown options") ? accepted : given);
  if (!is("never confirms the end of its source") && !is("confirms the end of its source too early"))
    return { consumer: stage };
  const early = is("confirms the end of its source too early");
  const subscribe = (source: Producer<unknown>, demand: object): Subscription =>
    stage.subscribe(unconfirmed(source, early), demand);
  return { consumer: Object.defineProperty(Object.create(stage), "subscribe", { value: subscribe }) };
}

/** A source whose consumers do not say that they have started everything, or say so as soon as it ends. */
function unconfirmed(source: Producer<unknown>, early: boolean): Producer<unknown> {
  const attachable = source as unknown as Attachable<unknown, object>;
  const attach = (port: ConsumerPort<unknown>, options: object): ProducerPort => {
    const spoken = Object.create(port) as ConsumerPort<unknown>;
    let inner: ProducerPort | undefined;
    let over = false;
    const end = (last: End): void => {
      over = last.reason.type === "complete";
      if (over && early) inner?.end({ reason: last.reason });
      port.end(last);
    };
    Object.defineProperties(spoken, {
      end: { value: end },
      events: { value: (batch: readonly unknown[]) => port.events(batch) },
    });
    inner = attachable["~attach"](spoken, options);
    return {
      ask: (count) => inner?.ask(count),
      end: (last) => {
        if (!over || (last.unstarted ?? []).length > 0) inner?.end(last);
      },
    };
  };
  return Object.defineProperty(Object.create(source), "~attach", { value: attach }) as Producer<unknown>;
}

export type ThroughFault =
  | "loses the last event"
  | "doubles an event"
  | "swaps two events"
  | "forgets the flush"
  | "swallows the failure of the transform"
  | "wraps the failure of the transform"
  | "keeps its source after an early end"
  | "ignores an early end"
  | "swallows the failure of its source"
  | "takes all it can get"
  | "keeps its source without consumers"
  | "takes unknown options";

/** A transform over a function: right, but for one fault. */
export function throughQueue(probe: ThroughProbe, given: SourceOptions, fault?: ThroughFault): ThroughSubject {
  const is = (name: ThroughFault): boolean => name === fault;
  const { noSuchOption, ...accepted } = given as SourceOptions & { readonly noSuchOption?: unknown };
  void noSuchOption;
  const options: SourceOptions = {
    onLastCancel: is("keeps its source without consumers") ? "continue" : "stop",
    ...(is("takes unknown options") ? accepted : given),
  };
  let over = false;

  const behaviour = {
    handleEvents(events: readonly unknown[], _subscription: Subscription, stage: ProducerContext<never>): unknown[] {
      const out: unknown[] = [];
      try {
        for (const event of events) {
          if (over) break;
          const made = probe.transform(event);
          if (!is("loses the last event") || event !== 19) out.push(...made);
          if (is("doubles an event") && event === 7) out.push(...made);
          over = probe.over && !is("ignores an early end");
        }
      } catch (error) {
        if (is("wraps the failure of the transform")) throw new Error("wrapped", { cause: error });
        if (!is("swallows the failure of the transform")) stage.fail(error);
      }
      if (over && !is("keeps its source after an early end")) stage.complete();
      return is("swaps two events") ? out.toReversed() : out;
    },
    handleEnd: (): readonly unknown[] => (is("forgets the flush") ? [] : probe.flush()),
  };
  if (is("takes all it can get") || is("swallows the failure of its source")) return loose(behaviour, options, is);
  return { stage: producerConsumer<unknown, unknown>(behaviour, options) };
}

/** Two stages that know nothing of each other's demand. */
function loose(
  behaviour: {
    handleEvents(events: readonly unknown[], subscription: Subscription, stage: ProducerContext<never>): unknown[];
    handleEnd(): readonly unknown[];
  },
  options: SourceOptions,
  is: (fault: ThroughFault) => boolean,
): ThroughSubject {
  const output = producer<unknown>(() => {}, options);
  const input = consumer<unknown>({
    handleEvents: (events, subscription, stage) => {
      output.push(behaviour.handleEvents(events, subscription, stage as ProducerContext<never>));
    },
    handleEnd: () => {
      output.push(behaviour.handleEnd());
      output.complete();
    },
    terminate: (reason) => {
      if (reason.type !== "failure") return;
      if (is("swallows the failure of its source")) output.complete();
      else output.fail(reason.error);
    },
  });
  output.done.then(
    () => input.stop(),
    () => input.stop(),
  );
  input.done.catch(() => {});
  const stage = Object.create(output) as ThroughSubject["stage"];
  Object.defineProperties(stage, {
    subscribe: { value: (source: Producer<unknown>, demand: object) => input.subscribe(source, demand) },
    subscriptions: { value: input.subscriptions },
  });
  return { stage };
}
