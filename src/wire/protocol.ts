// The facts of the wire in one place: the line end, the defaults both sides agree on, the control lines and
// the error codes. No behaviour that touches a socket.

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
  | "too_many_rooms"
  | "unknown_control"
  | "bad_set"
  | "too_many_keys"
  | "value_too_long"
  | "state_full"
  | "rate_limited"
  | "idle_line";

/** The version of the protocol that this code speaks. */
export const PROTOCOL_VERSION = 1;

/** The room of plain clients, and of sessions that name none. */
export const LOBBY = "lobby";

/** How a client speaks: level 0, events alone, or level 1, a session. */
export type Level = "plain" | "session";

/** How a session's first line begins. */
export const HELLO_OPENING = '{"$hello":';

/** The longest name of a room or a member, in code points. */
export const MAX_NAME_CHARACTERS = 64;

/** The longest `nonce` of a hello, in code points. */
export const MAX_NONCE_CHARACTERS = 64;

/** Whether the line at `start` begins with `{"$`, the mark of control lines. */
export function isControlLine(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === 0x7b && bytes[start + 1] === 0x22 && bytes[start + 2] === 0x24;
}

/** The body of an `$error` control line. */
export interface WireError {
  code: ErrorCode;
  /** What was wrong, where, and what is allowed. */
  message: string;
  /** The number of the line at fault, counted from 1 on this connection. */
  line?: number;
  /** The `nonce` of the hello that is refused so, if it has one. */
  nonce?: string;
}

const encoder = new TextEncoder();

/** Encodes one control line, such as `{"$error":{…}}`, with its LF. */
export function encodeControl(name: string, body: unknown): Uint8Array {
  return encoder.encode(`{"$${name}":${JSON.stringify(body)}}\n`);
}
