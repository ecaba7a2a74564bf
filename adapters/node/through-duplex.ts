import { coupled, type NoOptions, refuse, requireType } from "../../src/adapter/index.ts";
import type { ProducerConsumer, ProducerOptions, SubscribeOptionsOf } from "../../src/index.ts";
import { watchExit } from "./before-exit.ts";
import { adviceOn } from "./advice.ts";
import { isReadable, reading } from "./from-readable.ts";
import { isWritable, writing } from "./into-writable.ts";
import { isLegacy } from "./legacy-source.ts";
import type { DuplexLike } from "./like.ts";

export interface ThroughDuplexOptions<in Out, in out SO extends object = NoOptions> extends ProducerOptions<Out, SO> {
  /** Whether the writable side is ended behind the last event of the sources, or when the readable side has ended. @default true */
  readonly end?: boolean | undefined;
  /** Whether the Duplex is destroyed when the stage ends before it. @default true */
  readonly destroyOnCancel?: boolean | undefined;
}

/**
 * Makes a producerConsumer of a Node Duplex or Transform, zlib's and crypto's included, of any make.
 *
 * **Shape** each event is one `write`; what is read is one event per object, or per `read()` of bytes.
 * **Units** events on both sides, whatever their modes. Options are those of the side that emits.
 * **Backpressures** written is what the Duplex has room for, read what was asked for: what is in flight are the events
 * of the subscription, and what the two high-water marks let in.
 * **Completes** at `end`, and after `close` if it destroys itself. Behind the last event of its sources the writable side
 * is ended, so that a Transform can flush. A Duplex of which a side ends otherwise has had enough: its
 * sources are left, and get back what was not written.
 * **Cancels** when its last consumer leaves, or at `stop`: the Duplex is destroyed, and the sources are left.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Duplex, or one that something else reads; `ERR_OPTION`, `ERR_RANGE`: wrong options.
 * What the Duplex fails with fails the stage once, by identity, behind the events read, and then its sources are left with
 * it; one that closes before its end gives `ERR_STREAM_PREMATURE_CLOSE`. A source that fails destroys the Duplex. What
 * fails later goes to `onReport`.
 *
 * **Source** rules 7.1 to 7.3; `stream.pipeline`.
 *
 * @example
 * const gunzip = throughDuplex<Uint8Array, Buffer>(zlib.createGunzip());
 * gunzip.subscribe(fromIterable([zlib.gzipSync("a mill")]));
 * for await (const chunk of gunzip) console.log(String(chunk)); // a mill
 */
export function throughDuplex<In, Out, SO extends object = NoOptions>(
  duplex: DuplexLike,
  options: ThroughDuplexOptions<Out, SO> = {},
): ProducerConsumer<In, Out, SubscribeOptionsOf<SO, Out>> {
  watchExit();
  if (!(isReadable(duplex) || isLegacy(duplex)) || !isWritable(duplex))
    refuse("ERR_NOT_SOURCE", adviceOn(duplex, "Duplex"), duplex);
  const { end, signal, runtime, onReport } = options;
  requireType("end", end, "boolean");
  // The readable side first: it hears the stream's events first, and tells.
  const output = reading<Out, SO>(duplex, options, ["end", "destroyOnCancel"]);
  const input = writing<In>(duplex, { name: `${output.name} input`, signal, runtime, onReport, end }, ["end"], true);
  return coupled(input, output);
}
