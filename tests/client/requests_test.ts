// Tests what client.ts asks other members and the relay, against a real relay over TCP on loopback: requests,
// claims, rooms, and who is the host.

import assert from "node:assert/strict";
import { seededRandom } from "../../src/simulation/random.ts";
import {
  compareIds,
  type ConnectOptions,
  type Peer,
  type Relay,
  type RelayError,
  RequestError,
} from "../../client.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { NewRelay } from "../support/new_relay.ts";
import { connect, withoutBackoff } from "../support/relay_client.ts";
import { until } from "../support/deadline.ts";

function failsWith(code: string, message?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof RequestError, String(error));
    assert.equal(error.code, code);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}

/** What a program may throw, and what who has asked is told. */
const THROWN: [thrown: unknown, why: RegExp][] = [
  [null, /null$/],
  [Symbol("s"), /Symbol\(s\)$/],
  [Object.create(null), /it threw what has no text$/],
  [{
    toString() {
      throw new Error("no");
    },
  }, /it threw what has no text$/],
  [Object.assign(new Error(), { message: 5 }), /: 5$/],
];

Deno.test("Relay.request resolves with what the other's onRequest answers, and is no event", async () => {
  await using server = new NewRelay();
  let what: unknown;
  const onRequest = async (event: unknown, from: Peer) => {
    await Promise.resolve();
    if (event === "throw") throw new Error("not today");
    if (event === "any") throw what;
    if (event === "bigint") return 1n;
    if (event === "nothing") return undefined;
    if (event === "long") return "x".repeat(70_000);
    return { got: event, from: from.name };
  };
  await using ada = await connect(server.target, { name: "ada" });
  await using bo = await connect(server.target, { name: "bo", onRequest });
  await using cy = await connect(server.target);
  await until(() => ada.peers.size === 2, "all are there");
  assert.deepEqual(await ada.request(bo.id, [1]), { got: [1], from: "ada" });
  assert.deepEqual(await ada.request(ada.peers.get(bo.id)!, { $from: {} }), {
    got: { $from: {} },
    from: "ada",
  });
  assert.deepEqual(await bo.request(bo.id, null), { got: null, from: "bo" });
  assert.equal(await ada.request(bo.id, "nothing"), null);
  await assert.rejects(ada.request(bo.id, "throw"), failsWith("failed", /^Cannot request "k2": not today$/));
  await assert.rejects(ada.request(bo.id, "bigint"), failsWith("failed", /BigInt/));
  await assert.rejects(ada.request(bo.id, "long"), failsWith("failed", /maxLineBytes is 65536/));
  for (const [thrown, why] of THROWN) {
    what = thrown;
    await assert.rejects(ada.request(bo.id, "any"), failsWith("failed", why));
  }
  await assert.rejects(ada.request(cy.id, 1), failsWith("failed", /it answers no requests/));
  await assert.rejects(ada.request("k99", 1), failsWith("no_such_peer", /nobody here has the id "k99"/));
  await assert.rejects(
    ada.request("x".repeat(60_000), 1),
    failsWith("no_such_peer", /^Cannot request "x{40}…": nobody here has the id "x{40}…"$/),
  );
  const many = await Promise.all(Array.from({ length: 500 }, (_, n) => ada.request(bo.id, n)));
  assert.deepEqual(
    many.map((answer) => (answer as { got: number }).got),
    Array.from({ length: 500 }, (_, n) => n),
  );
  assert.deepEqual([ada.drain(), bo.drain(), cy.drain()], [[], [], []]);
});

Deno.test("Relay that can send but short lines answers as far as that goes, and lives on", async () => {
  await using server = new NewRelay();
  await using ada = await connect(server.target);
  for (const maxLineBytes of [20, 60]) {
    await using bo = await connect(server.target, { maxLineBytes, onRequest: (event) => event });
    await until(() => ada.peers.has(bo.id), "bo");
    const isTooShort = maxLineBytes < 60, timeoutMs = isTooShort ? 100 : 10_000;
    const outcome = await ada.request(bo.id, 1, { timeoutMs }).catch(({ code }) => code);
    assert.equal(outcome, isTooShort ? "timeout" : 1);
    await assert.rejects(ada.request(bo.id, "x".repeat(100), { timeoutMs: 100 }), failsWith("timeout"));
    ada.send("on");
    await until(() => bo.drain().includes("on"), "the next event");
  }
});

