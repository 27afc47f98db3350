// Whoever takes part in a room, as far as both levels of the protocol agree: a cursor into a feed, replies
// that are for it alone, and what happens when it falls behind. Knows of its connection only that it can be
// woken and cut. plain_member.ts and session_member.ts say the rest.

import type { Feed, Reader } from "../room/feed.ts";
import { concat } from "../../wire/concat.ts";
import { giveBack } from "./joined_lines.ts";
import type { Settings } from "../options.ts";
import type { MemoryAccount, MemoryBudget } from "../memory_budget.ts";
import { encodeControl, type WireError } from "../../wire/protocol.ts";
import type { Room } from "../room/room.ts";
import type { Cursor, Source } from "../room/cursor.ts";
import type { SimulationOptions } from "../../simulation/parse_simulation.ts";

/** A member's connection, as the member sees it. */
export interface Outlet {
  readonly address: string;
  /** Whether what it writes is copied once for all who are written the same: a WebSocket. */
  readonly isFramed?: boolean;
  /** Makes it take what there is to write. `nowMs`, if the caller knows it, saves a look at the clock. */
  wake(nowMs?: number): void;
  /** Writes over a bad network on purpose from now on. */
  simulate(options: SimulationOptions): void;
  /** Takes nothing from the client any more, and closes it soon: the client has said that it leaves. */
  leave(): void;
  /** Closes it at once. */
  cut(reason: EndReason): void;
}

/** Why a connection ended. */
export type EndReason =
  /** The client ended it. */
  | "closed"
  /** It broke. */
  | "lost"
  /** The client said that it leaves for good. */
  | "bye"
  | "refused"
  /** It was HTTP, and another one serves it. */
  | "handed over"
  | "behind"
  /** It took no byte for too long. */
  | "stuck"
  /** Nothing was heard of the client for too long. */
  | "timeout"
  /** The client came back on another connection. */
  | "replaced"
  | "shutdown";

/**
 * Complete lines that are to be written. A member has one such object for each of its connections, and uses
 * it again.
 */
export interface Batch {
  readonly bytes: Uint8Array;
  /** Where they come from, if from the log. */
  readonly source?: Source;
  /**
   * Is to be called once the bytes are written, or never will be, and before more is taken: they are valid
   * until then.
   */
  written(): void;
}

/**
 * What a member gives that is so far behind that its connection is to be closed, where that is not forgiven.
 */
export const BEHIND = "behind";

/** What a cursor has taken. */
class Taken implements Batch {
  bytes: Uint8Array = NOTHING;
  source?: Source;
  readonly #memory: MemoryAccount;

  constructor(readonly cursor: Cursor, memory: MemoryBudget) {
    this.#memory = memory.open();
  }

  /** Is given bytes; those that are no piece of the log count as memory until they are written. */
  take(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.source = this.cursor.source;
    if (this.source === undefined) this.#memory.resize(bytes.buffer.byteLength);
  }

  written(): void {
    const { bytes } = this;
    this.bytes = NOTHING; // it would keep a block of the log alive
    if (this.source !== undefined) return this.cursor.commit();
    giveBack(bytes);
    this.#memory.close();
  }
}

const NOTHING = new Uint8Array(0);

/** A line for one member alone. */
interface Reply {
  bytes: Uint8Array;
  /** What it tells, if the member has done something wrong. */
  error: WireError | undefined;
}

/** How many bytes of replies wait for a client that doesn't read them; further ones are dropped… */
const MAX_REPLY_BYTES = 64 * 1024;

/** …and when memory is short, of one that waits alone: 5,000 long ones would be 300 MiB. */
const SHORT_REPLY_BYTES = 4 * 1024;

/** What a reply takes in memory beside its bytes: objects and a buffer. */
const REPLY_BYTES = 400;

/** How long a member must keep up until falling behind again is news. */
const BEHIND_EPISODE_MS = 30_000;

/**
 * The most that one write takes from the log. The kernel takes about this much at once; more would only be
 * staler.
 */
