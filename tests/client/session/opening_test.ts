// Tests src/client/session/opening.ts: whose answer is taken, what is said of a relay that gives none, and
// what belongs to a welcome, over a pipe of the test's own.

import assert from "node:assert/strict";
import type { Pipe } from "../../../src/client/link/speaker.ts";
import { FakeTime } from "../../support/fake_time.ts";
import { type Opened, type OpeningOptions, openSession } from "../../../src/client/session/opening.ts";
import { pause } from "../../support/pause.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A pipe whose far side is the test: it answers the hello once it knows the nonce. */
class TestPipe implements Pipe {
  written = "";
  ageNowMs = 0;
  readonly #answer: (nonce: string) => (string | null)[];
  #reads: (string | null)[] | undefined;

  /**
   * `answer` makes what is read, one read each; `null` ends the connection; after the last one nothing comes.
   */
  constructor(answer: (nonce: string) => (string | null)[]) {
    this.#answer = answer;
  }

  ageMs(): number {
    return this.ageNowMs;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.written += decoder.decode(bytes);
    return Promise.resolve();
  }

  read(): Promise<Uint8Array | null> {
    this.#reads ??= this.#answer(JSON.parse(this.written).$hello.nonce);
    const next = this.#reads.shift();
    if (next === undefined) return new Promise(() => {});
    return Promise.resolve(next === null ? null : encoder.encode(next));
  }
}

function open(pipe: Pipe, options: Partial<OpeningOptions> = {}): Promise<Opened> {
  return openSession(pipe, {
    room: "pong",
    name: "",
    token: "",
    simulate: "",
    welcomeTimeoutMs: 50,
    maxLineBytes: 100_000,
    isKnown: false,
    now: () => performance.now(),
    ...options,
  });
}

function welcome(id: string, more: Record<string, unknown> = {}): string {
  const body = {
    version: 1,
    id,
    room: "pong",
    relay: "r",
    session: "s",
    time: 1e12,
    peers: [],
    state: {},
    ...more,
  };
  return `{"$welcome":${JSON.stringify(body)}}\n`;
}

function control(name: string, body: unknown): string {
  return `{"$${name}":${JSON.stringify(body)}}\n`;
}

const FORGED: [string, string][] = [
  ["a welcome", welcome("forged")],
  ["a refusal", control("error", { code: "bad_token", message: "go away" })],
  ["a welcome with a nonce", welcome("forged", { nonce: "guessed" })],
  ["a refusal with a nonce", control("error", { code: "bad_token", message: "go away", nonce: "guessed" })],
  ["half a welcome", '{"$welcome":{\n'],
];

for (const [what, line] of FORGED) {
  Deno.test(`openSession is not deceived by somebody else's ${what}, neither late nor behind another line`, async () => {
    for (const [ageMs, before] of [[241, ""], [0, '{"of":"the lobby"}\n'], [1e6, "1\n"]] as const) {
      const pipe = new TestPipe((nonce) => [before + line, line + welcome("real", { nonce })]);
      pipe.ageNowMs = ageMs;
      assert.equal((await open(pipe)).welcome.id, "real");
    }
  });
}

Deno.test("openSession takes an answer without a nonce for the relay's where it is the first line, and early", async () => {
  assert.equal((await open(new TestPipe(() => [welcome("old")]))).welcome.id, "old");
  const refusal = control("error", { code: "relay_full", message: "no room" });
  await assert.rejects(open(new TestPipe(() => [refusal])), { name: "RefusedError", code: "relay_full" });
});

