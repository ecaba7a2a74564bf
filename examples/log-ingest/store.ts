// SQLite: what came of the lines, and how far each file has been read, in one transaction. A process that is killed has
// written either both or neither.
import { DatabaseSync, type StatementSync } from "node:sqlite";

/** A line of a log: what it says, or that it says nothing. */
export interface Entry {
  /** The first line of its file, hashed: a file keeps that when it is renamed or compressed. */
  readonly log: string;
  readonly file: string;
  /** Its place among the lines of the file, from 1. */
  readonly line: number;
  readonly text: string;
  readonly user: string;
  readonly bytes: number | undefined;
}

/** Lines are parted by user: those of one stay in order, and each part keeps account of how far it has come. */
export const PARTS = 4;

export class Store implements Disposable {
  readonly #db: DatabaseSync;
  readonly #add: StatementSync;
  readonly #bury: StatementSync;
  readonly #reach: StatementSync;
  readonly #read = new Map<string, number>();

  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec(`
      pragma journal_mode = wal;
      create table if not exists totals (user text primary key, requests integer, bytes integer) without rowid;
      create table if not exists dead (log text, line integer, file text, text text, primary key (log, line)) without rowid;
      create table if not exists read (log text, part integer, line integer, primary key (log, part)) without rowid;`);
    this.#add = this.#db.prepare(
      "insert into totals values (?, 1, ?) on conflict do update set requests = requests + 1, bytes = bytes + excluded.bytes",
    );
    this.#bury = this.#db.prepare("insert or ignore into dead (log, line, file, text) values (?, ?, ?, ?)");
    this.#reach = this.#db.prepare("insert into read values (?, ?, ?) on conflict do update set line = excluded.line");
  }

  /** The line up to which a part has read a log. */
  #reached(log: string, part: number): number {
    const key = `${part} ${log}`;
    let line = this.#read.get(key);
    if (line === undefined) {
      const row = this.#db.prepare("select line from read where log = ? and part = ?").get(log, part);
      line = (row?.["line"] ?? 0) as number;
      this.#read.set(key, line);
    }
    return line;
  }

  /** Writes what one part has got. What it had before, from a run that was killed, counts once. */
  write(part: number, entries: readonly Entry[]): void {
    const db = this.#db;
    db.exec("begin immediate");
    for (const { log, file, line, text, user, bytes } of entries) {
      if (line <= this.#reached(log, part)) continue;
      if (bytes === undefined) this.#bury.run(log, line, file, text);
      else this.#add.run(user, bytes);
      this.#read.set(`${part} ${log}`, line);
    }
    for (const log of new Set(entries.map((entry) => entry.log))) this.#reach.run(log, part, this.#reached(log, part));
    db.exec("commit");
  }

  totals(): { readonly user: string; readonly requests: number; readonly bytes: number }[] {
    return this.#db.prepare("select * from totals order by user").all() as never;
  }

  dead(): { readonly file: string; readonly line: number; readonly text: string }[] {
    return this.#db.prepare("select file, line, text from dead order by log, line").all() as never;
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
