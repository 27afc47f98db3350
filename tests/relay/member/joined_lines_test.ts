// Tests src/relay/member/joined_lines.ts: the same bytes as a plain join, and buffers that are used again
// only once they are given back.

import assert from "node:assert/strict";
import { giveBack, joinLines } from "../../../src/relay/member/joined_lines.ts";

const KIB = 1024;

/** Lines of `count` sizes, each of one letter. */
function linesOf(letter: string, sizes: readonly number[]): Uint8Array[] {
  return sizes.map((size) => new TextEncoder().encode(letter.repeat(size - 1) + "\n"));
}

Deno.test("joinLines gives the bytes of all, however many and long they are", () => {
  for (
    const sizes of [[5], [200 * KIB], [1, 2, 3], [9 * KIB, 8 * KIB], [60 * KIB, 36 * KIB], [
      60 * KIB,
      60 * KIB,
    ]]
  ) {
    for (let round = 0; round < 2; round++) {
      const lines = linesOf("abc"[round], sizes), joined = joinLines(lines);
      assert.equal(
        new TextDecoder().decode(joined),
        lines.map((line) => new TextDecoder().decode(line)).join(""),
      );
      giveBack(joined);
    }
  }
});

Deno.test("joinLines uses a buffer again once it is given back, once, and none that somebody has", () => {
  const sizes = [20 * KIB, 20 * KIB], first = joinLines(linesOf("a", sizes));
  const second = joinLines(linesOf("b", sizes));
  assert.notEqual(first.buffer, second.buffer);
  assert.equal(first[0], 0x61);
  giveBack(first);
  giveBack(first);
  const third = joinLines(linesOf("c", sizes)), fourth = joinLines(linesOf("d", sizes));
  assert.equal(third.buffer, first.buffer);
  assert.equal(new Set([second, third, fourth].map(({ buffer }) => buffer)).size, 3);
  const own = linesOf("e", [20 * KIB]);
  giveBack(joinLines(own));
  assert.notEqual(joinLines(linesOf("f", sizes)).buffer, own[0].buffer, "a line alone is not ours");
  for (const lent of [second, third, fourth]) giveBack(lent);
});
