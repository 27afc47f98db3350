// How far the end of one connection has come, and why it ends: in order, in steps that each have a deadline,
// or at once. What is to be done at each step its connection does. And which errors of a socket are an end
// like any other.
//
//   goes on ──▶ ending: what is due is written ──▶ output ended: the other side's end is waited for ──▶ cut
//       └──────────────────────────── at once, also when a deadline passes ──────────────────────────▶ cut

import type { LogLevel } from "../log.ts";
import type { EndReason, Outlet } from "../member/member.ts";
import type { Timer, Timers } from "../timers.ts";
import { isExpectedEnd } from "./transport.ts";

/** How long an ending connection has for writing what is due… */
const GOODBYE_MS = 1000;

/**
 * …and how long it then waits for the other side's end. Closing before that, with input unread, would make
 * the kernel discard what the client has not read yet.
 */
const LINGER_MS = 250;

/** The end of one connection. */
export class Ending {
  readonly #connection: Pick<Outlet, "cut">;
  readonly #timers: Timers;
  #isOutputEnded = false;
  /** Tells who waits for that. */
  #onOutputEnded: (() => void) | undefined;
  #reason: EndReason | undefined;
  #isCut = false;
  #timer: Timer | undefined;

  /** @param connection is cut when a deadline has passed */
  constructor(connection: Pick<Outlet, "cut">, timers: Timers) {
    this.#connection = connection;
    this.#timers = timers;
  }

  /** Why it is ending or has ended, the first reason that was given; undefined while it goes on. */
  get reason(): EndReason | undefined {
    return this.#reason;
  }

  /** Whether the connection is closed, or another one's. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Whether nothing will be written any more. */
  get isOutputEnded(): boolean {
    return this.#isOutputEnded;
  }

  /** Resolves when nothing will be written any more. For one who waits. */
  outputEnded(): Promise<void> {
    if (this.#isOutputEnded) return Promise.resolve();
    return new Promise((done) => this.#onOutputEnded = done);
  }

  #endOutput(): void {
    this.#isOutputEnded = true;
    this.#onOutputEnded?.();
  }

  /** Begins it, in order: what is due has a moment to be written. */
  begin(reason: EndReason): void {
    this.#reason = reason;
    this.#setDeadline(GOODBYE_MS);
  }

  /** Begins it where nothing is due: the connection will be cut soon. */
  beginShort(reason: EndReason): void {
    this.#reason = reason;
  }

  /** Notes that the output has ended, or can't go on: the other side has a moment to end its own. */
  noteOutputEnded(): void {
    this.#setDeadline(LINGER_MS); // the time for a goodbye went on until now
    this.#endOutput();
  }

  /** Ends it at once; returns false if that was done before. */
  cut(reason: EndReason): boolean {
    if (this.#isCut) return false;
    this.#isCut = true;
    this.#reason ??= reason;
    this.#timers.clearTimeout(this.#timer);
    this.#endOutput();
    return true;
  }

  #setDeadline(ms: number): void {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = this.#timers.setTimeout(() => this.#connection.cut(this.#reason ?? "lost"), ms);
  }
}

/**
 * Says how an error that ends a connection is to be logged: not at all if it is one of everyday life, or
 * comes of our own close.
 */
export function logLevelOf(error: unknown): LogLevel | undefined {
  if (isExpectedEnd(error)) return undefined;
  return error instanceof Deno.errors.InvalidData ? "warn" : "error"; // TLS that the client got wrong
}
