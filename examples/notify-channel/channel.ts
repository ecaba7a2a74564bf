// One source, many clients: each has topics of its own and a pace of its own, and none waits for another.
import { broadcast, consumer, map, merge, pipeline, queue, ticks } from "headrace";
import type { WebSocket } from "ws";
import { type Channel, LAG, type Message, ROOM, send, TOO_SLOW, tick, type Wishes, wants } from "./message.ts";

export function channel(interval: number): Channel {
  const posts = queue<Message>({ size: ROOM });
  const source = merge(pipeline(ticks(interval), map(tick)), posts);
  const all = pipeline.with({ onDiscard: () => {} })(source, broadcast());
  // The one that keeps the pace: it takes everything at once.
  consumer<Message>(() => {}).subscribe(all);
  let clients = 0;

  function join(socket: WebSocket, wishes: Wishes): void {
    const client = consumer<Message>((messages) => send(socket, messages));
    const selector = (message: Message): boolean => wants(wishes, message);
    client.subscribe(all, { maxDemand: 10, selector, lag: { max: LAG, policy: wishes.policy } });
    clients += 1;
    socket.once("close", () => {
      clients -= 1;
      void client.stop({ timeout: 0 });
    });
    client.done.then(
      () => socket.close(),
      () => socket.close(TOO_SLOW, "too slow"),
    );
  }

  const post = (message: Message): boolean => posts.state === "running" && posts.tryOffer(message);
  return { post, join, size: () => clients, close: () => all.stop() };
}
