// What nobody can guess, and comparing with it.

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";

/** The length of a session's secret, in bytes: as much as can't be guessed (RFC 4086). */
export const SECRET_BYTES = 16;

/** The length of what tells one run of a relay from another, in bytes. */
export const RUN_ID_BYTES = 6;

/** How many random bytes are drawn at a time: a call for each secret costs more than all else about it. */
const DRAWN_BYTES = 1024;

const drawn = Buffer.alloc(DRAWN_BYTES);
let used = DRAWN_BYTES;

/** Makes a text of so many random bytes, 1,024 at most, in base64 for URLs. None of them is used again. */
export function makeSecret(length: number): string {
  if (used + length > DRAWN_BYTES) {
    crypto.getRandomValues(drawn);
    used = 0;
  }
  const secret = drawn.toString("base64url", used, used + length);
  drawn.fill(0, used, used += length);
  return secret;
}

/** Compares in a time that doesn't tell where two strings differ. */
export function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(left, right);
}
