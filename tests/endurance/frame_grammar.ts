// WebSocket frames from a random generator: lines in every way that RFC 6455 allows, the same with something
// wrong in them and what has to be answered to that, and a client's handshakes that are right, nearly right
// and wrong. Pure. Frames themselves are made by tests/support/websocket_frames.ts.

import type { Random } from "../../bench/motion/random.ts";
import { type ClientFrame, clientFrame } from "../support/websocket_frames.ts";
import { pick, whole } from "./hostile_values.ts";

const LF = 0x0a;

/** What a message may hold, in bytes: the relay takes no longer ones. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const MAX_CONTROL_BYTES = 125;

const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Codes that the relay closes with when frames are wrong. */
const WRONG_FRAME = 1002, WRONG_TEXT = 1007, TOO_LARGE = 1009;

/** The codes that may only come of wrong frames. */
export const FRAME_FAULT_CODES: readonly number[] = [WRONG_FRAME, WRONG_TEXT, TOO_LARGE];

/**
 * Puts bytes into a client's messages in one of the ways that are allowed: some lines in each, text or
 * binary, in fragments, empty ones among them, with pings and pongs in between, with or without the LF of its
 * last line. Where the bytes don't end with an LF, the last message has none. `keepsEnds`: no LF is left out.
 */
export function lawfulFrames(random: Random, bytes: Uint8Array, keepsEnds = false): ClientFrame[] {
  const frames: ClientFrame[] = [];
  const most = pick(random, [1, 1, 3, 40, 1000]);
  for (let at = 0; at < bytes.length;) {
    const end = endOfLines(bytes, at, whole(random, 1, most));
    const lines = bytes.subarray(at, end);
    at = end;
    // Without its LF an empty line would be no message at all.
    const mayLack = !keepsEnds && lines.length > 1 && lines.at(-1) === LF && lines.at(-2) !== LF;
    frames.push(...message(random, mayLack && random() < 0.4 ? lines.subarray(0, -1) : lines));
  }
  return frames;
}

/** Frames as the bytes that a client writes. */
export function encodeFrames(frames: readonly ClientFrame[]): Uint8Array[] {
  return frames.map(clientFrame);
}

/** The same for a server, whose frames have no mask; with something wrong in them if that is asked for. */
export function serverFrames(random: Random, lines: Uint8Array, isSpoilt: boolean): Uint8Array[] {
  const lawful = lawfulFrames(random, lines, true);
  const frames = isSpoilt ? spoil(random, lawful).frames : lawful;
  const isMasked = () => isSpoilt && random() < 0.05;
  return encodeFrames(frames.map((frame) => isMasked() ? frame : { ...frame, mask: undefined }));
}

/** The first and any further fragment of a message that does not end, from a server. */
export function endlessFragments(payload: Uint8Array): [first: Uint8Array, next: Uint8Array] {
  const frame = { payload, isFinal: false, mask: undefined };
  return [
    clientFrame({ ...frame, opcode: OPCODE.text }),
    clientFrame({ ...frame, opcode: OPCODE.continuation }),
  ];
}

/** Where so many lines end, or what a message may hold. */
function endOfLines(bytes: Uint8Array, from: number, count: number): number {
  let end = from;
  for (; count > 0 && end < bytes.length; count--) {
    const lf = bytes.indexOf(LF, end);
    const next = lf < 0 ? bytes.length : lf + 1;
    if (next - from > MAX_MESSAGE_BYTES) return end > from ? end : from + MAX_MESSAGE_BYTES;
    end = next;
  }
  return end;
}

/** One message. */
function message(random: Random, payload: Uint8Array): ClientFrame[] {
  const opcode = isText(payload) && random() < 0.8 ? OPCODE.text : OPCODE.binary;
  const cuts = random() < 0.7 ? [] : Array.from(
    { length: whole(random, 1, random() < 0.1 ? 60 : 3) },
    () => whole(random, 0, payload.length),
  ).sort((a, b) => a - b);
  const frames: ClientFrame[] = [];
  let at = 0;
  for (const [index, end] of [...cuts, payload.length].entries()) {
    while (random() < 0.05) frames.push(control(random));
    frames.push({
      opcode: index === 0 ? opcode : OPCODE.continuation,
      isFinal: index === cuts.length,
      payload: payload.subarray(at, end),
      mask: anyMask(random),
    });
    at = end;
  }
  return frames;
}

