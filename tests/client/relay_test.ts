// Tests client.ts as a plain client, over TCP on loopback, against a relay as the first one was. What
// connections do to lines is tested in link_test.ts; here it is events, targets, errors, and that nothing is
// left behind.

import assert from "node:assert/strict";
import {
  type ConnectOptions,
  frames,
  type Lost,
  rateLimit,
  type RelayError,
  type StandardSchema,
  type Status,
} from "../../client.ts";
import { OldRelay } from "../support/old_relay.ts";
import { pause } from "../support/pause.ts";
import { connect, take } from "../support/relay_client.ts";
import { until } from "../support/deadline.ts";

interface Move {
  id: string;
  n: number;
}

/** Connects one program and waits until the relay has it. */
async function join<E = unknown>(relay: OldRelay, options: ConnectOptions<E> = {}) {
  const index = relay.seen.length;
  const client = await connect<E>(relay.target, { plain: true, ...options });
  return { client, member: await relay.member(index) };
}

/** Takes what console.warn gets while a function runs. */
async function warningsOf(run: () => void | Promise<void>): Promise<string[]> {
  const { warn } = console;
  const warnings: string[] = [];
  console.warn = (text: string) => warnings.push(text);
  try {
    await run();
  } finally {
    console.warn = warn;
  }
  return warnings;
}

Deno.test("Relay.send reaches everybody else, in order", async () => {
  await using server = new OldRelay();
  const { client: ada, member } = await join<Move>(server);
  const { client: bo } = await join<Move>(server);
  const { client: cy } = await join<Move>(server);
  for (let n = 0; n < 100; n++) ada.send({ id: "ada €", n });
  const expected = Array.from({ length: 100 }, (_, n) => ({ id: "ada €", n }));
  assert.deepEqual(await take(bo, 100), expected);
  assert.deepEqual(await take(cy, 100), expected);
  assert.deepEqual(ada.drain(), []);
  assert.equal(member.lines[0], '{"id":"ada €","n":0}');
  assert.deepEqual([ada.stats.sent, ada.stats.waiting, bo.stats.received], [100, 0, 100]);
  assert.equal(ada.stats.bytesSent, bo.stats.bytesReceived);
  await Promise.all([ada, bo, cy].map((client) => client.close()));
});

const KINDS: [string, unknown, RegExp][] = [
  ["undefined", undefined, /^Cannot send event: it is undefined, what JSON can hold is allowed$/],
  ["a function", () => {}, /^Cannot send event: it is a function/],
  ["a symbol", Symbol("s"), /^Cannot send event: it is a symbol/],
  ["a BigInt", 1n, /^Cannot send event: .*BigInt/],
  ["a BigInt inside", { a: [1n] }, /^Cannot send event: .*BigInt/],
];

Deno.test("Relay.send refuses what JSON can't hold, and sends nothing of it", async (t) => {
  await using server = new OldRelay();
  const { client, member } = await join(server);
  await using _ = client;
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  for (
    const [name, event, message] of [...KINDS, ["a cycle", cycle, /^Cannot send event: .*circular/]] as const
  ) {
    await t.step(name, () => {
      assert.throws(
        () => client.send(event),
        (error) => error instanceof TypeError && message.test(error.message),
      );
    });
  }
  client.send(null);
  client.send(NaN);
  await until(() => member.lines.length === 2, "two lines");
  assert.deepEqual(member.lines, ["null", "null"]);
});

Deno.test("Relay.send refuses a line over maxLineBytes, counted in bytes, and takes one that is just as long", async () => {
  await using server = new OldRelay();
  const { client, member } = await join(server, { maxLineBytes: 12 });
  await using _ = client;
  assert.throws(() => client.send("é".repeat(6)), {
    name: "RangeError",
    message: "Cannot send event: it has 14 bytes, maxLineBytes is 12",
  });
  client.send("é".repeat(5));
  await until(() => member.lines.length === 1, "a line");

  const { client: usual } = await join(server);
  assert.throws(() => usual.send("x".repeat(70110)), {
    message: "Cannot send event: it has 70112 bytes, maxLineBytes is 65536",
  });
  await usual.close();
});

