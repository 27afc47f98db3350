// Holds Rooms against its contract: who may enter, what rooms know of each other, what is freed when somebody leaves, and ids.

import assert from "node:assert/strict";
import { SessionClient } from "../../support/session_client.ts";
import { type Seat, Table, turn } from "../../support/session_table.ts";

function refusalOf(seat: Seat) {
  seat.receive();
  assert.equal(seat.client.welcome, undefined);
  return seat.client.refusal;
}

Deno.test("Rooms don't see each other: no event, no state, nobody who comes or goes", async () => {
  await using table = new Table();
  const [ada, bo, cy] = [
    await table.join({ room: "a" }),
    await table.join({ room: "b" }),
    await table.join({ room: "b" }),
  ];
  const plain = await table.joinPlain();
  await bo.say("1\n");
  await bo.set("k", 1);
  await bo.set("k", 1, true);
  await cy.control("bye", {});
  plain.feed("2\n");
  await turn();
  ada.receive();
  assert.deepEqual([ada.client.lines, plain.conn.text, cy.events], [[], "", ["1"]]);
  const late = await table.join({ room: "A" });
  assert.deepEqual(
    [late.client.welcome.peers, late.client.welcome.state],
    [[], {}],
    "names are told apart exactly",
  );
});

Deno.test("Rooms frees a room with its last member, values of the room included, at once", async () => {
  await using table = new Table();
  for (const room of ["r", "lobby"]) {
    const ada = await table.join({ room });
    await ada.set("k", 1, true);
    assert.equal(table.rooms.stats().rooms, 1);
    await ada.control("bye", {});
    assert.equal(table.rooms.stats().rooms, 0);
    const bo = await table.join({ room });
    assert.deepEqual(bo.client.welcome.state, {}, room);
    await bo.control("bye", {});
  }
});

Deno.test("Rooms stay one room when the last member leaves, comes back at once, and others follow", async () => {
  await using table = new Table();
  const first = await table.join({ room: "r" });
  await first.control("bye", {});
  const again = await table.join({ room: "r" });
  await table.pass(2000); // the one that left is forgotten by now
  const bo = await table.join({ room: "r" });
  assert.deepEqual(bo.client.welcome.peers.map(({ id }: { id: string }) => id), [again.id]);
  await again.say("1\n");
  bo.receive();
  assert.deepEqual(bo.events, ["1"]);
});

Deno.test("Rooms keeps a room for a member that may come back", async () => {
  await using table = new Table({ resumeMs: 30_000 });
  const ada = await table.join({ room: "r" });
  await ada.set("k", 1, true);
  await ada.cut();
  await table.pass(10_000);
  const bo = await table.join({ room: "r" });
  assert.deepEqual(bo.client.welcome.state, { k: 1 });
  assert.deepEqual(bo.client.welcome.peers, [], "it is not seen any more");
  await bo.control("bye", {});
  await table.pass(21_000);
  assert.deepEqual([table.rooms.stats().rooms, table.rooms.stats().absentSessions], [0, 0]);
});

Deno.test("Rooms opens maxRooms beside the lobby, another one when one is empty", async () => {
  await using table = new Table({ maxRooms: 2 });
  const ada = await table.join({ room: "a" });
  await table.join({ room: "b" });
  const refused = await table.join({ room: "c" });
  assert.deepEqual(refusalOf(refused), {
    code: "too_many_rooms",
    message: 'Cannot open room "c": there are 2 rooms, no more are allowed',
    line: 1,
  });
  assert.equal(refused.conn.isOutputEnded, true);
  assert.equal((await table.join({ room: "b" })).client.welcome.room, "b");
  assert.equal((await table.join()).client.welcome.room, "lobby");
  await ada.control("bye", {});
  assert.equal((await table.join({ room: "c" })).client.welcome.room, "c");
});

Deno.test("Rooms gives ids that are short, never reused, and not chosen by clients", async () => {
  await using table = new Table();
  const ids: string[] = [];
  for (let i = 0; i < 100; i++) {
    const seat = await table.join({ id: "k1", name: "k1", room: `r${i % 3}` });
    ids.push(seat.id);
    if (i % 2) await seat.control("bye", {});
    else await seat.cut();
  }
  assert.equal(new Set(ids).size, 100);
  assert.ok(ids.every((id) => /^k[0-9a-z]{1,2}$/.test(id)));
});

Deno.test("Rooms makes fifty joins at once fifty $join lines for who is there, and no more", async () => {
  await using table = new Table();
  const early = [await table.join(), await table.join()];
  early.forEach((seat) => seat.receive());
  const before = early[0].conn.bytes.length;
  const seats = Array.from({ length: 50 }, () => table.connect());
  for (const seat of seats) seat.feed(seat.client.hello({ name: "x" }));
  await turn();
  for (const seat of early) assert.equal(seat.told("join").length, seat === early[0] ? 51 : 50);
  const bytes = early[0].conn.bytes.length - before;
  const line = '{"$join":{"id":"k10","name":"x"}}\n'.length;
  assert.ok(bytes <= 50 * line + 100, `${bytes} bytes`);
  // Each newcomer learns of the others in its welcome or by $join, of each once.
  for (const seat of seats) {
    seat.receive();
    assert.equal(seat.client.peers.size, 1 + 51);
    assert.equal(seat.client.welcome.peers.length + seat.told("join").length, 51);
  }
});

Deno.test("Rooms asks for the token, and says whether it is missing or wrong", async () => {
  await using table = new Table({ token: "séсret" });
  assert.match(refusalOf(await table.join()).message, /this relay needs a token, and \$hello has none/);
  for (const token of ["wrong", "séсre", "séсrett", "SÉСRET"]) {
    const refusal = refusalOf(await table.join({ token }));
    assert.equal(refusal.code, "bad_token");
    assert.match(refusal.message, /the token in \$hello is not the relay's/);
  }
  const ada = await table.join({ token: "séсret" });
  await ada.cut();
  const thief = await table.join(
    { resume: { session: ada.client.welcome.session, bytes: 0 } },
    new SessionClient(),
  );
  assert.equal(refusalOf(thief).code, "bad_token", "a secret is no token");
  const next = await table.resume(ada, { token: "séсret" });
  assert.equal(next.client.welcome.resumed, true);
});

Deno.test("Rooms forgets sessions and their logs once they are over", async () => {
  await using table = new Table({ resumeMs: 10_000, maxLagMs: 1e9 });
  for (let i = 0; i < 40; i++) {
    const [ada, bo] = [await table.join({ room: `r${i}` }), await table.join({ room: `r${i}` })];
    await ada.say('"x"\n'.repeat(1000));
    if (i % 2) {
      await ada.control("bye", {});
      await bo.control("bye", {});
    } else {
      await ada.cut();
      await bo.cut();
    }
  }
  await table.pass(1000);
  assert.equal(table.rooms.stats().absentSessions, 40);
  await table.pass(11_000);
  assert.deepEqual(table.rooms.stats(), { sessions: 0, absentSessions: 0, rooms: 0, logBytes: 0 });
});

Deno.test("Rooms gives every session a secret of its own", async () => {
  await using table = new Table();
  const secrets = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const seat = await table.join();
    assert.match(seat.client.welcome.session, /^[\w-]{22}$/);
    secrets.add(seat.client.welcome.session);
  }
  assert.equal(secrets.size, 200);
});
