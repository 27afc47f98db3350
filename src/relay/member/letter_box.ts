// Lines for one member alone, in order, each with the place in the room's log where it belongs; kept until
// its client has confirmed them, as nobody could make them again. Pure.
//
//   log      ──────────┬───────────────┬──────▶    what all say
//                      a               b, c        letters: a after what stands before it in the log, …
//   letters  │ confirmed │ written │ a │ b │ c │
//                                  └ sent: the next to write; back to `confirmed` when the connection breaks

import { encodeControl, LF } from "../../wire/protocol.ts";
import type { MemoryAccount, MemoryPart } from "../memory_budget.ts";
import type { Lost } from "../room/cursor.ts";
import { Letter } from "../room/letter.ts";
import { LetterBytes } from "./letter_bytes.ts";

/** How much may wait unwritten for one member, in bytes… */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * …and how much may be kept in all, unwritten or unconfirmed, when memory is short: the rest is for others.
 */
const MIN_KEPT_BYTES = 16 * 1024;

/** How much of answers may wait unconfirmed, in bytes: what one who reads has asked for in one turn… */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** …when memory is short… */
const MIN_ANSWER_BYTES = 256 * 1024;

/** …and when there is none left: so much may always wait, as somebody else waits for it. */
const FREE_ANSWER_BYTES = 4 * 1024;

/** How much is told of what had not been written when the member was skipped ahead, in bytes: the newest. */
const MAX_PIECES_BYTES = 64 * 1024;

/**
 * What is known of a letter that is kept: numbers, side by side, as many letters live long enough to be a
 * burden as objects.
 */
const enum Field {
  /** Where it ends among all bytes of letters. */
  End,
  /** The offset in the log behind which it stands. */
  Place,
  AtMs,
  /** The version of the state that comes before it. */
  StateVersion,
  /** How many events it has, or, if it only tells what was dropped here, how many were. */
  Lines,
  Kind,
  /** How many bytes were dropped here. */
  LostBytes,
  Count,
}

const enum Kind {
  Event,
  /** It is never skipped. */
  Answer,
  /** It only tells what was dropped in its place. */
  Lost,
}

/**
 * What the array of these takes for each byte of it: one that has grown leaves its old one to the collector.
 */
const NUMBERS_COST = 2;

/** What a letter takes in memory beside its bytes, in bytes. */
const LETTER_BYTES = NUMBERS_COST * Field.Count * Float64Array.BYTES_PER_ELEMENT;

/** Letters that were dropped one after the other; the place and the time are those of the first. */
interface Dropped extends Lost {
  place: number;
  atMs: number;
  /** Whether memory was short when the last of them was dropped. */
  isShort: boolean;
}

/** For how many letters there is room at first. */
const FIRST_ROWS = 4;

