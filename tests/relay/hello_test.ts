// Holds Session against its contract where a connection becomes a session's: how its hello may come, what it
// may find meanwhile, and what ends it; on connections that the test controls to the byte and a clock that it
// sets.

import assert from "node:assert/strict";
import { ManualTime } from "../support/manual_time.ts";
import { pause } from "../support/pause.ts";
import { SessionClient } from "../support/session_client.ts";
import { type Seat, Table, turn } from "../support/session_table.ts";

/** Feeds a text in pieces that end at the given places. */
async function feedCutAt(seat: Seat, text: string, ...places: number[]): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  let from = 0;
  for (const to of [...places, bytes.length]) {
    if (to > from) seat.feed(bytes.subarray(from, to));
    await turn();
    from = to;
  }
}

function codeOf(seat: Seat): string | undefined {
  seat.receive();
  return seat.client.refusal?.code;
}

Deno.test("Connection takes a hello that comes in any two pieces, or byte by byte, and what follows it at once", async () => {
  const hello = new SessionClient().hello({ room: "räum", name: "ä🎈" }) + '"first"\n';
  const { length } = new TextEncoder().encode(hello);
  for (let at = 0; at <= length; at++) {
    await using table = new Table();
    const bo = await table.join({ room: "räum" });
    const ada = table.connect();
    const places = at === 0 ? Array.from({ length }, (_, i) => i) : [at];
    await feedCutAt(ada, hello, ...places);
    ada.receive();
    assert.equal(ada.client.welcome?.room, "räum", `cut at ${at}`);
    assert.deepEqual(bo.events, ['"first"']);
  }
});

Deno.test("Connection refuses a hello that it can't understand with bad_hello, and what it is", async () => {
  const cases: [string, RegExp][] = [
    ['{"$hello":{}}', /version is a whole number from 1/],
    ['{"$hello":{"version":1,"room":""}}', /room has 0 characters, 1 to 64 are allowed/],
    ['{"$hello":{"version":1,"room":"a\\nb"}}', /room has a control character/],
    ['{"$hello":{"version":1,"name":"\\ud800"}}', /name has half of a surrogate pair, whole .* allowed/],
    ['{"$hello":{"version":1,"room":"\\udc00\\ud800"}}', /room has half of a surrogate pair/],
    [`{"$hello":{"version":1,"name":"${"n".repeat(65)}"}}`, /name has 65 characters, 0 to 64 are allowed/],
    ['{"$hello":{"version":1,"resume":{"session":1}}}', /resume is an object/],
    ['{"$hello":{"version":1,"token":1}}', /token is a string/],
    ['{"$hello":{"version":1},"more":1}', /several members/],
    ['{"$hello":1}', /"\$hello" is no object/],
    ['{"$hello":{"version":1}', /Cannot understand \$hello: Cannot relay line 1/],
    [`{"$hello":{"version":1,"x":"${"x".repeat(70_000)}"}}`, /at most 65536 are allowed/],
  ];
  for (const [line, message] of cases) {
    await using table = new Table();
    const bo = await table.join();
    const ada = table.connect();
    ada.feed(`${line}\n"never relayed"\n`);
    await turn();
    assert.equal(codeOf(ada), "bad_hello", line.slice(0, 80));
    assert.match(ada.client.refusal.message, message);
    assert.match(ada.client.refusal.message, /^Cannot understand \$hello: /);
    assert.equal(ada.conn.lines.length, 1);
    assert.equal(ada.conn.isOutputEnded, true);
    assert.deepEqual([bo.events, bo.told("join")], [[], []]);
  }
});

Deno.test("Connection waits 5 s for the end of a hello, not longer", async () => {
  await using table = new Table();
  const [ada, bo] = [table.connect(), table.connect()];
  for (const seat of [ada, bo]) seat.feed('{"$hello":{"version"');
  await turn();
  await table.pass(5000);
  bo.feed(":1}}\n");
  await turn();
  await table.pass(1000);
  assert.equal(codeOf(ada), "bad_hello");
  assert.match(ada.client.refusal.message, /it did not end within 5 s/);
  assert.equal(codeOf(bo), undefined);
  assert.equal(bo.client.welcome.resumed, false);
});

