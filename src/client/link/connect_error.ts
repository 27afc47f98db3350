// Why there is no connection, in people's words: what the network says, what a certificate lacks, what the
// relay refuses; and whether another attempt can help.

import { printable } from "../../wire/untrusted.ts";
import type { Address } from "../target.ts";

/** The error codes that another attempt may not meet. */
const TEMPORARY_CODES = ["relay_full", "too_many_rooms"];

/** The relay's refusal of a session, in its own words. */
export class RefusedError extends Error {
  /** The relay's code for it. */
  readonly code: string;
  /** Whether another attempt may succeed. */
  readonly isTemporary: boolean;

  /** Makes an error of an `$error`; what comes from outside is made fit for a terminal. */
  constructor(code: string, message: string) {
    super(printable(message));
    this.name = "RefusedError";
    this.code = printable(code);
    this.isTemporary = TEMPORARY_CODES.includes(code);
  }
}

/**
 * A connection that can't be made from here, whoever is there; its message says why, and what can be done.
 */
export class ImpossibleError extends Error {
  /** Makes an error. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ImpossibleError";
  }
}

/** A failure of which the runtime gives no reason; its message says what to look at. Another attempt may help. */
export class UntoldError extends Error {
  /** Makes an error. */
  constructor(message: string) {
    super(message);
    this.name = "UntoldError";
  }
}

/** Makes the error for a connection that could not be opened; the original is kept as its `cause`. */
export function connectError({ label }: Address, cause: unknown): Error {
  return new Error(`Cannot connect to ${label}: ${reason(label, cause)}`, { cause });
}

/** Tells whether trying again is useless, because this program was not given the permission. */
function isPermissionError(error: unknown): boolean {
  return error instanceof Error && (error.name === "NotCapable" || error.name === "PermissionDenied");
}

/**
 * Tells whether trying again is useless: no permission, no way from here, or a certificate that is not to be
 * trusted.
 */
export function isHopeless(error: unknown): boolean {
  return error instanceof ImpossibleError || isPermissionError(error) ||
    (error instanceof Error && certificateReason(error) !== undefined);
}

// In the words of rustls, which differ from version to version, and by the codes of node and Bun.
function certificateReason(error: Error): string | undefined {
  if (error instanceof UntoldError || error instanceof RefusedError) return undefined; // they may name one, too
  const code = codeOf(error);
  const what = `${code} ${error.message}`;
  if (!/certificate|corrupt message|_CERT|CERT_|ERR_SSL|EPROTO|WRONG_VERSION_NUMBER/i.test(what)) {
    return undefined;
  }
  if (/expired/i.test(what)) return "its certificate has expired, the relay needs a new one";
  if (/not_?\s?valid_?\s?yet|NOT_YET_VALID/i.test(what)) {
    return "its certificate is not valid yet, is the clock of this machine right";
  }
  if (/UnknownIssuer|SELF_SIGNED|UNABLE_TO_|self.signed|unable to (get|verify)/i.test(what)) {
    return "its certificate is signed by nobody that is trusted here, " +
      "name whom to trust: { tls: { caCerts: [pem] } }, the text of a PEM file, not its name";
  }
  if (/NotValidForName|not valid for name|ALTNAME/i.test(what)) return "its certificate is for another host";
  if (/InvalidContentType|corrupt message|ERR_SSL|EPROTO|WRONG_VERSION_NUMBER/i.test(what)) {
    return "it does not speak TLS there, leave out tls";
  }
  return `its certificate is not good, ${error.message}`;
}

function codeOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "";
}

// By name, not by class: where there is no Deno there are no such classes. Node and Bun have codes instead.
function reason(label: string, cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (isPermissionError(cause)) {
    const flag = /access to .*--allow-(?!net)([a-z]+) flag/s.exec(cause.message)?.[1];
    return `this program may not, run it with --allow-${flag ?? `net=${label}`}`;
  }
  if (cause instanceof ImpossibleError) return cause.message;
  const code = codeOf(cause);
  if (cause.name === "ConnectionRefused" || code === "ECONNREFUSED") {
    return "connection refused, is the relay running there";
  }
  if (cause.name === "TimedOut" || code === "ETIMEDOUT") return "no answer, is the host up and the port open";
  if (cause.name === "TimeoutError") return `${cause.message}, is the host up and the port open`;
  const certificate = certificateReason(cause);
  if (certificate !== undefined) return certificate;
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    return "no way leads to the host, is it up and is this machine on its network";
  }
  if (
    code === "ENOTFOUND" || code === "EAI_AGAIN" ||
    /lookup address|host is known|name or service|nodename|dns error/i.test(cause.message)
  ) {
    return "no such host, is its name spelled right";
  }
  if (/before its TLS handshake did|tls handshake eof|before secure TLS/i.test(cause.message)) {
    return "it ended the connection instead of speaking TLS, leave out tls (ws:// for wss://) if it doesn't";
  }
  if (/failed to connect to WebSocket: tcp connect error/.test(cause.message)) {
    return "no connection, is the relay running there";
  }
  return refusedHandshake(cause.message) ?? cause.message;
}

/** What runtimes say of a WebSocket that was answered with something else than one. */
function refusedHandshake(message: string): string | undefined {
  const status = /status code:? ([1-5][0-9]{2})\b/i.exec(message)?.[1];
  if (status === undefined) return undefined;
  return status === "403"
    ? "the relay refused it (403), its log says why, and which flag would allow it"
    : `it answered with the HTTP status ${status}, is that a relay that knows WebSockets`;
}
