import { once } from "node:events";
import fs from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { etl } from "../../examples/etl/etl.ts";
import { etl as plain } from "../../examples/etl/plain/etl.ts";
import { Folder, root, run } from "./support.ts";

const regionOf = (customer: string): string => ["north", "south"][customer.length % 2] as string;

/** A service that is busy when it first hears of a customer with a 7, knows no one called ghost, and counts requests under way. */
class Regions implements AsyncDisposable {
  readonly #server: Server;
  #requests = 0;
  readonly #known = new Set<string>();
  #open = 0;
  /** Requests under way, at most. */
  most = 0;
  /** Files that this process has open, at most, while it answers. */
  files = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#requests += 1;
      this.#open += 1;
      this.most = Math.max(this.most, this.#open);
      if (this.#requests % 100 === 0) this.files = Math.max(this.files, fs.readdirSync("/proc/self/fd").length);
      const customer = (request.url ?? "").split("/").at(-1) ?? "";
      const busy = customer.includes("7") && !this.#known.has(customer);
      this.#known.add(customer);
      setImmediate(() => {
        this.#open -= 1;
        if (busy) response.writeHead(503).end("later");
        else if (customer === "ghost") response.writeHead(404).end();
        else response.end(regionOf(customer));
      });
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

const header = "id,customer,amount\n";
const makes = { headrace: etl, plain };

describe.each(Object.keys(makes))("etl, %s", { timeout: 120_000 }, (name) => {
  const make = makes[name as keyof typeof makes];

  test("ETL-1 a file for each customer, in the order of the rows; what is wrong is left out and listed", async () => {
    using folder = new Folder();
    await using regions = new Regions();
    const service = await regions.listen();
    const rows = Array.from({ length: 600 }, (_, i) => `${i},c${i % 120},${i}.5`);
    rows[10] = "10,,1";
    rows[20] = "20,c20,many";
    rows[30] = "30,c30";
    rows[40] = "40,ghost,1";
    const csv = folder.file("orders.csv", `${header}${rows.join("\n")}\n`);
    const out = path.join(folder.path, "out");
    fs.mkdirSync(out);
    let progress = 0;
    const { customers, orders, byRegion, bad } = await make({ csv, out, service, onProgress: () => (progress += 1) });
    expect([customers, orders, progress]).toEqual([120, 596, 596]);
    expect(regions.most).toBeLessThanOrEqual(16);
    // Node's own map waits for the head of its line.
    expect(regions.most).toBeGreaterThan(name === "plain" ? 1 : 8);
    expect(bad.map(({ line }) => line).toSorted((a, b) => a - b)).toEqual([12, 22, 32, 42]);
    const good = rows.map((row) => row.split(",")).filter(([id]) => !["10", "20", "30", "40"].includes(id ?? ""));
    const sums: Record<string, number> = {};
    for (const [, customer = "", amount] of good)
      sums[regionOf(customer)] = (sums[regionOf(customer)] ?? 0) + Number(amount);
    expect(byRegion).toEqual(sums);
    expect(fs.readdirSync(out)).toHaveLength(120);
    const own = fs.readFileSync(path.join(out, "c5.ndjson"), "utf8").trimEnd().split("\n");
    expect(own.map((line) => (JSON.parse(line) as { readonly id: string }).id)).toEqual([
      "5",
      "125",
      "245",
      "365",
      "485",
    ]);
  });

  const many = name === "plain" ? 1000 : 10_000;

  test(`ETL-2 ${many} customers with a hundred files open`, async () => {
    using folder = new Folder();
    await using regions = new Regions();
    const service = await regions.listen();
    const rows = Array.from({ length: many + 500 }, (_, i) => `${i},customer-${i % many},1`);
    const csv = folder.file("orders.csv", `${header}${rows.join("\n")}\n`);
    const out = path.join(folder.path, "out");
    fs.mkdirSync(out);
    const { customers, orders, bad } = await make({ csv, out, service, onProgress: () => {} });
    expect([customers, orders, bad]).toEqual([many, many + 500, []]);
    expect(fs.readdirSync(out)).toHaveLength(many);
    const twice = fs.readFileSync(path.join(out, "customer-499.ndjson"), "utf8");
    expect(twice.split("\n")).toHaveLength(3);
    // Sockets, the file of orders, and what vitest has open come on top.
    expect(regions.files).toBeGreaterThan(100);
    expect(regions.files).toBeLessThan(250);
  });

  test("ETL-3 a file that is not there, and a folder that is not, fail it with their own error", async () => {
    using folder = new Folder();
    await using regions = new Regions();
    const service = await regions.listen();
    const csv = folder.file("orders.csv", `${header}1,c1,1\n`);
    const job = { csv, out: folder.path, service, onProgress: () => {} };
    await expect(make({ ...job, csv: path.join(folder.path, "none.csv") })).rejects.toMatchObject({ code: "ENOENT" });
    await expect(make({ ...job, out: path.join(folder.path, "none") })).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("ETL-4 as a program: a summary on standard output, bad rows with their line on standard error", async () => {
    using folder = new Folder();
    await using regions = new Regions();
    const service = await regions.listen();
    const csv = folder.file("orders.csv", `${header}1,a,1\n2,b,x\n3,ab,2.25\n`);
    const flags = name === "plain" ? ["--plain"] : [];
    const program = ["--conditions=@headrace/source", path.join(root, "examples/etl/main.ts")];
    const out = path.join(folder.path, "out");
    const { code, stdout, stderr } = await run(process.execPath, [...program, csv, out, service, ...flags]);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "2 orders of 2 customers, 1 left out\nnorth\t2.25\nsouth\t1.00\n",
      stderr: `${csv}:3\tno amount: x\n`,
    });
  });
});
