// What one client has been sent and what it has confirmed: for each place of its stream, where the log, the
// state and its own lines go on, so that a stream that breaks anywhere goes on with exactly the next byte.
// Nothing counts as told before it is confirmed. Pure: cursors and counts, no sockets, no clock.
//
//   stream  ─── confirmed ─┬─ log ─┬─ $lost ─┬─ $peers, $time ─┬─ log, state, answers ─┬─ sent
//                          │       └─ owed: kept until confirmed ─┘                     │
//   log     ─── confirmed ─┴───────┊ skipped ┊────────── anchor ┴───────────────────────┴─ cursor

import { concat } from "../../wire/concat.ts";
import { LF } from "../../wire/protocol.ts";
import type { Cursor } from "../room/cursor.ts";
import type { MemoryAccount, MemoryPart } from "../memory_budget.ts";
import { joinLines } from "./joined_lines.ts";
import { LetterBox } from "./letter_box.ts";
import { SentLedger } from "./sent_ledger.ts";

/**
 * A later place that is known as well: where log and letters go on for a client that has `end` bytes of the
 * stream.
 */
interface Anchor {
  end: number;
  cursor: Cursor;
  letters: number;
}

/** Lines that can't be made again, and where they stand in the stream. */
interface Owed {
  start: number;
  /** Where the first of them ends: from there on the client is behind the gap that it tells. */
  toldAt: number;
  bytes: Uint8Array;
}

/** An answer that the client must not miss, and where it ends in the stream. */
interface SentAnswer<A> {
  end: number;
  bytes: number;
  answer: A;
}

/** How many answers are kept for a client that confirms nothing; older ones are not given again… */
const MAX_ANSWERS = 100;

/** …and how many bytes of them; of the newest alone when memory is short. */
const MAX_ANSWER_BYTES = 64 * 1024, SHORT_ANSWER_BYTES = 4 * 1024;

/** What an answer that is kept takes in memory, beside texts of up to two bytes for each of its own. */
const ANSWER_BYTES = 512, TEXT_COST = 2;

/**
 * So much may be owed even if the memory for lines of single clients is used up, in bytes: who is there in a
 * room of some hundred.
 */
const FREE_OWED_BYTES = 16 * 1024;

/** What is owed counts once more while it is written. */
const OWED_COST = 2;

/** A piece of the log that has so many bytes is no worse written alone than copied together with letters. */
const MIN_ALONE_BYTES = 16 * 1024;

const NOTHING: Uint8Array = new Uint8Array(0);

/** What a stream asks of the memory for single clients. */
type Memory = Pick<MemoryPart, "open" | "isShort" | "hasRoomFor">;

/** The stream to one client. `A` is what the caller needs to make an answer again. */
export class SentStream<A = never> {
  readonly #ledger: SentLedger;
  /** Lines for this client alone. */
  readonly letters: LetterBox;
  #cursor: Cursor;
  #confirmed: Cursor;
  #stateVersion: number;
  #anchor: Anchor | undefined;
  #owed: Owed = { start: 0, toldAt: 0, bytes: NOTHING };
  readonly #memory: Memory | undefined;
  readonly #owedMemory: MemoryAccount | undefined;
  #answers: SentAnswer<A>[] = [];
  #answerBytes = 0;
  #openingBytes = 0;

  /**
   * @param cursor where the log goes on; it belongs to the stream from now on
   * @param stateVersion the version of the state that the client has
   * @param memory where what its letters take is summed up, and what it owes; no limit without it
   */
  constructor(cursor: Cursor, stateVersion: number, memory?: Memory) {
    this.#cursor = cursor;
    this.#confirmed = cursor.clone();
    this.#stateVersion = stateVersion;
    this.#ledger = new SentLedger(stateVersion);
    this.letters = new LetterBox(memory?.open());
    this.#memory = memory;
    this.#owedMemory = memory?.open();
  }

  /** Where the log goes on. What is taken from there has to be noted by {@linkcode addLog}. */
  get cursor(): Cursor {
    return this.#cursor;
  }

  /** The version of the state that the client has when it has all that is written. */
  get stateVersion(): number {
    return this.#stateVersion;
  }

  /** …and the one that it surely has. */
  get confirmedStateVersion(): number {
    return this.#ledger.stateVersion;
  }

