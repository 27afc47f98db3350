// Answers one question about a line: is it one JSON value in valid UTF-8? Each byte is read once, where it
// lies: no text is decoded, no value is built, nothing is allocated for a good line. The grammar stands here
// once; what is wrong with a bad line is found by reading that line again. It knows neither sockets nor
// limits. Each endOfX(bytes, at) reads one X and returns the index behind it, or -1. None of them checks for
// the end of the bytes: the LF of the line stops every loop.

import { decodeUtf8 } from "./utf8.ts";

/** The bytes that mean something in JSON. A const enum, so that the loops below hold plain numbers. */
const enum Byte {
  Tab = 0x09,
  LF = 0x0a,
  CR = 0x0d,
  Space = 0x20,
  Quote = 0x22, // "
  Plus = 0x2b,
  Comma = 0x2c,
  Minus = 0x2d,
  Dot = 0x2e,
  Zero = 0x30,
  Colon = 0x3a,
  OpenArray = 0x5b, // [
  Backslash = 0x5c,
  CloseArray = 0x5d, // ]
  LowerA = 0x61,
  LowerE = 0x65,
  LowerF = 0x66,
  LowerL = 0x6c,
  LowerN = 0x6e,
  LowerR = 0x72,
  LowerS = 0x73,
  LowerT = 0x74,
  LowerU = 0x75,
  OpenObject = 0x7b, // {
  CloseObject = 0x7d, // }
  FirstBeyondAscii = 0x80,
}

/** Holds 1 for each byte that stands for itself in a string: ASCII but for controls, quote and backslash. */
const PLAIN = new Uint8Array(256).fill(1, Byte.Space, Byte.FirstBeyondAscii);
PLAIN[Byte.Quote] = PLAIN[Byte.Backslash] = 0;

/** Holds 1 for each letter that may follow a backslash, but for `u`. */
const ESCAPED = tableOf('"\\/bfnrt');

const HEX_DIGIT = tableOf("0123456789abcdefABCDEF");

function tableOf(letters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const letter of letters) table[letter.charCodeAt(0)] = 1;
  return table;
}

/** How many bytes before and behind the fault a message shows. */
const EXCERPT_BYTES_BEFORE = 16;
const EXCERPT_BYTES_BEHIND = 16;

/**
 * The closing bytes of the containers around the innermost one, outermost first. Grows, and is kept for the
 * next line.
 */
let closers: Uint8Array = new Uint8Array(1024);

/** Where the last refused line went wrong, and what was expected there; for {@linkcode describeBadLine}. */
let refusedAt = 0;
let expectedThere = "";

/**
 * Returns the index of the LF that ends the line starting at `start`, if that line is one JSON value in valid
 * UTF-8 (JSON white space around it allowed, CR included), and -1 if it is not.
 *
 * Agrees with `JSON.parse` of what a fatal `TextDecoder` with `ignoreBOM` makes of the line, so an empty line
 * and one with a byte order mark are -1. The first LF ends the line wherever it stands, also within a string;
 * if there is none in `[start, end)` the answer is -1. Nesting may be as deep as the line is long.
 */
export function endOfEvent(bytes: Uint8Array, start: number, end: number): number {
  let outer = closers;
  let depth = 0;
  let closer: number = Byte.LF; // the byte that ends the innermost container; at depth 0, the line
  let isKeyNext = false;
  let at = start;

  for (;;) {
    at = skipSpace(bytes, at);
    const first = bytes[at];
    if (first === Byte.Quote) {
      // Most strings are plain to their end; this loop is here, and not in endOfString, to spare them the
      // call.
      at++;
      while (PLAIN[bytes[at]] === 1) at++;
      if (bytes[at] === Byte.Quote) at++;
      else {
        at = endOfString(bytes, at);
        if (at < 0) return -1;
      }
      at = skipSpace(bytes, at);
      if (isKeyNext) {
        if (bytes[at] !== Byte.Colon) return refuse(at, "a colon");
        at++;
        isKeyNext = false;
        continue;
      }
    } else if (isKeyNext) {
      return refuse(at, "a key in double quotes");
    } else if (first === Byte.OpenObject || first === Byte.OpenArray) {
      if (depth === outer.length) outer = growClosers();
      outer[depth++] = closer;
      closer = first + 2; // in ASCII, both closing bytes lie two above their opening byte
      at = skipSpace(bytes, at + 1);
      if (bytes[at] !== closer) {
        isKeyNext = closer === Byte.CloseObject;
        continue;
      }
    } else {
      at = first >= Byte.LowerA ? endOfWord(bytes, at) : endOfNumber(bytes, at);
      if (at < 0) return -1;
      at = skipSpace(bytes, at);
    }

    while (bytes[at] === closer) {
      if (closer === Byte.LF) return at < end ? at : -1;
      closer = outer[--depth];
      at = skipSpace(bytes, at + 1);
    }
    if (bytes[at] !== Byte.Comma || closer === Byte.LF) return refuse(at, commaOr(closer));
    isKeyNext = closer === Byte.CloseObject;
    at++;
  }
}

