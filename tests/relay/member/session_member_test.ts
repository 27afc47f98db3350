// Holds SessionMember against its contract on connections that the test controls to the byte and a clock that
// it sets: presence, state, acknowledgements, what a member misses that is behind, and control lines. What a
// resume promises is in resume_test.ts.

import assert from "node:assert/strict";
import type { Batch, Outlet } from "../../../src/relay/member/member.ts";
import { SessionMember } from "../../../src/relay/member/session_member.ts";
import { REAL_ENVIRONMENT, resolveOptions, type Settings } from "../../../src/relay/options.ts";
import { Room } from "../../../src/relay/room/room.ts";
import { Rooms } from "../../../src/relay/room/rooms.ts";
import { VERSION } from "../../../src/wire/version.ts";
import { ManualTime } from "../../support/manual_time.ts";
import { type Seat, Table, TIME_ORIGIN_MS, turn } from "../../support/session_table.ts";

function lineOf(number: number, bytes = 100): string {
  const text = `{"n":${number},"x":""}\n`;
  return `{"n":${number},"x":"${"x".repeat(Math.max(0, bytes - text.length))}"}\n`;
}

function numbersOf(seat: Seat): number[] {
  return seat.events.map((line) => JSON.parse(line).n);
}

/** Tells the codes of the errors that a client was told. */
function codesOf(seat: Seat): string[] {
  return seat.told("error").map(({ code }) => code);
}

Deno.test("SessionMember is shown to the others before its first line, and its leaving after its last", async () => {
  await using table = new Table();
  const ada = await table.join({ room: "r", name: "ada" });
  const bo = table.connect();
  bo.feed(bo.client.hello({ room: "r", name: "bo" }) + '"first"\n"last"\n{"$bye":{}}\n"never"\n');
  await turn();
  ada.receive();
  const lines = ada.client.lines.filter((line) => !line.startsWith('{"$time"'));
  assert.deepEqual(lines, [
    '{"$join":{"id":"k2","name":"bo"}}',
    '{"$from":{"id":"k2"}}',
    '"first"',
    '"last"',
    '{"$leave":{"id":"k2","reason":"closed"}}',
  ]);
});

Deno.test("SessionMember gives back, when it leaves, the memory for what follows a welcome that it has not taken", () => {
  const settings = resolveOptions({}), room = new Room("r", settings, () => {});
  const outlet: Outlet = { address: "", wake() {}, simulate() {}, leave() {}, cut() {} };
  const enter = (id: string) => new SessionMember(room, { id, name: "" }, id, settings);
  const ada = enter("k1"), value = new TextEncoder().encode(JSON.stringify("x".repeat(1000)));
  for (let key = 0; key < 64; key++) assert.equal(room.state.set(ada, `${key}`, value, "k1"), undefined);
  enter("k2").close("closed"); // the log has its block
  const before = settings.memory.usedBytes, bo = enter("k3");
  bo.attach(outlet, undefined);
  assert.ok(settings.memory.usedBytes - before > 8 * 2 * 64);
  bo.close("closed");
  assert.equal(settings.memory.usedBytes, before);
});

Deno.test("SessionMember has no news in who comes before the next flush, and gets it with what is said", () => {
  const settings = resolveOptions({});
  const room = new Room("r", settings, () => {});
  const outlet: Outlet = { address: "", wake() {}, simulate() {}, leave() {}, cut() {} };
  const enter = (id: string) => {
    const member = new SessionMember(room, { id, name: "" }, id, settings);
    member.attach(outlet, undefined);
    take(member);
    return member;
  };
  const take = (member: SessionMember) => {
    const batch = member.take(settings.clock());
    const text = new TextDecoder().decode((batch as Batch | undefined)?.bytes);
    (batch as Batch | undefined)?.written();
    return text.replace(/^\{"\$(time|from)".*\n/gm, "");
  };
  const ada = enter("k1"), bo = enter("k2");
  assert.deepEqual([ada.hasNews, bo.hasNews], [false, false]);
  room.sessions.startFlush(settings.clock());
  assert.deepEqual([ada.hasNews, bo.hasNews], [true, false]); // who has come knows it
  assert.equal(take(ada), '{"$join":{"id":"k2","name":""}}\n');
  const cy = enter("k3");
  assert.deepEqual([ada.hasNews, bo.hasNews, cy.hasNews], [false, false, false]);
  const line = new TextEncoder().encode("1\n");
  cy.onLines(line, 0, line.length, 1, []);
  assert.deepEqual([ada.hasNews, bo.hasNews], [true, true]);
  assert.equal(take(ada), '{"$join":{"id":"k3","name":""}}\n1\n');
  for (const member of [ada, bo, cy]) member.close("closed");
  settings.memory.close();
});

Deno.test("SessionMember finds in its welcome who is there, itself not, and what the relay allows", async () => {
  await using table = new Table({ maxKeys: 3, windowBytes: 5000 });
  const ada = await table.join({ room: "räum 🎈", name: "ädä" });
  await ada.set("pos", [1, 2]);
  await ada.set("score", 3, true);
  const bo = await table.join({ room: "räum 🎈" });
  const { time, relay, session, limits, ...rest } = bo.client.welcome;
  assert.deepEqual(rest, {
    version: 1,
    relayVersion: VERSION,
    id: "k2",
    room: "räum 🎈",
    bytes: 0,
    resumed: false,
    more: 0,
    peers: [{ id: "k1", name: "ädä", state: { pos: [1, 2] } }],
    state: { score: 3 },
  });
  assert.match(session, /^[\w-]{22}$/);
  assert.match(relay, /^[\w-]{8}$/);
  assert.equal(relay, ada.client.welcome.relay);
  assert.notEqual(session, ada.client.welcome.session);
  assert.equal(time, TIME_ORIGIN_MS + table.nowMs);
  assert.deepEqual([limits.maxKeys, limits.windowBytes, limits.maxLineBytes], [3, 5000, 65_536]);
  assert.deepEqual(ada.client.welcome.peers, []);
});

Deno.test("SessionMember that breaks off is seen for 5 s more, then lost; after resumeMs it is gone for good", async () => {
  await using table = new Table({ resumeMs: 30_000, pingTimeoutMs: 1e9 });
  const [ada, bo] = [await table.join(), await table.join()];
  await bo.cut();
  await table.pass(5000);
  assert.deepEqual(ada.told("leave"), []);
  await table.pass(1000);
  assert.deepEqual(ada.told("leave"), [{ id: bo.id, reason: "lost" }]);
  assert.equal(table.admission.stats().absentSessions, 1);
  await table.pass(25_000);
  assert.equal(table.admission.stats().absentSessions, 0);
  assert.equal(ada.told("leave").length, 1, "it leaves once");
});

Deno.test("SessionMember that is silent for pingTimeoutMs leaves with timeout, one that pings does not", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join(), await table.join()];
  for (let i = 0; i < 4; i++) {
    await table.pass(5000);
    await ada.control("ping", { t: i });
  }
  assert.deepEqual(ada.told("leave"), [{ id: bo.id, reason: "timeout" }]);
  assert.equal(bo.conn.isClosed, true);
  assert.equal(ada.conn.isClosed, false);
});

