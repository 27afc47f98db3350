// Lines for one member alone, in order, each with the place in the room's log where it belongs; kept until
// its client has confirmed them, as nobody could make them again. Pure.
//
//   log      ──────────┬───────────────┬──────▶    what all say
//                      a               b, c        letters: a after what stands before it in the log, …
//   letters  │ confirmed │ written │ a │ b │ c │
//                                  └ sent: the next to write; back to `confirmed` when the connection breaks

import { concat } from "../../wire/concat.ts";
import { encodeControl, LF } from "../../wire/protocol.ts";
import type { Lost } from "../room/cursor.ts";

/** How much may wait unwritten for one member, in bytes… */
const MAX_WAITING_BYTES = 1024 * 1024;

/** …and when memory is short. */
const MIN_WAITING_BYTES = 64 * 1024;

/** How much of answers may wait unconfirmed, in bytes: what one who reads has asked for in one turn… */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** …when memory is short… */
const MIN_ANSWER_BYTES = 256 * 1024;

/** …and when there is none left: so much may always wait, as somebody else waits for it. */
const FREE_ANSWER_BYTES = 4 * 1024;

/** How much is told of what had not been written when the member was skipped ahead, in bytes: the newest. */
const MAX_PIECES_BYTES = 64 * 1024;

/** What a letter takes in memory beside its bytes, in bytes. */
const LETTER_BYTES = 120;

/** A letter that is kept. */
interface Kept {
  /** Where it begins among all bytes of letters. */
  start: number;
  bytes: Uint8Array;
  lines: number;
  /** Whether it is never skipped. */
  isAnswer: boolean;
  /** The version of the state that comes before it. */
  stateVersion: number;
  /** The offset in the log behind which it stands. */
  place: number;
  atMs: number;
  /** What was dropped here, if this only tells that. */
  lost?: Lost;
}

/** A letter, or what is left of it, that is told with what was kept of the log. */
export interface LetterPiece {
  readonly bytes: Uint8Array;
  readonly lines: number;
  readonly offset: number;
  readonly atMs: number;
}

/**
 * What a member that is skipped ahead had not been written of its letters: what it misses, what it is told
 * after all.
 */
export interface SkippedLetters {
  readonly lost: Lost;
  readonly pieces: readonly LetterPiece[];
  readonly answers: readonly Uint8Array[];
}

/** The letters of one member. */
export class LetterBox {
  #letters: Kept[] = [];
  /** The first letter that is not written whole. */
  #next = 0;
  /** Counts of bytes of letters: written, confirmed, and all. */
  #sent = 0;
  #confirmed = 0;
  #end = 0;
  /** The bytes of answers that are kept. */
  #answerBytes = 0;

  /** What it takes in memory, in bytes. */
  get memoryBytes(): number {
    const first = this.#letters[0];
    return first === undefined ? 0 : this.#end - first.start + this.#letters.length * LETTER_BYTES;
  }

  /** How many bytes of letters are written, or passed over. */
  get sent(): number {
    return this.#sent;
  }

  /** …and how many there have been. */
  get end(): number {
    return this.#end;
  }

  /** The offset in the log behind which the next letter stands; Infinity if there is none. */
  get nextPlace(): number {
    return this.#letters[this.#next]?.place ?? Infinity;
  }

  /** When the next letter came, in ms, if it begins at or behind `from`; Infinity if there is none. */
  nextAtMs(from: number): number {
    const next = this.#letters[this.#next];
    return next === undefined || next.start < from ? Infinity : next.atMs;
  }

  /**
   * Puts a letter behind all others; returns whether it did. Where too much waits already, it is dropped and
   * told as lost in its place instead; an answer is dropped without that: who waits for it has a deadline.
   * @param hasRoom whether there is memory for so many bytes
   * @param isShort whether memory is short
   */
  push(
    letter: { bytes: Uint8Array; lines: number; isAnswer?: boolean; stateVersion?: number },
    place: number,
    atMs: number,
    hasRoom: (bytes: number) => boolean,
    isShort: boolean,
  ): boolean {
    const { bytes, lines, isAnswer = false, stateVersion = 0 } = letter;
    if (isAnswer) {
      const answerBytes = this.#answerBytes + bytes.length;
      const maxBytes = isShort ? MIN_ANSWER_BYTES : MAX_ANSWER_BYTES;
      if (answerBytes > maxBytes && this.#answerBytes > 0) return false;
      if (answerBytes > FREE_ANSWER_BYTES && !hasRoom(bytes.length + LETTER_BYTES)) return false;
      this.#answerBytes = answerBytes;
      this.#add({ start: this.#end, bytes, lines, isAnswer, stateVersion, place, atMs });
      return true;
    }
    const maxBytes = isShort ? MIN_WAITING_BYTES : MAX_WAITING_BYTES;
    const isFull = this.#end - this.#sent + bytes.length > maxBytes && this.#sent < this.#end;
    if (!isFull && hasRoom(bytes.length + LETTER_BYTES)) {
      this.#add({ start: this.#end, bytes, lines, isAnswer, stateVersion, place, atMs });
      return true;
    }
    const last = this.#letters.at(-1);
    if (last?.lost !== undefined && last.start >= this.#sent) {
      this.#letters.pop();
      this.#end = last.start;
      this.#addLost(
        { lines: last.lost.lines + lines, bytes: last.lost.bytes + bytes.length },
        last.place,
        last.atMs,
      );
    } else this.#addLost({ lines, bytes: bytes.length }, place, atMs);
    return false;
  }

