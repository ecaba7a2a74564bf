// The client of the fairness scenario: a request every 10 ms to the port given, until it hears that it is over.
import { Agent, get } from "node:http";

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const request = () =>
  new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port: process.argv[2], agent }, (response) => response.resume().on("end", resolve)).on(
      "error",
      reject,
    );
  });
const rest = () => new Promise((resolve) => setTimeout(resolve, 10));

for (let i = 0; i < 20; i += 1) await request();
const over = new AbortController();
process.on("message", () => over.abort());
process.send("ready");
const took = [];
while (!over.signal.aborted) {
  const began = performance.now();
  await request();
  took.push((performance.now() - began) / 1000);
  await rest();
}
process.send(took, () => process.exit());
