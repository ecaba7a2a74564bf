// What the messages of HTTP/1 and HTTP/2 have in common.
import type { Writable } from "node:stream";

export interface Request {
  readonly url?: string | undefined;
}
export interface Response extends Writable {
  writeHead(status: number, headers?: Readonly<Record<string, string>>): this;
  flushHeaders?(): void;
}
export type Handler = (request: Request, response: Response) => void;
