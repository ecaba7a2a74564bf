// An Observable that ticks fast, bridged into a consumer that is slow. An Observable cannot be asked to wait, so what comes
// while nobody asks is buffered, here up to five ticks, and beyond that a policy decides.
//
//   npx node --conditions=@headrace/source examples/observable-bridge.ts
import { consumer, type Overflow, type Runtime } from "headrace";
import { fromObservable } from "headrace/rxjs";
import { interval, map, type Observable, take } from "rxjs";

export interface Bridged {
  readonly overflow: Overflow;
  /** What the consumer has handled, in order. */
  readonly arrived: readonly number[];
  /** What the policy has dropped, burst by burst. */
  readonly dropped: readonly (readonly number[])[];
  /** How it has ended: "completed", or the code of an error. */
  readonly end: string;
}

/** Handles ticks one by one, each as long as `work` takes; at most two are asked for at a time. */
export async function bridge(
  ticks: Observable<number>,
  overflow: Overflow,
  work: (tick: number) => Promise<void>,
  runtime?: Runtime,
): Promise<Bridged> {
  const arrived: number[] = [];
  const dropped: (readonly number[])[] = [];
  const source = fromObservable(ticks, {
    overflow,
    bufferSize: 5,
    runtime,
    onDiscard: ({ events }) => void dropped.push(events),
  });
  const slow = consumer<number>(
    async ([tick]) => {
      if (tick === undefined) return;
      await work(tick);
      arrived.push(tick);
    },
    { runtime },
  );
  slow.subscribe(source, { maxDemand: 2, minDemand: 1 });
  const end = await slow.done.then(
    () => "completed",
    // An overflow comes behind all that was accepted: the consumer has handled it.
    (error: Error & { readonly code?: string }) => error.code ?? error.message,
  );
  return { overflow, arrived, dropped, end };
}

const list = (ticks: readonly number[]): string => ticks.join(" ") || "none";

export const shown = ({ overflow, arrived, dropped, end }: Bridged): string =>
  `${overflow.padEnd(12)} arrived: ${list(arrived)}; dropped: ${list(dropped.flat())}; ${end}`;

const fiftyMilliseconds = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

if (import.meta.main) {
  const ticks = interval(10).pipe(
    map((n) => n + 1),
    take(30),
  );
  const policies = ["throw", "drop-oldest", "drop-newest"] as const;
  const all = await Promise.all(policies.map((overflow) => bridge(ticks, overflow, fiftyMilliseconds)));
  for (const bridged of all) console.log(shown(bridged));
}
