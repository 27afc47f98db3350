// The Relay that a program gets from connect(): what it can do, and what each call promises. The parts behind
// it, and how they are joined, are in membership.ts.

import type { ClaimOptions, RequestOptions, SetOptions } from "./call_options.ts";
import type { Status } from "./link/status.ts";
import { Membership } from "./membership.ts";
import { type Message, toMessage } from "./message.ts";
import { type ConnectOptions, readJoinOptions, type Stats } from "./options.ts";
import { needSession } from "./plain.ts";
import type { Addressee, SendOptions } from "./receivers.ts";
import type { RoomList } from "./room_list.ts";
import type { Peer } from "./session/roster.ts";
import type { MemberState, ReadState, RoomState } from "./state_types.ts";
import { type Target, withoutRoom } from "./target.ts";
import { LOBBY } from "../wire/protocol.ts";

/** Makes a relay object and opens it. */
export let openRelay: <E, S extends object>(
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
 * Whatever is dropped, here or by the relay, is told by `onLost`. After `close()` what it shows (`id`,
 * `room`, `peers`, `state`, `host`, `stats`) stays as it was last, and `now()` goes on.
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
  readonly #membership: Membership<E>;

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
    openRelay = async <E, S extends object>(target: Target | undefined, options: ConnectOptions<E, S>) => {
      const relay = new Relay<E, S>(target, options);
      await relay.#membership.open();
      return relay;
    };
  }

  private constructor(target: Target | undefined, options: ConnectOptions<E, S>) {
    this.#target = target;
    // The types of its state are the program's own affair.
    this.#membership = new Membership(target, options as unknown as ConnectOptions<E>);
    const { name, session } = this.#membership;
    this.name = name;
    this.peers = (session?.peers ?? new Map()) as ReadonlyMap<string, Peer<MemberState<S>>>;
    this.state = session?.state ?? Object.create(null);
  }

  /**
   * What names this member to others; another one after a session that could not be resumed. Empty if plain.
   */
  get id(): string {
    return this.#membership.session?.id ?? "";
  }

  /** The room it is in. */
  get room(): string {
    return this.#membership.session?.room ?? LOBBY;
  }

  /**
   * Who leads the room: the member that has been there longest of those that may (`canHost`) and are
   * connected, until it leaves, has lost its connection for 5 s, has been silent for 60 % of the relay's
   * ping timeout (9 s of 15 s; its program stands still), or passes it on. There is one as long as anybody
   * may. All learn of a change at the same place among the events (`onHost`). May be this member itself, as a
   * peer with its `id`; `undefined` if nobody leads, and plain.
   */
  get host(): Peer<MemberState<S>> | undefined {
    return this.#membership.session?.host as Peer<MemberState<S>> | undefined;
  }

  /** Whether this member leads the room now. False while it has no connection: another one may by then. */
  get isHost(): boolean {
    return this.#membership.session?.isHost === true && this.status === "connected";
  }

  /** The time from here to the relay and back, in ms, smoothed as TCP does it (RFC 6298). */
  get rtt(): number {
    return this.#membership.session?.clock.rttMs ?? 0;
  }

  /** How much the time from the relay to here varies, in ms, as RFC 3550 reckons it. */
  get jitter(): number {
    return this.#membership.session?.clock.jitterMs ?? 0;
  }

  /**
   * How old, in ms, the newest thing received was when it came: half a round trip when all is well. Events
   * older than the relay's `maxLagMs` plus a round trip are not given to the program but counted, see
   * `onLost`.
   */
  get lag(): number {
    return this.#membership.session?.lagMs ?? 0;
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
    return this.#membership.session?.clock.now(localMs) ?? performance.timeOrigin + localMs;
  }

  /** What it is doing; `closed` once `close()` is through. */
  get status(): Status {
    return this.#membership.status;
  }

  /** What it has counted so far: a copy, which doesn't change. */
  get stats(): Stats {
    return this.#membership.stats;
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
   * As with `JSON.stringify`, NaN and what is undefined in an array become null, -0 becomes 0, a Date its text,
   * a Map or a Set `{}` (send `[...map]`), and properties that are undefined or functions are left out.
   *
   * @throws {TypeError} when JSON can't hold it: undefined, a function, a symbol, a BigInt, a cycle; when
   * `to` names nobody it could be, or the relay object is plain
   * @throws {RangeError} when it is longer than `maxLineBytes`, with an id if it is for single members
   */
  send(event: unknown, options?: SendOptions): void {
    this.#membership.outgoing.send(event, options);
  }

  /**
   * Sets a value that others see as `peers.get(id)?.state[key]`, also those who come later, until this member
   * leaves.
   *
   * Only the newest value of a key matters: of several in one turn, or while away, only the last is sent, and
   * slow members may miss those in between. Its order relative to events is not kept. The value is taken as
   * it is now, as `send()` takes an event. It is set again after a session that could not be resumed. Plain
   * clients hear nothing of it: tell them with `send`.
   *
   * A value that the relay refuses all the same (the room is full) is told by `onError`, with its `key`.
   * After `close()` nothing is set.
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
    this.#membership.outgoing.set(key, value, options);
  }

  /**
   * Removes a key, as {@linkcode Relay.set} sets it; does nothing if it has no value. Throws as `set()` does.
   */
  unset(key: (keyof RoomState<S> | keyof MemberState<S>) & string, options: SetOptions = {}): void {
    this.#membership.outgoing.unset(key, options);
  }

  /**
   * Asks a member something, and resolves with what its `onRequest` answers. Question and answer keep their
   * place among the events, and outlive a broken connection; they are no events of `drain()`. Waits while
   * there is no connection.
   *
   * @example
   * ```ts
   * import { connect, type Peer } from "../../client.ts";
   *
   * async function ask(target: string) {
   *   const onRequest = (event: unknown, { name }: Peer) => `${name} asks ${event}`;
   *   await using relay = await connect(target, { onRequest });
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
    return this.#membership.requests.request(peer, event, options);
  }

  /**
   * Sets a key of the room that has no value, and resolves with true for exactly one of all that try, however
   * close together; with false if it has one already. `relay.state` shows the winner's value by then, or what
   * came later.
   *
   * The key is free again when it is removed (`unset(key, { room: true })`), with `hold` also when this
   * member leaves or has lost its connection for 5 s. Has its place behind what this program has set of the
   * room before. Outlives a broken connection; waits while there is none, also for another session.
   *
   * @param options `hold`; `timeoutMs`: how long to wait, in ms, up to Infinity. Default: 30 s
   * @throws {TypeError} as {@linkcode Relay.set} does
   * @throws {RangeError} as {@linkcode Relay.set} does, and when `timeoutMs` is not above 0
   * @throws {RequestError} when it could not be decided: the room is full (`too_many_keys`, `state_full`), or
   * the relay object is closed; when the session could not go on after it was asked (`not_resumed`) or the
   * relay has not answered in time (`timeout`), and it may have been decided or not: `relay.state` tells
   */
  claim<K extends keyof RoomState<S> & string>(
    key: K,
    value: RoomState<S>[K],
    options: ClaimOptions = {},
  ): Promise<boolean> {
    return this.#membership.requests.claim(key, value, options);
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
  rooms(options: RequestOptions = {}): Promise<RoomList> {
    return this.#membership.requests.rooms(options);
  }

  /**
   * Connects to the same relay once more, as another member, in the first room of that name that has a place:
   * `room` itself, or `room-2` and so on, or opens it. The relay decides at once for all who ask, so two that
   * call it with `maxMembers: 2` meet. The options are those of {@linkcode connect}; target, name, token,
   * encryption and schema are this one's unless named, callbacks are not. This relay object stays as it is;
   * it may be closed.
   *
   * @throws {TypeError} when the relay object is plain, the room is the lobby, which is one, or `options`
   * names another one
   * @throws as {@linkcode connect} does
   */
  // deno-lint-ignore require-await -- what is wrong rejects, too: one way for all errors
  async joinAny(room: string, options: ConnectOptions<E, S> = {}): Promise<Relay<E, S>> {
    needSession(this.#membership.session, "join a room");
    const joining = readJoinOptions(options, room);
    const { name, token, tls, schema } = this.#membership.options;
    return openRelay(withoutRoom(this.#target), { name, token, tls, schema, ...joining, any: true });
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
    this.#membership.hostRole.pass(peer);
  }

  /**
   * Takes all events that have arrived since the last call, oldest first. Returns at once; also after
   * `close()`, for what is left. Shares the inbox with iterators: each event goes to whoever takes it first.
   *
   * A loop that calls it has to await something in between, such as `frames()`: otherwise nothing ever
   * arrives.
   */
  drain(): E[] {
    return this.#membership.incoming.drain();
  }

  /**
   * Takes all events that have arrived since the last call, as `drain()` does, each with who sent it,
   * when, and whether as host: `{ event, from, time, fromHost }`. Returns at once, also after `close()`.
   * Shares the inbox with `drain()` and iterators.
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
    return this.#membership.incoming.messages(toMessage<E, S>);
  }

  /**
   * Waits for each event in turn, as `for await (const event of relay)` does, and gives it with who sent it
   * and when, as `messages()` does. Ends after `close()`, when what was left has been taken.
   */
  eachMessage(): AsyncIterableIterator<Message<E, S>, undefined> {
    return this.#membership.incoming.iterate(toMessage<E, S>);
  }

  /**
   * Waits for each event in turn. Goes on waiting while the connection is away; ends after `close()`, when
   * what was left has been taken. `break` loses nothing. Several iterators share the events, each goes to one
   * of them.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<E, undefined> {
    return this.#membership.incoming.iterate((event) => event);
  }

  /**
   * Writes out what was sent, says goodbye and closes the connection, within a second. Nothing more is
   * received from the call on, and no more is told but the status, and by `onLost` what could not be sent;
   * what is left can still be taken. Never rejects; may be called again.
   */
  close(): Promise<void> {
    return this.#membership.close();
  }

  /** Does what `close()` does: `await using relay = await connect(…)`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
