// What a program can tell connect(), and what it is told about numbers: the options with their defaults and
// checks. Pure.

import type { RelayError } from "./session/relay_control.ts";
import type { Status, StatusDetail } from "./link/status.ts";
import { checkOptions, type Kind } from "./option_check.ts";
import { DEFAULT_MAX_LINE_BYTES, LOBBY } from "../wire/protocol.ts";
import { kindOf } from "../wire/untrusted.ts";
import type { LeaveReason, Peer } from "./session/roster.ts";
import type { Lost } from "./session/lost.ts";
import type { MemberState } from "./state_types.ts";
import type { StandardSchema } from "./standard_schema.ts";
import { type Address, checkName } from "./target.ts";
import type { TlsOptions } from "./link/transport.ts";

/**
 * The most events that wait in the inbox, unless `inboxLimit` says otherwise: 3 s of a class of 30 programs.
 */
const DEFAULT_INBOX_LIMIT = 10_000;

/** What is kept of what is sent while away, unless `offlineBytes` says otherwise: 25 s of a busy program. */
const DEFAULT_OFFLINE_BYTES = 256 * 1024;

/** What may wait to be written to a connection that takes it, unless `maxQueuedBytes` says otherwise. */
const DEFAULT_QUEUED_BYTES = 64 * 1024 * 1024;

/** The options by name: all that {@linkcode ConnectOptions} has. What is "any" is looked at on its own. */
const OPTION_KINDS: Readonly<Record<keyof ConnectOptions, Kind>> = {
  plain: "boolean",
  room: "any",
  name: "any",
  token: "any",
  simulate: "any",
  echo: "boolean",
  canHost: "boolean",
  maxMembers: "any",
  any: "boolean",
  tls: "any",
  retry: "boolean",
  signal: "signal",
  schema: "any",
  onStatus: "function",
  onInvalid: "function",
  onError: "function",
  onJoin: "function",
  onLeave: "function",
  onState: "function",
  onLost: "function",
  onHost: "function",
  onRequest: "function",
  offlineBytes: "any",
  maxQueuedBytes: "any",
  inboxLimit: "any",
  maxLineBytes: "any",
};

/**
 * What `connect` can be told. It is read once; the object may change afterwards.
 *
 * Callbacks may call anything of the relay object, `close()` too. What one throws is the program's own error,
 * reported as uncaught after it (in Deno and Node that ends a program that does not look at such), and so is
 * what a promise rejects with that it returns; the relay object goes on. Only `onRequest` and `schema` may
 * throw.
 */
