// What a session has to write, and what it keeps of it until the relay has confirmed it, so that a broken
// connection loses and doubles nothing. Pure: it writes nothing itself and reads no clock but the one it is
// given.
//
//   push(event) ─→ [ waiting ] ─┐                        ┌─→ written ─→ [ sent, not confirmed ] ─→ confirmed: forgotten
//   member, room: changed keys ─┼─→ nextBatch() ─────────┘                        │
//   ack, ping: made when due ───┘        ^ [ owed ] ←── resume(bytes): what the relay has not counted, first of all

import { joinLines, LineQueue } from "../link/line_queue.ts";
import type { LineSource } from "../link/line_source.ts";
import { OwnState } from "./own_state.ts";
import { encodeControl, isControlLine } from "../../wire/protocol.ts";
import { Queue } from "../link/queue.ts";

/** What is kept for a resume; over it nothing but control lines goes out until the relay has confirmed some of it. */
export const MAX_UNCONFIRMED_BYTES = 1024 * 1024;

/** The share of that limit after which a ping is sent early, so that confirmation comes before writing has to wait. */
const EARLY_PING_SHARE = 1 / 4;

/** The share of a batch that changed state may fill while events wait. */
const STATE_SHARE = 1 / 2;

/** Lines and their bytes, LF included. */
export interface LineCount {
  lines: number;
  bytes: number;
}

/**
 * Orders what a session writes: what it owes from an earlier connection, then acknowledgements, changed state, events in
 * the order of `push()`, a ping if one is due.
 *
 * Everything handed out by {@linkcode SessionOutbox.nextBatch} is kept until the relay has confirmed its bytes;
 * nothing unconfirmed is ever dropped. When more than the limit is unconfirmed, events wait.
 */
export class SessionOutbox implements LineSource {
  readonly #maxUnconfirmedBytes: number;
  readonly #now: () => number;
  readonly #waiting = new LineQueue();
  readonly #owed = new LineQueue();
  readonly #sent = new Queue<Uint8Array>();
  /** The position in the stream to the relay: of the end of what was handed out, of what is confirmed, of the last ping. */
  #sentBytes = 0;
  #confirmedBytes = 0;
  #pingedBytes = 0;
  #batchBytesLeft = 0;
  /** The events handed out that `confirm()` has not reported yet. */
  #uncounted = 0;
  #cleared = 0;
  #ackBytes: number | undefined;
  #isPingDue = false;
  #isEnding = false;
  #hasSaidBye = false;

  /** What this member has set of its own state. */
  readonly member: OwnState = new OwnState(false);
  /** What this member has set of the room's state. */
  readonly room: OwnState = new OwnState(true);
  /** False while the session is being opened: only acknowledgements go out. */
  isOpen = false;
  /** The received bytes that were acknowledged last. */
  ackedBytes = 0;
  /** The events given to `push()`, ever. */
  pushed = 0;

  /** Makes an empty outbox; `now` is the clock that pings are stamped with, in ms. */
  constructor(now: () => number, maxUnconfirmedBytes: number = MAX_UNCONFIRMED_BYTES) {
    this.#now = now;
    this.#maxUnconfirmedBytes = maxUnconfirmedBytes;
  }

  /** The number of events that have not been handed to the network whole, for the first time. */
  get length(): number {
    return this.#waiting.length + this.#uncounted;
  }

