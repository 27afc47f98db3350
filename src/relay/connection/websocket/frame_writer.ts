// The frames of a WebSocket (RFC 6455, section 5) as a server sends them: never masked, never with an
// extension. Pure: numbers and bytes.

/** What a frame is. */
export const OPCODE = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** The bit of the first byte that says: this frame ends its message. */
export const FIN = 0x80;

/**
 * The longest header that a server writes, in bytes: who leaves so much room before its bytes, as cursors do
 * (`LEAD_BYTES`), saves a copy of them.
 */
export const MAX_HEADER_BYTES = 10;

/** The most that a control frame (close, ping, pong) may carry, in bytes. */
export const MAX_CONTROL_BYTES = 125;

/** The longest payloads whose length stands in the second byte, or in two bytes behind it. */
const MAX_SHORT_BYTES = 125;
const MAX_MEDIUM_BYTES = 0xffff;

/** Says how many bytes the header of a frame with `payloadBytes` bytes has. */
export function headerBytes(payloadBytes: number): number {
  return payloadBytes <= MAX_SHORT_BYTES ? 2 : payloadBytes <= MAX_MEDIUM_BYTES ? 4 : MAX_HEADER_BYTES;
}

/**
 * Writes the header of a frame into `buffer`, right before its payload, which begins at `payloadAt`; returns
 * where the header begins.
 * @param first the opcode, with {@linkcode FIN} if the frame ends its message
 */
export function writeHeader(
  buffer: Uint8Array,
  payloadAt: number,
  first: number,
  payloadBytes: number,
): number {
  const at = payloadAt - headerBytes(payloadBytes);
  buffer[at] = first;
  if (payloadBytes <= MAX_SHORT_BYTES) buffer[at + 1] = payloadBytes;
  else if (payloadBytes <= MAX_MEDIUM_BYTES) {
    buffer[at + 1] = MAX_SHORT_BYTES + 1;
    writeNumber(buffer, at + 2, 2, payloadBytes);
  } else {
    buffer[at + 1] = MAX_SHORT_BYTES + 2;
    writeNumber(buffer, at + 2, 8, payloadBytes);
  }
  return at;
}

/** Makes a control frame. Its payload has at most {@linkcode MAX_CONTROL_BYTES} bytes. */
export function controlFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(2 + payload.length);
  frame.set(payload, 2);
  writeHeader(frame, 2, FIN | opcode, payload.length);
  return frame;
}

function writeNumber(buffer: Uint8Array, at: number, bytes: number, value: number): void {
  for (let i = at + bytes - 1; i >= at; i--) {
    buffer[i] = value % 256;
    value = Math.floor(value / 256);
  }
}