Deno.test("SessionMember that is behind leaves with behind where that is not forgiven", async () => {
  await using table = new Table({ whenBehind: "close", pingTimeoutMs: 1e9 });
  const [ada, bo] = [await table.join(), await table.join()];
  bo.conn.takeBytes(0);
  for (let i = 0; i < 3; i++) await ada.say(lineOf(i));
  await table.pass(6000);
  assert.deepEqual(ada.told("leave"), [{ id: bo.id, reason: "behind" }]);
  assert.equal(bo.conn.isClosed, true);
  const again = await table.join({}, bo.client);
  assert.equal(again.client.welcome.resumed, false);
});

Deno.test("SessionMember answers a ping with its t, the relay's time, and the bytes up to its own end", async () => {
  await using table = new Table();
  const ada = await table.join();
  const before = '{"$ack":{"bytes":0}}\n"a line"\n\n';
  await ada.say('"a line"\n\n');
  ada.feed(
    new Uint8Array([
      ...ada.client.control("ping", { t: -12.345 }),
      ...ada.client.say('"in the same piece"\n'),
    ]),
  );
  await turn();
  const [{ t, time, bytes }] = ada.told("pong");
  assert.equal(t, -12.345);
  assert.equal(bytes, `${before}{"$ping":{"t":-12.345}}\n`.length, "empty lines count");
  assert.equal(time, TIME_ORIGIN_MS + table.nowMs);
  ada.feed('"half a');
  await ada.control("ping", { t: 0 }); // ends that line
  assert.deepEqual(codesOf(ada), ["invalid_json"]);
});

Deno.test("SessionMember is told the newest value of each key, and its own not", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join(), await table.join()];
  bo.conn.takeBytes(0);
  await ada.say('"keeps bo busy"\n');
  for (let i = 0; i < 500; i++) ada.feed(ada.client.control("set", { key: `key ${i % 10}`, value: i }));
  await turn();
  bo.conn.takeBytes(Infinity);
  await turn();
  const sets = bo.told("set");
  assert.deepEqual(
    sets,
    Array.from({ length: 10 }, (_, i) => ({ key: `key ${i}`, value: 490 + i, from: ada.id })),
  );
  assert.deepEqual(ada.told("set"), []);
});

Deno.test("SessionMember's values vanish with it, and a removed one at once; room values stay", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join(), await table.join()];
  await ada.set("a", 1);
  await ada.set("b", { deep: [null] });
  await ada.set("c", null);
  await ada.set("score", 7, true);
  await ada.set("a");
  await ada.set("never there");
  assert.deepEqual(bo.state(ada.id), { b: { deep: [null] }, c: null });
  assert.deepEqual(bo.told("set").at(-1), { key: "a", from: ada.id });
  await ada.control("bye", {});
  const cy = await table.join();
  assert.deepEqual(cy.client.welcome.peers.map(({ id }: { id: string }) => id), [bo.id]);
  assert.deepEqual([cy.state(""), bo.state("")], [{ score: 7 }, { score: 7 }]);
  await cy.set("score", undefined, true);
  assert.deepEqual([cy.state(""), bo.state("")], [{}, {}]);
});

Deno.test("SessionMembers that set one room value at once see the same winner, setters included", async () => {
  await using table = new Table();
  const seats = [];
  for (let i = 0; i < 5; i++) seats.push(await table.join());
  for (let round = 0; round < 20; round++) {
    for (const [i, seat] of seats.entries()) {
      seat.feed(seat.client.control("set", { key: "k", value: `${round}/${i}`, room: true }));
    }
    await turn();
    const values: Set<unknown> = new Set(seats.map((seat) => seat.state("")!.k));
    assert.equal(values.size, 1, [...values].join());
    assert.match(String([...values][0]), new RegExp(`^${round}/`));
  }
});

