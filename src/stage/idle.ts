import { inDevelopment } from "./development.ts";
import { argumentError, words } from "../base/errors.ts";
import type { StageOptions } from "../contract/options.ts";

const waiting = new Set<Idle>();
let watcher: ((idle: readonly Idle[]) => void) | undefined;

/** Calls `then` with the pipelines that have had no consumer after each change, so that an ending platform may tell of them. */
export function watchAllIdle(then: (idle: readonly Idle[]) => void): void {
  watcher = then;
  changed();
}

const changed = (): void => watcher?.([...waiting]);

/** A pipeline without a sink that has had no consumer yet. It is reported at most once. */
export class Idle {
  readonly #name: string;
  readonly #onReport: StageOptions["onReport"];
  #over = false;

  constructor(name: string, onReport: StageOptions["onReport"]) {
    this.#name = name;
    this.#onReport = onReport;
  }

  /** It has had a consumer, or has ended. */
  over(): void {
    this.#over = true;
    if (waiting.delete(this)) changed();
  }

  tell(): void {
    if (this.#over) return;
    this.over();
    const error = argumentError("ERR_NOT_RUNNING", "", words(this.#name));
    try {
      if (this.#onReport) this.#onReport(error, { stage: this.#name, phase: "done" });
      else console.warn(`headrace: ${error.message}`);
    } catch (second) {
      console.error(`headrace: onReport of ${this.#name} failed:`, second, error);
    }
  }
}

const collected = /* @__PURE__ */ new FinalizationRegistry<Idle>((idle) => idle.tell());

/** Notes a pipeline without a sink: reported if its last stage is collected and has never had a consumer. */
export function watchIdle(handle: object, idle: Idle): void {
  if (!inDevelopment()) return;
  waiting.add(idle);
  changed();
  collected.register(handle, idle);
}
