// The end of the current turn of the event loop, wherever the client runs. Used to gather what one turn brings.

type SetImmediate = (callback: () => void) => unknown;

/**
 * Calls back after the current turn, when everything that is ready now has been handled, timers included or not.
 * Browsers have no `setImmediate`; their shortest timer stands in.
 */
export const afterThisTurn: SetImmediate = (globalThis as { setImmediate?: SetImmediate }).setImmediate ??
  ((callback) => setTimeout(callback, 0));
