// Status lines: what a relay has done since it was started, and a line for each member. Decides when, not
// where to.

import type { LogFunction, RelayServer } from "../relay/relay.ts";
import { shownMs, whySlow } from "../relay/web/stats.ts";

/** How often a status line is logged, in ms, when something happened. */
const STATUS_MS = 60_000;

/** Logs a status line every minute in which something happened, until the returned function is called. */
export function logStatusWhenNew(relay: RelayServer, log: LogFunction): () => void {
  let logged = "";
  const timer = setInterval(() => {
    const { logBytes: _, ...counts } = relay.stats();
    const now = JSON.stringify(counts);
    if (now !== logged) logStatus(relay, log);
    logged = now;
  }, STATUS_MS);
  return () => clearInterval(timer);
}

/** Logs what happened since the start. */
export function logStatus(relay: RelayServer, log: LogFunction): void {
  const { members, receivedLines, sentLines, receivedBytes, sentBytes, skippedLines, errors } = relay.stats();
  log("info", "status", {
    members,
    in: receivedLines,
    out: sentLines,
    inBytes: receivedBytes,
    outBytes: sentBytes,
    skipped: skippedLines,
    errors,
  });
}

/** How many members' lines are logged in one turn: clients don't wait for many. */
const MEMBERS_PER_TURN = 100;

/** Logs what happened since the start, and a line for each member. */
export async function logMembers(relay: RelayServer, log: LogFunction): Promise<void> {
  logStatus(relay, log);
  for (const [i, member] of relay.connectionStats().entries()) {
    if (i > 0 && i % MEMBERS_PER_TURN === 0) await new Promise((turn) => setTimeout(turn));
    const slow = whySlow(member);
    log("info", "member", {
      address: member.address,
      kind: member.kind,
      room: member.room,
      name: member.name,
      id: member.id,
      ageS: Math.round(member.ageMs / 1000),
      behindBytes: member.behindBytes,
      behindMs: shownMs(member.behindMs),
      in: member.receivedLines,
      out: member.sentLines,
      skipped: member.skippedLines,
      errors: member.errors,
      ...(slow === undefined ? {} : { slow }),
    });
  }
}
