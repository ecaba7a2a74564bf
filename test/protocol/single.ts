import type { Dispatcher, DispatcherLink } from "../../src/index.ts";

/** A dispatcher of the smallest kind: one link, to which everything goes. It names no subscribe options. */
export class Single implements Dispatcher<number, object> {
  wanted = 0;
  readonly queued: number = 0;
  #link: DispatcherLink | undefined;
  readonly seen: object[] = [];

  subscribe(link: DispatcherLink, options: object): void {
    this.seen.push(options);
    this.#link = link;
  }
  ask(_link: DispatcherLink, count: number): void {
    this.wanted += count;
  }
  cancel(): void {
    this.#link = undefined;
    this.wanted = 0;
  }
  giveBack(): void {}
  dispatch(events: readonly number[]): number {
    const batch = events.slice(0, this.wanted);
    this.wanted -= batch.length;
    if (batch.length > 0) this.#link?.deliver(batch);
    return batch.length;
  }
}
