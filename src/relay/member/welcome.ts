// Writes down for a newcomer who and what is in a room: as much as fits into the `$welcome`, the rest as lines
// that follow it. The lines are those that the room has, not copies, and are looked up when they are sent: a
// newcomer that does not read keeps no value alive. Pure.

import { concat } from "../../wire/concat.ts";
import { encodeControl, encodeSet } from "../../wire/protocol.ts";
import type { StateEntry, StateOwner, StateTable } from "../room/state_table.ts";

/** Whom a newcomer is told of. */
export interface PeerToTell extends StateOwner {
  readonly id: string;
  readonly name: string;
  /** The `$join` line that tells it. */
  readonly joinLine: Uint8Array;
}

/** How long a `$welcome` line is at most, with its LF; what doesn't fit follows as lines of its own. */
export const MAX_WELCOME_BYTES = 32 * 1024;

/** …and how much of it is taken by what is not about the room's members and values. */
const MAX_GREETING_BYTES = 2048;

/** How many bytes of further lines are handed out at a time, about. */
const FOLLOW_BYTES = 64 * 1024;

const JOIN_START = '{"$join":'.length, JOIN_END = "}}\n".length;

const encoder = new TextEncoder();
const COMMA = encoder.encode(",");
const STATE_START = encoder.encode(',"state":{');
const STATE_END = encoder.encode("}}");

/** A `$welcome`, and what follows it. */
export interface Welcome {
  readonly line: Uint8Array;
  readonly rest: WelcomeRest;
}

/**
 * Writes a `$welcome` for a new session.
 *
 * @param greeting its fields that are not about the room's members and values, at most 2 KiB of JSON
 * @param peers everybody but the newcomer
 */
export function writeWelcome(
  greeting: Readonly<Record<string, unknown>>,
  peers: Iterable<PeerToTell>,
  state: StateTable,
  room: StateOwner,
): Welcome {
  const rest = new WelcomeRest(state);
  let freeBytes = MAX_WELCOME_BYTES - MAX_GREETING_BYTES;
  const values: Uint8Array[] = [], members: Uint8Array[] = [];
  for (const entry of state.valuesOf(room)) {
    const bytes = sizeOf(entry);
    if (bytes > freeBytes) rest.addValue(entry);
    else {
      values.push(...partsOf(entry));
      freeBytes -= bytes;
    }
  }
  for (const peer of peers) {
    const entries = [...state.valuesOf(peer)];
    const head = peer.joinLine.subarray(JOIN_START, peer.joinLine.length - JOIN_END);
    let bytes = head.length + STATE_START.length + STATE_END.length + COMMA.length;
    for (const entry of entries) bytes += sizeOf(entry);
    if (bytes > freeBytes) {
      rest.addJoin(peer.joinLine);
      for (const entry of entries) rest.addValue(entry);
    } else {
      const state = entries.flatMap(partsOf);
      members.push(head, STATE_START, ...state.slice(0, -1), STATE_END, COMMA); // without the last comma
      freeBytes -= bytes;
    }
  }
  const opening = encodeControl("welcome", { ...greeting, more: rest.lines });
  const line = concat([
    opening.subarray(0, opening.length - JOIN_END),
    encoder.encode(',"peers":['),
    ...members.slice(0, -1),
    encoder.encode('],"state":{'),
    ...values.slice(0, -1),
    encoder.encode("}}}\n"),
  ]);
  return { line, rest };
}

/** What did not fit into a welcome: which lines, and how far they are sent. */
export class WelcomeRest {
  readonly #state: StateTable;
  /** A `$join` line, or the owner of a value, whose key comes after it. */
  #parts: (Uint8Array | StateOwner | string)[] = [];
  #next = 0;
  #lines = 0;

  constructor(state: StateTable) {
    this.#state = state;
  }

  /** How many lines these are. */
  get lines(): number {
    return this.#lines;
  }

  /** Whether all are sent. */
  get isEmpty(): boolean {
    return this.#next === this.#parts.length;
  }

  /** What it takes in memory, in bytes. */
  get memoryBytes(): number {
    return 8 * this.#parts.length;
  }

  addJoin(line: Uint8Array): void {
    this.#parts.push(line);
    this.#lines++;
  }

  addValue({ owner, key }: StateEntry): void {
    this.#parts.push(owner, key);
    this.#lines++;
  }

  /** Takes the next lines; undefined if all are sent. A value that changed meanwhile is told as it is now, one that is gone as removed. */
  take(): Uint8Array | undefined {
    if (this.isEmpty) return undefined;
    const lines: Uint8Array[] = [];
    for (let bytes = 0; bytes < FOLLOW_BYTES && !this.isEmpty;) {
      const line = this.#takeLine();
      lines.push(line);
      bytes += line.length;
    }
    if (this.isEmpty) {
      this.#parts = [];
      this.#next = 0;
    }
    return concat(lines);
  }

  #takeLine(): Uint8Array {
    const part = this.#parts[this.#next++];
    if (part instanceof Uint8Array) return part;
    const owner = part as StateOwner, key = this.#parts[this.#next++] as string;
    return this.#state.find(owner, key)?.line ??
      encodeSet(key, undefined, owner.id === undefined, owner.id);
  }
}

/** How much a value takes in the welcome, with a comma. */
function sizeOf({ key, json }: StateEntry): number {
  return encoder.encode(JSON.stringify(key)).length + 1 + json!.length + COMMA.length;
}

function partsOf({ key, json }: StateEntry): [Uint8Array, Uint8Array, Uint8Array] {
  return [encoder.encode(JSON.stringify(key) + ":"), json!, COMMA];
}
