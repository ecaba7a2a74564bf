import { test } from "vitest";
import {
  fromPublisher,
  intoSubscriber,
  type Processor,
  type Publisher,
  type Subscriber,
  type Subscription,
  throughProcessor,
} from "../../adapters/reactive-streams/index.ts";
import { type Adapter, conformance, type ThroughProbe } from "../../src/conformance/index.ts";
import { sourcesOf, type Tally } from "./foreign.ts";

/** Answers requests at once. */
function publisher(tally: Tally): Publisher<unknown> {
  const { failure, silent } = tally.plan;
  return {
    subscribe(subscriber) {
      const claim = { over: false };
      const end = (): void => {
        if (claim.over || silent || tally.more) return;
        claim.over = true;
        if (failure) subscriber.onError(failure.error);
        else subscriber.onComplete();
      };
      subscriber.onSubscribe({
        request(count) {
          for (let left = count; left > 0 && tally.more && !claim.over; left -= 1) subscriber.onNext(tally.take());
          end();
        },
        cancel() {
          claim.over = true;
          tally.release();
        },
      });
      if (!failure) end();
    },
  };
}

/** Passes on what it is asked for, and behind its input whatever it has left. */
class Passing implements Processor<unknown, unknown> {
  released = 0;
  readonly #probe: ThroughProbe;
  readonly #queue: unknown[] = [];
  #up: Subscription | undefined;
  #down: Subscriber<unknown> | undefined;
  #early = 0;
  #requested = 0;
  #over = false;

  constructor(probe: ThroughProbe) {
    this.#probe = probe;
  }
  subscribe(subscriber: Subscriber<unknown>): void {
    this.#down = subscriber;
    subscriber.onSubscribe({
      request: (count) => {
        this.#requested += count;
        if (this.#up) this.#up.request(count);
        else this.#early += count;
        this.#drain();
      },
      cancel: () => {
        this.released += 1;
        this.#up?.cancel();
      },
    });
  }
  onSubscribe(subscription: Subscription): void {
    this.#up = subscription;
    if (this.#early > 0) subscription.request(this.#early);
  }
  onNext(event: unknown): void {
    if (this.#over) return;
    try {
      this.#queue.push(...this.#probe.transform(event));
    } catch (error) {
      this.#over = true;
      this.#up?.cancel();
      this.#down?.onError(error);
      return;
    }
    if (this.#probe.over) {
      this.#up?.cancel();
      this.#over = true;
    }
    this.#drain();
  }
  onError(error: unknown): void {
    this.#down?.onError(error);
  }
  onComplete(): void {
    this.#queue.push(...this.#probe.flush());
    this.#over = true;
    this.#drain();
  }
  #drain(): void {
    while (this.#requested > 0 && this.#queue.length > 0) {
      this.#requested -= 1;
      this.#down?.onNext(this.#queue.shift());
    }
    if (this.#over && this.#queue.length === 0) this.#down?.onComplete();
  }
}

const adapters: Adapter[] = [
  {
    name: "fromPublisher",
    ...sourcesOf((tally, options) => fromPublisher(publisher(tally), options)),
    refuses: (foreign) => fromPublisher(foreign as never),
  },
  {
    name: "intoSubscriber",
    sink: (probe, options) => {
      let claim: Subscription | undefined;
      const subscriber: Subscriber<unknown> = {
        onSubscribe: (subscription) => {
          claim = subscription;
          subscription.request(1);
        },
        onNext: (event) => {
          const working = probe.event(event);
          if (working) void working.then(() => claim?.request(1));
          else claim?.request(1);
        },
        onError: (error) => probe.fail(error),
        onComplete: () => void probe.end(),
      };
      return { consumer: intoSubscriber(subscriber, options) };
    },
    refuses: (foreign) => intoSubscriber(foreign as never),
    capabilities: { endWaits: false, fails: false },
    deviations: [{ rule: "5.3a", reason: "a Subscriber has one subscription" }],
  },
  {
    name: "throughProcessor",
    through: (probe, options) => {
      const processor = new Passing(probe);
      return { stage: throughProcessor(processor, options), released: () => processor.released };
    },
    refuses: (foreign) => throughProcessor(foreign as never),
  },
];

for (const adapter of adapters) conformance(adapter, { test });
