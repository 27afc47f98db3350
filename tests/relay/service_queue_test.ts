// Holds ServiceQueue against its contract with clients that take the time they are given, on a clock that
// only they move: whose turn it is, for how long, and what is told of a turn that was too long.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { type Amount, type Demand, type Served, ServiceQueue } from "../../src/relay/service_queue.ts";
import { EventLoop } from "../../src/relay/event_loop.ts";

/** A clock, an event loop whose turns the test makes, and the queue on them. */
class Desk {
  nowMs = 1000;
  readonly served: string[] = [];
  #callbacks: (() => void)[] = [];
  readonly queue: ServiceQueue;

  constructor() {
    const loop = new EventLoop(() => this.nowMs);
    loop.call = (callback) => void this.#callbacks.push(callback);
    this.queue = new ServiceQueue(() => this.nowMs, loop);
  }

  /** Whether somebody waits. */
  get isTurnDue(): boolean {
    return this.#callbacks.length > 0;
  }

  /** Ends a turn and makes the next; returns who was served in it, and how long it took. */
  async turn(): Promise<[string, number]> {
    await new Promise<void>((done) => setImmediate(done));
    return this.callBack();
  }

  /** Calls back who asked for it, in this turn. */
  callBack(): [string, number] {
    this.served.length = 0;
    const startedMs = this.nowMs;
    for (const callback of this.#callbacks.splice(0)) callback();
    return [this.served.join(" "), Math.round((this.nowMs - startedMs) * 1000) / 1000];
  }

  come(client: Client, amount: Amount = "much"): void {
    this.queue.serve(client, this.nowMs, amount);
  }
}

/** Has work for so many ms, in pieces that can't be interrupted. */
class Client implements Served {
  readonly slow: [number, number][] = [];
  demand: Demand = "little";

  constructor(readonly desk: Desk, readonly name: string, public workMs: number, readonly pieceMs = 0.125) {}

  serve(untilMs: number): boolean {
    this.desk.served.push(this.name);
    do {
      this.desk.nowMs += this.pieceMs;
      this.workMs -= this.pieceMs;
    } while (this.workMs > 0 && this.desk.nowMs < untilMs);
    return this.workMs > 0;
  }

