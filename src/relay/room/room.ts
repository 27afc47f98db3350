// A room: who is in it, what they said (a feed for each level of the protocol), and what holds (the state).
// Knows no sockets.
//
//   plain member's line ──────────────┬─▶ plain feed ────▶ plain members
//   session's line ───────────────────┴─▶ session feed ──▶ sessions
//   $join, $leave, $host ───────────────▶ session feed
//   a letter ─▶ those sessions that it is for

import { Feed, type FeedSettings, type Reader } from "./feed.ts";
import { Hosts } from "./hosts.ts";
import { likeAnswers, withSpaces } from "./lookalike.ts";
import type { Letter } from "./letter.ts";
import { Post, type Receiver } from "./post.ts";
import { encodeControl } from "../../wire/protocol.ts";
import { type Peer, Roster } from "./roster.ts";
import { type StateOwner, type StateRefusal, type StateSettings, StateTable } from "./state_table.ts";

/** Why a member left, as others are told. */
export type LeaveReason = "closed" | "lost" | "behind" | "timeout";

export type { Peer } from "./roster.ts";

/** What a room needs of the settings. */
type RoomSettings = FeedSettings & StateSettings;

const NONE: readonly number[] = [];

/** A place in which everybody hears everybody. */
export class Room {
  /** What sessions read: events, and control lines that are for all. */
  readonly sessions: Feed;
  readonly state: StateTable;
  /** Who others see here. */
  readonly roster: Roster;
  /** Owns the values that stay when their setter leaves. */
  readonly owner: StateOwner = {};
  /** Lines for some of its members alone. */
  readonly #post: Post;
  readonly #settings: RoomSettings;
  readonly #onNews: (news: Feed | Post, mayWait?: boolean) => void;
  readonly #onEmpty: () => void;
  readonly #onPresence: () => void;
  #plain: Feed | undefined;
  #presenceChangedAt = 0;
  readonly #hosts = new Hosts<Peer>();
  #hostChangedAt = 0;
  /** Who holds values of the room, which go with it: whoever sets the key next decides that anew. */
  readonly #holders = new Map<string, Peer>();

  /**
   * @param onNews is called with a feed whenever something changed for all who read it, and with the post for
   * some of them
   * @param onEmpty is called when the last of its readers has left
   * @param onPresence is called when others see one more or one less here
   */
  constructor(
    readonly name: string,
    settings: RoomSettings,
    onNews: (news: Feed | Post, mayWait?: boolean) => void,
    onEmpty: () => void = () => {},
    /** How many sessions may be here; no limit if it is undefined. */
    readonly maxMembers?: number,
    onPresence: () => void = () => {},
  ) {
    this.sessions = new Feed("session", settings, onNews);
    this.state = new StateTable(settings);
    this.roster = new Roster(this.state);
    this.#post = new Post(onNews);
    this.#settings = settings;
    this.#onNews = onNews;
    this.#onEmpty = onEmpty;
    this.#onPresence = onPresence;
  }

  /** What plain members read; made for the first of them, as they are in the lobby alone. */
  get plain(): Feed {
    return this.#plain ??= new Feed("plain", this.#settings, this.#onNews);
  }

  /** Those feeds that somebody has read. */
  get feeds(): readonly Feed[] {
    return this.#plain === undefined ? [this.sessions] : [this.#plain, this.sessions];
  }

