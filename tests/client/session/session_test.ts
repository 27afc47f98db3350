// Tests src/client/session/session.ts without a network: what a relay says is written here line by line, cut
// anywhere, and what the session writes is read back. Against a real relay it is tested in
// session_integration_test.ts.

import assert from "node:assert/strict";
import type { Lost, RelayError } from "../../../client.ts";
import { RefusedError } from "../../../src/client/link/connect_error.ts";
import { Session, type SessionOptions } from "../../../src/client/session/session.ts";
import { until } from "../../support/deadline.ts";

const SECRET = "0123456789abcdefghijkl";

function welcome(more: Record<string, unknown> = {}): string {
  const body = { version: 1, id: "k3", room: "pong", session: SECRET, time: 1e12, bytes: 0, resumed: false };
  return control("welcome", { ...body, more: 0, peers: [], state: {}, limits: {}, ...more });
}

function control(name: string, body: unknown): string {
  return `{"$${name}":${JSON.stringify(body)}}\n`;
}

/** A session whose relay is this test. */
class Script {
  /** What the session told, in order. */
  readonly told: unknown[][] = [];
  readonly speaker: Session;
  /** What it wrote, whole lines. */
  written = "";
  /** The time on its clock, in ms. */
  nowMs = 1000;
  failure: Error | undefined;
  /** Is told of each event whether a break had held it back. */
  onEvent: (isRepair: boolean) => unknown = () => {};
  /** When it wanted to write. */
  readonly flushedAt: number[] = [];
  #onFlush: (() => void) | undefined;
  #reads: (Uint8Array | null)[] = [];
  #reader: ((bytes: Uint8Array | null) => void) | undefined;

  constructor(options: Partial<SessionOptions> = {}) {
    const note = (name: string) => (...args: unknown[]) => void this.told.push([name, ...args]);
    this.speaker = new Session({
      room: "pong",
      name: "ada",
      token: "",
      simulate: "",
      maxUnfinishedBytes: 1000_000,
      now: () => this.nowMs,
      sink: {
        onRelayVersion() {},
        onEvent: (line, isRepair) => {
          this.told.push(["event", line]);
          this.onEvent(isRepair);
        },
        onInvalidLine: (line, error) => void this.told.push(["bad", line, error.name]),
        onLost: note("lost"),
        onQuestion: (line, from, ask) => void this.told.push(["question", line, from.id, ask]),
        onHost: (host) => void this.told.push(["host", host?.id]),
        onError: note("error"),
        onJoin: (peer) => void this.told.push(["join", peer.name]),
        onLeave: (peer, reason) => void this.told.push(["leave", peer.name, reason]),
        onState: (peer, key, value) => void this.told.push(["state", peer?.name ?? null, key, value]),
      },
      ...options,
    });
  }

