// Text to stdout or stderr that never makes the program wait: a terminal that is held (Ctrl-S), or a pipe
// that nobody reads, takes no bytes, and a plain write would stop the event loop there. What is given here is
// under way, or left out.

const encoder = new TextEncoder();

/** A stream to write on: stdout or stderr. */
export interface Stream {
  write(bytes: Uint8Array): Promise<number>;
}

/** One stream, and what is under way on it. */
export class Output {
  readonly #stream: Stream;
  #underWay = 0;
  #last: Promise<boolean> = Promise.resolve(true);

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** Says whether a write is under way: the stream has not taken all of it. */
  get busy(): boolean {
    return this.#underWay > 0;
  }

  /**
   * Begins to write `text`, after what is under way, and returns at once. Resolves when the stream has taken
   * it, true, or is gone, false. Never rejects.
   */
  write(text: string): Promise<boolean> {
    this.#underWay++;
    return this.#last = this.#writeAfter(this.#last, encoder.encode(text));
  }

  /** Waits until nothing is under way; says whether that was so within `withinMs`. */
  async settled(withinMs: number): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, withinMs);
    await Promise.race([this.#last, late]);
    clearTimeout(timer);
    return !this.busy;
  }

  async #writeAfter(last: Promise<unknown>, bytes: Uint8Array): Promise<boolean> {
    await last;
    try {
      while (bytes.length > 0) bytes = bytes.subarray(await this.#stream.write(bytes));
      return true;
    } catch {
      return false;
    } finally {
      this.#underWay--;
    }
  }
}
