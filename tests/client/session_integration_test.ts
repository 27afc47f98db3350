// Tests client.ts and src/relay/relay.ts together, over TCP and WebSocket on loopback: rooms, presence,
// state, broken connections under load, a relay that restarts, a program that stalls.

import assert from "node:assert/strict";
import { seededRandom } from "../../src/simulation/random.ts";
import type { ConnectOptions, Lost, Relay, StatusDetail } from "../../client.ts";
import { Link } from "../../src/client/link/link.ts";
import { openTcp } from "../../src/client/link/deno_transport.ts";
import { CLOCK_SAMPLES, MAX_SLEW_MS, type RelayClock } from "../../src/client/session/clock.ts";
import { Session } from "../../src/client/session/session.ts";
import { parseTarget } from "../../src/client/target.ts";
import { type RelayOptions, type RelayServer, serve } from "../../src/relay/relay.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { DEADLINE_MS, until } from "../support/deadline.ts";
import { pause } from "../support/pause.ts";
import { testBoth, type TransportKind } from "../support/websocket_conn.ts";
import { connect, take, withoutBackoff } from "../support/relay_client.ts";

function targetOf(address: string, transport: TransportKind): string {
  return transport === "tcp" ? address : `ws://${address}`;
}

/** A relay of the test's own. */
class Server implements AsyncDisposable {
  readonly #options: RelayOptions;
  #relay: RelayServer;
  port: number;

  constructor(options: RelayOptions = {}, readonly transport: TransportKind = "tcp") {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = listener.addr.port;
    this.#options = options;
    this.#relay = serve(listener, options);
  }

  get target(): string {
    return targetOf(`127.0.0.1:${this.port}`, this.transport);
  }

  async stop(): Promise<void> {
    await this.#relay.close();
  }

