// An event with what is known of it beside what it says: who sent it, and when. Pure.

import type { Peer } from "./session/roster.ts";
import type { Origin } from "./session/stream_marks.ts";
import type { MemberState } from "./state_types.ts";

/** A received event, and where it comes from. */
export interface Message<E = unknown, S extends object = Record<string, unknown>> {
  /** What was sent. */
  readonly event: E;
  /**
   * Who sent it, also if it has left since; `undefined` for a plain client. It is certain: the relay says so,
   * and nobody can speak in another's name.
   */
  readonly from: Peer<MemberState<S>> | undefined;
  /**
   * When the relay received it, in ms on its clock as {@linkcode Relay.now} tells it; up to 100 ms too early,
   * as the relay marks its stream ten times a second. With `{ plain: true }` when it came here, by the local
   * clock.
   */
  readonly time: number;
  /**
   * Whether who sent it led the room at this place among the events: the same for all members, whenever they
   * take it. {@linkcode Relay.host} is who leads as of the newest line received, which may lie behind it.
   */
  readonly fromHost: boolean;
}

/** Makes a message of an event and its origin. */
export function toMessage<E, S extends object>(event: E, { from, time, fromHost }: Origin): Message<E, S> {
  return { event, from: from as Peer<MemberState<S>> | undefined, time, fromHost };
}
