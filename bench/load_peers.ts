// What the load's connections do: a receiver reads and checks, a sender writes numbered lines, and a window
// holds senders back while the slowest receiver is too far behind. When and how much is sent is load.ts's
// business.

import { LineBlock, PROBE_SEQUENCE } from "./line_layout.ts";
import type { LineVerifier } from "./line_verifier.ts";

/**
 * Returns whole microseconds since this process began; sending and receiving are in one process, so they
 * share it.
 */
function nowUs(): number {
  return Math.floor(performance.now() * 1000);
}

/** Reads one connection and checks what comes. */
export class Receiver {
  readonly verifier: LineVerifier;
  /** The receiver's own sender number, -1 if it has none. */
  readonly self: number;
  ended = false;
  readonly #conn: Deno.TcpConn;
  readonly #onProgress: () => void;

  constructor(conn: Deno.TcpConn, verifier: LineVerifier, self: number, onProgress: () => void) {
    this.#conn = conn;
    this.verifier = verifier;
    this.self = self;
    this.#onProgress = onProgress;
  }

  /** Reads until the connection ends or is closed; never rejects. */
  async run(): Promise<void> {
    const { verifier } = this;
    const { buffer } = verifier;
    let held = 0;
    try {
      for (;;) {
        const count = await this.#conn.read(held === 0 ? buffer : buffer.subarray(held));
        if (count === null) break;
        held = verifier.take(held + count, nowUs());
        this.#onProgress();
      }
    } catch {
      // A connection that the relay or this load has closed: what is missing shows in the count.
    }
    this.ended = true;
    this.#onProgress();
  }
}

/** Writes the lines of one sender. */
export class Sender {
  /** Lines handed to the connection, which is the sequence number of the last one. */
  sent = 0;
  /** Whether the connection has failed; what was written last may be lost with it. */
  failed = false;
  busy = false;
  readonly block: LineBlock;
  readonly #conn: Deno.TcpConn;

  constructor(conn: Deno.TcpConn, sender: number, lineBytes: number, capacity: number) {
    this.#conn = conn;
    this.block = new LineBlock(sender, lineBytes, capacity);
  }

  /**
   * Sends the next `count` lines, at most the block's capacity, in one write. One call at a time; never
   * rejects.
   */
  async send(count: number): Promise<void> {
    const first = this.sent + 1;
    this.sent += count;
    await this.#write(this.block.fill(first, count, nowUs()));
  }

  async probe(): Promise<void> {
    await this.#write(this.block.fill(PROBE_SEQUENCE, 1, nowUs()));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.busy = true;
    try {
      let written = await this.#conn.write(bytes);
      while (written < bytes.length) written += await this.#conn.write(bytes.subarray(written));
    } catch {
      this.failed = true;
    }
    this.busy = false;
  }
}

/** Holds publishers back while the slowest receiver is more than a window behind. */
export class Window {
  readonly #lines: number;
  readonly #senders: readonly Sender[];
  readonly #receivers: readonly Receiver[];
  #waiting: (() => void)[] = [];

  constructor(lines: number, senders: readonly Sender[], receivers: readonly Receiver[]) {
    this.#lines = lines;
    this.#senders = senders;
    this.#receivers = receivers;
  }

  get isOpen(): boolean {
    let total = 0;
    for (const sender of this.#senders) total += sender.sent;
    for (const { self, verifier, ended } of this.#receivers) {
      const own = self < 0 ? 0 : this.#senders[self].sent;
      if (!ended && total - own - verifier.accounted > this.#lines) return false;
    }
    return true;
  }

  /** Resolves when the window is open, or at {@linkcode release}. */
  async opened(): Promise<void> {
    if (!this.isOpen) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  progress(): void {
    if (this.#waiting.length > 0 && this.isOpen) this.release();
  }

  release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
