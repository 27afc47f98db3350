// What a program may name as the relay to connect to, and its reading. Pure.

import type { PageLocation } from "./link/runtime.ts";
import { show } from "./option_check.ts";
import { DEFAULT_PORT, nameFault } from "../wire/protocol.ts";
import { kindOf } from "../wire/untrusted.ts";

/**
 * The relay to connect to: `"host"`, `"host:port"`, `"[::1]:port"`, or an object. Without a port it is
 * {@linkcode DEFAULT_PORT}. A text may end with a room: `"host:port/pong"`, all after the first slash is its
 * name; if nothing is, it names none.
 *
 * `"ws://host:port/pong"` and `"wss://host/pong"` ask for a WebSocket, wherever the program runs; without a
 * port it is 80 or 443, as with all addresses of this kind, and what is special in the room's name is written
 * `%20`. One that ends with a slash names no room: `"wss://host/relay/"` is for a proxy that has the relay
 * there, the option `room` names the room. Where there are only WebSockets, in a page, the other forms mean
 * one, too. There `"/pong"` is a room of the relay that the page came from.
 */
export type Target = string | { hostname: string; port?: number };

/** A target that has been read: where to connect to, and how messages name it. */
export interface Address {
  /** A name or an address, an IPv6 one without brackets. */
  hostname: string;
  /** 1 to 65535. */
  port: number;
  /** `host:port` or `[address]:port`. */
  label: string;
  /** The room, if the target named one. */
  room?: string;
  /** What to open as a WebSocket, if the target asked for one. */
  url?: string;
}

/** From where a page came. */
type PageOrigin = Pick<PageLocation, "protocol" | "hostname" | "port">;

const MAX_PORT = 65535;

/** The longest name of a host, in characters (RFC 1035, as text). */
const MAX_HOST_CHARACTERS = 253;

const FORMS =
  `a target is "host", "host:port" or "[address]:port", and "/room" if you like, or "ws://host:port/room"`;

/** The ports that addresses of WebSockets mean when they name none. */
const USUAL_PORTS: Readonly<Record<string, number>> = { "ws:": 80, "wss:": 443 };

/**
 * Reads a target; none is the relay that the page came from, if this is one.
 *
 * @throws {TypeError} when it has none of the forms
 * @throws {RangeError} when the port is not 1 to 65535
 */
export function parseTarget(target: Target | undefined, page?: PageOrigin): Address {
  if (target === undefined) return originAddress("", page);
  if (typeof target === "string") {
    if (target.startsWith("/")) return originAddress(target, page);
    return target.includes("://") ? parseUrl(target) : parseText(target);
  }
  if (typeof target !== "object" || target === null || typeof target.hostname !== "string") {
    throw new TypeError(
      `Cannot connect to ${show(target)}: it names no host, ${FORMS} or { hostname, port }`,
    );
  }
  // A listener's address has a transport beside them.
  const stray = Object.keys(target).find((name) => !["hostname", "port", "transport"].includes(name));
  if (stray !== undefined) {
    throw new TypeError(
      `Cannot connect to ${show(target.hostname)}: ${
        show(stray)
      } is nothing that a target has, hostname and port are`,
    );
  }
  const { hostname, port = DEFAULT_PORT } = target;
  const bare = withoutBrackets(hostname);
  if (!/^[^\s/?#@[\]]+$/.test(bare)) {
    throw new TypeError(
      `Cannot connect to ${show(hostname)}: it is not a host, a name or an address is allowed`,
    );
  }
  if (typeof port !== "number") {
    throw new TypeError(
      `Cannot connect to ${show(hostname)}: its port is ${kindOf(port)}, a number is allowed`,
    );
  }
  return address(bare, port);
}

/** The relay that a page came from, and a room of it if `path` is more than a slash. */
function originAddress(path: string, page: PageOrigin | undefined): Address {
  const asked = `Cannot connect to ${path === "" ? "undefined" : show(path)}: it names no host`;
  if (page === undefined) {
    throw new TypeError(`${asked}, only a page may leave out the relay it came from, ${FORMS}`);
  }
  const { protocol, hostname, port } = page;
  if (!/^https?:$/.test(protocol) || hostname === "") {
    throw new TypeError(`${asked}, and this page (${protocol}) came from none, ${FORMS}`);
  }
  const scheme = protocol === "https:" ? "wss:" : "ws:";
  const found = address(withoutBrackets(hostname), Number(port) || USUAL_PORTS[scheme]);
  const url = `${scheme}//${found.label}/`;
  return path.length <= 1 ? { ...found, url } : { ...found, url, room: checkName("room", path.slice(1), 1) };
}

function parseUrl(text: string): Address {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*:)\/\/(.*)$/is.exec(text) ?? [];
  const refuse = (why: string) => new TypeError(`Cannot connect to ${show(text)}: ${why}, ${FORMS}`);
  if (scheme === undefined) throw refuse("it is not an address");
  const usualPort = USUAL_PORTS[scheme.toLowerCase()];
  if (usualPort === undefined) {
    const instead = /^http(s?):$/i.exec(scheme);
    throw refuse(
      instead === null
        ? `${show(scheme)} is not ws: or wss:`
        : `write ws${instead[1].toLowerCase()}:// for ${scheme}//`,
    );
  }
  if (/[?#]/.test(rest)) throw refuse('it has a "?" or a "#", a path is allowed');
  if (/^[^/]*@/.test(rest)) throw refuse("it names a user, the option token lets you in");
  const found = parsePlace(text, rest.split("/", 1)[0], usualPort);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refuse("it is not an address");
  }
  const path = rest.slice(rest.indexOf("/") + 1);
  const isRoom = rest.includes("/") && path !== "" && !path.endsWith("/");
  // The hello says the room; on the way there an encoded slash is refused, as it can be read in two ways.
  if (isRoom) url.pathname = url.pathname.replace(/%(2f|5c)/gi, "/");
  return { ...found, url: url.href, ...(isRoom ? { room: checkName("room", decode(path, refuse), 1) } : {}) };
}

function decode(path: string, refuse: (why: string) => Error): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw refuse('it has a "%" that stands for nothing, %25 is one');
  }
}

