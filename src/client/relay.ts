// The Relay that a program gets from connect(): here lines become events and events become lines, and what is
// lost is told. Touches no socket and keeps no connection alive, its link does. Imports nothing but files of
// this repository, so it can be imported by URL.
//
//   send(event) ─→ JSON, LF ─→ Link ⇄ relay     Link ─→ line ─→ control line? JSON? schema? ─→ Inbox ─→ drain()
//                                                                                                  └─→ for await

import { printable, quote } from "../wire/untrusted.ts";
import { readErrorLine, type RelayError } from "./session/relay_control.ts";
import { CONTROL_OPENING, encodeSet, keyFault, LOBBY, type Tag } from "../wire/protocol.ts";
import {
  type ClaimOptions,
  readClaimOptions,
  readRequestOptions,
  readRoomsOptions,
  type RequestOptions,
  type RoomsOptions,
  type SetOptions,
} from "./call_options.ts";
import { checkOptions } from "./check.ts";
import { watchPageLife } from "./page_life.ts";
import { versionNotice } from "./version_notice.ts";
import { VERSION } from "../wire/version.ts";
import { type Addressee, encodeLetters, readReceivers, type SendOptions } from "./receivers.ts";
import { readRoomList, type RoomList } from "./room_list.ts";
import { DrainWatch } from "./drain_watch.ts";
import { Inbox } from "./inbox.ts";
import { Link } from "./link/link.ts";
import { LossTally } from "./loss_tally.ts";
import { forgiving, MAX_REASON_LENGTH } from "./session/asks.ts";
import type { Status, StatusDetail } from "./link/status.ts";
import { type ConnectOptions, readOptions, type Stats } from "./options.ts";
import { rateLimit } from "./frames.ts";
import type { MemberState, ReadState, RoomState } from "./state_types.ts";
import type { Peer } from "./session/roster.ts";
import type { Lost } from "./session/lost.ts";
import { Session } from "./session/session.ts";
import type { Origin } from "./session/stream_marks.ts";
import { eventChecker } from "./standard_schema.ts";
import { parseTarget, type Target, withoutRoom } from "./target.ts";
import { PlainSpeaker } from "./plain.ts";
import { transportFor } from "./link/open_transport.ts";
import { pageLocation, runtime } from "./link/runtime.ts";
import { afterThisTurn } from "./link/after_turn.ts";

/**
 * The most that the waiting events may take, in characters of their lines: what bounds the memory when events
 * are large.
 */
const MAX_INBOX_CHARACTERS = 32 * 1024 * 1024;

/** What an event takes beside its line, in characters. */
const EVENT_COST = 32;

/** The bytes a received line may have without an end; no relay keeps more of a whole room. */
const MAX_UNFINISHED_BYTES = 8 * 1024 * 1024;

const encoder = new TextEncoder();

/** A received event, and where it comes from. */
export interface Message<E = unknown, S extends object = Record<string, unknown>> {
  /** What was sent. */
  readonly event: E;
  /**
   * Who sent it, also if it has left since; `undefined` for a plain client. It is certain: the relay says so,
   * and nobody can speak in another's name.
   */
  readonly from: Peer<MemberState<S>> | undefined;
  /**
   * When the relay received it, in ms on its clock as {@linkcode Relay.now} tells it; up to 100 ms too early,
   * as the relay marks its stream ten times a second. With `{ plain: true }` when it came here, by the local
   * clock.
   */
  readonly time: number;
}

/** Makes a relay object and opens it; only {@linkcode connect} may. */
let open: <E, S extends object>(
  target: Target | undefined,
  options: ConnectOptions<E, S>,
) => Promise<Relay<E, S>>;

/**
 * A program's end of a relay: what it sends goes to everybody else in its room, what they send arrives here.
 *
 * Made by {@linkcode connect}. It reconnects by itself, until `close()`. Order is kept per sender. Received
 * events wait in an inbox that `drain()` and iterators share.
 *
 * A *session*, the usual case, goes on over a broken connection: what was under way in both directions is
 * completed, none of it lost or doubled, as long as the relay keeps it (30 s, unless it says otherwise); what
 * is sent meanwhile is kept within `offlineBytes`. A silent connection counts as broken after 15 s, or what
 * the relay says. If a session can't go on (the relay was restarted, or the connection was away for too
 * long), the relay object becomes a new member with another `id`: `onStatus` gets `resumed: false`, `onLost`
 * says what can't be known, the member's state is set again, `peers` and `state` are brought up to date with
 * a call for each difference. Of the room's own state this program sets again, after a restart of the relay,
 * what it was the last to set, where nothing stands; where the relay ran on, the room is as others left it.
 * Changes not sent yet go out in any case.
 *
 * Whatever is dropped, here or by the relay, is told by `onLost`.
 *
 * A *plain* one knows events alone. What the network had taken when a connection broke may be lost; what it
 * had not is sent again whole, and so is what was sent meanwhile, within `offlineBytes`. A relay that
 * vanishes without ending its connections (power, cable) is noticed only by a program that sends, 30 s after
 * nothing more of it was taken. Its `id` and `name` are empty, so are `peers` and `state`; `set()` and
 * `unset()` throw; `rtt`, `jitter` and `lag` are 0; `now()` is the local clock.
 */
