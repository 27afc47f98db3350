// Holds serve() against its contract for sessions over loopback, TCP and WebSocket, with a client that speaks
// raw lines: cuts of real connections under load, silence, tokens, limits, and the end of the relay.

import assert from "node:assert/strict";
import { type RelayOptions, type RelayServer, serve } from "../../src/relay/relay.ts";
import { LineClient } from "../support/line_client.ts";
import { pause } from "../support/pause.ts";
import { type Body, SessionClient } from "../support/session_client.ts";
import {
  connectTo,
  type LineConn,
  testBoth,
  type TransportKind,
  WebSocketConn,
} from "../support/websocket_conn.ts";
import { inTime } from "../support/deadline.ts";

/** How often a connection is cut under load. */
const CUTS = 200;

/** A session over a transport. It reads all the time, and acknowledges as a client does. */
class LineSession {
  readonly client = new SessionClient();
  #conn: LineConn | undefined;
  #reading: Promise<void> = Promise.resolve();
  #writes: Promise<unknown> = Promise.resolve();
  #acked = 0;
  /** Whether what is said is sent: not before the welcome, and then after what is owed. */
  #isOpen = false;
  #waiting = new Set<() => void>();
  hasEnded = false;

  constructor(readonly port: number, readonly transport: TransportKind) {}

  /** Connects, says hello, waits for the answer, and sends what is owed. */
  async open(fields: Record<string, unknown> = {}): Promise<this> {
    const conn = this.#conn = await connectTo(this.port, this.transport);
    this.hasEnded = this.#isOpen = false;
    const before = this.client.welcome;
    this.#write(new TextEncoder().encode(this.client.hello(fields)));
    this.#reading = this.#readAll(conn, before);
    await this.until(
      () => this.client.welcome !== before || this.client.refusal !== undefined,
      "an answer to the hello",
    );
    return this;
  }

  say(text: string): void {
    const bytes = this.client.say(text);
    if (this.#isOpen) this.#write(bytes);
  }

  control(name: string, body: unknown): void {
    const bytes = this.client.control(name, body);
    if (this.#isOpen) this.#write(bytes);
  }

  /** Waits until something is so, which is looked at after each read. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    const late = inTime(
      (async () => {
        while (!isSo()) {
          assert.ok(!this.hasEnded, `the connection has ended before: ${what}`);
          await new Promise<void>((done) => this.#waiting.add(done));
        }
      })(),
      what,
    );
    await late;
  }

  /** Gives no sign of life any more. */
  fallSilent(): void {
    if (this.#conn instanceof WebSocketConn) this.#conn.answersPings = false;
  }

  /** Waits for the other side's end. */
  async ended(): Promise<void> {
    await inTime(this.#reading, "the end of the connection");
  }

  /** Breaks the connection, in whatever it is doing. */
  async cut(): Promise<void> {
    this.#conn?.close();
    this.#conn = undefined;
    this.#isOpen = false;
    await this.#reading;
    await this.#writes;
  }

  #write(bytes: Uint8Array): void {
    const conn = this.#conn;
    const copy = bytes.slice();
    this.#writes = this.#writes.then(async () => {
      for (let at = 0; at < copy.length && conn === this.#conn;) at += await conn!.write(copy.subarray(at));
    }).catch(() => {});
  }

  async #readAll(conn: LineConn, welcomeBefore: Body): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    try {
      for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
        this.client.push(buffer.slice(0, n));
        if (!this.#isOpen && this.client.welcome !== welcomeBefore) {
          this.#isOpen = true;
          this.#acked = this.client.received;
          this.#write(this.client.owed);
        }
        if (this.#isOpen && this.client.received - this.#acked > 16 * 1024) {
          this.#acked = this.client.received;
          this.#write(this.client.ack());
          this.control("ping", { t: 0 });
        }
        this.#note();
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
    this.hasEnded = true;
    this.#note();
  }

  #note(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const done of waiting) done();
  }
}

/** A relay on a free port of loopback, and its clients. */
class Loopback implements AsyncDisposable {
  readonly relay: RelayServer;
  readonly port: number;
  readonly log: string[] = [];
  readonly #connections: LineSession[] = [];
  readonly #plain: LineClient[] = [];

  constructor(options: RelayOptions = {}, readonly transport: TransportKind = "tcp") {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = listener.addr.port;
    this.relay = serve(listener, {
      ...options,
      log: (level, message) => level !== "debug" && this.log.push(message),
    });
  }

