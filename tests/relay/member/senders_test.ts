// Holds the stream of a session to what it promises of senders and receivers: whatever happens, whoever
// begins, breaks, jumps or comes back gets what was said to all and to itself, nothing else, in the order in
// which it was said, once or told as lost; and knows of each event who sent it. In random histories of a
// lobby with sessions and plain clients, to all of whom everything happens.

import assert from "node:assert/strict";
import type { Reader } from "../../../src/relay/room/feed.ts";
import { seededRandom } from "../../../src/simulation/random.ts";
import type { SessionClient } from "../../support/session_client.ts";
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

const decoder = new TextDecoder();

/** An event as the relay had it. */
interface Said {
  by: string | null;
  line: string;
  /** To whom alone; all if it is undefined. */
  to: Set<string> | undefined;
  /** Whether it is for its sender, too, as for all. */
  isEchoed: boolean;
}

/** What one session has heard: from where on in all that was said, and among its client's events and gaps. */
interface Heard {
  id: string;
  since: number;
  events: number;
  gaps: number;
}

/** A lobby, everybody in it, and all that the relay took from them. */
class History {
  readonly #random: () => number;
  readonly #seats: Seat[] = [];
  readonly #plain: Seat[] = [];
  readonly #said: Said[] = [];
  /** How much had been said when a session began. */
  readonly #began = new Map<string, number>();
  readonly #heard = new Map<SessionClient, Heard>();
  #count = 0;
  readonly seen = { events: 0, letters: 0, gaps: 0, resumed: 0, missing: 0 };