const MAX_WRITE_BYTES = 256 * 1024;

/** A member of a room. */
export abstract class Member implements Reader {
  abstract readonly cursor: Cursor;
  /** The name it gave itself; empty if none, or plain. */
  abstract readonly name: string;
  readonly room: Room;
  protected readonly feed: Feed;
  protected readonly settings: Settings;
  /** The connection; undefined while there is none. */
  protected outlet: Outlet | undefined;
  readonly #memory: MemoryAccount;
  #isReleased = false;
  #replies: Reply[] = [];
  #replyBytes = 0;
  #behindAt = -Infinity;
  #taken: Taken | undefined;

  constructor(room: Room, feed: Feed, settings: Settings) {
    this.room = room;
    this.feed = feed;
    this.settings = settings;
    this.#memory = settings.memory.open();
  }

  /** Is told that its connection is ending. Does nothing if it has another one by now. */
  abstract detach(outlet: Outlet, reason: EndReason): void;

  /** Whether there may be written what comes from the feed. */
  protected get canTakeNews(): boolean {
    return true;
  }

  /** Takes what has to come before all else. */
  protected takeFirst(): Uint8Array | undefined {
    return undefined;
  }

  /** Takes what comes next from the feed, about `maxBytes` at most. */
  protected abstract takeNews(maxBytes: number): Uint8Array | undefined;

  /** Jumps to what is new, if it may, and takes what comes next then. */
  protected abstract takeBehind(maxBytes: number): Uint8Array | undefined;

  /** Is told that a reply is being written. */
  protected onReplyTaken(_bytes: number, _error: WireError | undefined): void {}

  /** How much memory it takes beside its replies, in bytes. */
  protected get ownBytes(): number {
    return 0;
  }

  /** Whether the member has to jump to what is new. */
  protected isTooFarBehind(nowMs: number): boolean {
    return this.feed.isBehind(this.cursor, nowMs);
  }

  giveUp(): void {
    if (this.outlet === undefined) return;
    const who = this.#describe(this.outlet);
    this.settings.log("warn", "memory is short, closed a member that does not read", who);
    this.outlet.cut("behind");
  }

  wake(nowMs?: number): void {
    this.outlet?.wake(nowMs);
  }

  /** Whether `take()` could have anything to give. Costs less than asking it. */
  get hasNews(): boolean {
    return this.cursor.offset < this.feed.newsEnd || this.#replies.length > 0;
  }

  /** Whether this is its connection (still). */
  isOn(outlet: Outlet): boolean {
    return this.outlet === outlet;
  }

  skipOwn(start: number, lines: number): void {
    this.cursor.skipOwn(start, lines);
  }

  /** How old the oldest line is that it has not taken, in ms. */
  lagMs(nowMs: number): number {
    return this.feed.lagMs(this.cursor, nowMs);
  }

  /**
   * Says `lines` events, `bytes[start, end)`, to everybody else in the room; those at `lookalikes` begin as
   * control lines do.
   */
  onLines(
    bytes: Uint8Array,
    start: number,
    end: number,
    lines: number,
    lookalikes: readonly number[],
  ): void {
    this.room.say(this, this.feed, bytes, start, end, lines, lookalikes);
  }

  /**
   * Tells this member what it did wrong, before what comes from the feed. Returns false, and drops it, if too
   * many lines wait already.
   */
  replyError(error: WireError): boolean {
    return this.reply(encodeControl("error", error), error);
  }

