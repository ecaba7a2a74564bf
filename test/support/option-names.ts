/** The names of a function's options, as its refusal of another one lists them. */
export function optionsOf(call: (options: never) => unknown): readonly string[] {
  try {
    call({ none: 1 } as never);
  } catch (error) {
    return /options among (.*), got/.exec((error as Error).message)?.[1]?.split(", ") ?? [];
  }
  return [];
}
