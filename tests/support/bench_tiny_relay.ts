// A relay in a screenful, good or bad as a test asks: what the benchmark's loads are tried against. Knows
// lines by their fixed length.

import { concat } from "../../src/wire/concat.ts";

/** One line of the benchmark, LF included. */
export type Line = Uint8Array;
/**
 * Turns the line that a relay is about to pass on into those it does; `index` counts the lines to this
 * receiver.
 */
export type Mangle = (line: Line, index: number, state: { kept?: Line }) => Line[];

export interface TinyRelayOptions {
  mangle?: Mangle;
  /** Sends lines back to their sender too. */
  echo?: boolean;
  /** The length of every line. */
  lineBytes?: number;
}

/** A relay of the simplest kind: whole lines from each to all others, changed by `mangle`. */
export class TinyRelay implements AsyncDisposable {
  readonly port: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #members = new Set<
    { conn: Deno.Conn; queue: Promise<void>; index: number; state: { kept?: Line } }
  >();
  readonly #running: Promise<void>[] = [];
  readonly #mangle: Mangle;
  readonly #echo: boolean;
  readonly #lineBytes: number;

  constructor({ mangle = (line) => [line], echo = false, lineBytes = 64 }: TinyRelayOptions = {}) {
    this.#mangle = mangle;
    this.#lineBytes = lineBytes;
    this.#echo = echo;
    this.port = this.#listener.addr.port;
    this.#running.push(this.#accept());
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) this.#running.push(this.#serve(conn));
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    const own = { conn, queue: Promise.resolve(), index: 0, state: {} };
    this.#members.add(own);
    let held = new Uint8Array(0);
    const buffer = new Uint8Array(16 * 1024);
    try {
      for (let count; (count = await conn.read(buffer)) !== null;) {
        const bytes = concat([held, buffer.subarray(0, count)]);
        const whole = bytes.length - bytes.length % this.#lineBytes;
        held = bytes.slice(whole);
        for (const member of this.#members) {
          if (member === own && !this.#echo) continue;
          const lines: Line[] = [];
          for (let at = 0; at < whole; at += this.#lineBytes) {
            lines.push(
              ...this.#mangle(bytes.subarray(at, at + this.#lineBytes), member.index++, member.state),
            );
          }
          member.queue = member.queue.then(() => writeAll(member.conn, lines)).catch(() => {});
        }
      }
    } catch {
      // The load has closed the connection.
    }
    this.#members.delete(own);
    await own.queue;
    conn.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await Promise.all(this.#running);
  }
}

async function writeAll(conn: Deno.Conn, lines: Line[]): Promise<void> {
  const bytes = concat(lines);
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
