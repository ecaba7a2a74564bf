// Where the pointer is, into a consumer that takes its time: what arrives, waits, is dropped and is handled.
//
//   npm run build && node examples/browser/serve.mjs
import { type Consumer, consumer, type Producer } from "headrace";
import { fromEvents } from "headrace/events";

type Point = Pick<PointerEvent, "offsetX" | "offsetY">;
type Policy = "drop-oldest" | "drop-newest";
interface Attached {
  readonly moves: Producer<Point>;
  readonly slow: Consumer<Point>;
}

const BUFFER = 20;

const byId = <Kind extends HTMLElement>(id: string): Kind => document.getElementById(id) as Kind;
const pad = byId<HTMLCanvasElement>("pad");
const delay = byId<HTMLInputElement>("delay");
const policy = byId<HTMLSelectElement>("policy");
const toggle = byId<HTMLButtonElement>("toggle");
const pen = pad.getContext("2d") as CanvasRenderingContext2D;

const counts = { arrived: 0, waiting: 0, dropped: 0, handled: 0 };
let attached: Attached | undefined;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The pointer's moves as a producer, and a consumer that takes one at a time: more would wait where none is dropped. */
function attach(overflow: Policy): Attached {
  const moves = pointerMoves(overflow);
  const slow = consumer(async ([point]: readonly Point[]) => {
    await pause(Number(delay.value));
    counts.handled += 1;
    if (point) dot(point, 5, ".handled");
  });
  slow.subscribe(moves, { maxDemand: 1 });
  return { moves, slow };
}

function pointerMoves(overflow: Policy): Producer<Point> {
  return fromEvents(pad, "pointermove", {
    overflow,
    bufferSize: BUFFER,
    map: ({ offsetX, offsetY }): Point => ({ offsetX, offsetY }),
    onDiscard({ events }) {
      counts.dropped += events.length;
      for (const point of events) dot(point, 2.5, ".dropped");
    },
  });
}

/** The last consumer that leaves ends the producer, which then no longer listens. What waited counts as dropped. */
async function detach({ moves, slow }: Attached): Promise<void> {
  await slow.stop();
  await moves.done;
}

async function reattach(again: boolean): Promise<void> {
  toggle.disabled = true;
  if (attached) await detach(attached);
  attached = again ? attach(policy.value as Policy) : undefined;
  toggle.textContent = attached ? "Detach" : "Attach";
  toggle.disabled = false;
}

function dot({ offsetX, offsetY }: Point, radius: number, colour: string): void {
  pen.fillStyle = getComputedStyle(document.querySelector(colour) as Element).borderTopColor;
  pen.beginPath();
  pen.arc(offsetX, offsetY, radius, 0, 2 * Math.PI);
  pen.fill();
}

function resize(): void {
  pad.width = pad.clientWidth * devicePixelRatio;
  pad.height = pad.clientHeight * devicePixelRatio;
  pen.scale(devicePixelRatio, devicePixelRatio);
}

function show(): void {
  counts.waiting = attached?.moves.bufferedCount ?? 0;
  for (const [id, count] of Object.entries(counts)) byId(id).textContent = String(count);
  byId("fill").style.width = `${(counts.waiting / BUFFER) * 100}%`;
  byId("milliseconds").textContent = delay.value;
  requestAnimationFrame(show);
}

// The page's own count, beside the library's.
pad.addEventListener("pointermove", (event) => {
  counts.arrived += 1;
  byId("hint").hidden = true;
  dot(event, 1.5, ".arrived");
});
policy.addEventListener("change", () => void (attached && reattach(true)));
toggle.addEventListener("click", () => void reattach(attached === undefined));
addEventListener("resize", resize);

resize();
attached = attach(policy.value as Policy);
show();
