// The session client in Python, which is written from docs/PROTOCOL.md alone, against the relay: rooms,
// presence, state, the clock, and connections that a proxy cuts. Plain clients of the bare kind take part.
// Needs python3; without it the tests are skipped, visibly.

import assert from "node:assert/strict";
import { type RelayOptions, type RelayServer, serve } from "../../src/relay/relay.ts";
import { inTime, until } from "../support/deadline.ts";
import { NewRelay } from "../support/new_relay.ts";
import { LineClient } from "../support/line_client.ts";
import { pause } from "../support/pause.ts";
import { connect } from "../support/relay_client.ts";
import { hasPython } from "../support/python.ts";

const PYTHON_DIRECTORY = new URL("../../example/python/", import.meta.url).pathname;

/** Runs a session: obeys commands that come as JSON lines, and tells as JSON lines what it sees. */
const PROGRAM = `
import json, sys, threading, time
sys.path.insert(0, sys.argv[1])
from session_client import Session

def tell(*what):
    print(json.dumps(what), flush=True)

class Told(Session):
    def on_change(self, kind, *details):
        if kind == "join":
            tell("join", details[0].id, details[0].name, details[0].state)
        else:
            tell(kind, *[getattr(detail, "id", detail) for detail in details])

    def on_request(self, event, peer):
        if event == "fail":
            raise ValueError("not today")
        return [event, peer.name, self.state.get("ball")]

def tell_answer(what, answer):
    error = answer.exception()
    tell(what, *([error.code, str(error)] if error else [answer.result()]))

port, room, name, token = sys.argv[2:6]
session = Told("127.0.0.1", int(port), room, name, token, **json.loads(sys.argv[6]))
is_draining, status = True, None

def obey(command, *args):
    global is_draining
    if command == "close":
        session.close()
    elif command == "pause" or command == "go on":
        is_draining = command == "go on"
    elif command == "now":
        tell("now", session.now(), session.clock.rtt)
    elif command == "peers":
        tell("peers", {peer.id: [peer.name, peer.state] for peer in session.peers.values()}, session.state)
    elif command in ("request", "claim", "rooms"):  # waits in this thread, which drains, or is told in a callback
        tell_answer(command, getattr(session, command)(*args))
    elif command == "race":
        for key in args[0]:
            session.claim(key, name).add_done_callback(lambda answer, key=key: tell("won", key, answer.result()))
    elif command == "all":  # in one go: the network's thread sleeps meanwhile
        wake, session._waker.wake = session._waker.wake, lambda: None
        for each in args:
            obey(*each)
        session._waker.wake = wake
        wake()
    elif command == "where":
        tell("where", session.room, session.is_host)
    elif command == "count":  # events with numbers, some each ms
        threading.Thread(target=count, args=args, daemon=True).start()
    else:
        getattr(session, command)(*args)

def count(events):
    for number in range(events):
        session.send([name, number])
        if number % 2:
            time.sleep(0.001)

commands = []
def read():
    for line in sys.stdin:
        commands.append(json.loads(line))
    commands.append(["close"])
threading.Thread(target=read, daemon=True).start()

while True:
    while commands:
        obey(*commands.pop(0))
    if is_draining:
        for message in session.messages():
            event, peer, time_ms = message
            tell("event", event)
            if name == "who":
                is_now = abs(time_ms - session.now()) < 5000
                tell("from", event, peer and peer.id, peer and peer.name, is_now, message.from_host)
    if status != session.status:
        status = session.status
        tell("status", status, session.id if status == "connected" else None, str(session.error or ""))
        if status == "closed":
            break
    time.sleep(0.005)
`;

/** What the program told: a kind and its details. */
// deno-lint-ignore no-explicit-any
type Told = [kind: string, ...details: any[]];

interface Options {
  room?: string;
  name?: string;
  token?: string;
  [option: string]: unknown;
}