  start(): void {
    this.#relay = serve(Deno.listen({ hostname: "127.0.0.1", port: this.port }), this.#options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

testBoth("Sessions see each other's events in their room alone, in order", async (transport) => {
  await using server = new Server({}, transport);
  await using ada = await connect<number>(`${server.target}/pong`, { name: "ada" });
  await using bo = await connect<number>(server.target, { room: "pong" });
  await using cy = await connect<number>(`${server.target}/chess`);
  await using plain = await connect<number>(server.target, { plain: true });
  await using dee = await connect<number>(server.target);
  for (let n = 0; n < 100; n++) ada.send(n);
  dee.send(-1);
  assert.deepEqual(await take(bo, 100), Array.from({ length: 100 }, (_, n) => n));
  assert.deepEqual(await take(plain, 1), [-1]);
  plain.send(-2);
  assert.deepEqual(await take(dee, 1), [-2]);
  assert.deepEqual([ada.drain(), cy.drain()], [[], []]);
  assert.deepEqual([ada.name, ada.room, cy.room, dee.room], ["ada", "pong", "chess", "lobby"]);
  assert.equal(new Set([ada.id, bo.id, cy.id, dee.id]).size, 4);
});

testBoth("Relay.send takes an event that looks like a control line, and others get it", async (transport) => {
  await using server = new Server({}, transport);
  await using ada = await connect(server.target);
  await using bo = await connect(server.target);
  await using plain = await connect(server.target, { plain: true });
  const event = { $bye: {} };
  ada.send(event);
  assert.deepEqual(await take(bo, 1), [event]);
  assert.deepEqual(await take(plain, 1), [event]);
  plain.send({ $set: { key: "x" } });
  assert.deepEqual(await take(bo, 1), [{ $set: { key: "x" } }]);
  assert.deepEqual(await take(ada, 1), [{ $set: { key: "x" } }]);
});

testBoth(
  "Relay.peers has who is there, onJoin and onLeave tell the changes: 50 joins are 50 calls",
  async (transport) => {
    await using server = new Server({}, transport);
    const joins: string[] = [];
    const leaves: string[] = [];
    await using ada = await connect(server.target, {
      onJoin: (peer) => joins.push(peer.name),
      onLeave: (peer, reason) => leaves.push(`${peer.name} ${reason}`),
    });
    const names = Array.from({ length: 50 }, (_, n) => `p${n}`);
    const crowd: Relay[] = [];
    // One after the other: the relay shares this process, and none waits longer than 3 s for its answer.
    for (const name of names) crowd.push(await connect(server.target, { name }));
    await until(() => ada.peers.size === 50, "50 peers");
    await until(() => crowd.every((each) => each.peers.size === 50), "all to see all");
    assert.deepEqual(joins.toSorted(), names.toSorted());
    assert.equal(ada.peers.get(crowd[7].id)?.name, "p7");
    await Promise.all(crowd.map((each) => each.close()));
    await until(() => ada.peers.size === 0, "an empty room");
    assert.deepEqual(leaves.toSorted(), names.map((name) => `${name} closed`).toSorted());
  },
);

testBoth(
  "Relay.set reaches peers and newcomers, nothing of it plain clients; unset and leaving remove it",
  async (transport) => {
    await using server = new Server({}, transport);
    const seen: [string | undefined, string, unknown][] = [];
    await using ada = await connect(server.target, {
      onState: (peer, key, value) => seen.push([peer?.name, key, value]),
    });
    await using plain = await connect(server.target, { plain: true });
    const bo = await connect(server.target, { name: "bo" });
    for (let n = 0; n < 10; n++) bo.set("ball", { n });
    bo.set("__proto__", "only a key");
    bo.set("gone", 1);
    await until(() => ada.peers.get(bo.id)?.state.gone === 1, "the state");
    assert.deepEqual(seen.filter(([, key]) => key === "ball"), [["bo", "ball", { n: 9 }]]);
    assert.equal(ada.peers.get(bo.id)!.state["__proto__"], "only a key");
    bo.send("an event");
    assert.deepEqual(await take(plain, 1), ["an event"]);
    bo.unset("gone");
    await until(() => !("gone" in ada.peers.get(bo.id)!.state), "the key to go");
    assert.deepEqual(seen.at(-1), ["bo", "gone", undefined]);
    const late = await connect(server.target);
    assert.deepEqual({ ...late.peers.get(bo.id)!.state }.ball, { n: 9 });
    await late.close();
    await bo.close();
    await until(() => ada.peers.size === 0, "bo to leave");
  },
);

testBoth("Relay.set of the room outlives its member, and all see the same winner", async (transport) => {
  await using server = new Server({}, transport);
  await using ada = await connect(server.target);
  const bo = await connect(server.target);
  bo.set("score", 1, { room: true });
  await until(() => ada.state.score === 1 && bo.state.score === 1, "the score at both");
  for (let n = 0; n < 100; n++) {
    ada.set("score", `ada ${n}`, { room: true });
    bo.set("score", `bo ${n}`, { room: true });
    if (n % 10 === 0) await pause(1);
  }
  ada.set("end", true, { room: true });
  bo.set("end2", true, { room: true });
  await until(() => [ada, bo].every(({ state }) => state.end === true && state.end2 === true), "the ends");
  assert.equal(ada.state.score, bo.state.score);
  await bo.close();
  await using late = await connect(server.target);
  assert.equal(late.state.score, ada.state.score);
});

testBoth("connect reads a welcome that is longer than a line, by its further lines", async (transport) => {
  await using server = new Server({}, transport);
  await using ada = await connect(server.target, { name: "ada" });
  for (let n = 0; n < 100; n++) ada.set(`key ${n}`, "x".repeat(10_000));
  await using bo = await connect(server.target);
  await until(() => Object.keys(bo.peers.get(ada.id)?.state ?? {}).length === 100, "all keys");
  await using late = await connect(server.target);
  assert.equal(Object.keys(late.peers.get(ada.id)!.state).length, 100, "there when connect() resolves");
});

/** How finely clocks are read, in ms. */
const READING_MS = 0.1;

interface BareOptions {
  welcomeTimeoutMs?: number;
  /** Is called once the hello is written. */
  afterHello?: () => void;
}

/** A session as connect() makes one, whose clock and patience are the test's to know. */
class BareClient implements AsyncDisposable {
  readonly #session: Session;
  readonly #link: Link;

  constructor(target: string, { welcomeTimeoutMs, afterHello }: BareOptions = {}) {
    const ignore = () => {};
    this.#session = new Session({
      welcomeTimeoutMs,
      room: "lobby",
      name: "",
      token: "",
      simulate: "",
      maxUnfinishedBytes: 1024 * 1024,
      sink: {
        onEvent: ignore,
        onInvalidLine: ignore,
        onLost: ignore,
        onError: ignore,
        onJoin: ignore,
        onLeave: ignore,
        onState: ignore,
        onQuestion: ignore,
        onHost: ignore,
        onRelayVersion: ignore,
      },
    });
    this.#link = new Link({
      address: parseTarget(target),
      openTransport: async (address, signal) => {
        const transport = await openTcp(address, signal);
        const write = transport.write.bind(transport);
        transport.write = async (bytes) => {
          const written = await write(bytes);
          afterHello?.();
          afterHello = undefined;
          return written;
        };
        return transport;
      },
      offlineBytes: 0,
      maxQueuedBytes: 1024,
      speaker: this.#session,
      onStatus: ignore,
    });
  }

  get clock(): RelayClock {
    return this.#session.clock;
  }

  open(): Promise<void> {
    return this.#link.open(false);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#link.close();
  }
}

