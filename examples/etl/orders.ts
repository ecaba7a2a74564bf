// What an order is, how one is checked, and the service that knows where a customer lives. Both makes use it.
import { setTimeout } from "node:timers/promises";
import { type Parser, parse } from "csv-parse";

/** A row of the file, as csv-parse gives it. */
export interface Row {
  readonly record: Readonly<Record<string, string>>;
  readonly info: { readonly lines: number };
}
export interface Order {
  readonly line: number;
  readonly id: string;
  readonly customer: string;
  readonly amount: number;
}
export interface Priced extends Order {
  readonly region: string;
}
/** A row that was left out, and why. */
export interface Bad {
  readonly line: number;
  readonly reason: string;
}
export interface Summary {
  readonly customers: number;
  readonly orders: number;
  readonly byRegion: Readonly<Record<string, number>>;
  readonly bad: readonly Bad[];
}
export interface Job {
  readonly csv: string;
  /** A folder, for a file of each customer. */
  readonly out: string;
  /** The service's address. */
  readonly service: string;
  /** Told after each order. */
  readonly onProgress: () => void;
}

export const ATTEMPTS = 4;
export const DELAY = 20;
export const LOOKUPS = 16;
export const HANDLES = 100;

/** Makes rows of bytes; those that are none are told, and left out. */
export const rows = (onBad: (bad: Bad) => void): Parser =>
  parse({
    columns: true,
    info: true,
    skip_records_with_error: true,
    on_skip(error) {
      onBad({ line: Number(error?.["lines"]), reason: error?.message ?? "no row" });
      return undefined;
    },
  });

/** An order, or why it is none. */
export function orderOf({ record, info }: Row): Order | Bad {
  const { id, customer, amount } = record;
  const line = info.lines;
  if (!id || !customer || !/^[a-z0-9-]+$/.test(customer)) return { line, reason: "no id or customer" };
  if (!/^\d+(\.\d+)?$/.test(amount ?? "")) return { line, reason: `no amount: ${amount}` };
  return { line, id, customer, amount: Number(amount) };
}
export const isBad = (value: Order | Bad): value is Bad => "reason" in value;

/** The service is busy: it is worth another attempt. */
export class Busy extends Error {}

export async function regionOf(service: string, customer: string, signal: AbortSignal): Promise<string> {
  const answer = await fetch(`${service}/customers/${customer}`, { signal });
  const text = await answer.text();
  if (answer.status === 503) throw new Busy(`busy: ${text}`);
  if (!answer.ok) throw new Error(`${answer.status} for ${customer}`);
  return text;
}

export const pause = async (ms: number): Promise<void> => setTimeout(ms);
export const lineOf = (order: Priced): string => `${JSON.stringify(order)}\n`;