Deno.test("Relay.request ends when the time is over, who was asked leaves, or it is closed", async () => {
  await using server = new NewRelay();
  const ada = await connect(server.target);
  const stuck = await connect(server.target, { onRequest: () => new Promise(() => {}) });
  await assert.rejects(
    ada.request(stuck.id, 1, { timeoutMs: 5 }),
    failsWith("timeout", /no answer within 5 ms/),
  );
  const huge = [Infinity, 1e12, 2 ** 31].map((timeoutMs) => ada.request(stuck.id, 1, { timeoutMs }));
  const outcome = await Promise.race([...huge, new Promise((done) => setTimeout(done, 30, "waiting"))]);
  assert.equal(outcome, "waiting");
  await stuck.close();
  for (const answer of huge) await assert.rejects(answer, failsWith("left"));
  const self = await connect(server.target, { onRequest: () => new Promise(() => {}) });
  const last = self.request(self.id, 1);
  await self.close();
  await assert.rejects(last, failsWith("closed"));
  for (
    const [timeoutMs, name] of [[0, "RangeError"], [-1, "RangeError"], [NaN, "RangeError"], [
      "1",
      "TypeError",
    ]] as const
  ) await assert.rejects(ada.request("k1", 1, { timeoutMs: timeoutMs as number }), { name });
  await assert.rejects(ada.request("k1", undefined), { name: "TypeError" });
  for (
    const [peer, shown] of [[null, "null"], [["k1"], "an array"], [["k1", "k2"], "an array"], [
      {},
      "an object",
    ]]
  ) {
    const message = `Cannot request: peer is ${shown}, a peer or its id is allowed`;
    await assert.rejects(ada.request(peer as never, 1), { name: "TypeError", message });
  }
  await ada.close();
  await assert.rejects(ada.claim("k", 1), failsWith("closed"));
  await assert.rejects(ada.request("k1", 1), failsWith("closed"));
  await assert.rejects(ada.rooms(), failsWith("closed"));
});

Deno.test("what is asked while the relay is away is asked once it is back, restarted or not, but of members who are gone", async () => {
  await using server = new NewRelay();
  await withoutBackoff(async () => {
    const onRequest = (event: unknown) => event;
    const ada = await connect(`${server.target}/pong`, { onRequest });
    const bo = await connect(`${server.target}/pong`, { onRequest });
    await until(() => ada.peers.size === 1, "bo");
    await server.stop();
    await until(() => ada.status !== "connected" && bo.status !== "connected", "nobody is connected");
    const claims = [ada.claim("ball", 1), ada.claim("ball", 2), ada.claim("goal", 3, { hold: true })];
    const given = ada.claim("late", 1, { timeoutMs: 1 });
    const rooms = ada.rooms();
    const requests = [ada.request(bo.id, 1), ada.request(ada.id, 2), ada.request("k99", 3)].map((answer) =>
      assert.rejects(answer, (error) => {
        assert.match((error as RequestError).code, /^(left|not_resumed)$/);
        return true;
      })
    );
    await assert.rejects(given, failsWith("timeout"));
    server.start();
    assert.deepEqual(await Promise.all(claims), [true, false, true]);
    await Promise.all(requests);
    assert.deepEqual((await rooms).rooms.map(({ name }) => name), ["pong"]);
    assert.deepEqual({ ...ada.state }, { ball: 1, goal: 3 }, "and nothing that was given up");
    await ada.close();
    await until(() => bo.status === "connected" && bo.state.ball === 1, "bo is back");
    assert.equal(await bo.claim("goal", 4), true, "it was held");
    await bo.close();
  });
});

