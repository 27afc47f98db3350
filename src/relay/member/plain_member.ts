// A member of level 0: events in, everybody else's events out, in the lobby. It lives as long as its
// connection.

import { type EndReason, Member, type Outlet } from "./member.ts";
import type { Settings } from "../options.ts";
import type { Room } from "../room/room.ts";
import type { Cursor } from "../room/cursor.ts";
import { joinKept } from "../room/quiet_lines.ts";

/** A plain client in the lobby. */
export class PlainMember extends Member {
  readonly cursor: Cursor;
  readonly name = "";
  /** What lies before this place was kept while nobody knew what the connection is: it is never too old. */
  readonly #keptTo: number;

  /** @param cursor where in the lobby's plain feed it goes on; the member closes it */
  constructor(lobby: Room, outlet: Outlet, settings: Settings, cursor: Cursor) {
    super(lobby, lobby.plain, settings);
    this.outlet = outlet;
    this.cursor = cursor;
    this.#keptTo = this.feed.end;
    this.feed.join(this);
    if (settings.simulate !== undefined) outlet.simulate(settings.simulate());
  }

  detach(_outlet: Outlet, _reason: EndReason): void {
    this.room.leave(this, this.feed);
    this.releaseMemory();
  }

  protected override isTooFarBehind(nowMs: number): boolean {
    return this.cursor.offset < this.#keptTo ? this.cursor.isEvicted : super.isTooFarBehind(nowMs);
  }

  protected takeNews(maxBytes: number): Uint8Array | undefined {
    return this.cursor.take(maxBytes);
  }

  protected takeBehind(maxBytes: number): Uint8Array | undefined {
    const { kept } = this.feed.jump(this, this.settings.clock());
    return kept.lines > 0 ? joinKept(kept) : this.takeNews(maxBytes);
  }
}
