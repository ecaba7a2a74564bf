import { createServer } from "node:http";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const SECONDS = 2;
const TICK = 5;
const CLIENT = fileURLToPath(new URL("../client.mjs", import.meta.url));

export const title = `a timer of ${TICK} ms and HTTP requests over the loopback, beside a pipeline that is busy for ${SECONDS} s`;
export const cases = { "under load": {} };
export const plot = "timer99";
export const columns = ["timer50", "timer99", "timerMax", "http50", "http99", "httpMax", "rate", "share"];
export const polluted = false;
export const inFull = true;

/** How late timers were and requests took, in seconds; events per second; the first of two pipelines' share of them. */
export async function measure(run) {
  const server = createServer((_, response) => response.end("ok"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = fork(CLIENT, [String(server.address().port)]);
  const heard = () => new Promise((resolve) => client.once("message", resolve));
  await heard();
  const late = [];
  let due = performance.now() + TICK;
  let timer;
  const tick = () => {
    const now = performance.now();
    late.push((now - due) / 1000);
    due = now + TICK;
    timer = setTimeout(tick, TICK);
  };
  timer = setTimeout(tick, TICK);
  const events = [0, 0];
  await run(untilOver(), (n, which = 0) => {
    events[which] += n;
  });
  clearTimeout(timer);
  const now = performance.now();
  if (now > due) late.push((now - due) / 1000);
  client.send("over");
  const requests = await heard();
  const total = events[0] + events[1];
  return {
    ...quantiles("timer", late),
    ...quantiles("http", requests),
    rate: total / SECONDS,
    ...(events[1] > 0 && { share: events[0] / total }),
  };
}

/** Whether the time is up; looks at the clock at every 64th call. */
function untilOver() {
  const end = performance.now() + SECONDS * 1000;
  let calls = 0;
  let over = false;
  return () => {
    calls += 1;
    if (calls % 64 === 0) over = performance.now() >= end;
    return over;
  };
}

function quantiles(name, all) {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  return { [`${name}50`]: at(0.5), [`${name}99`]: at(0.99), [`${name}Max`]: sorted.at(-1) };
}

const ours = ["synchronous", "async handlers", "async, maxDemand 1", "for await", "async generator"];
export const targets = ours.flatMap((row) => [
  { case: "under load", ours: `headrace, ${row}`, metrics: ["timer99"], most: 0.008 },
  { case: "under load", ours: `headrace, ${row}`, metrics: ["http99"], most: 0.012, above: "floor: idle" },
]);
