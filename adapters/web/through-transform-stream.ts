import { coupled, type NoOptions, refuse } from "../../src/adapter/index.ts";
import type { ProducerConsumer, ProducerOptions, SubscribeOptionsOf } from "../../src/index.ts";
import { checkReadable, reading } from "./from-readable-stream.ts";
import { checkWritable, intoWritableStream } from "./into-writable-stream.ts";
import type { TransformStreamLike } from "./like.ts";

/**
 * Makes a producerConsumer of a web TransformStream, or of any pair of a readable and a writable stream.
 *
 * **Shape** one write per event in, one event out per chunk.
 * **Units** events on both sides. Options are those of the side that emits.
 * **Backpressures** reads on demand, and takes events while the transform has room.
 * **Completes** when the readable side closes. The writable side is closed behind the sources' last event. A transform
 * that closes by itself leaves its sources, which get untouched batches back.
 * **Cancels** when its last consumer leaves, or at `stop`: the readable side is cancelled, the sources are left.
 *
 * @throws ArgumentError `ERR_NOT_SOURCE`: no such pair, or a locked side; `ERR_OPTION`, `ERR_RANGE`. An error of the
 * readable side fails the stage by identity, behind the chunks read. That side also tells of a writable side that
 * fails, else the error goes to `onReport`. A failing source aborts the writable side.
 *
 * **Source** rules 7.1 to 7.3; `pipeThrough`.
 *
 * @example
 * const bytes = fromReadableStream(new Blob(["a mill"]).stream());
 * const text = throughTransformStream(new TextDecoderStream());
 * text.subscribe(bytes);
 * for await (const piece of text) console.log(piece); // a mill
 */
export function throughTransformStream<In, Out, SO extends object = NoOptions>(
  transform: TransformStreamLike<In, Out>,
  options: ProducerOptions<Out, SO> = {},
): ProducerConsumer<In, Out, SubscribeOptionsOf<SO, Out>> {
  const { readable, writable } = pairOf(transform);
  const { signal, runtime, onReport } = options;
  const output = reading<Out, SO>(readable, options, []);
  return coupled(intoWritableStream<In>(writable, { name: `${output.name} input`, signal, runtime, onReport }), output);
}

function pairOf<In, Out>(transform: TransformStreamLike<In, Out>): TransformStreamLike<In, Out> {
  const pair = transform as Partial<TransformStreamLike<In, Out>> | null | undefined;
  if (!pair?.readable || !pair.writable)
    refuse("ERR_NOT_SOURCE", "a pair { readable, writable } of streams", transform);
  checkReadable(pair.readable);
  checkWritable(pair.writable);
  return transform;
}
