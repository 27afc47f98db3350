// A plain client written from docs/PROTOCOL.md alone: it says and hears events, and nothing else.

import { readPayload } from "./history.ts";
import { isNetworkError, Lines, type MinimalOptions, readJson, readLine, writeAll } from "./minimal_wire.ts";

/** A plain client: connects once, and says and hears events until its connection ends. */
export class MinimalPlain {
  readonly #options: MinimalOptions;
  #conn: Deno.TcpConn | undefined;
  #reading: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  isConnected = false;

  constructor(options: MinimalOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#conn = await Deno.connect({ hostname: "127.0.0.1", port: this.#options.port });
    this.#conn.setNoDelay(true);
    this.isConnected = true;
    this.#reading = this.#read(this.#conn);
  }

  send(json: string): void {
    const conn = this.#conn!;
    this.#writing = this.#writing.then(() => writeAll(conn, `${json}\n`)).catch(() => {});
  }

  async close(): Promise<void> {
    await this.#writing;
    try {
      await this.#conn?.closeWrite();
    } catch { /* it has ended */ }
    await this.#reading;
  }

  abandon(): void {
    try {
      this.#conn?.close();
    } catch { /* it was */ }
  }

  async #read(conn: Deno.TcpConn): Promise<void> {
    const lines = new Lines();
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const count = await conn.read(buffer);
        if (count === null) break;
        for (const line of lines.take(buffer.subarray(0, count))) this.#onLine(line);
      }
    } catch (error) {
      if (!(error instanceof Error) || !isNetworkError(error)) throw error;
    } finally {
      this.isConnected = false;
      this.abandon();
    }
  }

  #onLine(bytes: Uint8Array): void {
    const line = readLine(bytes);
    if (line === undefined || readJson(line) === undefined) {
      return this.#options.record({ kind: "strange", what: `no JSON in UTF-8: ${bytes}` });
    }
    const name = readPayload(readJson(line));
    if (name === undefined) this.#options.record({ kind: "strange", what: `received ${line.slice(0, 200)}` });
    else this.#options.record({ kind: "event", ...name });
  }
}
