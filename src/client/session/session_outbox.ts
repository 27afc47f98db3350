// What a session has to write, and what it keeps of it until the relay has confirmed it, so that a broken
// connection loses and doubles nothing. Pure: it writes nothing itself and reads no clock but the one it is
// given.
//
//   push(event) ─→ [ waiting ] ─┐                 ┌─→ written ─→ [ sent, not confirmed ] ─→ forgotten
//   set(key): changed keys ─────┼─→ nextBatch() ──┘                    │
//   ack, ping: made when due ───┘     ^ [ owed ] ←── resume(bytes): what is not counted, first of all

import { joinLines, LineQueue } from "../link/line_queue.ts";
import type { LineSource } from "../link/line_source.ts";
import { readAsk } from "./asks.ts";
import type { LineCount } from "./lost.ts";
import { OwnState } from "./own_state.ts";
import { encodeControl, isControlLine, startsAt } from "../../wire/protocol.ts";
import { Queue } from "../link/queue.ts";
import { readSet, ToldSets } from "./told_sets.ts";

/**
 * What is kept for a resume; over it nothing but control lines goes out until the relay has confirmed some of
 * it.
 */
const MAX_UNCONFIRMED_BYTES = 1024 * 1024;

/**
 * The share of that limit after which a ping is sent early, so that confirmation comes before writing has to
 * wait.
 */
const EARLY_PING_SHARE = 1 / 4;

/** The share of a batch that changed state may fill while events wait. */
const STATE_SHARE = 1 / 2;

/** What a session had written and the relay had not confirmed. */
export interface Unconfirmed extends LineCount {
  /** The last such change of each key of the room: a value as JSON, or undefined for a removal. */
  roomChanges: Map<string, string | undefined>;
  /** The names of the questions that were not written at all: they are asked in the session that begins. */
  unasked: Set<string>;
}

/**
 * Orders what a session writes: what it owes from an earlier connection, then acknowledgements, changed
 * state, events in the order of `push()`, a ping if one is due.
 *
 * Everything handed out by {@linkcode SessionOutbox.nextBatch} is kept until the relay has confirmed its
 * bytes; nothing unconfirmed is ever dropped. When more than the limit is unconfirmed, events wait.
 */
export class SessionOutbox implements LineSource {
  readonly #maxUnconfirmedBytes: number;
  readonly #measure: () => Record<string, number>;
  readonly #isWanted: (ask: string | undefined) => boolean;
  readonly #now: () => number;
  readonly #waiting = new LineQueue();
  /** Control lines that wait: questions to the relay, and who is to be host. */
  readonly #asks = new LineQueue();
  readonly #owed = new LineQueue();
  readonly #sent = new Queue<Uint8Array>();
  /**
   * The position in the stream to the relay: of the end of what was handed out, of what is confirmed, of the
   * last ping.
   */
  #sentBytes = 0;
  #confirmedBytes = 0;
  #pingedBytes = 0;
  #batchBytesLeft = 0;
  /** The lines of this connection so far, as the relay numbers them: the hello is the first. */
  #lineNumber = 1;
  readonly #toldSets = new ToldSets();
  /** The events handed out that `confirm()` has not reported yet, and those that never will be. */
  #uncounted: LineCount = { lines: 0, bytes: 0 };
  #cleared: LineCount = { lines: 0, bytes: 0 };
  #ackBytes: number | undefined;
  #isPingDue = false;
  #isEnding = false;
  #hasSaidBye = false;
  #hasLeft = false;

  /** What this member has set of its own state. */
  readonly member: OwnState = new OwnState(false);
  /** What this member has set of the room's state. */
  readonly room: OwnState = new OwnState(true);
  /** False while the session is being opened: only acknowledgements go out. */
  isOpen = false;
  /** The received bytes that were acknowledged last. */
  ackedBytes = 0;
  /** What was given to `push()` and `set()`, ever. */
  changes = 0;