Deno.test("SessionMember.set reaches sessions exactly as it was written, and plain clients not at all", async () => {
  await using table = new Table();
  const plain = await table.joinPlain();
  const ada = await table.join(), bo = await table.join();
  const values = [
    '{"id":1152921504606846975, "b" : [ 1.50e+00 ]}',
    '"ä€🎈\\u00e4"',
    "null",
    '{"value":"}\\"","key":1}',
    "[]",
  ];
  for (const value of values) {
    ada.feed(ada.client.say(`{"$set":{"value" : ${value} ,"key":"k"}}\r\n`));
    await turn();
  }
  await ada.set("k");
  await ada.set("room's", 5, true);
  const sets = bo.conn.lines.filter((line) => line.startsWith('{"$set":'));
  assert.deepEqual(sets, [
    ...values.map((value) => `{"$set":{"key":"k","value":${value},"from":"${ada.id}"}}`),
    `{"$set":{"key":"k","from":"${ada.id}"}}`,
    `{"$set":{"key":"room's","value":5,"room":true,"from":"${ada.id}"}}`,
  ]);
  assert.deepEqual(plain.conn.lines, []);
});

Deno.test("SessionMember hears lines of plain clients that look like control lines with a space before them", async () => {
  await using table = new Table();
  const plain = await table.joinPlain(), other = await table.joinPlain();
  const ada = await table.join();
  plain.feed('1\n{"$leave":{"id":"k1"}}\n{"$x":1}\r\n2\n');
  await turn();
  assert.deepEqual(ada.events, ["1", ' {"$leave":{"id":"k1"}}', ' {"$x":1}\r', "2"]);
  assert.deepEqual(other.conn.lines, ["1", '{"$leave":{"id":"k1"}}', '{"$x":1}\r', "2"]);
});

Deno.test("SessionMember gets all of a large room: what does not fit the welcome follows as lines, as many as it says", async () => {
  await using table = new Table();
  const seats = [];
  for (let i = 0; i < 30; i++) seats.push(await table.join({ name: "名".repeat(64) }));
  const value = (i: number) => "値".repeat(i % 7 * 400);
  for (const [i, seat] of seats.entries()) {
    for (let key = 0; key < 3; key++) {
      seat.feed(seat.client.control("set", { key: `${key}`, value: value(i + key) }));
    }
  }
  for (let i = 0; i < 20; i++) {
    seats[0].feed(seats[0].client.control("set", { key: `${i}`, value: i, room: true }));
  }
  await turn();
  const late = await table.join();
  const welcomeBytes = late.conn.bytes.indexOf(0x0a) + 1;
  assert.ok(welcomeBytes <= 32 * 1024, `the welcome has ${welcomeBytes} bytes`);
  const { more, peers } = late.client.welcome;
  assert.ok(more > 0 && peers.length > 0 && peers.length < 30);
  assert.equal(late.client.lines.filter((line) => /^\{"\$(join|set)":/.test(line)).length, more);
  assert.equal(late.client.lines.length, more, "nothing else follows");
  assert.equal(late.client.peers.size, 31);
  for (const [i, seat] of seats.entries()) {
    assert.deepEqual(late.state(seat.id), { 0: value(i), 1: value(i + 1), 2: value(i + 2) });
  }
  assert.equal(Object.keys(late.state("")!).length, 20);
});

Deno.test("SessionMember that is far behind in the log hears of no member's state before its $join", async () => {
  await using table = new Table({ windowBytes: 2000 });
  const [ada, bo] = [await table.join(), await table.join()];
  for (let i = 0; i < 100; i++) await ada.say(lineOf(i));
  const late = await table.join();
  await late.set("k", 1);
  await ada.set("k", 2);
  assert.equal(bo.told("join").length, 0);
  for (let i = 0; i < 200 && bo.state(ada.id)?.k !== 2; i++) await bo.ack(); // the client asserts the order
  assert.deepEqual([bo.state(late.id), bo.state(ada.id)], [{ k: 1 }, { k: 2 }]);
});

Deno.test("SessionMember has never more than windowBytes and one line unacknowledged, whatever mix comes", async () => {
  const windowBytes = 4000;
  await using table = new Table({ windowBytes });
  const [ada, bo] = [await table.join(), await table.join()];
  const welcomeBytes = bo.conn.bytes.length;
  let acked = 0, most = 0;
  for (let i = 0; i < 300; i++) {
    ada.feed(ada.client.say(lineOf(i, 20 + i % 900)));
    ada.feed(ada.client.control("set", { key: `k${i % 20}`, value: "x".repeat(i % 300) }));
    await turn();
    most = Math.max(most, bo.conn.bytes.length - welcomeBytes - acked);
    if (i % 12 === 0) {
      bo.receive();
      acked = bo.client.received;
      await bo.ack();
    }
  }
  assert.ok(most > windowBytes / 2, "the window is used");
  assert.ok(most <= windowBytes + 1000, `${most} bytes were unacknowledged`);
});

Deno.test("SessionMember that acknowledges nothing gets a window and no more; others don't notice; back, it gets what it missed", async () => {
  await using table = new Table({ windowBytes: 5000, pingTimeoutMs: 1e9 });
  const [ada, bo, cy] = [await table.join(), await table.join(), await table.join()];
  for (let i = 0; i < 200; i++) {
    await ada.say(lineOf(i));
    await cy.ack();
  }
  assert.equal(numbersOf(cy).length, 200);
  const first = numbersOf(bo).length;
  assert.ok(first > 30 && first < 52, `${first} lines in the window`);
  for (let i = 0; i < 10; i++) await bo.ack();
  assert.deepEqual(numbersOf(bo), numbersOf(cy), "it was away for less than maxLagMs");
  assert.deepEqual(bo.told("lost"), []);
});

Deno.test("SessionMember that returns after maxLagMs is told exactly how many lines it missed, then hears only fresh ones", async () => {
  await using table = new Table({ windowBytes: 5000, maxLagMs: 5000, pingTimeoutMs: 1e9 });
  const [ada, bo] = [await table.join(), await table.join({ name: "bo" })];
  let n = 0;
  for (let second = 0; second < 10; second++) {
    for (let i = 0; i < 60; i++) await ada.say(lineOf(n++));
    await bo.say('"own, between"\n');
    await table.pass(1000);
  }
  const before = numbersOf(bo).length;
  await bo.ack();
  const lost = bo.told("lost");
  assert.equal(lost.length, 1);
  assert.equal(lost[0].lines, 600 - before);
  assert.ok(lost[0].bytes >= lost[0].lines * 100);
  assert.deepEqual(numbersOf(bo).length, before, "nothing stale came after it");
  await ada.say(lineOf(n++));
  assert.equal(numbersOf(bo).at(-1), 600);
  assert.deepEqual(bo.told("peers"), [], "nobody came or went");
  const logged = table.log.filter(({ message }) => message.includes("fell behind"));
  assert.deepEqual(logged.map(({ fields }) => fields?.name), ["bo"]);
});

Deno.test("SessionMember that missed joins and leaves is told who is there now", async () => {
  await using table = new Table({ windowBytes: 2000, pingTimeoutMs: 1e9 });
  const [ada, bo, cy] = [await table.join(), await table.join(), await table.join({ name: "cy" })];
  for (let i = 0; i < 60; i++) await ada.say(lineOf(i));
  const dee = await table.join({ name: "dee" });
  await dee.set("k", "dee's");
  await cy.control("bye", {});
  for (let i = 0; i < 10; i++) {
    await ada.say(lineOf(60 + i));
    await table.pass(1000);
  }
  assert.deepEqual([bo.told("join"), bo.told("leave")], [[{ id: cy.id, name: "cy" }], []]);
  await bo.ack();
  assert.deepEqual(bo.told("peers"), [{ peers: [{ id: ada.id, name: "" }, { id: dee.id, name: "dee" }] }]);
  await bo.ack();
  assert.deepEqual(bo.state(dee.id), { k: "dee's" });
});

Deno.test("SessionMember hears the time once in 100 ms at most, and never less than what came then", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join(), await table.join()];
  for (let i = 0; i < 100; i++) {
    table.nowMs += 10;
    await ada.say(`${i}\n`);
  }
  const times = bo.told("time");
  assert.ok(times.length >= 9 && times.length <= 11, `${times.length} in a second`);
  for (let i = 1; i < times.length; i++) assert.ok(times[i].time >= times[i - 1].time);
});

