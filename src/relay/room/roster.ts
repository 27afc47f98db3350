// Who is in a room, in the order in which they came, in small groups whose description is written once for
// all who ask: so that a thousand newcomers at once do not each have a thousand members written down anew.
// Pure.

import { concat } from "../../wire/concat.ts";
import type { Candidate } from "./hosts.ts";
import type { Receiver } from "./post.ts";
import type { StateOwner, StateTable, StateValue } from "./state_table.ts";

/** Who others see in a room. */
export interface Peer extends StateOwner, Candidate {
  readonly id: string;
  readonly name: string;
  /** The `$join` line that shows it. */
  readonly joinLine: Uint8Array;
  /** Takes what is for it alone. */
  readonly receiver?: Receiver;
}

/** How many peers a group has at the most: what changed is written anew by the group. */
const GROUP_PEERS = 32;

/**
 * A group with up to so many bytes of values is written down as members once for all who ask; one with more
 * each time that it may fit into a welcome…
 */
const SHARED_BYTES = 8 * 1024;

/** …which it can't from here on. */
const MAX_MEMBERS_BYTES = 32 * 1024;

/** What stands around a key and its value. */
const VALUE_FRAME_BYTES = '"":,'.length;

/** What a `$peers` line has beside its members, whose `$join` lines are longer than what it has of them. */
const PEERS_FRAME_BYTES = 32;

const encoder = new TextEncoder();
const COMMA = encoder.encode(",");
const MEMBER_END = encoder.encode("}}");

/** A `$join` line, or the owner of a value, whose key comes next. */
export type LinePart = Uint8Array | StateOwner | string;

/** What a part of a list of lines takes in memory, in bytes… */
export const PART_BYTES = 8;

/** …and the list beside its parts. */
const LIST_BYTES = 100;

/**
 * Lines that describe peers: the `$join` line of each, and for each `$set` line that follows it whose value
 * it is and its key. Memory of the room as long as newcomers keep them, once for all who do.
 */
export class PeerLines {
  readonly parts: readonly LinePart[];
  /** How many lines these are. */
  readonly count: number;
  readonly #state: StateTable;
  #keepers = 0;

  constructor(parts: readonly LinePart[], count: number, state: StateTable) {
    this.parts = parts;
    this.count = count;
    this.#state = state;
  }

  /** Says that one more keeps them, until it calls {@linkcode letGo}. */
  keep(): void {
    if (this.#keepers++ === 0) this.#state.noteKept(this.#bytes);
  }

  letGo(): void {
    if (--this.#keepers === 0) this.#state.noteKept(-this.#bytes);
  }

  get #bytes(): number {
    return LIST_BYTES + PART_BYTES * this.parts.length;
  }
}

interface Group {
  /** In the order in which they came. */
  readonly peers: Peer[];
  /** Describes so many of them, the first ones. */
  described: number;
  description: Description | undefined;
  /** Whether values have changed since. */
  isTouched: boolean;
}

/** The peers of a room. */
export class Roster {
  readonly #state: StateTable;
  readonly #places = new Map<string, { peer: Peer; since: number; group: Group }>();
  readonly #groups = new Set<Group>();
  #last: Group | undefined;
  #joinBytes = 0;

  /** @param state where the peers' values stand; {@linkcode touch} tells of changes */
  constructor(state: StateTable) {
    this.#state = state;
  }

  /** How many there are. */
  get size(): number {
    return this.#places.size;
  }

  /** About how long a `$peers` line is, in bytes: not shorter. */
  get peersLineBytes(): number {
    return PEERS_FRAME_BYTES + this.#joinBytes;
  }

  /** Adds a peer, whom those know who have read the log up to offset `since`. */
  add(peer: Peer, since: number): void {
    this.delete(peer);
    let group = this.#last;
    if (group === undefined || group.peers.length >= GROUP_PEERS) {
      group = this.#last = { peers: [], described: 0, description: undefined, isTouched: false };
      this.#groups.add(group);
    }
    group.peers.push(peer);
    this.#joinBytes += peer.joinLine.length;
    this.#places.set(peer.id, { peer, since, group });
  }