  /** The number of events dropped before they went out. */
  get dropped(): number {
    return this.#waiting.dropped + this.#cleared;
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
    this.pushed++;
    this.#waiting.push(line, limitBytes);
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
    let bytes = this.isOpen ? this.#owed.moveTo(batch, maxBytes) : 0;
    if (this.#owed.length === 0 || !this.isOpen) bytes += this.#addNew(batch, maxBytes - bytes);
    for (const line of batch) this.#sent.push(line);
    this.#sentBytes += bytes;
    this.#batchBytesLeft = bytes;
    return joinLines(batch);
  }

  /** Notes that so many more bytes of the batch went out; returns how many events went out for the first time. */
  confirm(bytes: number): number {
    this.#batchBytesLeft -= bytes;
    if (this.#batchBytesLeft > 0) return 0;
    const events = this.#uncounted;
    this.#uncounted = 0;
    return events;
  }

  /** Notes that the connection ended. What was handed out waits for `resume()` or `restart()`. */
  rewind(limitBytes: number): void {
    this.#batchBytesLeft = 0;
    this.#ackBytes = undefined;
    this.#isPingDue = this.isOpen = false;
    this.#waiting.trim(limitBytes);
  }

  /** Forgets what the relay has counted: so many bytes of this session's stream. */
  confirmStream(bytes: number): void {
    for (let line = this.#sent.peek(); line !== undefined; line = this.#sent.peek()) {
      if (this.#confirmedBytes + line.length > bytes) return;
      this.#sent.shift();
      this.#confirmedBytes += line.length;
    }
  }

  /**
   * Goes on with the session on a new connection, of whose stream the relay has counted so many bytes: what came after is
   * owed. Returns false, and changes nothing that matters, if that can't be.
   */
  resume(bytes: number): boolean {
    this.confirmStream(bytes);
    if (bytes !== this.#confirmedBytes) return false;
    this.#owed.putBack(this.#sent.takeAll().filter(isWorthRepeating));
    this.#sentBytes = this.#pingedBytes = bytes;
    return true;
  }

  /**
   * Begins another session: counts start at 0, all own state of the member is told again. Returns the events that were
   * written and not confirmed: they may have arrived or not, and are not sent again.
   */
  restart(): LineCount {
    const lost: LineCount = { lines: 0, bytes: 0 };
    for (const line of [...this.#sent.takeAll(), ...this.#owed.takeAll()]) {
      if (isControlLine(line, 0)) continue;
      lost.lines++;
      lost.bytes += line.length;
    }
    this.#sentBytes = this.#confirmedBytes = this.#pingedBytes = 0;
    this.member.setAgain();
    return lost;
  }

  /** Drops and counts every event that has not gone out whole. */
  clear(): void {
    this.rewind(0);
    this.#cleared += this.#uncounted;
    this.#uncounted = 0;
  }

  get #hasLines(): boolean {
    return this.#owed.length + this.#waiting.length + this.member.newsLength + this.room.newsLength > 0 ||
      this.#isPingDue || this.#ackBytes !== undefined;
  }

  /** Appends lines that go out for the first time, and returns their bytes. */
  #addNew(batch: Uint8Array[], roomBytes: number): number {
    let bytes = 0;
    if (this.#ackBytes !== undefined) {
      bytes += add(batch, encodeControl("ack", { bytes: this.#ackBytes }));
      this.ackedBytes = this.#ackBytes;
      this.#ackBytes = undefined;
    }
    if (!this.isOpen) return bytes;
    const unconfirmedBytes = this.#sentBytes - this.#confirmedBytes;
    if (this.#isEnding || unconfirmedBytes < this.#maxUnconfirmedBytes) {
      const stateBytes = this.#waiting.length > 0 ? roomBytes * STATE_SHARE : roomBytes;
      for (const state of [this.room, this.member]) {
        while (bytes < stateBytes) {
          const line = state.takeLine();
          if (line === undefined) break;
          bytes += add(batch, line);
        }
      }
      const events: Uint8Array[] = [];
      // A line that alone is longer than a batch must come to its turn, whatever stands before it.
      bytes += this.#waiting.moveTo(events, roomBytes - bytes);
      batch.push(...events);
      this.#uncounted += events.length;
    }
    const unpingedBytes = this.#sentBytes + bytes - this.#pingedBytes;
    if (this.#isPingDue || unpingedBytes > this.#maxUnconfirmedBytes * EARLY_PING_SHARE) {
      this.#isPingDue = false;
      bytes += add(batch, encodeControl("ping", { t: this.#now() }));
      this.#pingedBytes = this.#sentBytes + bytes;
    }
    if (this.#isEnding && !this.#hasSaidBye && !this.#hasLines) {
      this.#hasSaidBye = true;
      bytes += add(batch, encodeControl("bye", {}));
    }
    return bytes;
  }
}

function add(batch: Uint8Array[], line: Uint8Array): number {
  batch.push(line);
  return line.length;
}

/** Events and state are owed; a ping or an acknowledgement of an earlier connection says nothing any more. */
function isWorthRepeating(line: Uint8Array): boolean {
  return !isControlLine(line, 0) || line[3] === 0x73; // {"$s, of $set
}
