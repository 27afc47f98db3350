// What the fuzzers do with bytes: change them at random, cut them into pieces, wait until a socket takes
// more.

import type { Socket } from "node:net";
import type { Random } from "../../bench/motion/random.ts";
import { concat } from "../../src/wire/concat.ts";
import { pick, whole } from "./hostile_values.ts";

const encoder = new TextEncoder();

/** Changes some bytes: flips, removes, doubles, inserts. */
export function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  let result = bytes;
  for (let count = whole(random, 1, 6); count > 0; count--) {
    const at = whole(random, 0, Math.max(0, result.length - 1));
    const length = whole(random, 1, random() < 0.1 ? 500 : 4);
    const inserted = pick(random, [
      () => Uint8Array.from({ length }, () => whole(random, 0, 255)),
      () =>
        encoder.encode(pick(random, ["\n", "\r\n", "\0", "{", '"', '{"$', "\\u", "9999999999", "-", "e9"])),
      () => result.slice(at, at + length),
      () => new Uint8Array(0),
    ])();
    const removed = random() < 0.6 ? length : 0;
    result = concat([result.subarray(0, at), inserted, result.subarray(at + removed)]);
  }
  return result;
}

/** Cuts bytes into pieces, down to single ones. */
export function split(random: Random, bytes: Uint8Array): Uint8Array[] {
  if (random() < 0.4) return [bytes];
  const most = pick(random, [1, 7, 100, 5000]);
  const pieces: Uint8Array[] = [];
  // Single bytes of long data would take minutes.
  for (let at = 0; at < bytes.length;) {
    const length = pieces.length > 200 ? bytes.length : whole(random, 1, most);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/** Lines get an LF, bytes stay as they are. */
export function bytesOf(parts: readonly (string | Uint8Array)[]): Uint8Array {
  return concat(parts.map((part) => typeof part === "string" ? encoder.encode(`${part}\n`) : part));
}

/** Waits until more can be written, or the socket is closed. */
export function onceDrained(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once("drain", resolve);
  socket.once("close", resolve);
  return promise.finally(() => {
    socket.off("drain", resolve);
    socket.off("close", resolve);
  });
}
