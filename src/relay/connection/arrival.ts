// A connection of which nobody knows yet what it is. It takes part in nothing: it has a place in the lobby's
// log, so that a plain client misses nothing that is said from the moment of connecting, and nothing is
// written to it, until its first bytes or a moment of silence decide.
//
//   accepted ─▶ first bytes ─┬─▶ a hello ──▶ session       nothing for 250 ms ─▶ plain member, whose first
//                            ├─▶ lines ────▶ plain member       bytes are looked at all the same
//                            ├─▶ HTTP ─────▶ its door           (for longer from a host that browses: its
//                            └─▶ another protocol ─▶ refused    browser may hold the socket in reserve)

import { concat } from "../../wire/concat.ts";
import type { Settings, Timer } from "../options.ts";
import type { Cursor } from "../room/cursor.ts";
import type { Reader } from "../room/feed.ts";
import type { Room } from "../room/room.ts";
import { classifyFirstBytes, type FirstBytes } from "./first_bytes.ts";

/**
 * How long nothing is written to a connection that has sent nothing: a session's hello is usually there by
 * then.
 */
const HOLD_MS = 250;

/** How long a hello may take from its first byte to its end, and to come at all where a token is needed. */
export const HELLO_MS = 5000;

const NOTHING = new Uint8Array(0);

/** What a connection begins with, and all that has come of it. */
export interface Opening {
  kind: Exclude<FirstBytes, "undecided">;
  bytes: Uint8Array;
}

/** The beginning of one connection. */
export class Arrival {
  readonly #settings: Settings;
  readonly #onSilent: () => void;
  #timer: Timer | undefined;
  #place: Place | undefined;
  #bytes: Uint8Array = NOTHING;
  #since = 0;

  /** @param onSilent is called when it has sent nothing for so long that it can't wait any more */
  constructor(lobby: Room, settings: Settings, onSilent: () => void) {
    this.#settings = settings;
    this.#onSilent = onSilent;
    this.#place = new Place(lobby);
    this.#timer = settings.timers.setTimeout(onSilent, settings.needsToken ? HELLO_MS : HOLD_MS);
  }

  /** Waits once more, where silence does not tell yet what it is. */
  waitOn(): void {
    this.#timer = this.#settings.timers.setTimeout(this.#onSilent, HOLD_MS);
  }

  /** What has come so far, and does not tell what it is. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Looks at what was read at `nowMs`: says what the connection is, once that can be said. */
  look(chunk: Uint8Array, nowMs: number): Opening | undefined {
    if (this.#bytes.length === 0) this.#since = nowMs;
    const bytes = this.#bytes.length === 0 ? chunk : concat([this.#bytes, chunk]);
    const kind = classifyFirstBytes(bytes, this.#settings.isChecked);
    if (kind !== "undecided") return { kind, bytes };
    this.#bytes = bytes.slice();
  }

  /** How long a line was begun that does not tell yet what it is, in ms. */
  midLineMs(nowMs: number): number {
    return this.#bytes.length === 0 ? 0 : nowMs - this.#since;
  }

  /** Hands its place on, once: `take` makes a plain member that goes on from there. */
  handOn<T>(take: (cursor: Cursor) => T): T {
    const taker = take(this.#place!.cursor);
    this.#leave();
    return taker;
  }

  /** Gives its place up, if it still has it. */
  leave(): void {
    this.#place?.cursor.close();
    this.#leave();
  }

  #leave(): void {
    this.#settings.timers.clearTimeout(this.#timer);
    // A timer that is over is half a kilobyte, and an arrival may be looked at for hours.
    this.#timer = undefined;
    this.#place?.leave();
    this.#place = undefined;
  }
}

/** A place in the lobby's log that nobody reads from. */
class Place implements Reader {
  readonly #lobby: Room;
  readonly cursor: Cursor;

  constructor(lobby: Room) {
    this.#lobby = lobby;
    this.cursor = lobby.plain.openCursor();
    lobby.plain.join(this);
  }

  wake(): void {}

  skipOwn(): void {}

  leave(): void {
    this.#lobby.leave(this, this.#lobby.plain);
  }
}
