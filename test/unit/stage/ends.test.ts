import { describe, expect, test } from "vitest";
import type { StageKind } from "../../../src/index.ts";
import { turns } from "../../support/runtime.ts";
import { boom, type Inside, Rig } from "./rig.ts";

/** How a stage can be ended. `stage` is what its callback got. */
const ends: Readonly<Record<string, (rig: Rig, stage: Inside) => unknown>> = {
  "complete(), from outside": (rig) => rig.emits.complete(),
  "complete(), in a callback": (_rig, stage) => stage.complete(),
  "stop(), from outside": (rig) => void rig.stage.stop(),
  "stop(), in a callback": (_rig, stage) => stage.stop(),
  "stop(shutdown)": (rig) => void rig.stage.stop({ reason: "shutdown" }),
  "stop(boom), from outside": (rig) => void rig.stage.stop({ reason: boom }),
  "stop(boom), in a callback": (_rig, stage) => stage.stop(boom),
  "fail(boom), from outside": (rig) => rig.emits.fail(boom),
  "fail(boom), in a callback": (_rig, stage) => stage.fail(boom),
  "fail(boom, after buffer)": (rig) => rig.emits.fail(boom, { after: "buffer" }),
  "fail(boom, after buffer), in a callback": (_rig, stage) => stage.fail(boom, { after: "buffer" }),
  "signal aborts": (rig) => rig.abort.abort(boom),
  "the source completes": (rig) => rig.source.port.end({ reason: { type: "complete" } }),
  "the source stops": (rig) => rig.source.port.end({ reason: { type: "stop" } }),
  "the source fails": (rig) => rig.source.port.end({ reason: { type: "failure", error: boom } }),
  "the callback throws": () => {
    throw boom;
  },
};

const rejects = "the promise rejects";

const columns = ["end", "when", "handled", "back", "out", "discarded", "told", "done"] as const;
type Row = Readonly<Record<(typeof columns)[number], string>>;

/** A table with one row for each end, as in rule 5.4. `-` stands for nothing. */
const rowsOf = (table: string): Row[] =>
  table
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => {
      const cells = line.split("|").map((cell) => cell.trim());
      const [end = ""] = cells;
      if (cells.length !== columns.length || !(end in ends || end === rejects)) throw new Error(`not a row: ${line}`);
      return Object.fromEntries(columns.map((column, i) => [column, cells[i]])) as Row;
    });

const words = (list: readonly unknown[]): string => list.join(" ") || "-";

/** What has become of the stage, as a row of the table. */
async function rowOf(rig: Rig, end: string, when: string): Promise<Row> {
  const seen = await rig.seen();
  // Whoever hears of the end hears the same: terminate, the source if it was left, the consumer.
  const told = new Set([...seen.last, ...seen.back.map(([how]) => how), ...seen.told]);
  expect([...told]).toHaveLength(1);
  expect(seen.last).toHaveLength(1);
  expect(seen.told).toEqual(rig.stage.kind === "consumer" ? [] : seen.last);
  expect(rig.reports).toEqual([]);
  return {
    end,
    when,
    handled: words(seen.handled.map((batch) => batch.join(","))),
    back: words(seen.back.flatMap(([, ...events]) => events)),
    out: words(seen.out),
    discarded: words(seen.discarded.flatMap(([cause, ...events]) => [`${cause}:`, ...events])),
    told: [...told].join(" and "),
    done: seen.done,
  };
}

/** A stage whose callback, on the first batch or demand, pushes p and q (only p is asked for) and does what `script` says. */
async function inCallback(kind: StageKind, script: (stage: Inside, rig: Rig) => unknown): Promise<Rig> {
  const rig = new Rig(kind);
  await turns();
  rig.scripts.push((stage) => {
    stage.push?.(["p", "q"]);
    return script(stage, rig);
  });
  if (kind !== "consumer") rig.sink.ask(1);
  await turns();
  if (kind !== "producer") {
    rig.source.port.events([1, 2, 3, 4]);
    rig.source.port.events([5, 6]);
  }
  await turns();
  return rig;
}