function control(random: Random): ClientFrame {
  const payload = new Uint8Array(whole(random, 0, pick(random, [0, 4, MAX_CONTROL_BYTES])));
  return { opcode: pick(random, [OPCODE.ping, OPCODE.pong]), payload, mask: anyMask(random) };
}

function anyMask(random: Random): number[] {
  return random() < 0.1 ? [0, 0, 0, 0] : Array.from({ length: 4 }, () => whole(random, 0, 255));
}

function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Frames with something wrong in them, and the code with which the relay may close for that. */
export interface Spoilt {
  frames: ClientFrame[];
  code: number;
}

/** Text that is not UTF-8: whole, cut off, a surrogate, more bytes than needed, beyond the last character. */
const NO_TEXT = [[0xff], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf4, 0x90, 0x80, 0x80], [
  0x80,
]].map((bytes) => Uint8Array.from(bytes));

/** Codes that no close frame may carry. */
const NO_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535];

/** Breaks one of the rules somewhere among lawful frames. */
export function spoil(random: Random, lawful: readonly ClientFrame[]): Spoilt {
  const frames = [...lawful];
  const at = whole(random, 0, frames.length);
  // Whether a message is under way where the wrong frame comes.
  const before = frames.slice(0, at).findLast(({ opcode }) => opcode < OPCODE.close);
  const isMidMessage = before?.isFinal === false;
  const data = isMidMessage ? OPCODE.continuation : pick(random, [OPCODE.text, OPCODE.binary]);
  const mask = anyMask(random), payload = "1\n";
  const good = { opcode: data, payload, mask };
  const insert = (...wrong: ClientFrame[]) => frames.splice(at, 0, ...wrong);
  const faults: (() => number)[] = [
    () => (insert({ ...good, reserved: whole(random, 1, 7) }), WRONG_FRAME),
    () => (insert({ ...control(random), reserved: whole(random, 1, 7) }), WRONG_FRAME),
    () => (insert({ ...good, mask: undefined }), WRONG_FRAME),
    () => (insert({ ...control(random), mask: undefined }), WRONG_FRAME),
    () => (insert({ ...good, opcode: pick(random, [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) }), WRONG_FRAME),
    () => (insert({ ...good, opcode: isMidMessage ? OPCODE.text : OPCODE.continuation }), WRONG_FRAME),
    () => (insert({ ...good, lengthBytes: pick(random, [2, 8]) }), WRONG_FRAME),
    () => (insert({ ...good, lengthBytes: 8, length: pick(random, [1n << 63n, (1n << 64n) - 1n]) }),
      WRONG_FRAME),
    () => (insert({ ...good, lengthBytes: 8, length: pick(random, [1n << 40n, (1n << 63n) - 1n]) }),
      TOO_LARGE),
    () => (insert({ ...good, lengthBytes: 8, length: BigInt(MAX_MESSAGE_BYTES + 1) }), TOO_LARGE),
    () => (insert({ ...control(random), isFinal: false }), WRONG_FRAME),
    () => {
      const opcode = pick(random, [OPCODE.close, OPCODE.ping, OPCODE.pong]);
      insert({ opcode, payload: new Uint8Array(whole(random, 126, 200)), mask });
      return WRONG_FRAME;
    },
    () => (insert({ opcode: OPCODE.close, payload: new Uint8Array(1), mask }), WRONG_FRAME),
    () => {
      const code = pick(random, NO_CODES);
      insert({ opcode: OPCODE.close, payload: Uint8Array.of(code >> 8, code & 255), mask });
      return WRONG_FRAME;
    },
    () => {
      insert({ opcode: OPCODE.close, payload: Uint8Array.of(3, 232, ...pick(random, NO_TEXT)), mask });
      return WRONG_TEXT;
    },
  ];
  if (!isMidMessage) {
    faults.push(
      () => (insert({ opcode: OPCODE.text, payload: pick(random, NO_TEXT), mask }), WRONG_TEXT),
      () => {
        const fragment = new Uint8Array(whole(random, 200_000, 600_000)).fill(LF);
        insert({ ...good, payload: fragment, isFinal: false });
        for (let i = 1; i < 7; i++) {
          frames.splice(at + i, 0, { opcode: OPCODE.continuation, payload: fragment, isFinal: false, mask });
        }
        return TOO_LARGE;
      },
    );
  }
  const code = pick(random, faults)();
  return { frames, code };
}

/** A close frame that is allowed. */
export function lawfulClose(random: Random): ClientFrame {
  const code = pick(random, [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999]);
  const reason = new TextEncoder().encode(pick(random, ["", "bye", "é".repeat(61)]));
  const payload = random() < 0.2 ? new Uint8Array(0) : Uint8Array.of(code >> 8, code & 255, ...reason);
  return { opcode: OPCODE.close, payload, mask: anyMask(random) };
}

/** The key of all good handshakes here, and what has to be answered to it. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** The head of a handshake that is right. */
export const GOOD_UPGRADE =
  "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`;

/** A head that asks for a WebSocket in a way that may be right, or not quite; one character a byte. */
export function hostileUpgrade(random: Random): string {
  const maybe = (good: string, others: readonly string[]) => random() < 0.75 ? good : pick(random, others);
  const fields = [
    maybe("Host: localhost", [
      "Host: evil.example",
      "Host:",
      "Host: [::1]:99999",
      "Host: localhost\r\nHost: a",
    ]),
    maybe("Upgrade: websocket", [
      "Upgrade: WebSocket",
      "Upgrade: h2c, websocket",
      "Upgrade: websocket/13",
      "Upgrade:\twebsocket ",
      "upgrade: h2c\r\nUPGRADE: websocket",
      "Upgrade : websocket",
      "X: y",
    ]),
    maybe("Connection: Upgrade", [
      "Connection: keep-alive, upgrade",
      "Connection: close",
      "Connection: ,,Upgrade,",
      "Connection: Upgrade\r\nConnection: close",
      `Connection: ${"a, ".repeat(500)}Upgrade`,
    ]),
    maybe("Sec-WebSocket-Version: 13", [
      "Sec-WebSocket-Version: 8",
      "Sec-WebSocket-Version: 013",
      "Sec-WebSocket-Version: 13, 8",
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13",
      "Sec-WebSocket-Version: 99999999999999999999",
    ]),
    maybe(`Sec-WebSocket-Key: ${KEY}`, [
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==",
      "Sec-WebSocket-Key:",
      `Sec-WebSocket-Key: ${"A".repeat(4000)}`,
      `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Key: ${KEY}`,
      "Sec-WebSocket-Key: \xff\xfe",
    ]),
    ...random() < 0.6 ? [] : [pick(random, [
      "Origin: http://localhost",
      "Origin: http://evil.example",
      "Origin: null",
      "Sec-WebSocket-Protocol: chat, superchat",
      "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
      'Sec-WebSocket-Extensions: x; y="',
      "Content-Length: 0",
      "Content-Length: 5",
      "Transfer-Encoding: chunked",
      "Expect: 100-continue",
      `X: ${"y".repeat(9000)}`,
      " folded",
    ])],
  ];
  if (random() < 0.3) fields.reverse();
  const start = maybe("GET / HTTP/1.1", [
    "GET /room?x=1 HTTP/1.1",
    "GET /%00 HTTP/1.1",
    "GET * HTTP/1.1",
    "GET / HTTP/1.0",
    "GET / HTTP/2.0",
    "HEAD / HTTP/1.1",
    "POST / HTTP/1.1",
    "GET ws://localhost/ HTTP/1.1",
  ]);
  return [start, ...fields].join("\r\n") + "\r\n\r\n";
}
