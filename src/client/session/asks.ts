// Questions that this program has asked, the relay or another member, and that wait for an answer. Touches no
// socket: who asks sends the line.

import { isControlLine, type Tag } from "../../wire/protocol.ts";
import { printable } from "../../wire/untrusted.ts";
import { Countdown } from "../link/countdown.ts";
import { decodeUtf8 } from "../../wire/utf8.ts";

/**
 * How much of why a question was not answered is told, by who should have and to who asked, in UTF-16 code
 * units.
 */
export const MAX_REASON_LENGTH = 1000;

/** Why a question got no answer, or a claim could not be decided. */
export class RequestError extends Error {
  /** What errors of this kind are called. */
  override readonly name = "RequestError";
  /**
   * For programs: `timeout` (nobody has answered in time: it may have been done or not); `no_such_peer` and
   * `left` (who was asked is not there, or has left meanwhile); `failed` (the other's `onRequest` threw, or
   * there is none); `not_resumed` (the session could not go on: it may have been asked or not, what never was
   * is asked in the next one, unless of a member of a relay that was restarted); `closed`; or the relay's
   * code, such as `too_many_keys`.
   */
  readonly code: string;

  /** @internal */
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Ask {
  what: string;
  /** Who is to answer; the relay if it is undefined. */
  peerId: string | undefined;
  resolve: (value: unknown) => void;
  reject: (error: RequestError) => void;
  countdown: Countdown;
}

/**
 * Asks, and returns the answer. A program that does not look at it lives on when there is none; what it did
 * wrong itself, what `ask` throws, it is told.
 */
export function forgiving<T>(ask: () => Promise<T>): Promise<T> {
  let answer: Promise<T>;
  try {
    answer = ask();
  } catch (error) {
    return Promise.reject(error);
  }
  answer.catch(() => {});
  return answer;
}

const NONE: ReadonlySet<string> = new Set();

/** Reads the name of the question that a line written here asks; `undefined` for any other line. */
export function readAsk(line: Uint8Array): string | undefined {
  if (!isControlLine(line, 0)) return undefined;
  const [body] = Object.values<Tag>(JSON.parse(decodeUtf8(line)));
  return body.ask;
}

/** The questions without an answer. */
export class Asks {
  readonly #pending = new Map<string, Ask>();
  #last = 0;

  /**
   * Opens a question: `what` can't be done without an answer. Returns its name on the wire, and the answer.
   *
   * @param peerId who is to answer; the relay, if it is left out
   * @param timeoutMs how long to wait, from 0 to Infinity
   */
  open(what: string, peerId?: string, timeoutMs = Infinity): { ask: string; answer: Promise<unknown> } {
    const ask = (++this.#last).toString(36);
    const countdown = new Countdown(timeoutMs, () => {
      const who = peerId === undefined ? "of the relay " : "";
      const why = `no answer ${who}within ${timeoutMs} ms, so it may have been done or not`;
      this.#fail(ask, "timeout", why, peerId);
    });
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(ask, { what, peerId, resolve, reject, countdown });
    });
    answer.catch(() => {}); // it is the caller's to look at it
    return { ask, answer };
  }

  /** Whether a question of that name still waits for its answer. */
  isOpen(ask: string): boolean {
    return this.#pending.has(ask);
  }

  /** Takes the answer of a member, or of the relay. */
  settle(ask: string, value: unknown, peerId?: string): void {
    this.#take(ask, peerId)?.resolve(value);
  }

  /** Takes the answer of a member, a line whose tag names the question, or why there is none. */
  takeReply(line: string, { reply, failed }: Tag, peerId: string): void {
    if (reply === undefined) return;
    let answer: unknown;
    try {
      answer = JSON.parse(line);
    } catch {
      return this.#fail(reply, "failed", "its answer is not JSON", peerId);
    }
    if (failed !== true) this.settle(reply, answer, peerId);
    // It may be anything, also what can't be made a text.
    else this.#fail(reply, "failed", typeof answer === "string" ? answer : line, peerId);
  }

  /**
   * Takes the relay's answer to a question, the body of an `$answer`: to one that it was asked, or why there
   * is none.
   */
  takeAnswer({ ask, code, message, ...answer }: Record<string, unknown>): void {
    if (typeof ask !== "string") return;
    if (typeof code !== "string") return this.settle(ask, answer);
    // Whoever was asked: the relay saw to it that nobody was.
    const why = typeof message === "string" ? message : "the relay does not say why";
    this.#fail(ask, code, why, this.#pending.get(ask)?.peerId);
  }

  /** Notes that a member will answer nothing any more. */
  failPeer(peerId: string): void {
    for (const [ask, pending] of this.#pending) {
      if (pending.peerId === peerId) this.#fail(ask, "left", `${peerId} has left`, peerId);
    }
  }

  /** Notes that nobody will answer any more, but for some questions. */
  failAll(code: string, why: string, but: ReadonlySet<string> = NONE): void {
    for (const [ask, { peerId }] of this.#pending) if (!but.has(ask)) this.#fail(ask, code, why, peerId);
  }

  #fail(ask: string, code: string, why: string, peerId: string | undefined): void {
    const pending = this.#take(ask, peerId), shown = printable(why.slice(0, MAX_REASON_LENGTH));
    pending?.reject(new RequestError(code, `Cannot ${pending.what}: ${shown}`));
  }

  #take(ask: string, peerId: string | undefined): Ask | undefined {
    const pending = this.#pending.get(ask);
    if (pending === undefined || pending.peerId !== peerId) return undefined; // it was asked somebody else
    this.#pending.delete(ask);
    pending.countdown.stop();
    return pending;
  }
}