const result = (kind: StageKind): string[] | undefined => (kind === "consumer" ? undefined : ["r"]);

/** Whether the stage has ended by now, without anything more from outside. */
const whenOf = (rig: Rig): string => (rig.last.length > 0 ? "at once" : "later");

/** In one stretch: input arrives, or a producer pushes, and the stage is ended before it has had a turn. */
function whileInputArrives(kind: StageKind, demand: number, table: string): void {
  test.each(rowsOf(table))(`5.4 ${kind}, before its turn: $end`, async (row) => {
    const rig = new Rig(kind);
    await turns();
    let inside!: Inside;
    await rig.stage.call((stage) => {
      inside = stage;
    });
    if (kind !== "consumer") rig.sink.ask(demand);
    await turns();
    if (kind === "producer") rig.emits.push(["p", "q"]);
    else {
      rig.source.port.events([1, 2, 3, 4]);
      rig.source.port.events([5, 6]);
    }
    ends[row.end]?.(rig, inside);
    await turns();
    const when = whenOf(rig);
    if (kind !== "consumer") rig.sink.ask(100);
    expect(await rowOf(rig, row.end, when)).toEqual(row);
  });
}

/** The end comes while the promise of the first batch or demand is pending, which later answers r. */
function whilePending(kind: StageKind, table: string): void {
  test.each(rowsOf(table))(`5.4 ${kind}, while a promise is pending: $end`, async (row) => {
    const gate = Promise.withResolvers<void>();
    let inside!: Inside;
    const itself = row.end === rejects;
    const rig = await inCallback(kind, async (stage) => {
      inside = stage;
      await gate.promise;
      if (itself) throw boom;
      return result(kind);
    });
    if (!itself) ends[row.end]?.(rig, inside);
    await turns();
    const when = whenOf(rig);
    gate.resolve();
    await turns();
    if (kind !== "consumer") rig.sink.ask(100);
    expect(await rowOf(rig, row.end, when)).toEqual(row);
  });
}

/** The end comes inside the synchronous callback of the first batch or demand, which then answers r. */
function insideCallback(kind: StageKind, table: string): void {
  test.each(rowsOf(table))(`5.4 ${kind}, inside a callback: $end`, async (row) => {
    const rig = await inCallback(kind, (stage, self) => {
      ends[row.end]?.(self, stage);
      return result(kind);
    });
    const when = whenOf(rig);
    if (kind !== "consumer") rig.sink.ask(100);
    expect(await rowOf(rig, row.end, when)).toEqual(row);
  });
}