Deno.test("Relay.claim that was never sent is not made by a goodbye", async () => {
  await using server = new NewRelay();
  const ada = await connect(server.target), bo = await connect(server.target);
  const claim = ada.claim("ball", 1);
  await ada.close();
  await assert.rejects(claim, failsWith("closed"));
  assert.equal(await bo.claim("ball", 2), true);
});

Deno.test("Relay.claim has its place behind what its program set of the room before", async () => {
  await using server = new NewRelay();
  await using ada = await connect(server.target);
  ada.set("ball", 1, { room: true });
  assert.equal(await ada.claim("ball", 2), false);
  ada.unset("ball", { room: true });
  assert.equal(await ada.claim("ball", 3), true);
  assert.equal(ada.state.ball, 3);
});

Deno.test("Relay.request is answered once over cuts, by who was asked alone", async () => {
  await using server = new NewRelay();
  await using proxy = new CuttingProxy(server.port, () => ({ up: 1200, down: 1500 }));
  await withoutBackoff(async () => {
    let asked = 0;
    await using ada = await connect(proxy.target);
    await using bo = await connect(proxy.target, { onRequest: (n) => ++asked && (n as number) * 2 });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => ada.request(bo.id, n)));
    assert.deepEqual(answers, Array.from({ length: 200 }, (_, n) => n * 2));
    assert.equal(asked, 200);
    assert.ok(ada.stats.reconnects + bo.stats.reconnects > 2);
  });
});

Deno.test("Relay.claim is won by exactly one of all that try, and the state shows who", async () => {
  await using server = new NewRelay();
  await using proxy = new CuttingProxy(server.port, () => ({ up: 1500, down: 2500 }));
  await withoutBackoff(async () => {
    const relays = await Promise.all(
      Array.from({ length: 8 }, (_, n) => connect(`${n % 2 ? proxy.target : server.target}/r`)),
    );
    for (let round = 0; round < 40; round++) {
      const key = `ball ${round % 3}`;
      const won = await Promise.all(relays.map(async (relay, n) => {
        const hasWon = await relay.claim(key, { by: n, round });
        const { by } = relay.state[key] as { by: number };
        assert.equal(by === n, hasWon, "the state shows the winner when it is answered");
        return hasWon;
      }));
      assert.equal(won.filter(Boolean).length, 1, `round ${round}`);
      relays[won.indexOf(true)].unset(key, { room: true });
      await until(() => relays.every(({ state }) => !(key in state)), "it is released");
    }
    for (const relay of relays) await relay.close();
  });
});

Deno.test("Relay.claim with hold is released when its holder leaves, another's value stays", async () => {
  await using server = new NewRelay();
  await using ada = await connect(server.target, { name: "ada" });
  const bo = await connect(server.target);
  assert.deepEqual([await bo.claim("held", 1, { hold: true }), await bo.claim("kept", 2)], [true, true]);
  assert.equal(await bo.claim("taken", 3, { hold: true }), true);
  assert.equal(await bo.claim("held", 4), false, "also for who has it");
  bo.set("held", "changed", { room: true });
  await until(() => ada.state.held === "changed", "it is changed, and held all the same");
  ada.set("taken", "mine", { room: true });
  await until(() => bo.state.taken === "mine", "it is overwritten");
  assert.equal(await ada.claim("held", 5), false);
  await bo.close();
  await until(() => !("held" in ada.state), "it is released");
  assert.deepEqual({ ...ada.state }, { kept: 2, taken: "mine" });
  assert.equal(await ada.claim("held", 6), true);
});

Deno.test("Relay.claim with hold is released when its holder leaves, also where the relay was restarted meanwhile", async () => {
  await withoutBackoff(async () => {
    await using server = new NewRelay();
    const bo = await connect(server.target);
    assert.deepEqual([await bo.claim("held", 1, { hold: true }), await bo.claim("kept", 2)], [true, true]);
    await server.stop();
    server.start();
    await using ada = await connect(server.target);
    await until(() => ada.state.held === 1 && ada.state.kept === 2, "both are set again");
    await bo.close();
    await until(() => !("held" in ada.state), "it is released");
    assert.deepEqual({ ...ada.state }, { kept: 2 });
  });
});

