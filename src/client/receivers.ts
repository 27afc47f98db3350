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
   * Those members of the room alone, by themselves or by their ids, each once, as many as you like; none get
   * nothing.
   */
  to: Addressee | readonly Addressee[];
}

/** Reads who an event is for. */
export function readReceivers(options: SendOptions): readonly string[] {
  checkOptions("send event", options, { to: "any" });
  const receivers: readonly unknown[] = Array.isArray(options.to) ? options.to : [options.to];
  const ids = receivers.map((receiver) => {
    const id = typeof receiver === "object" && receiver !== null
      ? (receiver as { id?: unknown }).id
      : receiver;
    if (typeof id === "string") return id;
    throw new TypeError(`Cannot send event: to is ${show(receiver)}, peers and ids of peers are allowed`);
  });
  return [...new Set(ids)];
}

/** Writes as few lines as carry an event to all of `ids`. */
export function encodeLetters(
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
        `Cannot send event: with an id it has ${bytes} bytes, maxLineBytes is ${maxLineBytes}`,
      );
    }
    lines.push(encodeTo(ids.slice(at, end), text, tag));
    at = end;
  }
  return lines;
}
