import type { Subscription } from "../../contract/stage.ts";

/** What a step has asked its sources for, by hand, and has not been given. */
export class Asks {
  readonly #outstanding = new Map<Subscription, number>();
  /** **Units** events. */
  outstanding = 0;

  get closed(): boolean {
    return this.#outstanding.size === 0;
  }

  open(subscription: Subscription): void {
    this.#outstanding.set(subscription, 0);
  }

  close(subscription: Subscription): void {
    this.outstanding -= this.#outstanding.get(subscription) ?? 0;
    this.#outstanding.delete(subscription);
  }

  arrived(subscription: Subscription, count: number): void {
    const asked = this.#outstanding.get(subscription);
    if (asked === undefined) return;
    this.#outstanding.set(subscription, asked - count);
    this.outstanding -= count;
  }

  /** Asks for `count` more events, of each source the like: no more than its maxDemand is outstanding. */
  ask(count: number): void {
    let left = count;
    let sources = this.#outstanding.size;
    for (const [subscription, asked] of this.#outstanding) {
      const share = Math.min(Math.ceil(left / sources), subscription.options.maxDemand - asked);
      sources -= 1;
      if (share <= 0) continue;
      left -= share;
      this.#outstanding.set(subscription, asked + share);
      this.outstanding += share;
      subscription.ask(share);
    }
  }
}