  /**
   * Makes an empty outbox; `now` is the clock that pings are stamped with, in ms, `measure` says what they
   * tell the relay beside that, and `isWanted` whether a control line that waits is still to be written: not
   * if it asks a question that was given up.
   */
  constructor(
    now: () => number,
    maxUnconfirmedBytes: number = MAX_UNCONFIRMED_BYTES,
    measure: () => Record<string, number> = () => ({}),
    isWanted: (ask: string | undefined) => boolean = () => true,
  ) {
    this.#now = now;
    this.#maxUnconfirmedBytes = maxUnconfirmedBytes;
    this.#measure = measure;
    this.#isWanted = isWanted;
  }

  /** The number of events that have not been handed to the network whole, for the first time. */
  get length(): number {
    return this.#waiting.length + this.#uncounted.lines;
  }

  /** The bytes of the events that wait. */
  get waitingBytes(): number {
    return this.#waiting.bytes;
  }

  /** The number of events dropped before they went out. */
  get dropped(): number {
    return this.#waiting.dropped + this.#cleared.lines;
  }

  /** The bytes of these events. */
  get droppedBytes(): number {
    return this.#waiting.droppedBytes + this.#cleared.bytes;
  }

  /** The bytes written or being written that the relay has not confirmed. */
  get unconfirmedBytes(): number {
    return this.#sentBytes - this.#confirmedBytes + this.#owed.bytes;
  }

  /** Whether anything is left to write, the goodbye included. */
  get hasMore(): boolean {
    return this.#batchBytesLeft > 0 || this.#hasLines || (this.#isEnding && !this.#hasSaidBye);
  }

  /** Appends an event, a line with its LF; drops the oldest that wait while they are over the limit. */
  push(line: Uint8Array, limitBytes: number): void {
    this.changes++;
    this.#waiting.push(line, limitBytes);
  }

  /**
   * Appends a control line, which goes out before the events that wait, and behind what was set of the room.
   */
  ask(line: Uint8Array): void {
    this.changes++;
    this.#asks.push(line, Infinity);
  }

  /**
   * Sets a key of the member or of the room to a value, given as JSON; `undefined` removes it. The newest
   * goes out.
   */
  set(key: string, json: string | undefined, isRoom: boolean): void {
    this.changes++;
    const state = isRoom ? this.room : this.member;
    state.set(key, json);
    if (json === undefined) state.hold(key, false);
  }

