// A process with some clients of a run in it, so that it can be stopped, or killed, as a whole: reads who
// plays and what happens from stdin, lets them send events and set state at random times, and writes what
// they saw to stdout, a JSON array [name, entry] a line.

import { between, exponential, mixSeed, type Random } from "../../bench/motion/random.ts";
import { seededRandom } from "../../src/simulation/random.ts";
import { pause } from "../support/pause.ts";
import type { TransportKind } from "../support/websocket_conn.ts";
import { type Entry, type News, payload, timeMs } from "./history.ts";
import { MinimalPlain } from "./minimal_plain.ts";
import { MinimalSession } from "./minimal_session.ts";
import { ModuleClient } from "./module_client.ts";
import { eachLine } from "./relay_process.ts";

/** One client of a run. */
export interface Role {
  name: string;
  kind: "module" | "minimal" | "plain";
  port: number;
  transport: TransportKind;
  room: string;
  simulate?: string;
  seed: number;
  /** Mean events a second; 0 for one that only listens. */
  eventsPerSecond: number;
  /** Mean changes of state a second. */
  setsPerSecond: number;
  /** The longest padding of an event, in bytes. */
  maxPadding: number;
}

/** What a player is told, one a line. */
export type Order =
  | { order: "play"; role: Role }
  | { order: "leave"; name: string }
  /** Stops sending at random, says the last event and sets the last values. */
  | { order: "finish" }
  /** Writes down what all hold; the last time, then its stdin is closed, and it ends. */
  | { order: "look" };

/** Keys of its own that a client uses, and keys of the room that all use. */
const KEYS = 4;
const SHARED_KEYS = 3;
const TICK_MS = 100;

/** What begins like a control line has to arrive like any other event. */
const LIKE_CONTROL = '"$set":{"key":"a","value":1},';

type Client = ModuleClient | MinimalSession | MinimalPlain;

class Actor {
  readonly #role: Role;
  readonly #random: Random;
  readonly #client: Client;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #number = 0;
  #sets = 0;
  #hasLeft = false;

  constructor(role: Role) {
    this.#role = role;
    this.#random = seededRandom(role.seed);
    const options = {
      ...role,
      random: seededRandom(mixSeed(role.seed, 1)),
      record: (news: News) => write(role.name, news),
    };
    this.#client = role.kind === "module"
      ? new ModuleClient(options)
      : role.kind === "minimal"
      ? new MinimalSession(options)
      : new MinimalPlain(options);
  }

  async start(): Promise<void> {
    await this.#client.start();
    const client = this.#client;
    if (this.#hasLeft) return await client.close();
    if (client instanceof ModuleClient) this.#every("tick", () => TICK_MS, () => client.tick());
    const { eventsPerSecond, setsPerSecond } = this.#role;
    if (eventsPerSecond > 0) {
      this.#every("send", () => exponential(this.#random, 1000 / eventsPerSecond), () => this.#send());
    }
    if (setsPerSecond > 0 && !(client instanceof MinimalPlain)) {
      this.#every("set", () => exponential(this.#random, 1000 / setsPerSecond), () => this.#set());
    }
  }

  finish(): void {
    this.#stop("send");
    this.#stop("set");
    if (this.#role.eventsPerSecond === 0) return;
    this.#send();
    if (this.#client instanceof MinimalPlain) return;
    this.#set();
    this.#client.set(this.#role.name, `"last of ${this.#role.name}"`, true);
  }

  async leave(): Promise<void> {
    this.#hasLeft = true;
    for (const name of [...this.#timers.keys()]) this.#stop(name);
    await this.#client.close();
    if (!(this.#client instanceof MinimalPlain)) {
      write(this.#role.name, { kind: "end", ...this.#client.snapshot() });
    }
  }

  look(): void {
    if (!(this.#client instanceof MinimalPlain)) {
      write(this.#role.name, { kind: "end", ...this.#client.snapshot() });
    }
  }

  #send(): void {
    const { name, maxPadding } = this.#role;
    const number = ++this.#number;
    const isLikeControl = this.#random() < 0.1;
    const padding = Math.floor(between(this.#random, 0, maxPadding) * this.#random());
    const json = payload({ from: name, number }, padding, isLikeControl ? LIKE_CONTROL : "");
    write(name, { kind: "sent", number });
    this.#client.send(json);
  }

  #set(): void {
    const client = this.#client as ModuleClient | MinimalSession;
    const { name } = this.#role;
    const value = JSON.stringify({ of: name, count: ++this.#sets });
    const dice = this.#random();
    if (dice < 0.2) client.set(`shared ${Math.floor(this.#random() * SHARED_KEYS)}`, value, true, false);
    else if (dice < 0.35) client.set(name, value, true);
    else {
      const key = `key ${Math.floor(this.#random() * KEYS)}`;
      client.set(key, this.#random() < 0.2 ? undefined : value);
    }
  }

  #every(name: string, waitMs: () => number, act: () => void): void {
    const next = () => {
      act();
      this.#timers.set(name, setTimeout(next, waitMs()));
    };
    this.#timers.set(name, setTimeout(next, waitMs()));
  }

  #stop(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

let lines: string[] = [];

function write(name: string, news: News): void {
  lines.push(JSON.stringify([name, { atMs: timeMs(), ...news } as Entry]));
}

async function flush(): Promise<void> {
  if (lines.length === 0) return;
  let bytes = new TextEncoder().encode(lines.join("\n") + "\n");
  lines = [];
  while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
}

async function main(): Promise<void> {
  const actors = new Map<string, Actor>();
  let isFlushing = false;
  const flushing = setInterval(async () => {
    if (isFlushing) return;
    isFlushing = true;
    await flush();
    isFlushing = false;
  }, TICK_MS);
  await eachLine(Deno.stdin.readable, (line) => {
    const order = JSON.parse(line) as Order;
    switch (order.order) {
      case "play": {
        const actor = new Actor(order.role);
        actors.set(order.role.name, actor);
        void actor.start();
        break;
      }
      case "leave":
        void actors.get(order.name)?.leave();
        actors.delete(order.name);
        break;
      case "finish":
        for (const actor of actors.values()) actor.finish();
        break;
      case "look":
        for (const actor of actors.values()) actor.look();
    }
  });
  clearInterval(flushing);
  while (isFlushing) await pause(10);
  await flush();
  Deno.exit(0);
}

if (import.meta.main) await main();
