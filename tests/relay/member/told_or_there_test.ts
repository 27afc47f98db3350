// Holds sessions to the promise that all of them rest on: whatever happens, what is received and what is told
// lost are together all that was said, in order, nothing twice; and who is there and what holds is known in
// the end. In random histories, over good and bad networks.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { ManualTime } from "../../support/manual_time.ts";
import { type Seat, Table, turn } from "../../support/session_table.ts";

/** A small log and a small window: everything that can happen happens soon. */
const OPTIONS = {
  maxLogBytes: 16 * 1024,
  windowBytes: 1500,
  maxLagMs: 3000,
  resumeMs: 20_000,
  pingTimeoutMs: 1e9,
};

const STEP = fc.record({
  do: fc.constantFrom(
    ...[
      "say",
      "say",
      "say",
      "say",
      "pass",
      "pass",
      "get",
      "flood",
      "own",
      "come",
      "go",
      "set",
      "set",
      "unset",
      "room",
    ],
    ...["ack", "ack", "ack", "ping", "bad", "stall", "read", "cut", "return", "return", "replace"],
  ),
  count: fc.nat(5000),
});

/** Ada, to whom everything happens, and bo, who says all that there is to hear. */
class History {
  ada!: Seat;
  bo!: Seat;
  readonly #others: Seat[] = [];
  #said = 0;
  #seen = 0;
  #expected = 0;
  lost = 0;
  resumed = 0;

  #seed: number;

  constructor(readonly table: Table, readonly simulate: string, seed: number) {
    this.#seed = seed;
  }

