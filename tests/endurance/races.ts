// Host, claims, requests and events for some, all at once, over TCP and WebSocket, through cuts, members that
// close, that are killed and that come: random histories against a real relay on loopback, whose time runs
// faster than ours, so that nobody waits until who was killed is given up.

import assert from "node:assert/strict";
import { connect, type Relay, RequestError } from "../../client.ts";
import { REAL_ENVIRONMENT } from "../../src/relay/options.ts";
import { RelayServer } from "../../src/relay/relay.ts";
import { seededRandom } from "../../src/simulation/random.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { flagsOrExit } from "./flags.ts";
import { until } from "../support/deadline.ts";
import { pause } from "../support/pause.ts";

const HELP =
  `deno task races: lets members race for host, claims and answers, through cuts and kills, over TCP and WebSocket

USAGE: deno task races [--seeds N] [--seed S]

  --seeds N      how many histories (200, about five minutes)
  --seed S       the first of them (1)
  --help

Exit code: 0, or 1 with what was wrong and the seed, or 2 for wrong options.`;

const STEPS = 60;
const MAX_KILLS = 2;
const MAX_DUELS = 2;

/**
 * How much faster the relay's time runs. What it allows its members is as much more, but how long it waits
 * for who is away.
 */
const HASTE = 10;
const ENVIRONMENT = {
  clock: () => HASTE * performance.now(),
  timeOriginMs: performance.timeOrigin,
  timers: {
    ...REAL_ENVIRONMENT.timers,
    setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms / HASTE),
    setInterval: (callback: () => void, ms: number) => setInterval(callback, ms / HASTE),
  },
};
const OPTIONS = { maxLagMs: HASTE * 60_000, pingTimeoutMs: HASTE * 60_000, resumeMs: HASTE * 60_000 };

/**
 * How long a question may wait for its answer, in ms: only what got lost takes so long, on a busy machine,
 * too.
 */
const ANSWER_MS = 60_000;

/** Why there may be no answer: who has asked or was asked has left, or its session could not go on. */
const FAILURES: readonly string[] = ["closed", "left", "no_such_peer", "not_resumed"];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A member, and what it was told in its order: who said what, and who leads from there on. */
interface Player {
  relay: Relay;
  told: string[];
}

class History {
  readonly #random: () => number;
  readonly #targets: string[];
  readonly players: Player[] = [];
  readonly #port: number;
  readonly #room: string;
  readonly #work: Promise<unknown>[] = [];
  /** How often each key was won. */
  readonly wins = new Map<string, number>();
  answers = 0;
  kills = 0;
  duels = 0;
  #count = 0;

  constructor(port: number, targets: string[], seed: number) {
    this.#port = port;
    this.#room = `races-${seed}`; // whoever is away would keep the keys of one room
    this.#targets = targets;
    this.#random = seededRandom(seed);
  }

  #pick(count: number): number {
    return Math.floor(this.#random() * count);
  }

  async join(): Promise<void> {
    const told: string[] = [];
    const relay = await connect(`${this.#targets[this.#pick(this.#targets.length)]}/${this.#room}`, {
      echo: true,
      retry: true, // the first connection may be cut, too
      onStatus: () => {},
      onHost: (host) => {
        for (const { event, from } of relay.messages()) told.push(`${from?.id}: ${event}`); // what came before
        told.push(`host ${host?.id}`);
      },
      onRequest: (event) => [event],
      onError: () => {}, // not_host, no_such_peer: that is what races are about
    });
    told.push(`host ${relay.host?.id}`);
    this.players.push({ relay, told });
  }

