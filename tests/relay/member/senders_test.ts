// Holds the stream of a session to what its marks say of senders: whatever happens, whoever begins, breaks, jumps or comes back knows of
// each event who sent it. In random histories of a lobby with sessions and plain clients, to all of whom everything happens.

import assert from "node:assert/strict";
import { seededRandom } from "../../../src/simulation/random.ts";
import { type Seat, Table, turn } from "../../support/session_table.ts";

/** A small log and a small window: everything that can happen happens soon. */
const OPTIONS = {
  maxLogBytes: 16 * 1024,
  windowBytes: 3000,
  maxLagMs: 3000,
  resumeMs: 20_000,
  pingTimeoutMs: 1e9,
};

const SEEDS = 200;

interface Said {
  by: string | null;
  n: number;
}

class History {
  readonly #random: () => number;
  readonly #seats: Seat[] = [];
  readonly #plain: Seat[] = [];
  readonly #seen = new Map<Seat["client"], number>();
  #said = 0;
  events = 0;
  gaps = 0;
  resumed = 0;

  constructor(readonly table: Table, seed: number) {
    this.#random = seededRandom(seed);
  }

  #pick(count: number): number {
    return Math.floor(this.#random() * count);
  }

  async run(steps: number): Promise<void> {
    for (let i = 0; i < 3; i++) this.#seats.push(await this.table.join());
    this.#plain.push(await this.table.joinPlain());
    for (let i = 0; i < steps; i++) {
      await this.#step();
      for (const { client } of this.#seats) this.#check(client);
    }
    for (let i = 0; i < this.#seats.length; i++) await this.#return(i);
    await this.table.pass(6000);
    await this.#say(0, 1);
    for (const { client } of this.#seats) this.#check(client);
  }

  async #step(): Promise<void> {
    const at = this.#pick(this.#seats.length), seat = this.#seats[at];
    const chance = this.#pick(100);
    if (chance < 45) await this.#say(at, 1 + this.#pick(3));
    else if (chance < 55) {
      const text = this.#lines(null, 1 + this.#pick(2)) +
        (chance % 2 ? `{"$from":{"id":"${seat.id}"}}\n` : "");
      this.#plain[0].feed(text);
      await turn();
    } else if (chance < 60) await this.#say(at, 120); // more than the log holds
    else if (chance < 68) await seat.ack();
    else if (chance < 74) seat.conn.takeBytes(this.#pick(2));
    else if (chance < 80) {
      seat.conn.takeBytes(Infinity);
      await turn();
    } else if (chance < 84) {
      seat.receive();
      seat.bytesDown = Math.min(seat.bytesDown, this.#pick(900));
    } else if (chance < 92) await this.#return(at);
    else if (chance < 94 && this.#seats.length < 5) this.#seats.push(await this.table.join());
    else if (chance < 96 && this.#seats.length > 2) {
      await seat.control("bye", {});
      this.#seats.splice(at, 1);
    } else await this.table.pass(this.#pick(3500));
  }

  #lines(by: string | null, count: number): string {
    return Array.from({ length: count }, () => {
      const said: Said = { by, n: this.#said++ };
      return JSON.stringify({ ...said, filler: "x".repeat(this.#pick(150)) }) + "\n";
    }).join("");
  }

  async #say(at: number, count: number): Promise<void> {
    const seat = this.#seats[at];
    await seat.say(this.#lines(seat.id, count));
  }

  async #return(at: number): Promise<void> {
    const { client } = this.#seats[at];
    await this.#seats[at].cut();
    const seat = this.#seats[at] = this.table.connect(client);
    seat.feed(client.hello());
    await turn();
    seat.receive();
    if (client.welcome.resumed) this.resumed++;
    seat.feed(client.owed);
    await seat.ack();
  }

  #check(client: Seat["client"]): void {
    for (const seat of this.#seats) seat.receive();
    const { events, senders } = client;
    for (let i = this.#seen.get(client) ?? 0; i < events.length; i++) {
      const event = JSON.parse(events[i]);
      if ("$from" in event) assert.equal(senders[i], null, "an imitation is an event of a plain client");
      else assert.equal(senders[i], event.by, `sender of ${events[i]}`);
      this.events++;
    }
    this.#seen.set(client, events.length);
    this.gaps = Math.max(this.gaps, client.told("lost").length);
  }
}

Deno.test("a session knows who sent each event, whatever happens", async () => {
  let events = 0, gaps = 0, resumed = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    await using table = new Table(OPTIONS);
    const history = new History(table, seed);
    try {
      await history.run(50);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    events += history.events;
    gaps += history.gaps;
    resumed += history.resumed;
  }
  assert.ok(
    events > 10_000 && gaps > 50 && resumed > 200,
    `${events} events, ${gaps} gaps, ${resumed} resumes`,
  );
});