const NO_NUMBERS = new Float64Array(0);

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
  readonly #bytes = new LetterBytes();
  readonly #account: Pick<MemoryAccount, "resize"> | undefined;
  /** The fields of all letters, one after the other; those of the first that is kept begin at #start. */
  #numbers: Float64Array = NO_NUMBERS;
  #start = 0;
  #count = 0;
  /** The first letter that is not written whole. */
  #next = 0;
  /** Counts of bytes of letters: forgotten, confirmed, written, and all. */
  #forgotten = 0;
  #confirmed = 0;
  #sent = 0;
  #end = 0;
  /** The bytes of answers that are kept. */
  #answerBytes = 0;
  /** What was dropped behind all letters, and is told once they are written. */
  #dropped: Dropped | undefined;
  /** Where the last letter ends that tells what was dropped. */
  #toldEnd = 0;

  /** @param account is told what it takes in memory whenever that has changed */
  constructor(account?: Pick<MemoryAccount, "resize">) {
    this.#account = account;
  }

  /** What it takes in memory, in bytes. */
  get memoryBytes(): number {
    return this.#bytes.memoryBytes + NUMBERS_COST * this.#numbers.byteLength;
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
    if (this.#next < this.#count) return this.#field(this.#next, Field.Place);
    return this.#mayTell ? this.#dropped!.place : Infinity;
  }

  /** When the next letter came, in ms, if it begins at or behind `from`; Infinity if there is none. */
  nextAtMs(from: number): number {
    const next = this.#next;
    if (this.#startOf(next) < from) return Infinity;
    if (next < this.#count) return this.#field(next, Field.AtMs);
    return this.#mayTell ? this.#dropped!.atMs : Infinity;
  }

  /**
   * Puts a letter behind all others; returns whether it did. Where too much waits already, or `memory` has no
   * room, it is dropped and told as lost in its place instead; an answer is dropped without that: who waits
   * for it has a deadline.
   */
  push(
    letter: Letter,
    place: number,
    atMs: number,
    memory: Pick<MemoryPart, "hasRoomFor" | "isShort">,
  ): boolean {
    const { length, lines, isAnswer } = letter;
    if (isAnswer) {
      if (!this.hasRoomForAnswer(length, memory)) return false;
      this.#tellDropped();
      this.#answerBytes += length;
      this.#add(letter, Kind.Answer, place, atMs);
      return true;
    }
    const [from, maxBytes] = memory.isShort
      ? [this.#confirmed, MIN_KEPT_BYTES]
      : [this.#sent, MAX_WAITING_BYTES];
    const isFull = from < this.#end && this.#end - from + length > maxBytes;
    if (!isFull && memory.hasRoomFor(length + LETTER_BYTES)) {
      this.#tellDropped();
      this.#add(letter, Kind.Event, place, atMs);
      return true;
    }
    const dropped = this.#dropped ??= { lines: 0, bytes: 0, place, atMs, isShort: false };
    add(dropped, { lines, bytes: length });
    dropped.isShort = memory.isShort;
    return false;
  }

  /**
   * Whether what was dropped can be told now: each letter that tells it is kept until it is confirmed, so
   * that there is one at most where memory is short.
   */
  get #mayTell(): boolean {
    return this.#dropped !== undefined && (!this.#dropped.isShort || this.#toldEnd <= this.#confirmed);
  }

  /** Whether an answer of so many bytes would be kept. */
  hasRoomForAnswer(bytes: number, memory: Pick<MemoryPart, "hasRoomFor" | "isShort">): boolean {
    const answerBytes = this.#answerBytes + bytes;
    const maxBytes = memory.isShort ? MIN_ANSWER_BYTES : MAX_ANSWER_BYTES;
    if (answerBytes > maxBytes && this.#answerBytes > 0) return false;
    return answerBytes <= FREE_ANSWER_BYTES || memory.hasRoomFor(bytes + LETTER_BYTES);
  }

  /** Puts a letter that tells what was dropped behind all others. */
  #tellDropped(): void {
    if (this.#dropped === undefined) return;
    const { lines, bytes, place, atMs } = this.#dropped;
    this.#dropped = undefined;
    const letter = new Letter([encodeControl("lost", { lines, bytes })], { lines });
    this.#add(letter, Kind.Lost, place, atMs, bytes);
    this.#toldEnd = this.#end;
  }

  #add(letter: Letter, kind: Kind, place: number, atMs: number, lostBytes = 0): void {
    this.#bytes.append(letter, this.#end);
    this.#end += letter.length;
    const at = this.#addRow(), numbers = this.#numbers;
    numbers[at + Field.End] = this.#end;
    numbers[at + Field.Place] = place;
    numbers[at + Field.AtMs] = atMs;
    numbers[at + Field.StateVersion] = letter.stateVersion;
    numbers[at + Field.Lines] = letter.lines;
    numbers[at + Field.Kind] = kind;
    numbers[at + Field.LostBytes] = lostBytes;
    this.#account?.resize(this.memoryBytes);
  }

  /** Makes room for the fields of one more letter, and returns where they begin. */
  #addRow(): number {
    const used = this.#count * Field.Count, end = this.#start + used;
    this.#count++;
    if (end < this.#numbers.length) return end;
    const old = this.#numbers;
    // Where half of it is free, what is used moves to the front.
    if (2 * used > old.length || used === 0) {
      this.#numbers = new Float64Array(Math.max(2 * old.length, FIRST_ROWS * Field.Count));
    }
    this.#numbers.set(old.subarray(this.#start, end));
    this.#start = 0;
    return used;
  }

  #field(letter: number, field: Field): number {
    return this.#numbers[this.#start + letter * Field.Count + field];
  }

  /** Where a letter begins among all bytes of letters. */
  #startOf(letter: number): number {
    return letter === 0 ? this.#forgotten : this.#field(letter - 1, Field.End);
  }

  /**
   * Takes the next letters that stand at `offset` or before it, and don't need more of the state than
   * `stateVersion`, as far as they are one piece: `limitBytes` at most, but at least one; undefined if there
   * are none.
   */
  take(limitBytes: number, offset: number, stateVersion: number): Uint8Array | undefined {
    const from = this.#sent;
    if (this.#next === this.#count && this.#mayTell && this.#dropped!.place <= offset) this.#tellDropped();
    if (this.#next === this.#count) return undefined;
    const pieceEnd = this.#bytes.endOfPiece(from);
    for (; this.#next < this.#count; this.#next++) {
      const end = this.#field(this.#next, Field.End);
      if (end > pieceEnd || (this.#sent > from && end - from > limitBytes)) break;
      if (this.#field(this.#next, Field.Place) > offset) break;
      if (this.#field(this.#next, Field.StateVersion) > stateVersion) break;
      this.#sent = end;
    }
    return this.#sent === from ? undefined : this.#bytes.at(from, this.#sent);
  }

  /**
   * Passes over all letters, for a member that is skipped ahead: those that came before `sinceMs`, and more
   * than a few, are lost. Answers are to be told in any case.
   */
  skip(sinceMs: number): SkippedLetters {
    const pieces: LetterPiece[] = [], answers: Uint8Array[] = [], lost = { lines: 0, bytes: 0 };
    for (; this.#next < this.#count; this.#next++) {
      const end = this.#field(this.#next, Field.End), atMs = this.#field(this.#next, Field.AtMs);
      const kind = this.#field(this.#next, Field.Kind), offset = this.#field(this.#next, Field.Place);
      const bytes = this.#bytes.at(this.#sent, end), all = this.#field(this.#next, Field.Lines);
      const lines = Math.min(all, countLines(bytes));
      this.#sent = end;
      if (kind === Kind.Lost) add(lost, { lines: all, bytes: this.#field(this.#next, Field.LostBytes) });
      else if (kind === Kind.Answer) answers.push(bytes);
      else if (atMs < sinceMs) add(lost, { lines, bytes: bytes.length });
      else pieces.push({ bytes, lines, offset, atMs });
    }
    if (this.#dropped !== undefined) add(lost, this.#dropped);
    this.#dropped = undefined;
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
    for (; done < this.#next && this.#field(done, Field.End) <= this.#confirmed; done++) {
      const start = this.#startOf(done), end = this.#field(done, Field.End);
      if (this.#field(done, Field.Kind) === Kind.Answer) this.#answerBytes -= end - start;
    }
    if (done === 0) return;
    if (done === this.#count) return this.#forgetAll();
    this.#forgotten = this.#field(done - 1, Field.End);
    this.#start += done * Field.Count;
    this.#count -= done;
    this.#next -= done;
    this.#bytes.dropTo(this.#forgotten);
    this.#account?.resize(this.memoryBytes);
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
    this.#dropped = undefined;
    this.#forgetAll();
  }

  #forgetAll(): void {
    this.#numbers = NO_NUMBERS;
    this.#start = this.#count = this.#next = 0;
    this.#forgotten = this.#end;
    this.#bytes.dropTo(this.#end);
    this.#account?.resize(0);
  }
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
