// What both minimal clients need of the wire: their options, lines out of bytes, JSON out of lines, and which
// errors are the end of a connection. Written from docs/PROTOCOL.md alone, as they are.

import type { Random } from "../../bench/motion/random.ts";
import { connectTo, type LineConn, type TransportKind, WebSocketConn } from "../support/websocket_conn.ts";
import { encodeFrames, lawfulFrames } from "./frame_grammar.ts";
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
  /** Default: TCP. */
  transport?: TransportKind;
  /**
   * Lets it write its lines by WebSocket in all the ways that are allowed, in turn; without it, one message
   * for each write.
   */
  random?: Random;
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

/** Connects to the relay. */
export async function connectMinimal({ port, transport, random }: MinimalOptions): Promise<LineConn> {
  const conn = await connectTo(port, transport);
  return conn instanceof WebSocketConn && random !== undefined ? new VariedConn(conn, random) : conn;
}

/** Writes whole lines as frames of all kinds. */
class VariedConn implements LineConn {
  readonly #conn: WebSocketConn;
  readonly #random: Random;

  constructor(conn: WebSocketConn, random: Random) {
    this.#conn = conn;
    this.#random = random;
  }

  get localAddr(): Deno.Addr {
    return this.#conn.localAddr;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#conn.read(buffer);
  }

  async write(bytes: Uint8Array): Promise<number> {
    for (const frame of encodeFrames(lawfulFrames(this.#random, bytes))) await this.#conn.writeRaw(frame);
    return bytes.length;
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    this.#conn.close();
  }
}

/** Writes all of it. */
export async function writeAll(conn: LineConn, data: string | Uint8Array): Promise<void> {
  let bytes = typeof data === "string" ? encoder.encode(data) : data;
  while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
}

/** Tells whether an error is the end of a connection, or one that could not be made. */
export function isNetworkError(error: Error): boolean {
  // What the relay answers to a handshake is asserted, and no matter of the network.
  if (error.name === "AssertionError") return false;
  return "code" in error || error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.UnexpectedEof;
}