  #addLost(lost: Lost, place: number, atMs: number): void {
    this.#add({
      start: this.#end,
      bytes: encodeControl("lost", lost),
      lines: 0,
      isAnswer: false,
      stateVersion: 0,
      place,
      atMs,
      lost,
    });
  }

  #add(letter: Kept): void {
    this.#letters.push(letter);
    this.#end += letter.bytes.length;
  }

  /**
   * Takes the next letters that stand at `offset` or before it, and don't need more of the state than
   * `stateVersion`: `limitBytes` at most, but at least one; undefined if there are none.
   */
  take(limitBytes: number, offset: number, stateVersion: number): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const letter = this.#letters[this.#next];
      if (letter === undefined || letter.place > offset || letter.stateVersion > stateVersion) break;
      const bytes = this.#rest(letter);
      if (length > 0 && length + bytes.length > limitBytes) break;
      parts.push(bytes);
      length += bytes.length;
      this.#pass(letter);
    }
    return length === 0 ? undefined : parts.length === 1 ? parts[0] : concat(parts);
  }

  /**
   * Passes over all letters, for a member that is skipped ahead: those that came before `sinceMs`, and more
   * than a few, are lost. Answers are to be told in any case.
   */
  skip(sinceMs: number): SkippedLetters {
    const pieces: LetterPiece[] = [], answers: Uint8Array[] = [], lost = { lines: 0, bytes: 0 };
    for (let letter = this.#letters[this.#next]; letter !== undefined; letter = this.#letters[this.#next]) {
      const bytes = this.#rest(letter), lines = Math.min(letter.lines, countLines(bytes));
      this.#pass(letter);
      if (letter.lost !== undefined) add(lost, letter.lost);
      else if (letter.isAnswer) answers.push(bytes);
      else if (letter.atMs < sinceMs) add(lost, { lines, bytes: bytes.length });
      else pieces.push({ bytes, lines, offset: letter.place, atMs: letter.atMs });
    }
    let excess = pieces.reduce((sum, { bytes }) => sum + bytes.length, -MAX_PIECES_BYTES);
    while (excess > 0) {
      const { bytes, lines } = pieces.shift()!;
      excess -= bytes.length;
      add(lost, { lines, bytes: bytes.length });
    }
    return { lost, pieces, answers };
  }

  /** Forgets what the client has: all up to the count `bytes`. */
  confirmTo(bytes: number): void {
    this.#confirmed = Math.max(this.#confirmed, bytes);
    let done = 0;
    while (done < this.#next && endOf(this.#letters[done]) <= this.#confirmed) done++;
    if (done === 0) return;
    for (let i = 0; i < done; i++) {
      if (this.#letters[i].isAnswer) this.#answerBytes -= this.#letters[i].bytes.length;
    }
    this.#letters.splice(0, done);
    this.#next -= done;
  }

  /** Forgets `bytes` more. */
  confirm(bytes: number): void {
    if (bytes > 0) this.confirmTo(this.#confirmed + bytes);
  }

  /** Goes back to what is confirmed. */
  rewind(): void {
    this.#sent = this.#confirmed;
    this.#next = 0;
  }

  /** Forgets everything. */
  close(): void {
    this.#letters = [];
    this.#next = 0;
  }

  #rest(letter: Kept): Uint8Array {
    return letter.start >= this.#sent ? letter.bytes : letter.bytes.subarray(this.#sent - letter.start);
  }

  #pass(letter: Kept): void {
    this.#next++;
    this.#sent = endOf(letter);
  }
}

function endOf({ start, bytes }: Kept): number {
  return start + bytes.length;
}

function add(sum: Lost, { lines, bytes }: Lost): void {
  sum.lines += lines;
  sum.bytes += bytes;
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (const byte of bytes) if (byte === LF) lines++;
  return lines;
}
