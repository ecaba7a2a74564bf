interface WithProcess {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

let known: boolean | undefined;

/** Production says nothing: some checks are for those who write the program. */
export function inDevelopment(): boolean {
  known ??= (globalThis as WithProcess).process?.env?.["NODE_ENV"] !== "production";
  return known;
}
