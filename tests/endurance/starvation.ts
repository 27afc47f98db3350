// How long a busy machine keeps a program waiting, so that a watchdog blames nobody for the time that nobody
// had. Reads the scheduler's count on Linux; elsewhere only this program's own timers tell.

/** Looks, every so often, at this program and at another one. */
export class Starvation {
  readonly #pids: readonly (number | "self")[];
  readonly #everyMs: number;
  #lastMs = performance.now();
  #lastWaitsMs: Map<string, number>[];
  /** All that was found so far, in ms. */
  totalMs = 0;

  /**
   * @param pid the other program, undefined if there is none
   * @param everyMs how often {@linkcode look} is going to be called
   */
  constructor(pid: number | undefined, everyMs: number) {
    this.#pids = pid === undefined ? ["self"] : ["self", pid];
    this.#everyMs = everyMs;
    this.#lastWaitsMs = this.#pids.map(readWaitsMs);
  }

  /**
   * Returns how long, since the last look, the two were kept waiting, one after the other, in ms; a part may
   * count twice.
   */
  look(): number {
    const nowMs = performance.now();
    const waitsMs = this.#pids.map(readWaitsMs);
    const lateMs = Math.max(0, nowMs - this.#lastMs - this.#everyMs);
    const starvedMs = waitsMs.reduce(
      (sum, waits, i) => sum + longestSince(this.#lastWaitsMs[i], waits),
      lateMs,
    );
    this.#lastMs = nowMs;
    this.#lastWaitsMs = waitsMs;
    this.totalMs += starvedMs;
    return starvedMs;
  }
}

/**
 * Returns how much longer than before the thread waited that waited longest. One that was not there before
 * counts from 0, a program started again, too.
 */
function longestSince(before: ReadonlyMap<string, number>, waitsMs: ReadonlyMap<string, number>): number {
  let longestMs = 0;
  for (const [thread, waitMs] of waitsMs) longestMs = Math.max(longestMs, waitMs - (before.get(thread) ?? 0));
  return longestMs;
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
