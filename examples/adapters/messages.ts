// A source over a callback API: a message client that calls back for each message, whether or not anyone asks, and that can
// be paused. Shows `source`, the hook `begin`, a `Collector` with a brake, options of the adapter's own, and checks.
import type { Producer, ProducerOptions, Reason } from "headrace";
import { Collector, refuse, requireType, source, type SourceBehaviour, type SourceContext } from "headrace/adapter";

/** What is used of a client: the shape, so that the package of the client is no dependency. */
export interface MessageClient<Message> {
  on(event: "message", listener: (message: Message) => void): void;
  on(event: "error", listener: (error: unknown) => void): void;
  on(event: "end", listener: () => void): void;
  off(event: string, listener: (value: never) => void): void;
  /** No message comes after it has returned, until `resume`. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface FromClientOptions<in Message> extends Omit<ProducerOptions<Message>, "demandMode"> {
  /** Whether the client stays open when this producer ends before it. @default false */
  readonly keepOpen?: boolean | undefined;
}

class ClientSource<Message> implements SourceBehaviour<Message> {
  readonly #client: MessageClient<Message>;
  readonly #options: FromClientOptions<Message>;
  #collector!: Collector<Message>;
  #closed = false;

  constructor(client: MessageClient<Message>, options: FromClientOptions<Message>) {
    this.#client = client;
    this.#options = options;
  }

  /** The stage stands, and no message has come. */
  begin(stage: SourceContext<Message>): void {
    const client = this.#client;
    const { overflow = "throw", bufferSize } = this.#options;
    this.#collector = new Collector(stage, {
      overflow,
      bufferSize,
      brake: { pause: () => client.pause(), resume: () => client.resume() },
      release: () => this.#release(),
    });
  }

  /** Listens once there is a consumer: messages that come before would find no one. */
  handleSubscribe(): void {
    this.#collector.start(() => {
      this.#client.on("message", this.#onMessage);
      this.#client.on("error", this.#onError);
      this.#client.on("end", this.#onEnd);
    });
  }

  handleDemand(): void {
    this.#collector.resume();
  }

  terminate(reason: Reason): void {
    this.#collector.close(reason);
  }

  readonly #onMessage = (message: Message): void => this.#collector.add(message);
  readonly #onError = (error: unknown): void => this.#collector.fail(error);
  readonly #onEnd = (): void => this.#collector.complete();

  #release(): void {
    const client = this.#client;
    client.off("message", this.#onMessage);
    client.off("error", this.#onError);
    client.off("end", this.#onEnd);
    // A client that says all while it is being listened to is let go of twice: what was added behind its end, too.
    if (!this.#options.keepOpen && !this.#closed) client.close();
    this.#closed = true;
  }
}

/**
 * Makes a producer of the messages of a client.
 *
 * **Shape** one event a message, in order. **Backpressures** by `pause` and `resume`; a message that comes nevertheless is
 * buffered, and beyond `bufferSize` the policy `overflow` (`"throw"`) applies.
 */
export function fromClient<Message>(
  client: MessageClient<Message>,
  options: FromClientOptions<Message> = {},
): Producer<Message> {
  for (const method of ["on", "off", "pause", "resume", "close"] as const)
    if (typeof (client as Partial<MessageClient<Message>> | undefined)?.[method] !== "function")
      refuse("ERR_NOT_SOURCE", `a client with ${method}`, client);
  requireType("keepOpen", options.keepOpen, "boolean");
  return source(new ClientSource(client, options), options, { own: ["keepOpen"], name: "fromClient", pushes: true });
}
