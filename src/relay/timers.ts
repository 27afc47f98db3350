// Timers as all parts of a relay take them: those of the runtime, or a test's own.

/** What a timer is ended by. */
export type Timer = ReturnType<typeof setTimeout>;

/** Timers, as the global functions are. Times are in ms. */
export interface Timers {
  setTimeout(callback: () => void, ms: number): Timer;
  clearTimeout(timer: Timer | undefined): void;
}
