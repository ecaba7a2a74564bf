import type { Call } from "./call.ts";

/**
 * Calls that were begun and not emitted, in the order of their beginning. A chain, not a Set: calls leave from anywhere, and a
 * Set under constant change makes a new table every few changes, each old one leading to the next.
 *
 *     oldest ⇄ call ⇄ call ⇄ newest
 */
export class Begun<In> {
  #oldest: Call<In> | undefined;
  #newest: Call<In> | undefined;
  size = 0;

  get oldest(): Call<In> | undefined {
    return this.#oldest;
  }

  add(call: Call<In>): void {
    const last = this.#newest;
    call.before = last;
    if (last === undefined) this.#oldest = call;
    else last.behind = call;
    this.#newest = call;
    call.listed = true;
    this.size += 1;
  }

  delete(call: Call<In>): void {
    if (!call.listed) return;
    const { before, behind } = call;
    if (before === undefined) this.#oldest = behind;
    else before.behind = behind;
    if (behind === undefined) this.#newest = before;
    else behind.before = before;
    // A call that outlives its place must keep no other alive.
    call.before = undefined;
    call.behind = undefined;
    call.listed = false;
    this.size -= 1;
  }

  /** All as they are now: calls may leave meanwhile. */
  all(): Call<In>[] {
    const calls: Call<In>[] = [];
    for (let call = this.#oldest; call; call = call.behind) calls.push(call);
    return calls;
  }
}
