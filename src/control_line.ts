// The lines that the relay itself says, as a client reads them. Pure. The client looks here first at every received
// line; what is not a control line is an event.

import type { ErrorCode } from "./protocol.ts";

/** What the relay complains about. */
export interface RelayError {
  /** For programs; a newer relay may have more codes. */
  code: ErrorCode | (string & Record<never, never>);
  /** For people: what was wrong, where, and what is allowed. */
  message: string;
  /** The number of the line at fault, counted from 1 on this connection. */
  line?: number;
}

const ERROR_START = `{"$error":`;

/**
 * Returns the error that a line tells about, or `undefined` when the line is something else. Only the relay's own form
 * counts: one key, which comes first, with a code and a message.
 */
export function readErrorLine(line: string): RelayError | undefined {
  if (!line.startsWith(ERROR_START)) return undefined;
  try {
    const parsed = JSON.parse(line) as { $error?: Record<string, unknown> | null };
    const { code, message, line: number } = parsed.$error ?? {};
    if (Object.keys(parsed).length !== 1) return undefined;
    if (typeof code !== "string" || typeof message !== "string") return undefined;
    return { code, message, ...(typeof number === "number" ? { line: number } : {}) };
  } catch {
    return undefined;
  }
}
