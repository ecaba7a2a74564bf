import { stopsAfterLast } from "../adapter/index.ts";
import { argumentError, CallbackError, words } from "../base/errors.ts";
import { failureOf } from "../base/failure.ts";
import type { Subscriber } from "../contract/stage.ts";
import { refusal } from "./declared.ts";
import type { Link, Member } from "./member.ts";

/** Mistakes in a declaration: a restart would make them again. */
const MISTAKES: readonly unknown[] =
  "ERR_CHILD ERR_OPTION ERR_RANGE ERR_BEHAVIOUR ERR_NOT_PRODUCER ERR_NOT_SOURCE ERR_SOURCE_USED ERR_PARTITION".split(
    " ",
  );

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown } | null | undefined)?.code;

/** Whether `start` itself has made a mistake with headrace. */
export const isMistake = (error: unknown): boolean =>
  failureOf(error)?.callback === "start" && MISTAKES.includes(codeOf(error));

/** Whether a failure of the child would end its source, which is not started again with it. */
function wouldStop(member: Member, source: Member, first: number): boolean {
  if (member.restart === "temporary" || source.restart === "permanent") return false;
  return source.index < first && stopsAfterLast(source.run?.stoppable as object);
}

/** A child with `subscribeTo` that is no consumer. */
export function noConsumer({ name }: Member, got: unknown): CallbackError {
  const expected = `${name} to be a consumer, for it has subscribeTo`;
  const advice = "start returns consumer(…), or something else with subscribe, or a promise of it";
  return new CallbackError({ code: "ERR_CHILD", expected, got, advice }, []);
}

function noProducer({ name }: Member, source: Member, cause: unknown): unknown {
  const advice = `its start returns producer(…), or what a from… function makes`;
  return argumentError("ERR_NOT_PRODUCER", "", words(`${source.name}, to which ${name} is subscribed`), cause, advice);
}

/** A source that has ended without having made a producer, and will not be started again. */
export function noSource({ name }: Member, source: Member): CallbackError {
  const expected = `${source.name} to make a producer, for ${name} is subscribed to it`;
  const advice = "let its start return a producer, or leave the consumer out with it";
  return new CallbackError({ code: "ERR_CHILD", expected, got: words("its end"), advice }, []);
}

/**
 * Subscribes a child to a source: another child, or a producer outside. `first` is the first child that is started again with
 * it. Returns what went wrong, and whether it would do so again.
 */
export function connect(
  member: Member,
  { to, options }: Link,
  source: Member | undefined,
  first: number,
): { readonly error: unknown; readonly always: boolean } | undefined {
  try {
    const consumer = member.run?.stoppable as Partial<Subscriber<never>>;
    if (typeof consumer.subscribe !== "function") throw noConsumer(member, consumer);
    if (source && wouldStop(member, source, first)) throw refusal(member.name, { name: source.name });
    consumer.subscribe((source ? source.run?.stoppable : to) as never, options as never);
  } catch (cause) {
    const code = codeOf(cause);
    const error = source && code === "ERR_NOT_PRODUCER" ? noProducer(member, source, cause) : cause;
    // One that is ending has an end of its own.
    if (code === "ERR_ENDED") return undefined;
    return { error, always: MISTAKES.includes(code) || (source === undefined && code === "ERR_STOPPED") };
  }
  return undefined;
}