  /**
   * Writes a line to this member alone, before what comes from the feed. Returns false, and drops it, if too
   * many wait already; or, when memory is short, if one does, or this is a long one.
   */
  protected reply(bytes: Uint8Array, error?: WireError): boolean {
    if (this.#replyBytes + bytes.length > MAX_REPLY_BYTES) return false;
    const isLittle = this.#replies.length === 0 && bytes.length <= SHORT_REPLY_BYTES;
    if (!isLittle && this.settings.memory.isShort) return false;
    this.#replies.push({ bytes, error });
    this.#replyBytes += bytes.length;
    this.countMemory();
    this.wake();
    return true;
  }

  /**
   * Takes what is to be written next: undefined when there is nothing, {@linkcode BEHIND} when the connection
   * is to be closed instead. Once that is written, or never will be, call `written()` of the batch. Of events
   * and state it takes at most `maxBytes`, but at least a line.
   */
  take(nowMs: number, maxBytes = MAX_WRITE_BYTES): Batch | typeof BEHIND | undefined {
    const bytes = this.takeFirst() ?? this.#takeReplies();
    if (bytes !== undefined || !this.canTakeNews) return this.#batchOf(bytes);
    if (!this.isTooFarBehind(nowMs)) return this.#batchOf(this.takeNews(maxBytes));
    return this.#noteBehind(nowMs) ?? this.#batchOf(this.takeBehind(maxBytes));
  }

  /** Takes the replies that wait, without what comes from the feed. */
  takeReplies(): Batch | undefined {
    return this.#batchOf(this.#takeReplies());
  }

  #batchOf(bytes: Uint8Array | undefined): Batch | undefined {
    if (bytes === undefined) return undefined;
    if (this.#taken?.cursor !== this.cursor) this.#taken = new Taken(this.cursor, this.settings.memory);
    this.#taken.take(bytes);
    return this.#taken;
  }

  /**
   * Looks whether the member has fallen behind while a write is under way; returns {@linkcode BEHIND} if its
   * connection is to be closed.
   */
  sweep(nowMs: number): typeof BEHIND | undefined {
    return this.isTooFarBehind(nowMs) ? this.#noteBehind(nowMs) : undefined;
  }

  /**
   * Logs that the member fell behind, once an episode; returns {@linkcode BEHIND} where that is not forgiven.
   */
  #noteBehind(nowMs: number): typeof BEHIND | undefined {
    if (this.outlet === undefined || this.cursor.behindBytes === 0) return undefined; // only its own lines
    const { log, whenBehind } = this.settings;
    const isNews = nowMs - this.#behindAt > BEHIND_EPISODE_MS;
    this.#behindAt = nowMs;
    if (!isNews && whenBehind === "skip") return undefined;
    const fields = {
      ...this.#describe(this.outlet),
      bytes: this.cursor.behindBytes,
      skippedBefore: this.cursor.lost.lines,
    };
    if (whenBehind === "skip") log("warn", "member fell behind, skipping to the newest lines", fields);
    else {
      log("warn", "member fell behind, closed", fields);
      return BEHIND;
    }
  }

  /** Says who it is, for the log: an address alone may be that of a whole room of computers. */
  #describe({ address }: Outlet): Record<string, string> {
    return this.name === "" ? { address } : { address, name: this.name };
  }

  #takeReplies(): Uint8Array | undefined {
    if (this.#replies.length === 0) return undefined;
    const replies = this.#replies;
    this.#replies = [];
    this.#replyBytes = 0;
    for (const { bytes, error } of replies) this.onReplyTaken(bytes.length, error);
    this.countMemory();
    return replies.length === 1 ? replies[0].bytes : concat(replies.map(({ bytes }) => bytes));
  }

  /**
   * Puts back errors that did not arrive, before those that wait; drops other replies. They are about lines
   * of an earlier connection: without a number.
   */
  protected replyAgain(errors: readonly WireError[]): void {
    const waiting = this.#replies.flatMap(({ error }) => error ?? []);
    this.#replies = [];
    this.#replyBytes = 0;
    for (const { line: _, ...error } of [...errors, ...waiting]) this.replyError(error);
  }

  /** Counts the memory that it takes, after each change. */
  protected countMemory(): void {
    if (!this.#isReleased) {
      this.#memory.resize(this.ownBytes + this.#replyBytes + REPLY_BYTES * this.#replies.length);
    }
  }

  /** Counts it no more: the member is leaving, and what it still takes goes with its connection. */
  protected releaseMemory(): void {
    this.#isReleased = true;
    this.#memory.close();
  }
}
