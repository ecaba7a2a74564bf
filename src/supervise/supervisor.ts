import { defaultRuntime, reporter } from "../adapter/index.ts";
import { refuseUnknown, requireType } from "../base/check.ts";
import { argumentError, TimeoutError, words } from "../base/errors.ts";
import { ignore } from "../base/reason.ts";
import type { DrainOptions, StopOptions } from "../contract/options.ts";
import type { SupervisedChild } from "./child.ts";
import type {
  ChildDeclaration,
  Supervisor,
  SupervisorInspection,
  SupervisorOptions,
  SupervisorState,
} from "./declaration.ts";
import { checkOptions, membersOf } from "./declared.ts";
import { Handle } from "./member.ts";
import { Supervision } from "./supervision.ts";

/** Longer timers of the platform fire at once instead. In milliseconds, some 25 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

function timeoutOf({ timeout = Number.POSITIVE_INFINITY }: { readonly timeout?: number | undefined }): number {
  requireType("timeout", timeout, "number");
  if (!(timeout >= 0)) throw argumentError("ERR_RANGE", "timeout to be 0 or more", timeout);
  return timeout;
}

/** The user's side of a supervisor. */
class SupervisorHandle implements Supervisor {
  readonly name: string;
  readonly #supervision: Supervision;
  readonly #children: readonly SupervisedChild[];

  constructor(supervision: Supervision) {
    this.name = supervision.name;
    this.#supervision = supervision;
    this.#children = supervision.members.map((member) => new Handle(member));
  }

  get state(): SupervisorState {
    return this.#supervision.state;
  }

  get done(): Promise<void> {
    return this.#supervision.done;
  }

  children(): readonly SupervisedChild[] {
    return this.#children;
  }

  async stop(options: StopOptions = {}): Promise<void> {
    refuseUnknown("stop", options, ["reason", "timeout"]);
    const timeout = timeoutOf(options);
    const supervision = this.#supervision;
    supervision.end({ type: "stop", reason: options.reason });
    await this.#within(timeout, ignore);
  }

  async drain(options: DrainOptions = {}): Promise<void> {
    refuseUnknown("drain", options, ["timeout"]);
    const timeout = timeoutOf(options);
    const supervision = this.#supervision;
    void supervision.drain();
    let late: TimeoutError | undefined;
    await this.#within(timeout, () => {
      const running = this.#children.filter(({ state }) => state !== "ended").map(({ name }) => name);
      const expected = `${this.name} to drain within ${timeout} ms`;
      late = new TimeoutError("ERR_DRAIN_TIMEOUT", expected, words(`children that run on: ${running.join(", ")}`));
      supervision.end({ type: "stop" });
    });
    if (late) throw late;
    await supervision.done;
  }

  /** Waits for the end. When the time is up, what still runs is cut short. */
  async #within(timeout: number, late: () => void): Promise<void> {
    const supervision = this.#supervision;
    const cut = (): void => {
      late();
      supervision.cut();
    };
    const timer =
      timeout > 0 && timeout <= LONGEST_TIMER && !supervision.over
        ? supervision.clock.setTimer(cut, timeout)
        : undefined;
    if (timeout === 0 && !supervision.over) cut();
    await supervision.whenOver;
    if (timer !== undefined) supervision.clock.clearTimer(timer);
  }

  inspect(): SupervisorInspection {
    const { name, state, strategy, restarts, members } = this.#supervision;
    const children = members.map((member) => member.inspect());
    return { name, kind: "supervisor", state, strategy, restarts: restarts.recent, children };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.done;
  }
}

let count = 0;

/**
 * Runs children and starts them again when they fail: stages, pipelines, other supervisors, anything with `done` and `stop`, or
 * promises.
 *
 * **Shape** children start at once, in order; each is subscribed to what it declares whenever it has been started.
 * **Units** `within`, `delay` and `shutdown` in milliseconds.
 * **Completes** when all children have ended well. **Cancels** at a stop, an abort or a failure of its own: children are asked
 * to end, the last first, and abandoned when their `shutdown` is over (`ERR_SHUTDOWN`, to `onReport`).
 *
 * @throws ArgumentError `ERR_OPTION`, `ERR_RANGE`: at once. `done` rejects with a RestartError (`ERR_RESTARTS`) after more than
 * `maxRestarts` restarts `within` so long, with `ERR_CHILD` when a `start` returns no child. A failure that leads to a restart
 * goes to `onReport`; what the failing batch held goes to `onLost`.
 *
 * **Source** rule 8.13; the supervisors of Erlang.
 *
 * @example
 * import { supervisor } from "headrace/supervise";
 *
 * const numbers = fromIterable([1, 2, 3], { onLastCancel: "continue" });
 * const start = () => consumer((events: readonly number[]) => {
 *   for (const n of events) console.log(n); // 1, 2, 3
 * });
 * await supervisor([{ name: "printer", start, subscribeTo: numbers }]).done;
 */
export function supervisor(children: readonly ChildDeclaration[], options: SupervisorOptions = {}): Supervisor {
  checkOptions(options);
  const members = membersOf(children);
  count += 1;
  const { name = `supervisor#${count}`, signal, runtime = defaultRuntime, onReport } = options;
  const supervision = new Supervision(name, members, options, { runtime, report: reporter(name, onReport) });
  const handle = new SupervisorHandle(supervision);
  if (signal) {
    const abort = (): void => {
      // Anyone who aborts knows: the failure need not be observed.
      if (supervision.end({ type: "failure", error: signal.reason })) supervision.done.catch(ignore);
      supervision.cut();
    };
    if (signal.aborted) {
      abort();
      return handle;
    }
    signal.addEventListener("abort", abort);
    void supervision.whenOver.then(() => signal.removeEventListener("abort", abort));
  }
  supervision.start(members);
  return handle;
}
