// What one connection sends, line by line: good lines go on as runs, bad ones are refused with a reason.
// Pure: chunks in, calls out. The line reader finds the lines, the event check judges them, this file counts
// and keeps the two apart.

import { Buffer } from "node:buffer";
import { describeBadLine, endOfEvent } from "../../wire/event_check.ts";
import type { Settings } from "../options.ts";
import { LineReader, type LineSink } from "../../wire/line_reader.ts";
import { CR, isControlLine, LF, type WireError } from "../../wire/protocol.ts";

/**
 * Where an {@linkcode LineSorter} puts what it found, in the order of the lines. The bytes are valid until
 * the call returns.
 */
export interface LineSorterSink {
  /**
   * Takes `lines` good lines, `bytes[start, end)`, each with its LF. `lookalikes` are the places in `bytes`
   * at which those of them begin that begin as a control line does, though they are none; it is empty in most
   * runs.
   */
  onLines(
    bytes: Uint8Array,
    start: number,
    end: number,
    lines: number,
    lookalikes: readonly number[],
  ): void;
  /**
   * Takes one good line that begins as a control line does, `bytes[start, end)` with its LF; it is no part of
   * a run.
   */
  onControl(bytes: Uint8Array, start: number, end: number): void;
  /**
   * Is told of one line that can't be relayed, and what it is without its LF: of one that is too long how it
   * begins.
   */
  onBadLine(error: WireError, line: Uint8Array): void;
}

/** What lines are, as a log names them. */
export type LineKind = "events" | "control lines" | "bad lines";

/** What a line costs beside its bytes, in bytes of events that cost as much: a good or an empty one… */
const LINE_WORK = 32;

/** …and one that is handled by itself, a control line or a bad one. */
const SINGLE_WORK = 8192;

/** What a byte of a control line costs beside itself: each few may name a member that gets something. */
const CONTROL_BYTE_WORK = 16;

/** After so much work the sorter asks whether it may go on: about a tenth of a millisecond. */
const WORK_PER_LOOK = 32 * 1024;

/** How much of a line that is too long is shown, in bytes. */
const MAX_BEGINNING_BYTES = 256;

/** More lines than a chunk has, as a number that V8 keeps in a word. */
const NO_LIMIT = 2 ** 30 - 1;

/** A run of complete lines. */
interface Run {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/**
 * Sorts the lines of one connection. Where there is no time for all lines of a chunk, or not as many are
 * allowed, it stops between two of them.
 */
export class LineSorter implements LineSink {
  readonly #sink: LineSorterSink;
  readonly #settings: Pick<Settings, "maxLineBytes" | "isChecked">;
  readonly #mayGoOn: () => boolean;
  readonly #reader: LineReader;
  /** Whether what begins as a control line is one; otherwise it is a line like any other. */
  takesControl = false;
  #lineNumber = 0;
  #lineBytes = 0;
  #linesLeft = 0;
  #workLeft = WORK_PER_LOOK;
  #isStopped = false;
  /** What of the last chunk has not been looked at, and how a line begins that is too long, behind it. */
  #waiting: Run | undefined;
  #longBehind: Uint8Array | undefined;
  #lookalikes: number[] = [];
  #lastKind: LineKind = "events";