  /** How many bytes are written, and not confirmed. */
  get unconfirmedBytes(): number {
    return this.#ledger.sent - this.#ledger.acked;
  }

  /** What it takes in memory, in bytes: what is kept until it is confirmed, and what is known of the rest. */
  get memoryBytes(): number {
    const answerBytes = ANSWER_BYTES * this.#answers.length + TEXT_COST * this.#answerBytes;
    return this.#owed.bytes.length + this.letters.memoryBytes + answerBytes + this.#ledger.memoryBytes;
  }

  /** How many lines {@linkcode takeOwed} has to give. */
  get owedLines(): number {
    const { start, bytes } = this.#owed;
    let lines = 0;
    for (let at = Math.max(0, this.#ledger.sent - start); at < bytes.length; at = bytes.indexOf(LF, at) + 1) {
      lines++;
    }
    return lines;
  }

  /**
   * Whether there may be a jump: what tells the last one is confirmed, and there is memory for the lines that
   * tell this one, about `bytes` bytes. Thus one place behind a gap is kept at most.
   */
  canJump(bytes: number): boolean {
    if (this.#owed.bytes.length > 0) return false;
    if (bytes <= FREE_OWED_BYTES || this.#memory === undefined) return true;
    return !this.#memory.isShort && this.#memory.hasRoomFor(OWED_COST * bytes);
  }

  #owe(owed: Owed): void {
    this.#owed = owed;
    this.#owedMemory?.resize(OWED_COST * owed.bytes.length);
  }

  /**
   * Notes that `bytes` bytes, which open the stream, are being written; they are not written again: a client
   * needs all of them to go on.
   */
  addOpening(bytes: number): void {
    this.#ledger.addReplies(bytes);
    this.#openingBytes += bytes;
  }

  /** Notes that `bytes` bytes of the log are being written. */
  addLog(bytes: number): void {
    this.#ledger.addLog(bytes);
  }

  /**
   * Takes what comes next of log and letters, in their order: about `limitBytes` at most, but at least a
   * line; undefined if there is nothing. It is noted already. A short piece of the log and what follows it
   * are copied together, `copyBytes` at most; they are valid until they are given back ({@linkcode joinLines}).
   */
  takeWithLetters(limitBytes: number, copyBytes: number): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    for (let left = limitBytes; left > 0;) {
      const log = this.#cursor.take(left, this.letters.nextPlace);
      if (log !== undefined) this.#ledger.addLog(log.length);
      if (parts.length === 0 && log !== undefined && log.length >= MIN_ALONE_BYTES) return log;
      const bytes = log?.slice() ?? this.letters.take(left, this.#cursor.offset, this.#stateVersion);
      if (bytes === undefined) break;
      if (log === undefined) this.#ledger.addLetters(bytes.length);
      else this.#cursor.commit();
      parts.push(bytes);
      left = Math.min(left, copyBytes) - bytes.length;
    }
    return parts.length === 0 ? undefined : joinLines(parts);
  }

  /** Notes that `bytes` bytes of state are being written, after which the client has `stateVersion`. */
  addState(bytes: number, stateVersion: number): void {
    this.#stateVersion = stateVersion;
    this.#ledger.addState(bytes, stateVersion);
  }

  /** Notes that nothing up to `stateVersion` is for this client. */
  passState(stateVersion: number): void {
    this.#stateVersion = stateVersion;
    this.#ledger.passState(stateVersion);
  }

  /**
   * Notes that an answer of `bytes` bytes is being written. If it must not be missed, `answer` comes back by
   * {@linkcode rewind}; where memory `isShort`, only the newest does, if it is no long one.
   */
  addAnswer(bytes: number, answer?: A, isShort = false): void {
    this.#ledger.addReplies(bytes);
    if (answer === undefined) return;
    this.#answers.push({ end: this.#ledger.sent, bytes, answer });
    this.#answerBytes += bytes;
    const [most, mostBytes] = isShort ? [1, SHORT_ANSWER_BYTES] : [MAX_ANSWERS, MAX_ANSWER_BYTES];
    let extra = 0;
    for (let left = this.#answerBytes; this.#answers.length - extra > most || left > mostBytes; extra++) {
      left -= this.#answers[extra].bytes;
    }
    if (extra > 0) this.#dropAnswers(extra);
  }

  /** Forgets so many of the answers that are kept, the oldest. */
  #dropAnswers(count: number): void {
    for (const { bytes } of this.#answers.splice(0, count)) this.#answerBytes -= bytes;
  }

  /**
   * Notes that the cursor has jumped, where it {@linkcode canJump}: `lost` is the line that tells it, `rest`
   * are lines about what holds behind it. {@linkcode takeOwed} gives them, before anything else may be
   * written.
   */
  jump(lost: Uint8Array, rest: readonly Uint8Array[]): void {
    const { sent } = this.#ledger;
    this.#owe({ start: sent, toldAt: sent + lost.length, bytes: concat([lost, ...rest]) });
    this.#anchorAt(sent + lost.length);
  }

  /** Takes the lines that have to come next in the stream; undefined if there are none. */
  takeOwed(): Uint8Array | undefined {
    const { start, bytes } = this.#owed;
    const left = start + bytes.length - this.#ledger.sent;
    if (bytes.length === 0 || left <= 0) return undefined;
    this.#ledger.addReplies(left);
    return bytes.subarray(bytes.length - left);
  }

  /**
   * Takes a count of the stream from the client. One that can't be, or is lower than an earlier one, changes
   * nothing.
   */
  confirm(bytes: number): void {
    if (bytes > this.#ledger.sent || bytes < this.#ledger.acked) return;
    if (this.#anchor !== undefined && this.#anchor.end <= bytes) {
      this.#ledger.ack(this.#anchor.end);
      this.#confirmed.close();
      this.#confirmed = this.#anchor.cursor;
      this.#ledger.takeAckedLetterBytes();
      this.letters.confirmTo(this.#anchor.letters);
      this.#anchor = undefined;
    }
    this.#confirmed.pass(this.#ledger.ack(bytes));
    this.letters.confirm(this.#ledger.takeAckedLetterBytes());
    if (bytes >= this.#owed.start + this.#owed.bytes.length) this.#owe({ ...this.#owed, bytes: NOTHING });
    const firstLeft = this.#answers.findIndex(({ end }) => end > bytes);
    if (firstLeft !== 0) this.#dropAnswers(firstLeft < 0 ? this.#answers.length : firstLeft);
    // The log has dropped what follows there: the place that is written now is the next one that can be
    // reached.
    if (this.#confirmed.isEvicted && this.#anchor === undefined && !this.#cursor.isEvicted) {
      this.#anchorAt(this.#ledger.sent);
    }
  }

  /** Whether the stream can go on for a client that has received `bytes` of it, as far as counts tell. */
  canGoOnAt(bytes: number): boolean {
    return bytes >= this.#openingBytes && bytes >= this.#ledger.acked && bytes <= this.#ledger.sent;
  }

  /**
   * Goes back to what is confirmed: what was written after that will be written again, or something newer in
   * its place. Returns the answers that have to be given again; undefined if the log has dropped what is
   * missing, so that the stream can't go on.
   */
  rewind(): A[] | undefined {
    if (this.#confirmed.isEvicted) {
      if (this.#confirmed.behindBytes > 0) return undefined;
      this.#confirmed.jumpToEnd(); // only its own lines are gone
    }
    this.#anchor?.cursor.close();
    this.#anchor = undefined;
    if (this.#ledger.acked < this.#owed.toldAt) this.#owe({ ...this.#owed, bytes: NOTHING });
    this.#ledger.rewind();
    this.letters.rewind();
    this.#cursor.close();
    this.#cursor = this.#confirmed.clone();
    this.#stateVersion = this.#ledger.stateVersion;
    this.#answerBytes = 0;
    return this.#answers.splice(0).map(({ answer }) => answer);
  }

  /**
   * Leaves out of the stream the last `lines` lines of the log, which begin at offset `start`: they are the
   * client's own.
   */
  skipOwn(start: number, lines: number): void {
    this.#cursor.skipOwn(start, lines);
    this.#confirmed.skipOwn(start, lines);
    this.#anchor?.cursor.skipOwn(start, lines);
  }

  /** Gives up all places. */
  close(): void {
    this.#anchor?.cursor.close();
    this.#confirmed.close();
    this.#cursor.close();
    this.letters.close();
    this.#owedMemory?.close();
  }

  #anchorAt(end: number): void {
    this.#anchor?.cursor.close();
    this.#anchor = { end, cursor: this.#cursor.clone(), letters: this.letters.sent };
  }
}
