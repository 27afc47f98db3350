// The state of a room: the newest value of each key, by who owns it. Entries stand in the order of their last
// change, so that what changed since a reader last looked is the end of the list, however long the list is.
// Pure.
//
//   oldest change ─ entry ⇄ entry ⇄ entry ⇄ entry ─ newest change
//                              ▲ a reader that has seen version 7 takes what stands behind it

import type { MemoryAccount } from "../memory_budget.ts";
import type { Settings } from "../options.ts";
import { aroundValue, type ErrorCode } from "../../wire/protocol.ts";
import { quote } from "../../wire/untrusted.ts";
import { decodeUtf8 } from "../../wire/utf8.ts";

/** Who a value belongs to: a member, whose values vanish with it, or the room. */
export interface StateOwner {
  /** The member's id; undefined for the room. */
  readonly id?: string;
}

/** What a {@linkcode StateTable} needs of the settings: its limits, and the memory that it draws from. */
export type StateSettings = Pick<Settings, "maxKeys" | "maxValueBytes" | "maxStateBytes" | "memory">;

/**
 * What an entry takes in memory beside its line and key, in bytes: two objects, a place in a map, a buffer.
 * Measured.
 */
const ENTRY_BYTES = 512;

/** One key of one owner. Keeps bytes and a key of its own, no piece of the text that it came in. */
export class StateEntry {
  older: StateEntry | undefined;
  newer: StateEntry | undefined;

  constructor(
    readonly owner: StateOwner,
    readonly key: string,
    /** The `$set` line that tells it. */
    readonly line: Uint8Array,
    /** Where the value stands in the line; empty if it was removed. */
    readonly valueStart: number,
    readonly valueEnd: number,
    /** The version of the table that this change made. */
    readonly version: number,
    /** What key and value take, in bytes of UTF-8; 0 if it was removed. */
    readonly bytes: number,
  ) {}

  /** Whether this tells that the key was removed. */
  get isRemoval(): boolean {
    return this.valueStart === this.valueEnd;
  }

  /** The value's JSON as it came, a piece of the line; undefined if it was removed. */
  get json(): Uint8Array | undefined {
    return this.isRemoval ? undefined : this.line.subarray(this.valueStart, this.valueEnd);
  }

  /** The same as text, made anew at each look. */
  get value(): string | undefined {
    const { json } = this;
    return json === undefined ? undefined : decodeUtf8(json);
  }

  /** What it really takes, in bytes. */
  get memoryBytes(): number {
    return ENTRY_BYTES + 2 * this.key.length + this.line.length;
  }
}

/** An entry that is no removal. */
export interface StateValue extends StateEntry {
  readonly json: Uint8Array;
  readonly value: string;
}

/** Why a value was not taken. */
export interface StateRefusal {
  code: ErrorCode;
  message: string;
}

/**
 * How many removed keys, for each that an owner may have, are remembered while somebody has not been told of
 * them.
 */
const REMOVED_PER_KEY = 8;

const encoder = new TextEncoder();

const NOTHING = new Uint8Array(0);

/** How many bytes a unit of a string takes at most. */
const MAX_UTF8_BYTES = 3;

/** What one owner has: its values, and the keys it removed that somebody may not know of. */
interface Owned {
  entries: Map<string, StateEntry>;
  values: number;
}

/** The values of a room. */
export class StateTable {
  readonly #settings: StateSettings;
  readonly #owned = new Map<StateOwner, Owned>();
  readonly #memory: MemoryAccount;
  #newest: StateEntry | undefined;
  /** The removals that somebody may not have been told of, the oldest first. */
  readonly #removals = new Set<StateEntry>();
  #version = 0;
  #bytes = 0;