testBoth(
  "Relay.now agrees between clients of one relay, within what their clocks say they may be wrong by",
  async (transport) => {
    await using server = new Server({}, transport);
    await using ada = new BareClient(server.target);
    await using bo = new BareClient(server.target);
    const clocks = [ada.clock, bo.clock];
    await Promise.all([ada.open(), bo.open()]);
    await until(() => clocks.every(({ sampleCount }) => sampleCount >= CLOCK_SAMPLES), "the first pings");
    // One moment for all: between two readings a busy machine may do something else for as long as it likes.
    const localMs = performance.now();
    const boundsMs = clocks.map((clock) => clock.errorBoundMs(localMs));
    const [adaMs, boMs] = clocks.map((clock) => clock.now(localMs));
    assert.ok(
      Math.abs(adaMs - boMs) <= boundsMs[0] + boundsMs[1],
      `${adaMs - boMs} apart, ${boundsMs} allowed`,
    );
    clocks.forEach((clock, i) => {
      // The relay's clock, as it runs in this process, is known.
      const wrongMs = Math.abs(clock.now(localMs) - (performance.timeOrigin + localMs));
      assert.ok(wrongMs <= boundsMs[i] + READING_MS, `wrong by ${wrongMs} ms, ${boundsMs[i]} are allowed`);
      const allowedMs = clock.rttMs + MAX_SLEW_MS;
      assert.ok(boundsMs[i] <= allowedMs, `a bound of ${boundsMs[i]} ms, ${allowedMs} is allowed`);
    });
  },
);

testBoth("Relay.rtt, jitter and lag are measured from the beginning", async (transport) => {
  await using server = new Server({}, transport);
  await using ada = await connect(server.target);
  assert.ok(ada.rtt > 0 && Number.isFinite(ada.rtt), `${ada.rtt}`);
  assert.ok(ada.jitter >= 0 && Number.isFinite(ada.jitter), `${ada.jitter}`);
  assert.ok(ada.lag >= 0 && Number.isFinite(ada.lag), `${ada.lag}`);
});

/** What the clocks of two programs on one machine may be apart. */
const CLOCK_ERROR_MS = 20;

/** The most events that the test lets wait in one direction. */
const MAX_UNDER_WAY = 500;

