import type { ProducerHandle } from "../../src/stage/faces.ts";
import { push } from "../../src/stage/overflow.ts";
import type { ProducerStage, Reason } from "../../src/index.ts";
import { Listeners } from "./listen.ts";
import { can, type LegacyLike, prematureClose, type StreamLike } from "./like.ts";
import { report } from "./report.ts";

/** What a stream of the old kind may have besides events. */
type Verbs = Partial<Record<"pause" | "resume" | "destroy" | "close" | "abort", () => unknown>>;

/** Takes what a stream of the old kind emits, and pauses it when nobody asks. */
export class LegacySource<Out> {
  readonly #stream: LegacyLike & Verbs;
  readonly #destroys: boolean;
  readonly #listeners: Listeners;
  #stage!: ProducerStage<Out, never>;
  #wanted = 0;
  #over = false;
  #ended = false;

  constructor(stream: LegacyLike, destroys: boolean) {
    this.#stream = stream;
    this.#destroys = destroys;
    this.#listeners = new Listeners(stream as unknown as StreamLike);
  }

  start(stage: ProducerStage<Out, never>): void {
    this.#stage = stage;
    if (this.#over) return;
    this.#stream.pause?.();
    this.#listeners.add("data", this.#onData);
    this.#listeners.add("end", this.#onEnd);
    this.#listeners.add("error", this.#onError);
    for (const event of ["close", "destroy"]) this.#listeners.add(event, this.#onClose);
  }

  readonly handleDemand = (demand: number): void => {
    this.#wanted += demand;
    this.#stream.resume?.();
  };

  readonly terminate = (_reason: Reason): void => {
    const stream = this.#stream;
    this.#over = true;
    if (!this.#ended) stream.pause?.();
    const close = this.#destroys && !this.#ended ? (stream.destroy ?? stream.close ?? stream.abort) : undefined;
    this.#listeners.release(undefined, close !== undefined);
    close?.call(stream);
  };

  readonly #onData = (event: unknown): void => {
    const core = (this.#stage as unknown as ProducerHandle)["~core"];
    if (this.#wanted === 0) core.runtime.flush();
    if (this.#over) return;
    this.#wanted = Math.max(0, this.#wanted - 1);
    try {
      push(core, [event], true);
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
  };

  readonly #onError = (error: unknown): void => {
    if (this.#over) report(this.#stage, error, "terminate");
    else this.#fail(error);
  };

  readonly #onClose = (): void => {
    if (!this.#over) this.#fail(prematureClose(this.#stream));
  };

  #fail(error: unknown): void {
    this.#over = true;
    this.#stage.fail(error, { after: "buffer" });
  }
}

export const isLegacy = (value: unknown): value is LegacyLike =>
  can(value, "on", "removeListener") &&
  !("read" in (value as object)) &&
  ((value as { readonly readable?: boolean }).readable === true || can(value, "pause"));
