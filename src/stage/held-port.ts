import type { End } from "../contract/reason.ts";
import type { ProducerPort } from "../contract/stage.ts";
import { addDemand } from "../base/demand.ts";
import type { Core } from "./core.ts";
import type { StageInlet } from "./stage-inlet.ts";

/** Stands between a link and its producer, and keeps what is asked for until it is released. */
export class HeldPort implements ProducerPort {
  readonly #link: StageInlet;
  readonly #port: ProducerPort;
  #asked = 0;
  /** What the producer holds back until this link is released. */
  readonly releases: (() => void)[] = [];

  constructor(link: StageInlet) {
    this.#link = link;
    this.#port = link.port;
    link.port = this;
  }

  /** The producer's stage, for `inspect`. */
  get core(): Core | undefined {
    return (this.#port as { readonly core?: Core }).core;
  }

  ask(count: number): void {
    this.#asked = addDemand(this.#asked, count);
  }

  end(end: End): void {
    this.#port.end(end);
  }

  release(): void {
    if (this.#link.port !== this) return;
    this.#link.port = this.#port;
    for (const release of this.releases) release();
    if (this.#asked === 0 || this.#link.ended) return;
    try {
      this.#port.ask(this.#asked);
    } catch (error) {
      this.#link.refuse(error, []);
    }
  }
}
