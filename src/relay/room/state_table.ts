// The state of a room: the newest value of each key, by who owns it. Entries stand in the order of their last
// change, so that what changed since a reader last looked is the end of the list, however long the list is.
// Pure.
//
//   oldest change ─ entry ⇄ entry ⇄ entry ⇄ entry ─ newest change
//                              ▲ a reader that has seen version 7 takes what stands behind it

import type { Settings } from "../options.ts";
import type { ErrorCode } from "../../wire/protocol.ts";

/** Who a value belongs to: a member, whose values vanish with it, or the room. */
export interface StateOwner {
  /** The member's id; undefined for the room. */
  readonly id?: string;
}

/** The limits of a {@linkcode StateTable}. */
export type StateLimits = Pick<Settings, "maxKeys" | "maxValueBytes" | "maxStateBytes">;

/** One key of one owner. */
export interface StateEntry {
  readonly owner: StateOwner;
  readonly key: string;
  /** The value's JSON as it came; undefined if it was removed. */
  value: string | undefined;
  /** The `$set` line that tells it. */
  line: Uint8Array;
  /** The version of the table that this change made. */
  version: number;
  bytes: number;
  older: StateEntry | undefined;
  newer: StateEntry | undefined;
}

/** Why a value was not taken. */
export interface StateRefusal {
  code: ErrorCode;
  message: string;
}

/** How many removed keys, for each that an owner may have, are remembered while somebody has not been told of them. */
const REMOVED_PER_KEY = 8;

const encoder = new TextEncoder();

/** What one owner has: its values, and the keys it removed that somebody may not know of. */
interface Owned {
  entries: Map<string, StateEntry>;
  values: number;
}

/** The values of a room. */
export class StateTable {
  readonly #limits: StateLimits;
  readonly #owned = new Map<StateOwner, Owned>();
  #newest: StateEntry | undefined;
  #oldest: StateEntry | undefined;
  #version = 0;
  #bytes = 0;

  constructor(limits: StateLimits) {
    this.#limits = limits;
  }

  /** Counts the changes so far. */
  get version(): number {
    return this.#version;
  }

  /** What keys and values take together, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes a value, or removes it if `value` is undefined. `setBy` is the id of the member that set it.
   * @param value JSON text; it is passed on as it is
   */
  set(owner: StateOwner, key: string, value: string | undefined, setBy: string): StateRefusal | undefined {
    const own = this.#owned.get(owner);
    const old = own?.entries.get(key);
    const bytes = value === undefined ? 0 : encoder.encode(key + value).length;
    const refusal = this.#check(key, value, bytes - (old?.bytes ?? 0), own, old);
    if (refusal !== undefined) return refusal;
    if (value === undefined && (old === undefined || old.value === undefined)) return;
    if (old !== undefined) this.#unlink(old);
    const line = encodeSet(key, value, setBy, owner.id === undefined);
    const entry: StateEntry = {
      owner,
      key,
      value,
      line,
      version: ++this.#version,
      bytes,
      older: this.#newest,
      newer: undefined,
    };
    this.#bytes += bytes;
    if (this.#newest !== undefined) this.#newest.newer = entry;
    this.#newest = entry;
    this.#oldest ??= entry;
    const values = (value === undefined ? 0 : 1) - (old?.value === undefined ? 0 : 1);
    if (own !== undefined) {
      own.entries.set(key, entry);
      own.values += values;
    } else this.#owned.set(owner, { entries: new Map([[key, entry]]), values });
  }

  /** Forgets all values of an owner. Readers are told otherwise, by its `$leave`. */
  removeOwner(owner: StateOwner): void {
    for (const entry of this.#owned.get(owner)?.entries.values() ?? []) this.#unlink(entry);
    this.#owned.delete(owner);
  }

  /** Yields the keys and values of an owner, in the order in which the keys were first set. */
  *valuesOf(owner: StateOwner): Generator<StateEntry> {
    for (const entry of this.#owned.get(owner)?.entries.values() ?? []) {
      if (entry.value !== undefined) yield entry;
    }
  }

  /** Finds the oldest change after `version`; the later ones follow by `newer`. Costs what changed, not what exists. */
  firstAfter(version: number): StateEntry | undefined {
    let found: StateEntry | undefined;
    for (let entry = this.#newest; entry !== undefined && entry.version > version; entry = entry.older) {
      found = entry;
    }
    return found;
  }

  /** Counts an owner's changes as new: those who don't know it any more are told again. */
  touch(owner: StateOwner, setBy: string): void {
    const entries = [...this.valuesOf(owner)];
    for (const { key, value } of entries) this.set(owner, key, value, setBy);
  }

  /** Forgets removals that every reader has been told: all up to `version`. */
  prune(version: number): void {
    let entry = this.#oldest;
    while (entry !== undefined && entry.version <= version) {
      const next: StateEntry | undefined = entry.newer;
      if (entry.value === undefined) {
        this.#unlink(entry);
        const { entries } = this.#owned.get(entry.owner)!;
        entries.delete(entry.key);
        if (entries.size === 0) this.#owned.delete(entry.owner);
      }
      entry = next;
    }
  }

  #check(
    key: string,
    value: string | undefined,
    growth: number,
    own: Owned | undefined,
    old: StateEntry | undefined,
  ): StateRefusal | undefined {
    const { maxKeys, maxValueBytes, maxStateBytes } = this.#limits;
    const name = JSON.stringify(key);
    if (value === undefined) return;
    const valueBytes = encoder.encode(value).length;
    if (valueBytes > maxValueBytes) {
      const message =
        `Cannot set ${name}: its value has ${valueBytes} bytes, at most ${maxValueBytes} are allowed`;
      return { code: "value_too_long", message };
    }
    if (old?.value === undefined && own !== undefined && own.values >= maxKeys) {
      const message = `Cannot set ${name}: there are ${maxKeys} keys, no more are allowed`;
      return { code: "too_many_keys", message };
    }
    if (old === undefined && own !== undefined && own.entries.size >= maxKeys * (1 + REMOVED_PER_KEY)) {
      const message = `Cannot set ${name}: ${own.entries.size} different keys were set ` +
        "faster than all members can be told of their removal, use fewer";
      return { code: "too_many_keys", message };
    }
    if (this.#bytes + growth > maxStateBytes) {
      const message =
        `Cannot set ${name}: the state of this room has ${this.#bytes} bytes, at most ${maxStateBytes} are allowed`;
      return { code: "state_full", message };
    }
  }

  #unlink(entry: StateEntry): void {
    this.#bytes -= entry.bytes;
    if (entry.older !== undefined) entry.older.newer = entry.newer;
    else this.#oldest = entry.newer;
    if (entry.newer !== undefined) entry.newer.older = entry.older;
    else this.#newest = entry.older;
  }
}

/** Encodes the `$set` line that members are told. */
function encodeSet(key: string, value: string | undefined, setBy: string, isRoom: boolean): Uint8Array {
  const fields = `"key":${JSON.stringify(key)}` + (value === undefined ? "" : `,"value":${value}`) +
    (isRoom ? `,"room":true` : "") + `,"from":${JSON.stringify(setBy)}`;
  return encoder.encode(`{"$set":{${fields}}}\n`);
}
