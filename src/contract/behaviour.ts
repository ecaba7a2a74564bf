import type { Reason } from "./reason.ts";
import type { Subscription, ProducerContext, StageContext } from "./stage.ts";
import type { Role } from "./states.ts";

/** A value or a promise of one. */
export type Awaitable<T> = T | PromiseLike<T>;
/** What a callback may answer with: events to emit, or nothing. */
export type Emits<Out> = readonly Out[] | void;

/** Callbacks that every stage can have. */
export interface StageBehaviour<Self, InitSelf = Self> {
  /** First of all, on the stage's first turn; what it rejects with fails the stage. */
  readonly init?: ((stage: InitSelf) => unknown) | undefined;
  /** A subscription begins; throwing refuses it. */
  readonly handleSubscribe?: ((role: Role, subscription: Subscription, stage: Self) => unknown) | undefined;
  /** A subscription ended. */
  readonly handleCancel?: ((reason: Reason, subscription: Subscription, stage: Self) => unknown) | undefined;
  /** Last words, once, whatever the reason. */
  readonly terminate?: ((reason: Reason, stage: Self) => unknown) | undefined;
}
export type HandleDemand<Out, P = Out> = (demand: number, stage: ProducerContext<P>) => Awaitable<Emits<Out>>;
export type HandleEnd<Out, P = Out> = (stage: ProducerContext<P>) => Awaitable<Emits<Out> | "later">;
export type TransformEvents<In, Out, P = Out> = (
  events: readonly In[],
  subscription: Subscription,
  stage: ProducerContext<P>,
) => Awaitable<Emits<Out>>;
export type HandleEvents<In> = (events: readonly In[], subscription: Subscription, stage: StageContext) => unknown;

/** `I`, `D` and `P` are what `init`, `handleDemand` and the other callbacks may push. */
export interface ProducerCallbacks<Out, I, D, P> extends StageBehaviour<ProducerContext<P>, ProducerContext<I>> {
  readonly handleDemand: HandleDemand<Out, D>;
  readonly handleEnd?: HandleEnd<Out, P> | undefined;
}
/** For `implements`. */
export interface ProducerBehaviour<Out> extends ProducerCallbacks<Out, Out, Out, Out> {}

export interface ProducerConsumerCallbacks<In, Out, I, D, P>
  extends StageBehaviour<ProducerContext<P>, ProducerContext<I>> {
  readonly handleEvents: TransformEvents<In, Out, D>;
  readonly handleEnd?: HandleEnd<Out, P> | undefined;
}
/** For `implements`. */
export interface ProducerConsumerBehaviour<In, Out> extends ProducerConsumerCallbacks<In, Out, Out, Out, Out> {}

export interface ConsumerBehaviour<In> extends StageBehaviour<StageContext> {
  readonly handleEvents: HandleEvents<In>;
  /** The last permanent source has completed; the consumer completes when this has returned or settled. */
  readonly handleEnd?: ((stage: StageContext) => unknown) | undefined;
}