  /** Takes a peer away; returns whether it was there. */
  delete({ id }: Peer): boolean {
    const place = this.#places.get(id);
    if (place === undefined) return false;
    const { group } = place;
    this.#joinBytes -= place.peer.joinLine.length;
    this.#places.delete(id);
    group.peers.splice(group.peers.indexOf(place.peer), 1);
    group.description = undefined;
    if (group.peers.length === 0) {
      this.#groups.delete(group);
      if (group === this.#last) this.#last = undefined;
    }
    return true;
  }

  /** Says that a peer's values have changed. */
  touch({ id }: Peer): void {
    const place = this.#places.get(id);
    if (place !== undefined) place.group.isTouched = true;
  }

  /** Finds who has an id. */
  find(id: string): Peer | undefined {
    return this.#places.get(id)?.peer;
  }

  /** The offset that was given with a peer; undefined if it isn't here. */
  since(id: string): number | undefined {
    return this.#places.get(id)?.since;
  }

  /** All of them, in the order in which they came. */
  *peers(): Generator<Peer> {
    for (const { peer } of this.#places.values()) yield peer;
  }

  /** Describes all of them but `except`, group by group. Costs only what has changed since somebody asked. */
  *describe(except?: Peer): Generator<Description> {
    const exceptGroup = except && this.#places.get(except.id)?.group;
    for (const group of this.#groups) {
      const { peers } = group;
      if (group !== exceptGroup) yield this.#describe(group, peers.length);
      else if (peers.at(-1)!.id !== except!.id) {
        yield describe(peers.filter(({ id }) => id !== except!.id), this.#state, false);
      } else if (peers.length > 1) {
        yield this.#describe(group, peers.length - 1); // a newcomer: the rest is as it was
      }
    }
  }

  /**
   * Describes the first `count` peers of a group; those who have come since that was asked last are added to
   * what was written then.
   */
  #describe(group: Group, count: number): Description {
    const { peers, described } = group;
    const known = group.isTouched ? group.description?.refreshed() : group.description;
    group.isTouched = false;
    group.description = known;
    if (known !== undefined && described === count) return known;
    const description = known !== undefined && described < count
      ? known.with(describe(peers.slice(described, count), this.#state, true))
      : describe(peers.slice(0, count), this.#state, true);
    group.description = description;
    group.described = count;
    return description;
  }

  /** Makes the `$peers` line for `reader`, which is not in it. */
  peersLine(reader: Peer): Uint8Array {
    const parts: Uint8Array[] = [encoder.encode('{"$peers":{"peers":[')];
    for (const { names } of this.describe(reader)) parts.push(names, COMMA);
    if (parts.length > 1) parts.pop();
    parts.push(encoder.encode("]}}\n"));
    return concat(parts);
  }
}

/** A group of peers, written down. Shared by all who ask: not to be changed. */
export class Description {
  /** As in `$peers`: objects with id and name, with commas between them. */
  readonly names: Uint8Array;
  /** The same as lines. */
  readonly lines: PeerLines;
  /** Whether others are given all that is written of it: where there are few values. */
  readonly #isShared: boolean;
  readonly #peers: readonly Peer[];
  readonly #state: StateTable;
  /** What their values take, in bytes, or less: as JSON, keys may be longer. */
  #valueBytes: number;
  #members: Uint8Array | undefined;
  /** Each of them alone: a group at the end of a full welcome is asked for it by each newcomer. */
  #alone: readonly Description[] | undefined;

  /** @internal */
  constructor(
    peers: readonly Peer[],
    state: StateTable,
    written: Pick<Description, "names" | "lines">,
    valueBytes: number,
    mayShare: boolean,
    alone?: readonly Description[],
  ) {
    this.#peers = peers;
    this.#state = state;
    this.#valueBytes = valueBytes;
    this.names = written.names;
    this.lines = written.lines;
    this.#isShared = mayShare && valueBytes <= SHARED_BYTES;
    this.#alone = alone;
  }

  /**
   * As in a `$welcome`: objects with id, name and state, with commas between them; undefined if that is
   * longer than `maxBytes`, or than a welcome. To be asked for before anything changes.
   */
  members(maxBytes = MAX_MEMBERS_BYTES): Uint8Array | undefined {
    if (this.names.length + this.#valueBytes > Math.min(maxBytes, MAX_MEMBERS_BYTES)) return undefined;
    const members = this.#members ?? writeMembers(this.#peers, this.#state);
    this.#valueBytes = members.length - this.names.length;
    if (this.#isShared && this.#valueBytes <= SHARED_BYTES) this.#members = members;
    return members.length > maxBytes ? undefined : members;
  }

  /** Describes the same members as they are now, if they have the same keys: only values are written anew. */
  refreshed(): Description | undefined {
    const { parts: lines } = this.lines;
    let at = 0, valueBytes = 0;
    for (const peer of this.#peers) {
      if (lines[at++] !== peer.joinLine) return undefined;
      for (const { key, bytes } of this.#state.valuesOf(peer)) {
        if (lines[at++] !== peer || lines[at++] !== key) return undefined;
        valueBytes += VALUE_FRAME_BYTES + bytes;
      }
    }
    if (at < lines.length) return undefined;
    return new Description(this.#peers, this.#state, this, valueBytes, true);
  }

  /** Describes each of its members alone. */
  each(): readonly Description[] {
    return this.#alone ??= this.#peers.map((peer) => describe([peer], this.#state, this.#isShared));
  }

  /** Makes one description of this one and that of who came after. It keeps neither of the two. */
  with(next: Description): Description {
    const written = {
      names: concat([this.names, COMMA, next.names]),
      lines: new PeerLines(
        this.lines.parts.concat(next.lines.parts),
        this.lines.count + next.lines.count,
        this.#state,
      ),
    };
    const alone = this.#alone?.concat(next.each());
    const peers = this.#peers.concat(next.#peers), valueBytes = this.#valueBytes + next.#valueBytes;
    const both = new Description(peers, this.#state, written, valueBytes, true, alone);
    const own = both.#isShared ? this.#members : undefined, others = own && next.members();
    if (own && others) both.#members = concat([own, COMMA, others]);
    return both;
  }
}

function describe(peers: readonly Peer[], state: StateTable, mayShare: boolean): Description {
  const names: string[] = [], lines: LinePart[] = [];
  let valueBytes = 0, lineCount = 0;
  for (const peer of peers) {
    names.push(nameOf(peer));
    lines.push(peer.joinLine);
    lineCount++;
    for (const { key, bytes } of state.valuesOf(peer)) {
      valueBytes += VALUE_FRAME_BYTES + bytes;
      lines.push(peer, key);
      lineCount++;
    }
  }
  const written = { names: encoder.encode(names.join()), lines: new PeerLines(lines, lineCount, state) };
  return new Description(peers, state, written, valueBytes, mayShare);
}

function nameOf({ id, name }: Peer): string {
  return JSON.stringify({ id, name });
}

function writeMembers(peers: readonly Peer[], state: StateTable): Uint8Array {
  const members: Uint8Array[] = [];
  for (const peer of peers) {
    const beginning = encoder.encode(`${nameOf(peer).slice(0, -1)},"state":{`);
    members.push(beginning, ...valuesOf([...state.valuesOf(peer)]), MEMBER_END, COMMA);
  }
  members.pop();
  return concat(members);
}

/** The values as members of an object. */
function valuesOf(entries: readonly StateValue[]): Uint8Array[] {
  return entries.flatMap(({ key, json }, i) => [
    encoder.encode(`${i > 0 ? "," : ""}${JSON.stringify(key)}:`),
    json,
  ]);
}
