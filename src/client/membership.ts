// What stands behind a relay object: the parts of one member of a relay, how they are joined, and how they
// begin and end together. What each does is in its own file; what a program sees of it in relay.ts.
//
//   Relay ─→ Outgoing, Requests, HostRole ─→ Link ⇄ relay
//   Relay ←─ Incoming, Callbacks ←─ Session or PlainSpeaker ←─ Link

import { printable } from "../wire/untrusted.ts";
import { Callbacks, callNow } from "./callbacks.ts";
import { HostRole } from "./host_role.ts";
import { Incoming } from "./incoming.ts";
import { Link } from "./link/link.ts";
import { transportFor } from "./link/open_transport.ts";
import { pageLocation } from "./link/runtime.ts";
import type { Status, StatusDetail } from "./link/status.ts";
import { LossTally } from "./loss_tally.ts";
import { type ConnectOptions, readOptions, type Settings, type Stats, takeOptions } from "./options.ts";
import { Outgoing } from "./outgoing.ts";
import { watchPageLife } from "./page_life.ts";
import { PlainSpeaker } from "./plain.ts";
import { Requests } from "./requests.ts";
import type { Lost } from "./session/lost.ts";
import { Session } from "./session/session.ts";
import { parseTarget, type Target } from "./target.ts";
import { noticeVersion } from "./version_notice.ts";

/** The bytes a received line may have without an end; no relay keeps more of a whole room. */
const MAX_UNFINISHED_BYTES = 8 * 1024 * 1024;

/** For how long the console is not told of another failure, in ms: a connection may break again and again. */
const WARNING_PAUSE_MS = 60_000;

/** A member of a relay, from `open()` to `close()`. */
export class Membership<E> {
  readonly #link: Link;
  readonly #callbacks = new Callbacks();
  readonly #losses: LossTally;
  readonly #onAbort = () => void this.close();
  #unwatchPage: () => void = () => {};
  #closed: Promise<void> | undefined;
  #lost = 0;
  /** Whether the console was told of this failure; when it was told of one. */
  #hasWarned = false;
  #warnedAtMs = -Infinity;

  /** What the program asked for, as it was then. */
  readonly options: ConnectOptions<E>;
  /** Its session; `undefined` if it is plain. */
  readonly session: Session | undefined;
  /** The name it gave itself; empty if none, or plain. */
  readonly name: string;
  /** What comes for it. */
  readonly incoming: Incoming<E>;
  /** What it says. */
  readonly outgoing: Outgoing;
  /** What it asks and answers. */
  readonly requests: Requests;
  /** How it is host. */
  readonly hostRole: HostRole;

  /**
   * Joins the parts; nothing happens before `open()`.
   *
   * @throws {TypeError} when the target or an option has the wrong form
   * @throws {RangeError} when the port or an option is out of range
   */
  constructor(target: Target | undefined, given: ConnectOptions<E>) {
    const page = pageLocation();
    const address = parseTarget(target, page);
    const isSecurePage = page?.protocol === "https:";
    const options = this.options = takeOptions(given);
    const settings = readOptions(options as ConnectOptions<never>, address, isSecurePage);
    const { plain, name, tls, inboxLimit, maxLineBytes, offlineBytes, maxQueuedBytes } = settings;
    this.name = plain ? "" : name;
    this.#losses = new LossTally((lost) => this.#callbacks.callToTheEnd(options.onLost, lost));
    this.incoming = new Incoming(options, inboxLimit, this.#losses, () => this.#callbacks.catchUp());
    this.session = plain ? undefined : this.#newSession(settings);
    this.#link = new Link({
      address,
      openTransport: transportFor(address, tls),
      offlineBytes,
      maxQueuedBytes,
      speaker: this.session ?? this.#newPlainSpeaker(settings),
      onStatus: (status, detail) => this.#onStatus(status, detail),
    });
    this.outgoing = new Outgoing(this.#link, this.session, this.#losses, maxLineBytes);
    this.requests = new Requests(this.session, this.outgoing, options);
    this.hostRole = new HostRole(this.session, this.outgoing);
  }

  /** What it is doing; `closed` once `close()` is through. */
  get status(): Status {
    return this.#link.status;
  }