Deno.test("Relay receives the same events however the bytes are cut", async () => {
  await using server = new OldRelay();
  const { client, member } = await join(server);
  await using _ = client;
  const text = '{"a":"ä€😀"}\r\n\n[1,2]\n"\u2028"\n';
  for (const byte of new TextEncoder().encode(text)) {
    await member.write(Uint8Array.of(byte));
    await pause();
  }
  assert.deepEqual(await take(client, 3), [{ a: "ä€😀" }, [1, 2], "\u2028"]);
  assert.equal(client.stats.invalid, 0);
});

Deno.test("Relay counts, reports and skips lines that are no JSON", async () => {
  const invalid: [string, Error][] = [];
  await using server = new OldRelay();
  const { client, member } = await join(server, { onInvalid: (line, error) => invalid.push([line, error]) });
  await using _ = client;
  await member.write('1\n{"x":NaN}\n2\nhello\n');
  await member.write(Uint8Array.of(0xff, 0x0a));
  await member.write("3\n");
  assert.deepEqual(await take(client, 3), [1, 2, 3]);
  assert.deepEqual(invalid.map(([line]) => line), ['{"x":NaN}', "hello", "\ufffd"]);
  assert.deepEqual(invalid.map(([, error]) => error.name), ["SyntaxError", "SyntaxError", "TypeError"]);
  assert.deepEqual([client.stats.received, client.stats.invalid], [3, 3]);
});

Deno.test("Relay gives only events that the schema accepts, as the schema makes them", async () => {
  const invalid: string[] = [];
  await using server = new OldRelay();
  const index = server.seen.length;
  const schema: StandardSchema<number> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) =>
        typeof value === "number" ? { value: value * 2 } : { issues: [{ message: "no number" }] },
    },
  };
  await using client = await connect(server.target, {
    plain: true,
    schema,
    onInvalid: (line, error) => invalid.push(`${line} ${error}`),
  });
  const member = await server.member(index);
  await member.write('1\n"x"\n2\n');
  const events: number[] = await take(client, 2);
  assert.deepEqual(events, [2, 4]);
  assert.deepEqual(invalid, ['"x" TypeError: Cannot accept event: no number']);
});

Deno.test("Relay hands the relay's complaints to onError, not to the game", async () => {
  const errors: RelayError[] = [];
  await using server = new OldRelay();
  const { client, member } = await join(server, { onError: (error) => errors.push(error) });
  await using _ = client;
  await member.write(
    '{"$error":{"code":"invalid_json","message":"Cannot relay line 3","line":3}}\n{"$error":1}\n',
  );
  assert.deepEqual(await take(client, 1), [{ $error: 1 }]);
  assert.deepEqual(errors, [{ code: "invalid_json", message: "Cannot relay line 3", line: 3 }]);
  assert.deepEqual([client.stats.errors, client.stats.received], [1, 1]);
});

Deno.test("Relay warns of complaints without onError, once a second, without control characters", async () => {
  await using server = new OldRelay();
  const { client, member } = await join(server);
  await using _ = client;
  const warnings = await warningsOf(async () => {
    await member.write('{"$error":{"code":"relay_full","message":"no\\u001b[2J room"}}\n'.repeat(5));
    await until(() => client.stats.errors === 5, "five complaints");
  });
  assert.deepEqual(warnings, ["eventrelay: the relay reports relay_full: no?[2J room"]);
});

