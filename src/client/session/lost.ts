// What is lost on the way, as a program is told of it: why, how many lines, which keys. Types alone; what
// counts and tells it is elsewhere, here and in the relay.

/** Lines and their bytes, LF included. */
export interface LineCount {
  lines: number;
  bytes: number;
}

/**
 * What is lost, as exactly as can be known. Whatever is dropped anywhere is told so, several lines in one.
 *
 * - `behind`: others' events that the relay skipped because this program was too slow.
 * - `stale`: others' events that arrived, but too old, and were dropped here.
 * - `inbox`: others' events that waited here for longer than `inboxLimit` allows, and were pushed out by
 *   newer ones.
 * - `outbox`: this program's own events that were dropped before they were sent: more waited than
 *   `offlineBytes` or, on a connection that takes them, `maxQueuedBytes` allow.
 * - `closed`: this program's own events that had not been sent when `close()` gave up, or were given to
 *   `send()` after it, or had been written to a connection that was broken by then, so that they may have
 *   arrived or not. `keys` are the keys of the room of which the same holds.
 * - `unconfirmed`: a session could not be resumed. `lines` are this program's own events that were written
 *   and not confirmed, so they may have arrived or not; 0 is possible. What others sent in the time between
 *   is missing, too, and nobody can count it.
 * - `state`: a session could not be resumed, and this program had changed `keys` of the room's state, which
 *   may have arrived or not. They are not changed again, since others may have changed them after that:
 *   `relay.state` tells what holds now. `lines` is 0.
 */
export interface Lost {
  /** Why, and so whose lines. */
  reason: "behind" | "stale" | "inbox" | "outbox" | "closed" | "unconfirmed" | "state";
  /** How many lines. */
  lines: number;
  /**
   * The bytes of these lines; as the relay counts them where it does; characters where they were in the
   * inbox.
   */
  bytes: number;
  /** The keys of the room whose change is lost, or may be. */
  keys?: string[];
}
