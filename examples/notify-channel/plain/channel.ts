// The same by hand: a list for each client.
import type { WebSocket } from "ws";
import { type Channel, LAG, type Message, send, TOO_SLOW, tick, type Wishes, wants } from "../message.ts";

/** What is sent together. */
const MOST = 10;

class Client {
  readonly #socket: WebSocket;
  readonly #wishes: Wishes;
  #waiting: Message[] = [];
  #sending = false;
  #over = false;

  constructor(socket: WebSocket, wishes: Wishes) {
    this.#socket = socket;
    this.#wishes = wishes;
  }

  tell(message: Message): void {
    if (this.#over || !wants(this.#wishes, message)) return;
    this.#waiting.push(message);
    if (this.#waiting.length > LAG) {
      if (this.#wishes.policy === "cancel") {
        this.leave();
        this.#socket.close(TOO_SLOW, "too slow");
        return;
      }
      this.#waiting.shift();
    }
    if (!this.#sending) void this.#send();
  }

  leave(): void {
    this.#over = true;
    this.#waiting = [];
  }

  async end(): Promise<void> {
    this.#over = true;
    while (this.#sending) await new Promise(setImmediate);
    this.#socket.close();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    while (this.#waiting.length > 0) await send(this.#socket, this.#waiting.splice(0, MOST));
    this.#sending = false;
  }
}

export function channel(interval: number): Channel {
  const clients = new Set<Client>();
  let over = false;
  let n = 0;
  const post = (message: Message): boolean => {
    if (over) return false;
    for (const client of clients) client.tell(message);
    return true;
  };
  const timer = setInterval(() => post(tick(n++)), interval);

  function join(socket: WebSocket, wishes: Wishes): void {
    if (over) {
      socket.close();
      return;
    }
    const client = new Client(socket, wishes);
    clients.add(client);
    socket.once("close", () => {
      client.leave();
      clients.delete(client);
    });
  }

  async function close(): Promise<void> {
    over = true;
    clearInterval(timer);
    await Promise.all(Array.from(clients, async (client) => client.end()));
  }

  return { post, join, size: () => clients.size, close };
}
