// How single calls of a Relay are made: what a program can say beside what it sets, asks or
// claims, with defaults and checks. Who an event is for is in receivers.ts. Pure.

import { checkOptions, show } from "./option_check.ts";

/**
 * How long a question waits for its answer unless it says otherwise, in ms: one to a member or for the rooms…
 */
const ANSWER_MS = 10_000;

/** …and a claim, which should not be given up while the session may still be resumed. */
const CLAIM_MS = 30_000;

/** Whose value a key is set for. */
export interface SetOptions {
  /**
   * The room's instead of this member's: it stays when this member leaves, until the room is empty. Anybody
   * may overwrite it, the last one wins. Default: false.
   */
  room?: boolean;
}

/** How a member, or the relay for its rooms, is asked. */
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
  /**
   * How long to wait for the relay's decision, in ms: more than 0, up to Infinity. Default: 30,000, for as
   * long as a broken connection can be resumed.
   */
  timeoutMs?: number;
}

/**
 * Says how long an answer is waited for, in ms; `what` can't be done otherwise.
 *
 * @throws {TypeError} when an option is none, or `timeoutMs` is no number
 * @throws {RangeError} when it is not above 0
 */
export function readRequestOptions(what: string, options: RequestOptions): number {
  return readTimeout(what, checkOptions(what, options, { timeoutMs: "any" }), ANSWER_MS);
}

/**
 * Says how a key is claimed.
 *
 * @throws as {@linkcode readRequestOptions} does, and a TypeError when `hold` is no boolean
 */
export function readClaimOptions(options: ClaimOptions): Required<ClaimOptions> {
  const checked = checkOptions("claim", options, { hold: "boolean", timeoutMs: "any" });
  return { hold: checked.hold ?? false, timeoutMs: readTimeout("claim", checked, CLAIM_MS) };
}

/**
 * Says whether it is the room's value that is set.
 *
 * @throws {TypeError} when an option is none, or `room` is no boolean
 */
export function readSetOptions(options: SetOptions): boolean {
  return checkOptions("set state", options, { room: "boolean" }).room ?? false;
}

function readTimeout(what: string, { timeoutMs }: RequestOptions, defaultMs: number): number {
  if (timeoutMs === undefined) return defaultMs;
  if (typeof timeoutMs !== "number") {
    throw new TypeError(`Cannot ${what}: timeoutMs is ${show(timeoutMs)}, a number is allowed`);
  }
  if (!(timeoutMs > 0)) {
    throw new RangeError(`Cannot ${what}: timeoutMs is ${timeoutMs}, more than 0 is allowed`);
  }
  return timeoutMs;
}
