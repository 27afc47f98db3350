// client.d.ts of eventrelay 0.2.0, made by `deno task bundle`. MIT license.
/// <reference lib="esnext.disposable" />
/** The port the relay listens on, and a client connects to, when none is named. */
declare const DEFAULT_PORT = 32100;
/** What an `$error` line can be about. A code is for programs; the message beside it is for people. */
type ErrorCode = "line_too_long" | "invalid_json" | "invalid_utf8" | "too_many_errors" | "relay_full" | "bad_hello" | "bad_token" | "too_many_rooms" | "unknown_control" | "bad_set" | "too_many_keys" | "value_too_long" | "state_full" | "bad_to" | "no_such_peer" | "bad_claim" | "not_host" | "cannot_host" | "room_full" | "rate_limited" | "idle_line";

/** What the relay complains about. */
interface RelayError {
    /** For programs; a newer relay may have more codes. */
    code: ErrorCode | (string & Record<never, never>);
    /** For people: what was wrong, where, and what is allowed. */
    message: string;
    /** The number of the line at fault, counted from 1 on this connection. */
    line?: number;
    /**
     * The key whose value was not taken, if it is about one: `set()` of this program did nothing, and what the
     * relay had taken before holds. The value is not set again.
     */
    key?: string;
    /** Whether it is a key of the room; said where `key` is. */
    room?: boolean;
    /**
     * The ids that nobody in the room has, if it is about such (`no_such_peer`): what was sent to them is
     * dropped.
     */
    ids?: string[];
}

/**
 * What a relay object is doing: `connecting` before the first connection, `connected`, `reconnecting` after a
 * connection broke, `closed` for good.
 */
type Status = "connecting" | "connected" | "reconnecting" | "closed";
/** What is known about a change of status. */
interface StatusDetail {
    /** Why the connection broke, or why the last attempt failed. */
    error?: Error;
    /** While connecting or reconnecting: the number of the attempt that comes next, from 1. */
    attempt?: number;
    /** While connecting or reconnecting: the milliseconds until that attempt. */
    retryInMs?: number;
    /**
     * When connected again, in a session: true if it goes on as if nothing had happened; false if it is a new
     * one, with another id, and something may be lost.
     */
    resumed?: boolean;
}

/**
 * Tells the state of the room from that of its members, where their keys differ: `connect<Events,
 * States<Room, Member>>`.
 */
interface States<Room extends object, Member extends object> {
    /** The keys and values of the room. */
    readonly "~room": Room;
    /** The keys and values of each member. */
    readonly "~member": Member;
}
/** The keys and values of the room, in what a program has named as `State`. */
type RoomState<State> = State extends States<infer Room, infer _> ? Room : State;
/** The keys and values of a member, in what a program has named as `State`. */
type MemberState<State> = State extends States<infer _, infer Member> ? Member : State;
/** State as it is read: any key may be missing. */
type ReadState<Values> = Readonly<Partial<Values>>;

/**
 * Another member of the room, as far as it speaks sessions. The object lives as long as the member is there.
 */
interface Peer<Values = Record<string, unknown>> {
    /** Short, never used again while the relay runs. */
    readonly id: string;
    /** The name it gave itself, possibly empty; others may have the same. */
    readonly name: string;
    /**
     * Its newest values by key; changes as they arrive. An object without a prototype: any key is only a key.
     */
    readonly state: ReadState<Values>;
}
/**
 * Why a member left: `closed` (it said so), `lost` (its connection broke and it did not come back), `behind`
 * (it could not keep up), `timeout` (nothing was heard of it). A newer relay may have more.
 */
type LeaveReason = "closed" | "lost" | "behind" | "timeout" | (string & Record<never, never>);

/**
 * What is lost, as exactly as can be known. Whatever is dropped anywhere is told so, several lines in one.
 *
 * - `behind`: others' events that the relay skipped because this program was too slow.
 * - `stale`: others' events that arrived, but too old, and were dropped here.
 * - `inbox`: others' events that waited here for longer than `inboxLimit` allows, and were pushed out by
 *   newer ones.
 * - `outbox`: this program's own events that were dropped before they were sent: more waited than
 *   `offlineBytes` or, on a connection that takes them, `maxQueuedBytes` allow.
 * - `closed`: this program's own events that had not been sent when `close()` gave up, or were given to
 *   `send()` after it, or had been written to a connection that was broken by then, so that they may have
 *   arrived or not. `keys` are the keys of the room of which the same holds.
 * - `unconfirmed`: a session could not be resumed. `lines` are this program's own events that were written
 *   and not confirmed, so they may have arrived or not; 0 is possible. What others sent in the time between
 *   is missing, too, and nobody can count it.
 * - `state`: a session could not be resumed, and this program had changed `keys` of the room's state, which
 *   may have arrived or not. They are not changed again, since others may have changed them after that:
 *   `relay.state` tells what holds now. `lines` is 0.
 */
