// One level's side of a room: a log, who reads it, and who of them has fallen behind. Knows no sockets and no
// meaning of lines: a reader is a cursor and something to wake.

import type { Settings } from "../options.ts";
import { encodeControl, encodeFrom, type Level } from "../../wire/protocol.ts";
import type { Cursor, Lost } from "./cursor.ts";
import type { FlushState, Wakeable } from "./flush_state.ts";
import { type Kept, NOTHING_KEPT, QuietLines } from "./quiet_lines.ts";
import { LAST_BYTES, type LastLine, readLastLines } from "./last_lines.ts";
import { type LogSettings, RoomLog } from "./room_log.ts";

/** Whoever reads a feed: the member behind a connection, or one that is expected back. */
export interface Reader extends Wakeable {
  readonly cursor: Cursor;
  /**
   * Leaves out of what this reader takes the last `lines` lines of the log, which begin at offset `start`.
   */
  skipOwn(start: number, lines: number): void;
  /** The version of the state that its client surely has; none for who is told nothing of state. */
  readonly confirmedStateVersion?: number;
  /** Ends its connection: memory is short, and a write to it that does not end keeps some. */
  giveUp?(): void;
  /**
   * The `$from` line that sessions get before what it says; that of plain clients, if it has none of its own.
   */
  readonly fromLine?: Uint8Array;
  /** Whether its own events are for it as for everybody. */
  readonly hearsItself?: boolean;
}

/** What a feed needs of the settings. */
export type FeedSettings = LogSettings & Pick<Settings, "clock" | "relayTime">;

/** How far apart the `$time` lines of a log are at least, in ms. */
export const TIME_LINE_MS = 100;

/** How long the spans are in which is looked whether much is said, in ms. */
const BUSY_SPAN_MS = 100;

/** What part of the rate at which the log overflows within `maxLagMs` is much. */
const BUSY_SHARE = 1 / 4;

/** What stands before the lines of plain clients. */
const FROM_PLAIN = encodeFrom();

/** Returns the line that says to sessions who has said what comes next. */
export function fromLineOf({ fromLine = FROM_PLAIN }: Pick<Reader, "fromLine">): Uint8Array {
  return fromLine;
}

/** A log and its readers. */
export class Feed {
  readonly #log: RoomLog;
  readonly #level: Level;
  readonly #settings: FeedSettings;
  readonly #onNews: (feed: Feed, mayWait: boolean) => void;
  readonly #readers = new Set<Reader>();
  readonly #quietLines: QuietLines;
  /** Until when lines of quiet senders are kept, in ms. */
  #busyUntilMs = -Infinity;
  #spanStart = { offset: 0, atMs: -Infinity };
  /** More than this in a span is much, in bytes. */
  readonly #muchBytes: number;
  #timeLineAt = -Infinity;
  /**
   * The `$from` line that holds at the end of the log for whoever reads on there; undefined if somebody does
   * not know it.
   */
  #fromLine: Uint8Array | undefined;
  #flushedTo = 0;
  #newsEnd = 0;
  /** @internal For the flusher. */
  flushState: FlushState | undefined;

  /** @param onNews is called whenever something was appended, and told whether that may wait a little */
  constructor(level: Level, settings: FeedSettings, onNews: (feed: Feed, mayWait: boolean) => void) {
    this.#log = new RoomLog(level, settings);
    this.#level = level;
    this.#settings = settings;
    this.#muchBytes = BUSY_SHARE * settings.maxLogBytes * BUSY_SPAN_MS / settings.maxLagMs;
    this.#quietLines = new QuietLines(settings.memory.open());
    this.#onNews = onNews;
  }

  /** How many readers there are. */
  get size(): number {
    return this.#readers.size;
  }

  /** Who reads it. */
  get readers(): Iterable<Reader> {
    return this.#readers;
  }