async function cutManyTimes(cuts: number, seed: number, transport: TransportKind): Promise<void> {
  const random = seededRandom(seed);
  await using server = new Server({}, transport);
  await using proxy = new CuttingProxy(server.port);
  const lost: Lost[] = [];
  const resumed: unknown[] = [];
  const options: ConnectOptions<[number, string]> = { onLost: (each) => lost.push(each) };
  await using near = await connect<[number, string]>(targetOf(proxy.target, transport), {
    ...options,
    onStatus: (status, { resumed: is }) => status === "connected" && resumed.push(is),
  });
  await using far = await connect<[number, string]>(server.target, options);
  proxy.budget = () => {
    const [up, down] = [1 + Math.floor(random() * 30_000), 1 + Math.floor(random() * 30_000)];
    const which = random();
    return { up: which < 0.6 ? up : Infinity, down: which > 0.3 ? down : Infinity };
  };
  proxy.cut();
  const got = { near: [] as number[], far: [] as number[] };
  let [sentNear, sentFar] = [0, 0];
  const isOver = () => proxy.connections > cuts;
  function step() {
    // Cut connections carry only so much: what is under way stays within what the relay keeps.
    for (let i = random() * 20; i > 0 && sentNear - got.far.length < MAX_UNDER_WAY; i--) {
      near.send([sentNear++, "n".repeat(random() * 300)]);
    }
    for (let i = random() * 20; i > 0 && sentFar - got.near.length < MAX_UNDER_WAY; i--) {
      far.send([sentFar++, "f".repeat(random() * 300)]);
    }
    if (random() < 0.1) near.set(`key ${Math.floor(random() * 3)}`, sentNear);
    for (const [n] of near.drain()) got.near.push(n);
    for (const [n] of far.drain()) got.far.push(n);
  }
  let [seen, seenAtMs] = [0, performance.now()];
  while (!isOver()) {
    step();
    // Cuts from outside, too, so that some come while nothing is under way.
    if (random() < 0.01) proxy.cut();
    await pause(1);
    if (seen !== proxy.connections) [seen, seenAtMs] = [proxy.connections, performance.now()];
    assert.ok(performance.now() - seenAtMs < DEADLINE_MS, `no connection after ${seen}`);
  }
  proxy.budget = () => ({ up: Infinity, down: Infinity });
  proxy.cut();
  near.set("last", 1);
  far.set("last", 1);
  await until(() => {
    step();
    return near.peers.get(far.id)?.state.last === 1 && far.peers.get(near.id)?.state.last === 1;
  }, "the last state at both");
  const [allNear, allFar] = [sentNear, sentFar];
  await until(() => {
    for (const [n] of near.drain()) got.near.push(n);
    for (const [n] of far.drain()) got.far.push(n);
    return got.near.length >= allFar && got.far.length >= allNear;
  }, `all events: ${allFar} and ${allNear}`).catch((error) => {
    throw new Error(
      `${error.message}, got ${got.near.length} and ${got.far.length}, lost ${JSON.stringify(lost)}`,
    );
  });
  const firstWrong = (list: number[]) => list.findIndex((n, i) => n !== i);
  assert.deepEqual(
    [firstWrong(got.near), firstWrong(got.far)],
    [-1, -1],
    "nothing lost, doubled or out of order",
  );
  assert.deepEqual([got.near.length, got.far.length], [allFar, allNear]);
  assert.deepEqual(lost, []);
  assert.ok(resumed.slice(1).every((is) => is === true), "every connection went on");
  assert.deepEqual([near.stats.sent, near.stats.droppedSent], [allNear, 0]);
  assert.ok(near.stats.reconnects >= cuts / 2, `${near.stats.reconnects} reconnects`);
}

testBoth(
  "A session loses and doubles nothing when its connection is cut 100 times under load",
  async (transport) => {
    const seed = Number(Deno.env.get("SEED") ?? Math.floor(Math.random() * 2 ** 31));
    await withoutBackoff(async () => {
      try {
        await cutManyTimes(100, seed, transport);
      } catch (error) {
        throw new Error(`with SEED=${seed}`, { cause: error });
      }
    });
  },
);

testBoth(
  "A session that the relay forgot begins anew: state is set again, onLost says what can't be known",
  async (transport) => {
    await withoutBackoff(async () => {
      await using server = new Server({}, transport);
      await using proxy = new CuttingProxy(server.port);
      const lost: Lost[] = [];
      const details: StatusDetail[] = [];
      const leaves: string[] = [];
      const joins: string[] = [];
      await using ada = await connect(targetOf(proxy.target, transport), {
        onLost: (each) => lost.push(each),
        onStatus: (status, detail) => status === "connected" && details.push(detail),
        onLeave: (peer) => leaves.push(peer.name),
        onJoin: (peer) => joins.push(peer.name),
      });
      await using bo = await connect(server.target, { name: "bo" });
      ada.set("mine", 1);
      bo.set("ours", 2, { room: true });
      await until(() => ada.state.ours === 2 && bo.peers.get(ada.id)?.state.mine === 1, "the state");
      proxy.port = 1; // nobody listens there
      await server.stop();
      await until(() => ada.status === "reconnecting", "the break");
      ada.send("while away");
      ada.set("later", 3);
      server.start();
      await until(() => bo.status === "connected", "the one who has to be there to hear it");
      proxy.port = server.port;
      assert.deepEqual(await take(bo, 1), ["while away"]);
      await until(() => {
        const state = bo.peers.get(ada.id)?.state;
        return state?.mine === 1 && state.later === 3 && ada.state.ours === 2 && ada.peers.size === 1;
      }, "the state again");
      assert.deepEqual(details.map(({ resumed }) => resumed), [undefined, false]);
      assert.deepEqual(lost, [{ reason: "unconfirmed", lines: 0, bytes: 0 }]);
      assert.ok(leaves.includes("bo"));
      assert.deepEqual(joins, ["bo", "bo"]);
    });
  },
);

