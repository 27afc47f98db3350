// A time of a test's own in the place of setTimeout and clearTimeout, for what takes no timers as an option:
// it stands still until the test moves it. The clock on the wall goes on while the machine sleeps, the other
// one does not.

/** Takes the place of the timers until it is disposed of. */
export class FakeTime implements Disposable {
  readonly #setTimeout = globalThis.setTimeout;
  readonly #clearTimeout = globalThis.clearTimeout;
  readonly #due = new Map<number, { atMs: number; callback: () => void }>();
  #lastId = 0;
  nowMs = 1000;
  wallMs = 1_000_000;

  constructor() {
    globalThis.setTimeout = ((callback: () => void, ms = 0) => {
      this.#due.set(++this.#lastId, { atMs: this.nowMs + ms, callback });
      return this.#lastId;
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((id: number) => void this.#due.delete(id)) as unknown as typeof clearTimeout;
  }

  /** How many timers are running. */
  get timers(): number {
    return this.#due.size;
  }

  /** Moves on, from timer to timer. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#moveTo(Math.max(this.nowMs, next.atMs));
      next.callback();
    }
    this.#moveTo(untilMs);
  }

  /** Moves on with nothing run meanwhile: what was due is run late, once. */
  block(ms: number): void {
    this.#moveTo(this.nowMs + ms);
    for (const [id, { atMs, callback }] of [...this.#due]) {
      if (atMs <= this.nowMs && this.#due.delete(id)) callback();
    }
  }

  /** Lets only the clock on the wall go on. */
  sleep(ms: number): void {
    this.wallMs += ms;
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#setTimeout;
    globalThis.clearTimeout = this.#clearTimeout;
  }

  #next(untilMs: number): { atMs: number; callback: () => void } | undefined {
    const [next] = [...this.#due].filter(([, { atMs }]) => atMs <= untilMs).sort(([, a], [, b]) =>
      a.atMs - b.atMs
    );
    if (next !== undefined) this.#due.delete(next[0]);
    return next?.[1];
  }

  #moveTo(ms: number): void {
    this.wallMs += ms - this.nowMs;
    this.nowMs = ms;
  }
}
