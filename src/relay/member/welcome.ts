// Writes down for a newcomer who and what is in a room: as much as fits into the `$welcome`, the rest as
// lines that follow it. The lines are those that the room has, not copies, and are looked up when they are
// sent: a newcomer that does not read keeps no value alive. Pure.

import { concat } from "../../wire/concat.ts";
import type { Settings } from "../options.ts";
import { encodeControl, encodeSet, PROTOCOL_VERSION } from "../../wire/protocol.ts";
import { VERSION } from "../../wire/version.ts";
import { joinLines } from "./joined_lines.ts";
import { type Description, type LinePart, PART_BYTES } from "../room/roster.ts";
import type { Room } from "../room/room.ts";
import type { StateOwner, StateTable, StateValue } from "../room/state_table.ts";

/** How long a `$welcome` line is at most, with its LF; what doesn't fit follows as lines of its own. */
export const MAX_WELCOME_BYTES = 32 * 1024;

/** …and how much of it is taken by what is not about the room's members and values. */
const MAX_GREETING_BYTES = 2048;

const END = "}}\n".length;

const encoder = new TextEncoder();
const COMMA = encoder.encode(",");
const PEERS = encoder.encode(',"peers":[');
const STATE = encoder.encode('],"state":{');
const WELCOME_END = encoder.encode("}}}\n");

/** A `$welcome`, and what follows it. */
export interface Welcome {
  readonly line: Uint8Array;
  readonly rest: WelcomeRest;
}

/** What a `$welcome` says of relay and session, not of the room's members and values. */
export type Greeting = Readonly<Record<string, unknown>>;

/** A session, as far as its greeting tells of it. */
export interface Greeted {
  readonly id: string;
  readonly room: Pick<Room, "name">;
  /** With this it can be resumed. */
  readonly secret: string;
  /** How much of what its client says has arrived. */
  readonly receivedBytes: number;
}

/** Makes the greeting of a session; `rest` are fields that depend on whether it is a new one. */
export function greet(
  settings: Settings,
  { id, room, secret, receivedBytes }: Greeted,
  rest: Readonly<Record<string, unknown>>,
): Greeting {
  const { runId, relayTime, maxLineBytes, windowBytes, maxLagMs, resumeMs, pingTimeoutMs } = settings;
  const { maxKeys, maxValueBytes, maxStateBytes } = settings;
  return {
    version: PROTOCOL_VERSION,
    id,
    room: room.name,
    relay: runId,
    relayVersion: VERSION,
    session: secret,
    time: relayTime(),
    bytes: receivedBytes,
    ...rest,
    limits: {
      maxLineBytes,
      windowBytes,
      maxLagMs,
      resumeMs,
      pingTimeoutMs,
      maxKeys,
      maxValueBytes,
      maxStateBytes,
    },
  };
}

/**
 * Writes a `$welcome` for a new session.
 *
 * @param greeting at most 2 KiB of JSON
 * @param others everybody but the newcomer
 * @param maxBytes about how long it may be, if less than {@linkcode MAX_WELCOME_BYTES}
 */
export function writeWelcome(
  greeting: Greeting,
  others: Iterable<Description>,
  state: StateTable,
  room: StateOwner,
  maxBytes = MAX_WELCOME_BYTES,
): Welcome {
  const rest = new WelcomeRest(state);
  let freeBytes = Math.min(MAX_WELCOME_BYTES, maxBytes) - MAX_GREETING_BYTES;
  const values: Uint8Array[] = [], members: Uint8Array[] = [];
  for (const entry of state.valuesOf(room)) {
    const bytes = sizeOf(entry);
    if (bytes > freeBytes) rest.addValue(entry);
    else {
      values.push(...partsOf(entry));
      freeBytes -= bytes;
    }
  }
  const addIfFits = (group: Description): boolean => {
    const bytes = group.members(freeBytes - COMMA.length);
    if (bytes === undefined) return false;
    members.push(bytes, COMMA);
    freeBytes -= bytes.length + COMMA.length;
    return true;
  };
  let isFull = false; // the first group that does not fit is taken as far as it does
  for (const group of others) {
    if (addIfFits(group)) continue;
    for (const part of isFull ? [group] : group.each()) if (!addIfFits(part)) rest.addMembers(part);
    isFull = true;
  }
  const opening = encodeControl("welcome", { ...greeting, more: rest.lines });
  const line = concat([
    opening.subarray(0, opening.length - END),
    PEERS,
    ...members.slice(0, -1),
    STATE,
    ...values.slice(0, -1),
    WELCOME_END,
  ]);
  return { line, rest };
}

/** Lines that follow each other, and whom to tell once nobody needs them here. */
interface Run {
  readonly parts: readonly LinePart[];
  letGo?(): void;
}

/** What did not fit into a welcome: which lines, and how far they are sent. Is to be closed in the end. */
export class WelcomeRest {
  readonly #state: StateTable;
  #runs: Run[] = [];
  /** The values of the room, which are nobody else's run. */
  #values: LinePart[] = [];
  #memoryBytes = 0;
  /** Which part of which run comes next. */
  #run = 0;
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
    return this.#run === this.#runs.length;
  }

  /** What it takes in memory, in bytes; the lines of members are not counted: they are the room's. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  addMembers({ lines }: Description): void {
    lines.keep();
    this.#runs.push(lines);
    this.#lines += lines.count;
    this.#memoryBytes += PART_BYTES;
  }

  addValue({ owner, key }: StateValue): void {
    if (this.#values.length === 0) this.#runs.push({ parts: this.#values });
    this.#values.push(owner, key);
    this.#lines++;
    this.#memoryBytes += 2 * PART_BYTES;
  }

  /**
   * Takes the next lines, `maxBytes` and one line at most, valid until they are given back
   * ({@linkcode joinLines}); undefined if all are sent. A value that changed meanwhile is told as it is now,
   * one that is gone as removed.
   */
  take(maxBytes: number): Uint8Array | undefined {
    if (this.isEmpty) return undefined;
    const lines: Uint8Array[] = [];
    for (let bytes = 0; bytes < maxBytes && !this.isEmpty;) {
      const line = this.#takeLine();
      lines.push(line);
      bytes += line.length;
      if (this.#next < this.#runs[this.#run].parts.length) continue;
      this.#runs[this.#run++].letGo?.();
      this.#next = 0;
    }
    if (this.isEmpty) this.close();
    return joinLines(lines);
  }

  /** Lets go of what is not sent; nothing is left then. */
  close(): void {
    for (const run of this.#runs.slice(this.#run)) run.letGo?.();
    this.#runs = [];
    this.#values = [];
    this.#run = this.#memoryBytes = 0;
  }

  #takeLine(): Uint8Array {
    const { parts } = this.#runs[this.#run], part = parts[this.#next++];
    if (part instanceof Uint8Array) return part;
    const owner = part as StateOwner, key = parts[this.#next++] as string;
    return this.#state.find(owner, key)?.line ??
      encodeSet(key, undefined, { isRoom: owner.id === undefined, from: owner.id });
  }
}

/** How much a value takes in the welcome, with a comma. */
function sizeOf({ key, json }: StateValue): number {
  return encoder.encode(JSON.stringify(key)).length + 1 + json.length + COMMA.length;
}

function partsOf({ key, json }: StateValue): [Uint8Array, Uint8Array, Uint8Array] {
  return [encoder.encode(JSON.stringify(key) + ":"), json, COMMA];
}
