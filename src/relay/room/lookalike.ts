// Events of plain members that look like control lines: a space before such a line leaves its value as it is
// and makes it look like none. Pure.

import { startsAt } from "../../wire/protocol.ts";

const encoder = new TextEncoder();

const SPACE = 0x20;

/**
 * How those control lines begin that the relay writes to a connection that is, or was taken for, a plain
 * client's.
 */
const ANSWERS = ['{"$error":', '{"$welcome":'].map((text) => encoder.encode(text));

/** Pieces shorter than this are copied byte by byte: a call to copy them costs more. */
const SHORT_BYTES = 48;

/** The largest buffer that is kept for the next call, in bytes. */
const MAX_KEPT_BYTES = 128 * 1024;

let buffer = new Uint8Array(0);

/**
 * Returns those of `places` in `bytes` at which a line begins that a plain client would take for the relay's.
 */
export function likeAnswers(bytes: Uint8Array, places: readonly number[]): number[] {
  return places.filter((at) => ANSWERS.some((answer) => startsAt(bytes, at, answer)));
}

/**
 * Returns `bytes[start, end)` with a space before each of `places`, in ascending order. The result is valid
 * until the next call.
 */
export function withSpaces(
  bytes: Uint8Array,
  start: number,
  end: number,
  places: readonly number[],
): Uint8Array {
  const length = end - start + places.length;
  const out = length <= buffer.length ? buffer : new Uint8Array(length);
  if (length <= MAX_KEPT_BYTES) buffer = out;
  let at = 0, from = start;
  for (const place of places) {
    at = copy(bytes, from, place, out, at);
    out[at++] = SPACE;
    from = place;
  }
  copy(bytes, from, end, out, at);
  return out.subarray(0, length);
}

/** Copies a piece to `out` at `at`; returns where it ends there. */
function copy(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  if (end - start >= SHORT_BYTES) out.set(bytes.subarray(start, end), at);
  else for (let i = start, to = at; i < end; i++) out[to++] = bytes[i];
  return at + end - start;
}
