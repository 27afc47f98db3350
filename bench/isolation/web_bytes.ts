// What hostile clients of the web door send, as bytes: requests, and frames of WebSockets as a client masks
// them. Pure.

const encoder = new TextEncoder();

const MASK = [0x37, 0xfa, 0x21, 0x3d];

/** The kinds of frames that are sent. */
export const OPCODES = { continuation: 0, text: 1, close: 8, ping: 9 } as const;

/** Makes a frame of up to 125 bytes. */
export function frame(opcode: number, text: string, isFinal = true): Uint8Array {
  const payload = encoder.encode(text);
  const bytes = [(isFinal ? 0x80 : 0) + opcode, 0x80 + payload.length, ...MASK];
  payload.forEach((byte, i) => bytes.push(byte ^ MASK[i % MASK.length]));
  return Uint8Array.from(bytes);
}

/** Makes one message of a fragment for each character, the last one final. */
export function fragments(text: string): Uint8Array {
  const { continuation, text: first } = OPCODES;
  return join(
    [...text].map((character, i) => frame(i === 0 ? first : continuation, character, i === text.length - 1)),
  );
}

/** Makes a GET; over a connection that is kept unless `isLast`. */
export function get(path: string, isLast = false): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${isLast ? "Connection: close\r\n" : ""}\r\n`;
}

/** The request that opens a WebSocket. */
export const HANDSHAKE =
  "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/** Returns `part` as often as fits into `bytes`, at least once. */
export function repeat(part: Uint8Array | string, bytes: number): Uint8Array {
  const one = typeof part === "string" ? encoder.encode(part) : part;
  return join(Array.from({ length: Math.max(1, Math.floor(bytes / one.length)) }, () => one));
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