Deno.test("Relay drops the oldest events over inboxLimit and counts them", async () => {
  await using server = new OldRelay();
  const { client, member } = await join<number>(server, { inboxLimit: 10 });
  await using _ = client;
  await member.write(Array.from({ length: 25 }, (_, i) => `${i}\n`).join(""));
  await until(() => client.stats.received === 25, "all events");
  assert.deepEqual(client.drain(), [15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
  assert.deepEqual([client.stats.dropped, client.stats.droppedReceived, client.stats.droppedSent], [
    15,
    15,
    0,
  ]);
});

Deno.test("Relay can be iterated, left, drained and iterated again without a loss", async () => {
  await using server = new OldRelay();
  const { client, member } = await join<number>(server);
  await member.write("1\n2\n3\n4\n5\n6\n");
  await until(() => client.stats.received === 6, "all events");
  for await (const event of client) if (event === 2) break;
  for await (const event of client) if (event === 4) break;
  assert.deepEqual(client.drain(), [5, 6]);
  const rest: number[] = [];
  const loop = (async () => {
    for await (const event of client) rest.push(event);
  })();
  await member.write("7\n");
  await until(() => rest.length === 1, "an event in the loop");
  await client.close();
  await loop;
  assert.deepEqual(rest, [7]);
});

Deno.test("Relay.close leaves what had arrived to be taken, then iterators end", async () => {
  await using server = new OldRelay();
  const { client, member } = await join<number>(server);
  await member.write("1\n2\n3\n");
  await until(() => client.stats.received === 3, "three events");
  await client.close();
  assert.equal(client.status, "closed");
  const events: number[] = [];
  for await (const event of client) {
    events.push(event);
    if (event === 2) events.push(...client.drain());
  }
  assert.deepEqual(events, [1, 2, 3]);
});

Deno.test("Relay.close delivers what was sent before, also with received bytes unread", async () => {
  await using server = new OldRelay();
  for (let round = 0; round < 20; round++) {
    const { client, member } = await join(server);
    await member.write('"unread"\n'.repeat(1000));
    for (let i = 0; i < 100; i++) client.send({ round, i });
    await client.close();
    await member.ended;
    assert.equal(member.lines.length, 100);
    assert.deepEqual([client.stats.sent, client.stats.dropped], [100, 0]);
  }
});

Deno.test("Relay.send after close() counts, tells and does not throw", async () => {
  await using server = new OldRelay();
  const lost: Lost[] = [];
  const { client } = await join(server, { onLost: (each) => lost.push({ ...each }) });
  await client[Symbol.asyncDispose]();
  for (const event of [1, 22, 333]) client.send(event);
  assert.deepEqual([client.stats.sent, client.stats.droppedSent, client.stats.waiting], [0, 3, 0]);
  await until(() => lost.length > 0, "what is lost");
  assert.deepEqual(lost, [{ reason: "closed", lines: 3, bytes: 2 + 3 + 4 }]);
});

Deno.test("Relay.close tells what it could not send", async () => {
  await using server = new OldRelay();
  const lost: Lost[] = [];
  const { client } = await join(server, { onLost: (each) => lost.push({ ...each }) });
  await server.stop();
  await until(() => client.status === "reconnecting", "the break");
  for (const event of [1, 22, 333]) client.send(event);
  await client.close();
  assert.deepEqual(lost, [{ reason: "closed", lines: 3, bytes: 2 + 3 + 4 }]);
});

Deno.test("Relay tells what it drops for lack of space, in one call for what comes at once", async () => {
  await using server = new OldRelay();
  const lost: Lost[] = [];
  const { client, member } = await join(server, {
    inboxLimit: 10,
    offlineBytes: 0,
    maxQueuedBytes: 100 * (64 + 7),
    onLost: (each) => lost.push({ ...each }),
  });
  await using _ = client;
  await member.write("123456\n".repeat(25));
  await until(() => lost.length > 0, "what the inbox lost");
  assert.deepEqual(lost.splice(0), [{ reason: "inbox", lines: 15, bytes: 15 * 6 }]);
  await pause(1000); // the next call comes a second later
  for (let i = 0; i < 1000; i++) client.send(123456);
  assert.ok(client.stats.droppedSent >= 850, `${client.stats.droppedSent}`);
  await until(() => lost.length > 0, "what the outbox lost");
  const { droppedSent } = client.stats;
  assert.deepEqual(lost, [{ reason: "outbox", lines: droppedSent, bytes: 7 * droppedSent }]);
});

Deno.test("Relay that is plain puts a space before an event that looks like a control line", async () => {
  await using server = new OldRelay();
  const { client, member } = await join(server);
  await using _ = client;
  client.send({ $hello: { version: 1 } });
  client.send({ $error: { code: "relay_full", message: "no" } });
  client.send({ $: 1 });
  client.send({ a: "$" });
  await until(() => member.lines.length === 4, "four lines");
  assert.deepEqual(member.lines, [
    ' {"$hello":{"version":1}}',
    ' {"$error":{"code":"relay_full","message":"no"}}',
    ' {"$":1}',
    '{"a":"$"}',
  ]);
  await member.write(' {"$error":{"code":"relay_full","message":"a stranger\'s"}}\n');
  assert.deepEqual(await take(client, 1), [{ $error: { code: "relay_full", message: "a stranger's" } }]);
  assert.equal(client.stats.errors, 0);
});

Deno.test("connect with retry and without onStatus says once on the console why it can't connect", async () => {
  for (const hasCallback of [false, true]) {
    const server = new OldRelay();
    await server.stop();
    let failures = 0;
    const warnings = await warningsOf(async () => {
      const controller = new AbortController();
      const options = hasCallback ? { onStatus: () => void failures++ } : {};
      const connecting = connect(server.target, { retry: true, signal: controller.signal, ...options });
      setTimeout(() => controller.abort(new Error("enough")), 700);
      await assert.rejects(connecting, /enough/);
    });
    const text =
      `eventrelay: Cannot connect to ${server.target}: connection refused, is the relay running there (trying again)`;
    assert.deepEqual(warnings, hasCallback ? [] : [text]);
    assert.equal(failures > 2, hasCallback);
  }
});

Deno.test("A connection without onStatus that broke says so on the console, once a minute at most", async () => {
  await using server = new OldRelay();
  let laterMs = 0;
  const now = performance.now;
  performance.now = () => now.call(performance) + laterMs;
  try {
    const warnings = await warningsOf(async () => {
      await using _ = await connect(server.target, { plain: true });
      for (const [i, atMs] of [0, 30_000, 60_000].entries()) {
        await until(() => server.seen.length === i + 1, "it to come back");
        laterMs = atMs;
        server.seen[i].close();
      }
      await until(() => server.seen.length === 4, "it to come back");
    });
    const text = `eventrelay: Lost the connection to ${server.target}: the relay closed it (trying again)`;
    assert.deepEqual(warnings, [text, text]);
  } finally {
    performance.now = now;
  }
});

Deno.test("connect rejects with the signal's reason where a callback aborts it, whenever that is", async () => {
  await using server = new OldRelay();
  for (const when of ["connecting", "connected"]) {
    const controller = new AbortController();
    const reason = new Error("no more");
    const connecting = connect(server.target, {
      plain: true,
      signal: controller.signal,
      onStatus: (status) => status === when && controller.abort(reason),
    });
    await assert.rejects(connecting, reason);
  }
});

Deno.test("Relay.set, connect and frames refuse options that are none", async () => {
  await using server = new OldRelay();
  const { client } = await join(server);
  await using _ = client;
  assert.throws(() => frames(30, { signal: "x" as unknown as AbortSignal }), {
    name: "TypeError",
    message: 'Cannot tick: signal is "x", an AbortSignal is allowed',
  });
  assert.throws(() => frames(30, null as unknown as { signal?: AbortSignal }), /options is null/);
  assert.throws(
    () => rateLimit(30, 5 as unknown as () => number),
    /clock is a number, a function is allowed/,
  );
  await assert.rejects(connect(server.target, null as unknown as ConnectOptions), {
    name: "TypeError",
    message: "Cannot connect: options is null, a plain object is allowed",
  });
});

Deno.test("Relay survives a restart of the relay: for await goes on, what was sent meanwhile arrives in order", async () => {
  const statuses: Status[] = [];
  await using server = new OldRelay();
  const { client: ada } = await join<number>(server);
  const { client: bo } = await join<number>(server, { onStatus: (status) => statuses.push(status) });
  const received: number[] = [];
  const loop = (async () => {
    for await (const event of bo) received.push(event);
  })();
  ada.send(1);
  await until(() => received.length === 1, "the first event");
  await server.stop();
  await until(() => ada.status === "reconnecting" && bo.status === "reconnecting", "both to notice");
  server.start();
  await until(() => ada.status === "connected" && bo.status === "connected", "both to return");
  await until(() => server.members.length === 2, "the relay to have both");
  for (const event of [2, 3, 4]) ada.send(event);
  await until(() => received.length === 4, "the events after the restart");
  assert.deepEqual(received, [1, 2, 3, 4]);
  assert.deepEqual([ada.stats.reconnects, bo.stats.reconnects], [1, 1]);
  assert.equal(statuses[0], "connecting");
  assert.equal(statuses[1], "connected");
  assert.ok(statuses.slice(2, -1).every((status) => status === "reconnecting"));
  assert.equal(statuses.at(-1), "connected");
  await Promise.all([ada.close(), bo.close()]);
  await loop;
});

Deno.test("Relay keeps what is sent while away up to offlineBytes, the newest, in order", async () => {
  await using server = new OldRelay();
  const { client } = await join<number>(server, { offlineBytes: 100 });
  await using _ = client;
  await server.stop();
  await until(() => client.status === "reconnecting", "the break");
  for (let i = 1000; i < 1050; i++) client.send(i);
  assert.deepEqual([client.stats.waiting, client.stats.droppedSent, client.stats.dropped], [20, 30, 30]);
  server.start();
  const member = await server.member(1);
  await until(() => member.lines.length === 20, "what was kept");
  assert.deepEqual(member.lines, Array.from({ length: 20 }, (_, i) => `${1030 + i}`));
  assert.equal(client.stats.sent, 20);
});

Deno.test("Relay glues nothing over a break in the middle of a line", async () => {
  await using server = new OldRelay();
  const { client, member } = await join(server);
  await using _ = client;
  await member.write('1\n{"half":');
  await until(() => client.stats.bytesReceived === 10, "the half line");
  member.close();
  await (await server.member(1)).write("2\n");
  assert.deepEqual(await take(client, 2), [1, 2]);
  assert.equal(client.stats.invalid, 0);
});

Deno.test("Relay doubles no line and keeps the order when its connection is cut again and again", async () => {
  const { random } = Math;
  Math.random = () => 0; // no waits between attempts
  try {
    await using server = new OldRelay();
    const { client } = await join<number>(server);
    await using _ = client;
    let sent = 0;
    for (let cut = 1; cut <= 40; cut++) {
      const member = server.seen.at(-1)!;
      const enough = sent + 1 + cut * 7 % 50;
      while (sent < enough) client.send(`${++sent} ${"x".repeat(cut % 5 * 15_000)}`);
      if (cut % 2 === 0) await until(() => member.lines.length > 0, "a line");
      member.close();
      await server.member(cut);
      await until(() => client.status === "connected", "the connection");
    }
    client.send(`${++sent}`);
    await until(() => server.seen.at(-1)!.lines.at(-1) === `"${sent}"`, "the last line");
    const numbers = server.seen.flatMap((member) => member.lines).map((line) => parseInt(line.slice(1)));
    assert.ok(numbers.length > 40);
    assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
  } finally {
    Math.random = random;
  }
});

Deno.test("connect rejects when nobody listens, and says so", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const statuses: Status[] = [];
  const failed = connect(`127.0.0.1:${port}`, { onStatus: (status) => statuses.push(status) });
  await assert.rejects(failed, (error: Error) => {
    assert.equal(
      error.message,
      `Cannot connect to 127.0.0.1:${port}: connection refused, is the relay running there`,
    );
    assert.ok(error.cause instanceof Deno.errors.ConnectionRefused);
    return true;
  });
  assert.deepEqual(statuses, ["connecting", "closed"]);
});

Deno.test("connect rejects for a host that does not exist", async () => {
  await assert.rejects(connect("no-such-host.invalid:32100"), {
    message: "Cannot connect to no-such-host.invalid:32100: no such host, is its name spelled right",
  });
});

Deno.test("connect rejects without the permission and names the flag", {
  permissions: { net: ["127.0.0.1:1"] },
}, async () => {
  await assert.rejects(connect("127.0.0.1:2", { retry: true }), {
    message: "Cannot connect to 127.0.0.1:2: this program may not, run it with --allow-net=127.0.0.1:2",
  });
});

const WRONG: [string, string, ConnectOptions, string, RegExp][] = [
  ["a wrong target", "host:", {}, "TypeError", /is not a port/],
  ["a wrong port", "host:70000", {}, "RangeError", /a port is 1 to 65535/],
  [
    "a wrong limit",
    "host",
    { inboxLimit: 0 },
    "RangeError",
    /inboxLimit is 0, a whole number from 1 is allowed/,
  ],
  [
    "a limit that is no number",
    "host",
    { offlineBytes: "1" as unknown as number },
    "TypeError",
    /offlineBytes is a string/,
  ],
  ["no limit at all", "host", { maxLineBytes: Infinity }, "RangeError", /maxLineBytes is Infinity/],
  ["a wrong schema", "host", { schema: {} as ConnectOptions["schema"] }, "TypeError", /has no "~standard"/],
];

for (const [name, target, options, kind, message] of WRONG) {
  Deno.test(`connect rejects, it does not throw, for ${name}`, async () => {
    await assert.rejects(connect(target, options), { name: kind, message });
  });
}

Deno.test("connect with retry waits for a relay that starts later", async () => {
  const server = new OldRelay();
  await server.stop();
  const connecting = connect(server.target, { plain: true, retry: true });
  await pause(20);
  server.start();
  const client = await connecting;
  assert.equal(client.status, "connected");
  await client.close();
  await server.stop();
});

Deno.test("connect rejects with the reason of its signal: aborted before, or while it retries", async () => {
  const reason = new Error("enough");
  await assert.rejects(connect("127.0.0.1:1", { signal: AbortSignal.abort(reason) }), reason);
  const server = new OldRelay();
  await server.stop();
  const controller = new AbortController();
  const connecting = connect(server.target, { plain: true, retry: true, signal: controller.signal });
  setTimeout(() => controller.abort(reason), 20);
  await assert.rejects(connecting, reason);
});

Deno.test("ConnectOptions.signal closes a connected relay object, and one that is reconnecting", async () => {
  for (const stopFirst of [false, true]) {
    await using server = new OldRelay();
    const controller = new AbortController();
    const { client } = await join(server, { signal: controller.signal });
    if (stopFirst) {
      await server.stop();
      await until(() => client.status === "reconnecting", "the break");
      server.start();
    }
    const loop = (async () => {
      for await (const _ of client);
    })();
    controller.abort();
    await loop;
    await client.close();
    assert.equal(client.status, "closed");
  }
});

Deno.test("Relay leaves no listener on a signal that lives on", async () => {
  await using server = new OldRelay();
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners--;
    removeEventListener.apply(signal, args);
  };
  const { client } = await join(server, { signal });
  assert.equal(listeners, 1);
  await client.close();
  assert.equal(listeners, 0);
  await assert.rejects(connect("127.0.0.1:1", { signal }));
  assert.equal(listeners, 0);
});

