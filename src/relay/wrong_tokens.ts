// Who guesses tokens has to wait: how many different wrong ones came from each host of late. A client that
// tries the same wrong token again and again learns nothing by it, so it costs its host nothing: a class
// behind one address is not locked out by one mistyped token. Pure: the caller passes time.

import { createHash } from "node:crypto";

/** How many different wrong tokens one host may try at once… */
const BURST = 10;

/** …and how long each further one takes, in ms. */
const WAIT_MS = 1000;

/** How many hosts are remembered; beyond that the oldest is forgotten. */
const MAX_HOSTS = 1000;

interface Guesses {
  /** The last ones, as short hashes. */
  tokens: string[];
  /** How many more may be tried at `countedAt`. */
  left: number;
  countedAt: number;
}

/** The wrong tokens of all hosts. */
export class WrongTokens {
  readonly #hosts = new Map<string, Guesses>();

  /** Says how long it is until another token of `host` should be looked at, in ms; 0 for at once. */
  waitMs(host: string, nowMs: number): number {
    const guesses = this.#hosts.get(network(host));
    if (guesses === undefined) return 0;
    return Math.max(0, Math.ceil((1 - leftAt(guesses, nowMs)) * WAIT_MS));
  }

  /** Notes a wrong token of `host`. The last ones count once. */
  note(host: string, token: string, nowMs: number): void {
    const key = network(host), hash = createHash("sha256").update(token).digest("base64").slice(0, 12);
    const guesses = this.#hosts.get(key) ?? { tokens: [], left: BURST, countedAt: nowMs };
    if (guesses.tokens.includes(hash)) return;
    guesses.tokens.push(hash);
    if (guesses.tokens.length > BURST) guesses.tokens.shift();
    guesses.left = leftAt(guesses, nowMs) - 1;
    guesses.countedAt = nowMs;
    this.#hosts.delete(key);
    this.#hosts.set(key, guesses);
    if (this.#hosts.size <= MAX_HOSTS) return;
    for (const [oldest] of this.#hosts) return void this.#hosts.delete(oldest);
  }
}

function leftAt({ left, countedAt }: Guesses, nowMs: number): number {
  return Math.min(BURST, left + (nowMs - countedAt) / WAIT_MS);
}

/**
 * Who counts as one host: an address of IPv4; of IPv6 its first four groups, which is what one household or
 * machine has.
 */
function network(host: string): string {
  if (!host.includes(":")) return host;
  const [head, tail = ""] = host.split("::");
  const groups = head === "" ? [] : head.split(":");
  const missing = 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);
  const full = host.includes("::") ? [...groups, ...Array(Math.max(0, missing)).fill("0"), tail] : groups;
  return full.slice(0, 4).join(":");
}
