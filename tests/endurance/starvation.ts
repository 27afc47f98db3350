// How long a busy machine keeps a program waiting, so that a watchdog blames nobody for the time that nobody
// had. Reads the scheduler's count on Linux; elsewhere only this program's own timers tell.

/** Looks, every so often, at this program and at another one. */
export class Starvation {
  readonly #pid: number | "self";
  readonly #everyMs: number;
  #lastMs = performance.now();
  #lastWaitsMs: Map<string, number>;
  /** All that was found so far, in ms. */
  totalMs = 0;

  /** @param pid the other program; @param everyMs how often {@linkcode look} is going to be called */
  constructor(pid: number | "self", everyMs: number) {
    this.#pid = pid;
    this.#everyMs = everyMs;
    this.#lastWaitsMs = readWaitsMs(pid);
  }

  /**
   * Returns how long, since the last look, one of the two was kept waiting, in ms; a part may count twice.
   */
  look(): number {
    const nowMs = performance.now();
    const waitsMs = readWaitsMs(this.#pid);
    const lateMs = Math.max(0, nowMs - this.#lastMs - this.#everyMs);
    // The thread that waited longest; one that was not there before counts from 0, a program started again,
    // too.
    let longestMs = 0;
    for (const [thread, waitMs] of waitsMs) {
      longestMs = Math.max(longestMs, waitMs - (this.#lastWaitsMs.get(thread) ?? 0));
    }
    const starvedMs = lateMs + longestMs;
    this.#lastMs = nowMs;
    this.#lastWaitsMs = waitsMs;
    this.totalMs += starvedMs;
    return starvedMs;
  }
}

/** How long each thread of a process has been ready to run without being let, in ms. */
function readWaitsMs(pid: number | "self"): Map<string, number> {
  const waitsMs = new Map<string, number>();
  try {
    const folder = `/proc/${pid}/task`;
    for (const { name } of Deno.readDirSync(folder)) {
      waitsMs.set(name, Number(Deno.readTextFileSync(`${folder}/${name}/schedstat`).split(" ")[1]) / 1e6);
    }
  } catch {
    // Another system, or a thread or the whole process has just ended.
  }
  return waitsMs;
}
