import type { Awaitable, Emits, StageBehaviour } from "./behaviour.ts";
import type { SubscribeOptions } from "./options.ts";
import type { Reason } from "./reason.ts";
import type { ProducerContext, StageContext, Subscription } from "./stage.ts";

/** What an adapter's stage can say besides, where it emits. */
export interface SourceContext<in Out> extends ProducerContext<Out> {
  /**
   * Emits events that were asked for earlier and are here now: accepted as a callback's result is, whatever the buffer
   * holds. Returns false where the stage takes no more: then they are the caller's, to put back or to `discard`.
   */
  readonly answer: (events: readonly Out[]) => boolean;
  /** Tells `onDiscard` of events that were taken from the foreign side and reach no consumer. The stage knows the cause. */
  readonly discard: (events: readonly Out[]) => void;
  /** Events emitted that found no demand, and wait in the stage. **Units** events. */
  readonly buffered: number;
  /**
   * Forgets what `handleDemand` was asked for and has not brought yet: it is called anew for whatever consumers want. For a
   * foreign side that is held up, and let go on by the next `handleDemand`.
   */
  askAgain(): void;
}

/** What an adapter's stage can say besides, where it takes events. */
export interface SinkContext extends StageContext {
  /** Ends the stage now, without waiting for a callback's promise: the foreign side has decided. What was not started goes back. */
  end(reason: Reason): void;
  /** The foreign side has been told of the failure that the stage ends with: `done` need not be looked at. */
  markReported(): void;
}

/** Errors of one foreign thing that were told, or need not be. One that comes in two wrappings of one cause is one. */
export interface Told {
  has(error: unknown): boolean;
  /** Returns whether it is new. */
  add(error: unknown): boolean;
}

/** One side of a `coupled` stage, as the behaviour of the other side sees it. */
export interface OtherSide {
  /** How it ends, once that is decided; what it holds may still have to go out. */
  readonly reason: Reason | undefined;
  /** The errors that either side has told. Shared by both. */
  readonly told: Told;
  /** Ends it now, as `SinkContext.end` does: it gives back what it had not started. Does nothing once it is ending. */
  end(reason: Reason): void;
  /**
   * Leaves it to this side to tell that the foreign thing has failed. What it ends without having told goes to `onReport`;
   * `covered` may say that its end needs no such report.
   */
  defer(error: unknown, covered?: (reason: Reason) => boolean): void;
  /** Calls `then` once its end is complete: `terminate` is through, and its links have ended. */
  whenEnded(then: () => void): void;
}

/** What an adapter can do that a behaviour need not. */
export interface AdapterBehaviour<in Context> {
  /** Whether a failure of its sources, or of the sink of a `coupled` stage, waits for what has been emitted. @default false */
  readonly patient?: boolean | undefined;
  /** Called once, when the stage stands and before its maker returns: the place to listen to the foreign side. `terminate` comes later, always. */
  readonly begin?: ((stage: Context) => void) | undefined;
  /** Called once by `coupled`, with the other side of the foreign thing. */
  readonly couple?: ((other: OtherSide) => void) | undefined;
  /** Offered what will reach no consumer. Returns what it could not take back, which goes to `onDiscard`. */
  readonly putBack?: ((events: readonly unknown[]) => readonly unknown[]) | undefined;
  /** Called before each subscription of this stage. May change its options, or throw to refuse it. */
  readonly admit?:
    | ((options: SubscribeOptions, subscriptions: readonly Subscription[]) => SubscribeOptions)
    | undefined;
}

/** The behaviour of a `source`. */
export interface SourceBehaviour<Out> extends StageBehaviour<SourceContext<Out>>, AdapterBehaviour<SourceContext<Out>> {
  readonly handleDemand: (demand: number, stage: SourceContext<Out>) => Awaitable<Emits<Out>>;
  readonly handleEnd?: ((stage: SourceContext<Out>) => Awaitable<Emits<Out> | "later">) | undefined;
}
/** The behaviour of a `transform`. */
export interface TransformBehaviour<In, Out>
  extends StageBehaviour<SourceContext<Out>>,
    AdapterBehaviour<SourceContext<Out>> {
  readonly handleEvents: (
    events: readonly In[],
    subscription: Subscription,
    stage: SourceContext<Out>,
  ) => Awaitable<Emits<Out>>;
  readonly handleEnd?: ((stage: SourceContext<Out>) => Awaitable<Emits<Out> | "later">) | undefined;
}
/** The behaviour of a `sink`. */
export interface SinkBehaviour<In> extends StageBehaviour<SinkContext>, AdapterBehaviour<SinkContext> {
  readonly handleEvents: (events: readonly In[], subscription: Subscription, stage: SinkContext) => unknown;
  readonly handleEnd?: ((stage: SinkContext) => unknown) | undefined;
}
