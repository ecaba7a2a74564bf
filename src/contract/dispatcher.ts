/** A producer's link to one consumer, as its dispatcher sees it. */
export interface DispatcherLink {
  /** Who consumes; two links may have the same consumer. */
  readonly consumer: object;
  readonly name: string;
  /** Hands a batch to the consumer: at most what was asked for and not yet delivered. Not touched again afterwards. */
  readonly deliver: (events: readonly unknown[]) => void;
  /** Ends this link alone, for a fault of its consumer (a selector that throws). The dispatcher forgets it by itself. */
  readonly fail: (error: unknown) => void;
}

/** A dispatcher's type parameter for options that name the event (`selector`): `producer()` fills the event in. */
export interface OptionsOfEvent {
  readonly event: unknown;
  readonly options: object;
}
export type SubscribeOptionsOf<SO extends object, Event> = SO extends OptionsOfEvent
  ? (SO & { readonly event: Event })["options"]
  : SO;

/**
 * Decides which consumer gets which event. It knows no stage, no promise and no clock. Its functions are called on it, so
 * that it may be an instance of a class.
 *
 * **Shape** a batch in, batches out to links; nothing twice on a link, nothing out of order.
 * **Units** events throughout.
 * **Errors** what `subscribe` throws goes to the subscriber; what another method throws fails the stage.
 * **Source** rules 4.x of `docs/protocol.md`; GenStage's dispatcher contract with one number, `wanted`, for its counters.
 */
export interface Dispatcher<in Event, in out SO extends object = NoOptions> {
  readonly "~options"?: ((options: SO) => SO) | undefined;
  /** Names of the subscribe options that `subscribe` reads, so that others are refused. Without it all are let pass. */
  readonly options?: readonly string[] | undefined;
  /** How many events could be placed now. */
  readonly wanted: number;
  /** How many events the dispatcher itself keeps. */
  readonly queued: number;
  /** A new link, with nothing asked yet. Throws to refuse it. */
  readonly subscribe: (link: DispatcherLink, options: SubscribeOptionsOf<SO, Event>) => void;
  /** A link asked for `count` more: 1 or more, or Infinity. Asks add up. */
  readonly ask: (link: DispatcherLink, count: number) => void;
  /** A link is gone, and what it asked for with it. */
  readonly cancel: (link: DispatcherLink) => void;
  /** Right after `cancel`: what the link's consumer had not started. Comes before everything else the dispatcher gets to see. */
  readonly giveBack: (link: DispatcherLink, events: readonly Event[]) => void;
  /** Places events from the front of a batch and answers how many it took, whether delivered, kept or dropped. */
  readonly dispatch: (events: readonly Event[]) => number;
  /** Calls `then` once the events kept now have gone out. Needed only where `queued` can be more than 0. */
  readonly whenSent?: ((then: () => void) => void) | undefined;
  /** Hands over everything kept: the stage ends without delivering it. Needed only where `queued` can be more than 0. */
  readonly clear?: (() => readonly unknown[]) | undefined;
  /** Plain data for `inspect()`. */
  readonly inspect?: (() => DispatcherInspection) | undefined;
}

/** What a dispatcher says of itself. */
export interface DispatcherInspection {
  readonly type: string;
  /** Per partition: its name, its consumer if it has one, events queued and asked for. */
  readonly partitions?: readonly {
    readonly name: string | number;
    readonly consumer: string | undefined;
    readonly queued: number;
    readonly demand: number;
  }[];
  /** Who keeps all others from getting events now: a consumer that has not asked or not come, a partition that is full. */
  readonly heldBy?: readonly string[];
}

/** Stands for "no options of its own": `Producer<T>` is any producer that can be subscribed to without options. */
export interface NoOptions {}