/** One session in Python. */
class PythonSession implements AsyncDisposable {
  readonly told: Told[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #commands: WritableStreamDefaultWriter<Uint8Array>;
  readonly #done: Promise<unknown>;
  #onTold: (() => void) | undefined;
  #seen = 0;

  constructor(port: number, { room = "lobby", name = "", token = "", ...options }: Options = {}) {
    this.#process = new Deno.Command("python3", {
      args: ["-c", PROGRAM, PYTHON_DIRECTORY, `${port}`, room, name, token, JSON.stringify(options)],
      env: { PYTHONDONTWRITEBYTECODE: "1" },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#commands = this.#process.stdin.getWriter();
    this.#done = this.#readAll();
  }

  /** Waits until it is connected, and returns its id. */
  async connected(): Promise<string> {
    const [, , id] = await this.next((told) => told[0] === "status" && told[1] === "connected");
    return id;
  }

  async command(...command: unknown[]): Promise<void> {
    await this.#commands.write(new TextEncoder().encode(JSON.stringify(command) + "\n"));
  }

  /** Waits for something that was told behind what the last call found. */
  async next(isIt: (told: Told) => boolean): Promise<Told> {
    for (;;) {
      for (; this.#seen < this.told.length; this.#seen++) {
        if (isIt(this.told[this.#seen])) return this.told[this.#seen++];
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onTold = resolve;
      await inTime(
        promise,
        `what was waited for; the last that was told: ${this.told.slice(-3).join(" | ")}`,
      );
    }
  }

  /** Waits for exactly this. */
  async tells(...what: Told): Promise<void> {
    const text = JSON.stringify(what);
    await this.next((told) => JSON.stringify(told) === text);
  }

  /** The numbers that came from `name`, in their order. */
  numbersOf(name: string): number[] {
    return this.told.filter(([kind, event]) => kind === "event" && event[0] === name).map(([, [, number]]) =>
      number
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#commands.close().catch(() => {}); // it then closes its session and ends
    await Promise.all([this.#done, this.#process.status]);
  }

  async #readAll(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      this.told.push(...lines.map((line) => JSON.parse(line)));
      this.#onTold?.();
    }
  }
}

/**
 * Passes bytes on between clients and a relay, and cuts the first connections each after a number of bytes,
 * both directions together.
 */
class CuttingProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #work: Promise<unknown>[] = [];
  readonly #open = new Set<Deno.TcpConn>();
  readonly #cuts: number[];

  constructor(public targetPort: number, cutsAfterBytes: number[]) {
    this.#cuts = [...cutsAfterBytes];
    this.#work.push(this.#acceptAll());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** How many connections are still to be cut. */
  get cutsLeft(): number {
    return this.#cuts.length;
  }

  async #acceptAll(): Promise<void> {
    for await (const client of this.#listener) {
      const relay = await Deno.connect({ hostname: "127.0.0.1", port: this.targetPort }).catch(() => null);
      if (relay === null) {
        client.close();
        continue;
      }
      const pair = [client, relay];
      const budget = { bytes: this.#cuts.shift() ?? Infinity };
      for (const conn of pair) this.#open.add(conn);
      this.#work.push(this.#pump(client, relay, budget, pair), this.#pump(relay, client, budget, pair));
    }
  }

  async #pump(from: Deno.TcpConn, to: Deno.TcpConn, budget: { bytes: number }, pair: Deno.TcpConn[]) {
    const buffer = new Uint8Array(4096);
    try {
      while (budget.bytes > 0) {
        const n = await from.read(buffer);
        if (n === null) break;
        const passed = Math.min(n, budget.bytes);
        budget.bytes -= passed;
        for (let at = 0; at < passed;) at += await to.write(buffer.subarray(at, passed));
      }
    } catch {
      // the other direction closed both
    }
    for (const conn of pair) this.#close(conn);
  }

  #close(conn: Deno.TcpConn): void {
    if (this.#open.delete(conn)) conn.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open) this.#close(conn);
    await Promise.all(this.#work);
  }
}

function start(options?: RelayOptions): { relay: RelayServer; port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return { relay: serve(listener, options), port: listener.addr.port };
}

const ignore = !hasPython("import sys; assert sys.version_info >= (3, 6)");
if (ignore) console.warn("SKIPPED: the tests of the Python session client, which need python3, 3.6 or newer");

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `Python session ${name}`, ignore, fn });
}

test("sees who is in its room and what state they have, and nothing of another room", async () => {
  const { relay, port } = start();
  await using _ = relay;
  await using ada = new PythonSession(port, { room: "pong", name: "ada" });
  const adaId = await ada.connected();
  await ada.command("set", "ball", { pos: [3, 4] });
  await ada.command("set", "score", 7, true);
  await ada.tells("set", null, "score", 7);

  await using cy = new PythonSession(port, { room: "chess", name: "cy" });
  await cy.connected();
  await using bo = new PythonSession(port, { room: "pong", name: "bo" });
  await bo.tells("join", adaId, "ada", { ball: { pos: [3, 4] } });
  await bo.tells("set", null, "score", 7);
  const [, boId] = await ada.next((told) => told[0] === "join" && told[2] === "bo");

  await bo.command("send", { say: "hi" });
  await ada.tells("event", { say: "hi" });
  await ada.command("send", { "$looks": "like a control line" });
  await bo.tells("event", { "$looks": "like a control line" });
  await ada.command("set", "ball", null);
  await bo.tells("set", adaId, "ball", null);
  await ada.command("unset", "ball");
  await bo.tells("unset", adaId, "ball");
  await bo.command("unset", "score", true);
  await ada.tells("unset", null, "score");
  await bo.tells("unset", null, "score");
  const longest = "😀".repeat(128); // a key is counted in characters
  await bo.command("set", longest, 1, true);
  await ada.tells("set", null, longest, 1);
  await ada.command("unset", longest, true);
  await bo.tells("unset", null, longest);
  await bo.command("peers");
  await bo.tells("peers", { [adaId]: ["ada", {}] }, {});

  await bo.command("close");
  await ada.tells("leave", boId, "closed");
  await cy.command("peers");
  await cy.tells("peers", {}, {});
  assert.deepEqual(cy.told.map(([kind]) => kind).filter((kind) => kind !== "status"), ["peers"]);
});

test("sets as many keys as are allowed, in whatever order it gives others up", async () => {
  const { relay, port } = start();
  await using _ = relay;
  await using ada = new PythonSession(port, { room: "pong", name: "ada" });
  await using bo = new PythonSession(port, { room: "pong", name: "bo" });
  await Promise.all([ada.connected(), bo.connected()]);
  const filler = Array.from({ length: 254 }, (_, i) => ["set", `key ${i}`, i]);
  await ada.command("all", ["set", "a", 0], ["set", "b", 0], ...filler);
  for (let round = 0; round < 10; round++) {
    await ada.command("all", ["unset", "a"], ["set", "c", 1], ["unset", "b"], ["set", "a", 1]);
    await ada.command("all", ["unset", "c"], ["set", "b", 0]);
  }
  await ada.command("send", "done");
  await bo.tells("event", "done");
  await bo.command("send", "done, too");
  await ada.tells("event", "done, too");
  assert.deepEqual(ada.told.filter(([kind]) => kind === "error"), []);
});

test("enters a room whatever values are there, also those that Python can't read", async () => {
  const { relay, port } = start();
  await using _ = relay;
  const values = ["1".repeat(5000), `[-${"9".repeat(6000)},1]`, "[".repeat(4000) + "]".repeat(4000)];
  for (const [i, value] of values.entries()) {
    using member = await LineClient.connect(port);
    await member.send(`{"$hello":{"version":1,"room":"${i}"}}\n{"$set":{"key":"k","value":${value}}}\n`);
    const { $welcome: { id } } = JSON.parse(await member.line(1));
    await using ada = new PythonSession(port, { room: `${i}` });
    const joined = await ada.next((told) => told[0] === "join" && told[1] === id);
    const read = [/^null$/, /^\[null,1\]$/, /^\[{90,100}null\]{90,100}$/][i];
    assert.match(JSON.stringify(joined[3].k), read);
    await member.send(`{"$set":{"key":"late","value":${value}}}\n"done"\n`);
    const late = await ada.next((told) => told[0] === "set" && told[2] === "late");
    assert.match(JSON.stringify(late[3]), read);
    await ada.tells("event", "done");
  }
});

test("and a plain client share the lobby", async () => {
  const { relay, port } = start();
  await using _ = relay;
  await using ada = new PythonSession(port, { name: "ada" });
  await ada.connected();
  using plain = await LineClient.connect(port);
  await plain.send(`{"$ping":1}\n`);
  await ada.tells("event", { "$ping": 1 });
  await ada.command("send", { "pos": [3, 4] });
  assert.equal(await plain.line(1), `{"pos":[3,4]}`);
  await ada.command("set", "ball", [5, 4]); // of which plain clients are told nothing
  await ada.command("send", "after it");
  assert.equal(await plain.line(2), `"after it"`);
});

test("tells the relay's clock within half its round trip", async () => {
  const { relay, port } = start();
  await using _ = relay;
  await using ada = new PythonSession(port);
  await ada.connected();
  const before = performance.timeOrigin + performance.now();
  await ada.command("now");
  const [, now, rtt] = await ada.next(([kind]) => kind === "now");
  const after = performance.timeOrigin + performance.now();
  // The clocks of the two processes read to a few µs.
  assert.ok(
    now >= before - rtt / 2 - 0.1,
    `told ${now}, which is before ${before} by more than half of ${rtt}`,
  );
  assert.ok(now <= after + rtt / 2 + 0.1, `told ${now}, which is after ${after} by more than half of ${rtt}`);
});

test("goes on after its connection was cut, and nothing is lost or doubled", async () => {
  const { relay, port } = start();
  await using _ = relay;
  // In the middle of events, of a hello, of a welcome.
  const cuts = [4001, 8009, 100, 300, 700, 2003, 12_007, 16_001, 5003, 20_011];
  await using proxy = new CuttingProxy(port, cuts);
  await using ada = new PythonSession(proxy.port, { name: "ada" });
  const id = await ada.connected();
  await using bo = new PythonSession(port, { name: "bo" });
  await bo.connected();
  using plain = await LineClient.connect(port);

  const count = 3000;
  await ada.command("set", "ball", "up");
  await ada.command("count", count);
  await bo.command("count", count);
  const sent = [];
  for (let i = 0; i < count; i++) {
    sent.push(plain.send(`["plain",${i}]\n`));
    if (i % 10 === 0) await pause(5);
  }
  await Promise.all(sent);
  await ada.command("set", "ball", "down");
  for (const session of [ada, bo]) {
    const others = session === ada ? ["bo", "plain"] : ["ada", "plain"];
    await session.next(() => others.every((name) => session.numbersOf(name).at(-1) === count - 1));
    for (const name of others) {
      assert.deepEqual(session.numbersOf(name), Array.from({ length: count }, (_, i) => i), name);
    }
    assert.deepEqual(session.told.filter(([kind]) => ["lost", "error", "leave"].includes(kind)), []);
  }
  assert.equal(proxy.cutsLeft, 0, "all cuts were made");
  await bo.command("peers");
  const [, peers] = await bo.next(([kind]) => kind === "peers");
  assert.deepEqual(peers, { [id]: ["ada", { ball: "down" }] });

  const isNumbered = (line: string) => /^\["(ada|bo)"/.test(line);
  await plain.line(2 * count); // also two values of state, perhaps
  while (plain.lines.filter(isNumbered).length < 2 * count) await plain.line(plain.lines.length + 1);
  for (const name of ["ada", "bo"]) {
    const numbers = plain.lines.filter(isNumbered).map((line) => JSON.parse(line))
      .filter((event) => event[0] === name).map((event) => event[1]);
    assert.deepEqual(numbers, Array.from({ length: count }, (_, i) => i), name);
  }
});

test("begins anew at a relay that was restarted: state is set again, and the loss is told", async () => {
  const first = start();
  await using proxy = new CuttingProxy(first.port, []);
  await using ada = new PythonSession(proxy.port, { room: "pong", name: "ada" });
  await ada.connected();
  await ada.command("set", "ball", [3, 4]);
  await ada.command("set", "old", 1);
  await ada.command("unset", "old");
  await ada.command("set", "score", 1, true);
  await ada.tells("set", null, "score", 1);

  const second = start();
  await using _ = second.relay;
  proxy.targetPort = second.port;
  await first.relay.close();
  const [, reason] = await ada.next(([kind]) => kind === "lost");
  assert.equal(reason, "unconfirmed");
  await using bo = new PythonSession(second.port, { room: "pong", name: "bo" });
  const [, id] = await bo.next((told) => told[0] === "join" && told[2] === "ada");
  await ada.next((told) => told[0] === "join" && told[2] === "bo");
  await ada.command("send", "again");
  await bo.tells("event", "again");
  await bo.command("peers");
  await bo.tells("peers", { [id]: ["ada", { ball: [3, 4] }] }, {});
});

test("that stops draining is told how many events it missed, and gets new ones", async () => {
  const { relay, port } = start({ windowBytes: 4096, maxLagMs: 200 });
  await using _ = relay;
  await using ada = new PythonSession(port, { name: "ada" });
  await ada.connected();
  using plain = await LineClient.connect(port);
  await plain.send(`["plain",0]\n`);
  await ada.tells("event", ["plain", 0]);
  await ada.command("pause");
  await ada.command("now");
  await ada.next(([kind]) => kind === "now");
  const count = 2000;
  for (let i = 1; i < count; i++) await plain.send(`["plain",${i}]\n`);
  await pause(500); // the lines grow old
  await ada.command("go on");
  await ada.next(([kind, reason]) => kind === "lost" && reason === "behind");
  await plain.send(`["plain",${count}]\n`);
  await ada.tells("event", ["plain", count]);
  const numbers = ada.numbersOf("plain");
  const lost = ada.told.reduce((sum, [kind, , lines]) => kind === "lost" ? sum + lines : sum, 0);
  assert.equal(numbers.length + lost, count + 1);
  assert.deepEqual(numbers.slice(0, -1), Array.from({ length: numbers.length - 1 }, (_, i) => i));
});

test("that is refused says why, and does not ask again", async () => {
  const { relay, port } = start({ token: "sesame" });
  await using _ = relay;
  await using wrong = new PythonSession(port, { token: "barley" });
  const [, status, , error] = await wrong.next(([kind]) => kind === "status");
  assert.ok(status === "connecting" || status === "closed", status);
  const [, , , reason] = status === "closed"
    ? [, , , error]
    : await wrong.next((told) => told[0] === "status" && told[1] === "closed");
  assert.match(reason, /Cannot enter: the token that was given is not the relay's/);
  await using right = new PythonSession(port, { token: "sesame" });
  await right.connected();
});

test("knows who sent an event and who leads, and sends to one", async () => {
  await using server = new NewRelay();
  await using ada = await connect(`${server.target}/pong`, { name: "ada" });
  await using bo = await connect(`${server.target}/pong`, { name: "bo" });
  await using python = new PythonSession(server.port, { room: "pong", name: "who" });
  await until(() => ada.peers.size === 2 && bo.peers.size === 2, "python is there");
  const [who] = [...ada.peers.values()].filter(({ name }) => name === "who");
  ada.send("to all");
  bo.send("to python", { to: who });
  await until(() => python.told.filter(([kind]) => kind === "from").length === 2, "both");
  const told = python.told.filter(([kind]) => kind === "from").sort(([, a], [, b]) => a < b ? -1 : 1);
  assert.deepEqual(told, [
    ["from", "to all", ada.id, "ada", true, true],
    ["from", "to python", bo.id, "bo", true, false],
  ]);
  ada.passHost(bo);
  await until(() => python.told.some(([kind, id]) => kind === "host" && id === bo.id), "bo leads");
  bo.send("from the host");
  await until(() => python.told.filter(([kind]) => kind === "from").length === 3, "the host is heard");
  assert.deepEqual(python.told.filter(([kind]) => kind === "from").at(-1)!.slice(2), [
    bo.id,
    "bo",
    true,
    true,
  ]);
  assert.deepEqual(python.told.filter(([kind]) => kind === "host").map(([, id]) => id), [ada.id, bo.id]);
  await python.command("send", "psst", bo.id);
  await until(
    () => bo.messages().some(({ event, from }) => event === "psst" && from?.name === "who"),
    "psst",
  );
  await until(() => ada.stats.received > 0, "ada hears the host, too");
  assert.deepEqual(ada.drain(), ["from the host"]);
});

test("asks and is asked, and says why there is no answer", async () => {
  await using server = new NewRelay();
  await using ada = await connect(`${server.target}/pong`, {
    name: "ada",
    onRequest(question, from) {
      if (question === "fail") throw new Error("not today");
      return [question, from.name];
    },
  });
  await using python = new PythonSession(server.port, { room: "pong", name: "py" });
  const id = await python.connected();
  await until(() => ada.peers.has(id), "it is there");
  ada.set("ball", "up", { room: true });
  await python.next((told) => told[0] === "set" && told[2] === "ball");
  assert.deepEqual(await ada.request(id, { a: 1 }), [{ a: 1 }, "ada", "up"]);
  await assert.rejects(ada.request(id, "fail"), /^RequestError: Cannot request "k2": not today$/);
  const many = await Promise.all(Array.from({ length: 200 }, (_, n) => ada.request(id, n)));
  assert.deepEqual(many.map((answer) => (answer as unknown[])[0]), Array.from({ length: 200 }, (_, n) => n));

  await python.command("request", ada.id, "ready?");
  await python.tells("request", ["ready?", "py"]);
  await python.command("request", ada.id, "fail");
  await python.tells("request", "failed", `Cannot request '${ada.id}': not today`);
  await python.command("request", "k99", 1);
  await python.tells("request", "no_such_peer", `Cannot request 'k99': nobody here has the id "k99"`);
  await python.command("request", id, "myself");
  await python.tells("request", ["myself", "py", "up"]);
  let asked = 0;
  await using mute = await connect(`${server.target}/pong`, {
    onRequest: () => new Promise(() => void asked++),
  });
  await python.command("request", mute.id, 1, 0.02);
  await python.tells("request", "timeout", `Cannot request '${mute.id}': no answer within 0.02 s`);
  await python.command("request", mute.id, 1, null);
  await until(() => asked === 2, "both questions");
  await mute.close();
  await python.next((told) => told[0] === "request" && told[1] === "left");
  await using bare = await connect(`${server.target}/pong`);
  await python.command("request", bare.id, 1);
  await python.next((told) => told[0] === "request" && /it answers no requests/.test(told[2]));
  assert.deepEqual(python.told.filter(([kind]) => kind === "event" || kind === "error"), []);
  assert.deepEqual(ada.drain(), []);
});

test("claims with others, of whom exactly one wins each time, over cuts; and lists rooms", async () => {
  await using server = new NewRelay();
  await using proxy = new CuttingProxy(server.port, [1500, 2500, 2000, 3000, 1800]);
  await using ada = await connect(`${server.target}/pong`, { name: "ada" });
  await using py = new PythonSession(proxy.port, { room: "pong", name: "py" });
  await using pa = new PythonSession(server.port, { room: "pong", name: "pa" });
  await py.connected();
  await pa.connected();
  const keys = Array.from({ length: 60 }, (_, n) => `key ${n}`);
  await py.command("race", keys);
  await pa.command("race", keys.toReversed());
  const won = new Map(
    await Promise.all(keys.map(async (key) => [key, await ada.claim(key, "ada")] as const)),
  );
  const claimsOf = (session: PythonSession) => session.told.filter(([kind]) => kind === "won");
  await until(() => claimsOf(py).length === 60 && claimsOf(pa).length === 60, "all are answered");
  for (const key of keys) {
    const winners = [
      ...won.get(key) ? ["ada"] : [],
      ...[["py", py], ["pa", pa]].filter(([, session]) =>
        claimsOf(session as PythonSession).some(([, each, hasWon]) => each === key && hasWon)
      ).map(([name]) => name),
    ];
    assert.deepEqual(winners, [ada.state[key]], key);
  }
  await py.command("claim", "held", 1, true);
  await py.tells("claim", true);
  await pa.command("claim", "held", 2);
  await pa.tells("claim", false);
  await py.command("close");
  await until(() => !("held" in ada.state), "it is free again");
  await pa.command("rooms");
  await pa.tells("rooms", [[["pong", 2, null]], 0]);
});

test("leads where it may, passes that on, and finds a room with a place", async () => {
  await using server = new NewRelay();
  await using py = new PythonSession(server.port, {
    room: "duel",
    any_room: true,
    max_members: 2,
    can_host: true,
  });
  await py.connected();
  await using pa = new PythonSession(server.port, {
    room: "duel",
    any_room: true,
    max_members: 2,
    can_host: true,
  });
  const paId = await pa.connected();
  await using third = new PythonSession(server.port, {
    room: "duel",
    any_room: true,
    max_members: 2,
    echo: true,
  });
  await third.connected();
  await third.command("where");
  await third.tells("where", "duel-2", false);
  await third.command("send", "echo");
  await third.tells("event", "echo");
  await py.next((told) => told[0] === "join" && told[1] === paId);
  await py.command("where");
  await py.tells("where", "duel", true);
  await pa.command("pass_host"); // it is not the host, so nothing happens
  await py.command("pass_host", paId);
  await pa.tells("host", paId);
  await pa.command("where");
  await pa.tells("where", "duel", true);
});
