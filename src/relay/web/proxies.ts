// Who is behind a proxy: whose word is taken for it, and what it says. Pure.

import { BlockList, isIP } from "node:net";
import { plainHost } from "../address.ts";

/** How many addresses a request may have come by; further ones are not looked at. */
const MAX_HOPS = 20;

/** Proxies whose X-Forwarded-For is believed. */
export class Proxies {
  readonly #list = new BlockList();
  readonly #isEmpty: boolean;

  /**
   * @param names addresses, networks such as `10.0.0.0/8`, or `loopback`: as {@linkcode isProxyName} knows
   * them
   */
  constructor(names: readonly string[]) {
    this.#isEmpty = names.length === 0;
    for (const name of names) {
      if (name === "loopback") {
        this.#list.addSubnet("127.0.0.0", 8, "ipv4");
        this.#list.addAddress("::1", "ipv6");
        continue;
      }
      const [address, bits] = name.split("/"), family = isIP(address) === 4 ? "ipv4" : "ipv6";
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  /** Whether the word of a host is taken. */
  trusts(host: string): boolean {
    if (this.#isEmpty) return false;
    const address = plainHost(host), family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 4 ? "ipv4" : "ipv6");
  }

  /**
   * Says from which host a request comes that `host` has passed on: the last one in its `X-Forwarded-For`
   * that is no proxy of ours. Where that is nothing, or no address, it is `host` itself.
   */
  clientOf(host: string, forwardedFor: readonly string[] | undefined): string {
    if (forwardedFor === undefined || !this.trusts(host)) return host;
    const hops = forwardedFor.join(",").split(",").slice(-MAX_HOPS);
    let client = host;
    for (const hop of hops.reverse()) {
      const address = addressOf(hop.trim());
      if (address === undefined) return client;
      client = address;
      if (!this.trusts(client)) return client;
    }
    return client;
  }
}

/** Whether a text names proxies: an address, a network, or `loopback`. */
export function isProxyName(text: string): boolean {
  if (text === "loopback") return true;
  const [address, bits, ...more] = text.split("/"), family = isIP(address);
  if (family === 0 || more.length > 0 || address.includes("%")) return false;
  return bits === undefined || /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

/** Takes the port and the brackets from an address; undefined if it is none. */
function addressOf(text: string): string | undefined {
  const [, inner, bare] = /^(?:\[([^\]]*)\](?::\d+)?|([^[\]]*))$/.exec(text) ?? [];
  const address = inner ?? bare?.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1");
  return address !== undefined && isIP(address) !== 0 && !address.includes("%")
    ? plainHost(address)
    : undefined;
}
