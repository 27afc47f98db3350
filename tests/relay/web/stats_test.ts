// Holds the numbers that the relay tells to browsers against what happened, and their cost and length against
// how many members there are.

import assert from "node:assert/strict";
import { findResource, LANDING } from "../../../src/relay/web/resources.ts";
import { slowestAndNewest, Stats, whySlow } from "../../../src/relay/web/stats.ts";
import { type ConnectionStats, noCounts } from "../../../src/relay/relay_stats.ts";
import type { RelayView, RoomView } from "../../../src/relay/web/view.ts";
import { VERSION } from "../../../src/wire/version.ts";
import { pause } from "../../support/pause.ts";
import { WebTable } from "../../support/web_table.ts";

const MEMBER: ConnectionStats = {
  address: "192.0.2.1:5",
  kind: "session",
  transport: "tcp",
  room: "lobby",
  name: "ada",
  id: "k1",
  ageMs: 1000,
  behindBytes: 0,
  behindMs: 0,
  stuckMs: 0,
  rttMs: undefined,
  lagMs: undefined,
  ...noCounts(),
};

/** A relay with nothing in it but members. */
function relayOf(members: ConnectionStats[]): RelayView {
  const totals = {
    members: members.length,
    sessions: 0,
    absentSessions: 0,
    rooms: 0,
    ...noCounts(),
    logBytes: 0,
  };
  return {
    health: "ok",
    name: "",
    startedAtMs: 0,
    now: () => 5000,
    totals: () => totals,
    members: () => members,
    rooms: () => [],
    room: () => undefined,
    rates: () => [],
    warnings: () => [],
    memory: () => ({ usedBytes: 0, maxBytes: 1 }),
    tallies: () => ({ badLines: new Map(), refused: new Map(), ended: new Map() }),
    tokenFault: () => undefined,
  };
}

Deno.test("/stats.json tells who is there, what they said and what was refused, and what is in a room", async () => {
  await using table = new WebTable({ name: "ifilab100:32100" });
  const plain = await table.member();
  await plain.send('{"a":1}\nnonsense\n');
  await plain.line(1);
  const ada = await table.session({ room: "pong", name: "</script>" });
  await ada.send('{"$set":{"key":"pos","value":[1,2]}}\n{"$set":{"key":"score","value":3,"room":true}}\n');
  await ada.send('{"$ping":{"t":1,"rtt":12.34,"lag":4}}\n');
  await ada.line(3);
  const bo = await table.session({ room: "pong", name: "bo" });
  await ada.send(`{"hit":1}\n"${"x".repeat(1000)}"\n`);
  for (let lines = 1; !bo.lines.some((line) => line.includes("xxx")); lines++) await bo.line(lines);

  const { status, fields, text } = await table.get("/stats.json?room=pong");
  assert.equal(status, 200);
  assert.equal(fields["content-type"], "application/json; charset=utf-8");
  assert.equal(fields["cache-control"], "no-store");
  assert.equal(fields["access-control-allow-origin"], undefined);
  const stats = JSON.parse(text);
  assert.deepEqual([stats.version, stats.name, stats.health], [VERSION, "ifilab100:32100", "ok"]);
  assert.deepEqual([stats.totals.members, stats.totals.sessions, stats.totals.rooms], [3, 2, 2]);
  assert.equal(stats.totals.receivedLines, 3);
  assert.deepEqual(stats.rooms[0], {
    name: "pong",
    members: 2,
    sessions: 2,
    logBytes: stats.rooms[0].logBytes,
  });
  const [first, second] = stats.members;
  assert.deepEqual([first.kind, first.room, first.address, first.errors], [
    "plain",
    "lobby",
    plain.address,
    1,
  ]);
  assert.deepEqual([second.name, second.rttMs, second.lagMs, second.transport], [
    "</script>",
    12.3,
    4,
    "tcp",
  ]);
  assert.equal(second.slow, undefined);
  const [error] = stats.errors;
  assert.deepEqual([error.message, error.code, error.address], ["bad line", "invalid_json", plain.address]);
  assert.ok(Math.abs(error.time - stats.time) < 60_000);
  const { room } = stats;
  assert.deepEqual(room.state, { score: 3 });
  assert.deepEqual(room.members[0], { id: second.id, name: "</script>", state: { pos: [1, 2] } });
  assert.deepEqual(room.lines.map(({ from, text }: Record<string, string>) => [from, text]), [
    ["</script>", '{"hit":1}'],
    ["</script>", `"${"x".repeat(299)}…`],
  ]);
});

