// The state that this program has set, as JSON text: what has to be told to the relay next, the newest value
// of each key alone, and what has to be told again when a session could not be resumed. Pure.

import { encodeSet } from "../../wire/protocol.ts";
import { Queue } from "../link/queue.ts";

/** Remembers what was set, and which keys the relay has not been told about. One for the member, one for the room. */
export class OwnState {
  readonly #isRoom: boolean;
  readonly #values = new Map<string, string>();
  readonly #news = new Set<string>();
  readonly #order = new Queue<string>();

  /** Makes an empty state; that of a room is marked so on the wire. */
  constructor(isRoom: boolean) {
    this.#isRoom = isRoom;
  }

  /** The number of keys that have a value. */
  get size(): number {
    return this.#values.size;
  }

  /** The number of keys to tell the relay about. */
  get newsLength(): number {
    return this.#news.size;
  }

  /** Whether the key has a value. */
  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** Sets a key to a value, given as JSON; `undefined` removes the key. */
  set(key: string, json: string | undefined): void {
    if (json === undefined) this.#values.delete(key);
    else this.#values.set(key, json);
    this.#tellAbout(key);
  }

  /** Notes, without telling the relay, that a value stands there: it is this program's to set again. */
  keep(key: string, json: string): void {
    this.#values.set(key, json);
  }

  /** Notes that somebody else's value stands there now; a value that the relay has not been told yet stays. */
  forget(key: string): void {
    if (!this.#news.has(key)) this.#values.delete(key);
  }

  /** Makes every value one to tell about again. */
  setAgain(): void {
    for (const key of this.#values.keys()) this.#tellAbout(key);
  }

  /** Does the same, but gives up the keys where somebody's value stands already. */
  setAgainWhereMissing(present: Record<string, unknown>): void {
    for (const key of [...this.#values.keys()]) {
      if (key in present) this.forget(key);
      else this.#tellAbout(key);
    }
  }

  /** Takes the line that tells about the key that has waited longest, or `undefined`. */
  takeLine(): Uint8Array | undefined {
    const key = this.#order.shift();
    if (key === undefined) return undefined;
    this.#news.delete(key);
    const value = this.#values.get(key);
    return encodeSet(key, value, this.#isRoom);
  }

  #tellAbout(key: string): void {
    if (this.#news.has(key)) return;
    this.#news.add(key);
    this.#order.push(key);
  }
}
