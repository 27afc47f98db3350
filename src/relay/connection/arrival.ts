// A connection of which nobody knows yet what it is. It takes part in nothing: it has a place in the lobby's
// log, so that a plain client misses nothing that is said from the moment of connecting, and nothing is
// written to it, until its first bytes or a moment of silence decide.
//
//   accepted ─▶ first bytes ─┬─▶ a hello ──▶ session       nothing for 250 ms ─▶ plain member, whose first
//                            ├─▶ lines ────▶ plain member       bytes are looked at all the same
//                            ├─▶ HTTP ─────▶ its door           (for longer from a host that browses: its
//                            └─▶ another protocol ─▶ refused    browser may hold the socket in reserve)

import { concat } from "../../wire/concat.ts";
import type { Settings } from "../options.ts";
import type { Silent } from "../silence_watch.ts";
import type { Cursor } from "../room/cursor.ts";
import type { Reader } from "../room/feed.ts";
import type { Room } from "../room/room.ts";
import { classifyFirstBytes, type FirstBytes } from "./first_bytes.ts";

const NOTHING = new Uint8Array(0);

/** What a connection begins with, and all that has come of it. */
export interface Opening {
  kind: Exclude<FirstBytes, "undecided">;
  bytes: Uint8Array;
}

/** The beginning of one connection: a reader of the lobby's log that takes nothing. */
export class Arrival implements Reader {
  readonly #lobby: Room;
  readonly #settings: Settings;
  readonly #silent: Silent;
  /** Its place in the log, until it hands that on or gives it up. */
  #cursor: Cursor | undefined;
  #bytes: Uint8Array = NOTHING;
  #since = 0;

  /** @param silent is told when nothing was sent for so long that it can't be waited for any more */
  constructor(lobby: Room, settings: Settings, silent: Silent) {
    this.#lobby = lobby;
    this.#settings = settings;
    this.#silent = silent;
    this.#cursor = lobby.plain.openCursor();
    lobby.plain.join(this);
    settings.silences.add(silent);
  }

  /** Waits once more, where silence does not tell yet what it is. */
  waitOn(): void {
    this.#settings.silences.add(this.#silent);
  }

  get cursor(): Cursor {
    return this.#cursor!;
  }

  wake(): void {}

  skipOwn(): void {}

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
    const taker = take(this.#cursor!);
    this.#leave();
    return taker;
  }

  /** Gives its place up, if it still has it. */
  leave(): void {
    this.#cursor?.close();
    this.#leave();
  }

  #leave(): void {
    if (this.#cursor === undefined) return;
    this.#settings.silences.delete(this.#silent);
    this.#lobby.leave(this, this.#lobby.plain);
    this.#cursor = undefined;
  }
}
