// The answer to an HTTP request, and its head in bytes. Pure.

import type { HttpFault } from "./head.ts";

/** What is answered. */
export interface Answer {
  readonly status: number;
  /**
   * The head's fields; those that all answers have come by themselves. Names and values are the relay's own,
   * never a stranger's.
   */
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Uint8Array | BodySource;
  /** Whether the body is there for all who ask: it takes no memory of its own. */
  readonly isShared?: boolean;
}

/** A body that is read while it is written. */
export interface BodySource {
  readonly length: number;
  /** Reads at least one byte and says how many; null if there are no more. */
  read(buffer: Uint8Array): Promise<number | null>;
  close(): void;
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Found",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  412: "Precondition Failed",
  414: "URI Too Long",
  416: "Range Not Satisfiable",
  421: "Misdirected Request",
  426: "Upgrade Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

const encoder = new TextEncoder();

/** What every answer says, so that nothing of it is guessed or told to others. */
const COMMON: Readonly<Record<string, string>> = {
  "Cache-Control": "no-cache",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** Answers with a sentence of text. */
export function textAnswer(
  status: number,
  text: string,
  fields: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    fields: { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", ...fields },
    body: encoder.encode(text),
  };
}

/** Answers with what is wrong. */
export function faultAnswer({ status, message, fields }: HttpFault): Answer {
  return textAnswer(status, `${message}.\n`, fields);
}

/** Encodes an answer's head. */
export function encodeHead({ status, fields, body }: Answer, isLast: boolean, now: Date): Uint8Array {
  let text = `HTTP/1.1 ${status} ${REASONS[status] ?? "Answer"}\r\n`;
  const all: Record<string, string> = { "Date": now.toUTCString(), ...COMMON, ...fields };
  if (status !== 304) all["Content-Length"] = String(body.length);
  if (isLast && all["Connection"] === undefined) all["Connection"] = "close";
  for (const [name, value] of Object.entries(all)) text += `${name}: ${safe(value)}\r\n`;
  return encoder.encode(`${text}\r\n`);
}

/** Keeps a value from ending its field, whatever it is made of. */
function safe(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, "?");
}
