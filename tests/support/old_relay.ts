// A relay as the first one was: every line goes to all other connections, and nothing else is ever sent. For
// tests of the client, with hooks for what a real relay never does: raw bytes, sudden ends, silence, a
// restart on the same port.

import { LF } from "../../src/wire/protocol.ts";
import { until } from "./deadline.ts";

/** One connection as the relay sees it. */
export class Member {
  readonly #conn: Deno.TcpConn;
  readonly #received: number[] = [];
  readonly ended: Promise<void>;
  isEnded = false;

  constructor(conn: Deno.TcpConn, relay: OldRelay) {
    this.#conn = conn;
    this.ended = this.#read(relay);
  }

  /** All bytes received so far, as text. */
  get text(): string {
    return new TextDecoder().decode(Uint8Array.from(this.#received));
  }

  /** All whole lines received so far. */
  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  /** Writes bytes or text as they are. */
  async write(data: string | Uint8Array): Promise<void> {
    let bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    while (bytes.length > 0) bytes = bytes.subarray(await this.#conn.write(bytes));
  }

  /** Ends the connection at once. */
  close(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#conn.close();
  }

  async #read(relay: OldRelay): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    let line: number[] = [];
    try {
      while (!relay.isReadingPaused) {
        const count = await this.#conn.read(buffer);
        if (count === null) break;
        for (const byte of buffer.subarray(0, count)) {
          if (!relay.isForgetful) this.#received.push(byte);
          line.push(byte);
          if (byte !== LF) continue;
          const bytes = Uint8Array.from(line);
          line = [];
          await Promise.all(
            relay.members.filter((other) => other !== this).map((other) =>
              other.write(bytes).catch(() => {})
            ),
          );
        }
      }
      if (relay.isReadingPaused) await relay.stopped;
    } catch {
      // Closed by one of the two.
    }
    relay.members = relay.members.filter((other) => other !== this);
    this.close();
  }
}

/** A relay on loopback; `await using` stops it. */
export class OldRelay implements AsyncDisposable {
  #listener: Deno.TcpListener;
  #accepting: Promise<void>;
  #isListening = true;
  #stop = Promise.withResolvers<void>();
  /** Those connected now. */
  members: Member[] = [];
  /** Those ever connected, in order. */
  seen: Member[] = [];
  /** Set before anybody connects: members are never read from. */
  isReadingPaused = false;
  /** Set: members don't keep what they received. */
  isForgetful = false;

  constructor(port = 0) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get target(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Resolves when the relay stops. */
  get stopped(): Promise<void> {
    return this.#stop.promise;
  }

  /** Waits until so many connections have been made since the start. */
  async member(index: number, timeoutMs?: number): Promise<Member> {
    await until(() => this.seen.length > index, `member ${index}`, timeoutMs);
    return this.seen[index];
  }

  /** Stops listening and ends all connections, unless that is already done. */
  async stop(): Promise<void> {
    if (!this.#isListening) return;
    this.#isListening = false;
    this.#listener.close();
    this.#stop.resolve();
    for (const member of this.members) member.close();
    await this.#accepting;
    await Promise.all(this.seen.map((member) => member.ended));
  }

  /** Listens again on the same port, after `stop()`. */
  start(): void {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.port });
    this.#isListening = true;
    this.#stop = Promise.withResolvers();
    this.#accepting = this.#accept();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #accept(): Promise<void> {
    try {
      for await (const conn of this.#listener) {
        const member = new Member(conn, this);
        this.members.push(member);
        this.seen.push(member);
      }
    } catch {
      // The listener was closed.
    }
  }
}