interface Lost {
    /** Why, and so whose lines. */
    reason: "behind" | "stale" | "inbox" | "outbox" | "closed" | "unconfirmed" | "state";
    /** How many lines. */
    lines: number;
    /**
     * The bytes of these lines; as the relay counts them where it does; characters where they were in the
     * inbox.
     */
    bytes: number;
    /** The keys of the room whose change is lost, or may be. */
    keys?: string[];
}

/** A validator that follows Standard Schema, version 1. Its answer has to come at once, not as a promise. */
interface StandardSchema<Output = unknown> {
    /** Where the standard keeps its property. */
    readonly "~standard": {
        /** The version of the standard. */
        readonly version: 1;
        /** The library the validator comes from. */
        readonly vendor: string;
        /** Checks a value: an answer with `issues` refuses it, otherwise `value` is what becomes the event. */
        readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    };
}
/** What a {@linkcode StandardSchema} answers. */
type SchemaResult<Output> = {
    readonly value: Output;
    readonly issues?: undefined;
} | {
    readonly issues: readonly SchemaIssue[];
};
/** One reason why a value was refused. */
interface SchemaIssue {
    /** What is wrong. */
    readonly message: string;
    /** Where in the value: keys, or objects that hold a key. */
    readonly path?: readonly (PropertyKey | {
        readonly key: PropertyKey;
    })[] | undefined;
}

/**
 * The relay to connect to: `"host"`, `"host:port"`, `"[::1]:port"`, or an object. Without a port it is
 * {@linkcode DEFAULT_PORT}. A text may end with a room: `"host:port/pong"`, all after the first slash is its
 * name; if nothing is, it names none.
 *
 * `"ws://host:port/pong"` and `"wss://host/pong"` ask for a WebSocket, wherever the program runs; without a
 * port it is 80 or 443, as with all addresses of this kind, and what is special in the room's name is written
 * `%20`. One that ends with a slash names no room: `"wss://host/relay/"` is for a proxy that has the relay
 * there, the option `room` names the room. Where there are only WebSockets, in a page, the other forms mean
 * one, too. There `"/pong"` is a room of the relay that the page came from.
 */
type Target = string | {
    hostname: string;
    port?: number;
};

/** Whose certificates to trust beside those that the system trusts: certificates in PEM. */
interface TlsOptions {
    /** Certificates in PEM. */
    caCerts?: string[];
}

/**
 * What `connect` can be told. It is read once; the object may change afterwards.
 *
 * Callbacks may call anything of the relay object, `close()` too. What one throws is the program's own error,
 * reported as uncaught after it (in Deno and Node that ends a program that does not look at such), and so is
 * what a promise rejects with that it returns; the relay object goes on. Only `onRequest` and `schema` may
 * throw.
 */
