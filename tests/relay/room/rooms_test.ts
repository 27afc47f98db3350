// Holds Rooms against its contract: what rooms know of each other, what is freed when somebody leaves, and
// what is given up when memory is short.

import assert from "node:assert/strict";
import { type GiveUp, MemoryBudget, type Relief } from "../../../src/relay/memory_budget.ts";
import { resolveOptions } from "../../../src/relay/options.ts";
import { Room } from "../../../src/relay/room/room.ts";
import { levelAfter, Rooms } from "../../../src/relay/room/rooms.ts";
import { pause } from "../../support/pause.ts";
import { StubReader } from "../../support/stub_reader.ts";
import { refusalOf, Table, turn } from "../../support/session_table.ts";

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
  assert.deepEqual([table.rooms.stats().rooms, table.admission.stats().absentSessions], [0, 0]);
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

Deno.test("Rooms.open with a base finds who waits in any room of that name, and opens the first that is free", () => {
  const rooms = new Rooms(resolveOptions({}));
  const readers = new Map<string, StubReader[]>();
  const enter = (name: string, maxMembers?: number, base?: string, comesBack = false) => {
    const room = rooms.open(name, maxMembers, base, comesBack) as Room,
      reader = new StubReader(room.sessions);
    readers.set(room.name, [...readers.get(room.name) ?? [], reader]);
    return room.name;
  };
  const leave = (name: string) => {
    rooms.find(name)!.leave(readers.get(name)![0], rooms.find(name)!.sessions);
    readers.set(name, readers.get(name)!.slice(1));
  };
  const any = (maxMembers?: number) => enter("pong", maxMembers, "pong");
  assert.deepEqual([any(2), any(2), any(2), any(2), any(2)], ["pong", "pong", "pong-2", "pong-2", "pong-3"]);
  leave("pong");
  leave("pong");
  assert.equal(rooms.find("pong"), undefined);
  assert.equal(any(2), "pong-3", "somebody waits there, though pong is not open");
  assert.equal(any(2), "pong");
  leave("pong-2");
  assert.deepEqual([any(2), any(2), any(2)], ["pong", "pong-2", "pong-4"], "the first that has a place");
  enter("pong-02", 2);
  enter("pong-1", 2);
  enter("pong-5x", 2);
  assert.deepEqual(
    [any(3), any(2)],
    ["pong-5", "pong-4"],
    "those are other names, and one of another size will not do",
  );

  // Who comes back after a session that could not go on asks for the room it was in.
  assert.equal(enter("pong-9", 2, "pong", true), "pong-9", "it is opened again");
  assert.equal(enter("pong-9", 2, "pong", true), "pong-9", "and the other one of the pair finds it");
  assert.equal(
    enter("pong-9", 2, "pong", true),
    "pong-6",
    "a third goes where anybody would: names do not grow",
  );
  assert.equal(enter("pong-2", 2, "pong", true), "pong-6");
  const restarted = new Rooms(resolveOptions({}));
  const back = (name: string) => (restarted.open(name, 2, "pong", true) as Room).name;
  assert.deepEqual(
    [back("pong-4"), back("pong"), back("pong-2")],
    ["pong-4", "pong", "pong-2"],
    "in any order",
  );

  const long = "x".repeat(64), cut = "x".repeat(58);
  assert.deepEqual([enter(long, 1, long), enter(long, 1, long), enter(long, 1, long)], [
    long,
    `${cut}-2`,
    `${cut}-3`,
  ]);
});

Deno.test("Rooms frees a room and its memory when the last has left, whoever else is there", () => {
  const memory = new MemoryBudget();
  const rooms = new Rooms({ ...resolveOptions({}), memory });
  const empty = memory.usedBytes;
  const opened = Array.from({ length: 100 }, (_, i) => rooms.open(`r${i}`) as Room);
  const readers = opened.map((room) => new StubReader(room.sessions));
  opened.forEach((room, i) => room.say(readers[i], room.sessions, new Uint8Array(10_000), 0, 10_000, 1));
  assert.ok(memory.usedBytes - empty > 100 * 10_000);
  for (const [i, room] of opened.entries()) {
    room.leave(readers[i], room.sessions);
    readers[i].cursor.close();
    assert.equal(rooms.stats().rooms, 99 - i);
  }
  assert.deepEqual([memory.usedBytes, rooms.stats().logBytes], [empty, 0]);
  rooms.close();
  memory.close();
});

