// Holds Room against its contract with stub members: who is woken and when, and who counts as behind.

import assert from "node:assert/strict";
import { type Member, Room } from "../src/room.ts";

const OPTIONS = { maxLogBytes: 1024 * 1024, maxLagMs: 1000 };

const encoder = new TextEncoder();

class StubMember implements Member {
  readonly cursor;
  wakes = 0;
  onWake = () => {};

  constructor(room: Room) {
    this.cursor = room.openCursor();
    room.join(this);
  }

  wake(): void {
    this.wakes++;
    this.onWake();
  }

  take(): string {
    let text = "";
    for (let bytes = this.cursor.take(65_536); bytes !== undefined; bytes = this.cursor.take(65_536)) {
      text += new TextDecoder().decode(bytes);
      this.cursor.commit();
    }
    return text;
  }
}

function send(room: Room, sender: Member, text: string): void {
  const bytes = encoder.encode(text);
  room.append(sender, bytes, 0, bytes.length, text.split("\n").length - 1);
}

Deno.test("Room hands a line to everybody but its sender", () => {
  const room = new Room(OPTIONS, () => {});
  const [ada, bo, cy] = [new StubMember(room), new StubMember(room), new StubMember(room)];
  send(room, ada, "1\n2\n");
  send(room, bo, "3\n");
  assert.deepEqual([ada.take(), bo.take(), cy.take()], ["3\n", "1\n2\n", "1\n2\n3\n"]);
});

Deno.test("Room reports news once until it is flushed, and wakes each member once a flush", () => {
  let news = 0;
  const room = new Room(OPTIONS, (it) => {
    assert.equal(it, room);
    news++;
  });
  const members = [new StubMember(room), new StubMember(room)];
  for (let i = 0; i < 10; i++) send(room, members[i % 2], "1\n");
  assert.deepEqual([news, members[0].wakes, members[1].wakes], [1, 0, 0]);
  room.flush(1);
  assert.deepEqual([news, members[0].wakes, members[1].wakes], [1, 1, 1]);
  send(room, members[0], "1\n");
  assert.equal(news, 2);
});

Deno.test("Room tells of news that comes while it wakes its members", () => {
  let news = 0;
  const room = new Room(OPTIONS, () => news++);
  const member = new StubMember(room);
  member.onWake = () => send(room, member, "2\n");
  send(room, member, "1\n");
  room.flush(1);
  assert.equal(news, 2);
});

Deno.test("Room counts its members, and wakes no one who has left, not even during a flush", () => {
  const room = new Room(OPTIONS, () => {});
  const [ada, bo] = [new StubMember(room), new StubMember(room)];
  assert.equal(room.size, 2);
  ada.onWake = () => room.leave(bo);
  send(room, ada, "1\n");
  room.flush(1);
  assert.deepEqual([room.size, ada.wakes, bo.wakes], [1, 1, 0]);
  room.leave(bo);
  assert.equal(room.size, 1, "leaving twice is leaving once");
});

Deno.test("Room gives a newcomer what comes from now on", () => {
  const room = new Room(OPTIONS, () => {});
  const ada = new StubMember(room);
  send(room, ada, "old\n");
  const bo = new StubMember(room);
  send(room, ada, "new\n");
  assert.equal(bo.take(), "new\n");
});

Deno.test("Room.isBehind is true above maxLagMs, and false again once the cursor has moved on", () => {
  const room = new Room(OPTIONS, () => {});
  const [ada, bo] = [new StubMember(room), new StubMember(room)];
  send(room, ada, "1\n");
  room.flush(10_000);
  assert.equal(room.lagMs(bo.cursor, 10_400), 400);
  assert.equal(room.isBehind(bo.cursor, 11_000), false);
  assert.equal(room.isBehind(bo.cursor, 11_001), true);
  bo.take();
  assert.equal(room.lagMs(bo.cursor, 99_999), 0);
});

Deno.test("Room.isBehind looks at the lines of others: one's own are never what one waits for", () => {
  const room = new Room(OPTIONS, () => {});
  const [ada, bo] = [new StubMember(room), new StubMember(room)];
  send(room, ada, "own, and old\n");
  room.flush(10_000);
  assert.equal(room.isBehind(ada.cursor, 15_000), false);
  send(room, bo, "fresh\n");
  room.flush(15_000);
  assert.equal(room.isBehind(ada.cursor, 15_100), false);
  assert.equal(room.lagMs(ada.cursor, 15_100), 100);
  assert.equal(room.isBehind(bo.cursor, 15_100), true);
});

Deno.test("Room.isBehind is true for whom the log has dropped what comes next, however fresh it is", () => {
  const room = new Room({ ...OPTIONS, maxLogBytes: 16 * 1024 }, () => {});
  const [ada, bo] = [new StubMember(room), new StubMember(room)];
  for (let i = 0; i < 100; i++) {
    send(room, ada, "x".repeat(1000) + "\n");
    room.flush(1000);
    ada.take();
  }
  assert.equal(room.lagMs(bo.cursor, 1000), Infinity);
  assert.equal(room.isBehind(bo.cursor, 1000), true);
  assert.equal(room.isBehind(ada.cursor, 1000), false);
  assert.ok(room.logBytes <= 16 * 1024, `${room.logBytes} bytes`);
});
