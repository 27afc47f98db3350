// Holds limitToPiece against what it promises: members with windows of any fill take the same pieces, or
// wait, and nobody waits for ever.

import assert from "node:assert/strict";
import { limitToPiece } from "../../../src/relay/member/common_piece.ts";
import { PIECE_BYTES } from "../../../src/relay/room/block.ts";

const KIB = 1024, WINDOW = 256 * KIB, MAX = 256 * KIB;

/** What a member takes whose window has so much in it. */
function limitOf(pieceBytes: number, unconfirmedBytes: number, windowBytes = WINDOW, maxBytes = MAX): number {
  const limit = Math.min(windowBytes - unconfirmedBytes, maxBytes);
  return limitToPiece(limit, maxBytes, pieceBytes, unconfirmedBytes, windowBytes);
}

Deno.test("limitToPiece gives all who have room the same piece, whatever is in their windows", () => {
  const piece = 64 * KIB;
  for (const unconfirmed of [0, 1, 50 * KIB, 191 * KIB]) assert.equal(limitOf(piece, unconfirmed), piece);
});

Deno.test("limitToPiece lets who has three quarters of its window to acknowledge wait: its client will", () => {
  for (const unconfirmed of [192 * KIB, 255 * KIB]) assert.equal(limitOf(64 * KIB, unconfirmed), 0);
});

Deno.test("limitToPiece leaves short ends, pieces that no write takes and small windows as they are", () => {
  assert.equal(limitOf(32 * KIB - 1, 200 * KIB), 56 * KIB);
  assert.equal(limitOf(64 * KIB, 100 * KIB, WINDOW, 16 * KIB), 16 * KIB);
  const small = 2 * PIECE_BYTES - 1;
  assert.equal(limitOf(32 * KIB, small - 10, small), 10);
});
