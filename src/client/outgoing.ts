// What a program says, on its way out: events and changes of state become lines, which the link gets, and
// what is dropped of them is noted. What is asked and answered is in requests.ts; what waits, and what a
// broken connection does to it, in the outboxes.
//
//   send(event) ─→ JSON, LF ─→ Link ⇄ relay          set(key, value) ─→ SessionOutbox ─→ Link

import { CONTROL_OPENING, type Tag } from "../wire/protocol.ts";
import { readSetOptions, type SetOptions } from "./call_options.ts";
import { jsonText } from "./json_text.ts";
import type { Link } from "./link/link.ts";
import type { LossTally } from "./loss_tally.ts";
import { needSession } from "./plain.ts";
import { encodeLetters, readReceivers, type SendOptions } from "./receivers.ts";
import type { Session } from "./session/session.ts";
import { checkChange, checkKey } from "./state_check.ts";

const encoder = new TextEncoder();

/** As much of a link as is written to. */
type LinkEnd = Pick<Link, "send" | "flush" | "droppedLines" | "droppedBytes">;

/** Writes what a program says over one link; a plain client has no session. */
export class Outgoing {
  readonly #link: LinkEnd;
  readonly #session: Session | undefined;
  readonly #losses: LossTally;
  readonly #maxLineBytes: number;
  /** How much of what was given to `send()` and dropped has been noted as lost. */
  #notedDrops = { lines: 0, bytes: 0 };
  #isClosed = false;

  /** Makes it; a line may have `maxLineBytes` without its LF, or less if the relay says so. */
  constructor(link: LinkEnd, session: Session | undefined, losses: LossTally, maxLineBytes: number) {
    this.#link = link;
    this.#session = session;
    this.#losses = losses;
    this.#maxLineBytes = maxLineBytes;
  }

  /** How long a line may be, in bytes without its LF. */
  get lineLimit(): number {
    return Math.min(this.#maxLineBytes, this.#session?.limits?.maxLineBytes ?? Infinity);
  }

  /** Sends an event, see {@linkcode Relay.send}. */
  send(event: unknown, options?: SendOptions): void {
    const text = jsonText("send event", event);
    if (options !== undefined) return this.sendTo(text, readReceivers(options));
    // Only control lines begin so; an event that does is sent with a space before it.
    const line = encoder.encode(`${text.startsWith(CONTROL_OPENING) ? " " : ""}${text}\n`);
    const bytes = line.length - 1, limit = this.lineLimit;
    if (bytes > limit) {
      throw new RangeError(`Cannot send event: it has ${bytes} bytes, maxLineBytes is ${limit}`);
    }
    this.#link.send(line);
    this.#noteDrops();
  }

  /**
   * Sends an event, given as JSON, to those members alone; with a tag it is a question or an answer. `verb`
   * says what can't be done otherwise.
   *
   * @throws {RangeError} when it is too long
   */
  sendTo(text: string, ids: readonly string[], tag?: Tag, verb = "send event"): void {
    needSession(this.#session, verb, "knows nobody to send it to");
    for (const line of encodeLetters(verb, text, ids, this.lineLimit, tag)) this.#link.send(line);
    this.#noteDrops();
  }

  /** Sends a control line with its LF: it goes before the events that wait. */
  sendControl(line: Uint8Array): void {
    this.#session?.source.ask(line);
    this.#link.flush();
  }

  /** Sets a value, see {@linkcode Relay.set}. */
  set(key: string, value: unknown, options: SetOptions): void {
    const { session, isRoom } = this.#toSet(key, options);
    const json = jsonText("set state", value);
    checkChange(session, key, json, isRoom);
    this.#change(session, key, json, isRoom);
  }

  /** Removes a key, see {@linkcode Relay.unset}. */
  unset(key: string, options: SetOptions): void {
    const { session, isRoom } = this.#toSet(key, options);
    this.#change(session, key, undefined, isRoom);
  }

  /** Notes that what is said from now on is said after the end. */
  close(): void {
    this.#isClosed = true;
  }

  /**
   * Notes, once the link is closed, what did not go out or may not have arrived; returns how many lines may
   * not have.
   */
  noteLeft(): number {
    this.#noteDrops();
    const left = this.#session?.source.takeLeft();
    if (left === undefined || left.lines + left.roomChanges.size === 0) return 0;
    this.#losses.note("closed", left.lines, left.bytes, [...left.roomChanges.keys()]);
    return left.lines;
  }

  #toSet(key: unknown, options: SetOptions): { session: Session; isRoom: boolean } {
    const session = needSession(this.#session, "set state", "has none");
    checkKey(key);
    return { session, isRoom: readSetOptions(options) };
  }

  #change(session: Session, key: string, json: string | undefined, isRoom: boolean): void {
    if (this.#isClosed) {
      // What the member has set itself goes with it.
      if (isRoom) this.#losses.note("closed", 0, 0, [key]);
      return;
    }
    session.source.set(key, json, isRoom);
    this.#link.flush();
  }

  /** Notes what has been dropped of what was given to `send()`. */
  #noteDrops(): void {
    const { droppedLines, droppedBytes } = this.#link;
    const lines = droppedLines - this.#notedDrops.lines, bytes = droppedBytes - this.#notedDrops.bytes;
    if (lines === 0) return;
    this.#notedDrops = { lines: droppedLines, bytes: droppedBytes };
    this.#losses.note(this.#isClosed ? "closed" : "outbox", lines, bytes);
  }
}
