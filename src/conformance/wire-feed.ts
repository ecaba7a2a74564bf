import { complete } from "../base/reason.ts";
import type { End } from "../contract/reason.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { Attachable, ConsumerPort, Producer, ProducerPort } from "../contract/stage.ts";
import { same } from "./expect.ts";
import type { Codec } from "./probes.ts";

/** A consumer's last word, and how many events the foreign side had seen by then. */
interface Word extends End {
  readonly seen: number;
}

/** A source of numbers that speaks the wire itself, so that its consumer's last words reach no stage. */
export class WireFeed implements Attachable<unknown, object> {
  readonly name: string = "feed";
  readonly kind: string = "producer";
  readonly #runtime: Runtime;
  readonly #encode: Codec["encode"];
  readonly #count: number;
  readonly #seen: () => number;
  readonly #words: Word[] = [];
  #asked = 0;
  #sent = 0;

  /** `seen`: events seen by the foreign side so far. */
  constructor(runtime: Runtime, codec: Codec, count: number, seen: () => number) {
    this.#runtime = runtime;
    this.#encode = codec.encode;
    this.#count = count;
    this.#seen = seen;
  }

  /** The producer to subscribe to. */
  get source(): Producer<never> {
    return this as unknown as Producer<never>;
  }

  "~attach"(port: ConsumerPort<unknown>): ProducerPort {
    const serve = (): void => this.#runtime.clock.microtask(() => this.#serve(port));
    if (this.#count === 0) serve();
    return {
      ask: (count) => {
        this.#asked += count;
        serve();
      },
      end: (end) => void this.#words.push({ ...end, seen: this.#seen() }),
    };
  }

  #serve(port: ConsumerPort<unknown>): void {
    const first = this.#sent;
    if (first === this.#count && first > 0) return;
    this.#sent = Math.min(this.#count, this.#asked);
    const batch = Array.from({ length: this.#sent - first }, (_, at) => this.#encode(first + at));
    if (batch.length > 0) port.events(batch);
    if (this.#sent === this.#count) port.end({ reason: complete });
  }

  /** Expects exactly one last word: everything is started. */
  confirmed(): void {
    same(
      this.#words.map(({ reason }) => reason.type),
      ["complete"],
      "the last words to a source that has completed",
    );
    const [{ seen, unstarted = [] }] = this.#words as [Word];
    same(unstarted.length, 0, "the number of events that go back");
    same(seen, this.#count, "the number of events seen before the last word");
  }
}
