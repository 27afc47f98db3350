// The one place that looks at a connection's first bytes and says which protocol they begin. Pure.

import { HELLO_OPENING } from "../../wire/protocol.ts";

/**
 * What a connection's first bytes are: a session's hello, other lines, an HTTP request, another protocol that
 * has no lines of text, or too few to tell.
 */
export type FirstBytes = "hello" | "lines" | "http" | "foreign" | "undecided";

const encoder = new TextEncoder();

/** How HTTP requests begin (RFC 9110, section 9, and PATCH); no JSON value begins so. */
const HTTP_OPENINGS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"]
  .map((method) => encoder.encode(method + " "));

const OPENINGS: readonly (readonly [opening: FirstBytes, bytes: Uint8Array])[] = [
  ["hello", encoder.encode(HELLO_OPENING)],
  ...HTTP_OPENINGS.map((bytes) => ["http", bytes] as const),
  ["foreign", encoder.encode("SSH-")],
  ["foreign", Uint8Array.of(0x16, 0x03)], // TLS
];

/** The longest method that is looked for, in bytes; UPDATEREDIRECTREF is the longest that is registered. */
const MAX_METHOD_BYTES = 20;

/**
 * Classifies the first bytes of a connection. At most 22 bytes are needed to decide.
 * @param isText whether lines are text, so that bytes which no text begins with are another protocol
 */
export function classifyFirstBytes(bytes: Uint8Array, isText = true): FirstBytes {
  if (bytes.length === 0) return "undecided";
  let opening = classifyMethod(bytes);
  for (const [kind, start] of OPENINGS) {
    let i = 0;
    while (i < start.length && i < bytes.length && bytes[i] === start[i]) i++;
    if (i === start.length) return kind;
    if (i === bytes.length) opening = "undecided";
  }
  return opening === "lines" && isText && !beginsText(bytes[0]) ? "foreign" : opening;
}

/** Takes any word of capitals, a space and a path for a request: of WebDAV, or of a method to come. */
function classifyMethod(bytes: Uint8Array): FirstBytes {
  let at = 0;
  while (at < bytes.length && at <= MAX_METHOD_BYTES && isMethodByte(bytes[at])) at++;
  if (at === 0 || at > MAX_METHOD_BYTES || bytes[0] === 0x2d) return "lines";
  if (at === bytes.length) return "undecided";
  if (bytes[at] !== 0x20) return "lines";
  if (at + 1 === bytes.length) return "undecided";
  return bytes[at + 1] === 0x2f || bytes[at + 1] === 0x2a ? "http" : "lines"; // a path, or "*"
}

function isMethodByte(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a || byte === 0x2d;
}

/**
 * Whether a line of text may begin so, JSON or not: with white space, or a first byte of a character in
 * UTF-8.
 */
function beginsText(byte: number): boolean {
  if (byte < 0x20) return byte === 0x09 || byte === 0x0a || byte === 0x0d;
  return byte < 0x7f || byte >= 0xc2 && byte <= 0xf4;
}

/** How a request of HTTP, RTSP or SIP ends its first line, whatever its method and its address are… */
const REQUEST_END = /[ \t\v\f](?:HTTP|HTTPS|RTSP|SIP)\/[0-9](?:\.[0-9]{1,2})?$/i;

/** …and how it begins it: with a word, and an address behind a space. */
const REQUEST_START = /^[\s\xef\xbb\xbf]*[^\s"[{]\S*\s+(?:[/*]|[a-z][a-z0-9+.-]*:|$)/i;

/** The longest end of a request's first line that is looked at, in bytes. */
const MAX_REQUEST_END_BYTES = 20;

/**
 * Whether a line that is no JSON, without its LF, begins a request whose first bytes did not tell: its method
 * has small letters, say, or there is an empty line before it. What follows may be a body.
 */
export function isRequestLine(line: Uint8Array): boolean {
  let end = line.length;
  while (end > 0 && isSpace(line[end - 1])) end--;
  return REQUEST_END.test(
    String.fromCharCode(...line.subarray(Math.max(0, end - MAX_REQUEST_END_BYTES), end)),
  );
}

/** Whether a line that is too long, of which this is the beginning, begins such a request. */
export function beginsRequestLine(beginning: Uint8Array): boolean {
  return REQUEST_START.test(String.fromCharCode(...beginning));
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}

/** What an HTTP client is told; a browser shows the text. */
export const HTTP_REFUSAL: Uint8Array = encoder.encode(httpResponse(
  "400 Bad Request",
  "This is an eventrelay port. It speaks lines of JSON over plain TCP, not HTTP: " +
    "see the README for clients.\n",
));

function httpResponse(status: string, text: string): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;
}
