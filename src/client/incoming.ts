// What comes for a program: lines become events, checked by its schema, and wait in the inbox until it takes
// them; lines that are none, and what the relay complains about, are counted and told. What a session makes
// of its lines before that is in session/.
//
//   line ─→ JSON? schema? ─→ Inbox ─→ drain()
//                                 └─→ for await

import { printable } from "../wire/untrusted.ts";
import { callNow } from "./callbacks.ts";
import { DrainWatch } from "./drain_watch.ts";
import { rateLimit } from "./frames.ts";
import { Inbox } from "./inbox.ts";
import { describeThrown } from "./option_check.ts";
import type { LossTally } from "./loss_tally.ts";
import type { ConnectOptions } from "./options.ts";
import { readErrorLine, type RelayError } from "./session/relay_control.ts";
import type { Origin } from "./session/stream_marks.ts";
import { eventChecker } from "./standard_schema.ts";

/**
 * The most that the waiting events may take, in characters of their lines: what bounds the memory when events
 * are large.
 */
const MAX_INBOX_CHARACTERS = 32 * 1024 * 1024;

/** What an event takes beside its line, in characters. */
const EVENT_COST = 32;

/** What a program has to say about what comes. */
export type IncomingOptions<E> = Pick<ConnectOptions<E>, "schema" | "onInvalid" | "onError">;

/** Takes lines, and gives events. After `close()` it takes none; what is left can still be taken. */
export class Incoming<E> {
  readonly #options: IncomingOptions<E>;
  readonly #losses: LossTally;
  readonly #beforeTaking: () => void;
  readonly #inbox: Inbox<E, Origin>;
  readonly #check: ((value: unknown) => E) | undefined;
  readonly #drainWatch = new DrainWatch();
  readonly #mayWarn = rateLimit(1);
  /** The origin of what a plain client receives in this turn. */
  #plainOrigin: Origin | undefined;
  #isClosed = false;

  /** The events that came, the lines that are none, and the complaints of the relay. */
  received = 0;
  invalid = 0;
  errors = 0;

  /**
   * Makes an empty inbox for so many events.
   *
   * @param beforeTaking is called whenever the program begins to take events
   * @throws {TypeError} when the schema is none
   */
  constructor(
    options: IncomingOptions<E>,
    inboxLimit: number,
    losses: LossTally,
    beforeTaking: () => void,
  ) {
    this.#options = options;
    this.#losses = losses;
    this.#beforeTaking = beforeTaking;
    this.#check = options.schema === undefined ? undefined : eventChecker(options.schema);
    this.#inbox = new Inbox({ maxEvents: inboxLimit, maxSize: MAX_INBOX_CHARACTERS });
  }

  /** The events that were pushed out of the inbox. */
  get dropped(): number {
    return this.#inbox.dropped;
  }

  /** Takes an event as a line; `isRepair` where a break had held it back. */
  takeEvent(line: string, isRepair: boolean, origin: Origin): void {
    if (this.#isClosed) return;
    let event: E;
    try {
      const value = JSON.parse(line);
      event = this.#check === undefined ? value : this.#check(value);
    } catch (error) {
      return this.takeInvalid(line, error instanceof Error ? error : new TypeError(describeThrown(error)));
    }
    this.received++;
    const out = this.#inbox.push(event, line.length + EVENT_COST, isRepair, origin);
    if (out !== undefined) this.#losses.note("inbox", out.events, out.size - out.events * EVENT_COST);
  }

  /** Takes a line as a plain client gets it: an event, or the relay's complaint. */
  takePlainLine(line: string): void {
    if (this.#isClosed) return;
    const error = readErrorLine(line);
    if (error !== undefined) return this.takeError(error);
    if (this.#plainOrigin === undefined) {
      this.#plainOrigin = {
        from: undefined,
        time: performance.timeOrigin + performance.now(),
        fromHost: false,
      };
      queueMicrotask(() => this.#plainOrigin = undefined);
    }
    this.takeEvent(line, false, this.#plainOrigin);
  }

  /** Takes what can be shown of a line that is no event. */
  takeInvalid(line: string, error: Error): void {
    if (this.#isClosed) return;
    this.invalid++;
    callNow(this.#options.onInvalid, line, error);
  }

  /** Takes a complaint of the relay: told, or else a warning, one a second at most. */
  takeError(error: RelayError): void {
    if (this.#isClosed) return;
    this.errors++;
    if (this.#options.onError !== undefined) return callNow(this.#options.onError, error);
    if (!this.#mayWarn()) return;
    console.warn(`eventrelay: the relay reports ${printable(`${error.code}: ${error.message}`)}`);
  }

  /** Gives all events that wait, oldest first. */
  drain(): E[] {
    this.#watchLoop("drain");
    this.#beforeTaking();
    return this.#inbox.takeAll();
  }

  /** Does the same, each as `make` gives it. */
  messages<T>(make: (event: E, origin: Origin) => T): T[] {
    this.#watchLoop("messages");
    this.#beforeTaking();
    return this.#inbox.takeAllAs(make);
  }

  /**
   * Gives one event after the other, each as `make` gives it; ends after `close()`, once there is nothing
   * left.
   */
  iterate<T>(make: (event: E, origin: Origin) => T): AsyncIterableIterator<T, undefined> {
    this.#beforeTaking();
    return this.#inbox.iterate(make);
  }

  /** Takes nothing from now on. */
  close(): void {
    this.#isClosed = true;
    this.#drainWatch.stop();
    this.#inbox.close();
  }

  #watchLoop(call: string): void {
    if (!this.#drainWatch.noteCall()) return;
    console.warn(
      `eventrelay: ${call}() is called in a loop that never awaits, so the network never gets to run and ` +
        "nothing can arrive. Tick the loop with: for await (const seconds of frames(30)) { … }",
    );
  }
}
