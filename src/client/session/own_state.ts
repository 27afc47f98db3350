// The state that this program has set, as JSON text: what has to be told to the relay next, the newest value
// of each key alone, and what has to be told again when a session could not be resumed. Pure.

import { encodeSet } from "../../wire/protocol.ts";

/**
 * Remembers what was set, and which keys the relay has not been told about. One for the member, one for the
 * room.
 */
export class OwnState {
  /** Whether it is the room's. */
  readonly isRoom: boolean;
  /** The values that are this program's, as it wants them to be. */
  readonly #values = new Map<string, string>();
  /** The same as the relay has taken them. */
  readonly #settled = new Map<string, string>();
  /** The keys that the relay has not been told about, the one that has waited longest first… */
  readonly #news = new Set<string>();
  /** …and those of them that are to be removed. */
  readonly #removals = new Set<string>();
  /** The keys of the room whose values go when this program leaves. */
  readonly #held = new Set<string>();

  /** Makes an empty state; that of a room is marked so on the wire. */
  constructor(isRoom: boolean) {
    this.isRoom = isRoom;
  }

  /** The number of keys that have a value. */
  get size(): number {
    return this.#values.size;
  }

  /** The number of keys to tell the relay about. */
  get newsLength(): number {
    return this.#news.size;
  }

  /** The keys to tell the relay about. */
  get newsKeys(): Iterable<string> {
    return this.#news;
  }

  /** Whether the key has a value. */
  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** Makes an object, without a prototype, of all that is set. */
  values(): Record<string, unknown> {
    const values: Record<string, unknown> = Object.create(null);
    for (const [key, json] of this.#values) values[key] = JSON.parse(json);
    return values;
  }

  /** Whether the relay has not been told about the key's newest value, or its removal. */
  isNews(key: string): boolean {
    return this.#news.has(key);
  }

  /** Sets a key to a value, given as JSON; `undefined` removes the key. */
  set(key: string, json: string | undefined): void {
    put(this.#values, key, json);
    this.#news.add(key);
    if (json === undefined) this.#removals.add(key);
    else this.#removals.delete(key);
  }

  /** Says whether a key's value is to go when this program leaves. */
  hold(key: string, isHeld: boolean): void {
    if (isHeld) this.#held.add(key);
    else this.#held.delete(key);
  }

  /**
   * Notes that a value of this program's stands there: it is this program's to set again. What it has said
   * since stays.
   */
  keep(key: string, json: string): void {
    if (!this.#news.has(key) && !this.#values.has(key)) this.#values.set(key, json);
  }

  /**
   * Notes that somebody else's value stands there now, or none; what the relay has not been told yet stays.
   */
  forget(key: string): void {
    this.#settled.delete(key);
    if (this.#news.has(key)) return;
    this.#values.delete(key);
    this.#held.delete(key);
  }

  /** Notes that the relay has taken a value, or a removal. */
  settle(key: string, json: string | undefined): void {
    put(this.#settled, key, json);
  }

  /**
   * Notes that the relay refused the newest value that it was told for a key: what it had taken before is
   * what holds. `told` is a newer value that it may still take, if there is one. What is news stays.
   */
  refuse(key: string, told?: { json: string | undefined }): void {
    if (this.#news.has(key)) return;
    put(this.#values, key, told === undefined ? this.#settled.get(key) : told.json);
  }

  /** Makes every value one to tell about again: nothing of it is settled in another session. */
  setAgain(): void {
    this.#settled.clear();
    for (const key of this.#values.keys()) this.#news.add(key);
  }

  /** Does the same, but gives up the keys where somebody's value stands already. */
  setAgainWhereMissing(present: Readonly<Record<string, unknown>>): void {
    this.#settled.clear();
    for (const key of [...this.#values.keys()]) {
      if (key in present) this.forget(key);
      else this.#news.add(key);
    }
  }

  /** Gives up every value that the relay was told: others may have changed them. What is news stays. */
  giveUp(): void {
    for (const key of [...this.#values.keys()]) this.forget(key);
    this.#settled.clear();
  }

  /**
   * Takes the line that tells about the key that has waited longest, or `undefined`. Removals go first: so
   * the relay never has more keys than there were here at a time.
   */
  takeLine(): { line: Uint8Array; key: string; json: string | undefined } | undefined {
    const [key] = this.#removals.size > 0 ? this.#removals : this.#news;
    if (key === undefined) return undefined;
    this.#news.delete(key);
    this.#removals.delete(key);
    const json = this.#values.get(key), isHeld = json !== undefined && this.#held.has(key);
    return { line: encodeSet(key, json, { isRoom: this.isRoom, isHeld }), key, json };
  }
}

function put(map: Map<string, string>, key: string, json: string | undefined): void {
  if (json === undefined) map.delete(key);
  else map.set(key, json);
}
