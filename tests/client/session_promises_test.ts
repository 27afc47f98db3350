// Tests what client.ts promises of a session, with src/relay/relay.ts over TCP on loopback: what is lost is
// told, what the relay refused is given up, what others removed stays removed, whose answer is taken, and
// whose clock now() tells.

import assert from "node:assert/strict";
import type { Lost, RelayError } from "../../client.ts";
import { REAL_ENVIRONMENT } from "../../src/relay/options.ts";
import { RelayServer } from "../../src/relay/relay.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { NewRelay } from "../support/new_relay.ts";
import { pause } from "../support/pause.ts";
import { connect, withoutBackoff } from "../support/relay_client.ts";
import { until } from "../support/deadline.ts";

/** Takes the network away until the session is over, then `meanwhile` happens, then the network is back. */
async function beAway(proxy: CuttingProxy, hasLeft: () => boolean, meanwhile: () => void): Promise<void> {
  const { port } = proxy;
  proxy.port = 1; // nobody listens there
  proxy.cut();
  await until(hasLeft, "the session to be forgotten");
  meanwhile();
  proxy.port = port;
}

Deno.test("A key of the room that others removed stays removed when its setter returns after its session was over", async () => {
  await withoutBackoff(async () => {
    await using relay = new NewRelay({ resumeMs: 200 });
    await using proxy = new CuttingProxy(relay.port);
    const resumed: unknown[] = [], told: unknown[] = [];
    await using ada = await connect(proxy.target, {
      onStatus: (status, { resumed: is }) => status === "connected" && resumed.push(is),
      onState: (_, key, value) => told.push([key, value]),
    });
    await using bo = await connect(relay.target);
    ada.set("removed", 1, { room: true });
    ada.set("changed", 1, { room: true });
    ada.set("kept", 1, { room: true });
    ada.set("mine", 1);
    await until(() => Object.keys(bo.state).length === 3 && Object.keys(ada.state).length === 3, "the state");
    told.length = 0;
    await beAway(proxy, () => bo.peers.size === 0, () => {
      bo.unset("removed", { room: true });
      bo.set("changed", 2, { room: true });
    });
    ada.set("news", 1, { room: true }); // not sent yet: the newest word
    await until(() => bo.state.news === 1 && bo.peers.get(ada.id)?.state.mine === 1, "ada to be back");
    assert.deepEqual(resumed, [undefined, false]);
    assert.deepEqual({ ...bo.state }, { changed: 2, kept: 1, news: 1 });
    await until(() => ada.state.news === 1, "her own to come back");
    assert.deepEqual({ ...ada.state }, { ...bo.state });
    assert.deepEqual(told.toSorted(), [["changed", 2], ["news", 1], ["removed", undefined]]);
    await bo.close();
    await ada.close();
  });
});

Deno.test("A relay that was restarted is told the room's values by who set them last", async () => {
  await withoutBackoff(async () => {
    await using relay = new NewRelay();
    await using ada = await connect(relay.target);
    await using bo = await connect(relay.target);
    ada.set("hers", 1, { room: true });
    ada.set("his", 1, { room: true });
    ada.set("nobody's", 1, { room: true });
    await until(() => Object.keys(bo.state).length === 3, "the state");
    bo.set("his", 2, { room: true });
    bo.unset("nobody's", { room: true });
    await until(() => ada.state.his === 2 && !("nobody's" in ada.state), "the changes");
    await relay.stop();
    relay.start();
    await until(() => [ada, bo].every(({ peers }) => peers.size === 1), "both to return");
    await until(() => [ada, bo].every(({ state }) => state.hers === 1 && state.his === 2), "the state again");
    assert.deepEqual({ ...ada.state }, { hers: 1, his: 2 });
  });
});

