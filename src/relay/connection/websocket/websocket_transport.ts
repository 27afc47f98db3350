// A WebSocket as a transport: what a connection reads and writes are lines, what goes over the socket are
// frames. Owns the socket behind it, whose handshake is over.
//
//   socket ─read→ frames ─┬─ lines ─▶ read()                  write(lines) ─▶ [header|lines] ─┐
//                         ├─ ping ──▶ pongs, once no frame is under way ─────────────────────┼─write→ socket
//                         └─ close, or a fault: the end       closeWrite() ─▶ close frame ───┘
//
// A write of whole lines is one message. One that ends within a line (a simulated network cuts anywhere) is a
// fragment of one.

import { concat } from "../../../wire/concat.ts";
import { LF } from "../../../wire/protocol.ts";
import type { Settings } from "../../options.ts";
import type { Source } from "../../room/cursor.ts";
import { amountOf, type Demand, type Served } from "../../service_queue.ts";
import type { Farewell, FrameFault, Transport, WebSocketSide } from "../transport.ts";
import { CLOSE_CODE, closeCodeFor, type Closing, encodeClosing } from "./close_code.ts";
import { FrameReader, type FrameSink, FRONT_BYTES } from "./frame_reader.ts";
import { controlFrame, FIN, headerBytes, MAX_HEADER_BYTES, OPCODE, writeHeader } from "./frame_writer.ts";
import type { FramedCopies, FramedCopy } from "./framed_copies.ts";

/** The largest message that is taken, in bytes, unless two of the longest lines are more. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

/**
 * After so much silence the relay asks for a sign of life, in ms, or after a third of the time after which
 * silence is the end.
 */
const PING_AFTER_MS = 5000;

/** …and every so often in any case, in ms: the answer tells how long the way there and back takes. */
const PING_EVERY_MS = 15_000;

/**
 * How many pings are answered each by its own pong while none can be written; of further ones only the newest
 * is.
 */
const MAX_PONGS = 16;

/** How many frames are read until the time is looked at: about a hundredth of a millisecond. */
const FRAMES_PER_LOOK = 256;

/**
 * The slowest network on which a member is waited for: what was written to it may take so long to arrive, in
 * bytes a second.
 */
const SLOWEST_BYTES_PER_SECOND = 64 * 1024;

/**
 * The largest piece of the log that is copied to be framed, in bytes; the header of a larger one is written
 * by itself.
 */
const MAX_COPY_BYTES = 256 * 1024;

/** How long a client that is turned away has for taking the close frame, in ms. */
const TURN_AWAY_MS = 250;

const NOTHING = new Uint8Array(0);

/** What a {@linkcode WebSocketTransport} needs of the settings. */
export type WebSocketSettings = Pick<
  Settings,
  "clock" | "timers" | "service" | "log" | "isChecked" | "pingTimeoutMs" | "maxLineBytes"
>;

/** A WebSocket, from its handshake to its end. */
export class WebSocketTransport implements Transport, WebSocketSide, FrameSink, Served {
  /** @internal For the service queue. */
  demand: Demand = "little";
  readonly #conn: Transport;
  readonly #copies: FramedCopies;
  readonly #settings: WebSocketSettings;
  readonly #address: string;
  // Input
  readonly #reader: FrameReader;
  /** What came behind the handshake. */
  #rest: Uint8Array;
  /** The buffer that was read into last, and where in it: a byte has to be free. */
  #buffer: Uint8Array = NOTHING;
  #window: Uint8Array = NOTHING;
  #filledBytes = 0;
  #isRead = true;
  #onRead: (() => void) | undefined;
  #heardAt: number;
  #closing: Closing | undefined;
  // Output: the frame under way, as far as it is not written, and the bytes of lines in it.
  #frame: Uint8Array = NOTHING;
  #lines: Uint8Array = NOTHING;
  #copy: FramedCopy | undefined;
  /** Where a header is written that goes by itself: a new one each time would cost half a write. */
  #head: Uint8Array | undefined;
  #headLeft = 0;
  #linesLeft = 0;
  #isWriting = false;
  #isMidOutput = false;
  #writtenSince = 0;
  /** Control frames that wait until no frame is under way, and the write of such ones. */
  #pongs: Uint8Array[] = [];
  #isPingDue = false;
  #pingedAt: number;
  /** Tells the newest ping from those before: it is what that carries. */
  #pingNumber = 0;
  #rttMs: number | undefined;
  #control: Promise<void> | undefined;
  #hasSentClose = false;
  #isClosed = false;

  /**
   * @param rest what was read behind the handshake
   * @param address how a log names the client
   */
  constructor(
    conn: Transport,
    rest: Uint8Array,
    address: string,
    copies: FramedCopies,
    settings: WebSocketSettings,
  ) {
    this.#conn = conn;
    this.#rest = rest.length > 0 ? rest : NOTHING; // an empty one would keep the head of its request
    this.#address = address;
    this.#copies = copies;
    this.#settings = settings;
    this.#reader = new FrameReader(this, Math.max(MAX_MESSAGE_BYTES, 2 * settings.maxLineBytes));
    this.#heardAt = this.#pingedAt = settings.clock();
  }