  /** The memory that their logs take, in bytes. */
  get logBytes(): number {
    return (this.#plain?.logBytes ?? 0) + this.sessions.logBytes;
  }

  /** Whether nobody is here, or expected back. */
  get isEmpty(): boolean {
    return this.sessions.size === 0 && (this.#plain?.size ?? 0) === 0;
  }

  /** Ends the part of who reads `feed` (of this room). With the last one the room's own values go. */
  leave(reader: Reader, feed: Feed): void {
    const wasEmpty = this.isEmpty;
    feed.leave(reader);
    if (wasEmpty || !this.isEmpty) return;
    this.state.removeOwner(this.owner);
    this.#onEmpty();
  }

  /** Gives up what it holds, as soon as nobody reads it any more. Nobody may enter any more. */
  close(): void {
    for (const feed of this.feeds) feed.close();
    this.state.close();
  }

  /** The offset in the session feed from which on nobody has come or gone. */
  get presenceChangedAt(): number {
    return this.#presenceChangedAt;
  }

  /** Whether there is no place for another session; those that may come back keep theirs. */
  get isFull(): boolean {
    return this.maxMembers !== undefined && this.sessions.size >= this.maxMembers;
  }

  /** Who leads; undefined if nobody here may. */
  get host(): Peer | undefined {
    return this.#hosts.host;
  }

  /** The offset in the session feed from which on the host is who it is. */
  get hostChangedAt(): number {
    return this.#hostChangedAt;
  }

  /** The line that says who leads. */
  get hostLine(): Uint8Array {
    return encodeControl("host", { id: this.host?.id });
  }

  /** Makes another the host, `to` or who comes next, among who may be and is connected. */
  passHost(to?: Peer): void {
    if (this.#hosts.pass(to)) this.#tellHost();
  }

  #tellHost(): void {
    const line = this.hostLine;
    this.sessions.append(line, 0, line.length, 0);
    this.#hostChangedAt = this.sessions.end;
  }

  /** Who others see here. */
  peers(): Iterable<Peer> {
    return this.roster.peers();
  }

  /**
   * The offset in the session feed from which on a member is known to who reads there; Infinity if it isn't
   * here.
   */
  presentSince(owner: StateOwner): number {
    return owner === this.owner ? 0 : this.roster.since(owner.id!) ?? Infinity;
  }

  /**
   * Appends events for everybody but `sender`, who reads `feed` (of this room). Costs the same for any number
   * of members. Those that begin at `lookalikes` look like control lines and are none: sessions get them with
   * a space before, and plain members get some of them so.
   */
  say(
    sender: Reader,
    feed: Feed,
    bytes: Uint8Array,
    start: number,
    end: number,
    lines: number,
    lookalikes: readonly number[] = NONE,
  ): void {
    if (lookalikes.length > 0) {
      this.#sayEscaped(this.#plain, feed, sender, bytes, start, end, lines, likeAnswers(bytes, lookalikes));
      this.#sayEscaped(this.sessions, feed, sender, bytes, start, end, lines, lookalikes);
      return;
    }
    this.#plain?.append(bytes, start, end, lines, feed === this.#plain ? sender : undefined, sender);
    this.sessions.append(bytes, start, end, lines, feed === this.sessions ? sender : undefined, sender);
  }

  #sayEscaped(
    to: Feed | undefined,
    from: Feed,
    sender: Reader,
    bytes: Uint8Array,
    start: number,
    end: number,
    lines: number,
    places: readonly number[],
  ): void {
    if (to === undefined || to.size === 0) return; // it costs something to write
    const own = from === to ? sender : undefined;
    if (places.length === 0) return to.append(bytes, start, end, lines, own, sender);
    const escaped = withSpaces(bytes, start, end, places);
    to.append(escaped, 0, escaped.length, lines, own, sender);
  }

  /**
   * Hands a letter to some members, behind all that was said before it. Costs nothing for anybody else.
   */
  deliver(letter: Letter, receivers: Iterable<Receiver>): void {
    const place = letter.lines > 0 ? this.sessions.openPlace() : this.sessions.end,
      nowMs = this.#settings.clock();
    for (const receiver of receivers) {
      receiver.receive(letter, place, nowMs);
      this.#post.note(receiver, letter.length);
    }
  }

  /** Shows a member to the others. `reader` is its own, which is not told. */
  enter(peer: Peer, reader?: Reader): void {
    const { joinLine } = peer;
    this.sessions.appendPatient(joinLine, reader);
    this.#presenceChangedAt = this.sessions.end;
    this.roster.add(peer, this.sessions.end);
    this.#onPresence();
    if (this.#hosts.add(peer)) this.#tellHost();
  }

  /** Takes a member from the others' sight. */
  exit(peer: Peer, reason: LeaveReason, reader?: Reader): void {
    if (!this.roster.delete(peer)) return;
    this.#onPresence();
    if (this.sessions.size > 0) {
      this.sessions.appendPatient(encodeControl("leave", { id: peer.id, reason }), reader);
    }
    this.#presenceChangedAt = this.sessions.end;
    if (this.#hosts.delete(peer)) this.#tellHost();
    for (const [key, holder] of this.#holders) {
      if (holder === peer) this.set(peer, key, undefined, true);
    }
  }

  /**
   * Notes whether a key of the room that was just set goes with its setter: who holds it goes on to, whatever
   * value it gives it.
   */
  #noteHold(setter: Peer, key: string, isHeld: boolean): void {
    if (isHeld) this.#holders.set(key, setter);
    else this.#holders.delete(key);
  }

  /** Sets a value of the room, unless it has one: returns that, as JSON, or why the new one was not taken. */
  claim(
    setter: Peer,
    key: string,
    value: Uint8Array,
    isHeld: boolean,
  ): { value: string } | StateRefusal | undefined {
    const winner = this.state.find(this.owner, key)?.value;
    return winner === undefined ? this.set(setter, key, value, true, isHeld) : { value: winner };
  }

  /**
   * Sets a value (JSON, which is copied), of the member or of the room; removes it if it is undefined. One of
   * the room that `isHeld` goes when its setter does. Only sessions hear of it: to a plain member it would
   * look like an event.
   */
  set(
    setter: Peer,
    key: string,
    value: Uint8Array | undefined,
    isRoom: boolean,
    isHeld = false,
  ): StateRefusal | undefined {
    const refusal = this.state.set(isRoom ? this.owner : setter, key, value, setter.id);
    if (refusal !== undefined) return refusal;
    if (isRoom) {
      const isHolder = isHeld || this.#holders.get(key) === setter;
      this.#noteHold(setter, key, value !== undefined && isHolder); // what is removed nobody holds
    } else this.roster.touch(setter);
    this.#onNews(this.sessions);
  }
}
