// The values of options: a text to what it means, or to what is allowed in its place. Pure.

import { isProxyName } from "../relay/web/proxies.ts";
import { isWebOrigin, parseHost, parseOrigin } from "../relay/web/who_may.ts";
import { parseSimulation, SIMULATION_HELP, type SimulationOptions } from "../simulation/parse_simulation.ts";

/** A reader of one option's text: a value, or what is allowed in its place. */
export type Reader<T> = (text: string) => T | Refusal;

/** What is allowed in the place of a text that is not. */
export class Refusal {
  constructor(readonly allowed: string) {}
}

/** Reads a port, or a range of ports: the first and the last. */
export function portsReader(text: string): readonly [first: number, last: number] | Refusal {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const first = Number(match?.[1]), last = Number(match?.[2] ?? first);
  if (match === null || first > 65535 || last > 65535) {
    return new Refusal("a port is 0 to 65535, a range is two of them such as 32000-33000");
  }
  if (first > last || (first === 0 && last > 0)) {
    return new Refusal("a range begins with its smaller port, 1 or more, such as 32000-33000");
  }
  return [first, last];
}

/** Reads an address to listen on; one of IPv6 may stand in brackets, as it does before a port. */
export function addressReader(text: string): string | Refusal {
  const address = /^\[([^\[\]]*:[^\[\]]*)\]$/.exec(text)?.[1] ?? text;
  return /^[^\s[\]]+$/.test(address) ? address : new Refusal("an address such as 127.0.0.1");
}

/** Reads a whole number. */
export function countReader(min: number, max: number): Reader<number> {
  return (text) => {
    const count = /^\d+$/.test(text) ? Number(text) : NaN;
    return count >= min && count <= max ? count : new Refusal(`a whole number from ${min} to ${max}`);
  };
}

/** Reads a size in bytes: `500`, `64k`, `8m`. */
export function sizeReader(min: number, max: number): Reader<number> {
  const factors: Record<string, number> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
  return (text) => {
    const match = /^(\d+(?:\.\d+)?)([kmg]?)b?$/i.exec(text);
    const bytes = match === null ? NaN : Math.round(Number(match[1]) * factors[match[2].toLowerCase()]);
    return bytes >= min && bytes <= max ? bytes : new Refusal(
      `a size in bytes, such as 500, 64k or 8m, from ${min} to ${max}`,
    );
  };
}

/** Reads a time in ms: `500ms`, `5s`, `2m`. */
export function timeReader(minMs: number, maxMs: number): Reader<number> {
  const factors: Record<string, number> = { ms: 1, s: 1000, m: 60_000 };
  return (text) => {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
    const ms = match === null ? NaN : Number(match[1]) * factors[match[2]];
    return ms >= minMs && ms <= maxMs ? ms : new Refusal(
      `a time with its unit, such as 500ms, 5s or 2m, from ${minMs}ms to ${maxMs / 60_000}m`,
    );
  };
}

/** Reads one of some words. */
export function choiceReader<const T extends string>(...choices: T[]): Reader<T> {
  return (text) => choices.find((choice) => choice === text) ?? new Refusal(choices.join(" or "));
}

/** Reads a bad network: `wifi`, `delay=80ms`. */
export function simulationReader(text: string): SimulationOptions | Refusal {
  if (text === "") return new Refusal(SIMULATION_HELP);
  try {
    return parseSimulation(text);
  } catch (error) {
    return new Refusal((error as Error).message);
  }
}

/** Reads a list with commas. */
export function listReader(read: Reader<string>): Reader<readonly string[]> {
  return (text) => {
    const items = text.split(",").map((item) => read(item.trim()));
    return items.find((item) => item instanceof Refusal) ?? items.map(String);
  };
}

/** Reads the origin of pages, and writes it in one form. */
export function originReader(text: string): string | Refusal {
  if (text === "*") return text;
  const origin = parseOrigin(text);
  return origin !== undefined && (origin === "null" || isWebOrigin(origin)) ? origin : new Refusal(
    "an origin with http:// or https:// and without a path, such as https://games.example.org, " +
      "or null, or * for all",
  );
}

/** Reads a name without a port. */
export function hostReader(text: string): string | Refusal {
  const host = parseHost(text);
  return host !== undefined && host.port === undefined
    ? host.name
    : new Refusal("a name without a port, such as games.example.org");
}

/** Reads what names proxies. */
export function proxyReader(text: string): string | Refusal {
  return isProxyName(text)
    ? text
    : new Refusal("an address or a network, such as 192.0.2.7 or 10.0.0.0/8, or loopback");
}

/** Reads a text that says something. */
export function textReader(allowed: string): Reader<string> {
  return (text) => text !== "" ? text : new Refusal(allowed);
}

/** Reads a yes or a no. */
export function switchReader(text: string): boolean | Refusal {
  if (["1", "true", "yes", "on"].includes(text)) return true;
  if (["0", "false", "no", "off"].includes(text)) return false;
  return new Refusal("1 or 0");
}