Deno.test("Relay goes on when a callback throws, and the mistake is reported", async () => {
  await using server = new OldRelay();
  const reported: unknown[] = [];
  const listener = (event: ErrorEvent) => {
    event.preventDefault();
    reported.push(event.error.message);
  };
  globalThis.addEventListener("error", listener);
  try {
    const { client, member } = await join(server, {
      onInvalid: () => {
        throw new Error("my mistake");
      },
    });
    await using _ = client;
    await member.write("x\n1\n");
    assert.deepEqual(await take(client, 1), [1]);
    assert.deepEqual(reported, ["my mistake"]);
  } finally {
    globalThis.removeEventListener("error", listener);
  }
});

Deno.test("Relay.close may be called from a callback", async () => {
  await using server = new OldRelay();
  const closed = Promise.withResolvers<void>();
  const { client, member } = await join<number>(server, { onInvalid: () => closed.resolve(client.close()) });
  await member.write("1\nx\n2\n");
  await closed.promise;
  assert.deepEqual(client.drain(), [1]);
  assert.equal(client.stats.received, 1, "nothing is received from the call on");
});

Deno.test("Relay.drain warns once of a loop that never awaits", async () => {
  await using server = new OldRelay();
  const { client } = await join(server);
  await using _ = client;
  const warnings = await warningsOf(() => {
    const startedAtMs = performance.now();
    while (performance.now() - startedAtMs < 1500) client.drain();
  });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /never awaits.*nothing can arrive.*frames\(30\)/);
});

