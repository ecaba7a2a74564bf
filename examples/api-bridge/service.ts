// A service as another team has written it, with RxJS. It knows nothing of HTTP, and nothing of who is slow.
import { defer, Observable, Subject } from "rxjs";

export interface Price {
  readonly symbol: string;
  readonly at: number;
}
export interface Order {
  readonly id: number;
  readonly notes: string;
}

export class Service {
  readonly #prices = new Subject<Price>();
  /** How many listen to prices. */
  listeners = 0;
  /** Orders read so far, for all clients. */
  read = 0;

  /** Prices as they come. Hot: it waits for no one. */
  readonly prices: Observable<Price> = new Observable((subscriber) => {
    this.listeners += 1;
    subscriber.add(() => (this.listeners -= 1));
    return this.#prices.subscribe(subscriber);
  });

  /** One order, once someone subscribes. */
  order(id: number): Observable<Order> {
    return defer(async () => {
      await new Promise(setImmediate);
      this.read += 1;
      return { id, notes: "n".repeat(8000) };
    });
  }

  tell(price: Price): void {
    this.#prices.next(price);
  }

  close(): void {
    this.#prices.complete();
  }
}
