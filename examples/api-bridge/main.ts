// Two servers on loopback, HTTP/1 and HTTP/2, over one service whose prices change ten times a second.
//
//   npx node --conditions=@headrace/source examples/api-bridge/main.ts [PORT]
import { createServer } from "node:http";
import http2 from "node:http2";
import { bridge } from "./bridge.ts";
import { Service } from "./service.ts";

const port = Number(process.argv[2] ?? 8080);
const service = new Service();
const symbols = ["MILL", "RACE", "WEIR"];
setInterval(() => {
  const symbol = symbols[Math.floor(Math.random() * symbols.length)] as string;
  service.tell({ symbol, at: Math.round(Math.random() * 10_000) / 100 });
}, 100);
createServer(bridge(service)).listen(port, "127.0.0.1");
http2.createServer(bridge(service)).listen(port + 1, "127.0.0.1");
console.log(`curl -N http://127.0.0.1:${port}/prices`);
console.log(`curl -s 'http://127.0.0.1:${port}/orders?count=1000' | wc -l`);
console.log(`curl -N --http2-prior-knowledge http://127.0.0.1:${port + 1}/prices`);
