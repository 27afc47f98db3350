// Asks the relay for its numbers. A page may be of another version than the relay that it asks after a
// restart, so nothing is known of what comes but that it is JSON.

import { plain } from "./format.ts";
import { token } from "./wishes.ts";

/** Why an answer is not there: to ask again, to ask for a token, or to say so. */
export type Refusal = { kind: "away" | "token" | "wrong"; message: string };

/** What came of asking. */
export type Answer = { stats: unknown } | { refusal: Refusal };

/** How long an answer may take, in ms. */
const TIMEOUT_MS = 8000;

/** Asks the relay for its numbers; with a room, also for what is going on there. Never rejects. */
export async function fetchStats(room?: string): Promise<Answer> {
  const query = room === undefined ? "" : `?room=${encodeURIComponent(room)}`;
  const headers: Record<string, string> = {};
  if (token() !== "") headers.Authorization = `Bearer ${asBytes(token())}`;
  try {
    const response = await fetch(`/stats.json${query}`, {
      headers,
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 401) {
      return {
        refusal: { kind: "token", message: token() === "" ? "" : "The relay does not take this token" },
      };
    }
    if (!response.ok) {
      const [why] = (await response.text()).split("\n");
      return {
        refusal: { kind: "wrong", message: plain(why, 200) || `The relay answers ${response.status}` },
      };
    }
    return { stats: await response.json() };
  } catch {
    return { refusal: { kind: "away", message: "The relay does not answer" } };
  }
}

/**
 * Waits until it is time to ask again: for `ms`, for `hiddenMs` while nobody looks. A page that is looked at
 * again asks at once: browsers let timers of hidden ones wait for up to a minute.
 */
export function untilNextLook(ms: number, hiddenMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, document.hidden ? hiddenMs : ms);
    document.addEventListener("visibilitychange", end);
    function end() {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", end);
      resolve();
    }
  });
}

/** Writes a text as headers carry it: a character for each byte of its UTF-8. */
function asBytes(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}