describe("a producer", () => {
  whileInputArrives(
    "producer",
    1,
    `
      end                      | when    | handled | back | out | discarded  | told          | done
      complete(), from outside | later   | -       | -    | p q | -          | complete      | fulfilled
      stop(), from outside     | at once | -       | -    | p   | stop: q    | stop          | fulfilled
      stop(shutdown)           | at once | -       | -    | p   | stop: q    | stop shutdown | fulfilled
      stop(boom), from outside | at once | -       | -    | p   | stop: q    | stop boom     | rejected boom
      fail(boom), from outside | at once | -       | -    | p   | failure: q | failure boom  | rejected boom
      fail(boom, after buffer) | later   | -       | -    | p q | -          | failure boom  | rejected boom
      signal aborts            | at once | -       | -    | p   | abort: q   | failure boom  | rejected boom
    `,
  );
  whilePending(
    "producer",
    `
      end                                     | when    | handled | back | out   | discarded  | told                         | done
      complete(), from outside                | later   | -       | -    | p q r | -          | complete                     | fulfilled
      stop(), from outside                    | later   | -       | -    | p     | stop: q r  | stop                         | fulfilled
      stop(shutdown)                          | later   | -       | -    | p     | stop: q r  | stop shutdown                | fulfilled
      stop(boom), from outside                | later   | -       | -    | p     | stop: q r  | stop boom                    | rejected boom
      fail(boom), from outside                | at once | -       | -    | p     | failure: q failure: r | failure boom                 | rejected boom
      fail(boom, after buffer)                | later   | -       | -    | p q r | -          | failure boom                 | rejected boom
      signal aborts                           | at once | -       | -    | p     | abort: q abort: r | failure boom                 | rejected boom
      complete(), in a callback               | later   | -       | -    | p q r | -          | complete                     | fulfilled
      stop(), in a callback                   | later   | -       | -    | p     | stop: q r  | stop                         | fulfilled
      stop(boom), in a callback               | later   | -       | -    | p     | stop: q r  | stop boom                    | rejected boom
      fail(boom), in a callback               | at once | -       | -    | p     | failure: q failure: r | failure boom                 | rejected boom
      fail(boom, after buffer), in a callback | later   | -       | -    | p q r | -          | failure boom                 | rejected boom
      the promise rejects                     | later   | -       | -    | p     | failure: q | failure boom | rejected boom
    `,
  );
  insideCallback(
    "producer",
    `
      end                                     | when    | handled | back | out   | discarded  | told                         | done
      complete(), from outside                | later   | -       | -    | p q r | -          | complete                     | fulfilled
      stop(), from outside                    | at once | -       | -    | p     | stop: q r  | stop                         | fulfilled
      stop(shutdown)                          | at once | -       | -    | p     | stop: q r  | stop shutdown                | fulfilled
      stop(boom), from outside                | at once | -       | -    | p     | stop: q r  | stop boom                    | rejected boom
      fail(boom), from outside                | at once | -       | -    | p     | failure: q | failure boom                 | rejected boom
      fail(boom, after buffer)                | later   | -       | -    | p q r | -          | failure boom                 | rejected boom
      signal aborts                           | at once | -       | -    | p     | abort: q   | failure boom                 | rejected boom
      complete(), in a callback               | later   | -       | -    | p q r | -          | complete                     | fulfilled
      stop(), in a callback                   | at once | -       | -    | p     | stop: q r  | stop                         | fulfilled
      stop(boom), in a callback               | at once | -       | -    | p     | stop: q r  | stop boom                    | rejected boom
      fail(boom), in a callback               | at once | -       | -    | p     | failure: q | failure boom                 | rejected boom
      fail(boom, after buffer), in a callback | later   | -       | -    | p q r | -          | failure boom                 | rejected boom
      the callback throws                     | at once | -       | -    | p     | failure: q | failure boom | rejected boom
    `,
  );
});

