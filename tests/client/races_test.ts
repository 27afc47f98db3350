// Tests host, claims, requests and events for some, all at once, over TCP and WebSocket, through cuts, members that
// close, break off for good and come: in random histories against a real relay on loopback.

import assert from "node:assert/strict";
import { seededRandom } from "../../src/simulation/random.ts";
import { connect, type Relay, RequestError } from "../../client.ts";
import { type RelayServer, serve } from "../../src/relay/relay.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { until } from "../support/old_relay.ts";

const SEEDS = 12;
const STEPS = 60;

/** A member, and what it was told in its order: who said what, and who leads from there on. */
interface Player {
  relay: Relay;
  told: string[];
}

class History {
  readonly #random: () => number;
  readonly #targets: string[];
  readonly players: Player[] = [];
  readonly #work: Promise<void>[] = [];
  /** How often each key was won. */
  readonly wins = new Map<string, number>();
  answers = 0;
  #count = 0;

  constructor(targets: string[], seed: number) {
    this.#targets = targets;
    this.#random = seededRandom(seed);
  }

  #pick(count: number): number {
    return Math.floor(this.#random() * count);
  }

  async join(): Promise<void> {
    const told: string[] = [];
    const relay = await connect(`${this.#targets[this.#pick(this.#targets.length)]}/races`, {
      echo: true,
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
    switch (this.#pick(8)) {
      case 0:
        return relay.passHost(this.#random() < 0.5 ? undefined : other.id);
      case 1: {
        const key = `key ${n}`;
        this.wins.set(key, 0);
        for (const { relay } of this.players) {
          this.#note(relay.claim(key, relay.id), (won) => won && this.#win(key));
        }
        return;
      }
      case 2:
        return this.#note(relay.request(other.id, n), (answer) => {
          assert.deepEqual(answer, [n]);
          this.answers++;
        });
      case 3:
        if (this.players.length < 6) await this.join();
        return;
      case 4:
        if (this.players.length < 4) return;
        this.players.splice(this.players.findIndex((player) => player.relay === relay), 1);
        return void this.#work.push(relay.close());
      default:
        for (let i = this.#pick(4); i >= 0; i--) relay.send(`${n}.${i}`);
        relay.send(`psst ${n}`, { to: other.id });
        await new Promise((done) => setTimeout(done, this.#pick(8)));
    }
  }

  #win(key: string): void {
    this.wins.set(key, this.wins.get(key)! + 1);
  }

  #note<T>(asked: Promise<T>, then: (value: T) => unknown): void {
    this.#work.push(
      asked.then(then, (error) => assert.ok(error instanceof RequestError, String(error))) as Promise<void>,
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

  /** Compares what all were told since the last of them came: the same events and hosts, in the same order. */
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

Deno.test("host, claims, requests and events for some hold over TCP and WebSocket, whatever races", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server: RelayServer = serve(listener);
  const { random } = Math;
  Math.random = () => 0; // no waits between attempts
  let won = 0, answers = 0, reconnects = 0;
  try {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const next = seededRandom(1000 + seed);
      const budget = () => 1500 + Math.floor(next() * 1500);
      await using proxy = new CuttingProxy(
        listener.addr.port,
        () => ({ up: budget() / 2 | 0, down: budget() }),
      );
      const direct = `127.0.0.1:${listener.addr.port}`;
      const history = new History([proxy.target, `ws://${proxy.target}`, direct, `ws://${direct}`], seed);
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
      for (const wins of history.wins.values()) won += wins;
      answers += history.answers;
      for (const { relay } of history.players) reconnects += relay.stats.reconnects;
    }
  } finally {
    Math.random = random;
    await server.close();
  }
  assert.ok(
    won > 20 && answers > 20 && reconnects > 10,
    `${won} won, ${answers} answers, ${reconnects} reconnects`,
  );
});