function withoutBrackets(hostname: string): string {
  return /^\[(.*)\]$/.exec(hostname)?.[1] ?? hostname;
}

function parseText(text: string): Address {
  const place = text.split("/", 1)[0];
  const found = parsePlace(text, place, DEFAULT_PORT);
  const path = text.slice(place.length);
  return path.length <= 1 ? found : { ...found, room: checkName("room", path.slice(1), 1) };
}

/** Reads `host:port`, the part of a target that has it. */
function parsePlace(target: string, place: string, usualPort: number): Address {
  const parts = /^(?:\[([^\s/?#@[\]]+)\]|([^\s/?#@[\]:]+))(?::([0-9]+))?$/.exec(place);
  if (parts === null) throw new TypeError(`Cannot connect to ${show(target)}: ${whyNot(place)}, ${FORMS}`);
  const [, bracketed, plain, port] = parts;
  return address(bracketed ?? plain, port === undefined ? usualPort : Number(port));
}

/** Returns the same relay without a room. */
export function withoutRoom(target: Target | undefined): Target | undefined {
  if (typeof target !== "string") return target;
  if (target.startsWith("/")) return undefined;
  const start = target.indexOf("://") + 3;
  const slash = target.indexOf("/", start > 2 ? start : 0);
  if (slash < 0) return target;
  // In an address all up to the last slash is the place of the relay.
  return start > 2 ? target.slice(0, target.lastIndexOf("/") + 1) : target.slice(0, slash);
}

/**
 * Checks the name of a room or a member, and returns it.
 *
 * @throws {TypeError} when it is not a string, or has control characters or half of a surrogate pair
 * @throws {RangeError} when it has fewer characters than `least`, or too many
 */
export function checkName(what: string, name: unknown, least: number): string {
  const fault = nameFault(name, least);
  if (fault === undefined) return name as string;
  const isLength = typeof name === "string" && fault.includes(" characters, ");
  throw new (isLength ? RangeError : TypeError)(`Cannot connect: ${what} ${fault}`);
}

function whyNot(text: string): string {
  if (text === "") return "it is empty";
  if (text.split(":").length > 2 && !text.includes("[")) return "it has several colons";
  const port = /:([^:\]]*)$/.exec(text)?.[1];
  if (port !== undefined && !/^[0-9]+$/.test(port)) return `${show(port)} is not a port`;
  return "it is not a host";
}

function address(hostname: string, port: number): Address {
  if (hostname.length > MAX_HOST_CHARACTERS || /[\p{Cc}\p{Cs}]/u.test(hostname)) {
    throw new TypeError(
      `Cannot connect to ${show(hostname)}: no host can have such a name, ` +
        `up to ${MAX_HOST_CHARACTERS} characters that can be shown are allowed`,
    );
  }
  const label = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  if (!Number.isInteger(port) || port < 1 || port > MAX_PORT) {
    throw new RangeError(`Cannot connect to ${label}: a port is 1 to ${MAX_PORT}`);
  }
  return { hostname, port, label };
}