  constructor(settings: StateSettings) {
    this.#settings = settings;
    this.#memory = settings.memory.open();
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
   * @param value JSON; it is copied, and passed on as it is
   */
  set(
    owner: StateOwner,
    key: string,
    value: Uint8Array | undefined,
    setBy: string,
  ): StateRefusal | undefined {
    const own = this.#owned.get(owner);
    const old = own?.entries.get(key);
    if (value === undefined && (old === undefined || old.isRemoval)) return;
    const valueBytes = value ?? NOTHING;
    const keyBytes = writeText(key, 0);
    const bytes = value === undefined ? 0 : keyBytes + valueBytes.length;
    const refusal = this.#check(key, valueBytes.length, bytes - (old?.bytes ?? 0), own, old);
    if (refusal !== undefined) return refusal;
    // Text that is a piece of a line would keep that line.
    const ownKey = old?.key ?? decodeUtf8(desk.subarray(0, keyBytes));
    const entry = encodeEntry(owner, ownKey, valueBytes, setBy, this.#version + 1, bytes);
    const growth = entry.memoryBytes - (old?.memoryBytes ?? 0);
    if (value === undefined) this.#memory.grow(growth);
    else if (!this.#memory.tryGrow(growth)) {
      return {
        code: "state_full",
        message: `Cannot set ${quote(key)}: the memory of the relay is full`,
      };
    }
    this.#version++;
    if (old !== undefined) this.#unlink(old);
    this.#link(entry);
    const values = (entry.isRemoval ? 0 : 1) - (old === undefined || old.isRemoval ? 0 : 1);
    if (own !== undefined) {
      own.entries.set(ownKey, entry);
      own.values += values;
    } else this.#owned.set(owner, { entries: new Map<string, StateEntry>().set(ownKey, entry), values });
  }

  /** Forgets all values of an owner. Readers are told otherwise, by its `$leave`. */
  removeOwner(owner: StateOwner): void {
    for (const entry of this.#owned.get(owner)?.entries.values() ?? []) {
      this.#unlink(entry);
      this.#memory.grow(-entry.memoryBytes);
    }
    this.#owned.delete(owner);
  }

  /** Yields the keys and values of an owner, in the order in which the keys were first set. */
  *valuesOf(owner: StateOwner): Generator<StateValue> {
    for (const entry of this.#owned.get(owner)?.entries.values() ?? []) {
      if (!entry.isRemoval) yield entry as StateValue;
    }
  }

  /** Finds what is known of a key: its value, or that it was removed. */
  find(owner: StateOwner, key: string): StateEntry | undefined {
    return this.#owned.get(owner)?.entries.get(key);
  }

  /**
   * Finds the oldest change after `version`; the later ones follow by `newer`. Costs what changed, not what
   * exists.
   */
  firstAfter(version: number): StateEntry | undefined {
    let found: StateEntry | undefined;
    for (let entry = this.#newest; entry !== undefined && entry.version > version; entry = entry.older) {
      found = entry;
    }
    return found;
  }

  /** Counts an owner's changes as new: those who don't know it any more are told again. */
  touch(owner: StateOwner): void {
    const entries = this.#owned.get(owner)?.entries;
    for (const old of entries?.values() ?? []) {
      if (old.isRemoval) continue;
      const { key, line, valueStart, valueEnd, bytes } = old;
      const entry = new StateEntry(owner, key, line, valueStart, valueEnd, ++this.#version, bytes);
      this.#unlink(old);
      this.#link(entry);
      entries!.set(key, entry);
    }
  }

  /** Whether there are removals that {@linkcode prune} could forget. */
  get hasRemovals(): boolean {
    return this.#removals.size > 0;
  }

  /**
   * Forgets removals that every reader has been told: all up to `version`. Costs what it forgets, not what
   * exists.
   */
  prune(version: number): void {
    for (const entry of this.#removals) {
      if (entry.version > version) break;
      this.#forget(entry);
    }
  }

  /** Counts what others keep of its keys as its memory: `bytes` more, or fewer if negative. */
  noteKept(bytes: number): void {
    this.#memory.grow(bytes);
  }

  /** Gives the memory back that it draws. It is not used any more. */
  close(): void {
    this.#memory.close();
  }

  #forget(entry: StateEntry): void {
    this.#unlink(entry);
    this.#memory.grow(-entry.memoryBytes);
    const { entries } = this.#owned.get(entry.owner)!;
    entries.delete(entry.key);
    if (entries.size === 0) this.#owned.delete(entry.owner);
  }

  #check(
    key: string,
    valueBytes: number,
    growth: number,
    own: Owned | undefined,
    old: StateEntry | undefined,
  ): StateRefusal | undefined {
    const { maxKeys, maxValueBytes, maxStateBytes } = this.#settings;
    if (valueBytes > maxValueBytes) {
      const message = `Cannot set ${
        quote(key)
      }: its value has ${valueBytes} bytes, at most ${maxValueBytes} are allowed`;
      return { code: "value_too_long", message };
    }
    if ((old === undefined || old.isRemoval) && own !== undefined && own.values >= maxKeys) {
      const message = `Cannot set ${quote(key)}: there are ${maxKeys} keys, no more are allowed`;
      return { code: "too_many_keys", message };
    }
    if (old === undefined && own !== undefined && own.entries.size >= maxKeys * (1 + REMOVED_PER_KEY)) {
      const message = `Cannot set ${quote(key)}: ${own.entries.size} different keys were set ` +
        "faster than all members can be told of their removal, use fewer";
      return { code: "too_many_keys", message };
    }
    if (this.#bytes + growth > maxStateBytes) {
      const message = `Cannot set ${quote(key)}: the state of this room has ${this.#bytes} bytes, ` +
        `at most ${maxStateBytes} are allowed`;
      return { code: "state_full", message };
    }
  }

  #link(entry: StateEntry): void {
    this.#bytes += entry.bytes;
    entry.older = this.#newest;
    if (this.#newest !== undefined) this.#newest.newer = entry;
    this.#newest = entry;
    if (entry.isRemoval) this.#removals.add(entry);
  }

  #unlink(entry: StateEntry): void {
    this.#bytes -= entry.bytes;
    this.#removals.delete(entry);
    if (entry.older !== undefined) entry.older.newer = entry.newer;
    if (entry.newer !== undefined) entry.newer.older = entry.older;
    else this.#newest = entry.older;
    // One that is old to the collector would keep all that was ever linked behind it, which is then copied.
    entry.older = entry.newer = undefined;
  }
}

/** Where lines are put together: each is then one buffer, and no others become garbage. */
let desk = new Uint8Array(1024);

/** Writes a text there, at `at`; returns where it ends. */
function writeText(text: string, at: number): number {
  makeRoom(at + MAX_UTF8_BYTES * text.length);
  return at + encoder.encodeInto(text, at === 0 ? desk : desk.subarray(at)).written;
}

/** Makes it as large as that at least. */
function makeRoom(bytes: number): void {
  if (bytes <= desk.length) return;
  const old = desk;
  desk = new Uint8Array(Math.max(bytes, 2 * old.length));
  desk.set(old);
}

/** Makes an entry with the `$set` line that members are told. */
function encodeEntry(
  owner: StateOwner,
  key: string,
  value: Uint8Array,
  setBy: string,
  version: number,
  bytes: number,
): StateEntry {
  const [before, behind] = aroundValue(key, value.length > 0, {
    isRoom: owner.id === undefined,
    from: setBy,
  });
  const start = writeText(before, 0), end = start + value.length;
  makeRoom(end);
  desk.set(value, start);
  const length = writeText(behind, end);
  return new StateEntry(owner, key, desk.slice(0, length), start, end, version, bytes);
}
