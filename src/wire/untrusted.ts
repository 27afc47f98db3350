// What comes from outside, before it is trusted or shown. Pure.

/** Tells an object of JSON from everything else. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Tells a whole number from 0 on, as far as numbers are exact, from everything else. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Names the kind of a value in a message: "a number", "an array", "null". */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Makes text from outside fit for a terminal: control characters become question marks. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "?");
}

/** How much of what somebody sent a message repeats, in UTF-16 code units. */
const MAX_QUOTED_LENGTH = 40;

/** Returns as much of what comes from outside as a message repeats, with a sign where it is cut. */
export function beginning(text: string): string {
  return text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
}

/** Quotes what comes from outside in a message: its beginning, fit for a terminal. */
export function quote(text: string): string {
  return JSON.stringify(printable(beginning(text)).replace(/\p{Cs}/gu, "?"));
}
