// The one place that looks at a connection's first bytes and says which protocol they begin. Pure.

import { HELLO_OPENING } from "../../wire/protocol.ts";

/** What a connection's first bytes are: a session's hello, other lines, an HTTP request, or too few to tell. */
export type FirstBytes = "hello" | "lines" | "http" | "undecided";

const encoder = new TextEncoder();

/** How HTTP requests begin (RFC 9110, section 9, and PATCH); no JSON value begins so. */
const HTTP_OPENINGS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"]
  .map((method) => encoder.encode(method + " "));

const OPENINGS: readonly (readonly [opening: FirstBytes, bytes: Uint8Array])[] = [
  ["hello", encoder.encode(HELLO_OPENING)],
  ...HTTP_OPENINGS.map((bytes) => ["http", bytes] as const),
];

/** Classifies the first bytes of a connection. At most 10 bytes are needed to decide. */
export function classifyFirstBytes(bytes: Uint8Array): FirstBytes {
  if (bytes.length === 0) return "undecided";
  let opening: FirstBytes = "lines";
  for (const [kind, start] of OPENINGS) {
    let i = 0;
    while (i < start.length && i < bytes.length && bytes[i] === start[i]) i++;
    if (i === start.length) return kind;
    if (i === bytes.length) opening = "undecided";
  }
  return opening;
}

/** What an HTTP client is told; a browser shows the text. */
export const HTTP_REFUSAL: Uint8Array = encoder.encode(httpResponse(
  "400 Bad Request",
  "This is an eventrelay port. It speaks lines of JSON over plain TCP, not HTTP: see the README for clients.\n",
));

function httpResponse(status: string, text: string): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length}\r\n` +
    `Connection: close\r\n\r\n${text}`;
}
