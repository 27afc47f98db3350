// The victims of the hostile relay: clients of client.ts, each with a program that looks at everything it is
// given and writes down what has a wrong type, comes twice, takes too long or throws. Runs as a worker, so
// that a client that never returns is noticed from outside.

import { connect, type Relay } from "../../client.ts";
import { pause } from "../support/pause.ts";

/** What a worker is asked. */
export type Question =
  | { kind: "case"; ticket: number; target: string; name: string; retry: boolean }
  | { kind: "alive" };

/** What it answers. */
export type Answer =
  /** What this worker holds, in MiB: other parts of the process are not its. */
  | { kind: "alive"; mib: number }
  | {
    kind: "done";
    ticket: number;
    outcome: string;
    marks: number[];
    faults: string[];
    slow: string[];
    /** How often the client tried to connect, as it said. */
    attempts: number;
  }
  | { kind: "unhandled"; what: string };

/**
 * How long connect() may take with a relay that is done with its welcome, or never says anything: 3 s, and
 * some for a slow machine.
 */
const SETTLE_MS = 5000;
/** How long aborting and closing may take: a second each, and some. */
const END_MS = 2500;
const LIFE_MS = 1500;
const LOOK_MS = 50;
const STATUSES = ["connecting", "connected", "reconnecting", "closed"];

/** Plays one case. */
class Case {
  readonly #faults: string[] = [];
  /** Faults that a machine could have that has no time for this program. */
  readonly #slow: string[] = [];
  readonly #marks: number[] = [];
  #relay: Relay | undefined;
  #wasBroken = false;
  /** How often it was told that the client connects. */
  #attempts = 0;

