import type { Subscription } from "../../contract/stage.ts";
import { Held } from "./held.ts";
import { Pair } from "./pair.ts";

/** A step that holds events and emits the same: what no consumer gets goes back. */
export abstract class Holding<In> extends Pair<In, In> {
  readonly held: Held<In> = new Held<In>();

  get empty(): boolean {
    return this.held.size === 0;
  }

  take(events: readonly In[], subscription: Subscription): void {
    this.held.push(events, subscription);
    this.pump();
  }

  override unmake(events: readonly In[]): readonly In[] {
    return events;
  }

  giveBack(): void {
    for (const [subscription, rest] of this.held.takeAll()) this.input.giveBack(subscription, rest);
  }
}
