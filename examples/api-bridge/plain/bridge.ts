// The same by hand: RxJS, and the events of a Writable.
import { firstValueFrom } from "rxjs";
import type { Handler, Response } from "../http.ts";
import type { Service } from "../service.ts";

const HEARTBEAT = 15_000;
const LATEST = 100;

/** Until it has room again, or has gone. */
const drained = (response: Response): Promise<void> =>
  new Promise((resolve) => {
    const settle = (): void => {
      response.off("drain", settle);
      response.off("close", settle);
      resolve();
    };
    response.on("drain", settle);
    response.on("close", settle);
  });

/** The service's answers. `heartbeat` is in milliseconds. */
export function bridge(service: Service, heartbeat = HEARTBEAT): Handler {
  const orders = async (count: number, response: Response): Promise<void> => {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    const client = { gone: false };
    response.on("close", () => (client.gone = true));
    for (let id = 1; id <= count && !client.gone; id += 1) {
      const order = await firstValueFrom(service.order(id));
      if (client.gone) return;
      if (!response.write(`${JSON.stringify(order)}\n`)) await drained(response);
    }
    if (!client.gone) response.end();
  };
  const prices = (response: Response): void => {
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders?.();
    const waiting: string[] = [];
    let full = false;
    const send = (text: string): void => {
      if (!full) full = !response.write(text);
      else if (waiting.push(text) > LATEST) waiting.shift();
    };
    const onDrain = (): void => {
      full = false;
      while (!full) {
        const text = waiting.shift();
        if (text === undefined) return;
        full = !response.write(text);
      }
    };
    response.on("drain", onDrain);
    const beat = setInterval(() => {
      if (!full) send(": still here\n\n");
    }, heartbeat);
    let completed = false;
    const end = (): void => {
      if (waiting.length === 0) response.end();
      else response.once("drain", () => setImmediate(end));
    };
    const subscription = service.prices.subscribe({
      next: (price) => send(`data: ${JSON.stringify(price)}\n\n`),
      error: (error: unknown) => {
        console.error(error);
        response.destroy();
      },
      complete: () => {
        completed = true;
        clearInterval(beat);
        end();
      },
    });
    response.on("close", () => {
      if (!completed) subscription.unsubscribe();
      clearInterval(beat);
    });
  };
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/orders")
      orders(Number(searchParams.get("count") ?? 10), response).catch((error: unknown) => {
        console.error(error);
        response.destroy();
      });
    else if (pathname === "/prices") prices(response);
    else response.writeHead(404).end();
  };
}