Deno.test("SessionMember is answered with a code for each limit, and goes on", async () => {
  await using table = new Table({ maxKeys: 3, maxValueBytes: 20, maxStateBytes: 100 });
  const [ada, bo] = [await table.join(), await table.join()];
  for (const key of ["a", "b", "c", "d"]) await ada.set(key, 1);
  for (const key of ["a", "b", "c", "d"]) await ada.set(key, 2, true);
  assert.deepEqual(codesOf(ada), ["too_many_keys", "too_many_keys"]);
  assert.deepEqual(ada.told("error").map(({ key, room }) => [key, room]), [["d", undefined], ["d", true]]);
  await ada.set("a", "x".repeat(18));
  await ada.set("a", "x".repeat(19));
  await ada.set("b", "ä".repeat(10));
  assert.deepEqual(codesOf(ada).slice(2), ["value_too_long", "value_too_long"]);
  for (const key of ["a", "b", "c"]) await bo.set(key, "y".repeat(18));
  for (const key of ["a", "b", "c"]) await ada.set(key, "y".repeat(18));
  assert.deepEqual([...new Set(codesOf(ada).slice(4))], ["state_full"]);
  const before = codesOf(ada).length;
  await ada.set("a");
  await ada.set("new", 1);
  assert.equal(codesOf(ada).length, before, "a removal makes room");
  for (const { message, line } of ada.told("error")) {
    assert.match(message, new RegExp(`^Cannot follow line ${line}: Cannot set "`));
  }
});

Deno.test("SessionMember is told when there is no memory for a long answer, and asks again", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join(), await table.join()];
  const claim = (seat: Seat, ask: string, value: unknown = 1) =>
    seat.control("claim", { ask, key: "k", value });
  await claim(ada, "1", "x".repeat(5000));
  const all = table.memory.open();
  all.resize(table.memory.maxBytes);
  for (const ask of ["2", "3"]) await claim(bo, ask);
  await bo.ack();
  all.close();
  await claim(bo, "4");
  const why = { code: "relay_full", message: "the memory of the relay is full" };
  assert.deepEqual(ada.told("answer"), [{ ask: "1", won: true }]);
  assert.deepEqual(bo.told("answer"), [
    { ask: "2", ...why },
    { ask: "3", ...why },
    { ask: "4", won: false, value: "x".repeat(5000) },
  ]);
});

