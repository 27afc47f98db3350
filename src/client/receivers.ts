// Who an event is for, if it is not for all: what a program says read, and the lines that carry the event.
// Pure.

import { checkOptions, show } from "./option_check.ts";
import { encodeTo, MAX_RECEIVERS, type Tag } from "../wire/protocol.ts";

const encoder = new TextEncoder();

/** A member, or its id. */
export type Addressee = { readonly id: string } | string;

/** Who an event is for. */
export interface SendOptions {
  /**
   * Those members of the room alone, by themselves or by their ids, each once, as many as you like: a peer,
   * an array, a set, `relay.peers.values()`; where there is none, nobody gets it.
   */
  to: Addressee | Iterable<Addressee>;
}

/**
 * Reads who an event is for.
 *
 * @throws {TypeError} when an option is none, or `to` names nobody it could be
 */
export function readReceivers(options: SendOptions): readonly string[] {
  if (idOf(options) !== undefined && !Object.hasOwn(options, "to")) {
    throw new TypeError("Cannot send event: options is a peer or an id, { to: peer } is allowed");
  }
  const { to } = checkOptions("send event", options, { to: "any" });
  const receivers: Iterable<unknown> = idOf(to) === undefined && isIterable(to) ? to : [to];
  const ids = new Set<string>();
  for (const receiver of receivers) {
    const id = idOf(receiver);
    if (id === undefined) {
      const [shown, hint] = receiver instanceof Map
        ? ["a map", " (relay.peers.values()?)"]
        : [show(receiver), ""];
      throw new TypeError(`Cannot send event: to is ${shown}, peers and ids of peers are allowed${hint}`);
    }
    ids.add(id);
  }
  return [...ids];
}

/**
 * Reads which one member is meant; `verb` says what can't be done otherwise.
 *
 * @throws {TypeError} when it is neither a member nor an id
 */
export function readPeer(verb: string, peer: unknown): string {
  const id = idOf(peer);
  if (id !== undefined) return id;
  throw new TypeError(`Cannot ${verb}: peer is ${show(peer)}, a peer or its id is allowed`);
}

function idOf(addressee: unknown): string | undefined {
  const id = typeof addressee === "object" && addressee !== null
    ? (addressee as { id?: unknown }).id
    : addressee;
  return typeof id === "string" ? id : undefined;
}

/** Whether it gives one after the other; a map gives pairs, and is none even where it is empty. */
function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && !(value instanceof Map) &&
    typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === "function";
}

/**
 * Writes as few lines as carry an event, given as JSON, to all of `ids`; `verb` says what can't be done with
 * one that is too long.
 *
 * @throws {RangeError} when a line with one id has more than `maxLineBytes`, without its LF
 */
export function encodeLetters(
  verb: string,
  text: string,
  ids: readonly string[],
  maxLineBytes: number,
  tag?: Tag,
): Uint8Array[] {
  const lines: Uint8Array[] = [];
  const bareBytes = encodeTo([], text, tag).length - 1;
  for (let at = 0; at < ids.length;) {
    let end = at, bytes = bareBytes;
    while (end < ids.length && end - at < MAX_RECEIVERS) {
      const idBytes = encoder.encode(JSON.stringify(ids[end])).length + (end > at ? 1 : 0);
      if (end > at && bytes + idBytes > maxLineBytes) break;
      bytes += idBytes;
      end++;
    }
    if (bytes > maxLineBytes) {
      throw new RangeError(
        `Cannot ${verb}: with an id it has ${bytes} bytes, maxLineBytes is ${maxLineBytes}`,
      );
    }
    lines.push(encodeTo(ids.slice(at, end), text, tag));
    at = end;
  }
  return lines;
}