describe("a producerConsumer", () => {
  whileInputArrives(
    "producerConsumer",
    1,
    `
      end                      | when    | handled     | back        | out               | discarded      | told          | done
      complete(), from outside | later   | 1,2 3,4     | 5 6         | e1 e2 e3 e4       | -              | complete      | fulfilled
      stop(), from outside     | at once | 1,2 3,4     | 5 6         | e1                | stop: e2 e3 e4 | stop          | fulfilled
      stop(shutdown)           | at once | 1,2 3,4     | 5 6         | e1                | stop: e2 e3 e4 | stop shutdown | fulfilled
      stop(boom), from outside | at once | 1,2 3,4     | 5 6         | e1                | stop: e2 e3 e4 | stop boom     | rejected boom
      fail(boom), from outside | at once | -           | 1 2 3 4 5 6 | -                 | -              | failure boom  | rejected boom
      fail(boom, after buffer) | at once | -           | 1 2 3 4 5 6 | -                 | -              | failure boom  | rejected boom
      signal aborts            | at once | -           | 1 2 3 4 5 6 | -                 | -              | failure boom  | rejected boom
      the source completes     | later   | 1,2 3,4 5,6 | -           | e1 e2 e3 e4 e5 e6 | -              | complete      | fulfilled
      the source stops         | later   | 1,2 3,4 5,6 | -           | e1 e2 e3 e4 e5 e6 | -              | stop          | fulfilled
      the source fails         | later   | 1,2 3,4 5,6 | -           | e1 e2 e3 e4 e5 e6 | -              | failure boom  | rejected boom
    `,
  );
  describe("with demand for everything", () => {
    whileInputArrives(
      "producerConsumer",
      100,
      `
      end                      | when    | handled     | back        | out               | discarded | told          | done
      complete(), from outside | at once | 1,2 3,4 5,6 | -           | e1 e2 e3 e4 e5 e6 | -         | complete      | fulfilled
      stop(), from outside     | at once | 1,2 3,4 5,6 | -           | e1 e2 e3 e4 e5 e6 | -         | stop          | fulfilled
      stop(shutdown)           | at once | 1,2 3,4 5,6 | -           | e1 e2 e3 e4 e5 e6 | -         | stop shutdown | fulfilled
      stop(boom), from outside | at once | 1,2 3,4 5,6 | -           | e1 e2 e3 e4 e5 e6 | -         | stop boom     | rejected boom
      fail(boom), from outside | at once | -           | 1 2 3 4 5 6 | -                 | -         | failure boom  | rejected boom
      fail(boom, after buffer) | at once | -           | 1 2 3 4 5 6 | -                 | -         | failure boom  | rejected boom
      signal aborts            | at once | -           | 1 2 3 4 5 6 | -                 | -         | failure boom  | rejected boom
      the source completes     | at once | 1,2 3,4 5,6 | -           | e1 e2 e3 e4 e5 e6 | -         | complete      | fulfilled
      the source stops         | at once | 1,2 3,4 5,6 | -           | e1 e2 e3 e4 e5 e6 | -         | stop          | fulfilled
      the source fails         | at once | 1,2 3,4 5,6 | -           | e1 e2 e3 e4 e5 e6 | -         | failure boom  | rejected boom
    `,
    );
  });
  whilePending(
    "producerConsumer",
    `
      end                                     | when    | handled     | back    | out               | discarded       | told                         | done
      complete(), from outside                | later   | 1,2 3,4     | 5 6     | p q r e3 e4       | -               | complete                     | fulfilled
      stop(), from outside                    | later   | 1,2 3,4     | 5 6     | p                 | stop: q r e3 e4 | stop                         | fulfilled
      stop(shutdown)                          | later   | 1,2 3,4     | 5 6     | p                 | stop: q r e3 e4 | stop shutdown                | fulfilled
      stop(boom), from outside                | later   | 1,2 3,4     | 5 6     | p                 | stop: q r e3 e4 | stop boom                    | rejected boom
      fail(boom), from outside                | at once | 1,2         | 3 4 5 6 | p                 | failure: q      | failure boom                 | rejected boom
      fail(boom, after buffer)                | later   | 1,2         | 3 4 5 6 | p q r             | -               | failure boom                 | rejected boom
      signal aborts                           | at once | 1,2         | 3 4 5 6 | p                 | abort: q        | failure boom                 | rejected boom
      complete(), in a callback               | later   | 1,2         | 3 4 5 6 | p q r             | -               | complete                     | fulfilled
      stop(), in a callback                   | later   | 1,2 3,4     | 5 6     | p                 | stop: q r e3 e4 | stop                         | fulfilled
      stop(boom), in a callback               | later   | 1,2 3,4     | 5 6     | p                 | stop: q r e3 e4 | stop boom                    | rejected boom
      fail(boom), in a callback               | at once | 1,2         | 3 4 5 6 | p                 | failure: q      | failure boom                 | rejected boom
      fail(boom, after buffer), in a callback | later   | 1,2         | 3 4 5 6 | p q r             | -               | failure boom                 | rejected boom
      the source completes                    | later   | 1,2 3,4 5,6 | -       | p q r e3 e4 e5 e6 | -               | complete                     | fulfilled
      the source stops                        | later   | 1,2 3,4 5,6 | -       | p q r e3 e4 e5 e6 | -               | stop                         | fulfilled
      the source fails                        | later   | 1,2 3,4 5,6 | -       | p q r e3 e4 e5 e6 | -               | failure boom                 | rejected boom
      the promise rejects                     | later   | 1,2         | 3 4 5 6 | p                 | failure: q      | failure boom | rejected boom
    `,
  );
  insideCallback(
    "producerConsumer",
    `
      end                                     | when    | handled     | back    | out               | discarded       | told                         | done
      complete(), from outside                | later   | 1,2 3,4     | 5 6     | p q r e3 e4       | -               | complete                     | fulfilled
      stop(), from outside                    | at once | 1,2 3,4     | 5 6     | p                 | stop: q r e3 e4 | stop                         | fulfilled
      stop(shutdown)                          | at once | 1,2 3,4     | 5 6     | p                 | stop: q r e3 e4 | stop shutdown                | fulfilled
      stop(boom), from outside                | at once | 1,2 3,4     | 5 6     | p                 | stop: q r e3 e4 | stop boom                    | rejected boom
      fail(boom), from outside                | at once | 1,2         | 3 4 5 6 | p                 | failure: q      | failure boom                 | rejected boom
      fail(boom, after buffer)                | later   | 1,2         | 3 4 5 6 | p q r             | -               | failure boom                 | rejected boom
      signal aborts                           | at once | 1,2         | 3 4 5 6 | p                 | abort: q        | failure boom                 | rejected boom
      complete(), in a callback               | later   | 1,2         | 3 4 5 6 | p q r             | -               | complete                     | fulfilled
      stop(), in a callback                   | at once | 1,2 3,4     | 5 6     | p                 | stop: q r e3 e4 | stop                         | fulfilled
      stop(boom), in a callback               | at once | 1,2 3,4     | 5 6     | p                 | stop: q r e3 e4 | stop boom                    | rejected boom
      fail(boom), in a callback               | at once | 1,2         | 3 4 5 6 | p                 | failure: q      | failure boom                 | rejected boom
      fail(boom, after buffer), in a callback | later   | 1,2         | 3 4 5 6 | p q r             | -               | failure boom                 | rejected boom
      the source completes                    | later   | 1,2 3,4 5,6 | -       | p q r e3 e4 e5 e6 | -               | complete                     | fulfilled
      the source stops                        | later   | 1,2 3,4 5,6 | -       | p q r e3 e4 e5 e6 | -               | stop                         | fulfilled
      the source fails                        | later   | 1,2 3,4 5,6 | -       | p q r e3 e4 e5 e6 | -               | failure boom                 | rejected boom
      the callback throws                     | at once | 1,2         | 3 4 5 6 | p                 | failure: q      | failure boom | rejected boom
    `,
  );
});

