// The accept loop: takes connections from a listener until it is stopped, whatever fails meanwhile. What
// becomes of a connection is not its business.

import { closeQuietly } from "./connection/transport.ts";
import type { EventLoop } from "./event_loop.ts";
import type { LogFunction } from "./log.ts";
import type { Timer, Timers } from "./timers.ts";

/**
 * What fails for want of something that accepting again does not bring: descriptors or the kernel's memory.
 */
const SHORTAGES: readonly unknown[] = ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"];

/** How long to wait after such a failure, in ms: doubling from the first to the second. */
const SHORTAGE_PAUSE_MS = [10, 1000] as const;

/**
 * After this many failures of other kinds in a row, such as connections that were reset while they waited…
 */
const FAILURES_BEFORE_PAUSE = 64;

/**
 * …there is a pause of so many ms: 12,800 resets a second are still cleared away, and a listener that only
 * fails takes little of the core.
 */
const SHORT_PAUSE_MS = 5;

/** How far apart the log lines about the second kind are at least, in ms. */
const LOG_EVERY_MS = 1000;

/** What the loop needs of its relay. */
export interface AcceptorSettings {
  clock: () => number;
  timers: Timers;
  log: LogFunction;
  loop: Pick<EventLoop, "turnIfBusy">;
}

/** Accepts connections and hands each to `take`. */
export class Acceptor<C extends { close(): void }> {
  readonly #listener: { accept(): Promise<C> };
  readonly #take: (conn: C) => void;
  readonly #settings: AcceptorSettings;
  #isStopped = false;
  /** Ends the pause that is under way, or was last. */
  #endPause: (() => void) | undefined;
  #shortagePauseMs = 0;
  #inARow = 0;
  #untold = 0;
  #toldAt = -Infinity;

  constructor(listener: { accept(): Promise<C> }, take: (conn: C) => void, settings: AcceptorSettings) {
    this.#listener = listener;
    this.#take = take;
    this.#settings = settings;
  }

  /** Runs until it is stopped. Never rejects. */
  async run(): Promise<void> {
    while (!this.#isStopped) {
      let conn: C;
      try {
        conn = await this.#listener.accept();
      } catch (error) {
        await this.#onFailed(error);
        continue;
      }
      this.#inARow = this.#shortagePauseMs = 0;
      if (this.#isStopped) closeQuietly(conn);
      else this.#hand(conn);
      // A thousand may come at once: those who are there are served between.
      await this.#settings.loop.turnIfBusy();
    }
  }

  /** Ends the loop; the caller closes the listener. */
  stop(): void {
    this.#isStopped = true;
    this.#endPause?.();
  }

  #hand(conn: C): void {
    try {
      this.#take(conn);
    } catch (error) {
      closeQuietly(conn);
      this.#settings.log("error", "cannot serve a connection", { error: String(error) });
    }
  }

  async #onFailed(error: unknown): Promise<void> {
    if (this.#isStopped) return;
    if (SHORTAGES.includes((error as { code?: unknown } | null)?.code)) {
      const [least, most] = SHORTAGE_PAUSE_MS;
      const retryMs = this.#shortagePauseMs = Math.min(Math.max(this.#shortagePauseMs * 2, least), most);
      this.#settings.log("error", "cannot accept a connection", { error: String(error), retryMs });
      return await this.#pause(retryMs);
    }
    this.#tell(error);
    if (++this.#inARow % FAILURES_BEFORE_PAUSE === 0) await this.#pause(SHORT_PAUSE_MS);
  }

  #tell(error: unknown): void {
    this.#untold++;
    const now = this.#settings.clock();
    if (now - this.#toldAt < LOG_EVERY_MS) return;
    const fields = { error: String(error), count: this.#untold };
    this.#settings.log("warn", "connections were gone before they were accepted", fields);
    this.#untold = 0;
    this.#toldAt = now;
  }

  /** Waits, or stops waiting when the loop is stopped. */
  async #pause(ms: number): Promise<void> {
    const { timers } = this.#settings;
    let timer: Timer | undefined;
    await new Promise<void>((done) => {
      this.#endPause = done;
      timer = timers.setTimeout(done, ms);
    });
    timers.clearTimeout(timer);
  }
}