Deno.test("SessionMember may set ever new keys as long as it removes the old ones, also alone in its room", async () => {
  for (const others of [0, 1]) {
    await using table = new Table({ maxKeys: 10 });
    const ada = await table.join();
    const seats = [ada];
    for (let i = 0; i < others; i++) seats.push(await table.join());
    for (let i = 0; i < 400; i++) {
      await ada.set(`ball ${i}`, i);
      if (i >= 5) await ada.set(`ball ${i - 5}`);
      if (i % 20 === 0) {
        for (const seat of seats) await seat.ack();
        await table.pass(100);
      }
    }
    assert.deepEqual(codesOf(ada), []);
    if (others > 0) assert.equal(Object.keys(seats[1].state(ada.id)!).length, 5);
  }
});

Deno.test("SessionMember answers each malformed control line with what is wrong, and goes on", async () => {
  const cases: [string, string, RegExp][] = [
    ['{"$join":{"id":"k9"}}', "unknown_control", /"\$join" is no control line/],
    ['{"$hello":{"version":1}}', "unknown_control", /"\$hello"/],
    ['{"$":{}}', "unknown_control", /no control line/],
    ['{"$ping":{}}', "unknown_control", /in \$ping, t is a number/],
    ['{"$ping":{"t":1e999}}', "unknown_control", /in \$ping, t is a number/],
    ['{"$ping":5}', "unknown_control", /"\$ping" is no object/],
    ['{"$ping":[]}', "unknown_control", /"\$ping" is no object/],
    ['{"$ping":{"t":1},"more":1}', "unknown_control", /several members/],
    ['{"$ack":{"bytes":-1}}', "unknown_control", /in \$ack, bytes is a whole number/],
    ['{"$ack":{"bytes":1.5}}', "unknown_control", /bytes/],
    ['{"$set":{"value":1}}', "bad_set", /in \$set, key is undefined, a string is allowed/],
    ['{"$set":{"key":"","value":1}}', "bad_set", /key/],
    [String.raw`{"$set":{"key":"a\udfff","value":1,"room":true}}`, "bad_set", /key has half/],
    [String.raw`{"$claim":{"ask":"1","key":"\ud800","value":1}}`, "bad_claim", /key has half/],
    [`{"$set":{"key":"${"k".repeat(129)}","value":1}}`, "bad_set", /key/],
    ['{"$set":{"key":"k","value":1,"room":1}}', "bad_set", /room is true or false/],
    ['{"$set":{"key":"k","value":1},"$set":{"key":"k","value":2}}', "unknown_control", /several members/],
    ['{"$set', "invalid_json", /Cannot relay line/],
  ];
  await using table = new Table();
  const [ada, bo] = [await table.join(), await table.join()];
  for (const [line, code, message] of cases) {
    await ada.say(`${line}\n`);
    const error = ada.told("error").at(-1);
    assert.equal(error?.code, code, line);
    assert.match(error.message, message);
  }
  assert.equal(ada.told("error").length, cases.length);
  await ada.say('{"$ack":{"bytes":999999999}}\n{"$ping":{"t":1,"unknown":[]}}\n"good"\n');
  assert.equal(ada.told("pong").length, 1, "unknown fields are ignored");
  assert.deepEqual([bo.events, ada.told("error").length], [['"good"'], cases.length]);
});

Deno.test("SessionMember's $bye ends it: the others hear closed, and there is nothing to resume", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join(), await table.join()];
  await bo.control("bye", {});
  await bo.done;
  assert.deepEqual(ada.told("leave"), [{ id: bo.id, reason: "closed" }]);
  const again = await table.join({}, bo.client);
  assert.equal(again.client.welcome.resumed, false);
  assert.equal(again.id, "k3");
});

Deno.test("SessionMember and plain member that a flood outruns still hear all of who says little, and of the flood what is new", async () => {
  await using table = new Table({ maxLogBytes: 256 * 1024, windowBytes: 32 * 1024, pingTimeoutMs: 1e9 });
  const [loud, quiet, slow] = [await table.join(), await table.join(), await table.join()];
  const plain = await table.joinPlain();
  const flood = '{"flood":"' + "x".repeat(87) + '"}\n';
  let said = 0;
  for (let round = 0; round < 100; round++) {
    loud.feed(loud.client.say(flood.repeat(600)));
    quiet.feed(quiet.client.say(`{"n":${said++}}\n`));
    await table.pass(10);
    for (const seat of [loud, quiet]) await seat.ack();
    if (round % 2 === 0) await slow.ack();
    if (round === 20) plain.conn.takeBytes(0);
    if (round === 40) plain.conn.takeBytes(Infinity);
  }
  plain.conn.takeBytes(Infinity);
  for (let i = 0; i < 20; i++) await slow.ack();
  const heard = { session: slow.events, plain: plain.conn.lines };
  for (const [level, lines] of Object.entries(heard)) {
    const numbers = lines.flatMap((line) => Number(/^{"n":(\d+)}$/.exec(line)?.[1] ?? NaN)).filter((n) =>
      n >= 0
    );
    assert.ok(said - numbers.length <= 4, `${level}: ${numbers.length} of ${said}`);
    assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b), `${level}: in order, once`);
  }
  const lost = slow.told("lost").reduce((sum, { lines }) => sum + lines, 0);
  assert.ok(lost > 10_000);
  assert.ok(heard.plain.length < 90 * 601, "it did not take anything for a while");
  assert.equal(lost + slow.events.length, 100 * 601, "told or there, each once");
});