Deno.test("Relay.claim rejects where the room is full, and refuses what can't be a key or a value", async () => {
  await using server = new NewRelay({ maxKeys: 2 });
  await using ada = await connect(server.target);
  await using plain = await connect(server.target, { plain: true });
  assert.deepEqual([await ada.claim("a", 1), await ada.claim("b", null)], [true, true]);
  await assert.rejects(ada.claim("c", 1), failsWith("too_many_keys", /^Cannot claim "c": /));
  assert.equal(await ada.claim("b", 1), false, "null is a value");
  await assert.rejects(ada.claim("", 1), {
    name: "RangeError",
    message: /^Cannot claim: the key has 0 char/,
  });
  await assert.rejects(ada.claim("\ud800", 1), { name: "RangeError", message: /the key has half/ });
  await assert.rejects(ada.claim(1 as never, 1), { name: "TypeError" });
  await assert.rejects(ada.claim("d", undefined), {
    name: "TypeError",
    message: /^Cannot claim "d": it is und/,
  });
  await assert.rejects(ada.claim("d", "x".repeat(20_000)), {
    name: "RangeError",
    message: 'Cannot claim "d": it has 20002 bytes, maxValueBytes is 16384',
  });
  await assert.rejects(ada.claim("d", 1, { hold: "yes" } as never), { name: "TypeError" });
  await assert.rejects(plain.claim("d", 1), { name: "TypeError" });
});

Deno.test("Relay.claim refuses what no line holds, which the relay would not answer", async () => {
  await using server = new NewRelay({ maxLineBytes: 1024 });
  await using ada = await connect(server.target);
  await assert.rejects(ada.claim("k", "x".repeat(1000)), {
    name: "RangeError",
    message: 'Cannot claim "k": it has 1043 bytes, maxLineBytes is 1024',
  });
  assert.equal(await ada.claim("k", "x".repeat(900)), true);
});

Deno.test("Relay.claim answers each of many that are asked in one turn, with long values", async () => {
  await using server = new NewRelay();
  await using ada = await connect(server.target), bo = await connect(server.target);
  const keys = Array.from({ length: 50 }, (_, n) => `k${n}`);
  await Promise.all(keys.map((key) => ada.claim(key, "x".repeat(16_000))));
  const answers = await Promise.all(keys.map((key) => bo.claim(key, 1)));
  assert.deepEqual(answers, keys.map(() => false));
});

Deno.test("Relay.rooms lists the fullest first, without hidden ones, and says how many more", async () => {
  await using server = new NewRelay();
  const relays: Relay[] = [];
  for (const room of ["one", "two", "two", ".secret", "three", "three", "three"]) {
    relays.push(await connect(server.target, { room, ...(room === "two" ? { maxMembers: 2 } : {}) }));
  }
  assert.deepEqual(await relays[0].rooms(), {
    rooms: [{ name: "three", members: 3 }, { name: "two", members: 2, maxMembers: 2 }, {
      name: "one",
      members: 1,
    }],
    more: 0,
  });
  for (let n = 0; n < 105; n++) relays.push(await connect(server.target, { room: `r${n}` }));
  const { rooms, more } = await relays[3].rooms();
  assert.deepEqual([rooms.length, more, rooms[0].name], [100, 8, "three"], "and whoever has just come");
  const many = await Promise.all(Array.from({ length: 150 }, () => relays[0].rooms()));
  assert.ok(many.every((list) => list.more === 8), "more than 256 KiB of answers in one turn");
  for (const relay of relays) await relay.close();
});

