// The lines that the benchmark sends: JSON of one fixed length, with sender, sequence number and time at
// fixed places. Every field starts at a multiple of four bytes, so that writing and checking a field is one
// 32-bit word per four digits. Holds the layout and the blocks that publishers write; checking what comes
// back is line_verifier.ts.
//
//   { "s": "0003","n": "000000001234","t": "000001234567","p": [1.5,-72,318,7]}\n
//   0       8           20                  40                   60

/** Bytes in a 32-bit word; the length of a line is a multiple of it. */
export const WORD_BYTES = 4;
/** Word at which the four digits of the sender stand. */
export const SENDER_WORD = 2;
/** First of the three words that hold the sequence number, twelve digits. */
export const SEQUENCE_WORD = 5;
/** First of the three words that hold the time of sending in microseconds, twelve digits. */
export const TIME_WORD = 10;
/**
 * Numbers that fill a line, one word each with the comma: a game's events are mostly numbers. None has a
 * zero.
 */
const PAD_NUMBERS = ["1.5,", "-72,", "318,", "2.5,"];
/** Last word of a line. */
const LINE_END = "7]}\n";

/** Shortest line the layout allows. */
const MIN_LINE_BYTES = 64;
/** Longest line, which is the relay's own default limit. */
const MAX_LINE_BYTES = 65_536;
/** Senders that four digits can tell apart. */
export const MAX_SENDERS = 10_000;
/** The sequence number of a line that only asks whether everybody is there. Counted lines start at 1. */
export const PROBE_SEQUENCE = 0;

const DIGIT_GROUP = 10_000;
const DIGIT_GROUP_SQUARED = DIGIT_GROUP * DIGIT_GROUP;

/** Holds the four ASCII digits of 0 to 9999, each as the word in which this machine reads them. */
export const DIGITS: Uint32Array = digitWords();

function digitWords(): Uint32Array {
  const words = new Uint32Array(DIGIT_GROUP);
  const bytes = new Uint8Array(words.buffer);
  for (let value = 0; value < DIGIT_GROUP; value++) {
    let rest = value;
    for (let place = 3; place >= 0; place--) {
      bytes[value * WORD_BYTES + place] = 48 + rest % 10;
      rest = Math.floor(rest / 10);
    }
  }
  return words;
}

/**
 * Checks that a line can have this length.
 *
 * @throws {RangeError} if it is not a multiple of four in the range that the layout allows.
 */
export function checkLineBytes(lineBytes: number): void {
  if (
    !Number.isInteger(lineBytes) || lineBytes % WORD_BYTES !== 0 || lineBytes < MIN_LINE_BYTES ||
    lineBytes > MAX_LINE_BYTES
  ) {
    throw new RangeError(
      `Cannot send lines of ${lineBytes} bytes: a size is a multiple of ${WORD_BYTES}, from ${MIN_LINE_BYTES} to ${MAX_LINE_BYTES}`,
    );
  }
}

/** Returns one line of `lineBytes` bytes from `sender`, with sequence number and time zero, LF included. */
export function lineTemplate(sender: number, lineBytes: number): Uint8Array {
  checkLineBytes(lineBytes);
  if (!Number.isInteger(sender) || sender < 0 || sender >= MAX_SENDERS) {
    throw new RangeError(`Cannot name sender ${sender}: a sender is 0 to ${MAX_SENDERS - 1}`);
  }
  const zeros = "0".repeat(12);
  let line = `{ "s": "${String(sender).padStart(4, "0")}","n": "${zeros}","t": "${zeros}","p": [`;
  for (let word = 0; line.length < lineBytes - LINE_END.length; word++) {
    line += PAD_NUMBERS[word % PAD_NUMBERS.length];
  }
  return new TextEncoder().encode(line + LINE_END);
}

/** Writes a whole number below 10^12 as twelve digits into three words, from word `at` on. */
function writeNumber(words: Uint32Array, at: number, value: number): void {
  const high = Math.floor(value / DIGIT_GROUP_SQUARED);
  const rest = value - high * DIGIT_GROUP_SQUARED;
  const mid = Math.floor(rest / DIGIT_GROUP);
  words[at] = DIGITS[high];
  words[at + 1] = DIGITS[mid];
  words[at + 2] = DIGITS[rest - mid * DIGIT_GROUP];
}

/** Reads `count` ASCII digits; NaN if one of them is none. */
export function readDigits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = at; index < at + count; index++) {
    const digit = bytes[index] - 48;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Holds lines of one sender, built once; only numbers and times are written anew for each use. */
export class LineBlock {
  readonly bytes: Uint8Array;
  /** Lines that fit. */
  readonly capacity: number;
  readonly lineBytes: number;
  readonly #words: Uint32Array;

  constructor(sender: number, lineBytes: number, capacity: number) {
    const template = lineTemplate(sender, lineBytes);
    const buffer = new ArrayBuffer(lineBytes * capacity);
    this.bytes = new Uint8Array(buffer);
    this.capacity = capacity;
    this.lineBytes = lineBytes;
    this.#words = new Uint32Array(buffer);
    for (let line = 0; line < capacity; line++) this.bytes.set(template, line * lineBytes);
  }

  /**
   * Numbers the first `count` lines from `firstSequence` on and gives them all the same time.
   * Returns their bytes, which stay valid until the next call; `count` is at most `capacity`.
   */
  fill(firstSequence: number, count: number, timeUs: number): Uint8Array {
    const words = this.#words;
    const lineWords = this.lineBytes / WORD_BYTES;
    writeNumber(words, TIME_WORD, timeUs);
    const [time0, time1, time2] = [words[TIME_WORD], words[TIME_WORD + 1], words[TIME_WORD + 2]];
    let at = 0;
    let sequence = firstSequence;
    let left = count;
    while (left > 0) {
      // Only the last four digits differ from line to line, until they run over.
      let low = sequence % DIGIT_GROUP;
      const run = Math.min(left, DIGIT_GROUP - low);
      writeNumber(words, at + SEQUENCE_WORD, sequence);
      const [high, mid] = [words[at + SEQUENCE_WORD], words[at + SEQUENCE_WORD + 1]];
      for (let line = 0; line < run; line++, at += lineWords, low++) {
        words[at + SEQUENCE_WORD] = high;
        words[at + SEQUENCE_WORD + 1] = mid;
        words[at + SEQUENCE_WORD + 2] = DIGITS[low];
        words[at + TIME_WORD] = time0;
        words[at + TIME_WORD + 1] = time1;
        words[at + TIME_WORD + 2] = time2;
      }
      sequence += run;
      left -= run;
    }
    return this.bytes.subarray(0, count * this.lineBytes);
  }
}
