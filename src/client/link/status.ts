// What a program is told of its connection.

/**
 * What a relay object is doing: `connecting` before the first connection, `connected`, `reconnecting` after a
 * connection broke, `closed` for good.
 */
export type Status = "connecting" | "connected" | "reconnecting" | "closed";

/** What is known about a change of status. */
export interface StatusDetail {
  /** Why the connection broke, or why the last attempt failed. */
  error?: Error;
  /** While connecting or reconnecting: the number of the attempt that comes next, from 1. */
  attempt?: number;
  /** While connecting or reconnecting: the milliseconds until that attempt. */
  retryInMs?: number;
  /**
   * When connected again, in a session: true if it goes on as if nothing had happened; false if it is a new
   * one, with another id, and something may be lost.
   */
  resumed?: boolean;
}
