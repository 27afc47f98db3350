// The `$set` lines that a session has handed out, until it is known what became of each: counted by the
// relay, refused by it, or lost with the session. What is set, and what is to be told next, is in
// own_state.ts. Pure.
//
//   note(line, …) ─→ [ by line ] ─→ confirm(bytes): settled    [ the room's, by key ] ─→ confirmed, echoed
//                                └→ refuse(line): taken back                          └→ takeRoomChanges()

import { startsAt } from "../../wire/protocol.ts";
import type { OwnState } from "./own_state.ts";
import { decodeUtf8 } from "../../wire/utf8.ts";

/** A `$set` that was handed out. */
interface ToldSet {
  readonly state: OwnState;
  readonly key: string;
  readonly json: string | undefined;
  /** Where its line ends in the stream. */
  readonly end: number;
}

/**
 * Remembers each `$set` by its line on this connection, until the relay has counted or refused it, and the
 * last change of each key of the room, until it is known that it has arrived.
 */
export class ToldSets {
  /** The lines that the relay has not counted, the oldest first. */
  readonly #byLine = new Map<number, ToldSet>();
  #roomChanges = new Map<string, ToldSet>();

  /**
   * Notes that a line sets a key of `state` to a value, given as JSON, or removes it.
   *
   * @param line its number on this connection
   * @param end where it ends in the session's stream
   */
  note(line: number, end: number, state: OwnState, key: string, json: string | undefined): void {
    const told = { state, key, json, end };
    this.#byLine.set(line, told);
    if (state.isRoom) this.#roomChanges.set(key, told);
  }

  /** Notes that the relay has counted so many bytes of the stream: what was set in them is settled. */
  confirm(bytes: number): void {
    for (const [line, told] of this.#byLine) {
      if (told.end > bytes) break;
      this.#byLine.delete(line);
      told.state.settle(told.key, told.json);
      this.#forgetChange(told);
    }
  }

  /** Notes that the relay tells of a change of the room's that this program has made: it has arrived. */
  noteEcho(key: string, json: string | undefined): void {
    const change = this.#roomChanges.get(key);
    if (change !== undefined && change.json === json) this.#roomChanges.delete(key);
  }

  /**
   * Takes the value of a refused line out of the state that it was told of: what the relay had taken before
   * holds. Returns whose value it was, or `undefined` if the line was another one.
   */
  refuse(line: number): { key: string; isRoom: boolean } | undefined {
    const refused = this.#byLine.get(line);
    if (refused === undefined) return undefined;
    this.#byLine.delete(line);
    this.#forgetChange(refused);
    const { state, key } = refused;
    let newest: ToldSet | undefined;
    for (const told of this.#byLine.values()) if (told.state === state && told.key === key) newest = told;
    state.refuse(key, newest);
    return { key, isRoom: state.isRoom };
  }

  /** Forgets the lines, but not the room's changes: on another connection lines have other numbers. */
  forgetLines(): void {
    this.#byLine.clear();
  }

  /**
   * Takes the last change of each key of the room that may not have arrived: as JSON, or undefined for a
   * removal.
   */
  takeRoomChanges(): Map<string, string | undefined> {
    const changes = new Map(Array.from(this.#roomChanges, ([key, { json }]) => [key, json]));
    this.#roomChanges = new Map();
    return changes;
  }

  /**
   * The keys of the room that were given a value by a line which the relay has not counted; some may come
   * twice.
   */
  *roomKeys(): Generator<string> {
    for (const { state, key, json } of this.#byLine.values()) {
      if (state.isRoom && json !== undefined) yield key;
    }
  }

  #forgetChange(told: ToldSet): void {
    if (this.#roomChanges.get(told.key) === told) this.#roomChanges.delete(told.key);
  }
}

const SET_START = new TextEncoder().encode('{"$set":');

/** Reads a `$set` that was written here; `undefined` for any other line. */
export function readSet(
  line: Uint8Array,
): { key: string; json: string | undefined; isRoom: boolean } | undefined {
  if (!startsAt(line, 0, SET_START)) return undefined;
  const { key, value, room } = JSON.parse(decodeUtf8(line)).$set;
  return { key, json: JSON.stringify(value), isRoom: room === true };
}
