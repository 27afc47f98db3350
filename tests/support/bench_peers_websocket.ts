// A relay of WebSocket messages in a screenful, as good or bad as a test asks: what the native load is tried
// against. Reads frames the plain way, and complains of what a client must not send.

import { createHash } from "node:crypto";
import { concat } from "../../src/wire/concat.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
export const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10];
const FINAL = 0x80;
const LF = 10;

/**
 * Makes a frame as servers send it. `first` is its first byte; `lengthBytes` is for one that is not as short
 * as it could be.
 */
export function serverFrame(payload: Uint8Array, first = FINAL | TEXT, lengthBytes?: 0 | 2 | 8): Uint8Array {
  const size = payload.length;
  const count = lengthBytes ?? (size < 126 ? 0 : size < 65536 ? 2 : 8);
  const frame = new Uint8Array(2 + count + size);
  frame[0] = first;
  frame[1] = count === 0 ? size : count === 2 ? 126 : 127;
  for (let i = 0; i < count; i++) frame[1 + count - i] = Math.floor(size / 2 ** (8 * i)) % 256;
  frame.set(payload, 2 + count);
  return frame;
}

export interface TinyWebSocketOptions {
  /**
   * Makes the frames that pass on lines, each with its LF; one message of all lines is what the relay does.
   */
  frames?: (lines: Uint8Array[], index: number) => Uint8Array[];
  /** Bytes of each write; without it, all at once. */
  writeBytes?: number;
  /** Whether a message is one event without LF. */
  each?: boolean;
  /** Bytes of the answer to the handshake that are replaced. */
  answer?: (text: string) => string;
}

export interface TinyMember {
  conn: Deno.Conn;
  queue: Promise<void>;
  index: number;
  /** What came, with the keys that it was masked with. */
  messages: number;
  keys: Set<number>;
  pongs: string[];
  closes: number;
}

/** Passes the lines of each member on to all others. */
export class TinyWebSocketRelay implements AsyncDisposable {
  readonly port: number;
  readonly members: TinyMember[] = [];
  readonly complaints: string[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<TinyMember>();
  readonly #running: Promise<void>[] = [];
  readonly #options: TinyWebSocketOptions;

  constructor(options: TinyWebSocketOptions = {}) {
    this.#options = options;
    this.port = this.#listener.addr.port;
    this.#running.push(this.#accept());
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      conn.setNoDelay(true);
      this.#running.push(this.#serve(conn));
    }
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    const own: TinyMember = {
      conn,
      queue: Promise.resolve(),
      index: 0,
      messages: 0,
      keys: new Set(),
      pongs: [],
      closes: 0,
    };
    this.members.push(own);
    try {
      let held = await this.#upgrade(conn);
      this.#open.add(own);
      const buffer = new Uint8Array(64 * 1024);
      for (let count: number | null = 0; count !== null; count = await conn.read(buffer)) {
        held = concat([held, buffer.subarray(0, count)]);
        held = held.slice(this.#take(own, held));
      }
    } catch {
      // The load has closed the connection.
    }
    this.#open.delete(own);
    await own.queue;
    conn.close();
  }

  /** Answers the handshake and returns what came behind it. */
  async #upgrade(conn: Deno.Conn): Promise<Uint8Array> {
    let text = "";
    const buffer = new Uint8Array(4096);
    while (!text.includes("\r\n\r\n")) {
      const count = await conn.read(buffer);
      if (count === null) throw new Error("no handshake");
      text += String.fromCharCode(...buffer.subarray(0, count));
    }
    const [head, rest] = text.split("\r\n\r\n");
    const key = head.match(/^Sec-WebSocket-Key: (\S+)$/m)?.[1].trim();
    for (const line of ["GET / HTTP/1.1", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Host: "]) {
      if (!head.includes(line)) this.complaints.push(`no ${line}`);
    }
    const accept = createHash("sha1").update(key + GUID).digest("base64");
    const answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`;
    await conn.write(new TextEncoder().encode(this.#options.answer?.(answer) ?? answer));
    return Uint8Array.from(rest, (char) => char.charCodeAt(0));
  }

  /** Takes all whole frames; returns how many bytes they have. */
  #take(member: TinyMember, bytes: Uint8Array): number {
    let at = 0;
    for (;;) {
      if (bytes.length < at + 2) return at;
      const small = bytes[at + 1] & 0x7f;
      const count = small < 126 ? 0 : small === 126 ? 2 : 8;
      const head = 2 + count + 4;
      if (bytes.length < at + head) return at;
      let size = count === 0 ? small : 0;
      for (let i = 0; i < count; i++) size = size * 256 + bytes[at + 2 + i];
      if (bytes.length < at + head + size) return at;
      if ((bytes[at + 1] & 0x80) === 0) this.complaints.push("a frame is not masked");
      const key = bytes.subarray(at + head - 4, at + head);
      const payload = bytes.slice(at + head, at + head + size).map((byte, i) => byte ^ key[i % 4]);
      this.#takeFrame(member, bytes[at], payload, new DataView(key.slice().buffer).getUint32(0));
      at += head + size;
    }
  }

  #takeFrame(member: TinyMember, first: number, payload: Uint8Array, key: number): void {
    const opcode = first & 0x0f;
    if ((first & 0xf0) !== FINAL) this.complaints.push(`a frame begins with ${first}`);
    if (opcode === PONG) return void member.pongs.push(new TextDecoder().decode(payload));
    if (opcode === CLOSE) return void member.closes++;
    if (opcode !== TEXT) this.complaints.push(`a message of opcode ${opcode}`);
    member.messages++;
    member.keys.add(key);
    const lines = this.#options.each ? [payload] : splitLines(payload);
    if (!this.#options.each && payload.at(-1) !== LF) {
      this.complaints.push("a message doesn't end with a line");
    }
    for (const other of this.#open) {
      if (other === member) continue;
      const frames = this.#options.frames?.(lines, other.index) ?? [serverFrame(concat(lines))];
      other.index += lines.length;
      other.queue = other.queue.then(() => this.#write(other.conn, concat(frames))).catch(() => {});
    }
  }

  async #write(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
    const most = this.#options.writeBytes ?? bytes.length;
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at, at + most));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await Promise.all(this.#running);
  }
}

function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(LF, at) + 1 || bytes.length;
    lines.push(bytes.subarray(at, end));
    at = end;
  }
  return lines;
}
