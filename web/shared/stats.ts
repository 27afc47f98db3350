// The relay's numbers as the pages take them: fetched again and again, looked at before they are believed.
// A page may be of another version than the relay that it asks after a restart, so whatever is missing is
// nothing.

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
  if (token() !== "") headers.Authorization = `Bearer ${token()}`;
  try {
    const response = await fetch(`/stats.json${query}`, {
      headers,
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 401 || response.status === 403) {
      return {
        refusal: { kind: "token", message: token() === "" ? "" : "The relay does not take this token" },
      };
    }
    if (!response.ok) {
      return { refusal: { kind: "wrong", message: `The relay answers ${response.status}` } };
    }
    return { stats: await response.json() };
  } catch {
    return { refusal: { kind: "away", message: "The relay does not answer" } };
  }
}

/** A member of an object, or undefined. */
export function at(value: unknown, ...path: string[]): unknown {
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** A number, or undefined if there is none. */
export function maybeNumberAt(value: unknown, path: string[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
}

/** A number, or else `otherwise`. */
export function numberAt(value: unknown, path: string[], otherwise = 0): number {
  return maybeNumberAt(value, path) ?? otherwise;
}

/** A text, empty if there is none. */
export function textAt(value: unknown, ...path: string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

/** A list, empty if there is none. */
export function listAt(value: unknown, ...path: string[]): unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}
