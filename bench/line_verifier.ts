// Checks what one receiver gets: per sender nothing lost, nothing twice, nothing out of order, no line of its
// own, no line torn. In the good case a line costs a handful of comparisons of 32-bit words and no
// allocation, so that the check is not what a benchmark measures; only what differs from the expected line is
// looked at closely. Pure: the owner reads into `buffer` and says how much there is.

import {
  DIGITS,
  lineTemplate,
  MAX_SENDERS,
  PROBE_SEQUENCE,
  readDigits,
  SENDER_WORD,
  SEQUENCE_WORD,
  TIME_WORD,
  WORD_BYTES,
} from "./line_layout.ts";
import { LatencyHistogram } from "./latency_histogram.ts";

const LF = 0x0a;
const DIGIT_GROUP = 10_000;
/**
 * Gaps that are remembered per receiver; in more than these, a late line counts as doubled instead of out of
 * order.
 */
const MAX_GAPS = 1_000;
/** Characters kept of the first line that is none of ours. */
const MAX_SAMPLE_CHARS = 160;

/**
 * What was wrong with the lines of one receiver, or of several together. All zero is what a relay must reach.
 */
export interface Faults {
  /** Never came. */
  lost: number;
  /** Came again. */
  doubled: number;
  /** Came after a later line of the same sender. */
  outOfOrder: number;
  /** Came back to their sender. */
  echoed: number;
  /** Were not one of the lines sent: torn, changed, or said by the relay itself. */
  damaged: number;
}

/** Returns the sum of all faults. */
export function countFaults(faults: Faults): number {
  return faults.lost + faults.doubled + faults.outOfOrder + faults.echoed + faults.damaged;
}

export interface LineVerifierOptions {
  /** Length of every line, LF included. */
  lineBytes: number;
  /** Sender numbers in use are below this. */
  senders: number;
  /** The receiver's own sender number, whose lines must not come; -1 if it sends nothing. */
  self?: number;
  /** Size of `buffer`; at least one line. */
  bufferBytes?: number;
}

/**
 * Follows the lines that one receiver gets. Lines of a sender start at sequence number 1; lines with number 0
 * that come before are probes and only counted. Every byte is compared in the first line of each `take`; in
 * the others sender, number and line end.
 */
export class LineVerifier {
  /** Where the owner reads into, behind the bytes that `take` last said it holds. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** Latencies in microseconds of the lines taken while `recording`. */
  readonly latency = new LatencyHistogram();
  /** Whether latencies are counted. */
  recording = false;

  readonly #words: Uint32Array;
  readonly #lineBytes: number;
  readonly #template: Uint8Array;
  readonly #endWord: number;
  readonly #senders: number;
  readonly #self: number;
  /** The sequence number expected next, by sender; its own never comes, so NaN there matches nothing. */
  readonly #next: Float64Array;
  #gaps: { sender: number; first: number; last: number }[] = [];
  #missing = 0;
  #received = 0;
  #unique = 0;
  #probes = 0;
  #held = 0;
  #faults: Faults = { lost: 0, doubled: 0, outOfOrder: 0, echoed: 0, damaged: 0 };
  #sample: string | null = null;

  constructor({ lineBytes, senders, self = -1, bufferBytes = 64 * 1024 }: LineVerifierOptions) {
    if (senders > MAX_SENDERS) {
      throw new RangeError(`Cannot follow ${senders} senders: the limit is ${MAX_SENDERS}`);
    }
    this.#template = lineTemplate(0, lineBytes);
    this.#endWord = new Uint32Array(this.#template.slice(-WORD_BYTES).buffer)[0];
    const buffer = new ArrayBuffer(Math.ceil(Math.max(bufferBytes, lineBytes * 2) / WORD_BYTES) * WORD_BYTES);
    this.buffer = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#lineBytes = lineBytes;
    this.#senders = senders;
    this.#self = self;
    this.#next = new Float64Array(senders).fill(1);
    if (self >= 0) this.#next[self] = NaN;
  }