export class Relay<E = unknown, S extends object = Record<string, unknown>>
  implements AsyncIterable<E, undefined>, AsyncDisposable {
  readonly #target: Target | undefined;
  readonly #inbox: Inbox<E, Origin>;
  readonly #link: Link;
  readonly #session: Session | undefined;
  readonly #check: ((value: unknown) => E) | undefined;
  /** What the program asked for; the types of its state are its own affair. */
  readonly #options: ConnectOptions<E>;
  readonly #maxLineBytes: number;
  readonly #drainWatch = new DrainWatch();
  readonly #losses = new LossTally((lost) => this.#tellLost(lost));
  readonly #mayWarn = rateLimit(1);
  readonly #onAbort: () => void;
  #unwatchPage: () => void = () => {};
  #closed: Promise<void> | undefined;
  /**
   * Callbacks that wait until `connect()` has given its caller the relay object; `undefined` from then on.
   */
  #held: (() => void)[] | undefined = [];
  #cancelHeld: (() => void) | undefined;
  /** The origin of what a plain client receives in this turn. */
  #plainOrigin: Origin | undefined;
  #received = 0;
  #invalid = 0;
  #errors = 0;
  #lost = 0;
  /** How much of what was given to `send()` and dropped has been noted as lost. */
  #notedDrops = { lines: 0, bytes: 0 };
  #hasWarned = false;
  /** Whether the page is hidden, and whether this member has passed the host on for that. */
  #isHidden = false;
  #hasPassedHost = false;

  /** The name it gave itself; empty if none, or plain. */
  readonly name: string;
  /**
   * The other sessions in the room by their id: a live view, which changes as they come and go. Plain clients
   * are not in it. A peer's `state` is what it has set.
   */
  readonly peers: ReadonlyMap<string, Peer<MemberState<S>>>;
  /** The room's own values by key, those that won, as the relay tells: a live view. */
  readonly state: ReadState<RoomState<S>>;

  static {
    open = async <E, S extends object>(target: Target | undefined, options: ConnectOptions<E, S>) => {
      const relay = new Relay<E, S>(target, options);
      await relay.#open();
      return relay;
    };
  }

  private constructor(target: Target | undefined, options: ConnectOptions<E, S>) {
    const page = pageLocation();
    const address = parseTarget(target, page);
    const isSecure = page?.protocol === "https:";
    const settings = readOptions(options as unknown as ConnectOptions<never>, address, isSecure);
    const { plain, room, name, token, simulate, tls, inboxLimit, maxLineBytes } = settings;
    const { offlineBytes, maxQueuedBytes, echo, canHost, maxMembers, any } = settings;
    this.#target = target;
    const told = this.#options = options as unknown as ConnectOptions<E>;
    this.#maxLineBytes = maxLineBytes;
    this.#check = options.schema === undefined ? undefined : eventChecker(options.schema);
    this.#inbox = new Inbox({ maxEvents: inboxLimit, maxSize: MAX_INBOX_CHARACTERS });
    const maxUnfinishedBytes = Math.max(MAX_UNFINISHED_BYTES, maxLineBytes);
    const onInvalidLine = (line: string, error: Error) => this.#onInvalidLine(line, error);
    const session = plain ? undefined : new Session({
      room,
      name,
      token,
      simulate,
      echo,
      canHost,
      maxMembers,
      any,
      maxUnfinishedBytes,
      sink: {
        onEvent: (line, isRepair, origin) => this.#onEvent(line, origin, isRepair),
        onInvalidLine,
        onError: (error) => this.#onError(error),
        onRelayVersion: noticeVersion,
        onLost: (lost) => this.#onLost(lost),
        onJoin: (peer) => this.#tellOnceOpen(told.onJoin, peer),
        onLeave: (peer, reason) => this.#tellOnceOpen(told.onLeave, peer, reason),
        onState: (peer, key, value) => this.#tellOnceOpen(told.onState, peer, key, value),
        onHost: (host) => this.#onHost(host),
        onQuestion: (line, from, ask) => this.#tellOnceOpen(() => void this.#answerQuestion(line, from, ask)),
      },
    });
    this.#session = session;
    this.name = plain ? "" : name;
    this.peers = (session?.peers ?? new Map()) as ReadonlyMap<string, Peer<MemberState<S>>>;
    this.state = session?.state ?? Object.create(null);
    this.#link = new Link({
      address,
      openTransport: transportFor(address, tls),
      offlineBytes,
      maxQueuedBytes,
      speaker: session ??
        new PlainSpeaker(maxUnfinishedBytes, { onLine: (line) => this.#onPlainLine(line), onInvalidLine }),
      onStatus: (status, detail) => this.#onStatus(status, detail),
    });
    this.#onAbort = () => void this.close();
  }

  /**
   * What names this member to others; another one after a session that could not be resumed. Empty if plain.
   */
  get id(): string {
    return this.#session?.id ?? "";
  }

  /** The room it is in. */
  get room(): string {
    return this.#session?.room ?? LOBBY;
  }

  /**
   * Who leads the room: the member that has been there longest of those that may (`canHost`) and are
   * connected, until it leaves, has lost its connection for 5 s, has been silent for 60 % of the relay's
   * ping timeout (9 s of 15 s; its program stands still), or passes it on. There is one as long as anybody may. All learn of a change at the same place
   * among the events (`onHost`). May be this member itself, as a peer with its `id`;
   * `undefined` if nobody leads, and plain.
   */
  get host(): Peer<MemberState<S>> | undefined {
    return this.#session?.host as Peer<MemberState<S>> | undefined;
  }

  /** Whether this member leads the room now. False while it has no connection: another one may by then. */
  get isHost(): boolean {
    return this.#session?.isHost === true && this.status === "connected";
  }

  /** The time from here to the relay and back, in ms, smoothed as TCP does it (RFC 6298). */
  get rtt(): number {
    return this.#session?.clock.rttMs ?? 0;
  }

  /** How much the time from the relay to here varies, in ms, as RFC 3550 reckons it. */
  get jitter(): number {
    return this.#session?.clock.jitterMs ?? 0;
  }

  /**
   * How old, in ms, the newest thing received was when it came: half a round trip when all is well. Events
   * older than the relay's `maxLagMs` plus a round trip are not given to the program but counted, see
   * `onLost`.
   */
  get lag(): number {
    return this.#session?.lagMs ?? 0;
  }

  /**
   * Tells the time on the relay's clock, in ms since 1970 with fractions: the same moment has the same time
   * on all clients, so a time in an event means the same to all. It never steps back (but after a restart of
   * the relay on another clock) and is corrected by 5 ms a second at most, once the first eight answers are
   * there.
   *
   * It is wrong by at most half the shortest round trip among the last eight (Cristian, 1989), plus the drift
   * of the clocks since. Two clients agree within half the sum of their round trips; within half the
   * difference where neither has a longer way out and the other a longer way back.
   */
  now(): number {
    const localMs = performance.now();
    return this.#session?.clock.now(localMs) ?? performance.timeOrigin + localMs;
  }

  /** What it is doing; `closed` once `close()` is through. */
  get status(): Status {
    return this.#link.status;
  }

  /** What it has counted so far: a copy, which doesn't change. */
  get stats(): Stats {
    const link = this.#link;
    const [droppedSent, droppedReceived] = [link.droppedLines, this.#inbox.dropped];
    return {
      sent: link.sentLines,
      waiting: link.waitingLines,
      received: this.#received,
      dropped: droppedSent + droppedReceived,
      droppedSent,
      droppedReceived,
      lost: this.#lost,
      invalid: this.#invalid,
      errors: this.#errors,
      reconnects: link.reconnects,
      bytesSent: link.sentBytes,
      bytesReceived: link.receivedBytes,
    };
  }

  /**
   * Sends an event to everybody else in the room. Never blocks, and never throws because of the network.
   *
   * What is sent in one turn of the event loop goes out in one write. While there is no connection, or one
   * that takes nothing, up to `offlineBytes` of new events are kept beside what waited, and up to
   * `maxQueuedBytes` otherwise; the oldest are dropped first, counted and told by `onLost`. After `close()`
   * it is dropped, counted and told.
   *
   * With `to` only those members get it, also oneself if named: in the order of what is sent to all, once
   * over a broken connection, told by `onLost` where they are skipped ahead, never seen by anybody else. Who
   * has left gets nothing: `onError` is told (`no_such_peer`, with the `ids`). What waits for single members
   * is dropped if the relay was restarted, as their ids are others' then.
   *
   * As with `JSON.stringify`, NaN becomes null and properties that are
   * undefined or functions are left out.
   *
   * @throws {TypeError} when JSON can't hold it: undefined, a function, a symbol, a BigInt, a cycle; when
   * `to` names nobody it could be, or the relay object is plain
   * @throws {RangeError} when it is longer than `maxLineBytes`, with an id if it is for single members
   */
  send(event: unknown, options?: SendOptions): void {
    const text = stringify("send event", event);
    if (options !== undefined) return this.#sendTo(text, readReceivers(options));
    // Only control lines begin so; an event that does is sent with a space before it.
    const line = encoder.encode(`${text.startsWith(CONTROL_OPENING) ? " " : ""}${text}\n`);
    const bytes = line.length - 1, limit = this.#lineLimit;
    if (bytes > limit) {
      throw new RangeError(`Cannot send event: it has ${bytes} bytes, maxLineBytes is ${limit}`);
    }
    this.#link.send(line);
    this.#noteDrops();
  }

  /**
   * Sets a value that others see as `peers.get(id)?.state[key]`, also those who come later, until this member
   * leaves.
   *
   * Only the newest value of a key matters: of several in one turn, or while away, only the last is sent, and
   * slow members may miss those in between. Its order relative to events is not kept. The value is taken as
   * it is now. It is set again after a session that could not be resumed. Plain clients hear nothing of it:
   * tell them with `send`.
   *
   * @example
   * ```ts
   * import { connect } from "../../client.ts";
   *
   * async function play(target: string) {
   *   await using relay = await connect(target, { name: "ada" }); // such as "ifilab100:32100/pong"
   *   relay.set("ball", { pos: [3, 4] });
   *   for (const peer of relay.peers.values()) console.log(peer.name, peer.state.ball);
   * }
   * ```
   *
   * A value that the relay refuses all the same (the room is full) is told by `onError`, with its `key`.
   * After `close()` nothing is set.
   *
   * @throws {TypeError} when JSON can't hold the value, the key is not a string, an option is none, or the
   * relay object is plain
   * @throws {RangeError} when the key has not 1 to 128 characters, or when there are more keys (of this
   * member, or of the room as far as it is known here), or the value has more bytes, than the relay allows
   * (256, 16 KiB)
   */
  set<K extends keyof RoomState<S> & string>(
    key: K,
    value: RoomState<S>[K],
    options: SetOptions & { room: true },
  ): void;
  /** Sets a value of this member. */
  set<K extends keyof MemberState<S> & string>(
    key: K,
    value: MemberState<S>[K],
    options?: SetOptions & { room?: false },
  ): void;
  /** Sets a value of either. */
  set<K extends keyof RoomState<S> & keyof MemberState<S> & string>(
    key: K,
    value: RoomState<S>[K] & MemberState<S>[K],
    options?: SetOptions,
  ): void;
  set(key: string, value: unknown, options: SetOptions = {}): void {
    const session = this.#sessionFor(key, options);
    const json = stringify("set state", value);
    const { room = false } = options;
    const { limits } = session;
    if (limits !== undefined) {
      const { maxKeys, maxLineBytes } = limits;
      this.#checkValue(session, json);
      const lineBytes = encodeSet(key, json, room).length - 1;
      if (lineBytes > maxLineBytes) {
        throw new RangeError(
          `Cannot set state: with its key it has ${lineBytes} bytes, maxLineBytes is ${maxLineBytes}`,
        );
      }
      const keys = this.#countKeysBeside(session, key, room);
      if (keys >= maxKeys) {
        throw new RangeError(`Cannot set state: ${keys} keys are set, maxKeys is ${maxKeys}`);
      }
    }
    this.#set(session, key, json, room);
  }

  /**
   * Removes a key, as {@linkcode Relay.set} sets it; does nothing if it has no value. Throws as `set()` does.
   */
  unset(key: (keyof RoomState<S> | keyof MemberState<S>) & string, options: SetOptions = {}): void {
    this.#set(this.#sessionFor(key, options), key, undefined, options.room === true);
  }

  /**
   * Asks a member something, and resolves with what its `onRequest` answers. Question and answer keep their
   * place among the events, and outlive a broken connection; they are no events of `drain()`.
   *
   * @example
   * ```ts
   * import { connect } from "../../client.ts";
   *
   * async function ask(target: string) {
   *   await using relay = await connect(target, { onRequest: (event, from) => `${from.name} asks ${event}` });
   *   for (const peer of relay.peers.values()) console.log(await relay.request(peer, "ready?"));
   * }
   * ```
   *
   * @param peer a member or its id; it may be this one
   * @param options `timeoutMs`: how long to wait, in ms, up to Infinity. Default: 10 s
   * @throws {TypeError} when JSON can't hold the event, an option is none, or the relay object is plain
   * @throws {RangeError} when the event is too long, or `timeoutMs` is not above 0
   * @throws {RequestError} when there is no answer; its `code` says why. After `close()`: `closed`
   */
  request(peer: Addressee, event: unknown, options: RequestOptions = {}): Promise<unknown> {
    return forgiving(() => this.#request(peer, event, options));
  }

  #request(peer: Addressee, event: unknown, options: RequestOptions): Promise<unknown> {
    const session = this.#needSession("request");
    const timeoutMs = readRequestOptions(options);
    const [id] = readReceivers({ to: peer });
    const text = stringify("send request", event);
    const { ask, answer } = session.asks.open(`request ${quote(id)}`, id, timeoutMs);
    try {
      if (this.#closed !== undefined) session.asks.failAll("closed", "the relay object is closed");
      else this.#sendTo(text, [id], { ask });
    } catch (error) {
      session.asks.settle(ask, undefined, id);
      throw error;
    }
    return answer;
  }

  /**
   * Sets a key of the room that has no value, and resolves with true for exactly one of all that try, however
   * close together; with false if it has one already. `relay.state` shows the winner's value by then, or what
   * came later.
   *
   * The key is free again when it is removed (`unset(key, { room: true })`), with `hold` also when this
   * member leaves or has lost its connection for 5 s. Outlives a broken connection.
   *
   * @param options `hold`; `timeoutMs`: how long to wait, in ms, up to Infinity. Default: 30 s
   * @throws {TypeError} as {@linkcode Relay.set} does
   * @throws {RangeError} as {@linkcode Relay.set} does, and when `timeoutMs` is not above 0
   * @throws {RequestError} when it could not be decided: the room is full (`too_many_keys`, `state_full`), or
   * the relay object is closed; when the session could not go on (`not_resumed`) or the relay has not
   * answered in time (`timeout`), and it may have been decided or not: `relay.state` tells
   */
  claim<K extends keyof RoomState<S> & string>(
    key: K,
    value: RoomState<S>[K],
    options: ClaimOptions = {},
  ): Promise<boolean> {
    return forgiving(() => this.#claim(key, value, options));
  }

  #claim(key: string, value: unknown, options: ClaimOptions): Promise<boolean> {
    const session = this.#sessionFor(key, {});
    const { hold, timeoutMs } = readClaimOptions(options);
    const json = stringify("set state", value);
    this.#checkValue(session, json);
    const answer = this.#ask(session, `claim ${quote(key)}`, timeoutMs, (ask) => {
      const fields = JSON.stringify({ ask, key, ...(hold ? { hold } : {}) });
      return `{"$claim":${fields.slice(0, -1)},"value":${json}}}`;
    });
    return answer.then((body) => {
      const hasWon = (body as { won?: unknown }).won === true;
      if (hasWon && hold) session.source.room.hold(key, true);
      return hasWon;
    });
  }

  /**
   * Asks the relay which rooms there are: the fullest first, up to 100, and how many `more`. Those whose name
   * begins with a dot are left out. Waits while there is no connection.
   *
   * @param options `timeoutMs`: how long to wait, in ms, up to Infinity. Default: 10 s
   * @throws {TypeError} when an option is none, or the relay object is plain
   * @throws {RangeError} when `timeoutMs` is not above 0
   * @throws {RequestError} when there is no answer: not in time (`timeout`), the session could not go on, or
   * the relay object is closed
   */
  rooms(options: RoomsOptions = {}): Promise<RoomList> {
    return forgiving(() => this.#rooms(options));
  }

  #rooms(options: RoomsOptions): Promise<RoomList> {
    const session = this.#needSession("list rooms");
    const write = (ask: string) => `{"$rooms":${JSON.stringify({ ask })}}`;
    return this.#ask(session, "list rooms", readRoomsOptions(options), write).then(readRoomList);
  }

  /**
   * Connects to the same relay once more, as another member, in the first room of that name that has a place:
   * `room` itself, or `room-2` and so on, or opens it. The relay decides at once for all who ask, so two that
   * call it with `maxMembers: 2` meet. The options are those of {@linkcode connect}; target, name, token, encryption and
   * schema are this one's unless named, callbacks are not. This relay object stays as it is; it may be
   * closed.
   *
   * @throws {TypeError} when the relay object is plain, or the room is the lobby, which is one
   * @throws as {@linkcode connect} does
   */
  // deno-lint-ignore require-await -- what is wrong rejects, too: one way for all errors
  async joinAny(room: string, options: ConnectOptions<E, S> = {}): Promise<Relay<E, S>> {
    this.#needSession("join a room");
    const { name, token, tls, schema } = this.#options;
    const target = withoutRoom(this.#target);
    return open(target, { name, token, tls, schema, ...options, room, any: true });
  }

  /**
   * Makes another member the host: `peer`, or without one the member that has been there longest of the
   * others that may and are connected; if there is none, all stays as it is. Does nothing if this member is
   * not the host, or after `close()`. A page that gets hidden does it by itself. Where the relay refuses,
   * `onError` is told: `cannot_host` (it may not, or is away), `no_such_peer`, `not_host` (another one is by
   * now).
   *
   * @throws {TypeError} when `peer` is neither a member nor an id, or the relay object is plain
   */
  passHost(peer?: Addressee): void {
    const session = this.#needSession("pass the host on");
    const [id] = peer === undefined ? [] : readReceivers({ to: peer });
    if (!session.isHost || this.#closed !== undefined) return;
    session.source.ask(encoder.encode(`{"$host":${JSON.stringify({ id })}}\n`));
    this.#link.flush();
  }

  /**
   * Takes all events that have arrived since the last call, oldest first. Returns at once; also after
   * `close()`, for what is left. Shares the inbox with iterators: each event goes to whoever takes it first.
   *
   * A loop that calls it has to await something in between, such as `frames()`: otherwise nothing ever
   * arrives.
   */
  drain(): E[] {
    this.#watchLoop("drain");
    return this.#inbox.takeAll();
  }

  /**
   * Takes all events that have arrived since the last call, as `drain()` does, each with who sent it and
   * when: `{ event, from, time }`. Returns at once, also after `close()`. Shares the inbox with `drain()` and
   * iterators.
   *
   * With `{ plain: true }` nobody knows who sent an event: `from` is `undefined`.
   *
   * @example
   * ```ts
   * import { connect } from "../../client.ts";
   *
   * async function listen(target: string) {
   *   await using relay = await connect(target);
   *   for await (const { event, from } of relay.eachMessage()) console.log(from?.name ?? "somebody", event);
   * }
   * ```
   */
  messages(): Message<E, S>[] {
    this.#watchLoop("messages");
    return this.#inbox.takeAllAs(toMessage<E, S>);
  }

  /**
   * Waits for each event in turn, as `for await (const event of relay)` does, and gives it with who sent it
   * and when, as `messages()` does. Ends after `close()`, when what was left has been taken.
   */
  eachMessage(): AsyncIterableIterator<Message<E, S>, undefined> {
    return this.#inbox.iterate(toMessage<E, S>);
  }

  /**
   * Waits for each event in turn. Goes on waiting while the connection is away; ends after `close()`, when
   * what was left has been taken. `break` loses nothing. Several iterators share the events, each goes to one
   * of them.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<E, undefined> {
    return this.#inbox.iterate((event) => event);
  }

  /**
   * Writes out what was sent, says goodbye and closes the connection, within a second. Nothing more is
   * received from the call on, and no more is told but the status, and by `onLost` what could not be sent;
   * what is left can still be taken. Never rejects; may be called again.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** Does what `close()` does: `await using relay = await connect(…)`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** How long a line may be, in bytes without its LF. */
  get #lineLimit(): number {
    return Math.min(this.#maxLineBytes, this.#session?.limits?.maxLineBytes ?? Infinity);
  }

  #sendTo(text: string, ids: readonly string[], tag?: Tag): void {
    if (this.#session === undefined) {
      throw new TypeError(
        "Cannot send event: a plain client knows nobody to send it to, connect without { plain: true }",
      );
    }
    for (const line of encodeLetters(text, ids, this.#lineLimit, tag)) this.#link.send(line);
    this.#noteDrops();
  }

  #needSession(verb: string): Session {
    if (this.#session !== undefined) return this.#session;
    throw new TypeError(`Cannot ${verb}: a plain client has no session, connect without { plain: true }`);
  }

  /** Asks the relay; `write(ask)` makes the line, without its LF. */
  #ask(
    session: Session,
    what: string,
    timeoutMs: number,
    write: (ask: string) => string,
  ): Promise<unknown> {
    const { ask, answer } = session.asks.open(what, undefined, timeoutMs);
    if (this.#closed !== undefined) session.asks.failAll("closed", "the relay object is closed");
    else {
      const line = encoder.encode(write(ask) + "\n"), bytes = line.length - 1;
      if (bytes > this.#lineLimit) {
        session.asks.settle(ask, undefined); // the relay would not read it, so it would never answer
        throw new RangeError(`Cannot ${what}: it has ${bytes} bytes, maxLineBytes is ${this.#lineLimit}`);
      }
      session.source.ask(line);
      this.#link.flush();
    }
    return answer;
  }

  async #answerQuestion(line: string, from: Peer, ask: string): Promise<void> {
    const { onRequest } = this.#options;
    let text: string, tag: Tag = { reply: ask };
    try {
      if (onRequest === undefined) throw new Error("it answers no requests");
      text = stringify("answer", await onRequest(JSON.parse(line), from) ?? null);
    } catch (error) {
      const why = describeThrown(error);
      [text, tag] = [JSON.stringify(why.slice(0, MAX_REASON_LENGTH)), { reply: ask, failed: true }];
    }
    if (this.#closed !== undefined) return;
    try {
      this.#sendTo(text, [from.id], tag);
    } catch (error) { // it is too long
      this.#sendTo(JSON.stringify((error as Error).message), [from.id], { reply: ask, failed: true });
    }
  }

  #onHost(host: Peer | undefined): void {
    this.#tellOnceOpen(this.#options.onHost, host);
    this.#passHostIfHidden();
  }

  /** Passes the host on, once while the page is hidden: where all are, one of them has to be it. */
  #passHostIfHidden(): void {
    if (!this.#isHidden || this.#hasPassedHost || this.#session?.isHost !== true) return;
    this.#hasPassedHost = true;
    this.passHost();
  }

  #watchLoop(call: string): void {
    if (!this.#drainWatch.noteCall()) return;
    console.warn(
      `eventrelay: ${call}() is called in a loop that never awaits, so the network never gets to run and ` +
        "nothing can arrive. Tick the loop with: for await (const seconds of frames(30)) { … }",
    );
  }

  #set(session: Session, key: string, json: string | undefined, isRoom: boolean): void {
    // What the member has set itself goes with it.
    if (this.#closed !== undefined) return isRoom ? this.#losses.note("closed", 0, 0, [key]) : undefined;
    session.source.set(key, json, isRoom);
    this.#link.flush();
  }

  #checkValue({ limits }: Session, json: string): void {
    const bytes = encoder.encode(json).length, most = limits?.maxValueBytes ?? Infinity;
    if (bytes > most) {
      throw new RangeError(`Cannot set state: it has ${bytes} bytes, maxValueBytes is ${most}`);
    }
  }

  /** Counts the keys of this member, or of the room as far as it is known here; 0 if `key` is one of them. */
  #countKeysBeside(session: Session, key: string, isRoom: boolean): number {
    const { source, state } = session;
    if (!isRoom) return source.member.has(key) ? 0 : source.member.size;
    if (Object.hasOwn(state, key)) return 0;
    const keys = new Set(source.roomKeysUnderWay());
    if (keys.has(key)) return 0;
    for (const each of Object.keys(state)) {
      if (!source.room.isNews(each) || source.room.has(each)) keys.add(each); // not those that are being removed
    }
    return keys.size;
  }

  async #open(): Promise<void> {
    const { signal, retry = false } = this.#options;
    signal?.throwIfAborted();
    signal?.addEventListener("abort", this.#onAbort);
    this.#unwatchPage = watchPageLife({
      onHide: () => {
        this.#isHidden = true;
        this.#passHostIfHidden();
      },
      onWake: () => {
        this.#isHidden = this.#hasPassedHost = false;
        this.#link.wake();
      },
      onLeave: () => void this.close(),
    });
    try {
      await this.#link.open(retry);
      signal?.throwIfAborted(); // aborted by a callback
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#cancelHeld = afterThisTurn(() => {
      const held = this.#held!;
      this.#held = undefined;
      for (const callback of held) callback();
    });
  }

  async #close(): Promise<void> {
    const { signal } = this.#options;
    signal?.removeEventListener("abort", this.#onAbort);
    this.#drainWatch.stop();
    this.#unwatchPage();
    this.#cancelHeld?.();
    if (this.#cancelHeld !== undefined) this.#held = undefined; // what is lost from now on is told at once
    this.#inbox.close();
    this.#losses.flush();
    this.#session?.asks.failAll("closed", "the relay object was closed");
    await this.#link.close(signal?.aborted ? signal.reason : undefined);
    this.#noteDrops();
    const left = this.#session?.source.takeLeft();
    if (left !== undefined && left.lines + left.roomChanges.size > 0) {
      this.#losses.note("closed", left.lines, left.bytes, [...left.roomChanges.keys()]);
    }
    this.#losses.close();
  }

  #onStatus(status: Status, detail: StatusDetail): void {
    const { onStatus } = this.#options;
    if (onStatus !== undefined) return tell(onStatus, status, detail);
    if (status !== "connecting" || detail.error === undefined || this.#hasWarned) return;
    this.#hasWarned = true;
    console.warn(`eventrelay: ${printable(detail.error.message)} (trying again)`);
  }

  #onPlainLine(line: string): void {
    if (this.#closed !== undefined) return;
    const error = readErrorLine(line);
    if (error !== undefined) return this.#onError(error);
    if (this.#plainOrigin === undefined) {
      this.#plainOrigin = { from: undefined, time: this.now() };
      queueMicrotask(() => this.#plainOrigin = undefined);
    }
    this.#onEvent(line, this.#plainOrigin);
  }

  #onEvent(line: string, origin: Origin, isRepair = false): void {
    if (this.#closed !== undefined) return;
    let event: E;
    try {
      const value = JSON.parse(line);
      event = this.#check === undefined ? value : this.#check(value);
    } catch (error) {
      return this.#onInvalidLine(line, error instanceof Error ? error : new TypeError(String(error)));
    }
    this.#received++;
    const out = this.#inbox.push(event, line.length + EVENT_COST, isRepair, origin);
    if (out !== undefined) this.#losses.note("inbox", out.events, out.size - out.events * EVENT_COST);
  }

  #onInvalidLine(line: string, error: Error): void {
    if (this.#closed !== undefined) return;
    this.#invalid++;
    tell(this.#options.onInvalid, line, error);
  }

  #onError(error: RelayError): void {
    if (this.#closed !== undefined) return;
    this.#errors++;
    if (this.#options.onError !== undefined) return tell(this.#options.onError, error);
    if (!this.#mayWarn()) return;
    console.warn(`eventrelay: the relay reports ${printable(`${error.code}: ${error.message}`)}`);
  }

  #onLost(lost: Lost): void {
    this.#lost += lost.lines;
    this.#tellOnceOpen(this.#options.onLost, lost);
  }

  /** Notes what has been dropped of what was given to `send()`. */
  #noteDrops(): void {
    const { droppedLines, droppedBytes } = this.#link;
    const lines = droppedLines - this.#notedDrops.lines, bytes = droppedBytes - this.#notedDrops.bytes;
    if (lines === 0) return;
    this.#notedDrops = { lines: droppedLines, bytes: droppedBytes };
    this.#losses.note(this.#closed === undefined ? "outbox" : "closed", lines, bytes);
  }

  /** Tells what was dropped here, also after `close()`; not to who never got the relay object. */
  #tellLost(lost: Lost): void {
    if (this.#held === undefined) tell(this.#options.onLost, lost);
    else this.#tellOnceOpen(this.#options.onLost, lost);
  }

  /** Calls back, but not before the program has the relay object: its callbacks may use it. */
  #tellOnceOpen<A extends unknown[]>(callback: ((...args: A) => void) | undefined, ...args: A): void {
    if (callback === undefined || this.#closed !== undefined) return;
    if (this.#held === undefined) return tell(callback, ...args);
    this.#held.push(() => this.#closed === undefined && tell(callback, ...args));
  }

  #sessionFor(key: unknown, options: unknown): Session {
    if (this.#session === undefined) {
      throw new TypeError("Cannot set state: a plain client has none, connect without { plain: true }");
    }
    const fault = keyFault(key);
    if (fault !== undefined) {
      throw new (typeof key === "string" ? RangeError : TypeError)(`Cannot set state: the key ${fault}`);
    }
    checkOptions("set state", options, { room: "boolean" });
    return this.#session;
  }
}

/**
 * Connects to a relay and opens a session in a room, or, with `plain`, just connects.
 *
 * Resolves when all who are in the room are known; from then on the relay object reconnects by itself, with
 * waits that double from 250 ms to 5 s, drawn evenly between 0 and that, longer if the relay asks for it. An
 * attempt may take 10 s, the relay's answer to it 3 s.
 *
 * @example
 * ```ts
 * import { connect } from "../../client.ts";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }); // a relay, to try it
 * const { port } = listener.addr;
 *
 * await using relay = await connect<{ id: string; pos: number[] }>(`127.0.0.1:${port}`, { plain: true });
 * relay.send({ id: "ada-1", pos: [3, 4] });
 * for (const event of relay.drain()) console.log(event?.id, event?.pos); // null is an event, too
 * ```
 *
 * @throws {TypeError} when the target or an option has the wrong form
 * @throws {RangeError} when the port or an option is out of range
 * @throws {Error} `Cannot connect to ifilab100:32100: connection refused, is the relay running there`, and
 * the like, with the network's own error as its `cause`, or the relay's refusal, whose `code` is that of the
 * protocol (`bad_token`, `relay_full` …). With `retry` only when trying again can't help. When `signal` is
 * aborted, its reason.
 */
// deno-lint-ignore require-await -- a wrong target rejects, too: one way for all errors
export async function connect<E = unknown, S extends object = Record<string, unknown>>(
  target?: Target,
  options: ConnectOptions<E, S> = {},
): Promise<Relay<E, S>> {
  return open(target, options);
}

function toMessage<E, S extends object>(event: E, { from, time }: Origin): Message<E, S> {
  return { event, from: from as Peer<MemberState<S>> | undefined, time };
}

/** The versions of relays that this program was told of: once each. */
const noticedVersions = new Set<string>();

function noticeVersion(relayVersion: string): void {
  if (noticedVersions.has(relayVersion)) return;
  noticedVersions.add(relayVersion);
  const origin = { url: import.meta.url as string | undefined, runtime: runtime(), version: VERSION };
  const notice = versionNotice(relayVersion, origin);
  if (notice !== undefined) console.warn(`eventrelay: ${notice}`);
}

/** Says what was thrown, which may be anything: also what can't be made a text. */
function describeThrown(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return "it threw what has no text";
  }
}

function stringify(verb: string, value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new TypeError(`Cannot ${verb}: ${reason}, what JSON can hold is allowed`, { cause });
  }
  if (text === undefined) {
    const kind = value === undefined ? "undefined" : `a ${typeof value}`;
    throw new TypeError(`Cannot ${verb}: it is ${kind}, what JSON can hold is allowed`);
  }
  return text;
}

/**
 * Calls a program's callback. What it throws is the program's own mistake: reported as uncaught, after our
 * work.
 */
function tell<A extends unknown[]>(callback: ((...args: A) => void) | undefined, ...args: A): void {
  try {
    callback?.(...args);
  } catch (error) {
    reportError(error);
  }
}