Deno.test("/stats.json and /metrics count who takes part, not a socket that a browser holds in reserve", async () => {
  await using table = new WebTable();
  await table.member();
  await table.get("/healthz");
  await table.connect(); // silent, of a host that browses
  while (table.relay.connectionStats().length < 2) await pause(1);
  const stats = JSON.parse((await table.get("/stats.json")).text);
  assert.deepEqual([stats.totals.members, stats.members.length], [1, 1]);
  assert.deepEqual(
    stats.rooms.map(({ name, members }: { name: string; members: number }) => [name, members]),
    [
      ["lobby", 1],
    ],
  );
  assert.match((await table.get("/metrics")).text, /^eventrelay_members\{kind="plain"\} 1$/m);
});

Deno.test("/stats.json has null for a room that is not there, and its numbers never hold a session's secret", async () => {
  await using table = new WebTable();
  const ada = await table.session({ room: "a&b" });
  const secret = JSON.parse(ada.lines[0]).$welcome.session;
  const { text } = await table.get("/stats.json?room=nowhere");
  assert.equal(JSON.parse(text).room, null);
  const there = await table.get("/stats.json?room=a%26b");
  assert.equal(JSON.parse(there.text).room.members.length, 1);
  assert.ok(!text.includes(secret) && !there.text.includes(secret));
});

Deno.test("/stats.json and /metrics need the token where the relay has one, and wrong ones count for their host", async () => {
  const token = "\ufeffgehe😀im"; // what may stand first in a file is a character here like others
  await using table = new WebTable({ token });
  const bytes = String.fromCharCode(...new TextEncoder().encode(token));
  for (const path of ["/stats.json", "/metrics"]) {
    const without = await table.get(path);
    assert.deepEqual([without.status, without.fields["www-authenticate"]], [401, "Bearer"]);
    assert.equal((await table.get(path, { Authorization: "Bearer wrong" })).status, 401);
    assert.equal((await table.get(path, { Authorization: `bearer ${bytes}` })).status, 200);
    assert.equal((await table.get(`${path}?token=gehe%F0%9F%98%80im`)).status, 401);
  }
  for (const open of ["/healthz", "/client.js"]) assert.equal((await table.get(open)).status, 200, open);
  let status = 401;
  for (let i = 0; i < 20 && status === 401; i++) {
    status = (await table.get("/metrics", { Authorization: `Bearer ${i}` })).status;
  }
  assert.equal(status, 429);
  const late = await table.get("/stats.json", { Authorization: `Bearer ${bytes}` });
  assert.deepEqual([late.status, late.fields["retry-after"]], [429, "1"]);
  const member = await table.connect();
  await member.send('{"$hello":{"version":1,"token":"another"}}\n');
  assert.match(await member.line(1), /too many wrong tokens/);
});

Deno.test("/healthz says how it is with the relay", async () => {
  await using table = new WebTable();
  let answer = await table.get("/healthz");
  while (answer.text === "starting\n") {
    assert.equal(answer.status, 503);
    answer = await table.get("/healthz");
  }
  assert.deepEqual([answer.status, answer.text], [200, "ok\n"]);
  const stuck = await table.member(); // who neither reads nor leaves: the end takes a moment
  using asker = await table.connect();
  const ask = () => asker.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  await ask();
  await asker.line(9);
  const closed = table.relay.close();
  await ask();
  await asker.ended();
  assert.match(
    asker.lines.join("\n") + asker.rest,
    /503 Service Unavailable[^]*Connection: close[^]*stopping/,
  );
  stuck.close();
  await closed;
});

Deno.test("Stats names those who are slow and those who came last, however many there are, and says how many more", async () => {
  const members = Array.from({ length: 1000 }, (_, i) => ({ ...MEMBER, id: `k${i}`, ageMs: 1e6 - i }));
  members[3] = { ...members[3], behindMs: 700 };
  members[4] = { ...members[4], stuckMs: 2000 };
  members[5] = { ...members[5], behindMs: 499 };
  members[6] = { ...members[6], stuckMs: 999 }; // who is not called slow is not named as such either
  let turns = 0;
  const stats = new Stats(relayOf(members), { clock: () => 0, turn: () => Promise.resolve(void turns++) });
  const bytes = await stats.bytes(undefined), told = JSON.parse(new TextDecoder().decode(bytes));
  assert.equal(told.members.length, 200);
  assert.equal(told.moreMembers, 800);
  assert.deepEqual(told.members.slice(0, 3).map(({ id }: ConnectionStats) => id), ["k4", "k3", "k999"]);
  assert.deepEqual(told.members.map(({ slow }: { slow?: string }) => slow).slice(0, 3), [
    "takes nothing for 2 s",
    "behind by 700 ms, 0 bytes: its $ack comes late",
    undefined,
  ]);
  assert.equal(turns, 1000 / 50 + 200 / 50 + 2, "a part per turn");
  assert.ok(bytes.length < 100_000, `${bytes.length} bytes`);
  assert.equal(await stats.bytes(undefined), bytes, "made once for all who ask");
});

