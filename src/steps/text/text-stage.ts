import { transform } from "../../adapter/transform.ts";
import { CallbackError, callbackError } from "../../base/errors.ts";
import type { SourceContext, TransformBehaviour } from "../../contract/adapter.ts";
import type { Awaitable, Emits } from "../../contract/behaviour.ts";
import type { ProducerConsumer, Subscription } from "../../contract/stage.ts";
import type { Setting } from "../../adapter/step.ts";
import { type Bytes, isBytes, viewOf } from "./decoder.ts";

/** One chunk is many lines, so the window of chunks is none for what comes out. */
const WINDOW = 1000;

/** What makes a batch of its own: below that what comes of several chunks is one. */
const ENOUGH = 100;

/** The stage of a step that makes text of chunks. */
export abstract class TextStage<Out> implements TransformBehaviour<Bytes, Out> {
  readonly patient = true;
  readonly step: string;
  readonly setting: Setting;
  stage!: SourceContext<Out>;

  constructor(step: string, setting: Setting) {
    this.step = step;
    this.setting = setting;
  }

  begin(stage: SourceContext<Out>): void {
    this.stage = stage;
  }

  abstract handleEvents(events: readonly Bytes[], subscription: Subscription): Awaitable<Emits<Out>>;
  abstract handleEnd(): Awaitable<Emits<Out>>;
  /** What is held, which then is held no longer. */
  abstract held(): readonly unknown[];

  /** What has no end yet reaches no one. */
  terminate(): void {
    const events = this.held();
    if (events.length > 0) this.stage.discard(events as never);
  }

  check(chunk: unknown): void {
    if (typeof chunk === "string" || isBytes(chunk)) return;
    const expected = `step ${this.setting.index} (${this.step}) of ${this.setting.name} to get bytes or strings`;
    throw new CallbackError({ code: "ERR_RESULT", expected, got: chunk }, [chunk]);
  }

  /** Earlier results go out first. */
  broken(cause: unknown, event: unknown, events: readonly unknown[], out: Out[], callback = "handleEvents"): void {
    const { name, index } = this.setting;
    const error = callbackError({ stage: name, callback, step: this.step, index, event }, cause, events);
    this.stage.answer(out);
    this.stage.fail(error, { after: "buffer" });
  }

  make(): ProducerConsumer<Bytes, Out> {
    return transform<Bytes, Out>(this, { ...this.setting, defaultMaxDemand: WINDOW });
  }
}

/** One that waits for nothing. */
export abstract class ChunkStage extends TextStage<string> {
  /**
   * Adds what comes of a chunk, or returns another array in place of an empty one. What it throws fails the step, behind what is
   * in `out`.
   */
  abstract take(chunk: Bytes, out: string[]): string[];
  /** Adds what is left when nothing more comes. */
  abstract last(out: string[]): string[];
  /** How much of a chunk is taken at a time. **Units** bytes. */
  readonly most: number = Number.POSITIVE_INFINITY;

  handleEvents(events: readonly Bytes[], subscription: Subscription): string[] | undefined {
    let out: string[] = [];
    for (let i = 0; i < events.length; i += 1) {
      const chunk = events[i] as Bytes;
      let rest = chunk;
      try {
        this.check(chunk);
        while (typeof rest !== "string" && rest.byteLength > this.most) {
          const bytes = viewOf(rest);
          out = this.#passOn(this.take(bytes.subarray(0, this.most), out));
          rest = bytes.subarray(this.most);
        }
        out = this.#passOn(this.take(rest, out));
      } catch (error) {
        this.stage.giveBack(subscription, events.slice(i + 1));
        this.broken(error, chunk, [...this.held(), rest], out);
        return undefined;
      }
    }
    return out;
  }

  #passOn(out: string[]): string[] {
    if (out.length < ENOUGH) return out;
    this.stage.answer(out);
    return [];
  }

  handleEnd(): string[] | undefined {
    const out: string[] = [];
    try {
      return this.last(out);
    } catch (error) {
      this.broken(error, undefined, this.held(), out, "handleEnd");
      return undefined;
    }
  }
}