  /** The last events, as far as they are still there. */
  lastLines(): LastLine[] {
    const { bytes, isWhole } = this.#log.newest(LAST_BYTES);
    return readLastLines(bytes, isWhole, this.#level);
  }

  /** Lets go of what everybody has read; returns how much memory that frees, in bytes. */
  dropRead(): number {
    return this.#log.dropRead();
  }

  /**
   * Lets go of all but the newest `keepBytes` bytes; returns how much memory that frees, in bytes, now or
   * once writes end.
   */
  dropUnread(keepBytes: number): number {
    return this.#log.dropUnread(keepBytes);
  }

  /** Lets go of everything, as soon as nobody reads it any more. */
  close(): void {
    this.#log.close();
    this.#quietLines.clear();
  }

  /** The memory that the log takes, in bytes. */
  get logBytes(): number {
    return this.#log.capacityBytes;
  }

  /** The offset at which the log ends. */
  get end(): number {
    return this.#log.end;
  }

  /**
   * The offset up to which readers should write at once what they have not written. Behind it there are only
   * lines that may wait: they go with the next flush, or with what is written before.
   */
  get newsEnd(): number {
    return this.#newsEnd;
  }

  /** Opens a cursor for a reader to be: what is appended from now on lies before it. */
  openCursor(): Cursor {
    this.#fromLine = undefined;
    return this.#log.openCursor();
  }

  /** Lets a reader take part. */
  join(reader: Reader): void {
    this.#readers.add(reader);
  }

  /** Ends a reader's part; its cursor stays where it is until the reader closes it. */
  leave(reader: Reader): void {
    this.#readers.delete(reader);
  }

  /**
   * Appends complete lines, `bytes[start, end)`, for all readers but `sender`. `lines` is how many events
   * they are. Costs the same for any number of readers; nothing where there is none.
   * @param speaker who said them, also where that is a reader of another feed; nobody for lines of the relay
   */
  append(
    bytes: Uint8Array,
    start: number,
    end: number,
    lines: number,
    sender?: Reader,
    speaker: Reader | undefined = sender,
  ): void {
    if (this.#readers.size === 0) return;
    this.#append(bytes, start, end, lines, sender, speaker);
    this.#newsEnd = this.#log.end;
    this.#onNews(this, false);
  }

  /**
   * Appends a line of the relay for all readers but `except`, of which they may be told a little later: many
   * such lines then go out together.
   */
  appendPatient(line: Uint8Array, except?: Reader): void {
    if (this.#readers.size === 0) return;
    this.#append(line, 0, line.length, 0, except, except);
    this.#onNews(this, true);
  }

  #append(
    bytes: Uint8Array,
    start: number,
    end: number,
    lines: number,
    sender: Reader | undefined,
    speaker: Reader | undefined,
  ): void {
    if (this.#level === "session") this.#tellTime();
    // A sender does not get the mark of its own lines either: the next line of others has one.
    const offset = this.#log.end;
    if (this.#level === "session" && lines > 0 && speaker !== undefined) this.#tellSpeaker(speaker);
    this.#log.append(bytes, start, end, lines);
    sender?.skipOwn(offset, lines);
    if (speaker === undefined || (this.#busyUntilMs === -Infinity && !this.#isMuch)) return;
    const nowMs = this.#settings.clock();
    // Not only at the next flush: one that is under way may take long enough for the log to overflow.
    if (this.#busyUntilMs === -Infinity) this.#busyUntilMs = nowMs + this.#settings.maxLagMs;
    this.#quietLines.note(speaker, offset, bytes, start, end, lines, nowMs);
  }

  /** Whether so much was said in this span that the log may overflow. */
  get #isMuch(): boolean {
    return this.#log.end - this.#spanStart.offset > this.#muchBytes;
  }

  /**
   * Looks whether so much is said that the log may overflow: then, and for `maxLagMs` after that, lines of
   * quiet senders are kept.
   */
  #lookIfBusy(nowMs: number): void {
    const { end } = this.#log;
    if (this.#isMuch) this.#busyUntilMs = nowMs + this.#settings.maxLagMs;
    else if (nowMs > this.#busyUntilMs && this.#busyUntilMs > -Infinity) {
      this.#busyUntilMs = -Infinity;
      this.#quietLines.clear();
    }
    if (nowMs - this.#spanStart.atMs > BUSY_SPAN_MS) this.#spanStart = { offset: end, atMs: nowMs };
  }

  /**
   * Moves a reader's cursor to the end of the log. Where more was said than the log holds, what quiet senders
   * said meanwhile is kept for the reader; where the reader was too slow for `maxLagMs`, nothing is: it
   * should get what is new.
   */
  jump(reader: Reader, nowMs: number): { lost: Lost; kept: Kept } {
    const { cursor } = reader;
    this.#fromLine = undefined;
    const isLate = this.#log.ageMs(cursor.offset, nowMs) > this.#settings.maxLagMs;
    const kept = isLate
      ? NOTHING_KEPT
      : this.#quietLines.since(cursor.offset, reader.hearsItself ? undefined : reader);
    return { lost: cursor.jumpToEnd(kept), kept };
  }

  /**
   * Returns where a line stands that is said now to some readers alone. The next line in the log says again
   * whose it is.
   */
  openPlace(): number {
    this.#fromLine = undefined;
    return this.#log.end;
  }

  /**
   * Makes a `$time` line for who is told something at `nowMs` beside the log, unless that in the log, or one
   * of `toldMs`, still holds.
   */
  timeLineSince(toldMs: number, nowMs: number): Uint8Array | undefined {
    if (nowMs - Math.max(this.#timeLineAt, toldMs) < TIME_LINE_MS) return undefined;
    return encodeControl("time", { time: this.#settings.relayTime() });
  }

  #tellTime(): void {
    const now = this.#settings.clock();
    if (now - this.#timeLineAt < TIME_LINE_MS) return;
    this.#timeLineAt = now;
    const line = encodeControl("time", { time: this.#settings.relayTime() });
    this.#log.append(line, 0, line.length, 0);
  }

  #tellSpeaker(speaker: Reader): void {
    const fromLine = fromLineOf(speaker);
    if (fromLine === this.#fromLine) return;
    this.#fromLine = fromLine;
    this.#log.append(fromLine, 0, fromLine.length, 0);
  }

  /** How much was appended since the last flush, in bytes. */
  get pendingBytes(): number {
    return this.#log.end - this.#flushedTo;
  }

  /**
   * Begins a flush: returns all readers, who are to be woken. `nowMs` becomes the time of what was appended
   * since the last flush.
   */
  startFlush(nowMs: number): ReadonlySet<Reader> {
    this.#log.mark(nowMs);
    this.#lookIfBusy(nowMs);
    this.#flushedTo = this.#newsEnd = this.#log.end;
    return this.#readers;
  }

  /**
   * Says how old the oldest line of others is that a cursor has not taken, in ms; Infinity if the log doesn't
   * hold it any more.
   */
  lagMs(cursor: Cursor, nowMs: number): number {
    return cursor.isEvicted ? Infinity : this.#log.ageMs(cursor.wantedOffset, nowMs);
  }

  /** Whether a cursor is so far behind that its member has to jump to what is new. */
  isBehind(cursor: Cursor, nowMs: number): boolean {
    return this.lagMs(cursor, nowMs) > this.#settings.maxLagMs;
  }
}
