// What comes from outside, before it is trusted or shown. Pure.

/** Tells an object of JSON from everything else. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Makes text from outside fit for a terminal: control characters become question marks. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "?");
}