Deno.test("Rooms opens no room when memory is full, and says so", () => {
  const memory = new MemoryBudget({ maxMemoryBytes: 100_000 });
  memory.close(); // nothing is given up here
  const rooms = new Rooms({ ...resolveOptions({}), memory });
  let opened = 0;
  let answer = rooms.open("r");
  for (; answer instanceof Room; answer = rooms.open(`r${opened}`)) opened++;
  assert.ok(opened > 5 && opened < 20, `${opened} rooms`);
  assert.equal(answer.code, "too_many_rooms");
  assert.match(answer.message, /^Cannot open room "r\d+": the memory of the relay is full$/);
  assert.ok(rooms.open("r") instanceof Room, "one that is open already");
  rooms.close();
});

Deno.test("Rooms gives up what was read first, then what was not, of the largest logs, then writes that do not end", async () => {
  const relieved: string[] = [];
  const memory = new MemoryBudget({
    maxMemoryBytes: 3_000_000,
    onRelief: (relief) => relieved.push(relief),
  });
  const rooms = new Rooms({ ...resolveOptions({}), memory });
  const enter = (name: string) => {
    const room = rooms.open(name) as Room, reader = new StubReader(room.sessions);
    return { room, reader, other: new StubReader(room.sessions) };
  };
  const line = new Uint8Array(10_000).fill(0x31);
  line[9999] = 0x0a;
  const small = enter("small"), large = enter("large"), stuck = enter("stuck");
  let closed = 0;
  stuck.other.giveUp = () => void closed++;
  const say = ({ room, reader }: typeof small, bytes: number) => {
    for (let i = 0; i < bytes; i += 10_000) room.say(reader, room.sessions, line, 0, line.length, 1);
    reader.take();
  };
  say(stuck, 300_000);
  stuck.other.cursor.take(65_536); // and never ends
  say(small, 300_000);
  say(large, 1_500_000);
  const others = memory.open();
  others.resize(2_700_000 - memory.usedBytes);
  while (memory.isShort) await pause(5);
  assert.equal(relieved.includes("unread blocks"), true);
  assert.deepEqual([small, large].map(({ other }) => other.cursor.isEvicted), [false, true]);
  assert.equal(closed, 0, "there was enough without it");
  others.resize(2_900_000);
  while (closed === 0) await pause(5);
  assert.equal(small.other.cursor.isEvicted, true);
  rooms.close();
  memory.close();
});

Deno.test("Rooms gives up no more than is needed", () => {
  const memory = new MemoryBudget(), giveUp = new Map<Relief, GiveUp>();
  memory.onShort = (relief, call) => void giveUp.set(relief, call);
  const rooms = new Rooms({ ...resolveOptions({}), memory });
  const feeds = ["a", "b"].map((name) => (rooms.open(name) as Room).sessions);
  let closed = 0;
  const readers = feeds.map((feed) => new StubReader(feed));
  for (const reader of readers) reader.giveUp = () => void closed++;
  for (const feed of feeds) feed.append(new Uint8Array(1000), 0, 1000, 1);
  for (const reader of readers) reader.take();
  const { logBytes } = rooms.stats();
  giveUp.get("read blocks")!(1);
  assert.equal(rooms.stats().logBytes, logBytes / 2);

  for (const feed of feeds) feed.append(new Uint8Array(1000), 0, 1000, 1);
  for (const reader of readers) reader.cursor.take(65_536); // and never ends
  for (let i = 0; i < 2; i++) giveUp.get("unread blocks")!(1);
  assert.equal(closed, 1);
  rooms.close();
});

Deno.test("levelAfter says how large the largest may be so that all lose so much together", () => {
  const cases: [sizes: number[], needed: number, level: number][] = [
    [[], 5, 0],
    [[10], 4, 6],
    [[10], 40, 0],
    [[10, 2, 1], 4, 6],
    [[10, 8, 1], 6, 6],
    [[10, 8, 6], 12, 4],
    [[10, 8, 6], 24, 0],
  ];
  for (const [sizes, needed, level] of cases) assert.equal(levelAfter(sizes, needed), level, sizes.join());
});

Deno.test("Rooms.sweep forgets removed keys once all have been told, and looks at few members in a step", async () => {
  await using table = new Table();
  const seats = [];
  for (let i = 0; i < 120; i++) seats.push(await table.join({ room: "r" }));
  await seats[0].set("k", 1);
  await seats[0].set("k");
  assert.equal([...table.rooms.sweep()].length, 3, "50, 50, the rest");
  const room = table.rooms.open("r") as Room;
  assert.equal(room.state.hasRemovals, true);
  for (const seat of seats) await seat.ack();
  assert.equal([...table.rooms.sweep()].length, 3);
  assert.equal(room.state.hasRemovals, false);
  assert.equal([...table.rooms.sweep()].length, 0);
});
