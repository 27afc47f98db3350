// What one connection sends, line by line: good lines go on as runs, bad ones are refused with a reason.
// Pure: chunks in, calls out. The line reader finds the lines, the event check judges them, this file counts
// and keeps the two apart.

import { Buffer } from "node:buffer";
import { describeBadLine, endOfEvent } from "../../wire/event_check.ts";
import type { Settings } from "../options.ts";
import { LineReader, type LineSink } from "../../wire/line_reader.ts";
import { CR, isControlLine, LF, type WireError } from "../../wire/protocol.ts";

/** Where an {@linkcode LineSorter} puts what it found, in the order of the lines. The bytes are valid until the call returns. */
export interface LineSorterSink {
  /** Takes `lines` good lines, `bytes[start, end)`, each with its LF. */
  onLines(bytes: Uint8Array, start: number, end: number, lines: number): void;
  /** Takes one good line that begins as a control line does, `bytes[start, end)` with its LF; it is no part of a run. */
  onControl(bytes: Uint8Array, start: number, end: number): void;
  /** Is told of one line that can't be relayed. */
  onBadLine(error: WireError): void;
}

/** Sorts the lines of one connection. */
export class LineSorter implements LineSink {
  readonly #sink: LineSorterSink;
  readonly #settings: Pick<Settings, "maxLineBytes" | "isChecked">;
  readonly #reader: LineReader;
  #lineNumber = 0;
  #lineBytes = 0;

  constructor(sink: LineSorterSink, settings: Pick<Settings, "maxLineBytes" | "isChecked">) {
    this.#sink = sink;
    this.#settings = settings;
    this.#reader = new LineReader(this, settings.maxLineBytes);
  }

  /** How many lines have ended so far, good, bad and empty. */
  get lineNumber(): number {
    return this.#lineNumber;
  }

  /** Whether a line was begun and its LF has not come yet. */
  get isMidLine(): boolean {
    return this.#reader.isMidLine;
  }

  /** How many bytes complete lines had so far, with their LFs. */
  get lineBytes(): number {
    return this.#lineBytes;
  }

  /** Takes the next chunk; it may be used again afterwards. */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  /** Ends the input cleanly: what stands there without an LF is judged as a line. */
  end(): void {
    this.#reader.end();
  }

  /** @internal For the line reader. */
  onRun(bytes: Uint8Array, start: number, end: number): void {
    const { maxLineBytes, isChecked } = this.#settings;
    const text = isChecked ? "" : toText(bytes, end);
    let goodFrom = start, goodLines = 0;
    for (let at = start; at < end;) {
      const lf = isChecked ? endOfEvent(bytes, at, end) : endOfFilledLine(text, at);
      const isGood = lf >= 0 && lf - at <= maxLineBytes;
      const isControl = isControlLine(bytes, at);
      if (isGood && !isControl) {
        goodLines++;
        at = lf + 1;
        continue;
      }
      const lineEnd = lf >= 0 ? lf : bytes.indexOf(LF, at);
      if (goodLines > 0) this.#takeGood(bytes, goodFrom, at, goodLines);
      if (isGood) this.#takeControl(bytes, at, lineEnd + 1);
      else this.#takeOther(bytes.subarray(at, lineEnd));
      goodFrom = at = lineEnd + 1;
      goodLines = 0;
    }
    if (goodLines > 0) this.#takeGood(bytes, goodFrom, end, goodLines);
  }

  /** @internal For the line reader. */
  onLineTooLong(): void {
    this.#refuseLong(`more than ${this.#settings.maxLineBytes} bytes`);
  }

  /** @internal For the line reader. */
  onLongLineEnd(bytes: number): void {
    this.#lineBytes += bytes;
  }

  #takeGood(bytes: Uint8Array, start: number, end: number, lines: number): void {
    this.#lineNumber += lines;
    this.#lineBytes += end - start;
    this.#sink.onLines(bytes, start, end, lines);
  }

  #takeControl(bytes: Uint8Array, start: number, end: number): void {
    this.#lineNumber++;
    this.#lineBytes += end - start;
    this.#sink.onControl(bytes, start, end);
  }

  #takeOther(line: Uint8Array): void {
    this.#lineBytes += line.length + 1;
    if (isBlank(line)) this.#lineNumber++; // a keep-alive
    else if (line.length > this.#settings.maxLineBytes) this.#refuseLong(`${line.length} bytes`);
    else this.#refuseBad(line);
  }

  #refuseBad(bytes: Uint8Array): void {
    const line = ++this.#lineNumber;
    this.#sink.onBadLine({ ...describeBadLine(bytes, line), line });
  }

  #refuseLong(size: string): void {
    const { maxLineBytes } = this.#settings;
    const line = ++this.#lineNumber;
    this.#sink.onBadLine({
      code: "line_too_long",
      message: `Cannot relay line ${line}: it has ${size}, at most ${maxLineBytes} are allowed`,
      line,
    });
  }
}

/** Makes a text of the first `end` bytes, a character for each: V8 finds one in a string four times as fast as in an array of bytes. */
function toText(bytes: Uint8Array, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, end).toString("latin1");
}

/** Finds the LF that ends the line at `start`; -1 if the line is blank. */
function endOfFilledLine(text: string, start: number): number {
  const lf = text.indexOf("\n", start);
  return lf === start || (lf === start + 1 && text[start] === "\r") ? -1 : lf;
}

/** Whether a line holds nothing but JSON white space. */
function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === CR);
}