/** Welcomes one session, and answers nothing that it asks. */
async function welcomeAndIgnore(listener: Deno.TcpListener): Promise<void> {
  using conn = await listener.accept();
  let nonce: string | undefined;
  for await (const text of conn.readable.pipeThrough(new TextDecoderStream())) {
    if (nonce !== undefined) continue;
    nonce = JSON.parse(text.slice(0, text.indexOf("\n"))).$hello.nonce;
    const welcome = {
      version: 1,
      id: "k1",
      room: "r",
      session: "s",
      time: Date.now(),
      peers: [],
      state: {},
      nonce,
    };
    await conn.write(new TextEncoder().encode(JSON.stringify({ $welcome: welcome }) + "\n"));
  }
}

Deno.test("Relay.claim and Relay.rooms end when the relay does not answer in time, and say so", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = welcomeAndIgnore(listener).catch(() => {});
  const ada = await connect(`127.0.0.1:${listener.addr.port}`);
  const why = /no answer of the relay within 5 ms, so it may have been done or not$/;
  await assert.rejects(ada.claim("k", 1, { timeoutMs: 5 }), failsWith("timeout", why));
  await assert.rejects(ada.rooms({ timeoutMs: 5 }), failsWith("timeout", /^Cannot list rooms: no answer/));
  const patient = [ada.claim("k", 1), ada.claim("k", 1, { timeoutMs: Infinity }), ada.rooms()];
  assert.equal(
    await Promise.race([...patient, new Promise((done) => setTimeout(done, 30, "waiting"))]),
    "waiting",
  );
  for (const [timeoutMs, name] of [[0, "RangeError"], [NaN, "RangeError"], ["1", "TypeError"]] as const) {
    const options = { timeoutMs: timeoutMs as number };
    await assert.rejects(ada.claim("k", 1, options), { name, message: /^Cannot claim: timeoutMs is/ });
    await assert.rejects(ada.rooms(options), { name, message: /^Cannot list rooms: timeoutMs is/ });
  }
  await assert.rejects(ada.rooms({ timeout: 5 } as never), { name: "TypeError" });
  await ada.close();
  for (const answer of patient) await assert.rejects(answer, failsWith("closed"));
  await served;
});

Deno.test("connect with maxMembers closes a room for more; who comes first sets it, until it is empty", async () => {
  await using server = new NewRelay();
  const ada = await connect(`${server.target}/duel`, { maxMembers: 2 });
  const bo = await connect(`${server.target}/duel`, { maxMembers: 99 });
  await assert.rejects(connect(`${server.target}/duel`), /it has 2 members, no more are allowed/);
  await bo.close();
  const cy = await connect(`${server.target}/duel`);
  await assert.rejects(connect(`${server.target}/duel`, { maxMembers: 5 }), /it has 2 members/);
  await ada.close();
  await cy.close();
  const relays = await Promise.all([1, 2, 3].map(() => connect(`${server.target}/duel`, { maxMembers: 3 })));
  for (const relay of relays) await relay.close();
  for (const maxMembers of [0, -1, 1.5, NaN, "2"] as number[]) {
    await assert.rejects(connect(`${server.target}/duel`, { maxMembers }), /maxMembers is/);
  }
  await assert.rejects(connect(server.target, { maxMembers: 2 }), /open to all/);
  await assert.rejects(connect(server.target, { any: true }), /open to all/);
});

Deno.test("Relay.joinAny puts members together, as many as a room takes, however close they come", async () => {
  await using server = new NewRelay();
  await using lobby = await connect(server.target, { name: "ada" });
  const relays = await Promise.all(
    Array.from({ length: 11 }, () => lobby.joinAny("pong", { maxMembers: 2 })),
  );
  const rooms = Map.groupBy(relays, ({ room }) => room);
  assert.deepEqual([...rooms.keys()].sort(), ["pong", "pong-2", "pong-3", "pong-4", "pong-5", "pong-6"]);
  assert.deepEqual([...rooms.values()].map(({ length }) => length).sort(), [1, 2, 2, 2, 2, 2]);
  assert.ok(relays.every(({ name }) => name === "ada"));
  const [gone, stays] = rooms.get("pong-3")!;
  await gone.close();
  await until(() => stays.peers.size === 0, "one has left");
  const next = await lobby.joinAny("pong", { maxMembers: 2 });
  assert.equal(next.room, "pong-3", "the first with a place");
  const four = await lobby.joinAny("pong", { maxMembers: 4 });
  assert.equal(four.room, "pong-7", "one of another size will not do");
  server.cut();
  await until(() => next.stats.reconnects === 1 && next.status === "connected", "it is back");
  assert.equal(next.room, "pong-3");
  for (const relay of [...relays, next, four]) await relay.close();
});