  /** The keys of the room that this program has given a value which the relay may not have counted yet. */
  *roomKeysUnderWay(): Generator<string> {
    for (const key of this.room.newsKeys) if (this.room.has(key)) yield key;
    for (const key of this.#toldSets.roomKeys()) if (!this.room.isNews(key)) yield key;
  }

  /** Asks for a ping in the next batch, at its end: its answer confirms all of the batch. */
  askPing(): void {
    this.#isPingDue = true;
  }

  /** Asks for an acknowledgement of so many received bytes in the next batch. */
  ack(bytes: number): void {
    this.#ackBytes = bytes;
  }

  /** Makes the goodbye the last line; what waits goes out before it without waiting for confirmation. */
  end(): void {
    this.#isEnding = true;
  }

  /** Begins the next batch; see {@linkcode LineSource.nextBatch}. */
  nextBatch(maxBytes: number): Uint8Array | undefined {
    const batch: Uint8Array[] = [];
    const start = this.#sentBytes;
    if (this.isOpen) this.#addOwed(batch, maxBytes);
    if (this.#owed.length === 0 || !this.isOpen) this.#addNew(batch, start + maxBytes);
    this.#batchBytesLeft = this.#sentBytes - start;
    return joinLines(batch);
  }

  /**
   * Notes that so many more bytes of the batch went out; returns how many events went out for the first time.
   */
  confirm(bytes: number): number {
    this.#batchBytesLeft -= bytes;
    if (this.#batchBytesLeft > 0) return 0;
    this.#hasLeft = this.#hasSaidBye;
    const { lines } = this.#uncounted;
    this.#uncounted = { lines: 0, bytes: 0 };
    return lines;
  }

  /** Notes that the connection ended. What was handed out waits for `resume()` or `restart()`. */
  rewind(limitBytes: number): void {
    this.#batchBytesLeft = 0;
    this.#ackBytes = undefined;
    this.#isPingDue = this.isOpen = false;
    this.#waiting.trim(limitBytes);
  }

  /**
   * Forgets what the relay has counted: so many bytes of this session's stream. More than there are is no
   * count.
   */
  confirmStream(bytes: number): void {
    if (bytes > this.#sentBytes) return;
    this.#toldSets.confirm(bytes);
    for (let line = this.#sent.peek(); line !== undefined; line = this.#sent.peek()) {
      if (this.#confirmedBytes + line.length > bytes) return;
      this.#sent.shift();
      this.#confirmedBytes += line.length;
    }
  }

  /** Notes that the relay tells of a change of the room's that this program has made: it has arrived. */
  noteEcho(key: string, json: string | undefined): void {
    this.#toldSets.noteEcho(key, json);
  }

  /**
   * Takes a refused value out of the own state, whose `$set` was the line of that number on this connection:
   * what the relay had taken before holds. Returns whose value it was, or `undefined` if it was another line.
   */
  refuse(lineNumber: number): { key: string; isRoom: boolean } | undefined {
    return this.#toldSets.refuse(lineNumber);
  }

  /**
   * Goes on with the session on a new connection, of whose stream the relay has counted so many bytes: what
   * came after is owed. Returns false, and changes nothing that matters, if that can't be.
   */
  resume(bytes: number): boolean {
    this.confirmStream(bytes);
    if (bytes !== this.#confirmedBytes) return false;
    this.#toldSets.forgetLines();
    this.#lineNumber = 1;
    this.#owed.putBack(this.#sent.takeAll().filter(isWorthRepeating));
    this.#sentBytes = this.#pingedBytes = bytes;
    return true;
  }

  /**
   * Begins another session, of whose stream `written` are the first lines, already out. All own state of the
   * member is told again. Returns what was written of the session before and not confirmed: it may have
   * arrived or not, and is not sent again. What waits goes out, but for who is to be host, and, on another
   * relay, what is for single members: there their ids are others'.
   */
  restart(written: readonly Uint8Array[] = [], isOtherRelay = false): Unconfirmed {
    const unconfirmed = this.#takeUnconfirmed();
    this.#toldSets.forgetLines();
    if (isOtherRelay) this.#waiting.keepOnly((line) => !startsAt(line, 0, TO_START));
    for (const lines of [this.#asks, this.#waiting]) {
      lines.keepOnly((line) => {
        const ask = readAsk(line);
        if (ask !== undefined) unconfirmed.unasked.add(ask);
        return ask !== undefined || lines !== this.#asks;
      });
    }
    this.#sentBytes = this.#confirmedBytes = this.#pingedBytes = 0;
    this.#lineNumber = 1;
    this.#handOut([], written);
    this.member.setAgain();
    return unconfirmed;
  }

  /** Drops and counts every event that has not gone out whole. */
  clear(): void {
    this.rewind(0);
    this.#cleared.lines += this.#uncounted.lines;
    this.#cleared.bytes += this.#uncounted.bytes;
    this.#uncounted = { lines: 0, bytes: 0 };
  }

  /**
   * Takes, after `clear()`, what nobody will know of: events that were written and not confirmed, and the
   * keys of the room whose last change may not have arrived. That is nothing if the goodbye has gone out.
   */
  takeLeft(): Unconfirmed {
    const left = this.#takeUnconfirmed();
    for (const key of this.room.newsKeys) left.roomChanges.set(key, undefined);
    if (this.#hasLeft) return { lines: 0, bytes: 0, roomChanges: new Map(), unasked: new Set() };
    // Those that did not go out whole have been counted as dropped.
    left.lines = Math.max(0, left.lines - this.#cleared.lines);
    left.bytes = Math.max(0, left.bytes - this.#cleared.bytes);
    return left;
  }

  #takeUnconfirmed(): Unconfirmed {
    const roomChanges = this.#toldSets.takeRoomChanges();
    const unconfirmed: Unconfirmed = { lines: 0, bytes: 0, roomChanges, unasked: new Set() };
    for (const line of [...this.#sent.takeAll(), ...this.#owed.takeAll()]) {
      if (isControlLine(line, 0) && !startsAt(line, 0, TO_START)) continue;
      unconfirmed.lines++;
      unconfirmed.bytes += line.length;
    }
    return unconfirmed;
  }

  get #hasLines(): boolean {
    return this.#owed.length + this.#asks.length + this.#waiting.length + this.member.newsLength +
            this.room.newsLength > 0 ||
      this.#isPingDue || this.#ackBytes !== undefined;
  }

  #addOwed(batch: Uint8Array[], maxBytes: number): void {
    const owed: Uint8Array[] = [];
    this.#owed.moveTo(owed, maxBytes);
    for (const line of owed) {
      this.#handOut(batch, [line]);
      const set = readSet(line);
      if (set !== undefined) this.#noteSet(set.isRoom ? this.room : this.member, set.key, set.json);
    }
  }

  /** Appends lines that go out for the first time, up to a place in the stream. */
  #addNew(batch: Uint8Array[], end: number): void {
    if (this.#ackBytes !== undefined) {
      this.#handOut(batch, [encodeControl("ack", { bytes: this.#ackBytes })]);
      this.ackedBytes = this.#ackBytes;
      this.#ackBytes = undefined;
    }
    if (!this.isOpen) return;
    if (this.#isEnding || this.#sentBytes - this.#confirmedBytes < this.#maxUnconfirmedBytes) {
      this.#addState(batch, end);
      // A key that was removed before it was claimed is free by then.
      if (this.room.newsLength === 0) {
        this.#handOut(batch, this.#asks.takeAll().filter((line) => this.#isWanted(readAsk(line))));
      }
      // A line that alone is longer than a batch must come to its turn, whatever stands before it.
      const events: Uint8Array[] = [];
      this.#uncounted.bytes += this.#waiting.moveTo(events, end - this.#sentBytes);
      this.#uncounted.lines += events.length;
      this.#handOut(batch, events);
    }
    const unpingedBytes = this.#sentBytes - this.#pingedBytes;
    if (this.#isPingDue || unpingedBytes > this.#maxUnconfirmedBytes * EARLY_PING_SHARE) {
      this.#isPingDue = false;
      this.#handOut(batch, [encodeControl("ping", { t: this.#now(), ...this.#measure() })]);
      this.#pingedBytes = this.#sentBytes;
    }
    if (this.#isEnding && !this.#hasSaidBye && !this.#hasLines) {
      this.#hasSaidBye = true;
      this.#handOut(batch, [encodeControl("bye", {})]);
    }
  }

  #addState(batch: Uint8Array[], end: number): void {
    const roomBytes = end - this.#sentBytes;
    const stateEnd = this.#waiting.length > 0 ? end - roomBytes * (1 - STATE_SHARE) : end;
    for (const state of [this.room, this.member]) {
      while (this.#sentBytes < stateEnd) {
        const set = state.takeLine();
        if (set === undefined) break;
        this.#handOut(batch, [set.line]);
        this.#noteSet(state, set.key, set.json);
      }
    }
  }

  /** Gives lines their place in the stream, and keeps them until they are confirmed. */
  #handOut(batch: Uint8Array[], lines: readonly Uint8Array[]): void {
    for (const line of lines) {
      batch.push(line);
      this.#sent.push(line);
      this.#sentBytes += line.length;
      this.#lineNumber++;
    }
  }

  /** Remembers that the line handed out last sets a key. */
  #noteSet(state: OwnState, key: string, json: string | undefined): void {
    this.#toldSets.note(this.#lineNumber, this.#sentBytes, state, key, json);
  }
}

const encoder = new TextEncoder();

const TO_START = encoder.encode('{"$to":');
const PING_START = encoder.encode('{"$ping":');
const ACK_START = encoder.encode('{"$ack":');

/** Events and state are owed; a ping or an acknowledgement of an earlier connection says nothing any more. */
function isWorthRepeating(line: Uint8Array): boolean {
  return !startsAt(line, 0, PING_START) && !startsAt(line, 0, ACK_START);
}