Deno.test("SessionMember gives events and state by turns, so that neither keeps the other waiting", async () => {
  await using table = new Table({ windowBytes: 2000 });
  const [ada, bo] = [await table.join(), await table.join()];
  bo.conn.takeBytes(0);
  for (let i = 0; i < 100; i++) await ada.say(lineOf(i));
  for (let i = 0; i < 60; i++) await ada.set(`k${i}`, "x".repeat(100));
  bo.conn.takeBytes(Infinity);
  await turn();
  for (let i = 0; i < 3; i++) await bo.ack();
  const [events, sets] = [numbersOf(bo).length, bo.told("set").length];
  assert.ok(events > 10 && events < 70 && sets > 5 && sets < 50, `${events} events, ${sets} values`);
});

Deno.test("SessionMember that timed out can be resumed for resumeMs from its last sign of life, not from when that was noticed", async () => {
  for (const [afterMs, resumed] of [[12_000, true], [16_000, false]] as const) {
    await using table = new Table({ pingTimeoutMs: 15_000, resumeMs: 30_000 });
    const bo = await table.join();
    await table.pass(16_000);
    assert.equal(bo.conn.isClosed, true, "it was silent for too long");
    await table.pass(afterMs);
    const next = await table.resume(bo);
    assert.equal(next.client.welcome.resumed, resumed, `${16_000 + afterMs} ms after the last sign of life`);
  }
});

Deno.test("SessionMember that only its own lines have gone by is not behind: it is not closed, and misses nothing", async () => {
  await using table = new Table({ whenBehind: "close", maxLogBytes: 64 * 1024 });
  const [ada, bo] = [await table.join(), await table.join()];
  ada.conn.takeBytes(0);
  await bo.say("1\n");
  for (let i = 0; i < 400; i++) {
    await ada.say(lineOf(i, 1000));
    if (i % 20 === 0) await bo.ack();
  }
  await table.pass(1000);
  assert.equal(ada.conn.isClosed, false);
  ada.conn.takeBytes(Infinity);
  await turn();
  await bo.say("2\n");
  assert.deepEqual([ada.events, ada.told("lost"), ada.conn.isClosed], [["1", "2"], [], false]);
  assert.deepEqual(table.log.filter(({ message }) => message.includes("behind")), []);
});

Deno.test("SessionMember is told again after a break what it did wrong, if that had not arrived, without the number of a line", async () => {
  await using table = new Table();
  const ada = await table.join();
  ada.receive();
  ada.bytesDown = 0;
  await ada.control("set", { key: "", value: 1 });
  await ada.set("k", "x".repeat(20_000), true);
  await ada.control("ping", { t: 1 });
  await ada.cut();
  const next = await table.resume(ada);
  await next.ack();
  assert.deepEqual(next.told("error").map(({ code, line, key, room }) => [code, line, key, room]), [
    ["bad_set", undefined, undefined, undefined],
    ["value_too_long", undefined, "k", true],
  ]);
  assert.deepEqual(next.told("pong"), []);
  const again = await table.resume(next);
  assert.equal(again.told("error").length, 2, "once it has arrived, it does not come again");
});

Deno.test("SessionMember that is host and silent for longer than pings are apart gives way to another, if there is one", async () => {
  await using table = new Table();
  const ada = await table.join({ room: "r", canHost: true });
  await table.pass(10_000);
  assert.equal(table.rooms.find("r")!.host?.id, ada.id, "nobody else is there");
  await ada.control("ping", { t: 1 });
  const bo = await table.join({ room: "r", canHost: true });
  for (let i = 0; i < 5; i++) {
    await table.pass(2000);
    await bo.control("ping", { t: i });
  }
  assert.equal(table.rooms.find("r")!.host?.id, bo.id);
  for (const seat of [ada, bo]) {
    seat.receive();
    assert.equal(seat.client.host, bo.id);
  }
});

/** A member of a room, taken from by hand; its client acknowledges as `isDue` says. */
class Reader {
  readonly member: SessionMember;
  readonly pieces: Uint8Array[] = [];
  text = "";
  most = 0;
  received = 0;
  acked = 0;

  constructor(room: Room, settings: Settings, id: string, isFramed: boolean) {
    const nothing = () => {};
    this.member = new SessionMember(room, { id, name: "" }, `secret ${id}`, settings);
    const outlet = { address: id, wake: nothing, simulate: nothing, leave: nothing, cut: nothing };
    this.member.attach({ ...outlet, isFramed }, undefined);
    this.#take(); // the welcome
    this.received = 0;
  }

  /** Takes one write; false if there is none. */
  step(isDue: (unconfirmed: number) => boolean, nowMs = 0): boolean {
    const hasTaken = this.#take(nowMs);
    this.most = Math.max(this.most, this.received - this.acked);
    if (isDue(this.received - this.acked)) this.ack();
    return hasTaken;
  }

  ack(): void {
    this.acked = this.received;
    this.member.onAck(this.acked);
  }