  async step(): Promise<void> {
    const { relay } = this.players[this.#pick(this.players.length)];
    const { relay: other } = this.players[this.#pick(this.players.length)];
    const n = this.#count++;
    switch (this.#pick(10)) {
      case 0:
        return relay.passHost(this.#random() < 0.5 ? undefined : other.id);
      case 1: {
        const key = `key ${n}`;
        this.wins.set(key, 0);
        for (const { relay } of this.players) {
          this.#note(relay.claim(key, relay.id, { timeoutMs: ANSWER_MS }), (won) => won && this.#win(key));
        }
        return;
      }
      case 2:
        return this.#note(relay.request(other.id, n, { timeoutMs: ANSWER_MS }), (answer) => {
          assert.deepEqual(answer, [n]);
          this.answers++;
        });
      case 3:
        if (this.players.length < 6) await this.join();
        return;
      case 4:
        if (this.players.length < 4) return;
        this.players.splice(this.players.findIndex((player) => player.relay === relay), 1);
        return void this.#later(relay.close());
      case 5:
        if (this.kills < MAX_KILLS) this.#later(this.#kill(relay));
        return;
      case 6:
        if (this.duels < MAX_DUELS) this.#later(this.#duel());
        return;
      default:
        for (let i = this.#pick(4); i >= 0; i--) relay.send(`${n}.${i}`);
        relay.send(`psst ${n}`, { to: other.id });
        await new Promise((done) => setTimeout(done, this.#pick(8)));
    }
  }

  /** Lets some look for a room of two at once: no room takes more, and who is in one sees nobody else. */
  async #duel(): Promise<void> {
    this.duels++;
    const options = { maxMembers: 2, any: true, retry: true, onStatus: () => {} };
    const targets = Array.from(
      { length: 2 + this.#pick(4) },
      () => this.#targets[this.#pick(this.#targets.length)],
    );
    const relays = await Promise.all(
      targets.map((target) => connect(`${target}/${this.#room}-duel`, options)),
    );
    const rooms = Map.groupBy(relays, ({ room }) => room);
    for (const [room, inside] of rooms) {
      assert.ok(inside.length <= 2, `${inside.length} are in ${room}, a room of two`);
      for (const { peers } of inside) assert.ok(peers.size <= 1, `${peers.size} others are in ${room}`);
    }
    await Promise.all(relays.map((relay) => relay.close()));
  }

  /**
   * Lets a member come that may lead, makes it the host if `host` is, and ends it as a kill does: for good,
   * and without a word.
   */
  async #kill(host: Relay): Promise<void> {
    this.kills++;
    const waitMs = this.#pick(20), isToLead = this.#random() < 0.7;
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
    await conn.write(
      encoder.encode(`{"$hello":{"version":1,"room":"${this.#room}","name":"killed","canHost":true}}\n`),
    );
    const id = /"id":"(\w+)"/.exec(decoder.decode((await conn.readable.getReader().read()).value))?.[1];
    await conn.write(encoder.encode(`{"$ping":{"t":1}}\n`)); // it has its welcome, so it might come back
    if (isToLead) host.passHost(id);
    await pause(waitMs);
  }

  /** Keeps some work, whose end is waited for, and what it throws told, in the end. */
  #later(work: Promise<unknown>): void {
    work.catch(() => {});
    this.#work.push(work);
  }

  #win(key: string): void {
    this.wins.set(key, this.wins.get(key)! + 1);
  }

  #note<T>(asked: Promise<T>, then: (value: T) => unknown): void {
    this.#later(
      asked.then(then, (error) => {
        assert.ok(error instanceof RequestError && FAILURES.includes(error.code), String(error));
      }),
    );
  }

  async end(): Promise<void> {
    await Promise.all(this.#work);
    await until(() => {
      const hosts = new Set(this.players.map(({ relay }) => relay.host?.id));
      const [host] = hosts;
      return hosts.size === 1 && this.players.filter(({ relay }) => relay.isHost).length === 1 &&
        this.players.some(({ relay }) => relay.id === host) &&
        this.players.every(({ relay }) =>
          relay.status === "connected" && relay.peers.size === this.players.length - 1
        );
    }, "one host, whom all know");
    this.players[0].relay.send("the end");
    await until(() =>
      this.players.every(({ relay, told }) => {
        for (const { event, from } of relay.messages()) told.push(`${from?.id}: ${event}`);
        return told.at(-1)?.endsWith(": the end");
      }), "the last event");
  }

  /**
   * Compares what all were told since the last of them came: the same events and hosts, in the same order.
   */
  check(): void {
    const common = this.players.map(({ told }) => told.filter((line) => !line.includes("psst")));
    const shortest = Math.min(...common.map(({ length }) => length)) - 1; // the host at its beginning has another place
    for (const told of common) assert.deepEqual(told.slice(-shortest), common[0].slice(-shortest));
    for (const [key, wins] of this.wins) assert.ok(wins <= 1, `${key} was won ${wins} times`);
  }

  async close(): Promise<void> {
    for (const { relay } of this.players) await relay.close();
  }
}

/** How often what was raced for was there. */
export interface Outcome {
  won: number;
  answers: number;
  reconnects: number;
  kills: number;
  duels: number;
}

/** Plays histories, and throws at the first that is not as promised. */
export async function race(firstSeed: number, seeds: number): Promise<Outcome> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }), { port } = listener.addr;
  const server = new RelayServer(listener, OPTIONS, ENVIRONMENT);
  const { random } = Math;
  Math.random = () => 0; // no waits between attempts
  const sum: Outcome = { won: 0, answers: 0, reconnects: 0, kills: 0, duels: 0 };
  try {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) await playOne(port, seed, sum);
  } finally {
    Math.random = random;
    await server.close();
  }
  return sum;
}

async function playOne(port: number, seed: number, sum: Outcome): Promise<void> {
  const next = seededRandom(1000 + seed);
  const budget = () => 1500 + Math.floor(next() * 1500);
  // A WebSocket gives out whole messages only: some connections let through whatever has gathered.
  const down = () => next() < 1 / 8 ? Infinity : budget();
  await using proxy = new CuttingProxy(port, () => ({ up: budget() / 2 | 0, down: down() }));
  const direct = `127.0.0.1:${port}`;
  const history = new History(port, [proxy.target, `ws://${proxy.target}`, direct, `ws://${direct}`], seed);
  try {
    for (let i = 0; i < 4; i++) await history.join();
    for (let i = 0; i < STEPS; i++) await history.step();
    await history.end();
    history.check();
  } catch (error) {
    throw new Error(`seed ${seed}`, { cause: error });
  } finally {
    await history.close();
  }
  for (const wins of history.wins.values()) sum.won += wins;
  sum.answers += history.answers;
  sum.kills += history.kills;
  sum.duels += history.duels;
  for (const { relay } of history.players) sum.reconnects += relay.stats.reconnects;
}

if (import.meta.main) {
  const { seed, seeds } = flagsOrExit("races", HELP, {
    seed: { value: 1, least: 0, most: 2 ** 31, isWhole: true },
    seeds: { value: 200, least: 1, most: 1_000_000, isWhole: true },
  });
  try {
    console.log(JSON.stringify(await race(seed, seeds)));
  } catch (error) {
    console.error(error);
    Deno.exit(1);
  }
}
