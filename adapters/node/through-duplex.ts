import { coupled, type NoOptions, refuse, requireType } from "../../src/adapter/index.ts";
import type { Chunks, Fixed, ProducerConsumer, ProducerOptions, SubscribeOptionsOf } from "../../src/index.ts";
import { watchExit } from "./before-exit.ts";
import { adviceOn } from "./advice.ts";
import { isReadable, reading } from "./from-readable.ts";
import { isWritable, writing } from "./into-writable.ts";
import { isLegacy } from "./legacy-source.ts";
import type { DuplexLike } from "./like.ts";

export interface ThroughDuplexOptions<in Out, in out SO extends object = NoOptions> extends ProducerOptions<Out, SO> {
  /** Whether the writable side is ended behind the last event, or with the readable side. @default true */
  readonly end?: boolean | undefined;
  /** Whether the Duplex is destroyed when the stage ends first. @default true */
  readonly destroyOnCancel?: boolean | undefined;
}

/**
 * Makes a producerConsumer of a Node Duplex or Transform of any make.
 *
 * **Shape** one `write` per event in; one event out per object, or per `read()` of bytes: of the type that the Duplex
 * declares, `string | Buffer`, unless both are named: `throughDuplex<string, Row>(parser)`.
 * **Units** events on both sides. Options are those of the side that emits.
 * **Backpressures** writes while the Duplex has room, reads on demand.
 * **Completes** at `end`, and after `close` if it destroys itself. The writable side is ended behind the sources' last
 * event. A Duplex that ends a side otherwise leaves its sources, and unwritten events go back.
 * **Cancels** when its last consumer leaves, or at `stop`: the Duplex is destroyed, the sources are left.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no Duplex, or one that is read elsewhere; `ERR_OPTION`, `ERR_RANGE`. An error
 * of the Duplex fails the stage once, by identity, behind the events read, and leaves the sources with it; a close
 * before the end gives `ERR_STREAM_PREMATURE_CLOSE`. A failing source destroys the Duplex. Later errors go to
 * `onReport`.
 *
 * **Source** rules 7.1 to 7.3; `stream.pipeline`.
 *
 * @example
 * const gunzip = throughDuplex<Uint8Array, Buffer>(zlib.createGunzip());
 * gunzip.subscribe(fromIterable([zlib.gzipSync("a mill")]));
 * for await (const chunk of gunzip) console.log(String(chunk)); // a mill
 */
export function throughDuplex<In, Out, SO extends object = NoOptions>(
  duplex: DuplexLike | (DuplexLike & Chunks<Out>),
  options?: ThroughDuplexOptions<Fixed<Out>, SO>,
): ProducerConsumer<In, Out, SubscribeOptionsOf<SO, Out>>;
export function throughDuplex<In, Out, SO extends object = NoOptions>(
  duplex: DuplexLike,
  options?: ThroughDuplexOptions<Out, SO>,
): ProducerConsumer<In, Out, SubscribeOptionsOf<SO, Out>>;
export function throughDuplex<In, Out, SO extends object = NoOptions>(
  duplex: DuplexLike,
  options: ThroughDuplexOptions<Out, SO> = {},
): ProducerConsumer<In, Out, SubscribeOptionsOf<SO, Out>> {
  watchExit();
  if (!(isReadable(duplex) || isLegacy(duplex)) || !isWritable(duplex))
    refuse("ERR_NOT_SOURCE", adviceOn(duplex, "Duplex"), duplex);
  const { end, signal, runtime, onReport } = options;
  requireType("end", end, "boolean");
  // The readable side first, so that it hears the stream's events first.
  const output = reading<Out, SO>(duplex, options, ["end", "destroyOnCancel"]);
  const input = writing<In>(duplex, { name: `${output.name} input`, signal, runtime, onReport, end }, ["end"], true);
  return coupled(input, output);
}
