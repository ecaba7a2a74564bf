// What a channel is, by hand or with headrace.
import type { WebSocket } from "ws";

export interface Message {
  readonly topic: string;
  readonly text: string;
}
export interface Wishes {
  /** Nothing for all topics. */
  readonly topics: ReadonlySet<string>;
  /** What becomes of a client that is too slow: it loses its oldest messages, or its connection. */
  readonly policy: "drop-oldest" | "cancel";
}
export interface Channel {
  /** Tells a message to those who want it. False if there is no room for it. */
  readonly post: (message: Message) => boolean;
  readonly join: (socket: WebSocket, wishes: Wishes) => void;
  /** How many clients there are. */
  readonly size: () => number;
  /** Tells all clients good-bye. */
  readonly close: () => Promise<void>;
}

/** Messages that may wait for one client. */
export const LAG = 100;
export const ROOM = 1000;
export const TOO_SLOW = 1013;

export const wants = ({ topics }: Wishes, { topic }: Message): boolean => topics.size === 0 || topics.has(topic);
export const tick = (n: number): Message => ({ topic: "ticks", text: `tick ${n}` });

/** Sends messages, and resolves when the connection has taken them, or is gone. */
export const send = (socket: WebSocket, messages: readonly Message[]): Promise<void> =>
  new Promise((resolve) => {
    socket.send(JSON.stringify(messages), () => resolve());
  });
