// Log lines on their way out: a bounded queue before one asynchronous write at a time, so that a full disk, a
// closed pipe or a reader that stands still costs lines and never the service. Doesn't know what a line says.

/**
 * Where the bytes go; {@linkcode Deno.stderr} has it. Writes some of them and says how many; may reject, may
 * never settle.
 */
export interface LogSink {
  write(bytes: Uint8Array): Promise<number>;
}

/** What {@linkcode LogWriter} can be told. */
export interface LogWriterOptions {
  /**
   * How much waits at the most, in UTF-16 units: room for a line of each of thousands of members. Default: 4
   * Mi.
   */
  maxQueued?: number;
  /** How long it waits after a failed write before it tries again, in ms. Default: 1,000. */
  retryMs?: number;
}

/** How much is handed over by one write: no more is lost in mid-line when the program is killed. */
const MAX_WRITE = 16 * 1024;

/**
 * Writes lines in order. When the queue is full, new lines are dropped; once there is room again, a line made
 * by `dropped` stands in their place. A write that fails is tried again from the byte it got to, so no line
 * is torn.
 */
export class LogWriter {
  readonly #sink: LogSink;
  readonly #dropped: (count: number) => string;
  readonly #maxQueued: number;
  readonly #retryMs: number;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #queued = 0;
  #droppedCount = 0;
  #isWriting = false;
  #onIdle: (() => void)[] = [];

  /** @param dropped makes the line that says how many were dropped */
  constructor(sink: LogSink, dropped: (count: number) => string, options: LogWriterOptions = {}) {
    const { maxQueued = 4 * 1024 * 1024, retryMs = 1000 } = options;
    this.#sink = sink;
    this.#dropped = dropped;
    this.#maxQueued = maxQueued;
    this.#retryMs = retryMs;
  }

  /** Takes a line without its end. Returns at once, never throws. */
  readonly write = (line: string): void => {
    if (this.#queued + line.length + 1 > this.#maxQueued) {
      this.#droppedCount++;
      return;
    }
    if (this.#droppedCount > 0) this.#push(this.#dropped(this.#droppedCount));
    this.#droppedCount = 0;
    this.#push(line);
    if (!this.#isWriting) void this.#writeAll();
  };

  /** Waits until all is written, or for `ms` ms; says whether it was all. */
  async flush(ms: number): Promise<boolean> {
    if (!this.#isWriting) return true;
    let timer;
    const late = new Promise<boolean>((done) => timer = setTimeout(() => done(false), ms));
    const idle = new Promise<boolean>((done) => this.#onIdle.push(() => done(true)));
    const isIdle = await Promise.race([idle, late]);
    clearTimeout(timer);
    return isIdle;
  }

  #push(line: string): void {
    this.#lines.push(line);
    this.#queued += line.length + 1;
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    for (let text = this.#take(); text !== ""; text = this.#take()) {
      await this.#writeOut(this.#encoder.encode(text));
      this.#queued -= text.length;
    }
    this.#isWriting = false;
    for (const done of this.#onIdle.splice(0)) done();
  }

  /**
   * Takes whole lines, as many as make one write. What is left out of a full queue is told when its lines
   * have gone.
   */
  #take(): string {
    if (this.#lines.length === 0 && this.#droppedCount > 0) {
      this.#push(this.#dropped(this.#droppedCount));
      this.#droppedCount = 0;
    }
    let length = 0, count = 0;
    while (count < this.#lines.length && (count === 0 || length + this.#lines[count].length < MAX_WRITE)) {
      length += this.#lines[count++].length + 1;
    }
    return this.#lines.splice(0, count).map((line) => `${line}\n`).join("");
  }

  async #writeOut(bytes: Uint8Array): Promise<void> {
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(await this.#sink.write(bytes));
      } catch {
        // A log that can't be written can't be told of.
        await new Promise((done) => setTimeout(done, this.#retryMs));
      }
    }
  }
}
