// A member of level 0: events in, everybody else's events out, in the lobby. It lives as long as its connection.
// Made by session.ts for every connection, which may turn out to be a session's.

import { type EndReason, type Line, MAX_WRITE_BYTES, Member, type MemberOptions } from "./member.ts";
import type { Room } from "./room.ts";
import type { Cursor } from "./room_log.ts";
import type { Reach } from "./simulation.ts";

/** A plain client in the lobby. */
export class PlainMember extends Member {
  readonly cursor: Cursor;
  /** Whether nothing is written yet, because the client may be about to say hello. */
  isHeld = true;

  constructor(lobby: Room, line: Line, options: MemberOptions, nowMs: number) {
    super(lobby, lobby.plain, options);
    this.line = line;
    this.cursor = this.channel.openCursor();
    this.channel.join(this);
    if (options.simulate !== undefined) this.startSimulation(options.simulate(), nowMs);
  }

  /** Lets a plain client's line pass that only looks like a control line. */
  onControl(bytes: Uint8Array, start: number, end: number): undefined {
    this.room.appendLookalike(this, bytes, start, end);
  }

  detach(_line: Line, _reason: EndReason): void {
    this.room.leave(this, this.channel);
  }

  protected override get canTakeNews(): boolean {
    return !this.isHeld;
  }

  protected takeNews(reach: Reach): Uint8Array | undefined {
    return this.cursor.take(MAX_WRITE_BYTES, reach.offset);
  }
}
