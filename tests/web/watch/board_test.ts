// What the dashboard makes of the relay's numbers, and of what is none.

import assert from "node:assert/strict";
import {
  chosen,
  COLUMNS,
  continued,
  faultsOf,
  linesOf,
  membersOf,
  ratesOf,
  slowOf,
  stateOf,
  tilesOf,
} from "../../../web/watch/board.ts";

const STATS = {
  uptimeMs: 1000,
  totals: {
    members: 3,
    rooms: 1,
    receivedLines: 12,
    sentLines: 3400,
    sentBytes: 1e6,
    skippedLines: 7,
    errors: 1,
  },
  rates: [{ inLines: 1, outLines: 2 }, { inLines: 3, outLines: 4 }],
  members: [
    {
      room: "pong",
      kind: "session",
      transport: "websocket",
      name: "ada",
      id: "k1",
      address: "10.0.0.1:5",
      ageMs: 61_000,
      rttMs: 3.2,
      lagMs: 1.5,
      behindMs: 0,
      behindBytes: 0,
      skippedLines: 0,
      in: 5,
      out: 1200,
      errors: 0,
    },
    {
      room: "pong",
      kind: "session",
      transport: "tcp",
      name: "bo",
      id: "k2",
      address: "10.0.0.2:5",
      ageMs: 1000,
      rttMs: 812,
      behindMs: 0,
    },
    {
      room: "lobby",
      kind: "plain",
      transport: "tcp",
      address: "10.0.0.3:5",
      ageMs: 1,
      behindMs: 2300,
      behindBytes: 184_000,
      slow: "behind by 2300 ms, 184000 bytes",
    },
  ],
  errors: [
    { time: 1000, message: "connection refused", code: "bad_token", address: "10.0.0.9:1" },
    { time: 2000, message: "connection ended", reason: "behind" },
  ],
};

function cells(index: number): Record<string, string> {
  const member = membersOf(STATS)[index];
  return Object.fromEntries(COLUMNS.map(({ id, show }) => [id, show(member)]));
}

Deno.test("membersOf and COLUMNS show a member, and leave empty what is nothing", () => {
  assert.deepEqual(cells(0), {
    name: "ada",
    room: "pong",
    kind: "session web",
    address: "10.0.0.1:5",
    age: "1 min",
    rtt: "3.2 ms",
    lag: "1.5 ms",
    behind: "",
    skipped: "",
    in: "5",
    out: "1.20 k",
    errors: "",
  });
  assert.equal(cells(2).name, "10.0.0.3:5", "who has no name is named by the address");
  assert.equal(cells(2).behind, "2300 ms, 180 KiB");
  assert.equal(cells(2).rtt, "");
});

Deno.test("slowOf says who is slow and why, the slowest first: by the relay's word, or a long round trip", () => {
  const slow = slowOf(membersOf(STATS));
  assert.deepEqual(slow.map(({ address }) => address), ["10.0.0.3:5", "10.0.0.2:5"]);
  assert.equal(slow[0].why, "behind by 2300 ms, 184000 bytes");
  assert.match(slow[1].why, /^round trip of 812 ms/);
});

Deno.test("chosen filters by any text of a member, and sorts texts and numbers, both ways", () => {
  const members = membersOf(STATS);
  const addresses = (filter: string, by: string, isDescending: boolean) =>
    chosen(members, filter, by, isDescending).map(({ address }) => address.at(-3)).join("");
  assert.equal(addresses("", "name", false), "312");
  assert.equal(addresses("", "name", true), "213");
  assert.equal(addresses("", "rtt", true), "213");
  assert.equal(addresses("", "behind", true), "312");
  assert.equal(addresses("", "no such column", false), "312");
  assert.equal(addresses("ADA", "name", false), "1");
  assert.equal(addresses("k2", "name", false), "2");
  assert.equal(addresses("10.0.0.3", "name", false), "3");
  assert.equal(addresses("nobody", "name", false), "");
});

