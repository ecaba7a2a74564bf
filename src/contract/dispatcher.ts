/** A producer's link to one consumer, as its dispatcher sees it. */
export interface DispatcherLink {
  /** The consuming object; two links may share it. */
  readonly consumer: object;
  readonly name: string;
  /** Hands a batch to the consumer, at most its undelivered demand. The batch must not be touched again. */
  readonly deliver: (events: readonly unknown[]) => void;
  /**
   * Delivers what waits for a consumer that may lag behind (`lag`), as far as it has asked; returns what is left of
   * `count`, for which it asked just now. Such a link takes more than was asked for.
   */
  readonly catchUp?: ((count: number) => number) | undefined;
  /** Ends this link alone, for a fault of its consumer. The dispatcher forgets the link itself. */
  readonly fail: (error: unknown) => void;
}

/** A dispatcher's type parameter for options that name the event (`selector`), which `producer()` fills in. */
export interface OptionsOfEvent {
  readonly event: unknown;
  readonly options: object;
}
export type SubscribeOptionsOf<SO extends object, Event> = SO extends OptionsOfEvent
  ? (SO & { readonly event: Event })["options"]
  : SO;

/**
 * Decides which consumer gets which event. It knows no stage, promise or clock, and may be an instance of a class.
 *
 * **Shape** a batch in, batches out to links; nothing twice on a link, nothing out of order.
 * **Units** events.
 * **Errors** an error of `subscribe` goes to the subscriber; one of another method fails the stage.
 *
 * **Source** rules 4.x of `docs/protocol.md`; GenStage's dispatcher contract with one number, `wanted`, for its
 * counters.
 */
export interface Dispatcher<in Event, in out SO extends object = NoOptions> {
  readonly "~options"?: ((options: SO) => SO) | undefined;
  /** Names of the subscribe options it reads; others are refused. Without it all are accepted. */
  readonly options?: readonly string[] | undefined;
  /** Events that could be placed now. */
  readonly wanted: number;
  /** Events kept by the dispatcher itself. */
  readonly queued: number;
  /** Adds a link without demand. Throws to refuse it. */
  readonly subscribe: (link: DispatcherLink, options: SubscribeOptionsOf<SO, Event>) => void;
  /** A link asks for `count` more: 1 or more, or Infinity. Asks add up. */
  readonly ask: (link: DispatcherLink, count: number) => void;
  /** A link is gone, and its demand with it. */
  readonly cancel: (link: DispatcherLink) => void;
  /** Called right after `cancel`, with the consumer's unstarted events. They come before all others. */
  readonly giveBack: (link: DispatcherLink, events: readonly Event[]) => void;
  /** Places events from the front and returns how many it took, delivered, kept or dropped. */
  readonly dispatch: (events: readonly Event[]) => number;
  /** Calls `then` once the events kept now have gone out. Required where `queued` can exceed 0. */
  readonly whenSent?: ((then: () => void) => void) | undefined;
  /** Hands over all kept events at the end. Required where `queued` can exceed 0. */
  readonly clear?: (() => readonly unknown[]) | undefined;
  /** Plain data for `inspect()`. */
  readonly inspect?: (() => DispatcherInspection) | undefined;
}

/** A dispatcher's view of itself. */
export interface DispatcherInspection {
  readonly type: string;
  /** Per partition: its name, its consumer if any, events queued and asked for. */
  readonly partitions?: readonly {
    readonly name: string | number;
    readonly consumer: string | undefined;
    readonly queued: number;
    readonly demand: number;
  }[];
  /** What holds all others up: a consumer without demand or absent, a full partition. */
  readonly heldBy?: readonly string[];
}

/** No options of its own: anyone can subscribe. An interface keeps hovers short. */
export interface NoOptions {}
