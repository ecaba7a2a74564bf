import {
  type OtherSide,
  type SourceBehaviour,
  type SourceContext,
  type Told,
  toldErrors,
} from "../../src/adapter/index.ts";
import type { Reason } from "../../src/index.ts";
import type { StreamLike } from "./like.ts";
import { Listeners } from "./listen.ts";

/** How a stream's end and errors become its stage's. */
export abstract class StreamSource<Out> implements SourceBehaviour<Out> {
  protected readonly listeners: Listeners;
  protected stage!: SourceContext<Out>;
  /** The writable side of the same stream. */
  protected sink: OtherSide | undefined;
  protected told: Told = toldErrors();
  /** Asked of `handleDemand` and not read yet. */
  protected wanted = 0;
  /** The outcome is known, or the stage has ended. */
  protected over = false;
  protected ended = false;

  constructor(stream: StreamLike) {
    this.listeners = new Listeners(stream);
  }

  abstract readonly handleDemand: (demand: number) => Out[] | void;
  abstract readonly terminate: (reason: Reason) => Promise<void> | void;

  readonly couple = (sink: OtherSide): void => {
    this.sink = sink;
    this.told = sink.told;
  };

  protected readonly onEnd = (): void => {
    this.ended = true;
    if (this.over) return;
    this.over = true;
    this.stage.complete();
    // Nothing more need be written. At the end of the input the writable side finishes by itself.
    if (this.sink && !this.sink.reason) this.sink.end({ type: "stop" });
  };

  protected readonly onError = (error: unknown): void => {
    if (!this.told.add(error)) return;
    if (this.over) this.stage.report(error, "terminate");
    else this.fail(error);
  };

  protected fail(error: unknown): void {
    this.over = true;
    this.told.add(error);
    this.stage.fail(error, { after: "buffer" });
  }
}
