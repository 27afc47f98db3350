// From the bytes of a client's WebSocket frames (RFC 6455) to the bytes of its lines, in place: headers and
// control frames are taken out, what is left is unmasked and moved to the front of the buffer. Pure: bytes
// in, bytes and calls out.
//
//   before  ┌─┬──────┬──────────┬──────┬──────┬──────┬────────┐    after ┌───────────────────┬───────────
//           │ │header│line⏎line │header│ ping │header│ line   │ ───────▶ │line⏎line⏎line⏎    │ (no use)
//           └─┴──────┴──────────┴──────┴──────┴──────┴────────┘          └───────────────────┴───────────
//                                         └─▶ onPing
//
// A message holds one or more lines; where its last one has no LF, one is added. The byte in front of a chunk
// is room for that of a message whose header came with an earlier chunk; every further one has the room of a
// header.

import { LF } from "../../../wire/protocol.ts";
import type { FrameFault } from "../transport.ts";
import { CLOSE_CODE, type Closing, readClosing } from "./close_code.ts";
import { FIN, MAX_CONTROL_BYTES, OPCODE } from "./frame_writer.ts";
import { Utf8Check } from "./utf8_check.ts";

/** How many bytes have to be free before the bytes of a chunk. */
export const FRONT_BYTES = 1;

/** The longest header of a client's frame, in bytes. */
const MAX_CLIENT_HEADER_BYTES = 14;

/**
 * Up to this payload, in bytes, it is unmasked while it is moved; longer ones are moved by the runtime, and
 * unmasked four bytes at a time.
 */
const SHORT_PAYLOAD_BYTES = 64;

const RESERVED_BITS = 0x70;
const MASK_BIT = 0x80;
const IS_CONTROL = 0x8;

const NOTHING = new Uint8Array(0);

/** A mask as bytes, turned so that its first one is for the byte at hand, and the same as one number. */
const turnedMask = new Uint8Array(4);
const maskWord = new Uint32Array(turnedMask.buffer);

/**
 * The mask of the frame at hand, and what a control frame carries that came whole: used by all readers by
 * turns.
 */
const maskAtHand = new Uint8Array(4);
const wholeControl = new Uint8Array(MAX_CONTROL_BYTES);

function spread(maskBits: number): Uint8Array {
  for (let i = 0; i < 4; i++) maskAtHand[i] = maskBits >>> 8 * i;
  return maskAtHand;
}

/**
 * Where a {@linkcode FrameReader} puts the frames that are no lines. The bytes are valid until the call
 * returns.
 */
export interface FrameSink {
  onPing(payload: Uint8Array): void;
  onPong(payload: Uint8Array): void;
  /** Is told, once, that the other side closes; whatever comes behind it is not looked at. */
  onClose(closing: Closing): void;
}