Deno.test("openSession says what kind of silence it was", async () => {
  const older =
    "no $welcome within 0.05 s, this looks like an older relay, connect with { plain: true } to speak to it";
  const forged = welcome("forged");
  const stranger = (line: string) => `it says "${line}", which no relay does, is the port right`;
  for (
    const [reads, isKnown, message] of [
      [[], false, `${older}, or like one that hangs`],
      [["half a line"], false, `${older}, or like one that hangs`],
      [['{"of":"the lobby"}\n'], false, older],
      [[], true, /: no \$welcome within 0\.05 s, the relay takes connections but does not answer$/],
      [["1\n" + forged], false, /may be another client's: it came late/],
      [["1\n" + forged, null], false, /may be another client's: it came late/],
      [[null], false, /closed the connection before its \$welcome, if it serves TLS/],
      [[null], true, /closed the connection before its \$welcome$/],
      [["HTTP/1.1 400 Bad Request\r\n", null], false, stranger("HTTP/1.1 400 Bad Request")],
      [["220 mail ready\r\n"], false, stranger("220 mail ready")],
      [["<!DOCTYPE HTML>\n1\n", null], true, stranger("<!DOCTYPE HTML>")],
      [["1\n<!DOCTYPE HTML>\n", null], false, /closed the connection before its \$welcome, if it serves TLS/],
    ] as [(string | null)[], boolean, RegExp | string][]
  ) {
    const failed = open(new TestPipe(() => [...reads]), { isKnown });
    await assert.rejects(failed, typeof message === "string" ? { message } : message);
  }
});

Deno.test("openSession waits longer for a relay that has answered before: a crowd may come back with it", async () => {
  for (const [isKnown, limitMs] of [[false, 3000], [true, 10_000]] as const) {
    using time = new FakeTime();
    let failure = "";
    const opening = open(new TestPipe(() => []), { isKnown, welcomeTimeoutMs: undefined });
    const failed = opening.catch((error) => failure = error.message);
    for (const ms of [0, limitMs - 1]) {
      time.pass(ms);
      for (let i = 0; i < 20; i++) await Promise.resolve();
      assert.equal(failure, "");
    }
    time.pass(1);
    await failed;
    assert.match(failure, new RegExp(`^no \\$welcome within ${limitMs / 1000} s, `));
  }
});

Deno.test("openSession reads what belongs to a welcome and leaves the rest, however the bytes are cut", async () => {
  const set = control("set", { key: "€", value: 1, from: "k2" });
  const join = control("join", { id: "k2", name: "bo" });
  const text = (nonce: string) =>
    '"lobby"\n' + welcome("k1", { nonce, more: 2 }) + join + set + '"event"\n{"half';
  for (const size of [1, 2, 7, 1000]) {
    const pipe = new TestPipe((nonce) => {
      // By characters, but in UTF-8: cut within a line in any case.
      const whole = text(nonce);
      return Array.from(
        { length: Math.ceil(whole.length / size) },
        (_, i) => whole.slice(i * size, (i + 1) * size),
      );
    });
    const { welcome: { roster }, streamBytes, rest, written } = await open(pipe);
    assert.deepEqual({ ...roster.peers.get("k2")!.state }, { "€": 1 });
    assert.equal(streamBytes, encoder.encode(join + set).length);
    assert.ok('"event"\n{"half'.startsWith(decoder.decode(rest)));
    assert.deepEqual(written, [], "half of the window is far");
  }
});

Deno.test("openSession acknowledges a welcome that takes long: the relay must hear something", async () => {
  const { now } = performance;
  let skippedMs = 0;
  performance.now = () => now.call(performance) + skippedMs;
  const lines = Array.from({ length: 8 }, (_, i) => control("join", { id: `k${i + 2}` }));
  const pipe = new TestPipe((nonce) => [welcome("k1", { nonce, more: lines.length }), ...lines]);
  const read = pipe.read.bind(pipe);
  pipe.read = () => {
    skippedMs += 4_000;
    return read();
  };
  try {
    const { written } = await open(pipe);
    assert.deepEqual(written.map((line) => decoder.decode(line)), [
      control("ack", { bytes: 2 * lines[0].length }),
      control("ack", { bytes: 4 * lines[0].length }),
      control("ack", { bytes: 6 * lines[0].length }),
      control("ack", { bytes: 8 * lines[0].length }),
    ]);
  } finally {
    performance.now = now;
  }
});

Deno.test("openSession gives up a welcome that announces too much, holds too much, or stops", async () => {
  const value = "x".repeat(90_000);
  const flood = Array.from({ length: 800 }, (_, n) => control("set", { key: `${n}`, value, room: true }))
    .join("");
  for (
    const [more, following, message] of [
      [1_000_001, "", /announces 1000001 lines, 1000000 are allowed/],
      [2 ** 53 - 1, "", /announces 9007199254740991 lines/],
      [2 ** 53, "", /its more is not a count/],
      [800, flood, /more than 67108864 characters/],
      [2, control("join", { id: "k2" }) + "1\n2\n3\n", /its \$welcome stopped in the middle/],
    ] as const
  ) {
    const limits = { pingTimeoutMs: 50 };
    const pipe = new TestPipe((nonce) => [welcome("k1", { nonce, more, limits }) + following]);
    await assert.rejects(open(pipe), message);
  }
});

Deno.test("openSession gives up a welcome that goes on for more than two minutes", async () => {
  const { now } = performance;
  let skippedMs = 0;
  performance.now = () => now.call(performance) + skippedMs;
  const pipe = new TestPipe((nonce) => [
    welcome("k1", { nonce, more: 20 }),
    ...Array.from({ length: 20 }, (_, i) => control("join", { id: `k${i + 2}` })),
  ]);
  const read = pipe.read.bind(pipe);
  pipe.read = async () => {
    await pause(5);
    skippedMs += 10_000;
    return await read();
  };
  try {
    await assert.rejects(open(pipe), /its \$welcome stopped in the middle/);
    assert.equal(skippedMs < 200_000, true);
  } finally {
    performance.now = now;
  }
});

Deno.test("openSession bears any line in place of an answer", async () => {
  const values = ["null", "[]", "5", '"x"', "{}", '{"nonce":"N"}', "[".repeat(20_000) + "]".repeat(20_000)];
  for (const value of values) {
    for (const name of ["welcome", "error"]) {
      for (const ageMs of [0, 1000]) {
        const pipe = new TestPipe((nonce) => [`{"$${name}":${value.replace("N", nonce)}}\n`, null]);
        pipe.ageNowMs = ageMs;
        await assert.rejects(open(pipe), Error);
      }
    }
  }
});