  /**
   * @param mayGoOn says whether there is time for more lines; is asked each time that a good deal of work was
   * done
   */
  constructor(
    sink: LineSorterSink,
    settings: Pick<Settings, "maxLineBytes" | "isChecked">,
    mayGoOn: () => boolean,
  ) {
    this.#sink = sink;
    this.#settings = settings;
    this.#mayGoOn = mayGoOn;
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

  /** How much memory a half line takes, in bytes. */
  get heldBytes(): number {
    return this.#reader.heldBytes;
  }

  /** How many bytes complete lines had so far, with their LFs. */
  get lineBytes(): number {
    return this.#lineBytes;
  }

  /** Whether lines of the last chunk wait for {@linkcode resume}. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Of what kind the line was that was dealt with last. */
  get lastKind(): LineKind {
    return this.#lastKind;
  }

  /**
   * Takes the next chunk. It may be used again once no lines of it wait.
   * @param maxLines how many lines are dealt with at most, at least one
   */
  push(chunk: Uint8Array, maxLines = Infinity): void {
    this.#start(maxLines);
    this.#reader.push(chunk);
  }

  /**
   * Goes on with the lines that wait: with at least one, while there is time, and with `maxLines` at most.
   */
  resume(maxLines = Infinity): void {
    const run = this.#waiting;
    if (run === undefined) return;
    this.#waiting = undefined;
    this.#start(maxLines);
    this.onRun(run.bytes, run.start, run.end);
    const long = this.#longBehind;
    if (this.#waiting !== undefined || long === undefined) return;
    this.#longBehind = undefined;
    this.onLineTooLong(long);
  }

  /** Ends the input cleanly: what stands there without an LF is judged as a line. No lines may be waiting. */
  end(): void {
    this.#start(Infinity);
    this.#reader.end();
  }

  /** Forgets the line that was begun: nothing is taken any more. */
  close(): void {
    this.#reader.close();
  }

  #start(maxLines: number): void {
    this.#linesLeft = Math.min(maxLines, NO_LIMIT);
    this.#workLeft = WORK_PER_LOOK;
    this.#isStopped = false;
  }

  /** @internal For the line reader. */
  onRun(bytes: Uint8Array, start: number, end: number): void {
    const at = this.#isStopped ? start : this.#sort(bytes, start, end);
    if (at < end) this.#waiting = { bytes, start: at, end };
  }

  /** Sorts lines until there is no time or none may follow; returns where it stopped. */
  #sort(bytes: Uint8Array, start: number, end: number): number {
    const { maxLineBytes, isChecked } = this.#settings;
    const text = isChecked ? "" : toText(bytes, start, end);
    const lookalikes = this.#lookalikes;
    let goodFrom = start, goodLines = 0, work = this.#workLeft;
    for (let at = start; at < end;) {
      const lf = isChecked ? endOfEvent(bytes, at, end) : endOfFilledLine(text, at - start, start);
      const isControl = isControlLine(bytes, at);
      if (lf >= 0 && lf - at <= maxLineBytes && !(isControl && this.takesControl)) {
        if (isControl) lookalikes.push(at);
        goodLines++;
        work -= lf - at + LINE_WORK;
        at = lf + 1;
        if (work > 0 && goodLines < this.#linesLeft) continue;
        this.#takeGood(bytes, goodFrom, at, goodLines);
      } else {
        if (goodLines > 0) this.#takeGood(bytes, goodFrom, at, goodLines);
        const lineEnd = lf >= 0 ? lf : bytes.indexOf(LF, at);
        work -= lineEnd - at;
        work -= this.#takeSingle(bytes, at, lineEnd, lf >= 0);
        at = lineEnd + 1;
      }
      goodFrom = at;
      goodLines = 0;
      if (!this.#goesOn(work)) return at;
      if (work <= 0) work = WORK_PER_LOOK;
    }
    if (goodLines > 0) this.#takeGood(bytes, goodFrom, end, goodLines);
    this.#workLeft = work;
    return end;
  }

  /** Whether another line may be dealt with, where so much `work` is left until that is to be asked. */
  #goesOn(work: number): boolean {
    if (this.#linesLeft > 0 && (work > 0 || this.#mayGoOn())) return true;
    this.#isStopped = true;
    return false;
  }

  /** @internal For the line reader. */
  onLineTooLong(beginning: Uint8Array): void {
    if (this.isWaiting) this.#longBehind = beginning.slice(0, MAX_BEGINNING_BYTES);
    else this.#refuseLong(`more than ${this.#settings.maxLineBytes} bytes`, beginning);
  }

  /** @internal For the line reader. */
  onLongLineEnd(bytes: number): void {
    this.#lineBytes += bytes;
  }

  #takeGood(bytes: Uint8Array, start: number, end: number, lines: number): void {
    this.#lineNumber += lines;
    this.#linesLeft -= lines;
    this.#lineBytes += end - start;
    this.#lastKind = "events";
    this.#sink.onLines(bytes, start, end, lines, this.#lookalikes);
    if (this.#lookalikes.length > 0) this.#lookalikes.length = 0;
  }

  /** Takes one line that is no part of a run, and returns what work it was beside its bytes. */
  #takeSingle(bytes: Uint8Array, start: number, lineEnd: number, isEvent: boolean): number {
    this.#linesLeft--;
    this.#lineBytes += lineEnd + 1 - start;
    if (isEvent && lineEnd - start <= this.#settings.maxLineBytes) {
      this.#lineNumber++;
      this.#sink.onControl(bytes, start, lineEnd + 1);
      this.#lastKind = "control lines";
      return SINGLE_WORK + CONTROL_BYTE_WORK * (lineEnd - start);
    }
    const line = bytes.subarray(start, lineEnd);
    if (isBlank(line)) { // a keep-alive
      this.#lineNumber++;
      return 4 * LINE_WORK;
    }
    this.#lastKind = "bad lines";
    if (line.length > this.#settings.maxLineBytes) this.#refuseLong(`${line.length} bytes`, line);
    else this.#refuseBad(line);
    return SINGLE_WORK;
  }

  #refuseBad(bytes: Uint8Array): void {
    const line = ++this.#lineNumber;
    this.#sink.onBadLine({ ...describeBadLine(bytes, line), line }, bytes);
  }

  #refuseLong(size: string, bytes: Uint8Array): void {
    const { maxLineBytes } = this.#settings;
    const line = ++this.#lineNumber;
    this.#sink.onBadLine({
      code: "line_too_long",
      message: `Cannot relay line ${line}: it has ${size}, at most ${maxLineBytes} are allowed`,
      line,
    }, bytes.subarray(0, MAX_BEGINNING_BYTES));
  }
}

/**
 * Makes a text of some bytes, a character for each: V8 finds one in a string four times as fast as in an
 * array of bytes.
 */
function toText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

/**
 * Finds the LF that ends the line at `at` of a text that begins at `offset` of the bytes; says where it is
 * among these, -1 if the line is blank.
 */
function endOfFilledLine(text: string, at: number, offset: number): number {
  const lf = text.indexOf("\n", at);
  return lf === at || (lf === at + 1 && text[at] === "\r") ? -1 : offset + lf;
}

/** Whether a line holds nothing but JSON white space. */
function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === CR);
}