Deno.test("A change of the room's that may not have arrived is told, not made again", async () => {
  await withoutBackoff(async () => {
    await using relay = new NewRelay({ resumeMs: 200 });
    await using proxy = new CuttingProxy(relay.port);
    const lost: Lost[] = [];
    const seen: unknown[] = [];
    await using ada = await connect(proxy.target, {
      onLost: (each) => {
        lost.push({ ...each });
        if (each.reason === "state") seen.push({ ...ada.state });
      },
    });
    await using bo = await connect(relay.target);
    ada.set("turn", "white", { room: true });
    ada.set("paused", true, { room: true });
    ada.set("same", 1, { room: true });
    await until(() => Object.keys(ada.state).length === 3 && Object.keys(bo.state).length === 3, "the state");
    await until(() => ada.rtt > 0 && bo.peers.size === 1, "a ping");
    proxy.isMute = true; // what is written now never arrives
    ada.set("turn", "black", { room: true });
    ada.unset("paused", { room: true });
    ada.set("same", 1, { room: true });
    ada.set("mine", 2);
    ada.send({ move: "e4" });
    const { sent } = ada.stats;
    await until(() => ada.stats.sent === sent + 1, "it to be written");
    await beAway(proxy, () => bo.peers.size === 0, () => proxy.isMute = false);
    await until(() => bo.peers.get(ada.id)?.state.mine === 2, "ada to be back");
    assert.deepEqual(lost, [
      { reason: "unconfirmed", lines: 1, bytes: '{"move":"e4"}\n'.length },
      { reason: "state", lines: 0, bytes: 0, keys: ["paused", "turn"] }, // removals go first
    ]);
    assert.deepEqual({ ...bo.state }, { turn: "white", paused: true, same: 1 });
    assert.deepEqual(seen, [{ turn: "white", paused: true, same: 1 }], "what holds is known by then");
    await bo.close();
    await ada.close();
  });
});

Deno.test("Relay.close tells what had been written to a connection that was broken by then", async () => {
  await using relay = new NewRelay();
  await using proxy = new CuttingProxy(relay.port);
  const lost: Lost[] = [];
  const ada = await connect(proxy.target, { onLost: (each) => lost.push({ ...each }) });
  proxy.isMute = true;
  ada.send("written");
  ada.set("room's", 1, { room: true });
  await until(() => ada.stats.sent === 1, "it to be written");
  proxy.port = 1;
  proxy.cut();
  await until(() => ada.status === "reconnecting", "the break");
  ada.send("waiting");
  await ada.close();
  ada.set("late", 1, { room: true });
  ada.set("own", 1);
  await until(() => lost.length === 2, "what was set too late");
  assert.deepEqual(lost, [
    { reason: "closed", lines: 2, bytes: 20, keys: ["room's"] },
    { reason: "closed", lines: 0, bytes: 0, keys: ["late"] },
  ]);
  const { lost: mayBeLost, dropped } = ada.stats;
  assert.deepEqual([mayBeLost, dropped], [1, 1], "what was written, and what waited");
});

Deno.test("Relay.close may be called again while it tells what is lost, and all is told once", async () => {
  await using relay = new NewRelay();
  await using proxy = new CuttingProxy(relay.port);
  const lost: Lost[] = [];
  let again: Promise<void> | undefined;
  const ada = await connect(proxy.target, {
    offlineBytes: 0,
    onLost: (each) => {
      lost.push({ ...each });
      again = ada.close();
    },
  });
  proxy.port = 1;
  proxy.cut();
  await until(() => ada.status === "reconnecting", "the break");
  ada.set("room's", 1, { room: true });
  ada.send("x");
  const first = ada.close();
  assert.equal(again, first, "what was dropped is told by the call");
  await first;
  await pause();
  assert.deepEqual(lost, [
    { reason: "outbox", lines: 1, bytes: 4 },
    { reason: "closed", lines: 0, bytes: 0, keys: ["room's"] },
  ]);
});

Deno.test("A burst of 20 MB in one turn arrives, or is told", async () => {
  // A busy machine may take a minute for it, all in one process: nobody is given up meanwhile.
  await using relay = new NewRelay({ pingTimeoutMs: 300_000, writeDeadlineMs: 300_000 });
  const lost: Lost[] = [];
  const note = (each: Lost) => lost.push({ ...each });
  await using ada = await connect(relay.target, { onLost: note });
  await using bo = await connect<{ i: number }>(relay.target, { inboxLimit: 1_000_000, onLost: note });
  const count = 200_000;
  for (let i = 0; i < count; i++) ada.send({ i, pad: "x".repeat(85) });
  assert.equal(ada.stats.waiting, count);
  let received = 0, last = -1;
  await until(
    () => {
      for (const { i } of bo.drain()) {
        assert.ok(i > last);
        last = i;
        received++;
      }
      return last === count - 1;
    },
    "the last event",
    300_000,
  );
  assert.equal(ada.stats.droppedSent, 0);
  assert.equal(received + lost.reduce((sum, { lines }) => sum + lines, 0), count);
  // The relay's log has 8 MiB; and on a busy machine what it has kept may be too old once it is read.
  assert.ok(lost.every(({ reason }) => reason === "behind" || reason === "stale"), JSON.stringify(lost));
});

