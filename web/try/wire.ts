// A connection to the relay, line by line, as `nc` has it: nothing is decoded. Of a session it does what one
// must, so that the person need not: hello, pings, acknowledgements; and it connects again.

import { Stream } from "./stream.ts";
import type { LineKind } from "./stream.ts";

/** How often a session pings, in ms: three times within the shortest usual `pingTimeoutMs`. */
const PING_MS = 5000;

/** So many pings in a row without a word from the relay, and the connection is given up: its network is gone. */
const MAX_UNANSWERED = 3;

/** So many bytes are received before they are acknowledged: well within the usual `windowBytes`. */
const ACK_BYTES = 64 * 1024;

/**
 * The waits before it connects again, in ms: doubled each time, until a connection has lasted for the longest
 * of them. A relay that is full lets a plain client in for a moment.
 */
const FIRST_WAIT_MS = 500;
const LAST_WAIT_MS = 8000;

/** Refusals after which trying again is of no use. */
const FINAL_CODES = /"code":"(bad_token|bad_hello)"/;

/** Where to connect to as whom, and who is told. */
export interface WireOptions {
  url: string;
  /** The hello of a session; undefined for a plain client. */
  hello: { room?: string; name?: string; token?: string } | undefined;
  /** Is told each line: what came, and what was sent. */
  onLine(text: string, kind: LineKind | "sent"): void;
  /** Is told how it stands, in words. */
  onState(state: "connecting" | "connected" | "reconnecting" | "closed", detail: string): void;
}

/** Connected until `close()`. */
export class Wire {
  readonly #options: WireOptions;
  #socket: WebSocket | undefined;
  #stream: Stream;
  #acked = 0;
  #unanswered = 0;
  #waitMs = FIRST_WAIT_MS;
  #welcomedAt = Infinity;
  #isClosed = false;
  #isRefused = false;
  #pinger: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: WireOptions) {
    this.#options = options;
    this.#stream = new Stream(options.hello !== undefined);
    this.#connect("connecting");
  }

  /** Whether a line can go out now. */
  get isOpen(): boolean {
    const isUp = this.#socket?.readyState === WebSocket.OPEN;
    return isUp && (this.#options.hello === undefined || this.#stream.isWelcome);
  }

  /** Sends a line as it is; false if there is no connection. */
  send(line: string): boolean {
    if (!this.isOpen) return false;
    this.#write(line);
    return true;
  }

  /** Ends it for good. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#options.hello !== undefined && this.isOpen) this.#write(`{"$bye":{}}`);
    this.#socket?.close(1000);
    this.#drop();
    this.#options.onState("closed", "");
  }

  #connect(state: "connecting" | "reconnecting"): void {
    const { url, hello } = this.#options;
    this.#options.onState(state, "");
    this.#stream = new Stream(hello !== undefined);
    this.#acked = this.#unanswered = 0;
    this.#welcomedAt = Infinity;
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    const decoder = new TextDecoder();
    socket.onopen = () => {
      if (hello === undefined) return this.#welcomed();
      this.#write(`{"$hello":${JSON.stringify({ version: 1, ...hello })}}`);
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.#unanswered = 0;
      this.#take(typeof data === "string" ? data : decoder.decode(data, { stream: true }));
    };
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#onClose(code, reason);
  }

  #take(text: string): void {
    const wasWelcome = this.#stream.isWelcome;
    for (const { text: line, kind } of this.#stream.push(text)) {
      if (kind === "error" && FINAL_CODES.test(line)) this.#isRefused = true;
      this.#options.onLine(line, kind);
    }
    if (!wasWelcome && this.#stream.isWelcome) this.#welcomed();
    if (this.#stream.bytes - this.#acked >= ACK_BYTES) this.#acknowledge();
  }

  #welcomed(): void {
    this.#welcomedAt = performance.now();
    this.#options.onState("connected", "");
    if (this.#options.hello === undefined) return;
    const ping = () => {
      if (this.#unanswered++ === MAX_UNANSWERED) return this.#giveUp();
      this.#write(`{"$ping":{"t":${performance.now()}}}`);
      if (this.#stream.bytes > this.#acked) this.#acknowledge();
    };
    ping();
    this.#pinger = setInterval(ping, PING_MS);
  }

  #acknowledge(): void {
    this.#acked = this.#stream.bytes;
    this.#write(`{"$ack":{"bytes":${this.#acked}}}`);
  }

  #write(line: string): void {
    this.#socket?.send(`${line}\n`);
    this.#options.onLine(line, "sent");
  }

  /** Nobody would be told by the browser for minutes. */
  #giveUp(): void {
    this.#socket?.close();
    this.#onClose(1006, "the relay says nothing any more");
  }

  #onClose(code: number, reason: string): void {
    this.#drop();
    if (this.#isClosed) return;
    const why = reason !== "" ? reason : code === 1006 || code === 1005 ? "" : `code ${code}`;
    if (this.#isRefused) {
      this.#isClosed = true;
      return this.#options.onState("closed", why);
    }
    this.#options.onState("reconnecting", why);
    if (performance.now() - this.#welcomedAt >= LAST_WAIT_MS) this.#waitMs = FIRST_WAIT_MS;
    this.#retry = setTimeout(() => this.#connect("reconnecting"), this.#waitMs);
    this.#waitMs = Math.min(LAST_WAIT_MS, 2 * this.#waitMs);
  }

  #drop(): void {
    this.#socket = undefined;
    clearInterval(this.#pinger);
    clearTimeout(this.#retry);
  }
}
