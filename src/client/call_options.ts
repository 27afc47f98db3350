// How single calls of a Relay are made: what a program can say beside what it sets, asks or
// claims, with defaults and checks. Who an event is for is in receivers.ts. Pure.

import { checkOptions, show } from "./check.ts";

/** How long a request waits for its answer unless it says otherwise, in ms. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Whose value a key is set for. */
export interface SetOptions {
  /**
   * The room's instead of this member's: it stays when this member leaves, until the room is empty. Anybody
   * may overwrite it, the last one wins. Default: false.
   */
  room?: boolean;
}

/** How a request is made. */
export interface RequestOptions {
  /** How long to wait for the answer, in ms: more than 0, up to Infinity. Default: 10,000. */
  timeoutMs?: number;
}

/** How a key is claimed. */
export interface ClaimOptions {
  /**
   * Whether the key is free again when this member leaves, or has lost its connection for 5 s. Default:
   * false.
   */
  hold?: boolean;
}

/**
 * Says how long a request waits, in ms.
 *
 * @throws {TypeError} when an option is none, or `timeoutMs` is no number
 * @throws {RangeError} when it is not above 0
 */
export function readTimeout(options: RequestOptions): number {
  checkOptions("request", options, { timeoutMs: "any" });
  const { timeoutMs = REQUEST_TIMEOUT_MS } = options;
  if (typeof timeoutMs !== "number") {
    throw new TypeError(`Cannot request: timeoutMs is ${show(timeoutMs)}, a number is allowed`);
  }
  if (!(timeoutMs > 0)) {
    throw new RangeError(`Cannot request: timeoutMs is ${timeoutMs}, more than 0 is allowed`);
  }
  return timeoutMs;
}