Deno.test("A break drops nothing of what waited, and what a resume brings is let into the inbox", async () => {
  await withoutBackoff(async () => {
    await using relay = new NewRelay();
    await using proxy = new CuttingProxy(relay.port);
    const lost: Lost[] = [];
    const note = (each: Lost) => lost.push({ ...each });
    await using ada = await connect<number>(proxy.target, {
      inboxLimit: 100,
      offlineBytes: 1000,
      onLost: note,
    });
    await using bo = await connect<number>(relay.target, { inboxLimit: 100_000, onLost: note });
    const { port } = proxy;
    proxy.port = 1;
    for (let n = 0; n < 10_000; n++) ada.send(n);
    proxy.cut(); // in the middle of it, or before
    await until(() => ada.status === "reconnecting", "the break");
    for (let n = 0; n < 10_000; n++) bo.send(n);
    for (let n = 10_000; n < 10_100; n++) ada.send(n);
    await until(() => bo.stats.waiting === 0, "bo's events to be sent");
    proxy.port = port;
    const far: number[] = [];
    await until(() => far.push(...bo.drain()) >= 10_100, "ada's events");
    await until(() => ada.stats.received >= 10_000, "bo's events");
    assert.deepEqual(far, Array.from({ length: 10_100 }, (_, n) => n));
    assert.deepEqual(ada.drain(), Array.from({ length: 10_000 }, (_, n) => n));
    assert.deepEqual(lost, []);
  });
});

Deno.test("A value that the relay refuses is told with its key, leaves the own state, and is not set again", async () => {
  await withoutBackoff(async () => {
    await using relay = new NewRelay({ maxStateBytes: 1000 });
    const errors: RelayError[] = [];
    await using ada = await connect(relay.target, { onError: (error) => errors.push(error) });
    await using bo = await connect(relay.target);
    ada.set("fits", "x".repeat(400));
    ada.set("grows", 1);
    ada.send("an event between");
    await until(() => bo.peers.get(ada.id)?.state.grows === 1, "what fits");
    ada.set("grows", "x".repeat(900));
    ada.set("too much", "x".repeat(900), { room: true });
    await until(() => errors.length === 2, "the refusals");
    assert.deepEqual(errors.map(({ code, key, room }) => [code, key, room]).toSorted(), [
      ["state_full", "grows", false],
      ["state_full", "too much", true],
    ]);
    await relay.stop();
    relay.start();
    await until(
      () => bo.peers.get(ada.id)?.state.fits !== undefined && ada.peers.size === 1,
      "both to return",
    );
    ada.set("last", 1);
    await until(() => bo.peers.get(ada.id)?.state.last === 1, "the last value");
    assert.deepEqual(Object.keys(bo.peers.get(ada.id)!.state).toSorted(), ["fits", "grows", "last"]);
    assert.equal(bo.peers.get(ada.id)!.state.grows, 1, "as it was before the refusal");
    assert.deepEqual({ ...bo.state }, {});
    assert.equal(errors.length, 2, "it is not tried again");
  });
});

Deno.test("Relay.set throws for one key of the room too many, whoever has set the others and however fast", async () => {
  await using relay = new NewRelay();
  await using ada = await connect(relay.target, { onError: () => assert.fail("the relay had to refuse") });
  await using bo = await connect(relay.target, { onError: () => assert.fail("the relay had to refuse") });
  const tooMany = { name: "RangeError", message: "Cannot set state: 256 keys are set, maxKeys is 256" };
  for (let n = 0; n < 100; n++) bo.set(`bo ${n}`, n, { room: true });
  await until(() => Object.keys(ada.state).length === 100, "bo's keys");
  for (let n = 0; n < 156; n++) ada.set(`ada ${n}`, n, { room: true });
  assert.throws(() => ada.set("one more", 1, { room: true }), tooMany);
  ada.set("bo 5", "again", { room: true });
  ada.set("ada 5", "again", { room: true });
  ada.set("her own", 1);
  await until(() => Object.keys(bo.state).length === 256, "ada's keys");
  assert.throws(() => bo.set("one more", 1, { room: true }), tooMany);
  bo.unset("bo 1", { room: true });
  bo.set("one more", 1, { room: true });
  await until(() => ada.state["one more"] === 1 && !("bo 1" in ada.state), "the change");
  assert.throws(() => ada.set("x", 1, { rom: true } as unknown as { room: boolean }), {
    name: "TypeError",
    message: 'Cannot set state: "rom" is no option (room?), allowed is room',
  });
  assert.throws(() => ada.set("x", 1, { room: "yes" as unknown as boolean }), /room is "yes", true or false/);
  assert.throws(
    () => ada.unset("x", null as unknown as { room: boolean }),
    /options is null, a plain object/,
  );
});

