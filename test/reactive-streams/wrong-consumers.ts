import { callbackError } from "../../src/adapter/index.ts";
import type { ConsumerPort, ProducerPort, Reason, Subscription } from "../../src/index.ts";
import type { Handlers, Probe, ProbeFactory } from "./consumer-checks.ts";

/** Where a consumer can go wrong. Without any of it, it keeps to the rules. */
export interface WrongConsumer {
  readonly neverAsks?: true;
  readonly asksUnbidden?: true;
  readonly asksInTheEnd?: true;
  readonly cancelsInTheEnd?: true;
  readonly cancelsAfterTheEnd?: true;
  readonly throwsOnLateEvents?: true;
  readonly seesLateEvents?: true;
  readonly swallowsNull?: true;
  readonly losesFalsyErrors?: true;
  readonly goesOnAfterItsHandlerFailed?: true;
  readonly ignoresRejections?: true;
  readonly countsAsksTwice?: true;
  readonly missesTheEnd?: true;
  readonly neverConfirms?: true;
  readonly confirmsTwice?: true;
}

/** A consumer written against the wire, with no stage behind it. */
class Double implements Probe {
  readonly seen: unknown[] = [];
  readonly ends: Reason[] = [];
  readonly #wrong: WrongConsumer;
  readonly #handlers: Handlers;
  #port: ProducerPort | undefined;
  #over = false;
  #completed = false;

  constructor(wrong: WrongConsumer, handlers: Handlers = {}) {
    this.#wrong = wrong;
    this.#handlers = handlers;
  }

  readonly connect: Probe["connect"] = (source) => {
    const port: ConsumerPort<unknown> = {
      consumer: this,
      name: "double",
      subscription: {} as Subscription,
      carries: true,
      events: (batch) => {
        for (const event of batch) this.#take(event);
      },
      end: ({ reason }) => this.#end(reason),
    };
    this.#port = source["~attach"](port);
    this.#confirm();
    if (this.#wrong.asksUnbidden) this.#port.ask(1);
  };
  readonly ask = (count: number): void => {
    if (this.#over || this.#wrong.neverAsks) return;
    this.#port?.ask(this.#wrong.countsAsksTwice ? 2 * count : count);
  };
  readonly cancel = (): void => {
    if (!this.#over) this.#leave({ type: "cancel" });
  };
  readonly stop = (): Promise<void> => {
    if (!this.#over || this.#wrong.cancelsAfterTheEnd) this.#leave({ type: "stop" });
    return Promise.resolve();
  };

  #leave(reason: Reason): void {
    this.#over = true;
    this.#port?.end({ reason });
  }

  /** All that the source has sent is seen. It may have completed before there was a port to say so to. */
  #confirm(): void {
    if (this.#port === undefined || !this.#completed || this.#wrong.neverConfirms) return;
    this.#completed = false;
    this.#port.end({ reason: { type: "complete" } });
    if (this.#wrong.confirmsTwice) this.#port.end({ reason: { type: "complete" } });
  }

  #take(event: unknown): void {
    if (this.#over && this.#wrong.throwsOnLateEvents) throw new Error("too late");
    if (this.#over && !this.#wrong.seesLateEvents) return;
    if (event === null && this.#wrong.swallowsNull) return;
    this.seen.push(event);
    const failed = (cause: unknown): void => {
      if (!this.#over && !this.#wrong.goesOnAfterItsHandlerFailed)
        this.#leave({
          type: "failure",
          error: callbackError({ stage: "double", callback: "event" }, cause, [event]),
        });
    };
    try {
      const result = this.#handlers.event?.(event);
      if (result instanceof Promise) result.catch(this.#wrong.ignoresRejections ? () => {} : failed);
    } catch (error) {
      failed(error);
    }
  }

  #end(reason: Reason): void {
    if (this.#over || this.#wrong.missesTheEnd) return;
    if (this.#wrong.asksInTheEnd) this.#port?.ask(1);
    if (this.#wrong.cancelsInTheEnd) this.#port?.end({ reason: { type: "cancel" } });
    this.#over = true;
    const lost = this.#wrong.losesFalsyErrors && reason.type === "failure" && !reason.error;
    this.ends.push(lost ? { type: "complete" } : reason);
    this.#handlers.end?.();
    this.#completed = reason.type === "complete";
    this.#confirm();
  }
}

/** A factory of consumers that go wrong in one way. */
export const consumerOf =
  (wrong: WrongConsumer = {}): ProbeFactory =>
  (handlers) =>
    new Double(wrong, handlers);