Deno.test("tilesOf, ratesOf and faultsOf tell totals, two minutes and the newest fault first", () => {
  const tiles = Object.fromEntries(tilesOf(STATS, 2).map(({ title, value }) => [title, value]));
  assert.equal(tiles.members, "3");
  assert.equal(tiles["lines out"], "3.40 k");
  assert.deepEqual(tilesOf(STATS, 2).filter(({ isAlert }) => isAlert).map(({ title }) => title), ["slow"]);
  assert.deepEqual(tilesOf(STATS, 0).filter(({ isAlert }) => isAlert), []);
  assert.deepEqual(ratesOf(STATS, 1), [{ in: 3, out: 4 }]);
  assert.deepEqual(faultsOf(STATS), [
    { timeMs: 2000, text: "connection ended: behind", who: "" },
    { timeMs: 1000, text: "connection refused: bad_token", who: "10.0.0.9:1" },
  ]);
});

Deno.test("stateOf and linesOf tell a room's state, that of its members, and its last lines, as text in one line", () => {
  const room = {
    state: { round: 3, "\u202ekey": "<b>" },
    members: [{ id: "k1", name: "<img>", state: { colour: "red" } }, { id: "k2", state: null }],
    lines: [{ time: 5, from: "ada", text: "{}\u0007" }, { text: "1" }],
  };
  assert.deepEqual(stateOf(room), [
    { whose: "the room", key: "round", value: "3" },
    { whose: "the room", key: "\\u{202e}key", value: `"<b>"` },
    { whose: "<img>", key: "colour", value: `"red"` },
  ]);
  assert.deepEqual(linesOf(room), [
    { timeMs: 5, who: "ada", text: "{}\\u{7}" },
    { timeMs: 0, who: "", text: "1" },
  ]);
});

Deno.test("the board takes any JSON for the relay's numbers", () => {
  const strange: unknown[] = [
    null,
    7,
    "x",
    [],
    {},
    { members: 5, rooms: {}, totals: [], rates: "x", errors: null, room: 1 },
    {
      members: [null, 1, "x", [], { name: 5, ageMs: "x", rttMs: NaN, slow: {} }],
      totals: { members: "many" },
    },
    { rates: [null, { inLines: null }], errors: [0, { time: {}, message: [] }] },
    { state: 5, members: [{ state: [1] }, null], lines: [null, { time: "x", from: 1, text: null }] },
    JSON.parse(`{"__proto__":{"members":[1]},"members":[{"__proto__":null,"name":"constructor"}]}`),
  ];
  for (const stats of strange) {
    const members = membersOf(stats);
    for (const member of members) for (const { show } of COLUMNS) assert.equal(typeof show(member), "string");
    for (const { id } of COLUMNS) chosen(members, "x", id, true);
    slowOf(members);
    assert.equal(tilesOf(stats, 0).length, 8);
    for (const rate of ratesOf(stats, 120)) assert.ok(Number.isFinite(rate.in + rate.out));
    for (const { text } of faultsOf(stats)) assert.equal(typeof text, "string");
    for (const { value } of stateOf(stats)) assert.equal(typeof value, "string");
    for (const { text } of linesOf(stats)) assert.equal(typeof text, "string");
  }
});

Deno.test("continued keeps lines that the relay has let go of, and has none twice", () => {
  const of = (texts: string) => Array.from(texts, (text) => ({ timeMs: 0, who: "", text }));
  const cases: [before: string, now: string, want: string][] = [
    ["", "abc", "abc"],
    ["abc", "", "abc"],
    ["abc", "abc", "abc"],
    ["abc", "abcd", "abcd"],
    ["abc", "bcde", "abcde"],
    ["abc", "c", "abc"],
    ["abc", "d", "abcd"],
    ["aab", "abb", "aabb"],
    ["abcdef", "xyz", "cdefxyz"],
    ["abcdefg", "bcdefgh", "bcdefgh"],
  ];
  for (const [before, now, want] of cases) {
    assert.equal(
      continued(of(before), of(now), 7).map(({ text }) => text).join(""),
      want,
      `${before} ${now}`,
    );
  }
  const [kept] = continued([{ timeMs: 5, who: "ada", text: "1" }], of("1"), 7);
  assert.deepEqual(kept, { timeMs: 5, who: "ada", text: "1" }, "what was known of a line stays known");
});
