// What an operator is warned of, remembered for who looks at the relay from a browser: the newest warnings,
// and how many of each kind there were. It listens to the log.

import type { LogFunction } from "./log.ts";
import type { Warning } from "./web/view.ts";

/** How many warnings are kept. */
const MAX_WARNINGS = 50;

/** How much of a field is kept, in characters. */
const MAX_CHARACTERS = 300;

/** What is remembered. */
export class Incidents {
  readonly #relayTime: () => number;
  readonly #newest: Warning[] = [];
  readonly badLines = new Map<string, number>();
  readonly refused = new Map<string, number>();
  readonly ended = new Map<string, number>();

  constructor(relayTime: () => number) {
    this.#relayTime = relayTime;
  }

  /** The newest ones, the oldest first. */
  list(): Warning[] {
    return [...this.#newest];
  }

  /** Counts what is logged, all of it. */
  readonly count: LogFunction = (_level, message, { code, reason } = {}) => {
    if (message === "bad line") countUp(this.badLines, code);
    else if (message === "connection refused") countUp(this.refused, code);
    else if (message === "connection ended") countUp(this.ended, reason);
  };

  /** Keeps what is logged, if it is a warning or worse. */
  readonly keep: LogFunction = (level, message, fields = {}) => {
    if (level !== "warn" && level !== "error") return;
    const { address, code, why, error } = fields;
    const reason = why ?? error;
    this.#newest.push({
      time: Math.round(this.#relayTime()),
      message,
      ...(code !== undefined && { code: text(code) }),
      ...(reason !== undefined && { reason: text(reason) }),
      ...(address !== undefined && { address: text(address) }),
    });
    if (this.#newest.length > MAX_WARNINGS) this.#newest.shift();
  };
}

/** Codes and reasons are few: they are the relay's own. */
function countUp(counts: Map<string, number>, kind: string | number | undefined): void {
  counts.set(String(kind), (counts.get(String(kind)) ?? 0) + 1);
}

function text(value: string | number): string {
  return String(value).slice(0, MAX_CHARACTERS);
}