describe("a consumer", () => {
  whileInputArrives(
    "consumer",
    0,
    `
      end                                     | when    | handled     | back        | out | discarded | told          | done
      stop(), from outside                    | at once | 1,2 3,4 5,6 | -           | -   | -         | stop          | fulfilled
      stop(shutdown)                          | at once | 1,2 3,4 5,6 | -           | -   | -         | stop shutdown | fulfilled
      stop(boom), from outside                | at once | 1,2 3,4 5,6 | -           | -   | -         | stop boom     | rejected boom
      signal aborts                           | at once | -           | 1 2 3 4 5 6 | -   | -         | failure boom  | rejected boom
      the source completes                    | at once | 1,2 3,4 5,6 | -           | -   | -         | complete      | fulfilled
      the source stops                        | at once | 1,2 3,4 5,6 | -           | -   | -         | stop          | fulfilled
      the source fails                        | at once | 1,2 3,4 5,6 | -           | -   | -         | failure boom  | rejected boom
      complete(), in a callback               | at once | -           | 1 2 3 4 5 6 | -   | -         | complete      | fulfilled
      fail(boom), in a callback               | at once | -           | 1 2 3 4 5 6 | -   | -         | failure boom  | rejected boom
      fail(boom, after buffer), in a callback | at once | -           | 1 2 3 4 5 6 | -   | -         | failure boom  | rejected boom
    `,
  );
  whilePending(
    "consumer",
    `
      end                                     | when    | handled     | back    | out | discarded | told                         | done
      stop(), from outside                    | later   | 1,2 3,4 5,6 | -       | -   | -         | stop                         | fulfilled
      stop(shutdown)                          | later   | 1,2 3,4 5,6 | -       | -   | -         | stop shutdown                | fulfilled
      stop(boom), from outside                | later   | 1,2 3,4 5,6 | -       | -   | -         | stop boom                    | rejected boom
      signal aborts                           | at once | 1,2         | 3 4 5 6 | -   | -         | failure boom                 | rejected boom
      complete(), in a callback               | later   | 1,2         | 3 4 5 6 | -   | -         | complete                     | fulfilled
      stop(), in a callback                   | later   | 1,2 3,4 5,6 | -       | -   | -         | stop                         | fulfilled
      stop(boom), in a callback               | later   | 1,2 3,4 5,6 | -       | -   | -         | stop boom                    | rejected boom
      fail(boom), in a callback               | at once | 1,2         | 3 4 5 6 | -   | -         | failure boom                 | rejected boom
      fail(boom, after buffer), in a callback | later   | 1,2         | 3 4 5 6 | -   | -         | failure boom                 | rejected boom
      the source completes                    | later   | 1,2 3,4 5,6 | -       | -   | -         | complete                     | fulfilled
      the source stops                        | later   | 1,2 3,4 5,6 | -       | -   | -         | stop                         | fulfilled
      the source fails                        | later   | 1,2 3,4 5,6 | -       | -   | -         | failure boom                 | rejected boom
      the promise rejects                     | later   | 1,2         | 3 4 5 6 | -   | -         | failure boom | rejected boom
    `,
  );
  insideCallback(
    "consumer",
    `
      end                                     | when    | handled     | back    | out | discarded | told                         | done
      stop(), from outside                    | at once | 1,2 3,4 5,6 | -       | -   | -         | stop                         | fulfilled
      stop(shutdown)                          | at once | 1,2 3,4 5,6 | -       | -   | -         | stop shutdown                | fulfilled
      stop(boom), from outside                | at once | 1,2 3,4 5,6 | -       | -   | -         | stop boom                    | rejected boom
      signal aborts                           | at once | 1,2         | 3 4 5 6 | -   | -         | failure boom                 | rejected boom
      complete(), in a callback               | at once | 1,2         | 3 4 5 6 | -   | -         | complete                     | fulfilled
      stop(), in a callback                   | at once | 1,2 3,4 5,6 | -       | -   | -         | stop                         | fulfilled
      stop(boom), in a callback               | at once | 1,2 3,4 5,6 | -       | -   | -         | stop boom                    | rejected boom
      fail(boom), in a callback               | at once | 1,2         | 3 4 5 6 | -   | -         | failure boom                 | rejected boom
      fail(boom, after buffer), in a callback | at once | 1,2         | 3 4 5 6 | -   | -         | failure boom                 | rejected boom
      the source completes                    | at once | 1,2 3,4 5,6 | -       | -   | -         | complete                     | fulfilled
      the source stops                        | at once | 1,2 3,4 5,6 | -       | -   | -         | stop                         | fulfilled
      the source fails                        | at once | 1,2 3,4 5,6 | -       | -   | -         | failure boom                 | rejected boom
      the callback throws                     | at once | 1,2         | 3 4 5 6 | -   | -         | failure boom | rejected boom
    `,
  );
});

describe("5.4 what comes behind a stop()", () => {
  test.each(["producerConsumer", "consumer"] as const)("5.4 %s: goes back", async (kind) => {
    const gate = Promise.withResolvers<void>();
    const rig = await inCallback(kind, () => gate.promise);
    rig.sink.port?.ask(100);
    void rig.stage.stop();
    rig.source.port.events([7, 8]);
    gate.resolve();
    const { handled, back, last } = await rig.seen();
    expect([handled, back, last]).toEqual([
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [["stop", 7, 8]],
      ["stop"],
    ]);
  });
});
