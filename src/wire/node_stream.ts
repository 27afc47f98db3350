// A stream of node's, a socket or TLS over one, read and written as a transport is: bytes where they are asked
// for, a write that says how much it took, and one failure that ends every wait. How it is opened and closed,
// and what its errors are called, is its owner's. Imports nothing of node.

/** How much is handed over by one write: a slow reader shows progress each time it has taken so much. */
const MAX_WRITE_BYTES = 32 * 1024;

/** As much of a stream as this needs. */
export interface Stream {
  readonly readableLength: number;
  read(size: number): Uint8Array | null;
  write(bytes: Uint8Array, done: (error?: Error | null) => void): void;
  end(done: () => void): void;
  on(event: string, listener: (error: Error) => void): void;
}

/** Reads and writes a stream. One reader, one writer. */
export class NodeStream {
  readonly #stream: Stream;
  readonly #inOurWords: (error: Error) => Error;
  #failure: Error | undefined;
  #hasEnded = false;
  /** Ends the waits of the read and of the write that are under way. */
  #onReadable: (() => void) | undefined;
  #failWrite: ((error: Error) => void) | undefined;

  /** @param inOurWords makes the error that a write rejects with of the stream's own */
  constructor(stream: Stream, inOurWords: (error: Error) => Error = (error) => error) {
    this.#stream = stream;
    this.#inOurWords = inOurWords;
    stream.on("readable", () => this.#onReadable?.());
    stream.on("end", () => {
      this.#hasEnded = true;
      this.#onReadable?.();
    });
  }

  /** Waits for bytes: at least one and at most `maxBytes`, or null when the other side has ended. */
  async read(maxBytes: number = Infinity): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const bytes = this.#stream.read(Math.min(this.#stream.readableLength, maxBytes));
      if (bytes !== null && bytes.length > 0) return bytes;
      if (this.#hasEnded) return null;
      await new Promise<void>((done) => this.#onReadable = done);
    }
  }

  /** Writes some of the bytes and says how many. They must not change meanwhile. */
  write(bytes: Uint8Array): Promise<number> {
    const part = bytes.subarray(0, MAX_WRITE_BYTES);
    return this.#untilFailed((resolve, reject) => {
      const done = (error?: Error | null) =>
        error ? reject(this.#failure ?? this.#inOurWords(error)) : resolve(part.length);
      this.#stream.write(part, done);
    });
  }

  /** Ends the output, after all that was written. */
  endWriting(): Promise<void> {
    return this.#untilFailed((resolve) => this.#stream.end(resolve));
  }

  /** Lets all that is under way, and all that is asked from now on, reject: with the first error of all. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#onReadable?.();
    this.#failWrite?.(this.#failure);
  }

  #untilFailed<T>(begin: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#failWrite = reject;
      begin(resolve, reject);
    });
  }
}
