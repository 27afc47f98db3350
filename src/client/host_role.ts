// The role of the host, as this program has it: how it passes it on, by its own wish or because its page is
// hidden and so may stand still. Who is host is known by the session.

import type { Outgoing } from "./outgoing.ts";
import { needSession } from "./plain.ts";
import { type Addressee, readPeer } from "./receivers.ts";
import type { Session } from "./session/session.ts";

const encoder = new TextEncoder();

/** Passes the host on; a plain client, which has no session, never has it. */
export class HostRole {
  readonly #session: Pick<Session, "isHost"> | undefined;
  readonly #outgoing: Pick<Outgoing, "sendControl">;
  /** Whether the page is hidden, and whether this member has passed the host on for that. */
  #isHidden = false;
  #hasPassed = false;
  #isClosed = false;

  /** Makes it, in a page that can be seen. */
  constructor(session: Pick<Session, "isHost"> | undefined, outgoing: Pick<Outgoing, "sendControl">) {
    this.#session = session;
    this.#outgoing = outgoing;
  }

  /** Makes another member the host, see {@linkcode Relay.passHost}. */
  pass(peer?: Addressee): void {
    const session = needSession(this.#session, "pass the host on");
    const id = peer === undefined ? undefined : readPeer("pass the host on", peer);
    if (!session.isHost || this.#isClosed) return;
    this.#outgoing.sendControl(encoder.encode(`{"$host":${JSON.stringify({ id })}}\n`));
  }

  /** Notes that the page is hidden: from now on it may be slow, or stand still. */
  noteHidden(): void {
    this.#isHidden = true;
    this.noteHost();
  }

  /** Notes that the page can be seen. */
  noteShown(): void {
    this.#isHidden = this.#hasPassed = false;
  }

  /**
   * Notes that somebody became the host: a hidden page passes it on, but once, where all are one has to be
   * it.
   */
  noteHost(): void {
    if (!this.#isHidden || this.#hasPassed || this.#session?.isHost !== true) return;
    this.#hasPassed = true;
    this.pass();
  }

  /** Passes nothing on from now on. */
  close(): void {
    this.#isClosed = true;
  }
}
