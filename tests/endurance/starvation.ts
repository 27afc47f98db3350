// How long a busy machine keeps a program waiting, so that a watchdog blames nobody for the time that nobody
// had. Reads the scheduler's count on Linux; elsewhere only this program's own timers tell.

/** Looks, every so often, at this program and at another one. */
export class Starvation {
  readonly #pid: number | "self";
  readonly #everyMs: number;
  #lastMs = performance.now();
  #lastWaitMs: number;
  /** All that was found so far, in ms. */
  totalMs = 0;

  /** @param pid the other program; @param everyMs how often {@linkcode look} is going to be called */
  constructor(pid: number | "self", everyMs: number) {
    this.#pid = pid;
    this.#everyMs = everyMs;
    this.#lastWaitMs = readWaitMs(pid);
  }

  /**
   * Returns how long, since the last look, one of the two was kept waiting, in ms; a part may count twice.
   */
  look(): number {
    const nowMs = performance.now();
    const waitMs = readWaitMs(this.#pid);
    const lateMs = Math.max(0, nowMs - this.#lastMs - this.#everyMs);
    // A program that was started again counts from 0.
    const starvedMs = lateMs + Math.max(0, waitMs - this.#lastWaitMs);
    this.#lastMs = nowMs;
    this.#lastWaitMs = waitMs;
    this.totalMs += starvedMs;
    return starvedMs;
  }
}

/** How long a process has been ready to run without being let, in ms. */
function readWaitMs(pid: number | "self"): number {
  try {
    return Number(Deno.readTextFileSync(`/proc/${pid}/schedstat`).split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}