  #take(nowMs = 0): boolean {
    const batch = this.member.take(nowMs);
    if (batch === undefined || batch === "behind") return false;
    if (batch.source === "block") this.pieces.push(batch.bytes);
    this.received += batch.bytes.length;
    this.text += new TextDecoder().decode(batch.bytes);
    batch.written();
    return true;
  }
}

Deno.test("SessionMember takes the same pieces over a WebSocket as others, whose windows fill up at other places", () => {
  const settings = resolveOptions({}), { windowBytes } = settings;
  const rooms = new Rooms(settings), room = rooms.open("r") as Room;
  const names = ["ada", "bo", "cy", "late", "tcp"];
  const readers = names.map((id) => new Reader(room, settings, id, id !== "tcp"));
  const [ada, bo, cy, late, tcp] = readers;
  const sayer = new Reader(room, settings, "sayer", true);
  for (const reader of readers) while (reader.step(() => true));
  for (const reader of readers) Object.assign(reader, { text: "", pieces: [] });
  let text = "";
  for (let i = 0; i < 500; i++) {
    const lines = Array.from({ length: 40 }, (_, j) => lineOf(i * 40 + j, 60 + (i * j) % 80)).join("");
    const bytes = new TextEncoder().encode(lines);
    sayer.member.onLines(bytes, 0, bytes.length, 40, []);
    text += lines;
  }
  const isDue = (unconfirmed: number) => unconfirmed >= 3 / 4 * windowBytes;
  // bo has been told something that counts as well, late has begun before, cy acknowledges only when nothing
  // more comes.
  bo.member.onPing({ t: 1, told: {} });
  late.step(() => false);
  late.ack();
  for (let isOn = true; isOn;) {
    isOn = false;
    for (const reader of readers) {
      const unconfirmed = reader.received - reader.acked;
      let hasTaken = reader.step(reader === cy ? () => false : isDue);
      if (!hasTaken && reader === cy && unconfirmed > 0) {
        cy.ack();
        hasTaken = true;
      }
      isOn ||= hasTaken;
    }
  }
  const eventsOf = (all: string) => all.replace(/^\{"\$.*\n/gm, "");
  for (const reader of readers) assert.equal(eventsOf(reader.text), eventsOf(text));
  const shareOf = (reader: Reader) => {
    const known = new Set(ada.pieces);
    const bytes = (pieces: Uint8Array[]) => pieces.reduce((sum, { length }) => sum + length, 0);
    return bytes(reader.pieces.filter((piece) => known.has(piece))) / bytes(reader.pieces);
  };
  for (const reader of [bo, cy, late]) assert.ok(shareOf(reader) > 0.8, `${shareOf(reader)}`);
  for (const reader of [ada, bo, cy, late]) {
    assert.ok(reader.most <= 5 / 4 * windowBytes, `${reader.most}`);
  }
  assert.ok(tcp.most <= windowBytes + 200 && tcp.most > windowBytes - 200, `${tcp.most}`);
  for (const { member } of [...readers, sayer]) member.close("closed");
  rooms.close();
  settings.memory.close();
});

Deno.test("SessionMember that confirms nothing takes no memory from what all say, whoever sends to how many", async () => {
  await using table = new Table({ maxMemoryBytes: 2 ** 20, pingTimeoutMs: 1e9 });
  const hog = await table.join(), quiet = await table.join(), listener = await table.join();
  const crowd: Seat[] = [];
  for (let i = 0; i < 8; i++) crowd.push(await table.join());
  const ids = crowd.map(({ id }) => id), event = "x".repeat(1000);
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < 4; i++) await hog.control("to", { ids, event });
    await quiet.say(lineOf(round));
    for (const seat of crowd) seat.receive();
  }
  assert.equal(table.memory.isShort, false);
  assert.deepEqual([numbersOf(listener).length, listener.told("lost")], [100, []]);
  for (const seat of crowd) {
    const told = seat.told("lost").reduce((sum, { lines }) => sum + lines, 0);
    assert.ok(told > 0, "it has too much already");
    await seat.ack();
    while (seat.events.length < 500 - seat.told("lost").reduce((sum, { lines }) => sum + lines, 0)) {
      await seat.ack();
    }
    const lost = seat.told("lost").reduce((sum, { lines }) => sum + lines, 0);
    assert.equal(seat.events.length + lost, 500, "what is not there is told");
  }
});

