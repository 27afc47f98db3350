// The only writer of one connection: takes batches from the source of what is to be written and hands them
// over, one write at a time, however much of it a write takes. Knows when a connection takes nothing. What a
// batch holds is its source's.

import { afterThisTurn } from "./after_turn.ts";
import type { LineSource } from "./line_source.ts";
import type { Transport } from "./transport.ts";

/** The bytes that are handed over in one write, unless one line alone is longer. */
const WRITE_BATCH_BYTES = 64 * 1024;

/** How long a write may be under way, in ms, before the connection counts as one that takes nothing… */
const STUCK_MS = 1000;

/** …and how long before it is given up: a host that vanished closes nothing. */
const WRITE_DEADLINE_MS = 30_000;

/** What a {@linkcode Writer} tells. */
export interface WriterSink {
  /** Bytes went out, and so many lines with them for the first time. */
  onWritten(bytes: number, lines: number): void;
  /** The connection takes nothing more, for this reason. */
  onError(error: unknown): void;
}

/** Writes to one connection, until `stop()`. */
export class Writer {
  readonly #transport: Transport;
  readonly #source: LineSource;
  readonly #sink: WriterSink;
  readonly #deadlineMs: number;
  #writing: Promise<void> | undefined;
  #startedAtMs: number | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  /** Since when the source has had lines that it may not give out. */
  #heldBackSinceMs: number | undefined;
  /** Prevents the flush after this turn, if one is due. */
  #cancelFlush: (() => void) | undefined;
  #isStopped = false;

  /** Makes a writer that waits for `flush()`. A write that takes nothing for `deadlineMs` is an error. */
  constructor(
    transport: Transport,
    source: LineSource,
    sink: WriterSink,
    deadlineMs: number = WRITE_DEADLINE_MS,
  ) {
    this.#transport = transport;
    this.#source = source;
    this.#sink = sink;
    this.#deadlineMs = deadlineMs;
  }

  /** Whether the connection has taken nothing for a while, although there is something to write. */
  get isStuck(): boolean {
    const sinceMs = this.#startedAtMs ?? this.#heldBackSinceMs;
    return sinceMs !== undefined && performance.now() - sinceMs > STUCK_MS;
  }

  /** Has what waits written after this turn of the event loop, all that the turn brings together. */
  flush(): void {
    if (this.#isStopped) return;
    this.#cancelFlush ??= afterThisTurn(() => {
      this.#cancelFlush = undefined;
      this.#write();
    });
  }

  /** Writes all that the source has; resolves then, or when the connection takes nothing more. */
  async finish(): Promise<void> {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    while (!this.#isStopped && this.#source.hasMore) {
      await this.#write();
      if (this.#heldBackSinceMs !== undefined) return; // until the relay has confirmed something
    }
  }

  /** Ends it. A write under way may never settle on a connection that is stuck: nobody waits for it. */
  stop(): void {
    this.#isStopped = true;
    this.#startedAtMs = this.#heldBackSinceMs = undefined;
    clearTimeout(this.#deadline);
    this.#cancelFlush?.();
  }

  /** Starts to write, or returns what is under way. Never rejects. */
  #write(): Promise<void> {
    return this.#writing ??= this.#writeAll().finally(() => this.#writing = undefined);
  }

  async #writeAll(): Promise<void> {
    try {
      while (!this.#isStopped) {
        let bytes = this.#source.nextBatch(WRITE_BATCH_BYTES);
        if (bytes === undefined) {
          this.#heldBackSinceMs = this.#source.hasMore
            ? this.#heldBackSinceMs ?? performance.now()
            : undefined;
          return;
        }
        this.#heldBackSinceMs = undefined;
        while (bytes.length > 0) {
          const written = await this.#writeSome(bytes);
          if (this.#isStopped) return;
          this.#sink.onWritten(written, this.#source.confirm(written));
          bytes = bytes.subarray(written);
        }
      }
    } catch (error) {
      if (this.#isStopped) return;
      this.stop();
      this.#sink.onError(error);
    }
  }

  async #writeSome(bytes: Uint8Array): Promise<number> {
    this.#startedAtMs = performance.now();
    this.#deadline = setTimeout(() => {
      this.stop();
      this.#sink.onError(new Error(`it took nothing for ${this.#deadlineMs / 1000} s`));
    }, this.#deadlineMs);
    try {
      return await this.#transport.write(bytes);
    } finally {
      clearTimeout(this.#deadline);
      this.#startedAtMs = undefined;
    }
  }
}
