// Received bytes -> text lines, as the client needs them: every run of lines is decoded at once, not line by
// line. Pure. The line reader cuts at LF before anything is decoded (no UTF-8 sequence contains that byte),
// so a character that two chunks share needs no care.

import { LineReader } from "../../wire/line_reader.ts";
import { LF } from "../../wire/protocol.ts";
import { decodeUtf8, decodeValidUtf8 } from "../../wire/utf8.ts";

/** What a {@linkcode LineDecoder} does with what it finds, in the order of the bytes. */
export interface LineSink {
  /** Takes a line without its LF. Empty lines don't come. */
  onLine(line: string): void;
  /** Takes what can be shown of a line that is no text or too long, and why. */
  onInvalidLine(line: string, error: Error): void;
}

/** The characters of a line without an end that are handed to {@linkcode LineSink.onInvalidLine}. */
const SHOWN_CHARACTERS = 200;

/**
 * Cuts received bytes into lines of text. One per connection: an unfinished line ends with it.
 *
 * A line that is still without an end after `maxUnfinishedBytes` is reported once and skipped to its LF, so
 * that memory stays bounded whatever comes. Empty lines are dropped; a CR before the LF stays (it is white
 * space in JSON).
 */
export class LineDecoder {
  readonly #maxUnfinishedBytes: number;
  readonly #sink: LineSink;
  readonly #reader: LineReader;

  /** Makes a decoder for one connection. */
  constructor(maxUnfinishedBytes: number, sink: LineSink) {
    this.#maxUnfinishedBytes = maxUnfinishedBytes;
    this.#sink = sink;
    this.#reader = new LineReader({
      onRun: (bytes, start, end) => this.#decode(bytes.subarray(start, end - 1)),
      onLineTooLong: (beginning) => this.#refuseLong(beginning),
    }, maxUnfinishedBytes);
  }

  /** Takes a chunk and hands on the lines that it completes. Keeps no reference to the chunk. */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  #decode(lines: Uint8Array): void {
    let text: string;
    try {
      text = decodeValidUtf8(lines);
    } catch {
      return this.#decodeOneByOne(lines);
    }
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      this.#emit(text.slice(start, end));
      start = end + 1;
    }
    this.#emit(text.slice(start));
  }

  /** Finds the lines that are no UTF-8 in a stretch that has one, so that the others don't suffer. */
  #decodeOneByOne(lines: Uint8Array): void {
    for (let start = 0; start <= lines.length;) {
      const found = lines.indexOf(LF, start);
      const end = found < 0 ? lines.length : found;
      const line = lines.subarray(start, end);
      start = end + 1;
      let text: string;
      try {
        text = decodeValidUtf8(line);
      } catch (cause) {
        const message = `Cannot read line: its ${line.length} bytes are not UTF-8, text in UTF-8 is allowed`;
        this.#sink.onInvalidLine(decodeUtf8(line), new TypeError(message, { cause }));
        continue;
      }
      this.#emit(text);
    }
  }

  #emit(line: string): void {
    if (line.length > 1 || (line.length === 1 && line !== "\r")) this.#sink.onLine(line);
  }

  #refuseLong(beginning: Uint8Array): void {
    const shown = decodeUtf8(beginning.subarray(0, SHOWN_CHARACTERS));
    const message = `Cannot read line: it has more than ${this.#maxUnfinishedBytes} bytes, ` +
      `${this.#maxUnfinishedBytes} are allowed`;
    this.#sink.onInvalidLine(shown, new RangeError(message));
  }
}
