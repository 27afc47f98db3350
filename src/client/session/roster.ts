// Who is in the room, and what state they and the room have: a live picture, made from the welcome and kept
// by the control lines that follow. Pure. Programs see it as relay.peers and relay.state.

import type { ReadState } from "../state_types.ts";

/**
 * Another member of the room, as far as it speaks sessions. The object lives as long as the member is there.
 */
export interface Peer<Values = Record<string, unknown>> {
  /** Short, never used again while the relay runs. */
  readonly id: string;
  /** The name it gave itself, possibly empty; others may have the same. */
  readonly name: string;
  /**
   * Its newest values by key; changes as they arrive. An object without a prototype: any key is only a key.
   */
  readonly state: ReadState<Values>;
}

/**
 * Why a member left: `closed` (it said so), `lost` (its connection broke and it did not come back), `behind`
 * (it could not keep up), `timeout` (nothing was heard of it). A newer relay may have more.
 */
export type LeaveReason = "closed" | "lost" | "behind" | "timeout" | (string & Record<never, never>);

/** What a {@linkcode Roster} tells about every change, after it has been made. */
export interface RosterSink {
  onJoin(peer: Peer): void;
  onLeave(peer: Peer, reason: LeaveReason): void;
  /** `peer` is `null` for the room's own state, `value` is `undefined` when the key was removed. */
  onState(peer: Peer | null, key: string, value: unknown): void;
}

/**
 * The most that names, keys and values may add up to, in characters: no relay keeps as much of a whole room.
 */
const MAX_SIZE = 64 * 1024 * 1024;

/** How many of those who left last are remembered: their last events may be told after their leaving. */
const MAX_DEPARTED = 256;

/** What a member or a value takes beside its text, in characters. */
const ENTRY_SIZE = 64;

type State = Record<string, unknown>;
type Member = Peer & { readonly state: State };

const SILENT: RosterSink = { onJoin() {}, onLeave() {}, onState() {} };

function emptyState(): State {
  return Object.create(null);
}

/**
 * The members of a room with their state, and the room's own. Every change is told to the sink.
 *
 * It holds 64 Mi characters: what would be more is refused with a RangeError, so that no relay can fill a
 * client's memory.
 */
export class Roster {
  readonly #members = new Map<string, Member>();
  /** Those who left last, the first of them first. */
  readonly #departed = new Map<string, Peer>();
  /** What the values of each member, and of the room, take. */
  readonly #sizes = new Map<string | null, Map<string, number>>([[null, new Map()]]);
  #size = 0;

  /** Who is told of every change; nobody until it is set. */
  sink: RosterSink;

  /** This member itself, as others see it. */
  self: Peer | undefined;

  /** The id of who leads the room, if anybody does. */
  hostId: string | undefined;

  /** The room's own values by key. */
  readonly state: State = emptyState();

  /** Makes an empty roster; without a sink it changes in silence. */
  constructor(sink: RosterSink = SILENT) {
    this.sink = sink;
  }

  /** The members by id, always the same map. */
  get peers(): ReadonlyMap<string, Peer> {
    return this.#members;
  }

  /** Who leads the room; may be this member itself. */
  get host(): Peer | undefined {
    return this.hostId === undefined ? undefined : this.find(this.hostId);
  }

  /**
   * Finds who has, or had, an id, also this member itself; of one of whom nothing is known it makes a peer
   * that has no name.
   */
  find(id: string): Peer {
    if (id === this.self?.id) return this.self;
    return this.#members.get(id) ?? this.#departed.get(id) ?? { id, name: "", state: emptyState() };
  }

  /** Forgets who left: another relay gives their ids to others. */
  forgetDeparted(): void {
    this.#departed.clear();
  }

  /** Adds a member, unless it is there. */
  join(id: string, name: string): void {
    if (this.#members.has(id)) return;
    this.#grow(memberSize(id, name));
    const peer = { id, name, state: emptyState() };
    this.#members.set(id, peer);
    this.#sizes.set(id, new Map());
    this.sink.onJoin(peer);
  }

  /** Removes a member, and its state with it: the sink gets the peer with the state it had. */
  leave(id: string, reason: LeaveReason): void {
    const peer = this.#members.get(id);
    if (peer === undefined) return;
    this.#members.delete(id);
    this.#remember(peer);
    for (const size of this.#sizes.get(id)!.values()) this.#size -= size;
    this.#sizes.delete(id);
    this.#size -= memberSize(id, peer.name);
    this.sink.onLeave(peer, reason);
  }

  /**
   * Sets a value of a member, or of the room for `null`; `undefined` removes it. Members not here have no
   * state. `size` is what key and value take as text, in characters.
   */
  set(id: string | null, key: string, value: unknown, size: number = key.length): void {
    const peer = id === null ? null : this.#members.get(id);
    if (peer === undefined) return;
    const state = peer === null ? this.state : peer.state;
    const sizes = this.#sizes.get(id)!;
    const isRemoval = value === undefined;
    this.#grow((isRemoval ? 0 : size + ENTRY_SIZE) - (sizes.get(key) ?? 0));
    if (isRemoval) {
      delete state[key];
      sizes.delete(key);
    } else {
      state[key] = value;
      sizes.set(key, size + ENTRY_SIZE);
    }
    this.sink.onState(peer, key, value);
  }

  /**
   * Becomes what another roster is, and tells the differences: first who left, then who joined, then what
   * state is another. Those who left without a word are `lost`.
   */
  become(next: Roster): void {
    this.compare([...next.#members.values()]);
    for (const { id, state } of next.#members.values()) {
      this.#becomeState(id, this.#members.get(id)!.state, state, next);
    }
    this.#becomeState(null, this.state, next.state, next);
  }

  /** Takes over who is there: others left and are `lost`, new ones join. State stays as it is. */
  compare(present: readonly { id: string; name: string }[]): void {
    const ids = new Set(present.map(({ id }) => id));
    for (const id of [...this.#members.keys()]) if (!ids.has(id)) this.leave(id, "lost");
    for (const { id, name } of present) this.join(id, name);
  }

  #remember(peer: Peer): void {
    this.#departed.delete(peer.id);
    this.#departed.set(peer.id, peer);
    if (this.#departed.size > MAX_DEPARTED) this.#departed.delete(this.#departed.keys().next().value!);
  }

  #becomeState(id: string | null, old: State, state: State, next: Roster): void {
    const sizes = next.#sizes.get(id)!;
    for (const key of Object.keys(old)) if (!(key in state)) this.set(id, key, undefined);
    for (const [key, value] of Object.entries(state)) {
      if (!(key in old) || !isSameJson(old[key], value)) {
        this.set(id, key, value, sizes.get(key)! - ENTRY_SIZE);
      }
    }
  }

  #grow(size: number): void {
    if (size > 0 && this.#size + size > MAX_SIZE) {
      throw new RangeError(
        `Cannot keep who and what is there: it has more than ${MAX_SIZE} characters, which no relay allows`,
      );
    }
    this.#size += size;
  }
}

/** Makes the peer that a member is to itself; `values` makes an object of what it has set by now. */
export function selfPeer(id: string, name: string, values: () => State): Peer {
  return {
    id,
    name,
    get state() {
      return values();
    },
  };
}

/** Whether two values are the same as JSON. What is nested too deeply to be looked at counts as another. */
export function isSameJson(a: unknown, b: unknown): boolean {
  try {
    return JSON.stringify(a) === JSON.stringify(b);
  } catch {
    return false;
  }
}

function memberSize(id: string, name: string): number {
  return ENTRY_SIZE + id.length + name.length;
}
