// Holds Utf8Check against the runtime's decoder: every sequence of bytes near an edge of what is UTF-8.

import assert from "node:assert/strict";
import { Utf8Check } from "../../../../src/relay/connection/websocket/utf8_check.ts";

/** Bytes at the edges of the ranges of RFC 3629, and one within each. */
const EDGES = [
  [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xd5, 0xdf, 0xe0],
  [0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff],
].flat();

/** Whether some text begins so, or is so. */
function isText(bytes: readonly number[], isWhole: boolean): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes), { stream: !isWhole });
    return true;
  } catch {
    return false;
  }
}

function* sequences(length: number): Generator<number[]> {
  if (length === 0) return yield [];
  for (const rest of sequences(length - 1)) for (const byte of EDGES) yield [...rest, byte];
}

Deno.test("Utf8Check agrees with the decoder on all that may begin a text, and what is a whole one", () => {
  for (let length = 1; length <= 3; length++) {
    for (const bytes of sequences(length)) check(bytes);
  }
  for (const [first, second] of sequences(2)) {
    if (first < 0xf0) continue;
    for (const rest of [[0x80, 0x80], [0xbf, 0xbf], [0x80, 0x41], [0x41, 0x80], [0x80, 0xc2]]) {
      check([first, second, ...rest]);
    }
  }
});

function check(bytes: readonly number[]): void {
  const wrongAt = bytes.findIndex((_, i) => !isText(bytes.slice(0, i + 1), false));
  const text = new Utf8Check(), all = Uint8Array.of(0xff, ...bytes, 0xff);
  const at = text.check(all, 1, 1 + bytes.length) - 1;
  assert.equal(at, wrongAt < 0 ? bytes.length : wrongAt, `${bytes}`);
  if (wrongAt < 0) assert.equal(text.isMidCharacter, !isText(bytes, true), `${bytes}`);
  const pieces = new Utf8Check();
  const foundAt = bytes.findIndex((_, i) => pieces.check(all, 1 + i, 2 + i) === 1 + i);
  assert.equal(foundAt, wrongAt, `${bytes}, byte by byte`);
}

Deno.test("Utf8Check.reset begins another text", () => {
  const text = new Utf8Check();
  assert.equal(text.check(Uint8Array.of(0xe0), 0, 1), 1);
  text.reset();
  assert.equal(text.isMidCharacter, false);
  assert.equal(text.check(Uint8Array.of(0xe2, 0x82, 0xac), 0, 3), 3);
});