  /** Lets the session read while it opens; `null` ends the connection. */
  deliver(text: string | Uint8Array | null): void {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    if (this.#reader === undefined) this.#reads.push(bytes);
    else this.#reader(bytes);
    this.#reader = undefined;
  }

  open(...texts: string[]): Promise<{ resumed?: boolean }> {
    this.#reads = [];
    for (const text of texts) this.deliver(text);
    return this.speaker.open({
      ageMs: () => 0,
      read: () => {
        const next = this.#reads.shift();
        return next !== undefined ? Promise.resolve(next) : new Promise((resolve) => this.#reader = resolve);
      },
      write: (bytes) => {
        this.written += new TextDecoder().decode(bytes);
        return Promise.resolve();
      },
    });
  }

  begin(): void {
    this.speaker.begin({
      flush: () => {
        this.flushedAt.push(performance.now());
        this.#onFlush?.();
      },
      fail: (error) => this.failure = error,
    });
  }

  /** Waits until it wants to write once more. */
  flushed(): Promise<void> {
    return new Promise((done) => this.#onFlush = done);
  }

  receive(text: string): void {
    this.speaker.receive(new TextEncoder().encode(text));
  }

  /** Writes out what waits, and returns the lines without pings. */
  flush(): string[] {
    let text = "";
    for (
      let bytes = this.speaker.source.nextBatch(1000);
      bytes;
      bytes = this.speaker.source.nextBatch(1000)
    ) {
      text += new TextDecoder().decode(bytes);
      this.speaker.source.confirm(bytes.length);
    }
    this.written += text;
    return text.split("\n").slice(0, -1).filter((line) => !line.startsWith('{"$ping'));
  }

  /** Ends the connection. */
  end(): void {
    this.speaker.end();
    this.speaker.source.rewind(Infinity);
  }

  send(text: string): void {
    this.speaker.source.push(new TextEncoder().encode(text + "\n"), Infinity);
  }

  [Symbol.dispose](): void {
    this.speaker.end();
  }
}

/** A session that is open, with what has to be written at the beginning out of the way. */
async function opened(
  more: Record<string, unknown> = {},
  options: Partial<SessionOptions> = {},
): Promise<Script> {
  const script = new Script(options);
  await script.open(welcome(more));
  script.begin();
  script.flush();
  return script;
}

Deno.test("Session says hello, and takes up who is there and what follows, wherever the bytes are cut", async () => {
  const lobby = '{"of":"another room"}\n{"$hello":1}\n';
  const bytesFor = (nonce: string) =>
    new TextEncoder().encode(
      lobby + welcome({
        nonce,
        more: 3,
        peers: [{ id: "k1", name: "bo €", state: { ball: 1 } }, { id: 5 }, null],
        state: { score: 3 },
      }) + control("join", { id: "k2", name: "cy" }) + control("set", { key: "a", value: [1], from: "k2" }) +
        control("set", { key: "b", value: 2, room: true }) + '{"first":"event"}\n' +
        control("join", { id: "k9", name: "late" }),
    );
  for (let cut = 1; cut < bytesFor("x".repeat(32)).length; cut++) {
    using script = new Script();
    const opening = script.open();
    await Promise.resolve();
    const { nonce } = JSON.parse(script.written).$hello;
    const bytes = bytesFor(nonce);
    script.deliver(bytes.slice(0, cut));
    for (let i = 0; i < 10; i++) await Promise.resolve();
    // The last part belongs to the opening only while that is not over.
    let isOpen = false;
    const done = opening.then(() => isOpen = true);
    for (let i = 0; i < 10; i++) await Promise.resolve();
    if (isOpen) script.speaker.receive(bytes.slice(cut));
    else script.deliver(bytes.slice(cut));
    await done;
    const { speaker } = script;
    assert.equal(speaker.id, "k3");
    assert.deepEqual([...speaker.peers.values()].map(({ id, name, state }) => [id, name, { ...state }]), [
      ["k1", "bo €", { ball: 1 }],
      ["k2", "cy", { a: [1] }],
      ["k9", "late", {}],
    ]);
    assert.deepEqual({ ...speaker.state }, { score: 3, b: 2 });
    assert.deepEqual(script.told, [["event", '{"first":"event"}'], ["join", "late"]]);
    assert.equal(script.written, `{"$hello":{"version":1,"room":"pong","name":"ada","nonce":"${nonce}"}}\n`);
    assert.match(nonce, /^[0-9a-f]{32}$/);
  }
});

const REFUSALS: [string, boolean][] = [["bad_token", false], ["bad_hello", false], ["relay_full", true], [
  "too_many_rooms",
  true,
]];

for (const [code, isTemporary] of REFUSALS) {
  Deno.test(`Session.open rejects with the relay's words for ${code}`, async () => {
    using script = new Script();
    await assert.rejects(script.open(control("error", { code, message: "Cannot enter\u001b" })), (error) => {
      assert.ok(error instanceof RefusedError);
      assert.deepEqual([error.message, error.code, error.isTemporary], ["Cannot enter?", code, isTemporary]);
      return true;
    });
  });
}

Deno.test("Session.open names plain: true when no $welcome comes in time", async () => {
  using script = new Script({ welcomeTimeoutMs: 20 });
  await assert.rejects(script.open('{"an":"event"}\n'), {
    message:
      "no $welcome within 0.02 s, this looks like an older relay, connect with { plain: true } to speak to it",
  });
});

Deno.test("Session.open rejects when the connection ends, or the answer makes no sense", async () => {
  for (
    const [text, message] of [
      ["", /closed the connection before its \$welcome/],
      [welcome({ more: 1 }), /closed the connection in the middle of its \$welcome/],
      ['{"$welcome":{"id":1}}\n', /its id is not a string/],
      ['{"$welcome":\n', /it is not a control line/],
      [welcome({ time: null }), /its time is not a number/],
      [welcome({ more: -1 }), /its more is not a count/],
    ] as const
  ) {
    using script = new Script();
    const opening = script.open();
    script.deliver(text);
    script.deliver(null);
    await assert.rejects(opening, message);
  }
});

Deno.test("Session acknowledges whole lines when half of the window is processed", async () => {
  using script = await opened({ limits: { windowBytes: 200 } });
  script.receive("1\n".repeat(49) + "22");
  assert.deepEqual(script.flush(), []);
  script.receive("\n3");
  assert.deepEqual(script.flush(), ['{"$ack":{"bytes":101}}']);
  script.receive("\n".padStart(98, "3"));
  assert.deepEqual(script.flush(), []);
  script.receive("\n\n");
  assert.deepEqual(script.flush(), ['{"$ack":{"bytes":202}}'], "empty lines count");
});

Deno.test("Session acknowledges at once what it is told to have missed, as nothing more can be skipped until then", async () => {
  using script = await opened({});
  const lost = '{"$lost":{"lines":3,"bytes":9}}\n{"$time":{"time":1700000000000}}\n';
  script.receive(lost);
  assert.deepEqual(script.flush(), [`{"$ack":{"bytes":${lost.length}}}`]);
  script.receive("1\n");
  assert.deepEqual(script.flush(), [`{"$ack":{"bytes":${lost.length + 2}}}`]);
  script.receive("1\n");
  assert.deepEqual(script.flush(), []);
});

Deno.test("Session acknowledges a long welcome while it is being read", async () => {
  using script = new Script();
  const set = control("set", { key: "k", value: "x".repeat(100), room: true });
  const opening = script.open(welcome({ more: 3, limits: { windowBytes: 200 } }), set, set, set);
  await opening;
  const acks = script.written.split("\n").slice(1, -1);
  assert.deepEqual(acks, [1, 2, 3].map((n) => `{"$ack":{"bytes":${n * set.length}}}`));
});

Deno.test("Session drops events that are too old and counts them, never who is there or what state", async () => {
  using script = await opened({ limits: { maxLagMs: 100 } });
  const time = (ms: number) => control("time", { time: 1e12 + ms });
  script.receive(time(0) + "1\n");
  assert.equal(script.speaker.lagMs, 0);
  script.nowMs += 150;
  script.receive("2\n" + control("join", { id: "k4", name: "cy" }) + '"€"\n');
  script.receive(time(40) + "3\n" + control("set", { key: "a", value: 1, from: "k4" }) + time(51) + "4\n");
  assert.deepEqual(script.told, [
    ["event", "1"],
    ["join", "cy"],
    ["state", "cy", "a", 1],
    ["lost", { reason: "stale", lines: 3, bytes: 2 + 6 + 2 }],
    ["event", "4"],
  ]);
  assert.equal(script.speaker.lagMs, 99);
  script.nowMs += 200;
  script.receive("5\n" + control("lost", { lines: 7, bytes: 70 }) + "6\n");
  assert.deepEqual(script.told.slice(5), [
    ["lost", { reason: "stale", lines: 1, bytes: 2 }],
    ["lost", { reason: "behind", lines: 7, bytes: 70 }],
    ["event", "6"],
  ], "what follows a skip is as new as it gets");
});

Deno.test("Session drops nothing of a relay whose host slept: its pongs say at once that its clock stood still", async () => {
  using script = await opened({ limits: { maxLagMs: 5000 } });
  for (let i = 0; i < 10; i++) {
    script.nowMs += 1000;
    script.receive(control("pong", { t: script.nowMs, time: 1e12 + script.nowMs - 1000, bytes: 0 }));
  }
  const fellAsleepMs = script.nowMs;
  script.nowMs += 10_000;
  for (let t = fellAsleepMs + 100; t < script.nowMs; t += 1000) {
    script.receive(control("pong", { t, time: 1e12 + fellAsleepMs - 1000, bytes: 0 }));
  }
  script.receive(control("time", { time: 1e12 + fellAsleepMs - 1000 }) + "1\n");
  assert.deepEqual(script.told, [["event", "1"]]);
});

Deno.test("Session that finds everything too old during three pongs doubts its clock, and takes the next sample's word", async () => {
  using script = await opened({ limits: { maxLagMs: 1000 } });
  script.nowMs += 3000;
  // The relay's clock was set back by 2 s, which answers that took 3 s can't show: they allow for it, and for
  // none.
  const relayMs = () => 1e12 + script.nowMs - 1000 - 2000;
  for (let i = 0; i < 3; i++) {
    script.nowMs += 1000;
    script.receive(control("time", { time: relayMs() - 900 }) + `${i}\n`);
    script.receive(control("pong", { t: script.nowMs - 3100, time: relayMs() - 900, bytes: 0 }));
  }
  script.receive(control("time", { time: relayMs() }) + '"heard"\n');
  assert.deepEqual(script.told.filter(([what]) => what === "event"), [["event", '"heard"']]);
});

Deno.test("Session does not doubt its clock where the stream is old by the relay's own word", async () => {
  using script = await opened({ limits: { maxLagMs: 1000 } });
  script.nowMs += 5000;
  const bound = script.speaker.clock.errorBoundMs(script.nowMs);
  for (let i = 0; i < 5; i++) {
    script.nowMs += 1000;
    const relayMs = 1e12 + script.nowMs - 1000;
    script.receive(control("time", { time: relayMs - 3000 }) + `${i}\n`);
    script.receive(control("pong", { t: script.nowMs - 900, time: relayMs - 450, bytes: 0 }));
  }
  assert.deepEqual(script.told.filter(([what]) => what === "event"), [], "all are too old");
  assert.ok(
    script.speaker.clock.errorBoundMs(script.nowMs) < bound + 1,
    "what is known of the clock is kept",
  );
});

Deno.test("Session is not deceived by a pong that overtakes what a resume brings", async () => {
  using script = await opened({ limits: { maxLagMs: 100 } });
  script.receive(control("time", { time: 1e12 }) + "1\n");
  script.end();
  script.nowMs += 1000;
  await script.open(welcome({ resumed: true, bytes: 0, peers: undefined, time: 1e12 + 1000 }));
  script.begin();
  script.receive("2\n" + control("pong", { t: script.nowMs, time: 1e12 + 1000, bytes: 0 }) + "3\n");
  script.receive(
    control("time", { time: 1e12 + 50 }) + "4\n" + control("time", { time: 1e12 + 1050 }) + "5\n",
  );
  assert.deepEqual(script.told.map(([, line]) => line), ["1", "2", "3", "4", "5"]);
});

Deno.test("Session goes on after a break: counts whole lines, sends what is owed first, then what is new", async () => {
  using script = await opened({ limits: { maxLagMs: 100 } });
  const before = script.written.slice(script.written.indexOf("\n") + 1).length;
  for (const text of ["1", "2", "3"]) script.send(text);
  script.flush();
  script.receive(control("time", { time: 1e12 }) + '"whole"\n{"half":');
  script.end();
  script.send("4");
  script.nowMs += 1000;
  script.speaker.source.set("key", "5", false);
  const counted = before + 2;
  const resumed = await script.open(
    welcome({ resumed: true, bytes: counted, peers: undefined, time: 1e12 + 1000 }),
  );
  assert.deepEqual(resumed, { resumed: true });
  const hello = JSON.parse(script.written.trimEnd().split("\n").at(-1)!).$hello;
  assert.deepEqual(hello.resume, { session: SECRET, bytes: control("time", { time: 1e12 }).length + 8 });
  script.begin();
  assert.deepEqual(script.flush(), [
    "2",
    "3",
    '{"$ack":{"bytes":' + hello.resume.bytes + "}}",
    '{"$set":{"key":"key","value":5}}',
    "4",
  ]);
  script.receive('"missed"\n' + control("time", { time: 1e12 + 100 }) + '"old"\n');
  script.receive(control("time", { time: 1e12 + 1001 }) + '"new"\n');
  assert.deepEqual(
    script.told.map(([, line]) => line),
    ['"whole"', '"missed"', '"old"', '"new"'],
    "none is stale",
  );
});

Deno.test("Session begins anew when it can't go on: tells differences and loss, sets its state again", async () => {
  using script = await opened({
    relay: "aaaaaaaa",
    peers: [{ id: "k1", name: "bo", state: { a: 1, b: 2 } }, { id: "k2", name: "cy", state: {} }],
    state: { score: 1, gone: 1 },
  });
  script.send("unconfirmed");
  script.speaker.source.set("mine", "1", false);
  script.speaker.source.set("ours", "2", true);
  script.speaker.source.set("theirs", "2", true);
  script.flush();
  script.receive(control("set", { key: "ours", value: 2, room: true, from: "k3" }));
  script.receive(control("set", { key: "theirs", value: 9, room: true, from: "k1" }));
  script.told.length = 0;
  script.end();
  script.send("new");
  const resumed = await script.open(
    welcome({
      id: "k7",
      relay: "bbbbbbbb",
      more: 2,
      peers: [{ id: "k5", name: "bo", state: { a: 1, b: 3 } }],
      state: { score: 1 },
    }) + control("join", { id: "k8", name: "dee" }) + control("set", { key: "c", value: 4, from: "k8" }),
  );
  assert.deepEqual(resumed, { resumed: false });
  assert.equal(script.speaker.id, "k7");
  assert.deepEqual(script.told, [
    ["lost", { reason: "unconfirmed", lines: 1, bytes: 12 }],
    ["leave", "bo", "lost"],
    ["leave", "cy", "lost"],
    ["join", "bo"],
    ["join", "dee"],
    ["state", "bo", "a", 1],
    ["state", "bo", "b", 3],
    ["state", "dee", "c", 4],
    ["state", null, "gone", undefined],
    ["state", null, "ours", undefined],
    ["state", null, "theirs", undefined],
    ["lost", { reason: "state", lines: 0, bytes: 0, keys: ["theirs"] }],
  ]);
  script.begin();
  const lines = script.flush().filter((line) => !line.startsWith('{"$ack'));
  assert.deepEqual(lines, [
    '{"$set":{"key":"ours","value":2,"room":true}}',
    '{"$set":{"key":"mine","value":1}}',
    "new",
  ]);
});

Deno.test("Session takes nobody of a restarted relay for somebody it knew, though ids begin anew there", async () => {
  using script = await opened({ relay: "aaaaaaaa", peers: [{ id: "k2", name: "bo", state: { a: 1 } }] });
  script.end();
  await script.open(welcome({ relay: "bbbbbbbb", peers: [{ id: "k2", name: "bo", state: {} }] }));
  assert.deepEqual(script.told, [
    ["lost", { reason: "unconfirmed", lines: 0, bytes: 0 }],
    ["leave", "bo", "lost"],
    ["join", "bo"],
  ]);
});

Deno.test("Session does not go on with a session whose welcome it has not read to the end", async () => {
  using script = new Script();
  const opening = assert.rejects(script.open(welcome({ more: 2 })));
  script.deliver(null);
  await opening;
  assert.deepEqual(await script.open(welcome({ id: "k4" })), {});
  assert.ok(script.written.split("\n").slice(0, 2).every((line) => !line.includes("resume")));
  assert.equal(script.speaker.id, "k4");
});

Deno.test("Session gives a session up when the relay's count can't be, and begins another", async () => {
  using script = await opened();
  script.end();
  await assert.rejects(script.open(welcome({ resumed: true, bytes: 12345 })), /12345 bytes.*which can't be/);
  await script.open(welcome({ id: "k4" }));
  assert.equal(script.speaker.id, "k4");
  assert.match(
    script.written.trimEnd().split("\n").at(-1)!,
    /^\{"\$hello":\{"version":1,"room":"pong","name":"ada","nonce":"\w+"\}\}$/,
  );
});

Deno.test("Session ignores what a newer relay says, and reports what is no control line", async () => {
  using script = await opened();
  script.receive(
    control("news", { of: 2030 }) + control("join", { id: 1 }) + control("set", { key: 1, from: "k1" }) +
      control("time", { time: "x" }) +
      '{"$time":{"time":1e999}}\n{"$pong":{"t":1,"time":1e999,"bytes":1}}\n' +
      control("error", {}) + control("leave", { id: "k99" }) + "7\n",
  );
  assert.deepEqual(script.told, [["event", "7"]]);
  script.receive('{"$x\n{"$x":1}\n{"$x":{},"y":1}\n');
  assert.deepEqual(script.told.slice(1), [
    ["bad", '{"$x', "SyntaxError"],
    ["bad", '{"$x":1}', "SyntaxError"],
    ["bad", '{"$x":{},"y":1}', "SyntaxError"],
  ]);
});

Deno.test("Session hands on the relay's complaints, and who is there after a skip", async () => {
  using script = await opened({ peers: [{ id: "k1", name: "bo" }, { id: "k2", name: "cy" }] });
  script.receive(control("error", { code: "too_many_keys", message: "m", key: 1, room: "x" }));
  script.receive(control("error", { code: "state_full", message: "m", key: "k" }));
  script.receive(control("peers", { peers: [{ id: "k2", name: "cy" }, { id: "k5", name: "ed" }] }));
  assert.deepEqual(script.told, [
    ["error", { code: "too_many_keys", message: "m" }],
    ["error", { code: "state_full", message: "m", key: "k", room: false }],
    ["leave", "bo", "lost"],
    ["join", "ed"],
  ]);
});

Deno.test("Session takes what follows a skip for an event, though a question was announced before", async () => {
  using script = await opened({ peers: [{ id: "k1", name: "bo" }] });
  script.receive(
    control("from", { id: "k1", ask: "1" }) + control("lost", { lines: 1, bytes: 9 }) + '"new"\n',
  );
  assert.deepEqual(script.told, [
    ["lost", { reason: "behind", lines: 1, bytes: 9 }],
    ["event", '"new"'],
  ]);
});

Deno.test("Session learns the relay's clock from pongs, and what need not be kept", async () => {
  using script = await opened();
  script.send("1");
  script.flush();
  const bytes = script.speaker.source.unconfirmedBytes;
  assert.ok(bytes > 2);
  script.nowMs += 10;
  script.receive(control("pong", { t: 1000, time: 1e12 + 5, bytes }));
  assert.equal(script.speaker.source.unconfirmedBytes, 0);
  assert.equal(script.speaker.clock.sampleCount, 2);
  script.receive(control("pong", { t: 1, time: 1e12, bytes: 0 }));
  assert.equal(
    script.speaker.clock.sampleCount,
    2,
    "an answer to a ping of another connection measures nothing",
  );
});

Deno.test("Session tells, once, how long the relay wants it to stay away, a minute at most", async () => {
  using script = await opened();
  assert.equal(script.speaker.takeRetryMs(), undefined);
  script.receive(control("bye", { reason: "shutdown", retryMs: 1234 }));
  assert.deepEqual([script.speaker.takeRetryMs(), script.speaker.takeRetryMs()], [1234, undefined]);
  script.receive(control("bye", { retryMs: 1e9 }));
  assert.equal(script.speaker.takeRetryMs(), 60_000);
});

Deno.test("Session lets a ping wait for the next events of a program that sends, but not for long", async () => {
  using script = new Script();
  await script.open(welcome());
  script.begin();
  assert.equal(script.flushedAt.length, 1, "the first ping goes out at once");
  script.flush();
  script.send("1");
  await script.flushed();
  const waitedMs = script.flushedAt[1] - script.flushedAt[0];
  assert.ok(
    waitedMs > 95,
    `${waitedMs} ms: the second ping is due after 50 ms and waits at least for the third`,
  );
});

Deno.test("Session gives up a connection on which nothing comes although it pings", async () => {
  using script = new Script({ now: () => performance.now() });
  await script.open(welcome({ limits: { pingTimeoutMs: 60 } }));
  script.begin();
  const startedAtMs = performance.now();
  await until(() => script.failure !== undefined, "the end");
  assert.equal(script.failure!.message, "nothing was heard of the relay for 0.06 s");
  assert.ok(performance.now() - startedAtMs >= 55);
  assert.ok(script.flush().length > 0);
  assert.ok(script.written.includes('{"$ping":{"t":'));
});

Deno.test("Session that comes back to the same run of the relay sets nothing of the room's again, but what it had not sent yet", async () => {
  for (const relay of ["aaaaaaaa", ""]) {
    using script = await opened({ relay });
    script.speaker.source.set("removed", "1", true);
    script.speaker.source.set("mine", "1", false);
    script.flush();
    script.receive(control("set", { key: "removed", value: 1, room: true, from: "k3" }));
    script.end();
    script.speaker.source.set("news", "2", true);
    await script.open(welcome({ id: "k7", relay }));
    script.begin();
    assert.deepEqual(script.flush().filter((line) => !line.startsWith('{"$ack')), [
      '{"$set":{"key":"news","value":2,"room":true}}',
      '{"$set":{"key":"mine","value":1}}',
    ]);
    assert.ok(!script.told.some(([, lost]) => (lost as { reason?: string })?.reason === "state"));
  }
});

Deno.test("Session does not take the echo of an earlier value for its own after it has removed the key", async () => {
  using script = await opened({ relay: "aaaaaaaa" });
  const { source } = script.speaker;
  source.set("a", "1", true);
  script.flush();
  source.set("a", undefined, true);
  script.receive(control("set", { key: "a", value: 1, room: true, from: "k3" }));
  assert.deepEqual(script.flush(), ['{"$set":{"key":"a","room":true}}']);
  script.receive(control("set", { key: "a", value: 1, room: true, from: "k3" }));
  script.end();
  await script.open(welcome({ id: "k7", relay: "bbbbbbbb" }));
  script.begin();
  assert.deepEqual(script.flush().filter((line) => line.startsWith('{"$set')), []);
});

Deno.test("Session tells which value the relay refused, by the line that set it", async () => {
  using script = await opened();
  const { source } = script.speaker;
  const before = script.written.split("\n").length - 1; // the hello, what opened() let it write
  script.send("1");
  source.set("a", "1", false);
  source.set("b", "1", true);
  const lines = script.flush();
  const lineOf = (text: string) => before + 1 + lines.findIndex((each) => each.includes(text));
  const refuse = (line: number, code = "state_full") => control("error", { code, message: "m", line });
  script.receive(
    refuse(lineOf('"b"')) + refuse(lineOf('"a"'), "new_code") + refuse(before + 1 + lines.indexOf("1")),
  );
  script.receive(refuse(1) + refuse(-1) + refuse(1e300) + refuse(lineOf('"a"')));
  assert.deepEqual(script.told.map(([, error]) => [(error as RelayError).key, (error as RelayError).room]), [
    ["b", true],
    ["a", false],
    ...Array(5).fill([undefined, undefined]),
  ]);
  assert.deepEqual([source.member.has("a"), source.room.has("b")], [false, false]);
});

Deno.test("Session says of events that a break had held back that they are", async () => {
  const repairs: boolean[] = [];
  using script = await opened({ limits: { maxLagMs: 100 } });
  script.onEvent = (isRepair) => repairs.push(isRepair);
  script.receive(control("time", { time: 1e12 }) + "1\n");
  script.end();
  script.nowMs += 1000;
  await script.open(welcome({ resumed: true, bytes: 0, peers: undefined, time: 1e12 + 1000 }));
  script.begin();
  script.receive("2\n" + control("time", { time: 1e12 + 500 }) + "3\n");
  script.receive(control("time", { time: 1e12 + 1001 }) + "4\n");
  assert.deepEqual(repairs, [false, true, true, false]);
});

Deno.test("Session begins anew where the relay tells of more than anybody can keep", async () => {
  using script = await opened();
  const value = "x".repeat(900_000);
  assert.throws(() => {
    for (let n = 0; n < 100; n++) script.receive(control("set", { key: `${n}`, value, room: true }));
  }, { name: "RangeError" });
  script.end();
  await script.open(welcome({ id: "k4" }));
  assert.equal(script.speaker.id, "k4");
  assert.ok(!script.written.includes("resume"));
  assert.deepEqual(Object.keys(script.speaker.state), []);
});

Deno.test("Session bears any number in place of a count or a time, and any depth of a value", async () => {
  using script = await opened();
  script.send("1");
  script.flush();
  const { unconfirmedBytes } = script.speaker.source;
  for (
    const number of ["-1", "0.5", "1e15", "9007199254740993", "1e300", "-1e300", "1e999", "null", '"5"', "{}"]
  ) {
    for (
      const line of [
        `{"$pong":{"t":${number},"time":${number},"bytes":${number}}}`,
        `{"$pong":{"t":1000,"time":${number},"bytes":0}}`,
        `{"$time":{"time":${number}}}`,
        `{"$lost":{"lines":${number},"bytes":${number}}}`,
        `{"$bye":{"retryMs":${number}}}`,
        `{"$error":{"code":"x","message":"m","line":${number}}}`,
      ]
    ) {
      script.receive(line + "\n");
      assert.ok(Number.isFinite(script.speaker.clock.now(script.nowMs)), line);
      assert.ok(!Number.isNaN(script.speaker.lagMs) && (script.speaker.takeRetryMs() ?? 0) <= 60_000, line);
    }
  }
  assert.equal(
    script.speaker.source.unconfirmedBytes,
    unconfirmedBytes,
    "nothing is confirmed that was not written",
  );
  for (const lost of script.told.filter(([what]) => what === "lost").map(([, lost]) => lost as Lost)) {
    assert.ok(Number.isSafeInteger(lost.lines) && Number.isSafeInteger(lost.bytes));
  }
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  script.receive(`{"$set":{"key":"deep","value":${deep},"room":true,"from":"k3"}}\n`);
  script.receive(`{"$set":{"key":"deep","value":${deep},"room":true,"from":"k3"}}\n`);
  script.end();
  await script.open(welcome({ id: "k5", relay: "bbbbbbbb" }));
  assert.deepEqual(Object.keys(script.speaker.state), []);
});

Deno.test("Session says goodbye last", async () => {
  using script = await opened();
  script.send("1");
  script.speaker.source.set("a", "1", false);
  script.speaker.finish();
  script.send("2");
  assert.deepEqual(script.flush(), ['{"$set":{"key":"a","value":1}}', "1", "2", '{"$bye":{}}']);
  assert.equal(script.speaker.source.hasMore, false);
});

Deno.test("Session tells the relay with each ping how long the way is, and how old what comes", async () => {
  using script = new Script();
  await script.open(welcome());
  script.begin();
  script.flush();
  const pings = script.written.split("\n").filter((line) => line.startsWith('{"$ping'));
  assert.ok(pings.length > 0);
  const { $ping: { t, rtt, lag } } = JSON.parse(pings[0]);
  for (const value of [t, rtt, lag]) assert.ok(Number.isFinite(value) && value >= 0, pings[0]);
  assert.equal(rtt, Math.round(script.speaker.clock.rttMs * 10) / 10);
});
