import {
  errorOf,
  isFailure,
  type OtherSide,
  type SourceBehaviour,
  type SourceContext,
  type Told,
  toldErrors,
} from "../../src/adapter/index.ts";
import type { Reason } from "../../src/index.ts";
import { can, type LegacyLike, type OddLike, prematureClose, type StreamLike } from "./like.ts";
import { Listeners } from "./listen.ts";
import { destroy, isDestroyable } from "./view.ts";

/** Takes what a stream of the old kind emits, and pauses it while there is no demand. */
export class LegacySource<Out> implements SourceBehaviour<Out> {
  readonly #stream: LegacyLike & StreamLike & OddLike;
  readonly #destroys: boolean;
  readonly #listeners: Listeners;
  #stage!: SourceContext<Out>;
  /** The writable side of the same stream. */
  #sink: OtherSide | undefined;
  #told: Told = toldErrors();
  #wanted = 0;
  #over = false;
  #ended = false;

  constructor(stream: LegacyLike, destroys: boolean) {
    this.#stream = stream;
    this.#destroys = destroys;
    this.#listeners = new Listeners(stream);
  }

  readonly begin = (stage: SourceContext<Out>): void => {
    const [stream, listeners] = [this.#stream, this.#listeners];
    this.#stage = stage;
    if (this.#over) return;
    listeners.claim(stage.runtime);
    stream.pause?.();
    listeners.add("data", this.#onData);
    listeners.add("end", this.#onEnd);
    listeners.add("error", this.#onError);
    for (const event of ["close", "destroy"]) listeners.add(event, this.#onClose);
    if (stream.destroyed === true) this.#onClose();
    // Earlier events are not repeated: only the stream's unreadability still tells of them.
    else if (stream.readable === false || stream.ended === true) this.#onEnd();
  };

  readonly couple = (sink: OtherSide): void => {
    this.#sink = sink;
    this.#told = sink.told;
  };

  readonly handleDemand = (demand: number): void => {
    this.#wanted += demand;
    if (!this.#over) this.#stream.resume?.();
  };

  readonly terminate = (reason: Reason): void => {
    const stream = this.#stream;
    this.#over = true;
    if (!this.#ended) stream.pause?.();
    const destroys = this.#destroys && !this.#ended;
    this.#listeners.release(destroys && isDestroyable(stream), true);
    if (destroys) destroy(stream, isFailure(reason) ? errorOf(reason) : undefined);
  };

  readonly #onData = (event: unknown): void => {
    const stage = this.#stage;
    if (this.#wanted === 0) stage.runtime.flush();
    if (this.#over) return;
    this.#wanted = Math.max(0, this.#wanted - 1);
    try {
      stage.push([event as Out]);
    } catch (error) {
      this.#fail(error);
    }
    if (this.#wanted === 0) this.#stream.pause?.();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    if (this.#over) return;
    this.#over = true;
    this.#stage.complete();
    if (this.#sink && !this.#sink.reason) this.#sink.end({ type: "stop" });
  };

  readonly #onError = (error: unknown): void => {
    if (!this.#told.add(error)) return;
    if (this.#over) this.#stage.report(error, "terminate");
    else this.#fail(error);
  };

  readonly #onClose = (): void => {
    if (!this.#over) this.#fail(prematureClose(this.#stream));
  };

  #fail(error: unknown): void {
    this.#over = true;
    this.#told.add(error);
    this.#stage.fail(error, { after: "buffer" });
  }
}

export const isLegacy = (value: unknown): value is LegacyLike =>
  can(value, "on", "removeListener") &&
  !("read" in (value as object)) &&
  ((value as OddLike).readable === true || can(value, "pause"));
