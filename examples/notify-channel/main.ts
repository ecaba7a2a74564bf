// A channel that ticks ten times a second, on loopback.
//
//   npx node --conditions=@headrace/source examples/notify-channel/main.ts [PORT]
import { channel } from "./channel.ts";
import { serverOf } from "./server.ts";

const port = Number(process.argv[2] ?? 8080);
const told = channel(100);
const server = serverOf(told).listen(port, "127.0.0.1");
console.log(`http://127.0.0.1:${port}/?topic=ticks&topic=news`);
console.log(`curl -d '{"topic":"news","text":"the mill turns"}' http://127.0.0.1:${port}`);
process.once("SIGINT", () => {
  server.close();
  void told.close();
});
