// Members of an object, found in the bytes of a line that is known to be JSON: no value is built but what is
// asked for, so that the number of members and how deep they are costs no more than their bytes. Does not
// check JSON: the line ends where it should. Pure.

import { startsAt } from "../../wire/protocol.ts";
import { decodeUtf8 } from "../../wire/utf8.ts";

/** A piece of the bytes: `[start, end)`. */
export interface Piece {
  start: number;
  end: number;
}

const QUOTE = 0x22, COMMA = 0x2c, BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b, CLOSE_ARRAY = 0x5d, OPEN_OBJECT = 0x7b, CLOSE_OBJECT = 0x7d;
const TAB = 0x09, CR = 0x0d, SPACE = 0x20;

const encoder = new TextEncoder();

/** A name of members that are looked for. */
export class MemberName {
  readonly #quoted: Uint8Array;

  constructor(readonly text: string) {
    this.#quoted = encoder.encode(JSON.stringify(text));
  }

  /** Whether this is how a string of the bytes is written, with its quotes. */
  isWrittenAs(bytes: Uint8Array, start: number, end: number): boolean {
    return end - start === this.#quoted.length && startsAt(bytes, start, this.#quoted);
  }
}

/**
 * Finds members of the object that begins at `at`: returns where the value of each of `names` stands, the
 * last one of a name as JSON.parse takes it; undefined for those that are not there.
 */
export function findMembers(
  bytes: Uint8Array,
  at: number,
  names: readonly MemberName[],
): (Piece | undefined)[] {
  const found: (Piece | undefined)[] = names.map(() => undefined);
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_OBJECT) return found;
  for (;; at = skipSpace(bytes, at + 1)) {
    const keyEnd = endOfString(bytes, at);
    const start = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1);
    const end = endOfValue(bytes, start);
    const index = indexOfName(bytes, at, keyEnd, names);
    if (index >= 0) found[index] = { start, end };
    at = skipSpace(bytes, end);
    if (bytes[at] !== COMMA) return found;
  }
}

/** Says which of `names` the key `bytes[start, end)` is, however it is written; -1 if it is none. */
function indexOfName(bytes: Uint8Array, start: number, end: number, names: readonly MemberName[]): number {
  for (let i = 0; i < names.length; i++) if (names[i].isWrittenAs(bytes, start, end)) return i;
  for (let at = start; at < end; at++) {
    if (bytes[at] !== BACKSLASH) continue;
    const text = textOf(bytes, { start, end });
    return names.findIndex((name) => name.text === text);
  }
  return -1;
}

/** Whether an object begins at `at`. */
export function isObjectAt(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === OPEN_OBJECT;
}

/** Whether an array begins at `at`. */
export function isArrayAt(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === OPEN_ARRAY;
}

/** Counts what is in the array that begins at `at`. */
export function countElements(bytes: Uint8Array, at: number): number {
  let count = 0;
  eachElement(bytes, at, () => count++);
  return count;
}

/** Returns where each value of the array that begins at `at` stands. */
export function elementsOf(bytes: Uint8Array, at: number): Piece[] {
  const pieces: Piece[] = [];
  eachElement(bytes, at, (start, end) => pieces.push({ start, end }));
  return pieces;
}

function eachElement(bytes: Uint8Array, at: number, found: (start: number, end: number) => void): void {
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_ARRAY) return;
  for (;; at = skipSpace(bytes, at + 1)) {
    const end = endOfValue(bytes, at);
    found(at, end);
    at = skipSpace(bytes, end);
    if (bytes[at] !== COMMA) return;
  }
}

/** Reads a value. What is in an array or an object is left out: it is an empty one. */
export function flatValueOf(bytes: Uint8Array, piece: Piece): unknown {
  const first = bytes[piece.start];
  const plain = first === QUOTE ? plainTextOf(bytes, piece) : undefined;
  if (plain !== undefined) return plain;
  if (first === OPEN_ARRAY) return [];
  return first === OPEN_OBJECT ? {} : JSON.parse(decodeUtf8(bytes.subarray(piece.start, piece.end)));
}

/** The longest string that is read letter by letter: to decode it would take longer. */
const MAX_PLAIN_BYTES = 24;

/** Reads a short string of ASCII without escapes; undefined for any other. */
function plainTextOf(bytes: Uint8Array, { start, end }: Piece): string | undefined {
  if (end - start > MAX_PLAIN_BYTES) return undefined;
  let text = "";
  for (let at = start + 1; at < end - 1; at++) {
    const byte = bytes[at];
    if (byte >= 0x80 || byte === BACKSLASH) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Reads a string. */
export function textOf(bytes: Uint8Array, { start, end }: Piece): string {
  return plainTextOf(bytes, { start, end }) ?? JSON.parse(decodeUtf8(bytes.subarray(start, end)));
}

/** Returns the first place from `at` on that holds no white space. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  let byte = bytes[at];
  while (byte === SPACE || byte === TAB || byte === CR) byte = bytes[++at];
  return at;
}

/** Returns the place behind the string that begins at `at`. */
export function endOfString(bytes: Uint8Array, at: number): number {
  for (at++;; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at++;
  }
}

/** Returns the place behind the value that begins at `at`. */
export function endOfValue(bytes: Uint8Array, at: number): number {
  let depth = 0;
  do {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at);
    else {
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth--;
      else if (depth === 0) return endOfWord(bytes, at);
      at++;
    }
  } while (depth > 0);
  return at;
}

/** Returns the place behind the number, or the true, false or null, that begins at `at`. */
function endOfWord(bytes: Uint8Array, at: number): number {
  for (;; at++) {
    const byte = bytes[at];
    if (byte <= SPACE || byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) return at;
  }
}
