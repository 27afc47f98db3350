// Looks at what the relay says to a client that has asked for a WebSocket: the answer to the handshake, then
// frames that have to be whole, in their order and full of lines, and nothing behind a close frame. Pure.

import { concat } from "../../src/wire/concat.ts";
import { readServerFrames, type ServerFrame } from "../support/websocket_frames.ts";
import { ACCEPT } from "./frame_grammar.ts";

const MAX_HEAD_BYTES = 16_384;
/** What a request may be answered with. */
const STATUSES = /^HTTP\/1\.1 (101|200|206|3\d\d|4\d\d|50[35]) /;

/** What it makes of the bytes. */
export interface WatchSink {
  onLine(line: string): void;
  onFault(what: string): void;
}

/** The relay's side of one connection. */
export class AnswerWatch {
  readonly #sink: WatchSink;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #input: Uint8Array = new Uint8Array(0);
  #message: Uint8Array[] = [];
  #isMidMessage = false;
  /** Whether no more is looked at. */
  #isOver = false;
  readonly #isHttp: boolean;
  /** The status of the answer; undefined as long as there is none. */
  status: number | undefined;
  /** The code of the close frame, 1005 for one without; undefined as long as there is none. */
  closeCode: number | undefined;

  /** @param isHttp whether what was asked is HTTP for sure; otherwise it may have made a plain client */
  constructor(sink: WatchSink, isHttp: boolean) {
    this.#sink = sink;
    this.#isHttp = isHttp;
  }

  take(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#input = concat([this.#input, chunk]);
    if (this.status === undefined && !this.#readHead()) return;
    if (this.status !== 101) return void (this.#isOver = true); // a body, of no matter here
    try {
      const { frames, used } = readServerFrames(this.#input);
      this.#input = this.#input.slice(used);
      for (const frame of frames) this.#onFrame(frame);
    } catch (error) {
      this.#fail((error as Error).message);
    }
    if (this.closeCode !== undefined && this.#input.length > 0) this.#fail("bytes follow a close frame");
  }

  #readHead(): boolean {
    const text = String.fromCharCode(...this.#input.subarray(0, MAX_HEAD_BYTES));
    if (!this.#isHttp && !"HTTP/".startsWith(text.slice(0, 5))) {
      this.#isOver = true;
      return false;
    }
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) {
      if (text.length >= MAX_HEAD_BYTES) this.#fail("the head of the answer does not end");
      return false;
    }
    const head = text.slice(0, end);
    if (!STATUSES.test(head)) this.#fail(`the answer begins with ${head.slice(0, 100)}`);
    this.status = Number(head.slice(9, 12));
    this.#input = this.#input.slice(end + 4);
    const accept = /\r\nsec-websocket-accept: *(\S*)/i.exec(head)?.[1];
    if (this.status === 101 && accept !== ACCEPT) this.#fail(`Sec-WebSocket-Accept is ${accept}`);
    return true;
  }

  #onFrame({ opcode, isFinal, payload }: ServerFrame): void {
    if (this.closeCode !== undefined) return this.#fail("a frame follows a close frame");
    switch (opcode) {
      case 0:
      case 1:
        if ((opcode === 0) !== this.#isMidMessage) return this.#fail(`opcode ${opcode} is out of order`);
        this.#message.push(payload);
        this.#isMidMessage = !isFinal;
        return isFinal ? this.#endMessage() : undefined;
      case 8:
        if (this.#isMidMessage) this.#fail("a close frame cuts a message off");
        this.closeCode = payload.length === 0 ? 1005 : payload[0] << 8 | payload[1];
        if (payload.length > 2) this.#decode(payload.subarray(2));
        return;
      case 9:
      case 10:
        return;
    }
    this.#fail(`a frame has opcode ${opcode}`);
  }

  #endMessage(): void {
    const text = this.#decode(concat(this.#message));
    this.#message = [];
    if (text === undefined) return;
    const lines = text.split("\n");
    if (lines.pop() !== "") this.#fail(`a message does not end with a line: ${text.slice(-100)}`);
    for (const line of lines) this.#sink.onLine(line);
  }

  #decode(bytes: Uint8Array): string | undefined {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      this.#fail("a text is not UTF-8");
    }
  }

  #fail(what: string): void {
    this.#isOver = true;
    this.#sink.onFault(what);
  }
}