  async begin(): Promise<void> {
    this.bo = await this.table.join({ room: "r", name: "bo" });
    this.ada = await this.table.join({ room: "r", name: "ada", simulate: this.#network });
    for (let i = 0; i < 30 && this.ada.client.welcome === undefined; i++) await this.table.pass(1000);
    await this.ada.ack();
  }

  async #say(count: number): Promise<void> {
    let text = "";
    for (let i = 0; i < count; i++) {
      text += `{"n":${this.#said++},"filler":"${"x".repeat(this.#said % 80)}"}\n`;
    }
    await this.bo.say(text);
    await this.bo.ack();
  }

  async step(what: string, count: number): Promise<void> {
    const { ada, bo, table } = this;
    switch (what) {
      case "say":
        return await this.#say(count % 12);
      case "flood":
        for (let i = 0; i < 4; i++) await this.#say(80);
        return;
      case "pass":
        return await table.pass(count);
      case "own":
        return await ada.say(`"${"o".repeat(count % 1000)}"\n`);
      case "come": {
        if (this.#others.length >= 4) return;
        const other = await table.join({ room: "r", name: `other ${count % 10}` });
        this.#others.push(other);
        return await other.set("mine", count);
      }
      case "go":
        return await this.#others.splice(count % 4, 1)[0]?.control("bye", {});
      case "set":
        return await bo.set(`k${count % 5}`, "v".repeat(count % 300));
      case "unset":
        return await bo.set(`k${count % 5}`);
      case "room":
        return await (count % 2 ? bo : ada).set("shared", count % 3 ? count : undefined, true);
      case "ack":
        return await this.ada.ack();
      case "ping":
        return await ada.control("ping", { t: count });
      case "bad":
        return await ada.control("set", { key: "", value: count });
      case "stall":
        return ada.conn.takeBytes(count % 2);
      case "read":
        ada.conn.takeBytes(Infinity);
        return await turn();
      case "get":
        ada.receive();
        ada.bytesDown = Math.min(ada.bytesDown, count % 900);
        return;
      case "cut":
        return await ada.cut();
      case "replace":
        ada.receive();
        return await this.#return();
      case "return":
        await ada.cut();
        return await this.#return();
    }
  }

  /** Comes back, as often as it takes: the network may break before the welcome is there. */
  async #return(): Promise<void> {
    this.check();
    const before = this.ada.client.welcome;
    let saidBefore = 0;
    for (let i = 0; i < 60 && this.ada.client.welcome === before; i++) {
      if (i === 0 || this.ada.conn.isClosed) {
        this.ada = this.table.connect(this.ada.client);
        saidBefore = this.#said;
        this.ada.feed(this.ada.client.hello({ room: "r", name: "ada", simulate: this.#network }));
        await turn();
      } else await this.table.pass(500);
      this.ada.receive();
    }
    const { welcome } = this.ada.client;
    assert.notEqual(welcome, before, "there is a welcome");
    if (welcome.resumed) this.resumed++;
    else this.#expected = saidBefore; // a new member, who hears what is said from now on
    this.ada.feed(this.ada.client.owed);
    if (!welcome.resumed) await this.ada.ack();
    await turn();
    this.check();
  }

  /** Another one each time, as networks are. */
  get #network(): string {
    return this.simulate === "" ? "" : `${this.simulate},seed=${this.#seed++}`;
  }

  /** Looks at all that has come since the last time. */
  check(): void {
    this.ada.receive();
    const { lines } = this.ada.client;
    for (; this.#seen < lines.length; this.#seen++) {
      const line = lines[this.#seen];
      if (line.startsWith('{"$lost"')) {
        this.#expected += JSON.parse(line).$lost.lines;
        this.lost++;
      } else if (!line.startsWith('{"$')) assert.equal(JSON.parse(line).n, this.#expected++, "the next one");
    }
  }

  async end(): Promise<void> {
    if (this.ada.conn.isClosed || this.ada.bytesDown < Infinity) await this.step("return", 0);
    this.ada.conn.takeBytes(Infinity);
    const late = await this.table.join({ room: "r" });
    for (let i = 0, quiet = 0; i < 1000 && quiet < 50; i++) {
      const before = this.ada.client.received;
      await this.ada.ack();
      await this.table.pass(100);
      if (this.ada.conn.isClosed) await this.step("return", 0); // a network that breaks
      this.check();
      const isAll = this.#expected === this.#said && this.ada.client.peers.has(late.id);
      quiet = isAll && this.ada.client.received === before ? quiet + 1 : 0;
    }
    assert.equal(this.#expected, this.#said, "received and told are all");
    const known = ({ client }: Seat) =>
      Object.fromEntries([...client.peers].map(([id, state]) => [id, Object.fromEntries(state)]));
    await late.ack(); // ada may have gone and come meanwhile
    const truth = { ...known(late), [late.id]: {} };
    delete truth[this.ada.id];
    assert.deepEqual(known(this.ada), truth, "who is there and what holds");
  }
}

for (
  const [name, simulate, numRuns] of [["", "", 200], ["slow", "delay=200ms,jitter=150ms,spike=2s/1s", 100], [
    "narrow",
    "rate=1k,delay=50ms",
    60,
  ], ["broken", "stall=2s/3s,delay=20ms,cut=10s", 60]] as const
) {
  Deno.test(`a session over a ${name || "good"} network is told or given all that is said, in order, whatever happens`, async () => {
    let lost = 0, resumed = 0;
    const property = fc.asyncProperty(
      fc.array(STEP, { maxLength: 60, size: "max" }),
      fc.nat(1000),
      async (steps, seed) => {
        await using table = new Table(OPTIONS, simulate === "" ? undefined : new ManualTime());
        const history = new History(table, simulate, seed);
        await history.begin();
        for (const { do: what, count } of steps) await history.step(what, count);
        await history.end();
        lost += history.lost;
        resumed += history.resumed;
      },
    );
    // Made at random, one series in a hundred has no gap.
    for (let series = 0; series === 0 || (series < 5 && (lost === 0 || resumed === 0)); series++) {
      await fc.assert(property, { numRuns });
    }
    assert.ok(lost > 0 && resumed > 0, `${lost} gaps, ${resumed} resumes: the histories are eventful`);
  });
}