  session(): LineSession {
    const session = new LineSession(this.port, this.transport);
    this.#connections.push(session);
    return session;
  }

  join(fields: Record<string, unknown> = {}): Promise<LineSession> {
    return this.session().open(fields);
  }

  async plain(): Promise<LineClient> {
    const client = await LineClient.connect(this.port, { transport: this.transport });
    this.#plain.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#connections.map((session) => session.cut()));
    for (const client of this.#plain) client.close();
    await this.relay.close();
  }
}

function codeOf(line: string): string {
  return JSON.parse(line).$error?.code;
}

testBoth(
  "serve loses and doubles nothing of sessions whose connections are cut 200 times under load",
  async (transport) => {
    await using loopback = new Loopback({ windowBytes: 64 * 1024 }, transport);
    const [ada, bo] = [await loopback.join({ name: "ada" }), await loopback.join({ name: "bo" })];
    let said = 0, isOver = false;
    const filler = "x".repeat(200);
    // Both talk all the time, also while they are cut off; lines of other lengths, so that the cuts lie
    // anywhere.
    const talk = (async () => {
      while (!isOver) {
        for (let i = 0; i < 40; i++) {
          for (const [name, session] of [["ada", ada], ["bo", bo]] as const) {
            session.say(JSON.stringify({ name, n: said, filler: filler.slice(0, said % 200) }) + "\n");
          }
          said++;
        }
        ada.control("set", { key: "latest", value: said });
        await pause(1);
      }
    })();
    let seed = 7;
    for (let cut = 0; cut < CUTS; cut++) {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      await pause(seed % 12);
      const session = cut % 3 === 0 ? bo : ada;
      await session.cut();
      await session.open();
      assert.equal(session.client.welcome.resumed, true);
    }
    isOver = true;
    await talk;
    ada.control("ping", { t: 1 });
    const last = said;
    for (const [session, other] of [[ada, "bo"], [bo, "ada"]] as const) {
      await session.until(
        () => session.client.events.length >= last,
        `${last} lines, of ${session.client.events.length}`,
      );
      const events = session.client.events.map((line): Body => JSON.parse(line));
      assert.equal(events.length, last);
      for (const [i, { name, n }] of events.entries()) {
        assert.ok(name === other && n === i, `line ${i} is ${n}`);
      }
      assert.deepEqual([session.client.told("lost"), session.client.told("leave")], [[], []]);
    }
    const { id } = ada.client.welcome;
    await bo.until(() => bo.client.peers.get(id)?.get("latest") === said, "the newest state");
  },
);

testBoth(
  "serve notices a session that vanished within pingTimeoutMs, and lets it come back",
  async (transport) => {
    await using loopback = new Loopback({ pingTimeoutMs: 300 }, transport);
    const [ada, bo] = [await loopback.join(), await loopback.join()];
    const { id } = bo.client.welcome;
    bo.control("ping", { t: 1 }); // its welcome has arrived
    bo.fallSilent();
    const pinger = setInterval(() => ada.control("ping", { t: 1 }), 50);
    try {
      await ada.until(() => ada.client.told("leave").length > 0, "$leave");
      assert.deepEqual(ada.client.told("leave"), [{ id, reason: "timeout" }]);
      await bo.ended();
      await bo.cut();
      await bo.open();
      assert.equal(bo.client.welcome.resumed, true);
      await ada.until(() => ada.client.peers.has(id), "$join");
    } finally {
      clearInterval(pinger);
    }
  },
);

testBoth("serve mixes plain clients and sessions in the lobby", async (transport) => {
  await using loopback = new Loopback({}, transport);
  const plain = await loopback.plain();
  plain.send("\n");
  const ada = await loopback.join();
  const other = await loopback.join({ room: "other" });
  plain.send('{"n":1}\n{"$n":2}\n');
  await ada.until(() => ada.client.events.length === 2, "two lines");
  assert.deepEqual(ada.client.events, ['{"n":1}', ' {"$n":2}']);
  other.say('"not here"\n');
  other.control("ping", { t: 1 });
  await other.until(() => other.client.told("pong").length > 0, "$pong");
  ada.control("set", { key: "k", value: { n: 3 } });
  ada.say('{"n":4}\n');
  await plain.line(1);
  assert.deepEqual(plain.lines, ['{"n":4}']);
});

testBoth("serve with a token lets in who knows it, and tells others why not", async (transport) => {
  await using loopback = new Loopback({ token: "secret" }, transport);
  const plain = await loopback.plain();
  plain.send("1\n");
  assert.equal(codeOf(await plain.line(1)), "bad_token");
  await plain.ended();
  for (const fields of [{}, { token: "wrong" }]) {
    const refused = await loopback.join(fields);
    assert.equal(refused.client.refusal.code, "bad_token");
    await refused.ended();
  }
  const ada = await loopback.join({ token: "secret" });
  assert.equal(ada.client.welcome.id, "k1");
});

testBoth(
  "serve takes maxClientsPerHost of one host, and another one when one has left",
  async (transport) => {
    await using loopback = new Loopback({ maxClientsPerHost: 2 }, transport);
    const [ada] = [await loopback.join(), await loopback.join()];
    const refused = await loopback.plain();
    assert.equal(codeOf(await refused.line(1)), "relay_full");
    assert.match(
      refused.lines[0],
      /2 clients of 127\.0\.0\.1 are connected, no more of one host are allowed/,
    );
    await refused.ended();
    ada.control("bye", {});
    while (loopback.relay.stats().members > 1) await pause(1);
    const next = await loopback.join();
    assert.equal(next.client.welcome.resumed, false);
  },
);

testBoth("serve slows a sender above maxLinesPerSecond by TCP, and loses nothing", async (transport) => {
  await using loopback = new Loopback({ maxLinesPerSecond: 2000 }, transport);
  const [ada, bo] = [await loopback.join(), await loopback.join()];
  const startedAt = performance.now();
  ada.say(Array.from({ length: 3000 }, (_, i) => `${i}\n`).join(""));
  await bo.until(() => bo.client.events.length === 3000, "3000 lines");
  assert.deepEqual(bo.client.events, Array.from({ length: 3000 }, (_, i) => `${i}`));
  await ada.until(() => ada.client.told("error").length > 0, "$error");
  assert.deepEqual(ada.client.told("error").map(({ code }) => code), ["rate_limited"]);
  ada.say("1\n");
  await bo.until(() => bo.client.events.length === 3001, "one more");
  const ms = performance.now() - startedAt;
  assert.ok(ms > 450, `3000 lines took ${ms} ms`);
  assert.equal(ada.client.told("error").length, 1);
});

testBoth(
  "RelayServer.close says $bye to sessions, with times to return that are spread, and nothing to plain clients",
  async (transport) => {
    await using loopback = new Loopback({}, transport);
    const plain = await loopback.plain();
    plain.send("\n");
    const sessions = [];
    for (let i = 0; i < 40; i++) sessions.push(await loopback.join());
    await sessions[0].cut(); // may be expected back, and must not hold up the end
    sessions.shift();
    await loopback.relay.close();
    const retries = [];
    for (const session of sessions) {
      await session.ended();
      const [bye] = session.client.told("bye");
      assert.equal(session.client.lines.at(-1), JSON.stringify({ $bye: bye }), "the last line");
      assert.equal(bye.reason, "shutdown");
      retries.push(bye.retryMs);
      assert.deepEqual(session.client.told("leave"), [], "nobody is told of all the others' leaving");
    }
    await plain.ended();
    assert.deepEqual(plain.lines, []);
    assert.ok(retries.every((ms) => ms >= 500 && ms <= 500 + 41 * 20), `${retries}`);
    assert.ok(new Set(retries).size > 20, `${retries}`);
  },
);

testBoth("RelayServer.close leaves nothing behind while sessions are expected back", async (transport) => {
  await using loopback = new Loopback({}, transport);
  for (let i = 0; i < 5; i++) {
    const session = await loopback.join({ room: `r${i % 2}` });
    session.control("ping", { t: 1 }); // its welcome has arrived
    await session.until(() => session.client.told("pong").length > 0, "$pong");
    await session.cut();
  }
  while (loopback.relay.stats().sessions > 0) await pause(1);
  assert.equal(loopback.relay.stats().absentSessions, 5);
  await loopback.relay.close();
  const { absentSessions, rooms, logBytes } = loopback.relay.stats();
  assert.deepEqual([absentSessions, rooms, logBytes], [0, 0, 0]);
});
