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

/** Makes the error for a connection that could not be opened; the original is kept as its `cause`. */
export function connectError({ label }: Address, cause: unknown): Error {
  return new Error(`Cannot connect to ${label}: ${reason(label, cause)}`, { cause });
}

/** Tells whether trying again is useless, because this program was not given the permission. */
export function isPermissionError(error: unknown): boolean {
  return error instanceof Error && (error.name === "NotCapable" || error.name === "PermissionDenied");
}

/** Tells whether trying again is useless: no permission, or a certificate that is not to be trusted. */
export function isHopeless(error: unknown): boolean {
  return isPermissionError(error) ||
    (error instanceof Error && certificateReason(error.message) !== undefined);
}

// In the words of rustls, which differ from version to version.
function certificateReason(message: string): string | undefined {
  if (!/certificate|corrupt message/i.test(message)) return undefined;
  if (/expired/i.test(message)) return "its certificate has expired, the relay needs a new one";
  if (/not ?valid ?yet/i.test(message)) {
    return "its certificate is not valid yet, is the clock of this machine right";
  }
  if (/UnknownIssuer/i.test(message)) {
    return "its certificate is signed by nobody that is trusted here, name whom to trust: { tls: { caCerts: […] } }";
  }
  if (/NotValidForName|not valid for name/i.test(message)) return "its certificate is for another host";
  if (/InvalidContentType|corrupt message/i.test(message)) {
    return "it does not speak TLS there, leave out tls";
  }
  return `its certificate is not good, ${message}`;
}

// By name, not by class: where there is no Deno there are no such classes.
function reason(label: string, cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (isPermissionError(cause)) return `this program may not, run it with --allow-net=${label}`;
  switch (cause.name) {
    case "ConnectionRefused":
      return "connection refused, is the relay running there";
    case "TimedOut":
      return "no answer, is the host up and the port open";
    case "TimeoutError":
      return `${cause.message}, is the host up and the port open`;
  }
  const certificate = certificateReason(cause.message);
  if (certificate !== undefined) return certificate;
  const { code } = cause as { code?: string };
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    return "no way leads to the host, is it up and is this machine on its network";
  }
  if (/lookup address|host is known|name or service|nodename/i.test(cause.message)) {
    return "no such host, is its name spelled right";
  }
  return cause.message;
}
