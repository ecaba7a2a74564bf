/**
 * The arithmetic of automatic demand. At most `max` events are outstanding. A message is cut into batches of at most
 * `max - min`; a batch that leaves at most `min` outstanding carries an ask that fills up to `max`.
 */
export class Window {
  readonly max: number;
  readonly min: number;
  /** Events in a batch at most. */
  readonly most: number;
  outstanding = 0;

  constructor(max: number, min: number) {
    this.max = max;
    this.min = min;
    this.most = max - min;
  }

  /** The first ask. */
  open(): number {
    this.outstanding = this.max;
    return this.max;
  }

  /** Counts a batch as handed over and returns its ask, 0 for none. */
  handOver(count: number): number {
    const outstanding = this.outstanding - count;
    // M01
    if (outstanding > this.min) {
      this.outstanding = outstanding;
      return 0;
    }
    this.outstanding = this.max;
    return this.max - outstanding; // M02
  }
}