  /** Makes a copy of what it has counted so far. */
  get stats(): Stats {
    const { incoming } = this, link = this.#link;
    const [droppedSent, droppedReceived] = [link.droppedLines, incoming.dropped];
    return {
      sent: link.sentLines,
      waiting: link.waitingLines,
      received: incoming.received,
      dropped: droppedSent + droppedReceived,
      droppedSent,
      droppedReceived,
      lost: this.#lost,
      invalid: incoming.invalid,
      errors: incoming.errors,
      reconnects: link.reconnects,
      bytesSent: link.sentBytes,
      bytesReceived: link.receivedBytes,
    };
  }

  /**
   * Connects; what the callbacks are told waits until the turn after that, or until the program takes events.
   *
   * @throws {Error} as {@linkcode connect} does; it is closed then
   */
  async open(): Promise<void> {
    const { signal, retry = false } = this.options;
    signal?.throwIfAborted();
    signal?.addEventListener("abort", this.#onAbort);
    this.#unwatchPage = watchPageLife({
      onHide: () => this.hostRole.noteHidden(),
      onWake: () => {
        this.hostRole.noteShown();
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
    this.#callbacks.open();
  }

  /** Ends all parts, see {@linkcode Relay.close}. */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      // First of all: a callback of what follows may call this again. Also where the runtime is too old.
      let end: (closing: Promise<void>) => void = () => {};
      this.#closed = new Promise((resolve) => end = resolve);
      end(this.#close());
    }
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { signal } = this.options;
    signal?.removeEventListener("abort", this.#onAbort);
    this.#unwatchPage();
    this.#callbacks.close();
    this.incoming.close();
    this.outgoing.close();
    this.hostRole.close();
    this.requests.close();
    this.#losses.flush();
    await this.#link.close(signal?.aborted ? signal.reason : undefined);
    this.#lost += this.outgoing.noteLeft();
    this.#losses.close();
  }

  #newSession({ room, name, token, simulate, echo, canHost, maxMembers, any, ...rest }: Settings): Session {
    const options = this.options, callbacks = this.#callbacks;
    return new Session({
      ...{ room, name, token, simulate, echo, canHost, maxMembers, any },
      maxUnfinishedBytes: maxUnfinishedBytes(rest),
      sink: {
        onEvent: (line, isRepair, origin) => this.incoming.takeEvent(line, isRepair, origin),
        onInvalidLine: (line, error) => this.incoming.takeInvalid(line, error),
        onError: (error) => this.incoming.takeError(error),
        onRelayVersion: noticeVersion,
        onLost: (lost) => this.#onLost(lost),
        onJoin: (peer) => callbacks.call(options.onJoin, peer),
        onLeave: (peer, reason) => callbacks.call(options.onLeave, peer, reason),
        onState: (peer, key, value) => callbacks.call(options.onState, peer, key, value),
        onHost: (host) => {
          callbacks.call(options.onHost, host);
          this.hostRole.noteHost();
        },
        onQuestion: (line, from, ask) => callbacks.call(() => void this.requests.answer(line, from, ask)),
      },
    });
  }

  #newPlainSpeaker(settings: Settings): PlainSpeaker {
    return new PlainSpeaker(maxUnfinishedBytes(settings), {
      onLine: (line) => this.incoming.takePlainLine(line),
      onInvalidLine: (line, error) => this.incoming.takeInvalid(line, error),
    });
  }

  #onStatus(status: Status, detail: StatusDetail): void {
    const { onStatus } = this.options;
    if (onStatus !== undefined) return callNow(onStatus, status, detail);
    if (status === "connected") this.#hasWarned = false;
    const nowMs = performance.now();
    if (status === "closed" || detail.error === undefined) return;
    if (this.#hasWarned || nowMs - this.#warnedAtMs < WARNING_PAUSE_MS) return;
    this.#hasWarned = true;
    this.#warnedAtMs = nowMs;
    console.warn(`eventrelay: ${printable(detail.error.message)} (trying again)`);
  }

  #onLost(lost: Lost): void {
    this.#lost += lost.lines;
    this.#callbacks.call(this.options.onLost, lost);
  }
}

function maxUnfinishedBytes({ maxLineBytes }: Pick<Settings, "maxLineBytes">): number {
  return Math.max(MAX_UNFINISHED_BYTES, maxLineBytes);
}
