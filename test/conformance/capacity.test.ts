import { describe, expect, test } from "vitest";
import { errorOf, isFailure, sink, type SinkBehaviour, type SinkContext } from "../../src/adapter/index.ts";
import {
  type Adapter,
  type Capabilities,
  runConformance,
  type SinkOptions,
  type SinkProbe,
} from "../../src/conformance/index.ts";
import type { Consumer, Reason, Subscription } from "../../src/index.ts";

/** Foreign sinks that are right, of kinds that a usual one is not. */
type Make = (probe: SinkProbe, options: SinkOptions) => Consumer<never>;

abstract class Ending implements SinkBehaviour<unknown> {
  protected readonly probe: SinkProbe;
  protected over = false;

  constructor(probe: SinkProbe) {
    this.probe = probe;
  }

  abstract handleEvents(events: readonly unknown[], subscription: Subscription, stage: SinkContext): unknown;

  async handleEnd(stage: SinkContext): Promise<void> {
    this.over = true;
    await this.probe.end()?.catch((error: unknown) => stage.fail(error));
  }

  terminate(reason: Reason, _stage: SinkContext): void {
    if (this.over) return;
    this.over = true;
    if (isFailure(reason)) this.probe.fail(errorOf(reason));
    else void this.probe.end();
  }
}

/** Collects rows, and stores them once there are `size`, or at the end. */
class Collecting extends Ending {
  readonly #size: number;
  #held: unknown[] = [];
  #from: Subscription | undefined;

  constructor(probe: SinkProbe, size: number) {
    super(probe);
    this.#size = size;
  }

  handleEvents(events: readonly unknown[], subscription: Subscription, stage: SinkContext): Promise<void> | undefined {
    this.#held.push(...events);
    this.#from = subscription;
    return this.#held.length < this.#size ? undefined : this.#store(stage);
  }

  override async handleEnd(stage: SinkContext): Promise<void> {
    await this.#store(stage);
    if (!this.over) await super.handleEnd(stage);
  }

  override terminate(reason: Reason, stage: SinkContext): void {
    this.#giveBack(stage);
    super.terminate(reason, stage);
  }

  async #store(stage: SinkContext): Promise<void> {
    while (this.#held.length > 0 && !stage.signal.aborted) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- rows are stored in order
        await this.probe.event(this.#held.shift());
      } catch (error) {
        this.over = true;
        this.#giveBack(stage);
        stage.fail(error);
        return;
      }
    }
  }

  #giveBack(stage: SinkContext): void {
    if (this.#from && this.#held.length > 0) stage.giveBack(this.#from, this.#held.splice(0));
  }
}

/** Sends rows and waits for none, but for all at the end. */
class Sending extends Ending {
  readonly #under = new Set<Promise<void>>();

  handleEvents(events: readonly unknown[], _subscription: Subscription, stage: SinkContext): void {
    for (const event of events) {
      if (this.over) return;
      const sent = this.probe.event(event);
      if (!sent) continue;
      this.#under.add(sent);
      sent.then(
        () => this.#under.delete(sent),
        (error: unknown) => {
          this.over = true;
          stage.fail(error);
        },
      );
    }
  }

  override async handleEnd(stage: SinkContext): Promise<void> {
    await Promise.allSettled(this.#under);
    if (!this.over) await super.handleEnd(stage);
  }
}

/** A store that has no end to tell. */
const closeless: Make = (probe, options) =>
  sink<unknown>(
    {
      async handleEvents(events, subscription, stage) {
        for (const [at, event] of events.entries()) {
          if (stage.signal.aborted) return stage.giveBack(subscription, events.slice(at));
          try {
            // oxlint-disable-next-line no-await-in-loop -- rows are stored in order
            await probe.event(event);
          } catch (error) {
            stage.giveBack(subscription, events.slice(at + 1));
            return stage.fail(error);
          }
        }
      },
    },
    options,
  );

const of = (name: string, make: Make, capabilities: Capabilities): Adapter => ({
  name,
  sink: (probe, options) => ({ consumer: make(probe, options) }),
  capabilities,
  patience: 200,
});
const collecting =
  (size: number): Make =>
  (probe, options) =>
    sink(new Collecting(probe, size), options);
const sending: Make = (probe, options) => sink(new Sending(probe), options);

const failing = async (adapter: Adapter): Promise<unknown[]> =>
  (await runConformance(adapter))
    .filter(({ outcome }) => outcome === "fail")
    .map(({ rule, error }) => [rule, String(error)]);

describe("capacity", () => {
  test.each([
    ["collects 150 rows", collecting(150), { capacity: 150 }],
    ["collects 500 rows", collecting(500), { capacity: 500 }],
    ["sends without waiting", sending, { capacity: Number.POSITIVE_INFINITY }],
  ])("C-01 a right sink that %s passes every rule that applies", async (name, make, capabilities) => {
    expect(await failing(of(name, make, capabilities))).toEqual([]);
  });

  test("C-02 a capacity above 100 events excuses no sink that takes more", async () => {
    const rules = (await failing(of("greedy", sending, { capacity: 150 }))).map((found) => (found as [string])[0]);
    expect(rules).toContain("RS-2.1a");
  });
});

describe("ends", () => {
  test("C-03 a sink without an end passes when it says so, and fails when it does not", async () => {
    expect(await failing(of("store", closeless, { ends: false }))).toEqual([]);
    const rules = (await failing(of("store", closeless, {}))).map((found) => (found as [string])[0]);
    expect(rules).toEqual(expect.arrayContaining(["4.7b", "7.2d", "7.2e", "7.2f", "5.4e", "5.4f", "5.7a"]));
  });

  test("C-04 a sink said to have no end fails when it is told one", async () => {
    const rules = (await failing(of("store", collecting(1), { ends: false }))).map((found) => (found as [string])[0]);
    expect(rules).toContain("4.7b");
  });
});