export interface ConnectOptions<E = unknown, S extends object = Record<string, unknown>> {
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
export interface Stats {
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

/** The options that have a default, checked. */
export interface Settings {
  plain: boolean;
  room: string;
  name: string;
  token: string;
  simulate: string;
  echo: boolean;
  canHost: boolean;
  maxMembers: number | undefined;
  any: boolean;
  tls: TlsOptions | undefined;
  offlineBytes: number;
  maxQueuedBytes: number;
  inboxLimit: number;
  maxLineBytes: number;
}

/**
 * Returns the options as they are now: what becomes of the program's object later changes nothing.
 *
 * @throws {TypeError} when they are none, or one is unknown or has the wrong kind
 */
export function takeOptions<T extends object>(options: T): T {
  return checkOptions("connect", options, OPTION_KINDS);
}

/**
 * Puts in the defaults of options that {@linkcode takeOptions} returned, and looks whether they go together;
 * `address` is that of the target, which may name a room and say whether the connection is encrypted.
 * `isSecurePage` says that this is a page that came encrypted itself.
 *
 * @throws {TypeError} when a value is none that is allowed, or two contradict each other
 * @throws {RangeError} when one is out of range
 */
export function readOptions(
  options: ConnectOptions<never>,
  address: Pick<Address, "room" | "url">,
  isSecurePage = false,
): Settings {
  const { plain = false, room = address.room ?? LOBBY, name = "", token = "", simulate = "" } = options;
  const { echo = false, canHost = true, maxMembers, any = false } = options;
  const { offlineBytes = DEFAULT_OFFLINE_BYTES, inboxLimit = DEFAULT_INBOX_LIMIT } = options;
  const { maxQueuedBytes = DEFAULT_QUEUED_BYTES, maxLineBytes = DEFAULT_MAX_LINE_BYTES } = options;
  checkName("room", room, 1);
  checkName("name", name, 0);
  checkText("token", token);
  checkText("simulate", simulate);
  checkRoom(room, options, address);
  if (plain && echo) {
    throw new TypeError("Cannot connect: a plain client has no echo, connect without { plain: true }");
  }
  if (maxMembers !== undefined) checkLimit("maxMembers", maxMembers, 1, Number.MAX_SAFE_INTEGER);
  checkLimit("offlineBytes", offlineBytes, 0);
  checkLimit("maxQueuedBytes", maxQueuedBytes, 1);
  checkLimit("inboxLimit", inboxLimit, 1);
  checkLimit("maxLineBytes", maxLineBytes, 1);
  const limits = { offlineBytes, maxQueuedBytes, inboxLimit, maxLineBytes };
  const tls = tlsFor(options.tls, address.url, isSecurePage);
  return { plain, room, name, token, simulate, echo, canHost, maxMembers, any, tls, ...limits };
}

/**
 * Checks the options of a call that says itself which room it wants, and returns them with that room.
 *
 * @throws {TypeError} when they are none, or name another room
 */
export function readJoinOptions<T extends Pick<ConnectOptions, "room">>(options: T, room: string): T {
  const checked = checkOptions("join a room", options, OPTION_KINDS);
  if (checked.room === undefined || checked.room === room) return { ...checked, room };
  throw new TypeError("Cannot join a room: the option room names another one, one is allowed");
}

function checkText(name: string, value: unknown): void {
  if (typeof value === "string") return;
  throw new TypeError(`Cannot connect: ${name} is ${kindOf(value)}, a string is allowed`);
}

/** Looks whether the room goes together with the target, and with what is asked of it. */
function checkRoom(
  room: string,
  { room: named, plain = false, any = false, maxMembers }: ConnectOptions<never>,
  { room: targetRoom, url }: Pick<Address, "room" | "url">,
): void {
  if (targetRoom !== undefined && targetRoom !== room) {
    throw new TypeError("Cannot connect: the target names another room than the option room, one is allowed");
  }
  const isNamed = named !== undefined || targetRoom !== undefined;
  if (!isNamed && url !== undefined && new URL(url).pathname !== "/") {
    throw new TypeError(
      `Cannot connect to ${url}: it ends with a slash, so it names no room, ` +
        "one in the option room is allowed",
    );
  }
  if (plain && room !== LOBBY) {
    throw new TypeError(`Cannot connect: a plain client is in the room "${LOBBY}", no other is allowed`);
  }
  if (room === LOBBY && (any || maxMembers !== undefined)) {
    throw new TypeError(`Cannot connect: the room "${LOBBY}" is one and open to all, name another one`);
  }
}

/** Says how the connection is encrypted, if it is: as the option says, or else the target or the page. */
function tlsFor(option: unknown, url: string | undefined, isSecurePage: boolean): TlsOptions | undefined {
  const isSecure = url === undefined ? isSecurePage : url.startsWith("wss:");
  const tls = readTls(option === undefined ? isSecure : option);
  if (url !== undefined && (tls !== undefined) !== isSecure) {
    const [scheme, other] = tls === undefined ? ["wss", "ws"] : ["ws", "wss"];
    throw new TypeError(
      `Cannot connect: the target says ${scheme}:// and the option tls ${other}://, one is allowed`,
    );
  }
  return tls;
}

function readTls(tls: unknown): TlsOptions | undefined {
  if (tls === false) return undefined;
  if (tls === true) return {};
  const { caCerts }: TlsOptions = typeof tls === "object" && tls !== null
    ? checkOptions("connect with tls", tls, { caCerts: "any" })
    : {};
  if (Array.isArray(caCerts) && caCerts.every((cert) => typeof cert === "string")) {
    return { caCerts: [...caCerts] };
  }
  throw new TypeError(
    "Cannot connect: tls is neither true nor false nor has it caCerts, an array of PEM texts is allowed",
  );
}

function checkLimit(name: string, value: number, least: number, most = Infinity): void {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot connect: ${name} is ${kindOf(value)}, a number is allowed`);
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    const to = most < Infinity ? ` to ${most}` : "";
    throw new RangeError(`Cannot connect: ${name} is ${value}, a whole number from ${least}${to} is allowed`);
  }
}
