// A client of the barest kind, for tests: it writes what it is given and keeps the bytes it reads, as they
// are, over TCP or WebSocket. It does not use the client module, so that relay and client are never wrong
// together.

import assert from "node:assert/strict";
import { inTime } from "./deadline.ts";
import { connectTo, type LineConn, type TransportKind } from "./websocket_conn.ts";

const encoder = new TextEncoder();

/** One connection. */
export class LineClient implements Disposable {
  readonly #conn: LineConn;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #waiting: (() => void) | undefined;
  #writes: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  /** Complete lines that were read, without their LF. */
  readonly lines: string[] = [];
  /** Whether the other side has ended its output or broken the connection. */
  hasEnded = false;

  /** @param conn belongs to the client from now on */
  constructor(conn: LineConn) {
    this.#conn = conn;
  }

  /** Connects, and reads from now on unless told not to. */
  static async connect(
    port: number,
    { reads = true, transport }: { reads?: boolean; transport?: TransportKind } = {},
  ): Promise<LineClient> {
    const client = new LineClient(await connectTo(port, transport));
    if (reads) client.startReading();
    return client;
  }

  /** How the relay names this connection in its log. */
  get address(): string {
    const { hostname, port } = this.#conn.localAddr as Deno.NetAddr;
    return `${hostname}:${port}`;
  }

  /** What was read behind the last LF. */
  get rest(): string {
    return this.#rest;
  }

  startReading(): void {
    void this.#readAll();
  }

  /**
   * Writes all of it; resolves when the kernel has it. Errors of a broken connection are left to who reads.
   */
  send(data: string | Uint8Array): Promise<unknown> {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    this.#writes = this.#writes.then(async () => {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    }).catch(() => {});
    return this.#writes;
  }

  /** Ends the output once all is written. */
  async endOutput(): Promise<void> {
    await this.#writes;
    await this.#conn.closeWrite();
  }

  /** Waits until that many lines have come, and returns the last of them. */
  async line(count: number): Promise<string> {
    await this.#until(() => this.lines.length >= count, `${count} lines, there are ${this.lines.length}`);
    return this.lines[count - 1];
  }

  /** Waits for the end of the connection. */
  async ended(): Promise<void> {
    await this.#until(() => this.hasEnded, "the end of the connection");
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #readAll(): Promise<void> {
    const buffer = new Uint8Array(256 * 1024);
    try {
      for (;;) {
        const n = await this.#conn.read(buffer);
        if (n === null) break;
        const parts = (this.#rest + this.#decoder.decode(buffer.subarray(0, n), { stream: true })).split(
          "\n",
        );
        this.#rest = parts.pop()!;
        this.lines.push(...parts);
        this.#waiting?.();
      }
    } catch {
      // reset, or closed by the test
    }
    this.hasEnded = true;
    this.#waiting?.();
  }

  async #until(isSo: () => boolean, what: string): Promise<void> {
    while (!isSo()) {
      if (this.hasEnded) assert.fail(`the connection has ended before: ${what}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting = resolve;
      await inTime(promise, what);
    }
  }
}