Deno.test("Connection takes a hello that comes late; what the lobby said until then stands before the welcome", async () => {
  await using table = new Table();
  const plain = await table.joinPlain();
  const late = table.connect();
  plain.feed('"too early for it"\n');
  await late.conn.until(() => late.conn.lines.length === 1);
  late.feed(late.client.hello({ room: "r" }));
  await turn();
  late.receive();
  assert.equal(late.conn.lines[0], '"too early for it"');
  assert.deepEqual([late.client.welcome.room, late.client.lines], ["r", []]);
  plain.feed('"not for it"\n');
  await late.say('"not for plain"\n');
  late.receive();
  assert.deepEqual([late.client.events, plain.conn.text], [[], ""]);
});

Deno.test("Connection writes nothing before the welcome to a client whose hello is on its way", async () => {
  await using table = new Table({}, new ManualTime());
  const plain = await table.joinPlain();
  const ada = table.connect();
  ada.feed('{"$hello":{"vers');
  plain.feed('"for the lobby"\n');
  await turn();
  await table.pass(300);
  assert.equal(ada.conn.text, "");
  ada.feed('ion":1}}\n');
  await turn();
  assert.match(ada.conn.text, /^\{"\$welcome":/);
});

Deno.test("Connection of a relay with a token refuses plain clients, whether they speak or not", async () => {
  await using table = new Table({ token: "secret" }, new ManualTime());
  const inside = await table.join({ token: "secret" });
  for (const text of ["\n", "1\n", '{"a":1}\n', '{"$x":{}}\n', "1"]) {
    const plain = table.connect();
    plain.feed(text);
    await turn();
    assert.equal(codeOf(plain), "bad_token", text);
    assert.match(plain.client.refusal.message, /needs a token, which a session's \$hello can carry/);
    assert.equal(plain.conn.lines.length, 1);
  }
  const silent = table.connect();
  await inside.say('"secret words"\n');
  await table.pass(4999);
  assert.equal(silent.conn.isOutputEnded, false);
  await table.pass(1);
  assert.equal(silent.conn.isOutputEnded, true);
  assert.equal(codeOf(silent), "bad_token");
  assert.equal(silent.conn.lines.length, 1);
  assert.deepEqual(inside.events, []);
});

Deno.test("Connection of a relay with a token closes a silent client at a shutdown without calling it names", async () => {
  await using table = new Table({ token: "secret" });
  const silent = table.connect();
  silent.connection.end("shutdown");
  await turn();
  assert.deepEqual([silent.conn.text, silent.conn.isOutputEnded], ["", true]);
});

Deno.test("Connection reads a client that is over its rate slowly, says so once, loses nothing, and doesn't take it for dead", async () => {
  await using table = new Table({ maxLinesPerSecond: 1000, pingTimeoutMs: 100, idleLineMs: 100 });
  const [ada, bo] = [await table.join(), await table.joinPlain()];
  const lines = Array.from({ length: 1300 }, (_, i) => `{"n":${i}}`);
  const text = lines.join("\n") + "\n";
  for (let at = 0; at < text.length; at += 500) ada.conn.feed(text.slice(at, at + 500));
  await bo.conn.until(() => bo.conn.lines.length >= 998); // the hello and an $ack are two
  await turn();
  assert.equal(bo.conn.lines.length, 998, "more were let through at once"); // as long as time stands still
  await table.pass(200);
  assert.equal(ada.conn.isClosed, false, "it is the relay that doesn't listen");
  const clock = setInterval(() => table.nowMs += 10, 10);
  try {
    await bo.conn.until(() => bo.conn.lines.length === lines.length);
  } finally {
    clearInterval(clock);
  }
  assert.deepEqual(bo.conn.lines, lines);
  assert.deepEqual(ada.told("error").map(({ code }) => code), ["rate_limited"]);
  while (!ada.conn.isClosed) {
    await pause(10); // until it is listened to again
    await table.pass(200);
  }
  assert.equal(ada.connection.ending, "timeout", "now it is silent");
});

Deno.test("Connection tells a session whose lines wait for its rate that the relay is there, whatever waits before its pings", async () => {
  const time = new ManualTime();
  await using table = new Table({ maxLinesPerSecond: 2, pingTimeoutMs: 300 }, time);
  const ada = await table.join();
  ada.feed(ada.client.say('"x"\n'.repeat(1000)));
  const slowLines = () => ada.conn.lines.filter((line) => line.startsWith('{"$slow":')).length;
  for (let i = 0; i < 1000 && slowLines() < 3; i++) await time.pass(10);
  assert.equal(slowLines(), 3);
  assert.deepEqual(ada.told("error").map(({ code }) => code), ["rate_limited"]);
  assert.deepEqual(ada.told("slow")[0], { linesPerSecond: 2 });
  assert.equal(ada.connection.ending, undefined);
});

Deno.test("Connection that is made to wait for its rate can be ended", async () => {
  for (const end of ["cut", "end"] as const) {
    await using table = new Table({ maxLinesPerSecond: 1 });
    const ada = await table.join();
    await ada.say("1\n".repeat(1000));
    if (end === "end") ada.conn.endInput();
    ada.connection[end]("shutdown");
    await ada.done;
    assert.equal(ada.conn.isClosed, true);
  }
});

Deno.test("Connection repeats the nonce of a hello in its answer, whatever that is; no nonce, none", async () => {
  await using table = new Table({ token: "right", maxRooms: 1 });
  const nonce = '"7f\\\n3a🎈';
  const fields = { token: "right", room: "r", nonce };
  const ada = await table.join(fields);
  assert.deepEqual([ada.client.welcome.nonce, ada.client.welcome.resumed], [nonce, false]);
  await ada.cut();
  const again = await table.resume(ada, { ...fields, nonce: "another" });
  assert.deepEqual([again.client.welcome.nonce, again.client.welcome.resumed], ["another", true]);
  const plainly = await table.join({ token: "right", room: "r" });
  assert.equal("nonce" in plainly.client.welcome, false);
  for (const wrong of [{ token: "wrong" }, { room: "one too many" }, { version: 0 }, { simulate: "what" }]) {
    const { client } = await table.join({ ...fields, ...wrong });
    assert.equal(client.refusal?.nonce, nonce, JSON.stringify(wrong));
    const without = await table.join({ ...fields, ...wrong, nonce: undefined });
    assert.equal("nonce" in without.client.refusal, false);
  }
});

Deno.test("Connection repeats the nonce in no $error of a session that is open", async () => {
  await using table = new Table();
  const ada = await table.join({ nonce: "7f3a" });
  await ada.say("bad\n".repeat(100));
  const errors = ada.told("error");
  assert.deepEqual([errors.length, errors.at(-1).code], [101, "too_many_errors"]);
  for (const error of errors) assert.equal("nonce" in error, false);
});

Deno.test("Connection keeps to the length of a welcome with the longest nonce, names and room", async () => {
  await using table = new Table();
  const room = "\\".repeat(64);
  for (let i = 0; i < 140; i++) await table.join({ room, name: "\\🎈".repeat(32) });
  const late = await table.join({ room, nonce: "\u0001".repeat(64) });
  assert.ok(late.client.welcome.more > 0);
  assert.ok(late.conn.bytes.indexOf(0x0a) < 32 * 1024, `${late.conn.bytes.indexOf(0x0a)} bytes`);
});

for (const whenBehind of ["skip", "close"] as const) {
  Deno.test(`Connection that is silent is written all that was kept for it, also where that is older than maxLagMs (${whenBehind})`, async () => {
    const time = new ManualTime();
    await using table = new Table({ maxLagMs: 100, whenBehind }, time);
    const bo = await table.joinPlain(), silent = table.connect();
    for (let i = 1; i <= 5; i++) {
      bo.feed(`${i}\n`);
      await turn();
      await time.pass(40);
    }
    assert.equal(silent.conn.text, "");
    await time.pass(50);
    silent.connection.sweep(table.nowMs);
    await turn();
    assert.deepEqual([silent.conn.text, silent.connection.ending], ["1\n2\n3\n4\n5\n", undefined]);
    assert.deepEqual(table.log.filter(({ level }) => level === "warn"), []);
  });
}