testBoth("Relay.set refuses what the relay would refuse, with its limits", async (transport) => {
  await using server = new Server({ maxKeys: 2, maxValueBytes: 10 }, transport);
  await using ada = await connect(server.target, { onError: () => assert.fail("the relay had to refuse") });
  ada.set("a", "12345678");
  ada.set("b", 1);
  ada.set("a", 2);
  assert.throws(() => ada.set("c", 1), {
    name: "RangeError",
    message: "Cannot set state: 2 keys are set, maxKeys is 2",
  });
  assert.throws(() => ada.set("a", "123456789"), {
    name: "RangeError",
    message: "Cannot set state: it has 11 bytes, maxValueBytes is 10",
  });
  assert.throws(() => ada.set("", 1), { name: "RangeError", message: /the key has 0 characters, 1 to 128/ });
  assert.throws(() => ada.set(5 as unknown as string, 1), {
    name: "TypeError",
    message: /the key is a number/,
  });
  assert.throws(() => ada.set("a", undefined), {
    name: "TypeError",
    message: /^Cannot set state: it is undefined/,
  });
  ada.unset("a");
  ada.set("c", 1);
  await using bo = await connect(server.target);
  await until(() => bo.peers.get(ada.id)?.state.c === 1, "the state");
  assert.deepEqual({ ...bo.peers.get(ada.id)!.state }, { b: 1, c: 1 });
});

testBoth(
  "connect rejects with the relay's words where the token is wrong, also with retry",
  async (transport) => {
    await using server = new Server({ token: "secret" }, transport);
    await assert.rejects(connect(server.target, { token: "guess", retry: true }), (error: Error) => {
      assert.match(error.message, /^Cannot connect to 127\.0\.0\.1:/);
      assert.equal((error.cause as { code?: string }).code, "bad_token");
      return true;
    });
    await using ada = await connect(server.target, { token: "secret" });
    assert.equal(ada.status, "connected");
  },
);

testBoth("connect calls no callback before its caller has the relay object", async (transport) => {
  await using server = new Server({}, transport);
  await using bo = await connect(server.target, { name: "bo" });
  for (let round = 0; round < 20; round++) {
    let ada: Relay | undefined = undefined;
    const calls: boolean[] = [];
    const note = () => void calls.push(ada !== undefined);
    const connecting = connect(server.target, { onJoin: note, onState: note });
    const others = [1, 2, 3].map(() => connect(server.target));
    for (let n = 0; n < 20; n++) bo.set("ball", n);
    ada = await connecting as Relay;
    await until(() => ada!.peers.size === 4, "all to be there");
    bo.set("ball", `last ${round}`);
    await until(() => ada!.peers.get(bo.id)?.state.ball === `last ${round}`, "the state");
    assert.ok(calls.length > 0 && calls.every((hasRelay) => hasRelay));
    for (const other of others) await (await other).close();
    await ada.close();
    await until(() => bo.peers.size === 0, "an empty room");
  }
});

testBoth("A session whose connection has gone dumb makes another one, and goes on", async (transport) => {
  await withoutBackoff(async () => {
    await using server = new Server({ pingTimeoutMs: 600 }, transport);
    await using proxy = new CuttingProxy(server.port);
    const reasons: string[] = [];
    await using far = await connect<number>(server.target, { onLeave: (_, reason) => reasons.push(reason) });
    await using near = await connect<number>(targetOf(proxy.target, transport));
    near.send(1);
    assert.deepEqual(await take(far, 1), [1]);
    proxy.isMute = true;
    near.send(2);
    far.send(3);
    await until(() => near.status === "reconnecting", "the silence to be noticed");
    proxy.isMute = false;
    assert.deepEqual(await take(far, 1), [2]);
    assert.deepEqual(await take(near, 1), [3]);
    assert.ok(near.stats.lost + far.stats.lost === 0 && near.stats.reconnects >= 1);
  });
});

