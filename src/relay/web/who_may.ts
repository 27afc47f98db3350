// Which pages may speak to the relay, and under which names it may be spoken to. A browser opens a WebSocket
// to any address for any page, and sends the page's Origin; and a name that a stranger owns may point at any
// address, so the Host is looked at, too. Pure.

import { isIPv6 } from "node:net";
import { HttpFault, only, type RequestHead } from "./head.ts";

/** Names and ports have to be shorter than this; the longest name of DNS has 253 characters. */
const MAX_HOST_LENGTH = 300;

const HOST = /^(\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z_](?:[0-9A-Za-z._-]*[0-9A-Za-z_])?\.?)(?::([0-9]{0,5}))?$/;

const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(?:\.(?!$)|$)){4}$/;

/** What servers say that listen everywhere stands in links to them, and leads to the machine itself. */
const THIS_MACHINE = new Set(["[::1]", "0.0.0.0", "[::]"]);

/** What origins that are not of the web may be named. */
const OTHER_NAME = /^[0-9A-Za-z._~-]{1,255}$/;

/** The ports that addresses of these schemes mean without saying so. */
export const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([["http", 80], ["https", 443]]);

/** A name or an address, and a port. */
interface Authority {
  /** In lower case, an address of IPv6 in brackets. */
  name: string;
  port: number | undefined;
}

/** What an operator allows beside what is always allowed. */
export interface WhoMayOptions {
  /** Origins as `parseOrigin` returns them, `null`, or `*` for all. */
  allowedOrigins: readonly string[];
  /** Names, in lower case. */
  allowedHosts: readonly string[];
}

/** Reads a Host: a name or an address, and perhaps a port. Returns undefined if it is none. */
export function parseHost(text: string): Authority | undefined {
  const match = text.length < MAX_HOST_LENGTH ? HOST.exec(text) : null;
  if (match === null || match[2] !== undefined && Number(match[2]) > 65535 || match[1].includes("..")) {
    return undefined;
  }
  if (match[1].startsWith("[") && !isIPv6(match[1].slice(1, -1))) return undefined;
  const name = match[1].toLowerCase().replace(/\.$/, ""), port = match[2] ?? "";
  return { name, port: port === "" ? undefined : Number(port) }; // a colon without one says nothing
}

/**
 * Reads an Origin, and writes it in one form: `http://host` or `http://host:port`, `null`. Returns undefined
 * if it is none.
 */
export function parseOrigin(text: string): string | undefined {
  if (text === "null" || text === "file://") return "null"; // what windows of programs call a file
  const [, scheme, rest] =
    /^([A-Za-z][0-9A-Za-z+.-]{0,30}):\/\/([^/]+)$/.exec(text.slice(0, MAX_HOST_LENGTH + 40)) ?? [];
  if (rest === undefined) return undefined;
  const kind = scheme.toLowerCase(), host = parseHost(rest);
  // Programs name what they show as they like, such as app://-
  if (host === undefined && !DEFAULT_PORTS.has(kind) && OTHER_NAME.test(rest)) return `${kind}://${rest}`;
  if (host === undefined) return undefined;
  const isDefault = host.port === undefined || host.port === DEFAULT_PORTS.get(kind);
  return `${kind}://${host.name}${isDefault ? "" : `:${host.port}`}`;
}

/** Whether an origin is one of pages that came over the web, so one that an operator may name. */
export function isWebOrigin(origin: string): boolean {
  return DEFAULT_PORTS.has(origin.split("://")[0]);
}

/** Says why a request may not be made under the name that its Host says; undefined if it may. */
export function hostFault(head: RequestHead, { allowedHosts }: WhoMayOptions): HttpFault | undefined {
  const text = only(head, "host");
  if (text === undefined) return undefined; // HTTP/1.0, so no browser
  const host = parseHost(text);
  if (host === undefined) return new HttpFault(400, "The Host is no name or address with a port");
  const { name } = host;
  const isKnown = name.startsWith("[") || IPV4.test(name) || !name.includes(".") ||
    name.endsWith(".localhost") ||
    allowedHosts.includes(name);
  if (isKnown) return undefined;
  return new HttpFault(421, `This relay does not know itself as ${name}: start it with --allow-host ${name}`);
}

/** Says why the page that makes the request may not; undefined if it may, or no page makes it. */
export function originFault(head: RequestHead, { allowedOrigins }: WhoMayOptions): HttpFault | undefined {
  const origins = head.fields.get("origin");
  if (origins === undefined) return undefined;
  const origin = origins.length === 1 ? parseOrigin(origins[0]) : undefined;
  if (origin === undefined) return new HttpFault(400, "The Origin is none");
  if (allowedOrigins.includes("*") || allowedOrigins.includes(origin)) return undefined;
  if (origin !== "null" && (isOwn(origin, only(head, "host")) || isLocal(origin))) return undefined;
  const who = origin === "null" ? "Pages that are files, or in a sandbox," : `Pages of ${origin}`;
  const named = origin === "null" || isWebOrigin(origin) ? origin : '"*"'; // those of extensions and apps
  return new HttpFault(403, `${who} may not speak to this relay: start it with --allow-origin ${named}`);
}

/** Whether a page is the relay's own: its Origin names the same host and port as the Host. */
function isOwn(origin: string, hostText: string | undefined): boolean {
  const host = hostText === undefined ? undefined : parseHost(hostText);
  const [scheme, rest] = origin.split("://");
  const from = parseHost(rest), standard = DEFAULT_PORTS.get(scheme);
  if (host === undefined || from === undefined || standard === undefined) return false;
  // Whoever passes requests on speaks TLS for the relay: so the Origin says which port a Host without one
  // means.
  return host.name === from.name && (host.port ?? standard) === (from.port ?? standard);
}

/** Whether a page is served by the machine on which the browser runs. */
function isLocal(origin: string): boolean {
  const [scheme, rest] = origin.split("://");
  if (!DEFAULT_PORTS.has(scheme)) return false;
  const { name } = parseHost(rest)!;
  return (name === "localhost" || name.endsWith(".localhost") || THIS_MACHINE.has(name) ||
    IPV4.test(name) && name.startsWith("127."));
}