Deno.test("joinAny keeps a pair in its room over restarts of the relay, and names do not grow", async () => {
  await using server = new NewRelay();
  await withoutBackoff(async () => {
    const relays = await Promise.all(
      Array.from({ length: 7 }, () => connect(`${server.target}/pong`, { maxMembers: 2, any: true })),
    );
    const before = relays.map(({ room }) => room);
    assert.deepEqual(Array.from(new Set(before)).sort(), ["pong", "pong-2", "pong-3", "pong-4"]);
    const names = new Set(before);
    const areBack = (times: number) =>
      relays.every(({ status, stats }) => status === "connected" && stats.reconnects === times);
    for (let restart = 0; restart < 3; restart++) {
      await server.stop();
      server.start();
      await until(() => areBack(restart + 1), "all are back");
      await until(() => relays.filter(({ peers }) => peers.size === 1).length === 6, "in pairs");
      assert.deepEqual(relays.map(({ room }) => room), before, "each with the one it had");
      // One of another program has taken a place meanwhile: who has none goes where there is one, or opens
      // the next.
      const late = await connect(`${server.target}/pong`, { maxMembers: 2, any: true });
      names.add(late.room);
      await late.close();
    }
    assert.deepEqual([...names].sort(), ["pong", "pong-2", "pong-3", "pong-4"]);
    await server.stop();
    server.start();
    const thieves = await Promise.all(
      ["pong", "pong-2", "pong-3", "pong-4"].flatMap((room) =>
        [1, 2].map(() =>
          connect(`${server.target}/${room}`, { maxMembers: 2, retry: true }).catch(() => undefined)
        )
      ),
    );
    await until(() => areBack(4), "all are back, wherever there is a place");
    for (const { room } of relays) assert.match(room, /^pong(-\d+)?$/);
    for (const relay of [...relays, ...thieves]) await relay?.close();
  });
});

Deno.test("there is one host of a room, known to all: who has been there longest, until it leaves or passes it on", async () => {
  await using server = new NewRelay();
  const told: [string, string | undefined][] = [];
  const join = (name: string, options: ConnectOptions = {}) =>
    connect(`${server.target}/r`, { name, onHost: (host) => told.push([name, host?.name]), ...options });
  const watcher = await join("watcher", { canHost: false });
  assert.deepEqual([watcher.host, watcher.isHost], [undefined, false]);
  const ada = await join("ada"), errors: RelayError[] = [];
  assert.deepEqual([ada.isHost, ada.host?.id, ada.host?.name], [true, ada.id, "ada"]);
  const bo = await join("bo", { onError: (error) => errors.push(error) });
  assert.deepEqual([bo.isHost, bo.host], [false, bo.peers.get(ada.id)]);
  await until(() => watcher.host?.id === ada.id, "the watcher knows");
  bo.passHost();
  ada.passHost(watcher.id);
  ada.passHost("k99");
  ada.passHost(bo.id);
  await until(() => bo.isHost && !ada.isHost && watcher.host?.name === "bo", "bo leads");
  for (const [peer, shown] of [[5, "5"], [null, "null"], [[ada.id], "an array"]]) {
    const message = `Cannot pass the host on: peer is ${shown}, a peer or its id is allowed`;
    assert.throws(() => bo.passHost(peer as never), { name: "TypeError", message });
  }
  bo.passHost();
  await until(() => ada.isHost, "ada again");
  await ada.close();
  await until(() => bo.isHost && watcher.host?.id === bo.id, "bo, as ada has left");
  bo.passHost();
  bo.send("still");
  await until(() => watcher.drain().length === 1, "an event");
  assert.ok(bo.isHost, "where nobody else may, it stays");
  await bo.close();
  await until(() => watcher.host === undefined, "nobody leads");
  assert.deepEqual(told.filter(([name]) => name === "watcher").map(([, host]) => host), [
    "ada",
    "bo",
    "ada",
    "bo",
    undefined,
  ]);
  assert.deepEqual(errors, []);
  await watcher.close();
});

