// What a session that was skipped ahead is told before it goes on: how much is lost; who is there and who
// leads, if that changed meanwhile; of what it missed the letters and what those said who say little; and the
// time. Lines out. Pure.
//
//   $lost  $peers  kept lines and letters, in order, each with its $time and $from  $host  answers  $time

import type { LetterPiece, SkippedLetters } from "./letter_box.ts";
import { encodeControl } from "../../wire/protocol.ts";
import type { Settings } from "../options.ts";
import type { Lost } from "../room/cursor.ts";
import { fromLineOf, type Reader, TIME_LINE_MS } from "../room/feed.ts";
import { joinKept, type Kept } from "../room/quiet_lines.ts";
import type { Peer, Room } from "../room/room.ts";

/** What a session missed when it was skipped ahead. */
export interface Gap {
  /** Where in the log it begins. */
  readonly from: number;
  readonly nowMs: number;
  /** Of the log: what nobody will tell, and what is told after all. */
  readonly lost: Lost;
  readonly kept: Kept;
  readonly letters: SkippedLetters;
}

/** Whether nothing was missed that is to be told. */
export function isNothing({ lost, kept, letters }: Gap): boolean {
  const { lost: lostLetters, pieces, answers } = letters;
  return lost.bytes + lostLetters.bytes + kept.bytes + pieces.length + answers.length === 0;
}

/** Says about how long what tells a gap that begins at `from` is for who is in a large room, in bytes. */
export function peersBytes(from: number, { presenceChangedAt, roster }: Room): number {
  return presenceChangedAt > from ? roster.peersLineBytes : 0;
}

/** Makes the line that tells how much is lost. */
export function writeLost({ lost, letters }: Gap): Uint8Array {
  const lines = lost.lines + letters.lost.lines, bytes = lost.bytes + letters.lost.bytes;
  return encodeControl("lost", { lines, bytes });
}

/** Makes the lines that follow it. */
export function writeRest(
  { from, nowMs, kept, letters }: Gap,
  session: Peer,
  room: Room,
  settings: Pick<Settings, "clock" | "relayTime">,
): Uint8Array[] {
  const timeLine = (atMs: number) => {
    const { relayTime, clock } = settings;
    return encodeControl("time", { time: relayTime() - clock() + atMs });
  };
  const lines: Uint8Array[] = [];
  if (peersBytes(from, room) > 0) lines.push(room.roster.peersLine(session));
  if (kept.bytes + letters.pieces.length > 0) lines.push(writeKept(kept, letters.pieces, timeLine));
  if (room.hostChangedAt > from) lines.push(room.hostLine);
  // The `$time` that held here was skipped, too.
  lines.push(...letters.answers, timeLine(nowMs));
  return lines;
}

/**
 * Makes lines of what is kept and of letters, with the `$time` and the `$from` before them that hold for
 * them, as in the log.
 */
function writeKept(
  kept: Kept,
  letters: readonly LetterPiece[],
  timeLine: (atMs: number) => Uint8Array,
): Uint8Array {
  let toldMs = -Infinity, toldFrom: Uint8Array | undefined;
  const all = [...letters, ...kept.pieces].sort((a, b) => a.offset - b.offset);
  return joinKept({ ...kept, pieces: all }, ({ atMs, sender }) => {
    const marks: Uint8Array[] = [];
    if (atMs - toldMs >= TIME_LINE_MS) {
      toldMs = atMs;
      marks.push(timeLine(atMs));
    }
    const from = sender && fromLineOf(sender.who as Reader); // a letter has its own
    if (from !== undefined && from !== toldFrom) marks.push(from);
    toldFrom = from;
    return marks;
  });
}
