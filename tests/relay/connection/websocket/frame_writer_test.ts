// Holds the writing of frame headers against RFC 6455, with a reader that knows nothing of it.

import assert from "node:assert/strict";
import {
  controlFrame,
  FIN,
  headerBytes,
  MAX_HEADER_BYTES,
  OPCODE,
  writeHeader,
} from "../../../../src/relay/connection/websocket/frame_writer.ts";
import { readServerFrames } from "../../../support/websocket_frames.ts";

const HEADERS: [length: number, header: number[]][] = [
  [0, [0x81, 0]],
  [1, [0x81, 1]],
  [125, [0x81, 125]],
  [126, [0x81, 126, 0, 126]],
  [256, [0x81, 126, 1, 0]],
  [65535, [0x81, 126, 0xff, 0xff]],
  [65536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  [1 << 20, [0x81, 127, 0, 0, 0, 0, 0, 0x10, 0, 0]],
  [2 ** 40 + 5, [0x81, 127, 0, 0, 1, 0, 0, 0, 0, 5]],
];

Deno.test("writeHeader writes the shortest header right before the payload, and nothing else", () => {
  for (const [length, header] of HEADERS) {
    assert.equal(headerBytes(length), header.length);
    const buffer = new Uint8Array(MAX_HEADER_BYTES + 4).fill(0xee);
    const at = writeHeader(buffer, MAX_HEADER_BYTES, FIN | OPCODE.text, length);
    assert.deepEqual([...buffer.subarray(at, MAX_HEADER_BYTES)], header);
    assert.ok(buffer.subarray(0, at).every((byte) => byte === 0xee));
    assert.ok(buffer.subarray(MAX_HEADER_BYTES).every((byte) => byte === 0xee));
  }
});

Deno.test("writeHeader marks fragments by the first byte that it is given", () => {
  const buffer = Uint8Array.of(0, 0, 0x31);
  writeHeader(buffer, 2, OPCODE.continuation, 1);
  assert.deepEqual(readServerFrames(buffer), {
    frames: [{ opcode: 0, isFinal: false, payload: Uint8Array.of(0x31) }],
    used: 3,
  });
});

Deno.test("controlFrame makes a whole frame with a copy of its payload", () => {
  for (const length of [0, 1, 125]) {
    const payload = new Uint8Array(length).fill(7);
    const frame = controlFrame(OPCODE.pong, payload);
    payload.fill(0);
    assert.deepEqual(readServerFrames(frame), {
      frames: [{ opcode: 10, isFinal: true, payload: new Uint8Array(length).fill(7) }],
      used: frame.length,
    });
  }
});