  onSlowTurn(turnMs: number, ownMs: number): void {
    this.slow.push([turnMs, ownMs]);
  }
}

Deno.test("ServiceQueue serves who comes alone at once, to the end, without a further turn", () => {
  const desk = new Desk();
  for (const amount of ["little", "hello", "much"] as const) {
    desk.come(new Client(desk, "a", 0.25), amount);
    assert.equal(desk.isTurnDue, false);
  }
  assert.deepEqual(desk.served, ["a", "a", "a"]);
});

Deno.test("ServiceQueue serves each for a part, one after the other, and ends the turn after half a millisecond", async () => {
  const desk = new Desk();
  const clients = ["a", "b", "c", "d", "e"].map((name) => new Client(desk, name, 1.25));
  const startedMs = desk.nowMs;
  for (const client of clients) desk.come(client);
  assert.deepEqual([desk.served.join(""), desk.nowMs - startedMs], ["a", 0.5]);
  for (const names of ["a", "b", "c", "d", "e"]) assert.deepEqual(await desk.turn(), [names, 0.5]);
  assert.deepEqual(await desk.turn(), ["a b", 0.75], "who has the rest of a turn has a whole part");
  for (const names of ["c", "d", "e", "b c", "d e"]) assert.deepEqual(await desk.turn(), [names, 0.5]);
  assert.equal(desk.isTurnDue, false);
});

Deno.test("ServiceQueue makes no turn longer for any number of clients, whatever they have", async () => {
  for (const amount of ["much", "hello", "little"] as const) {
    const desk = new Desk();
    const startedMs = desk.nowMs;
    for (let i = 0; i < 3000; i++) desk.come(new Client(desk, `${i}`, 1), amount);
    const mostMs = amount === "little" ? 2 : 0.5;
    assert.equal(desk.nowMs - startedMs, mostMs, "of those who came");
    for (let i = 0; i < 100; i++) {
      const [, tookMs] = await desk.turn();
      assert.ok(tookMs <= mostMs + 0.5, `${tookMs} ms`);
    }
  }
});

Deno.test("ServiceQueue serves who has little at once beside any number with more, and before them if the time is over", async () => {
  for (const amount of ["much", "hello"] as const) {
    const desk = new Desk();
    const more = () => new Client(desk, amount, 0.5, 0.5);
    for (let i = 0; i < 100; i++) desk.come(more(), amount); // they have all the time of the turn
    desk.served.length = 0;
    for (let i = 0; i < 17; i++) desk.come(new Client(desk, "little", 0.125), "little");
    assert.equal(desk.served.length, 16, "at once, for two milliseconds");
    assert.deepEqual(await desk.turn(), [`little ${amount}`, 0.625]);
  }
});

Deno.test("ServiceQueue gives those who come one quota until the loop has looked at its sockets again, over any number of turns", async () => {
  const desk = new Desk();
  const startedMs = desk.nowMs;
  for (let turn = 0; turn < 10; turn++) {
    for (let i = 0; i < 20; i++) desk.come(new Client(desk, "little", 0.125), "little");
    await new Promise<void>((done) => setImmediate(done));
  }
  assert.equal(desk.nowMs - startedMs, 2);
  assert.equal((await desk.turn())[1], 2);
  desk.come(new Client(desk, "little", 0.125), "little");
  assert.equal(desk.served.at(-1), "little", "at once, after a look");
});

Deno.test("ServiceQueue serves who comes alone at once, however much came in the turns before", async () => {
  for (const amount of ["little", "hello", "much"] as const) {
    const desk = new Desk();
    for (let i = 0; i < 20; i++) {
      desk.come(new Client(desk, "a", 0.5, 0.5), amount);
      assert.deepEqual([desk.served, desk.isTurnDue], [["a"], false], `${amount}, turn ${i}`);
      await desk.turn();
    }
  }
});

Deno.test("ServiceQueue serves those who say hello and those with much by turns", async () => {
  const desk = new Desk();
  for (let i = 0; i < 20; i++) {
    desk.come(new Client(desk, "much", 50, 0.5));
    desk.come(new Client(desk, "hello", 0.5, 0.5), "hello");
  }
  for (let i = 0; i < 10; i++) assert.equal((await desk.turn())[0], i % 2 === 0 ? "hello" : "much");
});

Deno.test("ServiceQueue gives those with much who come in a turn only what those who waited have left of it", async () => {
  const desk = new Desk();
  for (let i = 0; i < 10; i++) desk.come(new Client(desk, "waits", 50, 0.5));
  await desk.turn();
  desk.served.length = 0;
  desk.come(new Client(desk, "comes", 0.5));
  assert.deepEqual(desk.served, []);
});

Deno.test("ServiceQueue keeps nobody waiting for ever behind those who come with little", async () => {
  const desk = new Desk();
  const much = new Client(desk, "much", 5);
  const busy = () => new Client(desk, "little", 0.5, 0.5);
  for (let i = 0; i < 2; i++) desk.come(busy(), "little");
  desk.come(much);
  let turns = 0;
  for (; much.workMs > 0; turns++) {
    for (let i = 0; i < 10; i++) desk.come(busy(), "little");
    await desk.turn();
  }
  assert.ok(turns <= 10, `${turns} turns`);
});

Deno.test("ServiceQueue makes nobody with little wait for a hundred who need long for what is little, at first or later", async () => {
  const desk = new Desk();
  const slow = Array.from({ length: 100 }, () => new Client(desk, "slow", 0, 0.025));
  const waits: number[] = [];
  for (let round = 0; round < 8; round++) {
    for (const client of slow) {
      client.workMs = 0.375;
      desk.come(client, "little");
    }
    const quick = new Client(desk, "quick", 0.025, 0.025), startedMs = desk.nowMs;
    desk.come(quick, "little");
    while (quick.workMs > 0) await desk.turn();
    waits.push(desk.nowMs - startedMs);
    while (slow.some(({ workMs }) => workMs > 0)) await desk.turn(); // they go on once all were dealt with
  }
  assert.ok(waits[0] < 15, `at first ${waits[0]} ms`);
  assert.ok(Math.max(...waits.slice(1)) < 1, `later ${waits.slice(1)} ms`);
});

Deno.test("ServiceQueue lets one with little who was interrupted once, or needed long once, have its turn at once again", async () => {
  const desk = new Desk();
  const interrupted = new Client(desk, "interrupted", 4, 4), once = new Client(desk, "once", 0.75, 0.025);
  desk.come(interrupted, "little");
  await desk.turn();
  desk.come(once, "little");
  for (let i = 0; i < 3; i++) await desk.turn();
  once.workMs = 0.025;
  desk.come(once, "little");
  await desk.turn();
  for (let i = 0; i < 50; i++) desk.come(new Client(desk, "much", 5, 0.5));
  for (const client of [once, interrupted]) {
    client.workMs = 0.025;
    desk.served.length = 0;
    desk.come(client, "little");
    assert.deepEqual(desk.served, [client.name]);
  }
});

Deno.test("ServiceQueue tells who had the largest part of a turn of more than 50 ms, once, and of no shorter one", async () => {
  const desk = new Desk();
  const [a, b, c] = [20, 31, 50].map((ms) => new Client(desk, `${ms}`, ms, ms));
  for (const client of [c, a, b]) desk.come(client); // c has had the time of the first turn
  await desk.turn();
  assert.deepEqual([a.slow, b.slow, c.slow], [[], [], []], "50 ms are not more than 50");
  await desk.turn();
  await desk.turn();
  assert.deepEqual([a.slow, b.slow, c.slow], [[], [], []]);
  const [d, e] = [new Client(desk, "d", 0.25, 0.25), new Client(desk, "e", 51, 51)];
  for (const client of [d, e]) desk.come(client);
  await desk.turn();
  await desk.turn();
  assert.deepEqual([d.slow, e.slow], [[], [[51.25, 51]]]);
  const [f, g] = [new Client(desk, "f", 51, 51), new Client(desk, "g", 0.5, 0.5)];
  desk.come(f);
  desk.come(g, "little");
  await desk.turn();
  assert.deepEqual([f.slow, g.slow], [[[51.5, 51]], []], "not who was served last");
});

Deno.test("ServiceQueue calls no turn slow that begins with one who has to wait", async () => {
  const desk = new Desk();
  const clients = ["a", "b", "c"].map((name) => new Client(desk, name, 1.25));
  for (const client of clients) desk.come(client);
  await new Promise<void>((done) => setImmediate(done)); // the end of that turn, with b and c waiting
  const d = new Client(desk, "d", 0.25);
  desk.come(d);
  desk.callBack();
  for (let i = 0; i < 10; i++) await desk.turn();
  assert.equal(desk.isTurnDue, false);
  assert.deepEqual([...clients, d].map(({ slow }) => slow), [[], [], [], []]);
});

Deno.test("ServiceQueue takes for a look at the sockets only that something was read", () => {
  const desk = new Desk(),
    loop = new EventLoop(() => desk.nowMs),
    queue = new ServiceQueue(() => desk.nowMs, loop);
  desk.nowMs += 5;
  queue.serveAgain(new Client(desk, "a", 0.125), desk.nowMs);
  assert.deepEqual([desk.served, loop.isBusy(desk.nowMs)], [["a"], true]);
  const other = new ServiceQueue(() => desk.nowMs, loop);
  other.serve(new Client(desk, "b", 0.125), desk.nowMs, "little");
  assert.deepEqual([desk.served, loop.isBusy(desk.nowMs)], [["a", "b"], false]);
  void loop.close();
});
