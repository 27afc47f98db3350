// The only write loop of a connection: one write after the other, of what its source has, until there is
// nothing; and in the end a last line and the end of the output. It works by callbacks: a loop that awaits
// makes three times the garbage, at each flush, for each member.

import type { Batch } from "../member/member.ts";
import type { Settings } from "../options.ts";
import type { SimulationOptions } from "../../simulation/parse_simulation.ts";
import { SimulatedTransport } from "./simulated_transport.ts";
import type { Farewell, Transport } from "./transport.ts";

/** Where a {@linkcode Writer} takes what it writes. */
export interface WriterSource {
  /** Whether `takeBatch()` could have anything to give. Costs less than asking it. */
  readonly hasNews: boolean;
  /** Takes what is to be written next, at most about `maxBytes` if given. */
  takeBatch(nowMs: number, maxBytes: number | undefined): Batch | undefined;
  /** Is told that the output has ended: all is written, or a write has failed, and no other is tried. */
  onOutputEnded(error?: unknown): void;
}

const NOTHING = new Uint8Array(0);

/** The output of one connection. */
export class Writer {
  readonly #conn: Transport;
  /** What is written to: the connection, or a simulated network before it. */
  #line: Transport;
  readonly #source: WriterSource;
  readonly #settings: Settings;
  #isWriting = false;
  /** What is being written, and the batch that it belongs to. */
  #writing: Uint8Array = NOTHING;
  #batch: Batch | undefined;
  #progressAt = 0;
  #sentBytes = 0;
  #lastLine: Uint8Array | undefined;
  #farewell: Farewell | undefined;
  #isEnding = false;
  #isClosed = false;

  constructor(conn: Transport, source: WriterSource, settings: Settings) {
    this.#conn = this.#line = conn;
    this.#source = source;
    this.#settings = settings;
  }

  /** How many bytes were written. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Whether nothing was written, nor is being written. */
  get isUntouched(): boolean {
    return this.#sentBytes === 0 && !this.#isWriting;
  }

  /** How long a write has made no progress, in ms; 0 if none is under way. */
  stuckMs(nowMs: number): number {
    return this.#isWriting ? nowMs - this.#progressAt : 0;
  }

  /**
   * Starts to write what there is, unless it does so already. `nowMs`, if the caller knows it, saves a look
   * at the clock.
   */
  wake(nowMs?: number): void {
    if (!this.#isWriting) this.#writeNext(nowMs);
  }

  /** Writes over a bad network from now on, in place of one it had. */
  simulate(options: SimulationOptions): void {
    if (this.#line instanceof SimulatedTransport) this.#line.become(options);
    else this.#line = new SimulatedTransport(this.#conn, options, this.#settings);
  }

  /**
   * Ends the output once all that the source has, and then the last line, if any, is written. `farewell` says
   * why.
   */
  end(lastLine?: Uint8Array, farewell?: Farewell): void {
    this.#isEnding = true;
    this.#farewell = farewell;
    this.#lastLine = lastLine;
    this.wake();
  }

  /**
   * Gives the transport up as it is, if it is untouched: nothing is written any more, and nothing closes it.
   */
  release(): void {
    this.#isClosed = true;
    if (this.#line instanceof SimulatedTransport) this.#line.release();
  }

  /**
   * Closes the transport, also for who reads; a write that is under way fails, and nothing is written any
   * more.
   */
  close(): void {
    this.#isClosed = true;
    this.#line.close();
  }

  #writeNext(nowMs?: number): void {
    this.#isWriting = true;
    try {
      const bytes = this.#takeNext(nowMs);
      if (bytes !== undefined) this.#write(bytes);
      else if (this.#isEnding && !this.#isClosed) void this.#endOutput();
      else this.#isWriting = false;
    } catch (error) {
      this.#onFailed(error);
    }
  }

  /** Takes what is to be written next. A look at the clock would cost a few percent of a write. */
  #takeNext(nowMs?: number): Uint8Array | undefined {
    if (this.#isClosed) return undefined;
    if (this.#source.hasNews) {
      this.#progressAt = nowMs ?? this.#settings.clock();
      this.#batch = this.#source.takeBatch(this.#progressAt, this.#line.maxWriteBytes);
      if (this.#batch !== undefined || this.#isClosed) return this.#batch?.bytes;
    }
    const lastLine = this.#lastLine;
    this.#lastLine = undefined;
    if (lastLine !== undefined) this.#progressAt = nowMs ?? this.#settings.clock();
    return lastLine;
  }

  #write(bytes: Uint8Array): void {
    this.#writing = bytes;
    this.#line.write(bytes, this.#batch?.source).then(this.#onWritten, this.#onFailed);
  }

  readonly #onWritten = (n: number): void => {
    this.#sentBytes += n;
    if (n < this.#writing.length) {
      this.#progressAt = this.#settings.clock();
      return this.#write(this.#writing.subarray(n));
    }
    this.#endBatch();
    if (!this.#source.hasNews) {
      if (this.#isEnding) this.#writeNext();
      else this.#isWriting = false;
      return;
    }
    // Many who have much to be written would keep the loop from its sockets: each waits for its turn then.
    const { clock, loop } = this.#settings, nowMs = clock();
    if (loop.isBusy(nowMs)) loop.callLater(() => this.#writeNext());
    else this.#writeNext(nowMs);
  };

  readonly #onFailed = (error: unknown): void => {
    this.#endBatch();
    this.#isClosed = true;
    this.#source.onOutputEnded(error);
    this.#isWriting = false;
  };

  #endBatch(): void {
    this.#writing = NOTHING; // it would keep a block of the log alive
    this.#batch?.written();
    this.#batch = undefined;
  }

  async #endOutput(): Promise<void> {
    try {
      await this.#line.closeWrite(this.#farewell);
      if (!this.#isClosed) this.#source.onOutputEnded();
    } catch (error) {
      this.#onFailed(error);
    }
  }
}
