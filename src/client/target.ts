// What a program may name as the relay to connect to, and its reading. Pure.

import { kindOf, show } from "./check.ts";
import { DEFAULT_PORT, nameFault } from "../wire/protocol.ts";

/**
 * The relay to connect to: `"host"`, `"host:port"`, `"[::1]:port"`, or an object. Without a port it is
 * {@linkcode DEFAULT_PORT}. A text may end with a room: `"host:port/pong"`, all after the first slash is its
 * name.
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
}

const MAX_PORT = 65535;
const FORMS = `a target is "host", "host:port" or "[address]:port", and "/room" if you like`;

/**
 * Reads a target.
 *
 * @throws {TypeError} when it has none of the forms
 * @throws {RangeError} when the port is not 1 to 65535
 */
export function parseTarget(target: Target): Address {
  if (typeof target === "string") return parseText(target);
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
  const bare = /^\[(.*)\]$/.exec(hostname)?.[1] ?? hostname;
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

function parseText(text: string): Address {
  const slash = text.includes("://") ? -1 : text.indexOf("/");
  const place = slash < 0 ? text : text.slice(0, slash);
  const parts = /^(?:\[([^\s/?#@[\]]+)\]|([^\s/?#@[\]:]+))(?::([0-9]+))?$/.exec(place);
  if (parts === null) throw new TypeError(`Cannot connect to ${show(text)}: ${whyNot(place)}, ${FORMS}`);
  const [, bracketed, plain, port] = parts;
  const found = address(bracketed ?? plain, port === undefined ? DEFAULT_PORT : Number(port));
  return slash < 0 ? found : { ...found, room: checkName("room", text.slice(slash + 1), 1) };
}

/**
 * Checks the name of a room or a member, and returns it.
 *
 * @throws {TypeError} when it is not a string or has control characters
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
  if (text.includes("/")) return `it has a "/" before the room`;
  if (text.split(":").length > 2 && !text.includes("[")) return "it has several colons";
  const port = /:([^:\]]*)$/.exec(text)?.[1];
  if (port !== undefined && !/^[0-9]+$/.test(port)) return `${show(port)} is not a port`;
  return "it is not a host";
}

function address(hostname: string, port: number): Address {
  const label = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  if (!Number.isInteger(port) || port < 1 || port > MAX_PORT) {
    throw new RangeError(`Cannot connect to ${label}: a port is 1 to ${MAX_PORT}`);
  }
  return { hostname, port, label };
}