/** The input of one WebSocket. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #maxMessageBytes: number;
  // The chunk: what has not been looked at, and how many bytes of lines stand at the front of the buffer.
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  #end = 0;
  #lineBytes = 0;
  // The frame: its header as far as it came with earlier chunks, then what it says.
  #head: Uint8Array = NOTHING;
  #headBytes = 0;
  #isInPayload = false;
  #opcode = 0;
  #isFinal = false;
  /** The mask, its first byte lowest: a buffer of its own would be kept for each connection. */
  #maskBits = 0;
  #payloadBytes = 0;
  #payloadRead = 0;
  /** What a control frame carries, as far as it has come. */
  #control: Uint8Array | undefined;
  // The message.
  #isMidMessage = false;
  #isText = false;
  #messageBytes = 0;
  #lastByte: number = LF;
  readonly #utf8 = new Utf8Check();
  #fault: FrameFault | undefined;
  #hasClosed = false;

  /** @param maxMessageBytes how much a message may hold, all its frames together */
  constructor(sink: FrameSink, maxMessageBytes: number) {
    this.#sink = sink;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** What was wrong, if something was: nothing is read any more then. */
  get fault(): FrameFault | undefined {
    return this.#fault;
  }

  /** Whether a close frame was read. */
  get hasClosed(): boolean {
    return this.#hasClosed;
  }

  /** Whether a message was begun and has not ended. */
  get isMidMessage(): boolean {
    return this.#isMidMessage;
  }

  /** How many bytes of lines stand at the front of the buffer, of what was read of the chunk so far. */
  get lineBytes(): number {
    return this.#lineBytes;
  }

  /**
   * Begins with a chunk: `buffer[FRONT_BYTES, end)`. The whole buffer belongs to the reader until
   * {@linkcode read} returns true.
   */
  begin(buffer: Uint8Array, end: number): void {
    this.#bytes = buffer;
    this.#at = FRONT_BYTES;
    this.#end = end;
    this.#lineBytes = 0;
  }

  /** Reads on, `maxFrames` frames at most; returns whether all of the chunk has been read. */
  read(maxFrames = Infinity): boolean {
    for (let left = maxFrames; this.#at < this.#end && !this.#isOver;) {
      if (this.#isInPayload) this.#readPayload();
      else if (left-- <= 0) return false;
      else if (this.#readHeader() && this.#payloadBytes === 0) this.#endFrame();
    }
    this.#bytes = NOTHING;
    return true;
  }

  get #isOver(): boolean {
    return this.#fault !== undefined || this.#hasClosed;
  }

  #fail(code: number, message: string): void {
    this.#fault = { code, message };
  }

  /** Reads what there is of a header; returns whether that is all of it. */
  #readHeader(): boolean {
    if (this.#headBytes === 0) {
      const bytes = this.#understand(this.#bytes, this.#at, this.#end - this.#at);
      if (bytes > 0) this.#at += bytes;
      else if (!this.#isOver) { while (this.#at < this.#end) this.#keepHead(); }
      return bytes > 0;
    }
    while (this.#at < this.#end && !this.#isOver) {
      this.#keepHead();
      if (this.#understand(this.#head, 0, this.#headBytes) === 0) continue;
      this.#headBytes = 0;
      return true;
    }
    return false;
  }

  #keepHead(): void {
    if (this.#head === NOTHING) this.#head = new Uint8Array(MAX_CLIENT_HEADER_BYTES);
    this.#head[this.#headBytes++] = this.#bytes[this.#at++];
  }

  /**
   * Understands a header at `at`, of which `count` bytes are there; returns how long it is, or 0 if more is
   * needed or something is wrong.
   */
  #understand(bytes: Uint8Array, at: number, count: number): number {
    if (count < 2) return 0;
    const opcode = bytes[at] & 0xf, isFinal = (bytes[at] & FIN) !== 0, isControl = opcode >= IS_CONTROL;
    const shortLength = bytes[at + 1] & ~MASK_BIT;
    const wrong = this.#wrongStart(bytes[at], bytes[at + 1], opcode, isFinal);
    if (wrong !== undefined) {
      this.#fail(CLOSE_CODE.protocolError, `Cannot read frame: ${wrong}`);
      return 0;
    }
    const lengthBytes = shortLength === 127 ? 8 : shortLength === 126 ? 2 : 0;
    if (count < 2 + lengthBytes) return 0;
    const length = lengthBytes === 0 ? shortLength : this.#readLength(bytes, at + 2, lengthBytes);
    if (length === undefined) return 0;
    if (!isControl && length > this.#maxMessageBytes - (this.#isMidMessage ? this.#messageBytes : 0)) {
      const message =
        `Cannot read message: it has more than ${this.#maxMessageBytes} bytes, send smaller ones`;
      this.#fail(CLOSE_CODE.tooLarge, message);
      return 0;
    }
    const headerBytes = 2 + lengthBytes + 4;
    if (count < headerBytes) return 0;
    this.#maskBits = 0;
    for (let i = 0; i < 4; i++) this.#maskBits |= bytes[at + 2 + lengthBytes + i] << 8 * i;
    this.#opcode = opcode;
    this.#isFinal = isFinal;
    this.#payloadBytes = length;
    this.#payloadRead = 0;
    this.#isInPayload = true;
    if (!isControl) this.#beginData(length);
    return headerBytes;
  }

  /** Says what is wrong with the first two bytes of a frame, as what follows "Cannot read frame:". */
  #wrongStart(first: number, second: number, opcode: number, isFinal: boolean): string | undefined {
    if ((first & RESERVED_BITS) !== 0) return "a reserved bit is set, no extension was agreed on";
    if ((second & MASK_BIT) === 0) return "it is not masked, a client has to mask its frames";
    switch (opcode) {
      case OPCODE.continuation:
        return this.#isMidMessage ? undefined : "it goes on with a message, and none was begun";
      case OPCODE.text:
      case OPCODE.binary:
        return this.#isMidMessage ? "it begins a message before the one under way has ended" : undefined;
      case OPCODE.close:
      case OPCODE.ping:
      case OPCODE.pong:
        if (!isFinal) return "it is a control frame in fragments, which must be whole";
        return (second & ~MASK_BIT) <= MAX_CONTROL_BYTES
          ? undefined
          : `it is a control frame with more than ${MAX_CONTROL_BYTES} bytes`;
    }
    return `its opcode is ${opcode}, 0 to 2 and 8 to 10 are known`;
  }

  /** Reads a length of 2 or 8 bytes, which has to be the shortest way to say it. */
  #readLength(bytes: Uint8Array, at: number, count: number): number | undefined {
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + bytes[at + i];
    if (count === 8 && bytes[at] >= 0x80) {
      return void this.#fail(CLOSE_CODE.protocolError, "Cannot read frame: its length has more than 63 bits");
    }
    if (length > (count === 2 ? 125 : 0xffff)) return length;
    const message = `Cannot read frame: its length ${length} is written in more bytes than it needs`;
    return void this.#fail(CLOSE_CODE.protocolError, message);
  }

  #beginData(bytes: number): void {
    if (!this.#isMidMessage) {
      this.#isText = this.#opcode === OPCODE.text;
      this.#messageBytes = 0;
      this.#lastByte = LF;
      this.#utf8.reset();
    }
    this.#isMidMessage = true;
    this.#messageBytes += bytes;
  }

  #readPayload(): void {
    const count = Math.min(this.#payloadBytes - this.#payloadRead, this.#end - this.#at);
    if (this.#opcode >= IS_CONTROL) this.#readControl(count);
    else this.#readData(count);
    if (this.#fault === undefined && this.#payloadRead === this.#payloadBytes) this.#endFrame();
  }

  #readControl(count: number): void {
    const isWhole = this.#payloadRead === 0 && count === this.#payloadBytes, mask = spread(this.#maskBits);
    const control = this.#control ??= isWhole ? wholeControl : new Uint8Array(MAX_CONTROL_BYTES);
    for (let i = 0; i < count; i++) {
      control[this.#payloadRead] = this.#bytes[this.#at++] ^ mask[this.#payloadRead & 3];
      this.#payloadRead++;
    }
  }

  /** Moves bytes of lines to the front. Those before one that is not UTF-8 are taken all the same. */
  #readData(count: number): void {
    const bytes = this.#bytes, to = this.#lineBytes;
    const bits = count <= SHORT_PAYLOAD_BYTES ? this.#moveShort(to, count) : this.#moveLong(to, count);
    this.#at += count;
    this.#payloadRead += count;
    this.#lineBytes += count;
    this.#lastByte = bytes[this.#lineBytes - 1];
    if (!this.#isText || ((bits & 0x80) === 0 && !this.#utf8.isMidCharacter)) return;
    const wrongAt = this.#utf8.check(bytes, to, to + count);
    if (wrongAt === to + count) return;
    this.#lineBytes = wrongAt;
    this.#failText();
  }

  #failText(): void {
    const message = "Cannot read message: it is not UTF-8, a text message has to be";
    this.#fail(CLOSE_CODE.invalidText, message);
  }

  /** Unmasks the next `count` bytes to `to`; returns which bits any of them has. */
  #moveShort(to: number, count: number): number {
    const bytes = this.#bytes, from = this.#at, phase = this.#payloadRead, mask = spread(this.#maskBits);
    let bits = 0;
    for (let i = 0; i < count; i++) {
      const byte = bytes[from + i] ^ mask[phase + i & 3];
      bytes[to + i] = byte;
      bits |= byte;
    }
    return bits;
  }

  #moveLong(to: number, count: number): number {
    const bytes = this.#bytes, mask = spread(this.#maskBits);
    bytes.copyWithin(to, this.#at, this.#at + count);
    const end = to + count;
    const wordsFrom = to + (-(bytes.byteOffset + to) & 3), words = end - wordsFrom >> 2;
    let bits = 0, phase = this.#payloadRead;
    for (let at = to; at < wordsFrom; at++) bits |= bytes[at] ^= mask[phase++ & 3];
    for (let i = 0; i < 4; i++) turnedMask[i] = mask[phase + i & 3];
    const word = maskWord[0], all = new Uint32Array(bytes.buffer, bytes.byteOffset + wordsFrom, words);
    for (let i = 0; i < words; i++) bits |= all[i] ^= word;
    for (let at = wordsFrom + 4 * words; at < end; at++) bits |= bytes[at] ^= mask[phase++ & 3];
    return bits | bits >>> 8 | bits >>> 16 | bits >>> 24;
  }

  #endFrame(): void {
    this.#isInPayload = false;
    if (this.#opcode >= IS_CONTROL) return this.#endControl();
    if (!this.#isFinal) return;
    if (this.#isText && this.#utf8.isMidCharacter) return this.#failText();
    this.#isMidMessage = false;
    if (this.#lastByte !== LF) this.#bytes[this.#lineBytes++] = LF;
  }

  #endControl(): void {
    const payload = this.#control?.subarray(0, this.#payloadBytes) ?? NOTHING;
    this.#control = undefined;
    if (this.#opcode === OPCODE.ping) this.#sink.onPing(payload);
    if (this.#opcode === OPCODE.pong) this.#sink.onPong(payload);
    if (this.#opcode !== OPCODE.close) return;
    const closing = readClosing(payload);
    if ("message" in closing) {
      this.#fault = closing;
      return;
    }
    this.#hasClosed = true;
    this.#sink.onClose(closing);
  }
}