interface ConnectOptions<E = unknown, S extends object = Record<string, unknown>> {
    /**
     * Speaks plain events, for a relay that knows no sessions: no rooms but the lobby, no peers, no state, no
     * clock, and a broken connection may lose what was under way. `name` and `token` are then left unsaid.
     * Default: false, a session.
     */
    plain?: boolean;
    /**
     * The room: 1 to 64 characters without control characters. Default: that of the target, or else `lobby`.
     */
    room?: string;
    /**
     * The name that others see: up to 64 characters without control characters, need not be unique. Default:
     * none.
     */
    name?: string;
    /** What the relay asks from whoever enters, if it does. Default: none. */
    token?: string;
    /**
     * Asks the relay for a bad network on purpose, for what this program receives: `lan`, `wifi`, `mobile`,
     * `awful`, or settings such as
     * `delay=80ms,jitter=20ms,spike=300ms/5s,rate=64k,stall=2s/30s,cut=60s,seed=1`. Default: none.
     */
    simulate?: string;
    /**
     * Has this program's own events come back, at their place among those of all others: so all members that
     * ask for it see the very same sequence. Default: false.
     */
    echo?: boolean;
    /**
     * Whether this member may become the host of its room, see {@linkcode Relay.host}; false for who only
     * watches. Default: true.
     */
    canHost?: boolean;
    /**
     * How many members the room has at most, from 1 on: further ones are refused (`room_full`). Who comes first
     * sets it for all, until the room is empty. Those that may still come back keep their place. Not for the
     * lobby. Default: no limit, or what the room has.
     */
    maxMembers?: number;
    /**
     * If the room is full, or is for another number of members, takes another one, whose name has a number
     * behind it (`pong-2`), or opens it: the relay decides it at once for all who ask. `relay.room` says which
     * it is. After a session that could not be resumed it is the room it was in, if that has a place or is not
     * open. Not for the lobby. Default: false.
     */
    any?: boolean;
    /**
     * Encrypts the connection: `true` trusts the certificates that Deno, Node or the browser trusts, `caCerts`
     * (in PEM) are trusted beside them, but in a page, and by a WebSocket of Node. Default: what a target with
     * `wss://` or `ws://` says, and true in a page that came by https; false otherwise.
     */
    tls?: boolean | TlsOptions;
    /**
     * Keeps trying when the first attempt fails, until `signal` is aborted or trying again can't help: no
     * permission, a bad token or name, a certificate that is not to be trusted. Without `onStatus` the first
     * failure, here and when a connection has broken, is a warning on the console, one a minute at most.
     * Default: false, `connect` rejects.
     */
    retry?: boolean;
    /** Ends connecting, and later closes the relay object as `close()` does. */
    signal?: AbortSignal;
    /**
     * Checks every event: what it refuses is handled as an invalid line; what it returns is the event. Default:
     * none.
     */
    schema?: StandardSchema<E>;
    /** Is told every change of the status, and every failed attempt to (re)connect. */
    onStatus?: (status: Status, detail: StatusDetail) => void;
    /**
     * Is told a received line that is not JSON (SyntaxError), not UTF-8 or refused by `schema` (TypeError), or
     * has no end (RangeError; then only its beginning). Such a line is counted and skipped. Default: it is only
     * counted.
     */
    onInvalid?: (line: string, error: Error) => void;
    /**
     * Is told what the relay complained about: a line or a value it refused (then `key` says which), or that it
     * reads slower. Default: a warning on the console, one a second at most.
     */
    onError?: (error: RelayError) => void;
    /**
     * Is told that a member came into the room, after it is in `peers`. Whoever is there when `connect`
     * resolves is in `peers` then and not told. Never called before `connect` has resolved, as the callbacks
     * below.
     */
    onJoin?: (peer: Peer<MemberState<S>>) => void;
    /** Is told that a member left, after it is out of `peers`; `peer.state` is what it had. */
    onLeave?: (peer: Peer<MemberState<S>>, reason: LeaveReason) => void;
    /**
     * Is told a new value of a member, or of the room for `null`; `undefined` when the key was removed. Values
     * in between may be skipped, the newest never. One's own member state is not told; room state is, when the
     * relay has decided who won.
     */
    onState?: (peer: Peer<MemberState<S>> | null, key: string, value: unknown) => void;
    /**
     * Is told exactly what was lost and why, or that it can't be known: by the relay, by this module for lack
     * of space, or with a session that could not go on. Of a flood it is told once a second. Also called after
     * `close()`, for what was not sent; then what is lost too soon after a call, as what this says itself, waits
     * for the next loss.
     */
    onLost?: (lost: Lost) => void;
    /**
     * Is told that another member leads the room, or nobody (`undefined`), at its place among the events. Not
     * of who does when `connect` resolves: that is in `relay.host`.
     */
    onHost?: (host: Peer<MemberState<S>> | undefined) => void;
    /**
     * Answers what others ask by `request()`: what it returns, or what the promise it returns resolves to, is
     * the answer (`undefined` is `null`). If it throws or rejects, or there is none, the other's request
     * rejects with the reason. What is asked can be any JSON value; `schema` does not look at it.
     */
    onRequest?: (event: unknown, from: Peer<MemberState<S>>) => unknown;
    /**
     * The bytes kept of what is sent while there is no connection, or one that takes nothing, the oldest lines
     * dropped first. What waited already when the connection broke is kept beside it. Default: 256 KiB.
     */
    offlineBytes?: number;
    /**
     * The memory, in bytes, that may wait to be written to a connection that takes it: what one turn sends at
     * once, or more than the network carries. Each line counts with 64 bytes beside its own. Over it, the
     * oldest are dropped. Default: 64 MiB.
     */
    maxQueuedBytes?: number;
    /**
     * The most events that wait to be taken, the oldest dropped first; what a resume brings is let in beyond
     * it. Default: 10,000.
     */
    inboxLimit?: number;
    /**
     * The most bytes that `send()` takes as a line without its LF; never more than the relay allows. Default:
     * 64 KiB.
     */
    maxLineBytes?: number;
}
/** What a `Relay` has counted since it was made. */
interface Stats {
    /** Events handed to the network whole; each once, also when a resumed session sent it again. */
    sent: number;
    /** Events that wait to be handed to the network. */
    waiting: number;
    /** Events received, those dropped later included. */
    received: number;
    /** Events lost here for lack of space: `droppedSent` plus `droppedReceived`. */
    dropped: number;
    /** Events given to `send()` and never sent: too many waited, or it was closed. */
    droppedSent: number;
    /** Events received and pushed out of the inbox before anybody took them. */
    droppedReceived: number;
    /**
     * Lines that the relay skipped, that came too late, or that may not have arrived: `onLost` has told them,
     * beside those dropped.
     */
    lost: number;
    /** Received lines that were no event. */
    invalid: number;
    /** Complaints of the relay. */
    errors: number;
    /** Connections after the first. */
    reconnects: number;
    /** Bytes handed to the network. */
    bytesSent: number;
    /** Bytes received. */
    bytesReceived: number;
}