Deno.test("Relay.set refuses a value that is too long for a line together with its key", async () => {
  await using relay = new NewRelay({ maxLineBytes: 200 });
  await using ada = await connect(relay.target, { onError: () => assert.fail("the relay had to refuse") });
  assert.throws(() => ada.set("k".repeat(100), "x".repeat(100)), {
    name: "RangeError",
    message: "Cannot set state: with its key it has 230 bytes, maxLineBytes is 200",
  });
});

/** Passes connections on to a relay, what clients say only after a while: a hello comes late. */
function delayingProxy(port: number, ms: number): { target: string; close(): void } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  const close = () => {
    listener.close();
    for (const conn of open) conn.close();
  };
  async function pass(near: Deno.TcpConn): Promise<void> {
    const far = await Deno.connect({ hostname: "127.0.0.1", port });
    open.add(near).add(far);
    far.readable.pipeTo(near.writable, { preventClose: true }).catch(() => {});
    await pause(ms);
    near.readable.pipeTo(far.writable).catch(() => {}).finally(() => {
      for (const conn of [near, far]) open.delete(conn);
      try {
        near.close();
      } catch {
        // closed by its streams
      }
    });
  }
  (async () => {
    for await (const conn of listener) pass(conn).catch(() => {});
  })().catch(() => {});
  return { target: `127.0.0.1:${listener.addr.port}`, close };
}

Deno.test("connect takes nobody's answer to a late hello but the relay's", {
  sanitizeResources: false,
  sanitizeOps: false,
}, async () => {
  await using relay = new NewRelay();
  const proxy = delayingProxy(relay.port, 400);
  const forger = await Deno.connect({ hostname: "127.0.0.1", port: relay.port });
  const body = {
    version: 1,
    id: "forged",
    room: "lobby",
    relay: "r",
    session: "s",
    time: 1,
    peers: [],
    state: {},
  };
  const forged = `{"$welcome":${
    JSON.stringify(body)
  }}\n{"$error":{"code":"bad_token","message":"go away"}}\n`;
  const timer = setInterval(() => void forger.write(new TextEncoder().encode(forged)).catch(() => {}), 20);
  try {
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(proxy.target)));
    for (const { id, status } of clients) assert.ok(id !== "forged" && status === "connected", id);
    await Promise.all(clients.map((client) => client.close()));
  } finally {
    clearInterval(timer);
    forger.close();
    proxy.close();
  }
});

Deno.test("Relay.now tells the relay's clock, not the local one", async () => {
  for (const offsetMs of [3_600_000, -3_600_000]) {
    const { timeOriginMs } = REAL_ENVIRONMENT;
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const environment = { ...REAL_ENVIRONMENT, timeOriginMs: timeOriginMs + offsetMs };
    await using _server = new RelayServer(listener, {}, environment);
    await using ada = await connect(`127.0.0.1:${listener.addr.port}`);
    const aheadMs = ada.now() - (performance.timeOrigin + performance.now());
    assert.ok(Math.abs(aheadMs - offsetMs) < 1000, `${aheadMs} ms ahead`);
    await using plain = await connect(`127.0.0.1:${listener.addr.port}`, { plain: true });
    assert.ok(Math.abs(plain.now() - Date.now()) < 1000, "a plain one knows no other clock");
  }
});

Deno.test("Relay tells nothing after close() but its end: no events, and no callbacks that were held", async () => {
  await using relay = new NewRelay();
  await using bo = await connect(relay.target, { name: "bo" });
  for (let round = 0; round < 20; round++) {
    const told: string[] = [];
    const note = (what: string) => () => void told.push(what);
    const connecting = connect(relay.target, {
      onJoin: note("join"),
      onLeave: note("leave"),
      onState: note("state"),
      onInvalid: note("invalid"),
      onError: note("error"),
      onLost: note("lost"),
      onStatus: (status) => void told.push(status),
    });
    // Changes come with the welcome, and right after it.
    const others = [1, 2, 3].map(() => connect(relay.target));
    for (let n = 0; n < 5; n++) bo.set("ball", `${round} ${n}`);
    const ada = await connecting;
    bo.send("an event");
    bo.set("ball", round);
    const { received } = ada.stats;
    told.length = 0;
    await ada.close();
    assert.deepEqual(told, ["closed"]);
    assert.deepEqual([ada.stats.received, ada.drain().length], [received, received]);
    for (const other of others) await (await other).close();
  }
});
