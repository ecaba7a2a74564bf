import type { Subscription } from "../../contract/stage.ts";
import { Pair } from "./pair.ts";

/** A step that passes events on as they come, and holds none. */
export class Pass<In> extends Pair<In, In> {
  take(events: readonly In[], subscription: Subscription): void {
    // The output may have ended in this very turn.
    if (!this.output.answer(events)) this.input.giveBack(subscription, events);
    this.pump();
  }

  pump(): void {
    this.checkEmpty();
    if (!this.begun || this.over || this.asks.closed) return;
    const count = this.output.demand - this.asks.outstanding;
    if (count > 0) this.asks.ask(count);
  }

  get empty(): boolean {
    return true;
  }

  override unmake(events: readonly In[]): readonly In[] {
    return events;
  }

  giveBack(): void {}
}
