// Rates for a game loop: frames() ticks it, rateLimit() thins out what it sends. Both keep to a schedule
// instead of adding up waits, so a timer that is a little late makes nothing slower in the long run.

import { kindOf } from "../wire/untrusted.ts";
import { MAX_TIMER_MS } from "./link/runtime.ts";
import { checkOptions } from "./option_check.ts";

/** Reads a clock in milliseconds that never goes back. */
export type Clock = () => number;

const now: Clock = () => performance.now();

/** When frames are due: pure, the caller passes time in milliseconds. */
export class FrameSchedule {
  readonly #periodMs: number;
  #dueMs: number;
  #lastMs: number;

  /** Makes a schedule whose first frame is due one period after `nowMs`. */
  constructor(hz: number, nowMs: number) {
    this.#periodMs = periodMs(hz);
    this.#dueMs = nowMs + this.#periodMs;
    this.#lastMs = nowMs;
  }

  /** Returns how long to wait for the next frame, 0 when it is due. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#dueMs - nowMs);
  }

  /** Begins a frame: returns the seconds since the one before. What was missed is not made up for. */
  begin(nowMs: number): number {
    const seconds = (nowMs - this.#lastMs) / 1000;
    this.#lastMs = nowMs;
    const isLate = nowMs - this.#dueMs >= this.#periodMs;
    this.#dueMs = (isLate ? nowMs : this.#dueMs) + this.#periodMs;
    return seconds;
  }
}

/**
 * Ticks a game loop at a steady rate: yields the seconds since the last frame, the first time after one
 * period.
 *
 * Between frames the network gets to run, always, also when the loop's body takes longer than a period. After
 * a pause there is one long frame and then the rate again, no burst. The generator ends when `signal` is
 * aborted.
 *
 * @example
 * ```ts
 * import { frames } from "../../client.ts";
 *
 * let x = 0;
 * for await (const seconds of frames(30)) {
 *   x += 100 * seconds; // 100 units a second, whatever the rate
 *   if (x > 10) break;
 * }
 * ```
 *
 * @throws {TypeError} when `hz` is not a number, or the signal no AbortSignal
 * @throws {RangeError} when `hz` is not above 0 and finite
 */
export function frames(
  hz: number,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<number, void, void> {
  const schedule = new FrameSchedule(hz, now());
  return tick(schedule, checkOptions("tick", options, { signal: "signal" }).signal);
}

async function* tick(
  schedule: FrameSchedule,
  signal: AbortSignal | undefined,
): AsyncGenerator<number, void, void> {
  while (!signal?.aborted) {
    await waitUntilDue(schedule, signal);
    if (signal?.aborted) return;
    yield schedule.begin(now());
  }
}

interface WithAnimationFrames {
  requestAnimationFrame?(callback: () => void): number;
  cancelAnimationFrame?(id: number): void;
}

/**
 * Ticks a drawing loop in a page with each frame that the browser shows: yields the seconds since the last
 * one, the first time since the call.
 *
 * For drawing; a game goes on by `frames()`, as a hidden page is shown no frames: its loop rests, and after
 * it there is one long frame. Between frames the network gets to run. The generator ends when `signal` is
 * aborted, also in a hidden page.
 *
 * @throws {TypeError} when there is no screen to draw on, as in Deno, or the signal is no AbortSignal
 */
export function animationFrames(options: { signal?: AbortSignal } = {}): AsyncGenerator<number, void, void> {
  const { signal } = checkOptions("tick", options, { signal: "signal" });
  const { requestAnimationFrame, cancelAnimationFrame } = globalThis as WithAnimationFrames;
  if (requestAnimationFrame === undefined || cancelAnimationFrame === undefined) {
    throw new TypeError(
      "Cannot tick: no frames are shown here as in a page, frames(60) is allowed everywhere",
    );
  }
  const nextFrame = (signal: AbortSignal | undefined) =>
    new Promise<void>((resolve) => {
      const id = requestAnimationFrame(end);
      signal?.addEventListener("abort", end);
      function end() {
        cancelAnimationFrame!(id);
        signal?.removeEventListener("abort", end);
        resolve();
      }
    });
  return tickShown(nextFrame, now(), signal);
}

async function* tickShown(
  nextFrame: (signal: AbortSignal | undefined) => Promise<void>,
  lastMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<number, void, void> {
  while (!signal?.aborted) {
    await nextFrame(signal);
    if (signal?.aborted) return;
    const nowMs = now();
    const seconds = (nowMs - lastMs) / 1000;
    lastMs = nowMs;
    yield seconds;
  }
}

async function waitUntilDue(schedule: FrameSchedule, signal: AbortSignal | undefined): Promise<void> {
  for (let ms = Infinity; ms > MAX_TIMER_MS && !signal?.aborted;) {
    ms = schedule.waitMs(now());
    await wait(Math.min(ms, MAX_TIMER_MS), signal);
  }
}

/** Waits in any case for a turn of the event loop; an abort ends the wait, it doesn't reject. */
function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
    function end() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    }
  });
}

/**
 * Makes a function that says whether it is time to do something again: true at once, then on average at most
 * `hz` times a second however often it is asked.
 *
 * It keeps to a schedule: asked 30 times a second, a limit of 10 gives 10, not 7.5. Two trues are at least
 * half a period apart, and what was not asked for in a pause is not made up for.
 *
 * @example
 * ```ts
 * import { rateLimit } from "../../client.ts";
 *
 * const isTimeToSend = rateLimit(10);
 * if (isTimeToSend()) console.log("the first time is at once");
 * ```
 *
 * @throws {TypeError} when `hz` is not a number, or the clock no function
 * @throws {RangeError} when `hz` is not above 0 and finite
 */
export function rateLimit(hz: number, clock: Clock = now): () => boolean {
  const period = periodMs(hz);
  if (typeof clock !== "function") {
    throw new TypeError(`Cannot keep a rate: clock is ${kindOf(clock)}, a function is allowed`);
  }
  let dueMs = -Infinity;
  return function isTime() {
    const nowMs = clock();
    if (nowMs < dueMs) return false;
    const isAfterPause = nowMs - dueMs >= period;
    dueMs = isAfterPause ? nowMs + period : Math.max(dueMs + period, nowMs + period / 2);
    return true;
  };
}

function periodMs(hz: number): number {
  if (typeof hz !== "number") {
    throw new TypeError(`Cannot keep a rate: hz is ${kindOf(hz)}, a number is allowed`);
  }
  if (!(hz > 0 && hz < Infinity)) {
    throw new RangeError(`Cannot keep a rate: hz is ${hz}, a finite number above 0 is allowed`);
  }
  return 1000 / hz;
}
