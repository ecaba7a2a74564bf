// Adjacent steps of a stage that are one call for each event, as data.

/** Takes one event; a step's results go to the next step's. */
export type Receive = (event: unknown) => void;

/** A step's name and its position among the arguments behind the source, from 0. */
export interface Place {
  readonly name: string;
  readonly index: number;
}

/** A step that is one call for one event. */
export interface Call {
  readonly fn: (event: unknown) => unknown;
  /** Its result goes on in place of the event. */
  readonly maps: boolean;
  /** The event goes on if its result is true. */
  readonly tests: boolean;
  /** What to return where a promise was returned. */
  readonly instead: string;
  readonly place: Place;
}

/** A sink that is one call for one event, and its last result. */
export interface Fold {
  readonly fn: (value: unknown, event: unknown) => unknown;
  value: unknown;
  readonly instead: string;
  readonly place: Place;
}

/** An array that is filled from the start, or behind what it holds; it may be longer. */
export interface Filled {
  events: unknown[];
  count: number;
}

/** What takes the events behind the calls: one of these. */
export interface End {
  readonly into?: Filled;
  readonly fold?: Fold;
  readonly next?: Receive;
}

/** Adjacent calls, and what they end in. */
export interface Row {
  readonly calls: readonly Call[];
  readonly end: End;
  /** Behind `next`: whether no more may go in now. */
  readonly chain: { readonly held: boolean };
  /** How many events of the array at work have gone in. */
  at: number;
}

/** Sends the events from `at` on in, each through all calls before the next, until one fails or no more may go in. */
export type Loop = (row: Row, events: readonly unknown[]) => void;

/** Makes loops: `compiler()` of `headrace/compile`. */
export interface Compiler {
  /**
   * Called once for each stage. What it returns is told how many events have come, until it returns a loop for them.
   * `report` hears of it where no code may be made.
   */
  readonly "~loops": (row: Row, report: (error: unknown) => void) => (events: number) => Loop | undefined;
}
