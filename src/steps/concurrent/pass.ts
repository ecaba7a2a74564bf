import { Pair } from "./pair.ts";

/** A step that passes events on as they come, and holds none. */
export class Pass<In> extends Pair<In, In> {
  take(events: readonly In[]): void {
    this.output.answer(events);
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