  async play({ ticket, target, name, retry }: Extract<Question, { kind: "case" }>): Promise<Answer> {
    const abort = new AbortController();
    let outcome = "";
    const opening = this.#open(target, name, retry, abort.signal);
    const settled = await inTime(opening, SETTLE_MS);
    if (settled === undefined) {
      // A welcome in parts may take as long as the relay says: then a program can still give up.
      abort.abort(new Error("enough"));
      if (await inTime(opening, END_MS) === undefined) this.#slow.push("connect() does not end after abort");
      outcome = "waited";
    } else outcome = settled;
    if (this.#relay !== undefined) {
      await this.#live(this.#relay);
      if (await inTime(this.#relay.close().then(() => "closed"), END_MS) === undefined) {
        this.#slow.push("close() does not end");
      } else if (this.#relay.status !== "closed") {
        this.#fault(`status is ${this.#relay.status} after close()`);
      }
    }
    const marks = this.#marks, faults = this.#faults, slow = this.#slow, attempts = this.#attempts;
    return { kind: "done", ticket, outcome, marks, faults, slow, attempts };
  }

  async #open(target: string, name: string, retry: boolean, signal: AbortSignal): Promise<string> {
    try {
      this.#relay = await connect(target, {
        name,
        retry,
        signal,
        onStatus: (status, detail) => {
          if (status === "reconnecting") this.#wasBroken = true;
          if (detail.attempt !== undefined) this.#attempts++;
          if (!STATUSES.includes(status)) this.#fault(`onStatus was told ${status}`);
          if (detail.error !== undefined && !(detail.error instanceof Error)) {
            this.#fault("detail.error is no Error");
          }
          if (detail.retryInMs !== undefined) this.#number("detail.retryInMs", detail.retryInMs, 0, 120_000);
        },
        onJoin: (peer) => this.#peer("onJoin", peer),
        onLeave: (peer, reason) => {
          this.#peer("onLeave", peer);
          this.#string("onLeave's reason", reason);
        },
        onState: (peer, key) => {
          if (peer !== null) this.#peer("onState", peer);
          this.#string("onState's key", key);
        },
        onLost: ({ reason, lines, bytes }) => {
          this.#string("onLost's reason", reason);
          this.#number("onLost's lines", lines, 0);
          this.#number("onLost's bytes", bytes, 0);
        },
        onError: ({ code, message }) => {
          this.#string("onError's code", code);
          this.#string("onError's message", message);
        },
        onInvalid: (line, error) => {
          this.#string("onInvalid's line", line);
          if (!(error instanceof Error)) this.#fault("onInvalid's error is no Error");
        },
      });
      return "connected";
    } catch (error) {
      if (!(error instanceof Error)) this.#fault(`connect() rejects with ${error}`);
      return "rejected";
    }
  }

  async #live(relay: Relay): Promise<void> {
    const endMs = performance.now() + LIFE_MS;
    let lastNow = -Infinity;
    // On a machine that has no time for this program, it has as many turns all the same.
    for (let round = 0; performance.now() < endMs || round < LIFE_MS / LOOK_MS; round++) {
      try {
        relay.send({ round });
        relay.set(`key ${round % 3}`, round, { room: round % 2 === 0 });
      } catch (error) {
        // A relay may say that it allows next to nothing.
        if (!(error instanceof RangeError)) this.#fault(`send() or set() throws ${error}`);
      }
      this.#look(relay);
      const now = relay.now();
      // Another relay may have another clock.
      if (now < lastNow && !this.#wasBroken) {
        this.#fault(`now() went back by ${lastNow - now} ms`);
      }
      lastNow = now;
      for (const event of relay.drain()) {
        const mark = (event as { mark?: unknown } | null)?.mark;
        if (typeof mark === "number") this.#marks.push(mark);
      }
      await pause(LOOK_MS);
    }
  }

  #look(relay: Relay): void {
    this.#number("now()", relay.now(), -Infinity);
    for (const name of ["rtt", "jitter", "lag"] as const) this.#number(name, relay[name], 0);
    for (const [name, value] of Object.entries(relay.stats)) this.#number(`stats.${name}`, value, 0);
    this.#string("id", relay.id);
    if (!(relay.peers instanceof Map)) this.#fault("peers is no Map");
    for (const [id, peer] of relay.peers) {
      this.#peer("peers", peer);
      if (id !== peer.id) this.#fault(`peers has ${JSON.stringify(peer.id)} under ${JSON.stringify(id)}`);
    }
    if (typeof relay.state !== "object" || relay.state === null) this.#fault("state is no object");
  }

  #peer(where: string, { id, name, state }: { id: unknown; name: unknown; state: unknown }): void {
    this.#string(`${where}: id`, id);
    this.#string(`${where}: name`, name);
    if (typeof state !== "object" || state === null || Array.isArray(state)) {
      this.#fault(`${where}: state is ${state}`);
    }
  }

  #string(what: string, value: unknown): void {
    if (typeof value !== "string") this.#fault(`${what} is ${typeof value}, no string`);
  }

  #number(what: string, value: unknown, least: number, most = Infinity): void {
    if (typeof value !== "number" || !Number.isFinite(value) || value < least || value > most) {
      this.#fault(`${what} is ${value}`);
    }
  }

  #fault(what: string): void {
    if (this.#faults.length < 10 && !this.#faults.includes(what)) this.#faults.push(what);
  }
}

function heldMib(): number {
  const { heapTotal, external } = Deno.memoryUsage();
  return (heapTotal + external) / 1024 ** 2;
}

async function inTime<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms, undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The worker's side, as far as it is needed. */
const port = self as unknown as {
  postMessage(answer: Answer): void;
  onmessage: ((message: { data: Question }) => void) | null;
};

globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  port.postMessage({ kind: "unhandled", what: String(event.reason?.stack ?? event.reason).slice(0, 1000) });
});
globalThis.addEventListener("error", (event) => {
  event.preventDefault();
  port.postMessage({ kind: "unhandled", what: String(event.error?.stack ?? event.message).slice(0, 1000) });
});
console.warn = () => {}; // the client's own words about what it is told

port.onmessage = ({ data }) => {
  if (data.kind === "alive") return port.postMessage({ kind: "alive", mib: heldMib() });
  void new Case().play(data).then((answer) => port.postMessage(answer));
};
