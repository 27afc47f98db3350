// Bytes to text, in one way on both sides of the wire: all that stands there is kept, also a byte order mark
// at the beginning, which a TextDecoder swallows unless it is told otherwise.

const lossy = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** Reads UTF-8 as text; what is none becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  return lossy.decode(bytes);
}

/**
 * Reads UTF-8 as text.
 *
 * @throws {TypeError} when it is none
 */
export function decodeValidUtf8(bytes: Uint8Array): string {
  return strict.decode(bytes);
}