/** Whose value a key is set for. */
interface SetOptions {
    /**
     * The room's instead of this member's: it stays when this member leaves, until the room is empty. Anybody
     * may overwrite it, the last one wins. Default: false.
     */
    room?: boolean;
}
/** How a member, or the relay for its rooms, is asked. */
interface RequestOptions {
    /** How long to wait for the answer, in ms: more than 0, up to Infinity. Default: 10,000. */
    timeoutMs?: number;
}
/** How a key is claimed. */
interface ClaimOptions {
    /**
     * Whether the key is free again when this member leaves, or has lost its connection for 5 s. Default:
     * false.
     */
    hold?: boolean;
    /**
     * How long to wait for the relay's decision, in ms: more than 0, up to Infinity. Default: 30,000, for as
     * long as a broken connection can be resumed.
     */
    timeoutMs?: number;
}

/** A received event, and where it comes from. */
interface Message<E = unknown, S extends object = Record<string, unknown>> {
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
    /**
     * Whether who sent it led the room at this place among the events: the same for all members, whenever they
     * take it. {@linkcode Relay.host} is who leads as of the newest line received, which may lie behind it.
     */
    readonly fromHost: boolean;
}

/** A member, or its id. */
type Addressee = {
    readonly id: string;
} | string;
/** Who an event is for. */
interface SendOptions {
    /**
     * Those members of the room alone, by themselves or by their ids, each once, as many as you like: a peer,
     * an array, a set, `relay.peers.values()`; where there is none, nobody gets it.
     */
    to: Addressee | Iterable<Addressee>;
}

