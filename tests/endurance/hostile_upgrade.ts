// The server's side of a WebSocket for the hostile relay: reads what a client asks and the lines in its
// frames, and answers handshakes rightly or in a way that nobody should. Pure.

import { createHash } from "node:crypto";
import { type Random } from "../../bench/motion/random.ts";
import { concat } from "../../src/wire/concat.ts";
import { mutate } from "./bytes.ts";
import { pick, whole } from "./hostile_values.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Reads a client's handshake, and its frames behind it. */
export class ClientReader {
  #input: Uint8Array = new Uint8Array(0);
  /** What its handshake has as key; undefined until all of that has come. */
  key: string | undefined;
  /** Whether it has sent a close frame. */
  hasClosed = false;

  /** Returns what it says in its messages, of these bytes. */
  take(chunk: Uint8Array): Uint8Array {
    this.#input = concat([this.#input, chunk]);
    if (this.key === undefined) {
      const head = String.fromCharCode(...this.#input);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return new Uint8Array(0);
      this.key = /\r\nsec-websocket-key: *(\S+)/i.exec(head)?.[1] ?? "";
      this.#input = this.#input.slice(end + 4);
    }
    const said: Uint8Array[] = [];
    for (let frame = this.#nextFrame(); frame !== undefined; frame = this.#nextFrame()) said.push(frame);
    return concat(said);
  }

  /** What is in the next frame, empty for a control frame; undefined if it is not all there. */
  #nextFrame(): Uint8Array | undefined {
    const bytes = this.#input;
    if (bytes.length < 6) return undefined;
    const short = bytes[1] & 127, lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    if (bytes.length < 6 + lengthBytes) return undefined;
    let length = lengthBytes === 0 ? short : 0;
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + bytes[2 + i];
    const at = 6 + lengthBytes;
    if (bytes.length < at + length) return undefined;
    this.#input = bytes.slice(at + length);
    const opcode = bytes[0] & 15;
    if (opcode === 8) this.hasClosed = true;
    if (opcode >= 8) return new Uint8Array(0);
    return bytes.slice(at, at + length).map((byte, i) => byte ^ bytes[at - 4 + i % 4]);
  }
}

/** What is answered to a handshake, and whether a client may take it for a WebSocket. */
export interface UpgradeAnswer {
  bytes: Uint8Array;
  isRight: boolean;
}

/** Answers a handshake; a fair relay rightly, others at times not. */
export function answerUpgrade(random: Random, key: string, isFair: boolean): UpgradeAnswer {
  const accept = createHash("sha1").update(key + GUID).digest("base64");
  const right = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`;
  if (isFair || random() < 0.75) return { bytes: bytesOfText(right), isRight: true };
  const wrong = pick(random, [
    () => right.replace(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    () => right.replace(`Sec-WebSocket-Accept: ${accept}\r\n`, ""),
    () => right.replace("Upgrade: websocket\r\n", ""),
    () =>
      right.replace(
        "101 Switching Protocols",
        pick(random, ["100 Continue", "200 OK", "204 No", "99 x", "x"]),
      ),
    () => right.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
    () => right.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\n\r\n"),
    () => right.slice(0, whole(random, 0, right.length - 1)),
    () => right.replace("\r\n\r\n", `\r\n${"X: y\r\n".repeat(whole(random, 1, 5000))}\r\n`),
    () => "HTTP/1.1 301 Moved\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    () => "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1e9\r\nContent-Length: 9000000000\r\n\r\nx",
    () => "HTTP/1.1 403 \x1b[2J\r\n\r\n",
    () => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${"5\r\n[1]\n2\r\n".repeat(100)}`,
    () => '{"$welcome":{}}\n',
    () => "",
  ])();
  const bytes = bytesOfText(wrong);
  return { bytes: random() < 0.2 ? mutate(random, bytes) : bytes, isRight: false };
}

/** One character a byte. */
function bytesOfText(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 255);
}
