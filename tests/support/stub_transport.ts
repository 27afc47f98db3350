// A connection without a network, for tests of sessions: the test says what is read and when, how much a
// write takes, and whether it takes anything at all. It also holds the session to its promise of one read and
// one write at a time.

import assert from "node:assert/strict";
import type { Transport } from "../../src/relay/connection/transport.ts";
import { pause } from "./pause.ts";
import { inTime } from "./deadline.ts";

const encoder = new TextEncoder();

/** The far side of a session. */
export class StubTransport implements Transport {
  readonly remoteAddr: Deno.Addr = { transport: "tcp", hostname: "192.0.2.1", port: 5 };
  /**
   * How many bytes one write takes; 0 makes writes wait until it is more, or until the connection is closed.
   */
  #bytesPerWrite = Infinity;
  #output = new Uint8Array(1024);
  #outputBytes = 0;
  #input: (Uint8Array | Error | null)[] = [];
  #reading:
    | { buffer: Uint8Array; resolve: (n: number | null) => void; reject: (error: Error) => void }
    | undefined;
  #writing: { bytes: Uint8Array; resolve: (n: number) => void; reject: (error: Error) => void } | undefined;
  #waiting = new Set<() => void>();
  /** How many bytes each write wanted to write. */
  readonly writes: number[] = [];
  isOutputEnded = false;
  isClosed = false;

  // The session's side

  read(buffer: Uint8Array): Promise<number | null> {
    assert.equal(this.#reading, undefined, "one read is under way at the most");
    return new Promise((resolve, reject) => {
      this.#reading = { buffer, resolve, reject };
      if (this.isClosed) this.#failBoth();
      else this.#serveRead();
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    assert.equal(this.#writing, undefined, "one write is under way at the most");
    assert.equal(this.isOutputEnded, false, "nothing is written after the end of the output");
    assert.ok(bytes.length > 0, "a write is never empty");
    this.writes.push(bytes.length);
    return new Promise((resolve, reject) => {
      this.#writing = { bytes, resolve, reject };
      if (this.isClosed) this.#failBoth();
      else this.#serveWrite();
    });
  }

  closeWrite(): Promise<void> {
    assert.equal(this.isClosed, false, "a closed connection is left alone");
    assert.equal(this.isOutputEnded, false, "the output ends once");
    this.isOutputEnded = true;
    this.#note();
    return Promise.resolve();
  }

  close(): void {
    assert.equal(this.isClosed, false, "a connection is closed once");
    this.isClosed = true;
    this.#failBoth();
    this.#note();
  }

  // The test's side

  /** What has been written so far. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#output.slice(0, this.#outputBytes);
  }

  /** What has been written so far, from a place on. */
  bytesFrom(start: number): Uint8Array<ArrayBuffer> {
    return this.#output.slice(start, this.#outputBytes);
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  /** How many bytes the read that is under way can take; 0 if there is none. */
  get readBufferBytes(): number {
    return this.#reading?.buffer.length ?? 0;
  }

  /** Whether a write is waiting that takes nothing. */
  get isStuck(): boolean {
    return this.#writing !== undefined;
  }

  /** Lets the session read these bytes in one piece, if its buffer holds them. */
  feed(data: string | Uint8Array): void {
    this.#input.push(typeof data === "string" ? encoder.encode(data) : data);
    this.#serveRead();
  }

  /** Ends the input, or lets it fail. */
  endInput(error: Error | null = null): void {
    this.#input.push(error);
    this.#serveRead();
  }

  /** Sets how many bytes a write takes, also the one that waits. */
  takeBytes(bytesPerWrite: number): void {
    this.#bytesPerWrite = bytesPerWrite;
    this.#serveWrite();
  }

  /** Takes `count` bytes of the write that waits, and none of the next. */
  takeOnce(count: number): void {
    assert.ok(this.#writing, "a write waits");
    this.#bytesPerWrite = count;
    this.#serveWrite();
    this.#bytesPerWrite = 0;
  }

  /** Lets the write that waits fail. */
  failWrite(error: Error): void {
    this.#writing!.reject(error);
    this.#writing = undefined;
  }

  /** Waits until `isSo`, which is asked after everything that happens here. */
  async until(isSo: () => boolean, what = String(isSo)): Promise<void> {
    const asking = async () => {
      while (!isSo()) await new Promise<void>((done) => this.#waiting.add(done));
    };
    await inTime(asking(), what);
  }

  #serveRead(): void {
    if (this.#reading === undefined || this.#input.length === 0 || this.isClosed) return;
    const { buffer, resolve, reject } = this.#reading;
    this.#reading = undefined;
    const next = this.#input.shift()!;
    if (next === null) resolve(null);
    else if (next instanceof Error) reject(next);
    else {
      const n = Math.min(next.length, buffer.length);
      buffer.set(next.subarray(0, n));
      if (n < next.length) this.#input.unshift(next.subarray(n));
      resolve(n);
    }
    this.#note();
  }

  /** Takes bytes from the write under way: now, not when it began, as a kernel that had no room does. */
  #serveWrite(): void {
    if (this.#writing === undefined) return;
    if (this.#bytesPerWrite === 0) return this.#note();
    const { bytes, resolve } = this.#writing;
    this.#writing = undefined;
    const n = Math.min(bytes.length, this.#bytesPerWrite);
    this.#keep(bytes.subarray(0, n));
    resolve(n);
    this.#note();
  }

  #keep(bytes: Uint8Array): void {
    const end = this.#outputBytes + bytes.length;
    if (end > this.#output.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#output.subarray(0, this.#outputBytes));
      this.#output = larger;
    }
    this.#output.set(bytes, this.#outputBytes);
    this.#outputBytes = end;
  }

  #failBoth(): void {
    const error = new Deno.errors.BadResource("closed");
    this.#reading?.reject(error);
    this.#writing?.reject(error);
    this.#reading = this.#writing = undefined;
  }

  #note(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const done of waiting) done();
  }
}

/** Lets everything that is due happen: promises, and callbacks of this turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await pause();
}
