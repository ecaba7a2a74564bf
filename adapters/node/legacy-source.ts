import { errorOf, isFailure, type SourceContext } from "../../src/adapter/index.ts";
import type { Reason } from "../../src/index.ts";
import { can, type LegacyLike, type OddLike, prematureClose, type StreamLike } from "./like.ts";
import { StreamSource } from "./stream-source.ts";
import { destroy, isDestroyable } from "./view.ts";

/** Takes what an old stream emits, and pauses it without demand. */
export class LegacySource<Out> extends StreamSource<Out> {
  readonly #stream: LegacyLike & StreamLike & OddLike;
  readonly #destroys: boolean;

  constructor(stream: LegacyLike, destroys: boolean) {
    super(stream);
    this.#stream = stream;
    this.#destroys = destroys;
  }

  readonly begin = (stage: SourceContext<Out>): void => {
    const [stream, listeners] = [this.#stream, this.listeners];
    this.stage = stage;
    if (this.over) return;
    listeners.claim(stage.runtime);
    stream.pause?.();
    listeners.add("data", this.#onData);
    listeners.add("end", this.onEnd);
    listeners.add("error", this.onError);
    for (const event of ["close", "destroy"]) listeners.add(event, this.#onClose);
    if (stream.destroyed === true) this.#onClose();
    // Earlier events are not repeated: only the stream's unreadability still tells of them.
    else if (stream.readable === false || stream.ended === true) this.onEnd();
  };

  readonly handleDemand = (demand: number): void => {
    this.wanted += demand;
    if (!this.over) this.#stream.resume?.();
  };

  readonly terminate = (reason: Reason): void => {
    const stream = this.#stream;
    this.over = true;
    if (!this.ended) stream.pause?.();
    const destroys = this.#destroys && !this.ended;
    this.listeners.release(destroys && isDestroyable(stream), true);
    if (destroys) destroy(stream, isFailure(reason) ? errorOf(reason) : undefined);
  };

  readonly #onData = (event: unknown): void => {
    const stage = this.stage;
    if (this.wanted === 0) stage.runtime.flush();
    if (this.over) return;
    this.wanted = Math.max(0, this.wanted - 1);
    try {
      stage.push([event as Out]);
    } catch (error) {
      this.fail(error);
    }
    if (this.wanted === 0) this.#stream.pause?.();
  };

  readonly #onClose = (): void => {
    if (!this.over) this.fail(prematureClose(this.#stream));
  };
}

export const isLegacy = (value: unknown): value is LegacyLike =>
  can(value, "on", "removeListener") &&
  !("read" in (value as object)) &&
  ((value as OddLike).readable === true || can(value, "pause"));
