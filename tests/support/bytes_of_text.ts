// Text as the bytes that a relay would read, and back.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Encodes a text; undefined stays undefined. */
export function toBytes(text: string): Uint8Array;
export function toBytes(text: string | undefined): Uint8Array | undefined;
export function toBytes(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : encoder.encode(text);
}

/** Decodes bytes; undefined stays undefined. */
export function fromBytes(bytes: Uint8Array): string;
export function fromBytes(bytes: Uint8Array | undefined): string | undefined;
export function fromBytes(bytes: Uint8Array | undefined): string | undefined {
  return bytes && decoder.decode(bytes);
}
