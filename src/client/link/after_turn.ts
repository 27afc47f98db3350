// The end of the current turn of the event loop, wherever the client runs. Used to gather what one turn
// brings.

interface WithImmediates {
  setImmediate?: (callback: () => void) => unknown;
  clearImmediate?: (handle: unknown) => void;
}

const { setImmediate, clearImmediate } = globalThis as WithImmediates;

/**
 * Calls back once, when everything that this turn brings has been handled. Returns a function that prevents
 * it.
 *
 * Browsers have no `setImmediate`; their shortest timer stands in.
 */
export function afterThisTurn(callback: () => void): () => void {
  if (setImmediate !== undefined && clearImmediate !== undefined) {
    const handle = setImmediate(callback);
    return () => clearImmediate(handle);
  }
  const timer = setTimeout(callback, 0);
  return () => clearTimeout(timer);
}