testBoth(
  "Relay.close is seen by the others at once, and leaves a broken session to be forgotten as lost",
  async (transport) => {
    await using server = new Server({ resumeMs: 300 }, transport);
    await using proxy = new CuttingProxy(server.port);
    const left: string[] = [];
    await using far = await connect(server.target, {
      onLeave: ({ name }, reason) => left.push(`${name} ${reason}`),
    });
    const polite = await connect(server.target, { name: "polite" });
    const broken = await connect(targetOf(proxy.target, transport), { name: "broken" });
    await until(() => far.peers.size === 2, "both");
    await polite.close();
    await until(() => left.length === 1, "polite to leave");
    proxy.port = 1; // nobody listens there: it can't come back
    proxy.cut();
    await until(() => left.length === 2, "broken to leave");
    assert.deepEqual(left, ["polite closed", "broken lost"]);
    await broken.close();
  },
);

testBoth(
  "Sessions come back after the relay's goodbye, spread over the time that it asked for",
  async (transport) => {
    await using server = new Server({}, transport);
    const waits: number[] = [];
    const onStatus: ConnectOptions["onStatus"] = (status, { retryInMs, attempt }) => {
      if (status === "reconnecting" && attempt === 1) waits.push(retryInMs!);
    };
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(server.target, { onStatus })));
    await server.stop();
    await until(() => waits.length === 20, "all to notice");
    server.start();
    await until(() => clients.every(({ status }) => status === "connected"), "all to return");
    assert.ok(Math.max(...waits) - Math.min(...waits) > 100, `${waits}`);
    await Promise.all(clients.map((client) => client.close()));
  },
);

testBoth(
  "A program that stalled for longer than maxLag in a busy room gets fresh events first, and the exact count of what it missed",
  async (transport) => {
    const maxLagMs = 500;
    await using server = new Server({ maxLagMs }, transport);
    await using ada = await connect(server.target);
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-net",
        new URL("../support/stalling_client.ts", import.meta.url).pathname,
        server.target,
        "1500",
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const output = child.output();
    await until(() => ada.peers.size === 1, "the program");
    let sent = 0;
    const startedAtMs = performance.now();
    const elapsedMs = () => performance.now() - startedAtMs;
    // 500 lines, 50 KB, every 100 ms as 50 programs with 10 objects each, until the program has some after
    // its stall.
    while (!ada.drain().includes("back") && elapsedMs() < 20_000) {
      while (sent < elapsedMs() * 5) ada.send([sent++, ada.now(), "x".repeat(70)]);
      await pause(10);
    }
    ada.send([-1, ada.now()]);
    const { code, stdout } = await output;
    assert.equal(code, 0);
    const told = JSON.parse(new TextDecoder().decode(stdout));
    assert.ok(told.isInOrder);
    const lines = told.lost.reduce((sum: number, each: Lost) => sum + each.lines, 0);
    assert.equal(told.firstNumber + told.received + lines, sent, JSON.stringify(told));
    assert.ok(lines > 1000, "it was behind for long enough to lose something");
    assert.ok(told.first.ageMs <= maxLagMs + told.first.rtt + CLOCK_ERROR_MS, JSON.stringify(told.first));
  },
);

Deno.test("A program that stands still for longer than an answer may take is connected all the same", async () => {
  const server = new Worker(new URL("../support/relay_worker.ts", import.meta.url), { type: "module" });
  const port = await new Promise<number>((done) => server.onmessage = ({ data }) => done(data));
  const standStill = () => {
    const untilMs = performance.now() + 600;
    while (performance.now() < untilMs);
  };
  const client = new BareClient(`127.0.0.1:${port}`, { welcomeTimeoutMs: 400, afterHello: standStill });
  await client.open();
  await client[Symbol.asyncDispose]();
  server.terminate();
});
