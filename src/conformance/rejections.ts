interface Emitter {
  on(event: string, listener: (reason: unknown) => void): void;
  removeListener(event: string, listener: (reason: unknown) => void): void;
}
interface Target {
  addEventListener(event: string, listener: (event: Rejection) => void): void;
  removeEventListener(event: string, listener: (event: Rejection) => void): void;
}
interface Rejection {
  readonly reason: unknown;
  preventDefault(): void;
}

/** Listens for unhandled rejections, where the platform reports them. Returns how to stop. */
export function hearRejections(heard: (reason: unknown) => void): () => void {
  const platform = globalThis as unknown as { readonly process?: Partial<Emitter> } & Partial<Target>;
  if (typeof platform.process?.on === "function") {
    const process = platform.process as Emitter;
    process.on("unhandledRejection", heard);
    return () => process.removeListener("unhandledRejection", heard);
  }
  if (typeof platform.addEventListener !== "function") return () => {};
  const target = platform as Target;
  const listener = (event: Rejection): void => {
    event.preventDefault();
    heard(event.reason);
  };
  target.addEventListener("unhandledrejection", listener);
  return () => target.removeEventListener("unhandledrejection", listener);
}
