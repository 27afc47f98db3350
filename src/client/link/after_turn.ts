// The end of the current turn of the event loop, wherever the client runs. Used to gather what one turn
// brings.

import { reportUncaught, runtime } from "./runtime.ts";

interface WithImmediates {
  setImmediate?: (callback: () => void) => unknown;
  clearImmediate?: (handle: unknown) => void;
}

const { setImmediate, clearImmediate } = globalThis as WithImmediates;

/**
 * Calls back once, when everything that this turn brings has been handled. Returns a function that prevents
 * it.
 *
 * Browsers have no `setImmediate`. A message to oneself stands in: it comes after 0.1 ms, also in a hidden
 * tab, where the shortest timer takes a second.
 */
export const afterThisTurn: (callback: () => void) => () => void =
  setImmediate !== undefined && clearImmediate !== undefined
    ? (callback) => {
      const handle = setImmediate(callback);
      return () => clearImmediate(handle);
    }
    : byMessages();

interface Due {
  callback: (() => void) | undefined;
}

/** Makes such a function of a channel whose one end gets a message for each turn that has something due. */
function byMessages(): (callback: () => void) => () => void {
  let due: Due[] = [];
  let channel: MessageChannel | undefined;
  return (callback) => {
    if (channel === undefined) {
      channel = new MessageChannel();
      channel.port1.onmessage = run;
    }
    if (due.length === 0) channel.port2.postMessage(null);
    const entry: Due = { callback };
    due.push(entry);
    return () => entry.callback = undefined;
  };

  function run(): void {
    if (runtime() !== "page") {
      channel!.port1.close(); // an open port would keep the program alive
      channel = undefined;
    }
    const calls = due;
    due = [];
    for (const { callback } of calls) {
      try {
        callback?.();
      } catch (error) {
        reportUncaught(error); // it keeps none of the others from its turn
      }
    }
  }
}
