// A room: its log, its members, and who of them has fallen behind. Knows no sockets: a member is a cursor and something to wake.
// Used by session.ts, one member a connection, and by relay.ts, which flushes the rooms that have news once a turn of the event loop.

import { type Cursor, RoomLog, type RoomLogOptions } from "./room_log.ts";

/** Whoever takes part in a room: a TCP connection today. */
export interface Member {
  readonly cursor: Cursor;
  /** Is called after each turn in which the log grew. Must return at once; a member that is still writing ignores it. */
  wake(): void;
}

/** A log and its readers. */
export class Room {
  readonly #log: RoomLog;
  readonly #maxLagMs: number;
  readonly #onNews: (room: Room) => void;
  readonly #members = new Set<Member>();
  #hasNews = false;

  /** @param onNews is called when the log grows for the first time after a flush */
  constructor(options: RoomLogOptions, onNews: (room: Room) => void) {
    this.#log = new RoomLog(options);
    this.#maxLagMs = options.maxLagMs;
    this.#onNews = onNews;
  }

  /** How many members take part. */
  get size(): number {
    return this.#members.size;
  }

  /** The memory that the log takes, in bytes. */
  get logBytes(): number {
    return this.#log.capacityBytes;
  }

  /** Opens a cursor for a member to be: what is appended from now on lies before it. */
  openCursor(): Cursor {
    return this.#log.openCursor();
  }

  /** Lets a member take part. */
  join(member: Member): void {
    this.#members.add(member);
  }

  /** Ends a member's part; its cursor stays where it is until the member closes it. */
  leave(member: Member): void {
    this.#members.delete(member);
  }

  /** Appends `lines` complete lines of `sender`, `bytes[start, end)`, for everybody else. Costs the same for any number of members. */
  append(sender: Member, bytes: Uint8Array, start: number, end: number, lines: number): void {
    const offset = this.#log.end;
    this.#log.append(bytes, start, end, lines);
    sender.cursor.skipOwn(offset, lines);
    if (this.#hasNews) return;
    this.#hasNews = true;
    this.#onNews(this);
  }

  /** Wakes every member. `nowMs` becomes the time of what was appended since the last flush. */
  flush(nowMs: number): void {
    this.#hasNews = false;
    this.#log.mark(nowMs);
    for (const member of this.#members) member.wake();
  }

  /** Says how old the oldest line of others is that a cursor has not taken, in ms; Infinity if the log doesn't hold it any more. */
  lagMs(cursor: Cursor, nowMs: number): number {
    return cursor.isEvicted ? Infinity : this.#log.ageMs(cursor.wantedOffset, nowMs);
  }

  /** Whether a cursor is so far behind that its member shall jump to what is new. */
  isBehind(cursor: Cursor, nowMs: number): boolean {
    return this.lagMs(cursor, nowMs) > this.#maxLagMs;
  }
}