/** A room of the relay. */
interface RoomInfo {
    /** Its name. */
    readonly name: string;
    /** How many sessions are in it; plain clients are not counted. */
    readonly members: number;
    /** How many may be, if there is a limit. */
    readonly maxMembers?: number;
}
/** The rooms of the relay, the fullest first. */
interface RoomList {
    /** Up to 100 of them. */
    readonly rooms: RoomInfo[];
    /** How many there are beside these. */
    readonly more: number;
}

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
declare class Relay<E = unknown, S extends object = Record<string, unknown>> implements AsyncIterable<E, undefined>, AsyncDisposable {
    #private;
    /** The name it gave itself; empty if none, or plain. */
    readonly name: string;
    /**
     * The other sessions in the room by their id: a live view, which changes as they come and go. Plain clients
     * are not in it. A peer's `state` is what it has set.
     */
    readonly peers: ReadonlyMap<string, Peer<MemberState<S>>>;
    /** The room's own values by key, those that won, as the relay tells: a live view. */
    readonly state: ReadState<RoomState<S>>;
    private constructor();
    /**
     * What names this member to others; another one after a session that could not be resumed. Empty if plain.
     */
    get id(): string;
    /** The room it is in. */
    get room(): string;
    /**
     * Who leads the room: the member that has been there longest of those that may (`canHost`) and are
     * connected, until it leaves, has lost its connection for 5 s, has been silent for 60 % of the relay's
     * ping timeout (9 s of 15 s; its program stands still), or passes it on. There is one as long as anybody
     * may. All learn of a change at the same place among the events (`onHost`). May be this member itself, as a
     * peer with its `id`; `undefined` if nobody leads, and plain.
     */
    get host(): Peer<MemberState<S>> | undefined;
    /** Whether this member leads the room now. False while it has no connection: another one may by then. */
    get isHost(): boolean;
    /** The time from here to the relay and back, in ms, smoothed as TCP does it (RFC 6298). */
    get rtt(): number;
    /** How much the time from the relay to here varies, in ms, as RFC 3550 reckons it. */
    get jitter(): number;
    /**
     * How old, in ms, the newest thing received was when it came: half a round trip when all is well. Events
     * older than the relay's `maxLagMs` plus a round trip are not given to the program but counted, see
     * `onLost`.
     */
    get lag(): number;
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
    now(): number;
    /** What it is doing; `closed` once `close()` is through. */
    get status(): Status;
    /** What it has counted so far: a copy, which doesn't change. */
    get stats(): Stats;
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
    send(event: unknown, options?: SendOptions): void;
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
    set<K extends keyof RoomState<S> & string>(key: K, value: RoomState<S>[K], options: SetOptions & {
        room: true;
    }): void;
    /** Sets a value of this member. */
    set<K extends keyof MemberState<S> & string>(key: K, value: MemberState<S>[K], options?: SetOptions & {
        room?: false;
    }): void;
    /** Sets a value of either. */
    set<K extends keyof RoomState<S> & keyof MemberState<S> & string>(key: K, value: RoomState<S>[K] & MemberState<S>[K], options?: SetOptions): void;
    /**
     * Removes a key, as {@linkcode Relay.set} sets it; does nothing if it has no value. Throws as `set()` does.
     */
    unset(key: (keyof RoomState<S> | keyof MemberState<S>) & string, options?: SetOptions): void;
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
    request(peer: Addressee, event: unknown, options?: RequestOptions): Promise<unknown>;
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
    claim<K extends keyof RoomState<S> & string>(key: K, value: RoomState<S>[K], options?: ClaimOptions): Promise<boolean>;
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
    rooms(options?: RequestOptions): Promise<RoomList>;
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
    joinAny(room: string, options?: ConnectOptions<E, S>): Promise<Relay<E, S>>;
    /**
     * Makes another member the host: `peer`, or without one the member that has been there longest of the
     * others that may and are connected; if there is none, all stays as it is. Does nothing if this member is
     * not the host, or after `close()`. A page that gets hidden does it by itself. Where the relay refuses,
     * `onError` is told: `cannot_host` (it may not, or is away), `no_such_peer`, `not_host` (another one is by
     * now).
     *
     * @throws {TypeError} when `peer` is neither a member nor an id, or the relay object is plain
     */
    passHost(peer?: Addressee): void;
    /**
     * Takes all events that have arrived since the last call, oldest first. Returns at once; also after
     * `close()`, for what is left. Shares the inbox with iterators: each event goes to whoever takes it first.
     *
     * A loop that calls it has to await something in between, such as `frames()`: otherwise nothing ever
     * arrives.
     */
    drain(): E[];
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
    messages(): Message<E, S>[];
    /**
     * Waits for each event in turn, as `for await (const event of relay)` does, and gives it with who sent it
     * and when, as `messages()` does. Ends after `close()`, when what was left has been taken.
     */
    eachMessage(): AsyncIterableIterator<Message<E, S>, undefined>;
    /**
     * Waits for each event in turn. Goes on waiting while the connection is away; ends after `close()`, when
     * what was left has been taken. `break` loses nothing. Several iterators share the events, each goes to one
     * of them.
     */
    [Symbol.asyncIterator](): AsyncIterableIterator<E, undefined>;
    /**
     * Writes out what was sent, says goodbye and closes the connection, within a second. Nothing more is
     * received from the call on, and no more is told but the status, and by `onLost` what could not be sent;
     * what is left can still be taken. Never rejects; may be called again.
     */
    close(): Promise<void>;
    /** Does what `close()` does: `await using relay = await connect(…)`. */
    [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Connects to a relay and opens a session in a room, or, with `plain`, just connects.
 *
 * Resolves when all who are in the room are known; from then on the relay object reconnects by itself, with
 * waits that double from 250 ms to 5 s, drawn evenly between 0 and that, longer if the relay asks for it. An
 * attempt may take 10 s, the relay's answer to it 3 s, not counted while the program itself stands still.
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
declare function connect<E = unknown, S extends object = Record<string, unknown>>(target?: Target, options?: ConnectOptions<E, S>): Promise<Relay<E, S>>;

/** Reads a clock in milliseconds that never goes back. */
type Clock = () => number;
/**
 * Ticks a game loop at a steady rate: yields the seconds since the last frame, the first time after one
 * period.
 *
 * Between frames the network gets to run, always, also when the loop's body takes longer than a period. After
 * a pause there is one long frame and then the rate again, no burst. The generator ends when `signal` is
 * aborted.
 *
 * @example
 * ```ts
 * import { frames } from "../../client.ts";
 *
 * let x = 0;
 * for await (const seconds of frames(30)) {
 *   x += 100 * seconds; // 100 units a second, whatever the rate
 *   if (x > 10) break;
 * }
 * ```
 *
 * @throws {TypeError} when `hz` is not a number, or the signal no AbortSignal
 * @throws {RangeError} when `hz` is not above 0 and finite
 */
declare function frames(hz: number, options?: {
    signal?: AbortSignal;
}): AsyncGenerator<number, void, void>;
/**
 * Ticks a drawing loop in a page with each frame that the browser shows: yields the seconds since the last
 * one, the first time since the call.
 *
 * For drawing; a game goes on by `frames()`, as a hidden page is shown no frames: its loop rests, and after
 * it there is one long frame. Between frames the network gets to run. The generator ends when `signal` is
 * aborted, also in a hidden page.
 *
 * @throws {TypeError} when there is no screen to draw on, as in Deno, or the signal is no AbortSignal
 */
declare function animationFrames(options?: {
    signal?: AbortSignal;
}): AsyncGenerator<number, void, void>;
/**
 * Makes a function that says whether it is time to do something again: true at once, then on average at most
 * `hz` times a second however often it is asked.
 *
 * It keeps to a schedule: asked 30 times a second, a limit of 10 gives 10, not 7.5. Two trues are at least
 * half a period apart, and what was not asked for in a pause is not made up for.
 *
 * @example
 * ```ts
 * import { rateLimit } from "../../client.ts";
 *
 * const isTimeToSend = rateLimit(10);
 * if (isTimeToSend()) console.log("the first time is at once");
 * ```
 *
 * @throws {TypeError} when `hz` is not a number, or the clock no function
 * @throws {RangeError} when `hz` is not above 0 and finite
 */
declare function rateLimit(hz: number, clock?: Clock): () => boolean;

/**
 * Compares two ids of peers of one relay by the order in which they were given out, for `sort`: less than 0
 * if `a` is the older one. Relays since version 0.2 give out ids that compare so as texts, too (`a < b`).
 *
 * @throws {TypeError} when one is not a string
 */
declare function compareIds(a: string, b: string): number;

/** Why a question got no answer, or a claim could not be decided. */
declare class RequestError extends Error {
    /** What errors of this kind are called. */
    readonly name = "RequestError";
    /**
     * For programs: `timeout` (nobody has answered in time: it may have been done or not); `no_such_peer` and
     * `left` (who was asked is not there, or has left meanwhile); `failed` (the other's `onRequest` threw, or
     * there is none); `not_resumed` (the session could not go on: it may have been asked or not, what never was
     * is asked in the next one, unless of a member of a relay that was restarted); `closed`; or the relay's
     * code, such as `too_many_keys`.
     */
    readonly code: string;
    /** @internal */
    constructor(code: string, message: string);
}

export { DEFAULT_PORT, Relay, RequestError, animationFrames, compareIds, connect, frames, rateLimit };
export type { Addressee, ClaimOptions, Clock, ConnectOptions, ErrorCode, LeaveReason, Lost, MemberState, Message, Peer, ReadState, RelayError, RequestOptions, RoomInfo, RoomList, RoomState, SchemaIssue, SchemaResult, SendOptions, SetOptions, StandardSchema, States, Stats, Status, StatusDetail, Target, TlsOptions };
