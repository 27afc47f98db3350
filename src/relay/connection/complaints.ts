// What one client is told of what it does wrong: each bad line, that so many in a row are too many, that it
// speaks another protocol, and that it sends faster than it may. Refused hellos, half lines and faults of a
// WebSocket end their connection, and are not here.

import { beginsRequestLine, isRequestLine } from "./first_bytes.ts";
import type { Member } from "../member/member.ts";
import type { SessionMember } from "../member/session_member.ts";
import type { Settings } from "../options.ts";
import type { WireError } from "../../wire/protocol.ts";

/** After this many bad lines in a row the connection is closed. */
const MAX_BAD_LINES_IN_A_ROW = 100;

/** What {@linkcode Complaints} need of the settings. */
export type ComplaintSettings = Pick<Settings, "clock" | "log" | "maxLinesPerSecond" | "pingTimeoutMs">;

/** The complaints about one client. */
export class Complaints {
  readonly #address: string;
  readonly #settings: ComplaintSettings;
  #badInARow = 0;
  #hasSaidGood = false;
  /** When the client was told last that it sends too fast. */
  #toldSlowAt = -Infinity;

  constructor(address: string, settings: ComplaintSettings) {
    this.#address = address;
    this.#settings = settings;
  }

  /** Notes that a line was good. */
  noteGood(): void {
    this.#badInARow = 0;
    this.#hasSaidGood = true;
  }

  /**
   * Tells of a bad line. Returns why its connection has to end, if that is one too many, or nothing good came
   * before it and `line`, what it is without its LF (of one that is too long, how it begins), begins a
   * request: no part of a body may become a line.
   */
  tellBad(
    error: WireError,
    member: Pick<Member, "replyError"> | undefined,
    line?: Uint8Array,
  ): WireError | undefined {
    const begins = error.code === "line_too_long" ? beginsRequestLine : isRequestLine;
    if (!this.#hasSaidGood && line !== undefined && begins(line)) {
      const message =
        `Cannot go on: line ${error.line} begins a request of another protocol, one JSON value a line is allowed`;
      return { code: error.code, message, line: error.line };
    }
    this.#settings.log("warn", "bad line", { address: this.#address, code: error.code, why: error.message });
    member?.replyError(error);
    if (++this.#badInARow < MAX_BAD_LINES_IN_A_ROW) return undefined;
    const message =
      `Cannot go on: ${MAX_BAD_LINES_IN_A_ROW} lines in a row were bad, one JSON value a line is allowed`;
    return { code: "too_many_errors", message, line: error.line };
  }

  /**
   * Tells a client, while it sends too fast, that its lines wait: what is allowed the first time, then
   * sessions that the relay is there.
   */
  tellTooFast(
    member: Pick<Member, "replyError"> | undefined,
    session: Pick<SessionMember, "tellSlow"> | undefined,
  ): void {
    const { maxLinesPerSecond, pingTimeoutMs, clock, log } = this.#settings;
    const nowMs = clock();
    if (nowMs - this.#toldSlowAt < pingTimeoutMs / 3) return;
    if (this.#toldSlowAt > -Infinity) session?.tellSlow();
    else {
      const message =
        `Cannot read so fast: ${maxLinesPerSecond} lines a second are allowed, more have to wait`;
      log("warn", "client sends too fast, reading slowly", { address: this.#address, maxLinesPerSecond });
      if (!member?.replyError({ code: "rate_limited", message })) return; // again the next time
    }
    this.#toldSlowAt = nowMs;
  }
}
