import { PlainContext } from "../stage/faces.ts";

/** Gives back the rest of the batch in hand, which a stage that is about to end has not looked at. */
export function unread(stage: object, subscription: object, rest: readonly unknown[]): void {
  if (rest.length > 0) (stage as PlainContext).giveBack(subscription as never, rest);
}
