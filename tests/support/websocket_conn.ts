// A connection to a relay over WebSocket that looks like one over TCP: what is written and read are bytes of
// lines. For tests that should hold for both. It makes its frames by itself, so that relay and client are
// never wrong together.
//
//   write("1\n2") ─▶ a fragment   write("\n") ─▶ the last one of its message   closeWrite() ─▶ a close frame

import assert from "node:assert/strict";
import { concat } from "../../src/wire/concat.ts";
import { clientFrame, closeFrame, readServerFrames, type ServerFrame, toBytes } from "./websocket_frames.ts";

/** How a test speaks to a relay. */
export type TransportKind = "tcp" | "websocket";

export const TRANSPORTS: readonly TransportKind[] = ["tcp", "websocket"];

/** Registers a test for each transport. */
export function testBoth(name: string, run: (transport: TransportKind) => Promise<void>): void {
  for (const transport of TRANSPORTS) Deno.test(`${name}, over ${transport}`, () => run(transport));
}

/** As much of a TCP connection as tests need. */
export interface LineConn {
  readonly localAddr: Deno.Addr;
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** Connects to a relay on loopback. */
export async function connectTo(port: number, kind: TransportKind = "tcp"): Promise<LineConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  if (kind === "tcp") return conn;
  try {
    return await WebSocketConn.open(conn, `127.0.0.1:${port}`);
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** The most that is written as one message, in bytes. */
const MAX_WRITE_BYTES = 256 * 1024;

const MASK = [0x37, 0xfa, 0x21, 0x3d];

/** A client's side of a WebSocket. */
export class WebSocketConn implements LineConn {
  readonly #conn: LineConn;
  readonly #buffer = new Uint8Array(64 * 1024);
  #input: Uint8Array;
  #lines: Uint8Array = new Uint8Array(0);
  #isMidMessage = false;
  #hasSentClose = false;
  #isClosed = false;
  #writes: Promise<unknown> = Promise.resolve();
  /** All frames that came, if they are wanted. */
  readonly frames: ServerFrame[] = [];
  keepsFrames = false;
  answersPings = true;
  /** The code and the reason of the relay's close frame, 1005 where there is none. */
  closing: [code: number, reason: string] | undefined;

  private constructor(conn: LineConn, input: Uint8Array) {
    this.#conn = conn;
    this.#input = input;
  }

  /** Shakes hands over a connection. */
  static async open(
    conn: LineConn,
    host: string,
    fields: Record<string, string> = {},
  ): Promise<WebSocketConn> {
    const more = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const head = `GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${more}` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    await conn.write(toBytes(head));
    let input: Uint8Array = new Uint8Array(0);
    const buffer = new Uint8Array(4096);
    for (;;) {
      const text = String.fromCharCode(...input), end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        assert.match(text, /^HTTP\/1\.1 101 /);
        assert.match(text, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i);
        return new WebSocketConn(conn, input.slice(end + 4));
      }
      const n = await conn.read(buffer);
      if (n === null) throw new Deno.errors.UnexpectedEof("no answer to the handshake");
      input = concat([input, buffer.slice(0, n)]);
    }
  }

  get localAddr(): Deno.Addr {
    return this.#conn.localAddr;
  }

  /** Reads bytes of lines; null at a close frame, or at the end of the connection. Answers pings. */
  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#lines.length === 0) {
      if (this.closing !== undefined) return null;
      const { frames, used } = readServerFrames(this.#input);
      this.#input = this.#input.slice(used);
      for (const frame of frames) this.#take(frame);
      if (frames.length > 0) continue;
      const n = await this.#conn.read(this.#buffer);
      if (n === null) return null;
      this.#input = concat([this.#input, this.#buffer.slice(0, n)]);
    }
    const part = this.#lines.subarray(0, buffer.length);
    buffer.set(part);
    this.#lines = this.#lines.subarray(part.length);
    return part.length;
  }

  #take(frame: ServerFrame): void {
    const { opcode, payload } = frame;
    if (this.keepsFrames) this.frames.push(frame);
    if (opcode <= 2) this.#lines = concat([this.#lines, payload]);
    if (opcode === 9 && this.answersPings) {
      void this.#write(clientFrame({ opcode: 10, payload })).catch(() => {});
    }
    if (opcode !== 8) return;
    const code = payload.length < 2 ? 1005 : payload[0] << 8 | payload[1];
    this.closing = [code, new TextDecoder().decode(payload.subarray(2))];
    void this.#close().catch(() => {});
  }

  /**
   * Writes a message, or a part of one where the bytes don't end with an LF; no more than a message may hold.
   */
  async write(all: Uint8Array): Promise<number> {
    const bytes = all.length <= MAX_WRITE_BYTES
      ? all
      : all.subarray(0, all.lastIndexOf(10, MAX_WRITE_BYTES) + 1 || MAX_WRITE_BYTES);
    const isFinal = bytes[bytes.length - 1] === 10;
    const opcode = this.#isMidMessage ? 0 : 1;
    this.#isMidMessage = !isFinal;
    await this.#write(clientFrame({ opcode, isFinal, payload: bytes, mask: MASK }));
    return bytes.length;
  }

  /** Writes bytes as they are. */
  writeRaw(bytes: Uint8Array): Promise<unknown> {
    return this.#write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#close();
  }

  /** Breaks the connection. May be called again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
  }

  async #close(): Promise<void> {
    if (this.#hasSentClose) return;
    this.#hasSentClose = true;
    await this.#write(closeFrame(1000));
  }

  #write(bytes: Uint8Array): Promise<unknown> {
    return this.#writes = this.#writes.then(async () => {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    });
  }
}
