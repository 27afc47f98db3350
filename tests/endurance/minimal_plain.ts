// A plain client written from docs/PROTOCOL.md alone: it says and hears events, and nothing else.

import type { LineConn } from "../support/websocket_conn.ts";
import { readPayload } from "./history.ts";
import {
  connectMinimal,
  isNetworkError,
  Lines,
  type MinimalOptions,
  readJson,
  readLine,
  writeAll,
} from "./minimal_wire.ts";

/** A plain client: connects once, and says and hears events until its connection ends. */
export class MinimalPlain {
  readonly #options: MinimalOptions;
  #conn: LineConn | undefined;
  #reading: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  isConnected = false;

  constructor(options: MinimalOptions) {
    this.#options = options;
  }

  /** Resolves when it is connected, or can't be. */
  async start(): Promise<void> {
    try {
      const conn = this.#conn = await connectMinimal(this.#options);
      // An empty line says that no hello is coming, so that nobody has to wait for one.
      await writeAll(conn, "\n");
      this.isConnected = true;
      this.#reading = this.#read(conn);
    } catch (error) {
      if (!(error instanceof Error) || !isNetworkError(error)) throw error;
      this.abandon();
    }
  }

  send(json: string): void {
    const conn = this.#conn;
    if (conn === undefined) return;
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

  async #read(conn: LineConn): Promise<void> {
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