/**
 * Says in one line of text why `line` (without its LF) is not an event, where (bytes are counted from 1) and
 * what is allowed. The excerpt in it is short and free of control characters, whatever the line holds.
 * `lineNumber` is only quoted.
 *
 * @throws {RangeError} if there is nothing wrong with the line.
 */
export function describeBadLine(
  line: Uint8Array,
  lineNumber: number,
): { code: "invalid_json" | "invalid_utf8"; message: string } {
  const bytes = new Uint8Array(line.length + 1);
  bytes.set(line);
  bytes[line.length] = Byte.LF;

  const badAt = indexOfBadUtf8(bytes);
  if (badAt >= 0) {
    const hex = bytes[badAt].toString(16);
    const fault = `byte ${badAt + 1} is 0x${hex}, near "${excerpt(line, badAt)}"`;
    return {
      code: "invalid_utf8",
      message: `Cannot relay line ${lineNumber}: it is not UTF-8 (${fault}), ` +
        "one JSON value in UTF-8 a line is allowed",
    };
  }

  if (endOfEvent(bytes, 0, bytes.length) >= 0) {
    throw new RangeError(
      `Cannot describe line ${lineNumber}: it is an event, only a line that is none is allowed`,
    );
  }
  const place = refusedAt >= line.length ? "where the line ends" : `near "${excerpt(line, refusedAt)}"`;
  const fault = `expected ${expectedThere} at byte ${refusedAt + 1}, ${place}`;
  return {
    code: "invalid_json",
    message: `Cannot relay line ${lineNumber}: it is not JSON (${fault}), ${remedy(bytes, refusedAt)}`,
  };
}

function skipSpace(bytes: Uint8Array, at: number): number {
  let byte = bytes[at];
  while (byte <= Byte.Space && (byte === Byte.Space || byte === Byte.Tab || byte === Byte.CR)) {
    byte = bytes[++at];
  }
  return at;
}

/** Reads on in a string, from anywhere between two characters of it. */
function endOfString(bytes: Uint8Array, at: number): number {
  for (;;) {
    while (PLAIN[bytes[at]] === 1) at++;
    const byte = bytes[at];
    if (byte === Byte.Quote) return at + 1;
    at = byte >= Byte.FirstBeyondAscii ? endOfCharacter(bytes, at) : endOfEscape(bytes, at);
    if (at < 0) return -1;
  }
}

function endOfEscape(bytes: Uint8Array, at: number): number {
  if (bytes[at] === Byte.LF) return refuse(at, "the closing quote of a string");
  if (bytes[at] !== Byte.Backslash) return refuse(at, "an escape such as \\n for a control character");
  const letter = bytes[at + 1];
  if (ESCAPED[letter] === 1) return at + 2;
  if (letter !== Byte.LowerU) return refuse(at + 1, 'one of "\\/bfnrtu after a backslash');
  for (let digit = at + 2; digit < at + 6; digit++) {
    if (HEX_DIGIT[bytes[digit]] !== 1) return refuse(digit, "four hex digits after \\u");
  }
  return at + 6;
}

/**
 * Reads a UTF-8 character of two to four bytes; overlong forms, surrogates and what lies above U+10FFFF are
 * none.
 */
