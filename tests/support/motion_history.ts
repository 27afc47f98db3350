// Histories made from functions of time, for tests of what is worked out from them.

import { History } from "../../src/motion/history.ts";

/** Fills a history from a function of seconds. */
export function historyOf(
  at: (s: number) => number,
  times: number[],
  velocity?: (s: number) => number,
): History {
  const history = new History(8);
  for (const t of times) {
    history.insert(t, [at(t / 1000)], velocity && [velocity(t / 1000)], undefined, false);
  }
  return history;
}
