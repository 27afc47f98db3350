// The facts of the wire in one place: the line end, the defaults both sides agree on, the control lines
// and the error codes. No behaviour that touches a socket. Used by the relay and by the client, so it imports nothing.

/** The byte that ends every line. */
export const LF = 0x0a;

/** The byte that may stand before {@linkcode LF}; it is white space in JSON, so it is passed on. */
export const CR = 0x0d;

/** The port the relay listens on, and a client connects to, when none is named. */
export const DEFAULT_PORT = 32100;

/** The longest line the relay takes, in bytes without its LF, unless it is started with another limit. */
export const DEFAULT_MAX_LINE_BYTES = 64 * 1024;

/** What an `$error` line can be about. A code is for programs; the message beside it is for people. */
export type ErrorCode =
  | "line_too_long"
  | "invalid_json"
  | "invalid_utf8"
  | "too_many_errors"
  | "relay_full"
  | "bad_hello"
  | "bad_token"
  | "unknown_control"
  | "idle_line";

/** The body of an `$error` control line. */
export interface WireError {
  code: ErrorCode;
  /** What was wrong, where, and what is allowed. */
  message: string;
  /** The number of the line at fault, counted from 1 on this connection. */
  line?: number;
}

const encoder = new TextEncoder();

/** Encodes one control line, such as `{"$error":{…}}`, with its LF. */
export function encodeControl(name: string, body: unknown): Uint8Array {
  return encoder.encode(`{"$${name}":${JSON.stringify(body)}}\n`);
}