function endOfCharacter(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  const second = bytes[at + 1];
  if (lead < 0xc2 || !isContinuation(second)) return refuse(at, "UTF-8");
  if (lead < 0xe0) return at + 2;
  if (!isContinuation(bytes[at + 2])) return refuse(at, "UTF-8");
  if (lead < 0xf0) {
    const isOverlong = lead === 0xe0 && second < 0xa0;
    const isSurrogate = lead === 0xed && second >= 0xa0;
    return isOverlong || isSurrogate ? refuse(at, "UTF-8") : at + 3;
  }
  if (lead > 0xf4 || !isContinuation(bytes[at + 3])) return refuse(at, "UTF-8");
  const isOverlong = lead === 0xf0 && second < 0x90;
  const isTooHigh = lead === 0xf4 && second >= 0x90;
  return isOverlong || isTooHigh ? refuse(at, "UTF-8") : at + 4;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function endOfNumber(bytes: Uint8Array, at: number): number {
  let byte = bytes[at];
  if (byte === Byte.Minus) byte = bytes[++at];
  if (byte === Byte.Zero) {
    byte = bytes[++at];
  } else {
    if (!isDigit(byte)) return refuse(at, "a value");
    do byte = bytes[++at]; while (isDigit(byte));
  }
  if (byte === Byte.Dot) {
    byte = bytes[++at];
    if (!isDigit(byte)) return refuse(at, "a digit");
    do byte = bytes[++at]; while (isDigit(byte));
  }
  if ((byte | 0x20) === Byte.LowerE) {
    byte = bytes[++at];
    if (byte === Byte.Plus || byte === Byte.Minus) byte = bytes[++at];
    if (!isDigit(byte)) return refuse(at, "a digit");
    do byte = bytes[++at]; while (isDigit(byte));
  }
  return at;
}

function isDigit(byte: number): boolean {
  return (byte ^ Byte.Zero) <= 9; // flips 0x30..0x39 to 0..9, and every other byte to more
}

/** Reads `true`, `false` or `null`. */
function endOfWord(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  const second = bytes[at + 1];
  if (first === Byte.LowerT && second === Byte.LowerR) {
    if (bytes[at + 2] === Byte.LowerU && bytes[at + 3] === Byte.LowerE) return at + 4;
  } else if (first === Byte.LowerN && second === Byte.LowerU) {
    if (bytes[at + 2] === Byte.LowerL && bytes[at + 3] === Byte.LowerL) return at + 4;
  } else if (first === Byte.LowerF && second === Byte.LowerA && bytes[at + 2] === Byte.LowerL) {
    if (bytes[at + 3] === Byte.LowerS && bytes[at + 4] === Byte.LowerE) return at + 5;
  }
  return refuse(at, "a value");
}

function growClosers(): Uint8Array {
  const larger = new Uint8Array(closers.length * 2);
  larger.set(closers);
  return closers = larger;
}

/** Remembers what went wrong, and returns -1. */
function refuse(at: number, expected: string): -1 {
  refusedAt = at;
  expectedThere = expected;
  return -1;
}

function commaOr(closer: number): string {
  if (closer === Byte.LF) return "the end of the line";
  return closer === Byte.CloseObject ? 'a comma or "}"' : 'a comma or "]"';
}

function indexOfBadUtf8(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length;) {
    const behind = bytes[at] < Byte.FirstBeyondAscii ? at + 1 : endOfCharacter(bytes, at);
    if (behind < 0) return at;
    at = behind;
  }
  return -1;
}

/** Names what is allowed instead of what stands at `at`; knows what programs commonly send by mistake. */
function remedy(bytes: Uint8Array, at: number): string {
  const there = decodeUtf8(bytes.subarray(at, at + 16));
  if (/^(NaN|Infinity)/.test(there)) return "send null instead of NaN or Infinity";
  if (/^('|(True|False|None)\b)/.test(there)) return "send what json.dumps(event) returns, not str(event)";
  if (at === 0 && there.startsWith("\ufeff")) return "no byte order mark is allowed";
  return "one JSON value a line is allowed";
}

/**
 * Shows the bytes around `at` as text: whole characters only, and a `?` for each that could trouble a
 * terminal.
 */
function excerpt(line: Uint8Array, at: number): string {
  let from = Math.max(0, at - EXCERPT_BYTES_BEFORE);
  let to = Math.min(line.length, at + EXCERPT_BYTES_BEHIND);
  while (from < at && isContinuation(line[from])) from++;
  while (to > at + 1 && to < line.length && isContinuation(line[to])) to--;
  const text = decodeUtf8(line.subarray(from, to))
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
  return (from > 0 ? "…" : "") + text + (to < line.length ? "…" : "");
}
