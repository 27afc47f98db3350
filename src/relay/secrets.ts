// What nobody can guess, and comparing with it.

import { createHash, timingSafeEqual } from "node:crypto";

/** The length of a session's secret, in bytes: as much as can't be guessed (RFC 4086). */
export const SECRET_BYTES = 16;

/** The length of what tells one run of a relay from another, in bytes. */
export const RUN_ID_BYTES = 6;

/** Makes a text of so many random bytes, in base64 for URLs. */
export function makeSecret(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Compares in a time that doesn't tell where two strings differ. */
export function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(left, right);
}