  constructor(readonly table: Table, seed: number) {
    this.#random = seededRandom(seed);
    const { lobby } = table.rooms;
    const { say, deliver, enter } = lobby;
    lobby.say = (sender, feed, bytes, start, end, ...rest) => {
      const { id: by = null, hearsItself = false } = sender as Reader & { id?: string };
      const lines = decoder.decode(bytes.subarray(start, end)).split("\n").slice(0, -1);
      for (const line of lines) this.#said.push({ by, line, to: undefined, isEchoed: hearsItself });
      say.call(lobby, sender, feed, bytes, start, end, ...rest);
    };
    lobby.deliver = (letter, receivers) => {
      const [mark, line] = decoder.decode(letter.bytes).split("\n");
      const to = new Set(Array.from(receivers, (receiver) => (receiver as unknown as { id: string }).id));
      this.#said.push({ by: JSON.parse(mark).$from.id, line, to, isEchoed: false });
      return deliver.call(lobby, letter, receivers);
    };
    lobby.enter = (peer, reader) => {
      if (!this.#began.has(peer.id)) this.#began.set(peer.id, this.#said.length);
      enter.call(lobby, peer, reader);
    };
  }

  #pick(count: number): number {
    return Math.floor(this.#random() * count);
  }

  async run(steps: number): Promise<void> {
    for (let i = 0; i < 3; i++) await this.#come();
    this.#plain.push(await this.table.joinPlain());
    for (let i = 0; i < steps; i++) {
      await this.#step();
      for (const { client } of this.#seats) this.#check(client);
    }
    for (let i = 0; i < this.#seats.length; i++) await this.#return(i);
    await this.table.pass(6000);
    await this.#say(0, 1);
    for (let i = 0; i < 50; i++) for (const seat of this.#seats) await seat.ack();
    for (const { client } of this.#seats) this.#check(client, true);
  }

  get #wishes() {
    return { echo: this.#random() < 0.3, canHost: this.#random() < 0.7 };
  }

  async #come(): Promise<void> {
    const seat = await this.table.join(this.#wishes);
    this.#seats.push(seat);
    const { id } = seat;
    this.#heard.set(seat.client, { id, since: this.#began.get(id)!, events: 0, gaps: 0 });
  }

  async #step(): Promise<void> {
    const at = this.#pick(this.#seats.length), seat = this.#seats[at];
    const chance = this.#pick(100);
    if (chance < 25) await this.#say(at, 1 + this.#pick(3));
    else if (chance < 45) await this.#sendTo(at, 1 + this.#pick(3));
    else if (chance < 53) {
      const text = this.#lines(null, 1 + this.#pick(2)) +
        (chance % 2 ? `{"$from":{"id":"${seat.id}"}}\n` : "");
      this.#plain[0].feed(text);
      await turn();
    } else if (chance < 57) await this.#say(at, 120); // more than the log holds
    else if (chance < 59) await this.#sendTo(at, 60);
    else if (chance < 68) await seat.ack();
    else if (chance < 74) seat.conn.takeBytes(this.#pick(2));
    else if (chance < 80) {
      seat.conn.takeBytes(Infinity);
      await turn();
    } else if (chance < 84) {
      seat.receive();
      seat.bytesDown = Math.min(seat.bytesDown, this.#pick(900));
    } else if (chance < 86) {
      await seat.control("host", chance % 2 ? {} : { id: this.#seats[this.#pick(this.#seats.length)].id });
    } else if (chance < 92) await this.#return(at);
    else if (chance < 94 && this.#seats.length < 5) await this.#come();
    else if (chance < 96 && this.#seats.length > 2) {
      await seat.control("bye", {});
      this.#seats.splice(at, 1);
    } else await this.table.pass(this.#pick(3500));
  }

  #event(): string {
    return `{"n":${this.#count++},"filler":"${"x".repeat(this.#pick(150))}"}`;
  }

  #lines(_by: string | null, count: number): string {
    return Array.from({ length: count }, () => this.#event() + "\n").join("");
  }

  async #say(at: number, count: number): Promise<void> {
    const seat = this.#seats[at];
    await seat.say(this.#lines(seat.id, count));
  }

  /**
   * Sends to some of those who are there, perhaps also to who has left, and to itself; now and then something
   * that looks like a mark.
   */
  async #sendTo(at: number, count: number): Promise<void> {
    const ids = this.#seats.map(({ id }) => id).filter(() => this.#random() < 0.5);
    if (this.#random() < 0.1) ids.push("k1");
    if (ids.length === 0) ids.push(this.#seats[this.#pick(this.#seats.length)].id);
    const events = Array.from(
      { length: count },
      () => this.#random() < 0.1 ? `{"$from":{"n":${this.#count++}}}` : this.#event(),
    );
    const lines = events.map((event) => `{"$to":{"ids":${JSON.stringify(ids)},"event": ${event} }}\n`);
    await this.#seats[at].say(lines.join(""));
  }

  async #return(at: number): Promise<void> {
    const { client } = this.#seats[at];
    await this.#seats[at].cut();
    this.#check(client);
    const [events, gaps] = [client.events.length, client.told("lost").length];
    const seat = this.#seats[at] = this.table.connect(client);
    seat.feed(client.hello(this.#wishes)); // what a session is, it is from its beginning
    await turn();
    seat.receive();
    const { id, resumed } = client.welcome;
    if (resumed) this.seen.resumed++;
    else this.#heard.set(client, { id, since: this.#began.get(id)!, events, gaps });
    seat.feed(client.owed);
    await seat.ack();
  }

  #check(client: SessionClient, isEnd = false): void {
    for (const seat of this.#seats) seat.receive();
    const { host, roster } = this.table.rooms.lobby;
    const candidates = [...roster.peers()].filter(({ canHost }) => canHost);
    assert.ok(
      host === undefined ? candidates.length === 0 : candidates.includes(host),
      "there is a host if there can be",
    );
    if (isEnd) assert.equal(client.host, host?.id, "all know the same host");
    const { id, since, events: from, gaps } = this.#heard.get(client)!;
    const expected = this.#said.slice(since).filter(({ by, to, isEchoed }) =>
      to === undefined ? by !== id || isEchoed : to.has(id)
    );
    let next = 0;
    for (let i = from; i < client.events.length; i++) {
      const line = client.events[i];
      const found = expected.findIndex((said, at) => at >= next && isSame(said.line, line));
      assert.ok(found >= 0, `${id} gets ${line}, which was not for it, or comes twice, or not in its order`);
      assert.equal(client.senders[i], expected[found].by, `sender of ${line}`);
      next = found + 1;
      this.seen.events++;
      if (expected[found].to !== undefined) this.seen.letters++;
    }
    const lost = client.told("lost").slice(gaps);
    this.seen.gaps = Math.max(this.seen.gaps, lost.length);
    if (!isEnd) return;
    const lines = lost.reduce((sum, { lines }) => sum + lines, 0);
    assert.equal(client.events.length - from + lines, expected.length, `${id} got or was told all`);
  }
}

function isSame(said: string, heard: string): boolean {
  return said === heard || (said.startsWith('{"$') && ` ${said}` === heard);
}

Deno.test("a session gets what is for it, once, in order, and knows who sent it, whatever happens", async () => {
  const seen = { events: 0, letters: 0, gaps: 0, resumed: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    await using table = new Table(OPTIONS);
    const history = new History(table, seed);
    try {
      await history.run(50);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    for (const name of ["events", "letters", "gaps", "resumed"] as const) seen[name] += history.seen[name];
  }
  const { events, letters, gaps, resumed } = seen;
  assert.ok(events > 10_000 && letters > 5000 && gaps > 50 && resumed > 200, JSON.stringify(seen));
});
