// Where a member stops in the log that shares what it is written with others. What is framed is copied once
// for all who take the same piece. Those whose windows fill up would each stop at another place, and each
// would need a header, or a copy, of its own: so they stop at common places, once they have something to
// acknowledge. Pure.

import { PIECE_BYTES } from "../room/block.ts";

/** From so many bytes on, pieces of the log end where they do for all who are written the same. */
const MIN_PIECE_BYTES = 32 * 1024;

/**
 * A client that has so much of the window to acknowledge does so when it has read that. Before, it is given
 * more.
 */
const ACK_SHARE = 3 / 4;

/**
 * Says how much of the log is to be taken at most, in bytes; 0 where that has to wait.
 * @param limitBytes how much there is room for, in the window and in a write of `maxBytes`
 * @param pieceBytes how far it is to where the others stop
 */
export function limitToPiece(
  limitBytes: number,
  maxBytes: number,
  pieceBytes: number,
  unconfirmedBytes: number,
  windowBytes: number,
): number {
  if (windowBytes < 2 * PIECE_BYTES) return limitBytes;
  if (pieceBytes < MIN_PIECE_BYTES || pieceBytes > maxBytes) return limitBytes;
  return unconfirmedBytes < ACK_SHARE * windowBytes ? pieceBytes : 0;
}