Deno.test("SessionMembers that jump at once in a large room take no memory from others: some wait until it is free", async () => {
  const time = new ManualTime();
  const settings = resolveOptions({ maxMemoryBytes: 2 ** 22 }, { ...REAL_ENVIRONMENT, clock: time.clock });
  const rooms = new Rooms(settings), room = rooms.open("r") as Room;
  const readers = Array.from({ length: 100 }, (_, i) => new Reader(room, settings, `reader ${i}`, false));
  const sayer = new Reader(room, settings, "sayer", false);
  for (const reader of readers) while (reader.step(() => true));
  const crowd: SessionMember[] = [];
  for (let i = 0; i < 300; i++) {
    crowd.push(new SessionMember(room, { id: `c${i}`, name: "😀".repeat(64) }, `secret c${i}`, settings));
  }
  const line = new TextEncoder().encode("1\n");
  sayer.member.onLines(line, 0, line.length, 1, []);
  await turn();
  time.nowMs += 6000;
  const isTold = (reader: Reader) => reader.text.includes('{"$peers"');
  for (const reader of readers) reader.step(() => false, time.nowMs);
  const first = readers.filter(isTold);
  assert.ok(first.length > 5 && first.length < 50, `${first.length} jumped`);
  assert.equal(settings.memory.isShort, false);
  for (let rounds = 0; !readers.every(isTold); rounds++) {
    assert.ok(rounds < 20, "all get their turn");
    for (const reader of readers) {
      if (isTold(reader)) reader.ack();
    }
    for (const reader of readers) reader.step(() => false, time.nowMs);
  }
  for (const { text } of readers) {
    assert.match(text, /\{"\$lost":\{"lines":1,/);
    const { peers } = JSON.parse(text.split("\n").find((line) => line.startsWith('{"$peers"'))!).$peers;
    assert.equal(peers.length, readers.length + crowd.length);
  }
  const usedBytes = settings.memory.usedBytes;
  for (const reader of readers) reader.ack();
  assert.ok(settings.memory.usedBytes < usedBytes, "what is confirmed counts no more");
  for (const member of [...crowd, ...readers.map(({ member }) => member), sayer.member]) {
    member.close("closed");
  }
  assert.equal(settings.memory.letters.isShort, false);
  rooms.close();
  settings.memory.close();
});

Deno.test("SessionMember that has not confirmed a gap has no other one, and meanwhile of state no more than a window", async () => {
  const windowBytes = 5000, time = new ManualTime();
  const settings = resolveOptions({ windowBytes }, { ...REAL_ENVIRONMENT, clock: time.clock });
  const rooms = new Rooms(settings), room = rooms.open("r") as Room;
  const reader = new Reader(room, settings, "reader", false),
    sayer = new Reader(room, settings, "sayer", false);
  while (reader.step(() => true));
  const encoder = new TextEncoder(),
    lost = () => [...reader.text.matchAll(/"lines":(\d+)/g)].map(([, n]) => n);
  const fallBehind = async (lines: number) => {
    const bytes = encoder.encode("1\n".repeat(lines));
    sayer.member.onLines(bytes, 0, bytes.length, lines, []);
    await turn();
    time.nowMs += 6000;
  };
  await fallBehind(1);
  reader.step(() => false, time.nowMs);
  assert.deepEqual(lost(), ["1"]);
  await fallBehind(2);
  for (let i = 0; i < 40; i++) {
    const set = encoder.encode(`{"$set":{"key":"k${i}","value":"${"x".repeat(300)}"}}\n`);
    assert.equal(sayer.member.onControl(set, 0, set.length, i), undefined);
  }
  while (reader.step(() => false, time.nowMs));
  assert.ok(reader.most > windowBytes / 2 && reader.most < windowBytes + 500, `${reader.most} bytes`);
  assert.deepEqual(lost(), ["1"]);
  reader.ack();
  while (reader.step(() => true, time.nowMs));
  assert.deepEqual([lost(), reader.text.match(/"\$set"/g)?.length], [["1", "2"], 40]);
  for (const { member } of [reader, sayer]) member.close("closed");
  rooms.close();
  settings.memory.close();
});

Deno.test("SessionMember that hears itself is not told of its own coming back", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join({ room: "r", echo: true }), await table.join({ room: "r" })];
  await ada.cut();
  await table.pass(6000);
  assert.deepEqual(bo.told("leave").map(({ id }) => id), [ada.id]);
  const back = await table.resume(ada);
  await back.say('"here"\n');
  assert.deepEqual(bo.told("join").map(({ id }) => id), [ada.id]);
  assert.deepEqual(back.told("join").map(({ id }) => id), [bo.id]);
  assert.deepEqual(back.told("leave"), []);
  assert.deepEqual(back.events, ['"here"']);
});

Deno.test("SessionMember gets all letters that came while it was away, however old they are", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join({ room: "r" }), await table.join({ room: "r" })];
  await bo.cut();
  await ada.control("to", { ids: [bo.id], event: "while you were away" });
  for (let i = 0; i < 10; i++) {
    await table.pass(2000);
    await ada.control("ping", { t: i });
  }
  const back = await table.resume(bo);
  assert.deepEqual(back.events, ['"while you were away"']);
  assert.deepEqual(back.told("lost"), []);
});

Deno.test("SessionMember that acknowledges while the loop is busy goes on in a later turn, each time", async () => {
  await using table = new Table({ windowBytes: 5000, pingTimeoutMs: 1e9 });
  const [ada, bo] = [await table.join(), await table.join()];
  for (let i = 0; i < 200; i++) await ada.say(lineOf(i));
  const later: (() => void)[] = [];
  table.loop.isBusy = () => true;
  table.loop.callLater = (call) => later.push(call);
  for (let times = 0; times < 2; times++) {
    const before = numbersOf(bo).length;
    await bo.ack();
    assert.equal(numbersOf(bo).length, before);
    for (let call = later.shift(); call !== undefined; call = later.shift()) {
      call();
      await turn();
    }
    assert.ok(numbersOf(bo).length > before);
  }
});

Deno.test("SessionMember counts letters as memory as they come, also while it is away", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join({ room: "r" }), await table.join({ room: "r" })];
  await bo.cut();
  const before = table.memory.usedBytes;
  for (let i = 0; i < 10; i++) await ada.control("to", { ids: [bo.id], event: "x".repeat(10_000) });
  assert.ok(table.memory.usedBytes - before >= 100_000, `${table.memory.usedBytes - before} bytes`);
});
