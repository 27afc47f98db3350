// What the fuzzer takes for lawful has to be read as the lines it was made of, and what it takes for wrong
// has to be refused with the code it expects, by the relay's own reader of frames.

import assert from "node:assert/strict";
import { FrameReader, FRONT_BYTES } from "../../src/relay/connection/websocket/frame_reader.ts";
import { seededRandom } from "../../src/simulation/random.ts";
import { concat } from "../../src/wire/concat.ts";
import { bytesOf, split } from "./bytes.ts";
import { encodeFrames, lawfulClose, lawfulFrames, serverFrames, spoil } from "./frame_grammar.ts";
import { lineToRelay } from "./grammar.ts";
import { readServerFrames } from "../support/websocket_frames.ts";

const SEEDS = 300;
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** Reads a client's frames, in pieces. */
function read(pieces: readonly Uint8Array[]) {
  const closings: (number | undefined)[] = [];
  const sink = {
    onPing() {},
    onPong() {},
    onClose: ({ code }: { code: number | undefined }) => void closings.push(code),
  };
  const reader = new FrameReader(sink, MAX_MESSAGE_BYTES);
  const lines: Uint8Array[] = [];
  for (const piece of pieces) {
    const buffer = concat([new Uint8Array(FRONT_BYTES), piece]).slice();
    reader.begin(buffer, buffer.length);
    while (!reader.read(3));
    lines.push(buffer.slice(0, reader.lineBytes));
  }
  return { lines: concat(lines), closings, fault: reader.fault };
}

/** Lines as a hostile client says them; JSON or not, they all have a text and an LF. */
function someLines(seed: number): Uint8Array {
  const random = seededRandom(seed);
  return bytesOf(Array.from({ length: seed % 40 }, () => lineToRelay(random)));
}

Deno.test("lawfulFrames() makes frames that are read as the same lines", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed);
    const lines = someLines(seed);
    const frames = encodeFrames([...lawfulFrames(random, lines), lawfulClose(random)]);
    const { lines: found, closings, fault } = read(split(random, bytesOf(frames)));
    assert.equal(fault, undefined, `seed ${seed}`);
    assert.equal(closings.length, 1, `seed ${seed}`);
    assert.deepEqual(found, lines, `seed ${seed}`);
  }
});

Deno.test("spoil() makes frames that are refused with its code", () => {
  const codes = new Set<number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed);
    const { frames, code } = spoil(random, lawfulFrames(random, someLines(seed)));
    const { fault } = read(split(random, bytesOf(encodeFrames(frames))));
    assert.equal(fault?.code, code, `seed ${seed}: ${fault?.message}`);
    codes.add(code);
  }
  assert.deepEqual([...codes].sort(), [1002, 1007, 1009]);
});

Deno.test("serverFrames() makes frames of a server whose messages have all their LFs", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const lines = someLines(seed);
    const { frames } = readServerFrames(bytesOf(serverFrames(seededRandom(seed), lines, false)));
    const messages = frames.filter(({ opcode }) => opcode < 8).map(({ payload }) => payload);
    assert.deepEqual(concat(messages), lines, `seed ${seed}`);
  }
});