  get kind(): "websocket" {
    return "websocket";
  }

  get websocket(): WebSocketSide {
    return this;
  }

  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  // Input

  get fault(): FrameFault | undefined {
    return this.#reader.fault;
  }

  get hasClosed(): boolean {
    return this.#reader.hasClosed;
  }

  get isMidMessage(): boolean {
    return this.#reader.isMidMessage;
  }

  get filledBytes(): number {
    return this.#filledBytes;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.hasClosed) return null;
    if (this.fault !== undefined) return await this.#drain(buffer);
    const n = await this.#receive(buffer);
    if (n === null) {
      if (this.#hasSentClose) return null;
      throw new Deno.errors.UnexpectedEof("the connection ended without a close frame");
    }
    this.#filledBytes = FRONT_BYTES + n;
    await this.#readFrames(buffer, n);
    if (this.#isClosed) throw new Deno.errors.Interrupted("the connection was closed");
    return this.#reader.lineBytes;
  }

  /** Reads what comes, for nobody: closing with something unread discards what the client has not read. */
  async #drain(buffer: Uint8Array): Promise<null> {
    while (await this.#conn.read(buffer) !== null);
    return null;
  }

  #receive(buffer: Uint8Array): Promise<number | null> | number {
    if (this.#buffer !== buffer) {
      this.#buffer = buffer;
      this.#window = buffer.subarray(FRONT_BYTES);
    }
    if (this.#rest.length === 0) return this.#conn.read(this.#window);
    const part = this.#rest.subarray(0, this.#window.length);
    this.#window.set(part);
    this.#rest = part.length < this.#rest.length ? this.#rest.subarray(part.length) : NOTHING;
    return part.length;
  }

  /** Reads the frames of a chunk when it is their turn; the promise, if any, resolves when they are read. */
  #readFrames(buffer: Uint8Array, bytes: number): Promise<void> | void {
    const { clock, service } = this.#settings;
    const nowMs = this.#heardAt = clock();
    this.#writtenSince = 0;
    this.#reader.begin(buffer, FRONT_BYTES + bytes);
    this.#isRead = false;
    service.serve(this, nowMs, amountOf(bytes));
    if (!this.#isRead) return new Promise((done) => this.#onRead = done);
  }

  /** @internal For the service queue. */
  serve(untilMs: number): boolean {
    while (!this.#isClosed && !this.#reader.read(FRAMES_PER_LOOK)) {
      if (this.#settings.clock() >= untilMs) return true;
    }
    this.#isRead = true;
    this.#sendControls();
    this.#onRead?.();
    this.#onRead = undefined;
    return false;
  }

  /** @internal For the service queue. */
  onSlowTurn(turnMs: number, ownMs: number): void {
    this.#settings.log("warn", "slow turn", {
      address: this.#address,
      kind: "frames",
      turnMs: Math.round(turnMs),
      inputMs: Math.round(ownMs),
    });
  }

  /** @internal For the frame reader. */
  onPing(payload: Uint8Array): void {
    const newest = this.#pongs[MAX_PONGS - 1];
    if (newest?.length === 2 + payload.length) return newest.set(payload, 2); // a flood makes no garbage
    const pong = controlFrame(OPCODE.pong, payload);
    if (newest === undefined) this.#pongs.push(pong);
    else this.#pongs[MAX_PONGS - 1] = pong;
  }

  /** @internal For the frame reader. */
  onPong(payload: Uint8Array): void {
    if (payload.length === 1 && payload[0] === this.#pingNumber && !this.#isPingDue) {
      this.#rttMs = this.#heardAt - this.#pingedAt;
    }
  }

  /** @internal For the frame reader. */
  onClose(closing: Closing): void {
    this.#closing = closing;
  }

  silentMs(nowMs: number): number {
    return nowMs - this.#heardAt - this.#writtenSince / SLOWEST_BYTES_PER_SECOND * 1000;
  }

  sweep(nowMs: number): void {
    const afterMs = Math.min(PING_AFTER_MS, this.#settings.pingTimeoutMs / 3);
    const isSilent = nowMs - Math.max(this.#heardAt, this.#pingedAt) >= afterMs;
    if (!isSilent && nowMs - this.#pingedAt < PING_EVERY_MS) return;
    this.#pingedAt = nowMs;
    this.#pingNumber = (this.#pingNumber + 1) % 256;
    this.#isPingDue = true;
    this.#sendControls();
  }

  // Output

  write(bytes: Uint8Array, source?: Source): Promise<number> {
    const control = this.#control;
    this.#isWriting = true;
    if (control === undefined) return this.#write(bytes, source);
    return control.then(() => this.#write(bytes, source));
  }

  #write(bytes: Uint8Array, source: Source | undefined): Promise<number> {
    this.#lines = bytes;
    if (this.#linesLeft === 0) this.#beginFrame(bytes, source);
    else this.#frame = bytes;
    return this.#conn.write(this.#frame).then(this.#onWritten, this.#onFailed);
  }

  #beginFrame(bytes: Uint8Array, source: Source | undefined): void {
    const isFinal = bytes[bytes.length - 1] === LF;
    const first = (isFinal ? FIN : 0) | this.#opcode;
    this.#isMidOutput = !isFinal;
    this.#linesLeft = bytes.length;
    this.#headLeft = headerBytes(bytes.length);
    if (source === "copy") {
      const { buffer, byteOffset, length } = bytes;
      this.#frame = new Uint8Array(buffer, byteOffset - this.#headLeft, this.#headLeft + length);
      writeHeader(this.#frame, this.#headLeft, first, length);
      return;
    }
    this.#copy = this.#copyOf(bytes, source, first);
    if (this.#copy === undefined) {
      this.#head ??= new Uint8Array(MAX_HEADER_BYTES);
      this.#frame = this.#head.subarray(0, this.#headLeft);
      writeHeader(this.#frame, this.#headLeft, first, bytes.length);
    } else this.#frame = this.#copy.bytes;
  }

  /** Returns the frame with a copy of the bytes; undefined where they are written from where they are. */
  #copyOf(bytes: Uint8Array, source: Source | undefined, first: number): FramedCopy | undefined {
    if (bytes.length > MAX_COPY_BYTES || this.#copies.isShort) return undefined;
    return source === "block" ? this.#copies.share(bytes, first) : this.#copies.copy(bytes, first);
  }

  /** What the next frame is. */
  get #opcode(): number {
    if (this.#isMidOutput) return OPCODE.continuation;
    return this.#settings.isChecked ? OPCODE.text : OPCODE.binary;
  }

  readonly #onWritten = (n: number): number | Promise<number> => {
    const lines = n - this.#headLeft;
    if (lines <= 0) { // a header, or a part of one: nothing that the caller knows of
      this.#headLeft -= n;
      this.#frame = n < this.#frame.length ? this.#frame.subarray(n) : this.#lines;
      return this.#conn.write(this.#frame).then(this.#onWritten, this.#onFailed);
    }
    this.#headLeft = 0;
    this.#linesLeft -= lines;
    this.#writtenSince += lines;
    this.#endWrite();
    this.#sendControls();
    return lines;
  };

  readonly #onFailed = (error: unknown): never => {
    this.#endWrite();
    throw error;
  };

  /** Lets go of what was written: the rest of a frame is written from the bytes themselves. */
  #endWrite(): void {
    this.#isWriting = false;
    this.#frame = this.#lines = NOTHING;
    this.#copy?.release();
    this.#copy = undefined;
  }

  /** Writes pongs and a ping, if any wait and no frame is under way. */
  #sendControls(): void {
    if (this.#pongs.length === 0 && !this.#isPingDue) return;
    if (this.#isWriting || this.#linesLeft > 0 || this.#control !== undefined) return;
    if (this.#hasSentClose || this.#isClosed || this.hasClosed) return;
    const frames = this.#pongs;
    this.#pongs = [];
    if (this.#isPingDue) frames.push(controlFrame(OPCODE.ping, Uint8Array.of(this.#pingNumber)));
    this.#isPingDue = false;
    this.#control = this.#writeControls(frames.length === 1 ? frames[0] : concat(frames));
  }

  /** Never rejects: whoever reads, or writes lines, will see what is wrong. */
  async #writeControls(bytes: Uint8Array): Promise<void> {
    try {
      await this.#writeAll(bytes);
    } catch {
      this.#pongs = [];
    }
    this.#control = undefined;
    this.#sendControls();
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    while (bytes.length > 0) bytes = bytes.subarray(await this.#conn.write(bytes));
  }

  async closeWrite(farewell?: Farewell): Promise<void> {
    this.#isWriting = true; // so that no control frame comes behind
    await this.#control;
    this.#hasSentClose = true;
    await this.#writeAll(controlFrame(OPCODE.close, this.#farewellBody(farewell)));
    // Where the client was the first to close, it waits for the end of the connection; otherwise its close
    // comes first.
    if (this.hasClosed || this.fault !== undefined) await this.#conn.closeWrite();
  }

  #farewellBody(farewell: Farewell | undefined): Uint8Array {
    if (this.fault !== undefined) return encodeClosing(this.fault.code, this.fault.message);
    if (this.#closing !== undefined) return encodeClosing(this.#closing.code, this.#closing.reason);
    if (farewell === undefined) return encodeClosing(CLOSE_CODE.normal);
    return encodeClosing(closeCodeFor(farewell), farewell.code ?? farewell.reason);
  }

  /** Closes one that can't be served, with a close frame if that can be written at once. Never rejects. */
  async turnAway(farewell: Farewell): Promise<void> {
    let timer;
    const late = new Promise<void>((done) => timer = this.#settings.timers.setTimeout(done, TURN_AWAY_MS));
    try {
      await Promise.race([this.closeWrite(farewell), late]);
    } catch {
      // It has gone by itself.
    }
    this.#settings.timers.clearTimeout(timer);
    this.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#conn.close();
    this.#onRead?.();
  }
}
