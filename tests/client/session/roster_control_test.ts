// Tests src/client/session/roster_control.ts: lists and control lines as relays write them, and as none
// should.

import assert from "node:assert/strict";
import type { Roster } from "../../../src/client/session/roster.ts";
import { followControl, readRoster } from "../../../src/client/session/roster_control.ts";

/** Who is there with what, and the room's values: `name:state`. */
function shown(roster: Roster): string[] {
  const peers = [...roster.peers.values()].map(({ id, name, state }) =>
    `${id} ${name} ${JSON.stringify(state)}`
  );
  return [...peers, JSON.stringify(roster.state)];
}

Deno.test("readRoster takes members with their state and the room's, and skips what is none", () => {
  const peers = [
    { id: "k1", name: "ada", state: { a: 1 } },
    { id: "k2" },
    { id: "k3", name: 5, state: [1] },
    { id: 4, name: "x" },
    null,
    "k5",
  ];
  assert.deepEqual(shown(readRoster(peers, { b: [2] })), [
    'k1 ada {"a":1}',
    "k2  {}",
    "k3  {}",
    '{"b":[2]}',
  ]);
  for (const odd of [undefined, null, 5, "x", {}, [[]]]) {
    assert.deepEqual(shown(readRoster(odd, odd instanceof Array ? odd : undefined)), ["{}"]);
  }
});

Deno.test("followControl does what a line says, in order, and says which lines are none of its own", () => {
  const roster = readRoster([{ id: "k1", name: "ada" }], {});
  const left: string[] = [];
  roster.sink = {
    onJoin() {},
    onState() {},
    onLeave: (peer, reason) => void left.push(`${peer.id} ${reason}`),
  };
  const follow = (name: string, body: Record<string, unknown>) => followControl(roster, { name, body }, 10);
  for (
    const [name, body, then] of [
      ["join", { id: "k2", name: "bo" }, ["k1 ada {}", "k2 bo {}", "{}"]],
      ["set", { from: "k2", key: "x", value: 1 }, ["k1 ada {}", 'k2 bo {"x":1}', "{}"]],
      ["set", { from: "k2", key: "y", value: 1, room: true }, ["k1 ada {}", 'k2 bo {"x":1}', '{"y":1}']],
      ["set", { from: "k2", key: "x" }, ["k1 ada {}", "k2 bo {}", '{"y":1}']],
      ["set", { from: "k9", key: "x", value: 1 }, ["k1 ada {}", "k2 bo {}", '{"y":1}']],
      ["leave", { id: "k1", reason: "closed" }, ["k2 bo {}", '{"y":1}']],
      ["leave", { id: "k9" }, ["k2 bo {}", '{"y":1}']],
      ["peers", { peers: [{ id: "k3", name: "cy" }] }, ["k3 cy {}", '{"y":1}']],
      ["leave", { id: "k3", reason: 7 }, ['{"y":1}']],
    ] as const
  ) {
    assert.equal(follow(name, body), true);
    assert.deepEqual(shown(roster), then, `${name} ${JSON.stringify(body)}`);
  }
  assert.deepEqual(left, ["k1 closed", "k2 lost", "k3 lost"]);
  for (const body of [{}, { id: 5 }, { key: 5 }, { key: "x", from: 5 }, { peers: 5 }]) {
    for (const name of ["join", "leave", "set", "peers"]) assert.equal(follow(name, body), true);
  }
  assert.deepEqual(shown(roster), ['{"y":1}'], "what makes no sense changes nothing");
  for (const name of ["pong", "constructor", ""]) assert.equal(follow(name, {}), false);
});
