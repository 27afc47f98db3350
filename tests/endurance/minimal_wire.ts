// What both minimal clients need of the wire: their options, lines out of bytes, JSON out of lines, and which
// errors are the end of a connection. Written from docs/PROTOCOL.md alone, as they are.

import type { News } from "./history.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const LF = 0x0a;

/** What a line says, whatever it is. */
// deno-lint-ignore no-explicit-any
export type Body = any;

/** What a minimal client is made of. */
export interface MinimalOptions {
  port: number;
  room?: string;
  name?: string;
  simulate?: string;
  /** How often it pings, in ms. Default: 1,000. */
  pingMs?: number;
  /** Takes what happens, in order. */
  record(news: News): void;
  /** Takes each answer to a ping with its round trip. */
  onPong?(roundTripMs: number): void;
}

/** Splits bytes into complete lines, LF included. */
export class Lines {
  #rest: Uint8Array = new Uint8Array(0);

  *take(chunk: Uint8Array): Generator<Uint8Array> {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    let start = 0;
    for (let lf = bytes.indexOf(LF); lf >= 0; lf = bytes.indexOf(LF, start)) {
      yield bytes.subarray(start, lf + 1);
      start = lf + 1;
    }
    this.#rest = bytes.slice(start);
  }
}

/** The text of a line without its LF; undefined if it is not UTF-8. */
export function readLine(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes.subarray(0, -1));
  } catch {
    return undefined;
  }
}

/** The value of a line; undefined if it is not JSON. */
export function readJson(line: string): Body {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Writes all of it. */
export async function writeAll(conn: Deno.TcpConn, data: string | Uint8Array): Promise<void> {
  let bytes = typeof data === "string" ? encoder.encode(data) : data;
  while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
}

/** Tells whether an error is the end of a connection, or one that could not be made. */
export function isNetworkError(error: Error): boolean {
  return "code" in error || error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.UnexpectedEof;
}
