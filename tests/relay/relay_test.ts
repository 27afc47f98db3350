// Holds serve() against its contract over loopback, TCP and WebSocket, with clients that speak raw bytes; and
// its accept loop with a stub listener, for what a real one does too seldom.

import assert from "node:assert/strict";
import { type Listener, type RelayOptions, type RelayServer, serve } from "../../src/relay/relay.ts";
import { DEADLINE_MS, inTime } from "../support/deadline.ts";
import { LineClient } from "../support/line_client.ts";
import { pause } from "../support/pause.ts";
import { settle, StubTransport } from "../support/stub_transport.ts";
import { testBoth, type TransportKind } from "../support/websocket_conn.ts";

interface LogEntry {
  message: string;
  fields: Record<string, string | number>;
}

/** A relay on a free port of loopback, and its clients. */
class Loopback implements AsyncDisposable {
  readonly relay: RelayServer;
  readonly log: LogEntry[] = [];
  readonly #port: number;
  readonly #transport: TransportKind;
  readonly #clients: LineClient[] = [];
  #waiting = new Set<() => void>();

  /** @param transport how its clients connect */
  constructor(options: RelayOptions = {}, transport: TransportKind = "tcp") {
    this.#transport = transport;
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#port = listener.addr.port;
    this.relay = serve(listener, {
      ...options,
      log: (_level, message, fields = {}) => {
        this.log.push({ message, fields });
        for (const done of this.#waiting) done();
      },
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Connects without waiting for the relay to notice. */
  async connect(options?: { reads?: boolean }): Promise<LineClient> {
    const client = await LineClient.connect(this.#port, { ...options, transport: this.#transport });
    this.#clients.push(client);
    return client;
  }

  /**
   * Connects, waits until the relay has the client as a member, and sends an empty line, which only a plain
   * client begins with.
   */
  async join(options?: { reads?: boolean }): Promise<LineClient> {
    const client = await this.connect(options);
    client.send("\n");
    await this.logged("connected", client, this.#transport === "websocket" ? { transport: "websocket" } : {});
    return client;
  }

  /** Waits for a log line about a client, with these fields among others. */
  async logged(message: string, client?: LineClient, fields: LogEntry["fields"] = {}): Promise<LogEntry> {
    for (;;) {
      const entry = this.log.find((entry) =>
        entry.message === message && (client === undefined || entry.fields.address === client.address) &&
        Object.entries(fields).every(([name, value]) => entry.fields[name] === value)
      );
      if (entry !== undefined) return entry;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await inTime(promise, `the relay logs "${message}"`);
      this.#waiting.delete(resolve);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.relay.close();
  }
}

/**
 * Sends until the second member, who doesn't read, takes no more: the kernel has no room, and a write waits
 * for longer than writes do.
 */
async function fill({ relay }: Loopback, sender: LineClient): Promise<void> {
  const line = JSON.stringify("x".repeat(60_000)) + "\n";
  for (let stillTurns = 0, sentBytes = -1; stillTurns < 50;) {
    await sender.send(line);
    await pause(1);
    const now = relay.connectionStats().at(1)?.sentBytes ?? sentBytes; // it may be closed by now
    stillTurns = now === sentBytes ? stillTurns + 1 : 0;
    sentBytes = now;
  }
}

function codeOf(line: string): string {
  return JSON.parse(line).$error.code;
}

testBoth("serve relays to everyone but the sender, byte for byte", async (transport) => {
  await using loopback = new Loopback({}, transport);
  const [ada, bo, cy] = [await loopback.join(), await loopback.join(), await loopback.join()];
  const lines = [
    '{"id":1152921504606846975,"b":1,"a":2,"a":3}',
    ' {"spaces" : [ 1 , 2.50e+00 ] } \t\r',
    '"ä€🎈\\u00e4\u2028\u202e"',
    '{"$hello":{"version":1}}',
    "null",
  ];
  ada.send(lines.join("\n") + "\n");
  bo.send("1\n");
  await cy.line(6);
  await bo.line(5);
  await ada.line(1);
  assert.deepEqual(bo.lines, lines);
  assert.deepEqual(cy.lines.filter((line) => line !== "1"), lines);
  ada.send('"end"\n');
  await bo.line(6);
  assert.deepEqual(ada.lines, ["1"], "nobody gets what is their own");
});

testBoth("serve takes a line of maxLineBytes and refuses one byte more", async (transport) => {
  await using loopback = new Loopback({}, transport);
  const [ada, bo] = [await loopback.join(), await loopback.join()];
  const fits = JSON.stringify("x".repeat(64 * 1024 - 2));
  ada.send(`${fits}\n${fits.slice(0, -1)}y"\n${fits}\n1\n`);
  await bo.line(3);
  assert.deepEqual(bo.lines, [fits, fits, "1"]);
  assert.equal(codeOf(await ada.line(1)), "line_too_long");
});

testBoth(
  "serve takes blocks of lines from ten members at once, in order for each sender, nothing lost or doubled",
  async (transport) => {
    await using loopback = new Loopback({}, transport);
    const members = await Promise.all(Array.from({ length: 10 }, () => loopback.join()));
    const perMember = 3000;
    for (const [sender, member] of members.entries()) {
      let text = "";
      for (let number = 0; number < perMember; number++) {
        text += JSON.stringify({ sender, number, filler: "x".repeat(number % 97) }) + "\n";
      }
      for (let at = 0, size = 1; at < text.length; at += size, size = (size * 7 + sender) % 5000 + 1) {
        member.send(text.slice(at, at + size));
      }
    }
    for (const [receiver, member] of members.entries()) {
      await member.line(9 * perMember);
      const next = new Array(10).fill(0);
      for (const line of member.lines) {
        const { sender, number } = JSON.parse(line);
        assert.equal(number, next[sender]++);
      }
      assert.deepEqual(next, next.map((_, sender) => sender === receiver ? 0 : perMember));
    }
    const { receivedLines, sentLines, skippedLines, errors } = loopback.relay.stats();
    assert.deepEqual([receivedLines, sentLines, skippedLines, errors], [30_000, 270_000, 0, 0]);
  },
);

testBoth("serve holds 200 members, each of whom hears all others", async (transport) => {
  await using loopback = new Loopback({}, transport);
  const members: LineClient[] = [];
  for (let i = 0; i < 200; i++) members.push(await loopback.join());
  assert.equal(loopback.relay.stats().members, 200);
  for (const [i, member] of members.entries()) member.send(`${i}\n`);
  for (const [i, member] of members.entries()) {
    await member.line(199);
    const heard = new Set(member.lines.map(Number));
    assert.equal(heard.size, 199);
    assert.equal(heard.has(i), false);
  }
});

testBoth(
  "serve lets a reader that stalls slow nobody, bounds the log, and gives it whole fresh lines when it returns",
  async (transport) => {
    const maxLogBytes = 1024 * 1024;
    await using loopback = new Loopback({ maxLogBytes }, transport);
    const [ada, bo] = [await loopback.join(), await loopback.join()];
    const stalled = await loopback.join({ reads: false });
    const filler = "x".repeat(10_000), total = 4000; // 40 MB, more than the kernel keeps for one connection
    let most = 0;
    for (let number = 0; number < total; number += 20) {
      let text = "";
      for (let i = number; i < number + 20; i++) text += JSON.stringify({ number: i, filler }) + "\n";
      await ada.send(text);
      await bo.line(number + 20);
      most = Math.max(most, loopback.relay.stats().logBytes);
    }
    assert.equal(bo.lines.length, total);
    assert.ok(most <= maxLogBytes, `the log took ${most} bytes`);

    stalled.startReading();
    // Each fresh line is sent when the one before has arrived at the other reader; one of them is the first
    // after the jump.
    let last = 0;
    for (let fresh = 0; last < total; fresh++) {
      await ada.send(JSON.stringify({ number: total + fresh }) + "\n");
      await bo.line(total + fresh + 1);
      await settle();
      if (stalled.lines.length > 0) last = JSON.parse(stalled.lines.at(-1)!).number;
    }
    const numbers = stalled.lines.map((line): number => JSON.parse(line).number);
    for (let i = 1; i < numbers.length; i++) assert.ok(numbers[i] > numbers[i - 1], "in order, each once");
    const jump = numbers.findIndex((number, i) => i > 0 && number > numbers[i - 1] + 1);
    assert.ok(numbers[jump] >= total, `after the jump come new lines, not line ${numbers[jump]}`);
    assert.deepEqual(
      numbers.slice(jump),
      Array.from({ length: numbers.length - jump }, (_, i) => numbers[jump] + i),
      "and all of them",
    );
    assert.equal(loopback.relay.connectionStats()[2].skippedLines, numbers[jump] - numbers[jump - 1] - 1);
    assert.equal(loopback.log.filter(({ message }) => message.includes("fell behind")).length, 1);
  },
);

testBoth("serve closes a member that takes no byte for writeDeadlineMs", async (transport) => {
  await using loopback = new Loopback({ writeDeadlineMs: 200, maxLogBytes: 512 * 1024 }, transport);
  const ada = await loopback.join();
  const stalled = await loopback.join({ reads: false });
  await fill(loopback, ada);
  const { fields } = await loopback.logged("connection ended", stalled);
  assert.equal(fields.reason, "stuck");
  assert.equal(loopback.relay.stats().members, 1);
});

testBoth(
  "serve closes a connection whose line does not end within idleLineMs, and no other",
  async (transport) => {
    await using loopback = new Loopback({ idleLineMs: 100 }, transport);
    const [ada, bo] = [await loopback.join(), await loopback.join()];
    ada.send('{"half":');
    assert.equal(codeOf(await ada.line(1)), "idle_line");
    await ada.ended();
    await loopback.logged("connection ended", ada);
    assert.equal(loopback.relay.stats().members, 1);
    assert.equal(bo.hasEnded, false);
  },
);

testBoth("serve refuses with relay_full above maxClients, until someone leaves", async (transport) => {
  await using loopback = new Loopback({ maxClients: 2 }, transport);
  const [ada, bo] = [await loopback.join(), await loopback.join()];
  for (let i = 0; i < 3; i++) {
    const refused = await loopback.connect();
    assert.equal(codeOf(await refused.line(1)), "relay_full");
    assert.match(refused.lines[0], /2 clients are connected, no more are allowed/);
    await refused.ended();
    assert.equal(loopback.relay.stats().members, 2);
    refused.close();
    await loopback.logged("connection ended", refused);
    assert.equal(loopback.relay.stats().members, 2);
  }
  bo.close();
  await loopback.logged("connection ended", bo);
  const cy = await loopback.join();
  cy.send("1\n");
  assert.equal(await ada.line(1), "1");
  assert.equal(loopback.relay.stats().members, 2);
});

Deno.test("serve without the web answers HTTP with a 400 at a full relay, and counts no request as a client", async () => {
  await using loopback = new Loopback({ maxClients: 1, servesWeb: false });
  const ada = await loopback.join();
  const requests = await Promise.all(Array.from({ length: 5 }, async () => {
    const request = await loopback.connect();
    void request.send("GET / HTTP/1.1\r\n\r\n");
    await request.line(1);
    return request;
  }));
  for (const { lines } of requests) assert.equal(lines[0], "HTTP/1.1 400 Bad Request\r");
  assert.equal(loopback.relay.stats().members, 1);
  assert.equal(ada.hasEnded, false);
});

testBoth("serve gives a refused connection no part in the room", async (transport) => {
  await using loopback = new Loopback({ maxClients: 1 }, transport);
  const ada = await loopback.join();
  const refused = await loopback.connect();
  refused.send("1\n");
  await refused.ended();
  ada.send("2\n");
  await loopback.logged("connection ended", refused);
  assert.deepEqual([ada.lines, refused.lines.length], [[], 1]);
  assert.equal(loopback.relay.stats().receivedLines <= 1, true, "ada's line at the most");
});

testBoth("serve lets a client that floods garbage harm nobody", async (transport) => {
  await using loopback = new Loopback({}, transport);
  const [ada, bo] = [await loopback.join(), await loopback.join()];
  const flooders = await Promise.all(Array.from({ length: 3 }, () => loopback.join({ reads: false })));
  // No byte but LF is ASCII, so that no line of it is JSON by chance, as a lone digit would be.
  const garbage = crypto.getRandomValues(new Uint8Array(60_000)).map((byte) =>
    byte === 0x0a ? byte : byte | 0x80
  );
  const floods = flooders.map(async (flooder) => {
    for (let i = 0; i < 20; i++) await flooder.send(garbage);
  });
  for (let i = 0; i < 200; i++) {
    ada.send(`{"ping":${i}}\n`);
    assert.equal(await bo.line(i + 1), `{"ping":${i}}`);
  }
  await Promise.all(floods);
  await Promise.all(flooders.map((flooder) => loopback.logged("connection ended", flooder)));
  assert.equal(bo.lines.length, 200);
  assert.deepEqual(ada.lines, []);
  assert.ok(loopback.log.length < 100, "the log is not flooded");
});

testBoth("serve without checking passes any line on", async (transport) => {
  await using loopback = new Loopback({ isChecked: false }, transport);
  const [ada, bo] = [await loopback.join(), await loopback.join()];
  ada.send("no json\n{'a': nan}\n");
  await bo.line(2);
  assert.deepEqual(bo.lines, ["no json", "{'a': nan}"]);
});

Deno.test("serve takes a last line without LF from a client that hangs up, and drops a broken one", async () => {
  await using loopback = new Loopback();
  const bo = await loopback.join();
  for (const [text, last] of [["1\n2", "2"], ['3\n{"half":', "3"], ["GET", undefined], ["4", "4"]]) {
    const ada = await loopback.join();
    const before = bo.lines.length;
    await ada.send(text!);
    await ada.endOutput();
    await ada.ended();
    if (last !== undefined) {
      await bo.line(before + text!.split("\n").filter((line) => /^\d$/.test(line)).length);
    }
    assert.equal(bo.lines.slice(before).at(-1), last);
  }
});

Deno.test("serve counts in its rates what a connection brought that was over before they looked", async () => {
  await using loopback = new Loopback();
  const ada = await loopback.connect();
  await ada.send("1\n".repeat(1000)); // more than get lost by rounding, however long a second takes
  await ada.endOutput();
  await ada.ended();
  const deadline = Date.now() + DEADLINE_MS;
  let inLines = 0;
  while (inLines === 0 && Date.now() < deadline) {
    await pause(50);
    const { rates } = await (await fetch(`${loopback.url}stats.json`)).json();
    for (const second of rates) inLines += second.inLines;
  }
  assert.notEqual(inLines, 0);
});

Deno.test("serve without the web answers a browser with a 400 that says what this is", async () => {
  await using loopback = new Loopback({ servesWeb: false });
  const bo = await loopback.join();
  for (const init of [{}, { method: "POST", body: '1\n{"evil":true}\n' }]) {
    const response = await fetch(loopback.url, init);
    assert.equal(response.status, 400);
    assert.match(await response.text(), /JSON/);
  }
  assert.deepEqual(bo.lines, []);
});

testBoth("serve forgets a client whose connection breaks", async (transport) => {
  await using loopback = new Loopback({}, transport);
  const [ada, bo] = [await loopback.join(), await loopback.join({ reads: false })];
  await ada.send("1\n".repeat(1000));
  while (loopback.relay.stats().sentLines < 1000) await settle();
  bo.close(); // with input unread: the kernel sends a reset
  await loopback.logged("connection ended", bo);
  assert.equal(loopback.relay.stats().members, 1);
  assert.equal(loopback.log.some(({ message }) => message === "connection failed"), false);
});

testBoth("RelayServer.stats keeps what members did who have left", async (transport) => {
  await using loopback = new Loopback({}, transport);
  const [ada, bo] = [await loopback.join(), await loopback.join()];
  ada.send("1\nbad\n22\n");
  await bo.line(2);
  await ada.line(1);
  const before = loopback.relay.stats();
  assert.deepEqual(
    [before.members, before.receivedLines, before.receivedBytes, before.sentLines, before.errors],
    [2, 2, 11, 2, 1],
    "with the two empty lines of join()",
  );
  assert.deepEqual(loopback.relay.connectionStats().map(({ address }) => address), [ada.address, bo.address]);
  ada.close();
  bo.close();
  await Promise.all([ada, bo].map((client) => loopback.logged("connection ended", client)));
  assert.deepEqual({ ...loopback.relay.stats(), logBytes: 0 }, {
    ...before,
    members: 0,
    rooms: 0,
    logBytes: 0,
  });
});

testBoth(
  "RelayServer.close writes out what members have not had, and ends their connections",
  async (transport) => {
    await using loopback = new Loopback({}, transport);
    const ada = await loopback.join();
    const late = await loopback.join({ reads: false });
    const line = JSON.stringify("x".repeat(1000)) + "\n";
    await ada.send(line.repeat(6000));
    while (loopback.relay.stats().receivedLines < 6000) await settle();
    const closed = loopback.relay.close();
    late.startReading();
    await late.ended();
    assert.equal(late.lines.length, 6000);
    assert.equal(late.rest, "");
    await ada.ended();
    await closed;
    assert.equal(loopback.relay.stats().members, 0);
  },
);

testBoth(
  "RelayServer.close does not wait for ever for a client that neither reads nor leaves",
  async (transport) => {
    await using loopback = new Loopback({}, transport);
    const ada = await loopback.join();
    await loopback.join({ reads: false });
    await fill(loopback, ada);
    await inTime(loopback.relay.close(), "close()");
    assert.equal(loopback.relay.stats().members, 0);
  },
);

testBoth(
  "RelayServer.close accepts no one any more, may be called twice, and resolves `finished`",
  async (transport) => {
    await using loopback = new Loopback({}, transport);
    const ada = await loopback.join();
    const closings = [loopback.relay.close(), loopback.relay.close(), loopback.relay.finished];
    await Promise.all(closings);
    await ada.ended();
    await assert.rejects(loopback.connect(), Deno.errors.ConnectionRefused);
  },
);

/** A listener whose accept() does what the test says. */
class StubListener implements Listener {
  #waiting: PromiseWithResolvers<StubTransport> | undefined;
  #due: (StubTransport | Error)[] = [];
  isClosed = false;

  accept(): Promise<StubTransport> {
    assert.equal(this.#waiting, undefined, "one accept() at a time");
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    if (this.isClosed) this.#waiting.reject(new Deno.errors.BadResource("closed"));
    this.#serve();
    return promise;
  }

  close(): void {
    assert.equal(this.isClosed, false, "a listener is closed once");
    this.isClosed = true;
    this.#waiting?.reject(new Deno.errors.BadResource("closed"));
  }

  /** Lets the next accept() resolve or reject. */
  next(result: StubTransport | Error): void {
    this.#due.push(result);
    this.#serve();
  }

  #serve(): void {
    if (this.#waiting === undefined || this.#due.length === 0 || this.isClosed) return;
    const result = this.#due.shift()!;
    if (result instanceof Error) this.#waiting.reject(result);
    else this.#waiting.resolve(result);
    this.#waiting = undefined;
  }
}

function outOfFiles(): Error {
  return Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
}

Deno.test("serve goes on when accept() fails, and waits longer each time", async () => {
  const listener = new StubListener();
  const retries: unknown[] = [];
  const served = Promise.withResolvers<void>();
  await using relay = serve(listener, {
    log: (level, message, fields) => {
      if (message === "connected") served.resolve();
      if (level === "debug") return;
      assert.deepEqual([level, message], ["error", "cannot accept a connection"]);
      assert.match(String(fields?.error), /EMFILE/);
      retries.push(fields?.retryMs);
    },
  });
  for (let i = 0; i < 4; i++) listener.next(outOfFiles());
  const conn = new StubTransport();
  listener.next(conn);
  await inTime(served.promise, "the connection is accepted in the end");
  assert.deepEqual(retries, [10, 20, 40, 80]);
  listener.next(outOfFiles());
  await settle();
  assert.equal(retries.at(-1), 10, "a success starts afresh");
  assert.equal(relay.stats().members, 1);
  conn.endInput();
});

Deno.test("RelayServer.close ends the wait after a failed accept()", async () => {
  const listener = new StubListener();
  const relay = serve(listener);
  listener.next(outOfFiles());
  await settle();
  await inTime(relay.close(), "close()");
  assert.equal(listener.isClosed, true);
});

Deno.test("RelayServer.close closes a connection that is accepted in the same moment", async () => {
  const listener = new StubListener();
  const relay = serve(listener);
  await settle();
  const conn = new StubTransport();
  listener.next(conn);
  await inTime(relay.close(), "close()");
  assert.equal(conn.isClosed, true);
  assert.equal(relay.stats().members, 0);
});

Deno.test("serve closes a connection that breaks while it is accepted, and goes on", async () => {
  const listener = new StubListener();
  const served = Promise.withResolvers<void>();
  await using relay = serve(listener, { log: (_, message) => message === "connected" && served.resolve() });
  const broken = new StubTransport();
  Object.assign(broken, {
    setNoDelay: () => {
      throw new Deno.errors.NotConnected("gone");
    },
  });
  listener.next(broken);
  const conn = new StubTransport();
  listener.next(conn);
  await inTime(served.promise, "the next connection is served");
  assert.equal(broken.isClosed, true);
  assert.equal(relay.stats().members, 1);
  conn.endInput();
});

Deno.test("serve tells at most as many refused connections at a time why as it serves, and 1,000 more", async () => {
  const listener = new StubListener();
  await using relay = serve(listener, { maxClients: 1 });
  const conns = Array.from({ length: 1004 }, () => new StubTransport());
  for (const conn of conns) {
    conn.takeBytes(0);
    listener.next(conn);
  }
  // They are accepted in order, so with the last one all were; those that are told are held by their write.
  const last = conns.at(-1)!;
  await last.until(() => last.isClosed);
  assert.deepEqual(conns.filter(({ isClosed }) => isClosed), conns.slice(1002));
  assert.equal(relay.stats().members, 1);
  for (const conn of conns) {
    conn.takeBytes(Infinity);
    conn.endInput();
  }
});
