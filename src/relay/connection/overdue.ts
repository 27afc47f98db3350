// What takes too long on a connection, and how it ends for that: a write, a word of its client, the end of a
// line. Pure: how long each has been waited for is known already.

import type { Settings } from "../options.ts";
import type { WireError } from "../../wire/protocol.ts";

/** How long has been waited for a connection, in ms; 0 where nothing is waited for. */
export interface Waits {
  /** For progress of a write. */
  stuckMs: number;
  /** For a word of a client that has to say one. */
  silentMs: number;
  /** For the end of a line that was begun. */
  midLineMs: number;
}

/** How a connection ends that was waited for in vain: cut, with a line for the log, or told why. */
export type Overdue =
  | { reason: "stuck" | "timeout"; message: string; afterMs: number }
  | { error: WireError };

/**
 * Says how a connection ends that is waited for too long; undefined for others.
 * @param who what a log calls it
 * @param line the number of the line that has begun
 */
export function findOverdue(
  { stuckMs, silentMs, midLineMs }: Waits,
  { writeDeadlineMs, pingTimeoutMs, idleLineMs }: Pick<
    Settings,
    "writeDeadlineMs" | "pingTimeoutMs" | "idleLineMs"
  >,
  who: "member" | "session",
  line: number,
): Overdue | undefined {
  if (stuckMs > writeDeadlineMs) {
    return { reason: "stuck", message: "member took no byte, closed", afterMs: writeDeadlineMs };
  }
  if (silentMs > pingTimeoutMs) {
    return { reason: "timeout", message: `${who} was not heard of, closed`, afterMs: pingTimeoutMs };
  }
  if (midLineMs <= idleLineMs) return undefined;
  const message = `Cannot wait for line ${line}: its end did not come within ${
    idleLineMs / 1000
  } s, a line ends with LF`;
  return { error: { code: "idle_line", message, line } };
}
