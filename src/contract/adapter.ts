import type { Awaitable, Emits, StageBehaviour } from "./behaviour.ts";
import type { FailOptions, SubscribeOptions } from "./options.ts";
import type { Reason } from "./reason.ts";
import type { ProducerContext, StageContext, Subscription } from "./stage.ts";

/** Further abilities of an adapter's stage that emits. */
export interface SourceContext<in Out> extends ProducerContext<Out> {
  /**
   * Emits events asked for earlier: accepted however full the buffer. False once the stage takes no more: they are the
   * caller's, to put back or to `discard`.
   */
  readonly answer: (events: readonly Out[]) => boolean;
  /** Tells `onDiscard` of events taken that reach no consumer. The stage knows the cause. */
  readonly discard: (events: readonly Out[]) => void;
  /** Emitted events that wait for demand. **Units** events. */
  readonly buffered: number;
  /** Cancels the debt of `handleDemand`: it is called anew for all that is wanted, as for a paused foreign side. */
  askAgain(): void;
}

/** Further abilities of an adapter's stage that takes events. */
export interface SinkContext extends StageContext {
  /**
   * Ends the stage at once, even while a callback is pending: the foreign side has decided. Unstarted events go back.
   */
  end(reason: Reason): void;
  /** The foreign side knows the stage's failure: `done` need not be observed. */
  markReported(): void;
}

/** The errors of one foreign thing that were told. Two wrappers of one cause are one error. */
export interface Told {
  has(error: unknown): boolean;
  /** Returns whether it is new. */
  add(error: unknown): boolean;
}

/** One side of a `coupled` stage, as the other side's behaviour sees it. */
export interface OtherSide {
  /** Its end, once decided; held events may still have to go out. */
  readonly reason: Reason | undefined;
  /** The errors told by either side; shared. */
  readonly told: Told;
  /**
   * Ends it now, as `SinkContext.end` does: unstarted events go back. With `after: "buffer"` it ends behind the events
   * emitted. Does nothing once it is ending.
   */
  end(reason: Reason, options?: FailOptions): void;
  /**
   * Leaves the foreign thing's failure to this side. If it ends otherwise, that goes to `onReport`, unless `covered`.
   */
  defer(error: unknown, covered?: (reason: Reason) => boolean): void;
  /** Calls `then` once its end is complete: `terminate` has finished, and its links have ended. */
  whenEnded(then: () => void): void;
}

/** What an adapter has counted, for `inspect()`. */
export interface Counts {
  /** Events dropped by a policy. **Units** events. */
  readonly dropped?: number | undefined;
  /** Events whose function failed, and that were passed over. **Units** events. */
  readonly failed?: number | undefined;
  /** Calls of a user's function, in place of the stage's own. */
  readonly calls?: number | undefined;
}

/** Hooks of an adapter, beyond those of a behaviour. */
export interface AdapterBehaviour<in Context> {
  /** A failure of its sources, or of a `coupled` sink, waits for events already emitted. @default false */
  readonly patient?: boolean | undefined;
  /**
   * Called once, before the maker returns: the place to listen to the foreign side. `terminate` always comes later.
   */
  readonly begin?: ((stage: Context) => void) | undefined;
  /** Called once by `coupled`, with the other side of the foreign thing. */
  readonly couple?: ((other: OtherSide) => void) | undefined;
  /** Offered undelivered events. Returns those it could not take back, which go to `onDiscard`. */
  readonly putBack?: ((events: readonly unknown[]) => readonly unknown[]) | undefined;
  readonly counts?: Counts | undefined;
  /** Whether it works on something by itself, such as a call or a timer, for `inspect()`. */
  readonly working?: boolean | undefined;
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