Deno.test("Relay.isHost is false while there is no connection, and true again after a resume", async () => {
  await using server = new NewRelay();
  await using ada = await connect(server.target);
  await using bo = await connect(server.target);
  assert.ok(ada.isHost);
  server.cut();
  await until(() => ada.status !== "connected", "it is away");
  assert.equal(ada.isHost, false);
  await until(() => ada.isHost && bo.status === "connected", "it is back");
  await server.stop();
  server.start();
  await until(
    () => ada.status === "connected" && bo.status === "connected" && bo.peers.size === 1,
    "another relay",
  );
  await until(() => ada.isHost !== bo.isHost && ada.host?.id === bo.host?.id, "one of them leads");
});

Deno.test("ids compare as they were given out, with compareIds and as texts", async () => {
  await using server = new NewRelay();
  const relays: Relay[] = [];
  for (let n = 0; n < 80; n++) relays.push(await connect(server.target));
  const ids = relays.map(({ id }) => id), shuffled = [...ids];
  const random = seededRandom(7);
  shuffled.sort(() => random() - 0.5);
  assert.deepEqual(shuffled.toSorted(compareIds), ids);
  for (const odd of [undefined, null, 1, Symbol("k1"), { id: "k1" }] as unknown as string[]) {
    const message = /^Cannot compare ids: one is .*, a string is allowed$/;
    assert.throws(() => compareIds(odd, "k1"), { name: "TypeError", message });
    assert.throws(() => compareIds("k1", odd), { name: "TypeError", message });
  }
  assert.deepEqual(shuffled.toSorted(), ids);
  assert.deepEqual(
    ["kz", "k10", "k9", "k2"].sort(compareIds),
    ["k2", "k9", "kz", "k10"],
    "of older relays, too",
  );
  assert.equal(compareIds("k1", "k1"), 0);
  for (const relay of relays) await relay.close();
});

Deno.test("a page that is hidden passes the host on, once: where all are hidden one of them is the host all the same", async () => {
  await using server = new NewRelay();
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const turn = (visibilityState: string) => {
    page.visibilityState = visibilityState;
    page.dispatchEvent(new Event("visibilitychange"));
  };
  const globals = globalThis as { document?: unknown };
  globals.document = page;
  const told: (string | undefined)[] = [];
  try {
    await using ada = await connect(server.target, { name: "ada" });
    await using bo = await connect(server.target, { name: "bo" });
    delete globals.document;
    await using watcher = await connect(server.target, {
      canHost: false,
      onHost: (host) => told.push(host?.name),
    });
    turn("hidden");
    await until(() => told.length === 2, "ada, then bo passed it on");
    assert.deepEqual(told, ["bo", "ada"]);
    const cy = await connect(server.target, { name: "cy" });
    turn("visible");
    turn("hidden");
    await until(() => told.at(-1) === "cy" && cy.isHost, "cy is in no page");
    await cy.close();
    await until(() => ada.isHost || bo.isHost, "better one who is hidden than nobody");
    await until(() => watcher.host?.id === (ada.isHost ? ada.id : bo.id), "all know");
    const changes = told.length;
    watcher.send("still");
    let heard = 0;
    await until(() => (heard += ada.drain().length + bo.drain().length) === 2, "it was heard");
    assert.equal(told.length, changes, "they do not pass it to and fro");
  } finally {
    delete globals.document;
  }
});
