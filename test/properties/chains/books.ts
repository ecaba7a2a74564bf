/** One event of a random chain. What a step makes of it has it as its parent. */
export class Item {
  readonly id: number;
  readonly key: number;
  /** Among all events, those that were made of others included. */
  readonly place: number;
  readonly name: string;
  readonly parent: Item | undefined;
  readonly #scale: number;
  /** What `flatMapAsync` has made of it. */
  children: Item[] | undefined;
  /** Where it has come to. */
  readonly seen: string[] = [];
  /** Dropped on purpose, by a function of the user's. */
  passed = false;
  /** It was in hand when something else failed: it may have been handled, and be told of all the same. */
  loose = false;
  /** It has been given to all branches of a broadcast: what one of them loses the others have. */
  shared = false;

  constructor(id: number, key: number, part = 0, parent?: Item) {
    this.id = id;
    this.key = key;
    this.parent = parent;
    this.#scale = parent ? parent.#scale / 10 : 1;
    this.place = parent ? parent.place + (part + 1) * this.#scale : id;
    this.name = parent ? `${parent.name}.${part}` : `${id}`;
  }

  /** The line of text that stands for it: a character of its own, as often as the line is long. */
  get text(): string {
    return String.fromCodePoint(FIRST + this.id).repeat(LENGTH);
  }

  split(count: number): Item[] {
    this.children = Array.from({ length: count }, (_, part) => new Item(this.id, this.key, part, this));
    return this.children;
  }
}

const FIRST = 0x4e00;
const LENGTH = 3;
const decoder = new TextDecoder();
const isBytes = (event: unknown): event is Uint8Array => event instanceof Uint8Array;

/** An injected error, and whether it has to reach anyone. */
interface Injected {
  readonly error: unknown;
  readonly where: string;
  final: boolean;
}

/** Where every event of a chain has come to, and every failure. */
export class Books {
  readonly items: Item[] = [];
  /** In the order in which the sink has had them. */
  readonly handled: Item[] = [];
  readonly rest: Item[] = [];
  readonly injected: Injected[] = [];
  readonly reported: unknown[] = [];
  /** What functions of the user's were told of: `onFailure`. */
  readonly heard: unknown[] = [];
  /** Failures of sources, read at their `done`. */
  readonly known: unknown[] = [];
  readonly faults: string[] = [];
  /** The run was ended from outside: what a callback had in hand may be told of by no one. */
  cut = false;
  /** What is no line of JSON, or only the beginning of one, is passed over. */
  skips = false;
  /** A step has enough in the middle of a batch: the rest of that is dropped on purpose. */
  enough = false;
  /** Characters of a text that were given out, and what has become of them. */
  readonly #minted = new Map<number, number>();
  readonly #text = new Map<number, number>();

  item(id: number): Item {
    return this.items[id] as Item;
  }

  /** An event has left the source. */
  mint(event: Item | string | Uint8Array): void {
    if (event instanceof Item) this.#minted.set(event.id, LENGTH);
    else this.#count(this.#minted, event);
  }

  get taken(): number {
    return this.#minted.size;
  }

  note(where: string, events: readonly unknown[]): void {
    for (const event of events) {
      if (Array.isArray(event)) this.note(where, event);
      else if (event instanceof Item) {
        event.seen.push(where);
        if (where === "handled") this.handled.push(event);
        if (where === "back") this.rest.push(event);
      } else if (typeof event === "string" || isBytes(event)) this.#count(this.#text, event);
      else this.faults.push(`${where}: a stranger, ${String(event)}`);
    }
  }

  /** An error of the user's own. One that is `final` has to reach someone. */
  fail(where: string, final = true): Error {
    const error = new Error(`${where} ${this.injected.length}`);
    this.injected.push({ error, where, final });
    return error;
  }

  #count(into: Map<number, number>, event: string | Uint8Array): void {
    for (const char of isBytes(event) ? decoder.decode(event) : event) {
      const id = (char.codePointAt(0) as number) - FIRST;
      if (id >= 0 && id < this.items.length) into.set(id, (into.get(id) ?? 0) + 1);
    }
  }

  // ── The balance ────────────────────────────────────────────────────────────────────────────────────────────────

  balance(): void {
    const [lost, twice]: [string[], string[]] = [[], []];
    let cut = false;
    for (const item of this.items) {
      const minted = this.#minted.get(item.id) ?? 0;
      const text = this.#text.get(item.id) ?? 0;
      if (minted === 0 && item.seen.length + text === 0) continue;
      // The last line may have had no end.
      if (text === 0 && this.skips && !this.#known(item) && !cut) {
        cut = true;
        continue;
      }
      if (text === 0) {
        this.#check(item, lost, twice);
        continue;
      }
      // A part of it may never have left the source; where it has become an item, no text of it may be left.
      if (item.loose) continue;
      if (this.#known(item)) {
        if (!item.passed) twice.push(`${item.id} (${text} characters, ${item.seen.join(", ")})`);
        continue;
      }
      if (text < minted && !this.skips) lost.push(`${item.id} (${text} of ${minted} characters)`);
      if (text > minted) twice.push(`${item.id} (${text} of ${minted} characters)`);
    }
    if (lost.length > 0) this.faults.push(`lost: ${lost.join(", ")}`);
    if (twice.length > 0) this.faults.push(`twice: ${twice.join(", ")}`);
  }

  #known(item: Item): boolean {
    const { passed, shared, seen, children } = item;
    return passed || shared || seen.length > 0 || (children?.every((child) => this.#known(child)) ?? false);
  }

  /** Known, or in hand when that was cut. */
  #excused(item: Item): boolean {
    if (this.#known(item) || (item.loose && (this.cut || this.enough))) return true;
    return item.children?.every((child) => this.#excused(child)) ?? false;
  }

  #check(item: Item, lost: string[], twice: string[]): void {
    const { name, seen, children } = item;
    if (!this.#excused(item)) lost.push(name);
    const at = item.loose ? seen.filter((where) => where === "handled" || where === "back") : seen;
    if (at.length > 1) twice.push(`${name} (${seen.join(", ")})`);
    if (children === undefined) return;
    if (seen.includes("back") || seen.includes("handled")) twice.push(`${name} (${seen.join(", ")}, and its parts)`);
    for (const child of children) if (this.#known(child) || !this.#excused(item)) this.#check(child, lost, twice);
  }

  /** Events of one key in the order of the source: those that were handled, and what is left behind them. */
  order(): void {
    for (const list of [this.handled, this.rest]) {
      const last = new Map<number, number>();
      for (const { key, place, name } of list) {
        if ((last.get(key) ?? -1) > place) this.faults.push(`key ${key}: ${name} out of order`);
        last.set(key, place);
      }
    }
  }

  /** Every failure has reached someone, and no one twice. */
  failures(caught: unknown): void {
    for (const { error, where, final } of this.injected) {
      const told = [...this.reported, ...this.heard].filter((other) => other === error).length;
      const times = told + (caught === error ? 1 : 0);
      if (times > 1) this.faults.push(`the failure of ${where} is told ${times} times`);
      if (times === 0 && final && !this.known.includes(error)) this.faults.push(`the failure of ${where} is not told`);
    }
  }
}