  /** Lines of the layout that came, probes and faulty ones included. */
  get received(): number {
    return this.#received;
  }

  /** Probes that came. */
  get probes(): number {
    return this.#probes;
  }

  /**
   * Lines that came, each counted once, or were passed over by a later one: how far this receiver is, for a
   * sender that waits for it.
   */
  get accounted(): number {
    return this.#unique + this.#missing;
  }

  /** The first line that was none of those sent, shortened, for the report; null if there was none. */
  get sample(): string | null {
    return this.#sample;
  }

  /** Faults so far; a gap counts as lost until its lines come. */
  get faults(): Faults {
    return { ...this.#faults, lost: this.#missing };
  }

  /** Says how many lines of `sender` came or were passed over. */
  seenOf(sender: number): number {
    return sender === this.#self ? 0 : this.#next[sender] - 1;
  }

  /**
   * Checks the whole lines in the first `length` bytes of `buffer` and moves the rest to its beginning.
   * Returns how many bytes that rest has: the next read goes behind them. `nowUs` is the time at which the
   * bytes were read.
   */
  take(length: number, nowUs: number): number {
    let end = length;
    let first = true;
    let at = 0;
    while (end - at >= this.#lineBytes) {
      if (first && !this.#isWhole(at)) {
        end = this.#resync(at, end);
        if (end === at) break;
        continue;
      }
      first = false;
      const good = this.#takeRun(at, end, nowUs);
      at += good;
      if (end - at < this.#lineBytes) break;
      if (this.#isWhole(at)) {
        this.#takeOdd(at);
        at += this.#lineBytes;
      } else {
        end = this.#resync(at, end);
      }
    }
    if (at > 0 && at < end) this.buffer.copyWithin(0, at, end);
    this.#held = end - at;
    return this.#held;
  }

  /**
   * Ends the check and returns all faults: what a sender has sent (`sent`, by sender number) and did not come
   * is lost, and what is left of a line is damaged.
   */
  finish(sent: ArrayLike<number>): Faults {
    if (this.#held > 0) this.#resync(0, this.#held);
    this.#held = 0;
    let lost = this.#missing;
    for (let sender = 0; sender < this.#senders; sender++) {
      if (sender !== this.#self) lost += Math.max(0, sent[sender] - this.seenOf(sender));
    }
    return { ...this.#faults, lost };
  }

  /** Takes lines from byte `at` on as long as each is the one expected; returns how many bytes that were. */
  #takeRun(at: number, end: number, nowUs: number): number {
    const words = this.#words;
    const next = this.#next;
    const lineBytes = this.#lineBytes;
    const lineWords = lineBytes / WORD_BYTES;
    const recording = this.recording;
    const lines = Math.floor((end - at) / lineBytes);
    const endWord = this.#endWord;
    let word = at / WORD_BYTES;
    let sender = -1, senderWord = 0, firstOfRun = 0;
    let low = 0, midWord = 0, highWord = 0;
    let time0 = 0, time1 = 0, time2 = 0, sentUs = 0, sameTime = 0;
    let line = 0;
    for (; line < lines; line++, word += lineWords) {
      if (words[word + SENDER_WORD] !== senderWord || low === DIGIT_GROUP) {
        // Another sender, or the last four digits ran over: settle the run and begin another.
        if (sender >= 0) next[sender] += line - firstOfRun;
        firstOfRun = line;
        senderWord = words[word + SENDER_WORD];
        sender = readDigits(this.buffer, (word + SENDER_WORD) * WORD_BYTES, 4);
        if (!(sender < this.#senders) || Number.isNaN(next[sender])) {
          sender = -1;
          break;
        }
        const expected = next[sender];
        const rest = Math.floor(expected / DIGIT_GROUP);
        low = expected - rest * DIGIT_GROUP;
        midWord = DIGITS[rest % DIGIT_GROUP];
        highWord = DIGITS[Math.floor(rest / DIGIT_GROUP)];
      }
      if (
        words[word + SEQUENCE_WORD + 2] !== DIGITS[low] || words[word + SEQUENCE_WORD + 1] !== midWord ||
        words[word + SEQUENCE_WORD] !== highWord || words[word + lineWords - 1] !== endWord
      ) break;
      low++;
      if (recording) {
        // Lines of one write carry one time: it is decoded once.
        if (
          words[word + TIME_WORD + 2] !== time2 || words[word + TIME_WORD + 1] !== time1 ||
          words[word + TIME_WORD] !== time0
        ) {
          if (sameTime > 0) this.latency.add(nowUs - sentUs, sameTime);
          sameTime = 0;
          time0 = words[word + TIME_WORD];
          time1 = words[word + TIME_WORD + 1];
          time2 = words[word + TIME_WORD + 2];
          sentUs = readDigits(this.buffer, (word + TIME_WORD) * WORD_BYTES, 12);
        }
        sameTime++;
      }
    }
    if (sender >= 0) next[sender] += line - firstOfRun;
    if (sameTime > 0) this.latency.add(nowUs - sentUs, sameTime);
    this.#received += line;
    this.#unique += line;
    return line * lineBytes;
  }

  /** Takes one whole line that is not the one expected next. */
  #takeOdd(at: number): void {
    const sender = readDigits(this.buffer, at + SENDER_WORD * WORD_BYTES, 4);
    const sequence = readDigits(this.buffer, at + SEQUENCE_WORD * WORD_BYTES, 12);
    this.#received++;
    if (sender === this.#self) {
      this.#faults.echoed++;
      return;
    }
    if (!(sender < this.#senders)) {
      this.#faults.damaged++;
      return;
    }
    const expected = this.#next[sender];
    if (sequence === PROBE_SEQUENCE && expected === 1) {
      this.#probes++;
    } else if (sequence >= expected) {
      if (sequence > expected) this.#openGap(sender, expected, sequence - 1);
      this.#next[sender] = sequence + 1;
      this.#unique++;
    } else if (this.#fillGap(sender, sequence)) {
      this.#faults.outOfOrder++;
      this.#unique++;
    } else {
      this.#faults.doubled++;
    }
  }

  #openGap(sender: number, first: number, last: number): void {
    this.#missing += last - first + 1;
    if (this.#gaps.length < MAX_GAPS) this.#gaps.push({ sender, first, last });
  }

  #fillGap(sender: number, sequence: number): boolean {
    const index = this.#gaps.findIndex((gap) =>
      gap.sender === sender && gap.first <= sequence && sequence <= gap.last
    );
    if (index < 0) return false;
    const { first, last } = this.#gaps[index];
    const rest = [];
    if (first < sequence) rest.push({ sender, first, last: sequence - 1 });
    if (sequence < last) rest.push({ sender, first: sequence + 1, last });
    this.#gaps.splice(index, 1, ...rest);
    this.#missing--;
    return true;
  }

  /**
   * Drops what is not a line of the layout, up to its LF, so that the next line starts at `at`. Returns the
   * new end.
   */
  #resync(at: number, end: number): number {
    const buffer = this.buffer;
    const lf = buffer.subarray(at, end).indexOf(LF);
    const from = lf < 0 ? end : at + lf + 1;
    this.#faults.damaged++;
    this.#sample ??= new TextDecoder().decode(buffer.subarray(at, from)).trimEnd().slice(0, MAX_SAMPLE_CHARS);
    buffer.copyWithin(at, from, end);
    return end - (from - at);
  }

  /** Says whether the bytes at `at` are a line of the layout, comparing every one of them. */
  #isWhole(at: number): boolean {
    const { buffer } = this;
    const template = this.#template;
    for (let index = 0; index < template.length; index++) {
      if (buffer[at + index] === template[index]) continue;
      // The template has a "0" exactly where a line may have another digit.
      const digit = buffer[at + index] - 48;
      if (template[index] !== 48 || !(digit >= 0 && digit <= 9)) return false;
    }
    return true;
  }
}
