// Tests src/client/outgoing.ts with a link that keeps what it is given, and drops what it is told to.

import assert from "node:assert/strict";
import { LossTally } from "../../src/client/loss_tally.ts";
import { Outgoing } from "../../src/client/outgoing.ts";
import type { Lost } from "../../src/client/session/lost.ts";
import { Session, type SessionSink } from "../../src/client/session/session.ts";

class Bench implements Disposable {
  readonly lines: string[] = [];
  readonly told: Lost[] = [];
  readonly losses = new LossTally((lost) => void this.told.push(lost));
  readonly link = {
    droppedLines: 0,
    droppedBytes: 0,
    flushes: 0,
    send: (line: Uint8Array) => void this.lines.push(new TextDecoder().decode(line)),
    flush() {
      this.flushes++;
    },
  };
  readonly session: Session | undefined;
  readonly outgoing: Outgoing;

  constructor(isPlain = false, maxLineBytes = 100) {
    const hello = { room: "pong", name: "", token: "", simulate: "" };
    const sink = {} as SessionSink; // nothing comes
    this.session = isPlain ? undefined : new Session({ ...hello, maxUnfinishedBytes: 1000, sink });
    this.outgoing = new Outgoing(this.link, this.session, this.losses, maxLineBytes);
  }

  /** What was noted as lost. */
  lost(): Lost[] {
    this.losses.flush();
    return this.told.splice(0);
  }

  [Symbol.dispose](): void {
    this.losses.close();
  }
}

Deno.test("Outgoing.send writes an event as one line, never one that looks like a control line", () => {
  using bench = new Bench();
  for (const event of [1, "a\nb", { $set: 1 }, { a: { $set: 1 } }]) bench.outgoing.send(event);
  assert.deepEqual(bench.lines, ["1\n", '"a\\nb"\n', ' {"$set":1}\n', '{"a":{"$set":1}}\n']);
});

Deno.test("Outgoing.send counts the bytes of the line with the space that was put before it", () => {
  using bench = new Bench(false, 10);
  bench.outgoing.send("ääää");
  assert.throws(() => bench.outgoing.send("ääääa"), /it has 11 bytes, maxLineBytes is 10/);
  bench.outgoing.send({ $: 123 });
  assert.throws(() => bench.outgoing.send({ $: 1234 }), RangeError);
});

Deno.test("Outgoing notes each drop of the link once: as what waited, and as closed after close()", () => {
  using bench = new Bench();
  bench.outgoing.send(1);
  [bench.link.droppedLines, bench.link.droppedBytes] = [3, 30];
  bench.outgoing.send(2);
  bench.outgoing.send(3);
  assert.deepEqual(bench.lost(), [{ reason: "outbox", lines: 3, bytes: 30 }]);
  bench.outgoing.close();
  [bench.link.droppedLines, bench.link.droppedBytes] = [4, 32];
  bench.outgoing.sendTo("1", ["k1"]);
  assert.deepEqual(bench.lost(), [{ reason: "closed", lines: 1, bytes: 2 }]);
});

Deno.test("Outgoing.set hands the newest value to the session, and after close() tells the room's keys alone", () => {
  using bench = new Bench();
  const { outgoing, session, link } = bench;
  outgoing.set("a", 1, {});
  outgoing.set("b", { x: 1 }, { room: true });
  outgoing.unset("a", {});
  assert.equal(link.flushes, 3);
  assert.deepEqual(session!.source.member.values(), Object.create(null));
  assert.equal(session!.source.room.has("b"), true);
  outgoing.close();
  outgoing.set("c", 1, {});
  outgoing.set("d", 1, { room: true });
  outgoing.unset("b", { room: true });
  assert.deepEqual([link.flushes, session!.source.room.has("d")], [3, false]);
  assert.deepEqual(bench.lost(), [{ reason: "closed", lines: 0, bytes: 0, keys: ["d", "b"] }]);
});

Deno.test("Outgoing.noteLeft tells what never went out, and nothing a second time", () => {
  using bench = new Bench();
  bench.outgoing.set("key", 1, { room: true });
  bench.outgoing.close();
  bench.outgoing.noteLeft();
  assert.deepEqual(bench.lost(), [{ reason: "closed", lines: 0, bytes: 0, keys: ["key"] }]);
});

Deno.test("Outgoing of a plain client refuses what needs a session, before anything is sent", () => {
  using bench = new Bench(true);
  const { outgoing } = bench;
  assert.throws(() => outgoing.send(1, { to: "k1" }), /a plain client knows nobody to send it to/);
  assert.throws(() => outgoing.set("a", 1, {}), /Cannot set state: a plain client has none/);
  assert.throws(() => outgoing.unset("a", {}), TypeError);
  outgoing.noteLeft();
  assert.deepEqual([bench.lines, bench.lost()], [[], []]);
});