Deno.test("Stats are worked out at most twice a second, however many ask", async () => {
  let nowMs = 0, looks = 0;
  const relay = { ...relayOf([]), totals: () => (looks++, relayOf([]).totals()) };
  const stats = new Stats(relay, { clock: () => nowMs, turn: () => Promise.resolve() });
  await Promise.all(Array.from({ length: 50 }, (_, i) => stats.bytes(i % 2 === 0 ? undefined : `room ${i}`)));
  assert.equal(looks, 1);
  nowMs = 499;
  await stats.bytes(undefined);
  assert.equal(looks, 1);
  nowMs = 500;
  await stats.bytes(undefined);
  assert.equal(looks, 2);
});

Deno.test("whySlow has a reason for whoever is behind or takes nothing, and none for others", () => {
  assert.equal(whySlow(MEMBER), undefined);
  const late = "behind by more than the log holds: its $ack comes late";
  assert.equal(whySlow({ ...MEMBER, kind: "session", behindMs: Infinity }), late);
  const slow = "behind by 600 ms, 9 bytes: it reads slowly";
  assert.equal(whySlow({ ...MEMBER, kind: "session", behindMs: 600, behindBytes: 9, stuckMs: 20 }), slow);
  assert.equal(whySlow({ ...MEMBER, kind: "plain", behindMs: 600, behindBytes: 9 }), slow);
  assert.equal(whySlow({ ...MEMBER, stuckMs: 3210, behindMs: 600 }), "takes nothing for 3.2 s");
  assert.equal(slowestAndNewest([MEMBER]).length, 1);
});

Deno.test("slowestAndNewest names the slow ones first, also of a few", () => {
  const stuck = { ...MEMBER, stuckMs: 2000 }, behind = { ...MEMBER, behindMs: Infinity };
  assert.deepEqual(slowestAndNewest([MEMBER, stuck, MEMBER, behind]), [behind, stuck, MEMBER, MEMBER]);
});

Deno.test("/ is the page that says what this is, under a policy that lets it load from the relay alone", async () => {
  await using table = new WebTable();
  const landing = findResource(LANDING);
  const { status, fields, bytes } = await table.get("/");
  assert.equal(status, landing === undefined ? 404 : 200);
  if (landing === undefined) return;
  assert.deepEqual(bytes, landing.bytes);
  assert.equal(fields["content-type"], "text/html; charset=utf-8");
  assert.match(
    fields["content-security-policy"],
    /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/,
  );
});

Deno.test("Stats keep what they have worked out for the sixteen rooms that were asked for last", async () => {
  let nowMs = 0;
  const asked: string[] = [];
  const relay: RelayView = { ...relayOf([]), room: (name) => void asked.push(name) };
  const stats = new Stats(relay, { clock: () => nowMs, turn: () => Promise.resolve() });
  const ask = async (rooms: number[]) => {
    for (const room of rooms) await stats.bytes(`r${room}`);
    return asked.splice(0);
  };
  const all = Array.from({ length: 16 }, (_, i) => i);
  assert.equal((await ask(all)).length, 16);
  assert.deepEqual(await ask(all), []);
  assert.deepEqual(await ask([16, 1, 0]), ["r16", "r0"], "the oldest has gone for the newest");
  nowMs = 500;
  assert.deepEqual(await ask([16]), ["r16"]);
});

Deno.test("Stats write down what is in a room a part per turn, and it may change and close meanwhile", async () => {
  const values = new Map(Array.from({ length: 120 }, (_, i) => [`k${i}`, `${i}`]));
  let turns = 0, isBegun = false;
  const room: RoomView = {
    values: () => (isBegun = true, values),
    *members() {
      for (const id of ["a", "b"]) yield { id, name: `n${id}`, values };
    },
    lastLines: () => (assert.ok(!isBegun, "the room may have closed"), [{ text: "1", from: "b" }]),
  };
  const turn = () => {
    if (isBegun && ++turns === 1) values.delete("k119");
    return Promise.resolve();
  };
  const stats = new Stats({ ...relayOf([]), room: () => room }, { clock: () => 0, turn });
  const { room: told } = JSON.parse(new TextDecoder().decode(await stats.bytes("r")));
  const counts = [told.state, ...told.members.map(({ state }: { state: object }) => state)]
    .map((state) => Object.keys(state).length);
  assert.deepEqual([counts, turns, told.lines[0].from], [[119, 119, 119], 7, "nb"]);
});