Deno.test("Relay holds a flood within its bounds while the relay reads nothing", async () => {
  await using server = new OldRelay();
  server.isReadingPaused = true;
  const lost: Lost[] = [];
  const { client } = await join(server, {
    maxQueuedBytes: 8 * 1024 * 1024,
    onLost: (each) => lost.push({ ...each }),
  });
  const event = "x".repeat(60_000);
  for (let i = 0; i < 500; i++) {
    client.send(event);
    if (i % 10 === 0) await pause();
  }
  const { sent, waiting, droppedSent } = client.stats;
  assert.equal(sent + waiting + droppedSent, 500);
  assert.ok(waiting * event.length < 9 * 1024 * 1024, `${waiting} lines wait`);
  assert.ok(droppedSent > 0);
  await server.stop();
  await client.close();
  const dropped = lost.filter(({ reason }) => reason === "outbox").reduce((sum, { lines }) => sum + lines, 0);
  assert.ok(dropped >= droppedSent && lost.length < 10, `${lost.length} calls for ${dropped} events`);
  assert.equal(lost.reduce((sum, { lines }) => sum + lines, 0), client.stats.droppedSent);
  assert.equal(
    lost.reduce((sum, { bytes }) => sum + bytes, 0),
    client.stats.droppedSent * (event.length + 3),
  );
});

Deno.test("connect says of a relay that knows no sessions that it looks older, and names plain: true", async () => {
  await using server = new OldRelay();
  await assert.rejects(connect(server.target), {
    message: `Cannot connect to ${server.target}: no $welcome within 3 s, this looks like an older relay, ` +
      "connect with { plain: true } to speak to it, or like one that hangs",
  });
});

Deno.test("Relay that is plain has no id, peers or state, and says so when it is asked to set any", async () => {
  await using server = new OldRelay();
  const { client } = await join(server, { name: "ada" });
  await using _ = client;
  assert.deepEqual([client.id, client.name, client.room], ["", "", "lobby"]);
  assert.deepEqual([client.peers.size, Object.keys(client.state).length], [0, 0]);
  assert.deepEqual([client.rtt, client.jitter, client.lag], [0, 0, 0]);
  assert.ok(Math.abs(client.now() - Date.now()) < 1000);
  const message = "Cannot set state: a plain client has none, connect without { plain: true }";
  assert.throws(() => client.set("key", 1), { name: "TypeError", message });
  assert.throws(() => client.unset("key"), { name: "TypeError", message });
});
