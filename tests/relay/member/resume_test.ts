// Holds resuming to its promise: nothing lost, nothing twice, order kept, in both directions, wherever the
// connection is cut. At every byte of a dialog that has everything in it, and in random histories; then the
// cases in which there is nothing, or not all, to go on with.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { SessionClient } from "../../support/session_client.ts";
import { type Seat, Table, turn } from "../../support/session_table.ts";

/** Makes a break from nothing lost to a little lost. */
const DIALOG_OPTIONS = { windowBytes: 600, pingTimeoutMs: 1e9 };

/**
 * A dialog of ada, whose connection is cut, and bo, who hears and tells all. Its values and numbers say in
 * which order things were.
 */
class Dialog {
  ada!: Seat;
  bo!: Seat;
  #saidByAda: string[] = [];
  #saidByBo: string[] = [];
  #number = 0;

  constructor(readonly table: Table) {}

  async begin(): Promise<void> {
    const early = await this.table.join({ room: "r", name: "early" });
    for (let i = 0; i < 5; i++) await early.set(`long ${i}`, "v".repeat(8000));
    this.bo = await this.table.join({ room: "r", name: "bo" });
    this.ada = await this.table.join({ room: "r", name: "ada" });
    assert.ok(this.ada.client.welcome.more > 0, "the welcome has more lines");
  }

  async adaSays(): Promise<void> {
    const line = `{"ada":${this.#number++}}`;
    this.#saidByAda.push(line);
    await this.ada.say(line + "\n");
  }

  async boSays(): Promise<void> {
    const line = `{"bo":${this.#number++}}`;
    this.#saidByBo.push(line);
    await this.bo.say(line + "\n");
  }

  /** Does everything once. */
  async talk(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      await this.boSays();
      await this.adaSays();
    }
    await this.bo.set("k", this.#number++);
    await this.bo.set("gone", 1);
    await this.ada.set("k", this.#number++);
    await this.ada.set("score", this.#number++, true);
    await this.ada.control("ping", { t: 1 });
    await this.bo.set("gone");
    await this.boSays();
    await this.ada.ack();
    const cy = await this.table.join({ room: "r", name: "cy" });
    await cy.set("cy's", this.#number++);
    await this.boSays();
    await cy.control("bye", {});
    await this.adaSays();
    await this.bo.ack();
  }

  /** Lets both have everything, and says what is wrong with it. */
  async check(): Promise<void> {
    for (let i = 0; i < 60; i++) {
      const before = this.ada.client.received + this.bo.client.received;
      await this.ada.ack();
      await this.bo.ack();
      if (this.ada.client.received + this.bo.client.received === before) break;
    }
    assert.deepEqual(this.bo.events, this.#saidByAda, "what ada said");
    assert.deepEqual(this.ada.events, this.#saidByBo, "what bo said");
    const { id } = this.bo;
    const known = (seat: Seat) =>
      Object.fromEntries([...seat.client.peers].map(([id, state]) => [id, Object.fromEntries(state)]));
    const late = await this.table.join({ room: "r" });
    for (const seat of [this.ada, this.bo]) {
      seat.receive();
      const mine = { ...known(late), [late.id]: {} };
      delete mine[seat.id];
      assert.deepEqual(
        known(seat),
        mine,
        `what ${seat === this.ada ? "ada" : "bo"} knows is what a newcomer is told`,
      );
    }
    assert.ok(late.client.peers.has(id) && late.client.peers.has(this.ada.id));
    await late.control("bye", {});
  }
}

/**
 * Cuts ada off after so many bytes of the dialog, in each direction, and back in; says how many bytes there
 * were.
 */
async function runCut(
  bytesDown: number,
  bytesUp: number,
  awayMs: number,
): Promise<{ down: number; up: number }> {
  await using table = new Table(DIALOG_OPTIONS);
  const dialog = new Dialog(table);
  await dialog.begin();
  await dialog.ada.ack();
  Object.assign(dialog.ada, { bytesDown, bytesUp, bytesReceived: 0, bytesSent: 0 });
  await dialog.talk();
  await dialog.ada.cut();
  const { bytesReceived, bytesSent } = dialog.ada;
  await dialog.boSays();
  await table.pass(awayMs);
  await dialog.boSays();
  dialog.ada = await table.resume(dialog.ada);
  assert.equal(dialog.ada.client.welcome.resumed, true);
  await dialog.boSays();
  await dialog.adaSays();
  await dialog.talk();
  await dialog.check();
  return { down: bytesReceived, up: bytesSent };
}

/** Runs for each number from 0 to `count`, many at a time. */
async function forEachUpTo(count: number, run: (i: number) => Promise<unknown>): Promise<void> {
  for (let at = 0; at <= count; at += 100) {
    const numbers = Array.from({ length: Math.min(100, count + 1 - at) }, (_, i) => at + i);
    await Promise.all(numbers.map(run));
  }
}

Deno.test("a session cut at any byte of what it is sent goes on, nothing lost, nothing twice", async () => {
  const { down, up } = await runCut(Infinity, Infinity, 0);
  await forEachUpTo(down, (bytes) => runCut(bytes, bytes * 7 % up, 0));
});

Deno.test("a session cut at any byte of what it sends goes on, nothing lost, nothing twice", async () => {
  const { down, up } = await runCut(Infinity, Infinity, 0);
  await forEachUpTo(up, (bytes) => runCut(bytes * 7 % down, bytes, 0));
});

Deno.test("a session cut at any time and back after the others saw it leave is seen again, with its state", async () => {
  await forEachUpTo(40, (i) => runCut(i * 25, i * 13, 8000));
});

Deno.test("a session cut before all of its welcome was written is not kept, whatever it has said", async () => {
  await using table = new Table();
  const early = await table.join();
  for (let i = 0; i < 8; i++) await early.set(`long ${i}`, "v".repeat(8000));
  const ada = table.connect();
  ada.conn.takeBytes(0);
  ada.feed(ada.client.hello());
  await turn();
  await ada.say("1\n");
  await early.ack();
  assert.deepEqual(early.events, ["1"]);
  await ada.cut();
  await early.ack();
  assert.deepEqual(early.told("leave").map(({ reason }) => reason), ["lost"]);
});

Deno.test("a session cut before it has shown that its welcome arrived is not kept: it begins anew, with all there is", async () => {
  for (const bytesDown of [-1, 0, 1, 8040, 9000, 20_000, Infinity]) {
    await using table = new Table(DIALOG_OPTIONS);
    const early = await table.join();
    for (let i = 0; i < 8; i++) await early.set(`long ${i}`, "v".repeat(8000));
    const ada = table.connect();
    ada.feed(ada.client.hello());
    await turn();
    ada.bytesDown = ada.conn.bytes.indexOf(0x0a) + 1 + bytesDown;
    ada.receive();
    await ada.cut();
    await early.ack();
    const [{ id }] = early.told("join");
    assert.deepEqual(early.told("leave"), [{ id, reason: "lost" }], "it is not waited for");
    await early.set("long 0", "new");
    const next = await table.resume(ada);
    assert.equal(next.client.welcome.resumed, false);
    assert.equal(next.client.lines.length - ada.client.lines.length, 0);
    const state = next.state(early.id)!;
    assert.equal(Object.keys(state).length, 8);
    assert.equal(state["long 0"], "new");
    await table.pass(1000);
    assert.equal(table.admission.stats().absentSessions, 0);
  }
});

Deno.test("a session whose client shows by its resume that the welcome arrived goes on, though it had said nothing", async () => {
  await using table = new Table();
  const bo = await table.join();
  const ada = table.connect();
  ada.feed(ada.client.hello());
  await turn();
  await bo.say("1\n");
  ada.receive();
  const next = await table.resume(ada); // the relay has not noticed that the first connection is dead
  assert.deepEqual([next.client.welcome.resumed, next.events], [true, ["1"]]);
});

Deno.test("a session cut in the lines after a $lost gets the rest of them, and is told how many", async () => {
  const options = { windowBytes: 1000, pingTimeoutMs: 1e9 };
  let lines: string[];
  {
    await using table = new Table(options);
    lines = (await loseSome(table, Infinity)).client.lines;
  }
  const at = lines.findIndex((line) => line.startsWith('{"$lost"'));
  assert.deepEqual(lines.slice(at, at + 3).map((line) => line.slice(0, 7)), [
    '{"$lost',
    '{"$peer',
    '{"$time',
  ]);
  for (const missing of [0, 1, 2, 3]) {
    await using table = new Table(options);
    const had = lines.slice(0, at + 3 - missing);
    const ada = await loseSome(
      table,
      had.reduce((bytes, line) => bytes + line.length + 1, 0),
    );
    assert.equal(ada.client.lines.length, had.length);
    await ada.cut();
    const next = await table.resume(ada);
    assert.equal(next.client.welcome.more, missing === 3 ? 0 : missing);
    if (missing < 3) assert.deepEqual(next.client.lines.slice(0, at + 3), lines.slice(0, at + 3));
  }
});

Deno.test("sessions cut again and again at random go on, whatever happens between", async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant("adaSays" as const) },
    { weight: 4, arbitrary: fc.constant("boSays" as const) },
    fc.constantFrom("set", "unset", "room", "ack", "ping", "talk", "away", "long away", "stall" as const),
    { weight: 3, arbitrary: fc.record({ bytesDown: fc.nat(900), bytesUp: fc.nat(300) }) },
    { weight: 2, arbitrary: fc.constant("resume" as const) },
    fc.constant("replace" as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      await using table = new Table({ ...DIALOG_OPTIONS, maxLagMs: 1e9 });
      const dialog = new Dialog(table);
      await dialog.begin();
      const resume = async () => {
        dialog.ada = await table.resume(dialog.ada);
        assert.equal(dialog.ada.client.welcome.resumed, true);
      };
      let n = 0;
      for (const step of steps) {
        const { ada } = dialog;
        if (typeof step === "object") {
          ada.bytesDown = Math.min(ada.bytesDown, step.bytesDown); // what is cut stays cut
          ada.bytesUp = Math.min(ada.bytesUp, step.bytesUp);
        } else if (step === "adaSays" || step === "boSays" || step === "talk") await dialog[step]();
        else if (step === "set") await ada.set(`k${n++ % 5}`, n);
        else if (step === "unset") await ada.set(`k${n++ % 5}`);
        else if (step === "room") await (n++ % 2 ? ada : dialog.bo).set("shared", n, true);
        else if (step === "ack") await ada.ack();
        else if (step === "ping") await ada.control("ping", { t: n });
        else if (step === "stall") ada.conn.takeBytes(n++ % 30);
        else if (step === "replace") {
          ada.receive();
          await resume(); // without a cut of the old connection
        } else {
          await ada.cut();
          if (step === "away") await table.pass(3000);
          if (step === "long away") await table.pass(9000);
          await resume();
        }
      }
      await dialog.ada.cut();
      await resume();
      await dialog.check();
    }),
    { numRuns: 400 },
  );
});

Deno.test("a session cut at any byte around $lost and $peers is told right how many lines it missed, and who is there", async () => {
  const options = { windowBytes: 1000, pingTimeoutMs: 1e9 };
  let lostEnd = 0;
  {
    await using table = new Table(options);
    const ada = await loseSome(table, Infinity);
    assert.equal(ada.told("lost").length, 1);
    assert.equal(ada.told("peers").length, 1);
    lostEnd = ada.client.received;
  }
  await forEachUpTo(250, async (before) => {
    const bytes = lostEnd - before;
    await using table = new Table(options);
    const ada = await loseSome(table, bytes);
    await ada.cut();
    const next = await table.resume(ada);
    assert.equal(next.client.welcome.resumed, true);
    for (let i = 0; i < 40; i++) await next.ack();
    const told = next.told("lost").reduce((sum, { lines }) => sum + lines, 0);
    assert.equal(next.events.length + told, 121, `cut at ${bytes}`);
    assert.deepEqual([...next.client.peers.keys()], ["", "k1", "k4"], `cut at ${bytes}`);
  });
});

/**
 * Lets a session fall behind and come back; the first `bytesDown` bytes of its stream reach it. Meanwhile k3
 * leaves and k4 comes.
 */
async function loseSome(table: Table, bytesDown: number): Promise<Seat> {
  const bo = await table.join();
  const ada = await table.join();
  const cy = await table.join();
  ada.bytesDown = bytesDown;
  for (let i = 0; i < 12; i++) {
    for (let j = 0; j < 10; j++) await bo.say(`{"n":${i * 10 + j},"filler":"0123456789"}\n`);
    if (i === 6) await cy.control("bye", {});
    if (i === 7) await table.join();
    await table.pass(1000);
    await bo.ack();
  }
  await ada.ack();
  await bo.say("120\n");
  ada.receive();
  return ada;
}

Deno.test("a session that fell behind what the log keeps can be resumed again once it has caught up", async () => {
  await using table = new Table({ maxLogBytes: 64 * 1024, windowBytes: 16 * 1024, pingTimeoutMs: 1e9 });
  const [ada, bo] = [await table.join(), await table.join()];
  const line = JSON.stringify("x".repeat(1000)) + "\n";
  for (let i = 0; i < 200; i++) await bo.say(line);
  // From here on it acknowledges what it has, but something more is always on its way.
  for (let i = 0; i < 60; i++) {
    ada.receive();
    const ack = ada.client.ack();
    await bo.say(line);
    ada.feed(ack);
    await turn();
  }
  assert.equal(ada.told("lost").length, 1);
  const events = ada.events.length;
  ada.bytesDown = 0;
  await bo.say("1\n");
  await ada.cut();
  await bo.say("2\n");
  const next = await table.resume(ada);
  assert.equal(next.client.welcome.resumed, true);
  assert.deepEqual(next.events.slice(events), ["1", "2"]);
});

Deno.test("a session whose lines the log has dropped begins anew, with another id, and is lost to the others", async () => {
  await using table = new Table({ maxLogBytes: 64 * 1024, pingTimeoutMs: 1e9 });
  const [ada, bo] = [await table.join({ name: "ada" }), await table.join()];
  const { id, session } = ada.client.welcome;
  await ada.set("k", 1);
  await ada.cut();
  for (let i = 0; i < 200; i++) await bo.say(JSON.stringify("x".repeat(1000)) + "\n");
  const next = await table.join({ name: "ada" }, ada.client);
  assert.equal(next.client.welcome.resumed, false);
  assert.notEqual(next.client.welcome.session, session);
  assert.equal(next.client.welcome.bytes, 0);
  assert.deepEqual(bo.told("leave"), [{ id, reason: "lost" }]);
  assert.deepEqual(bo.state(next.id), {});
});

Deno.test("a session is not resumed with a wrong secret or counts that can't be; its member stays, or is over", async () => {
  const cases: [string, (session: string, bytes: number) => unknown, boolean][] = [
    [
      "wrong secret",
      (session, bytes) => ({ session: session.replace(/^./, (c) => c === "A" ? "B" : "A"), bytes }),
      true,
    ],
    ["empty secret", (_, bytes) => ({ session: "", bytes }), true],
    ["more than was sent", (session, bytes) => ({ session, bytes: bytes + 1 }), false],
    ["less than acknowledged", (session) => ({ session, bytes: 0 }), false],
  ];
  for (const [what, resume, stays] of cases) {
    await using table = new Table();
    const [ada, bo] = [await table.join(), await table.join()];
    await bo.say("1\n2\n");
    await ada.ack();
    const thief = await table.join(
      { resume: resume(ada.client.welcome.session, ada.client.received) },
      new SessionClient(),
    );
    assert.equal(thief.client.welcome.resumed, false, what);
    assert.notEqual(thief.id, ada.id);
    assert.equal(ada.conn.isClosed, !stays, what);
    assert.deepEqual(bo.told("leave").map(({ id }) => id), stays ? [] : [ada.id]);
  }
});

Deno.test("a session that is resumed closes its old connection, which does not matter any more", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join(), await table.join()];
  await bo.say("1\n");
  ada.receive();
  const next = await table.resume(ada);
  await ada.done;
  assert.equal(ada.connection.ending, "replaced");
  await next.say('"from the new one"\n');
  await bo.say("2\n");
  assert.deepEqual([next.events, bo.events], [["1", "2"], ['"from the new one"']]);
  assert.deepEqual([bo.told("leave"), bo.told("join")], [[], []]);
  assert.equal(table.admission.stats().sessions, 2);
});

Deno.test("a session that ended its output and is resumed gets everything on the new connection", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join(), await table.join()];
  ada.conn.takeBytes(0);
  await bo.say('"under way"\n');
  ada.conn.endInput();
  await turn();
  ada.bytesDown = 0;
  const next = await table.resume(ada);
  next.conn.takeBytes(0);
  await bo.say("2\n");
  await bo.say("3\n");
  ada.conn.takeBytes(Infinity); // the old connection is done with its write, and must not go on
  await turn();
  next.conn.takeBytes(Infinity);
  await turn();
  assert.deepEqual(next.events, ['"under way"', "2", "3"]);
});

Deno.test("a session resumed twice at once goes on with the second", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join(), await table.join()];
  await ada.cut();
  const hello = ada.client.hello();
  const first = table.connect(new SessionClient()), second = table.connect(ada.client);
  first.feed(hello);
  second.feed(hello);
  await bo.say("1\n");
  assert.deepEqual([first.conn.isClosed, second.conn.isClosed], [true, false]);
  assert.deepEqual(second.events, ["1"]);
  assert.equal(second.client.welcome.resumed, true);
});

Deno.test("a session stays in its room and keeps its name, whatever the hello of a resume says", async () => {
  await using table = new Table();
  const ada = await table.join({ room: "one", name: "ada" });
  await ada.cut();
  const next = await table.resume(ada, { room: "two", name: "other" });
  assert.deepEqual([next.client.welcome.room, next.client.welcome.resumed], ["one", true]);
  const bo = await table.join({ room: "one" });
  assert.deepEqual(bo.client.welcome.peers, [{ id: ada.id, name: "ada", state: {} }]);
});

Deno.test("a session that timed out can be resumed, with its state, and is seen again", async () => {
  await using table = new Table({ pingTimeoutMs: 15_000 });
  const [ada, bo] = [await table.join({ name: "ada" }), await table.join()];
  await ada.set("k", 1);
  for (let i = 0; i < 4; i++) {
    await table.pass(5000);
    await bo.ack();
  }
  assert.deepEqual(bo.told("leave"), [{ id: ada.id, reason: "timeout" }]);
  assert.equal(bo.state(ada.id), undefined);
  await ada.done;
  const next = await table.resume(ada);
  assert.equal(next.client.welcome.resumed, true);
  assert.deepEqual(bo.told("join"), [{ id: ada.id, name: "ada" }]);
  assert.deepEqual(bo.state(ada.id), { k: 1 });
  assert.deepEqual(next.told("leave"), [], "it is not told of itself");
  assert.deepEqual(next.told("join").map(({ id }) => id), [bo.id]);
});

Deno.test("a session can be resumed within resumeMs and not after it", async () => {
  for (const [awayMs, resumed] of [[29_000, true], [32_000, false]] as const) {
    await using table = new Table({ resumeMs: 30_000, pingTimeoutMs: 1e9 });
    const ada = await table.join();
    await ada.cut();
    await table.pass(awayMs);
    const next = await table.join({}, ada.client);
    assert.equal(next.client.welcome.resumed, resumed);
  }
});

Deno.test("a resumed session can tell where the repair ends: by the first $time later than its welcome's, and a pong comes before", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join(), await table.join()];
  await ada.ack();
  await ada.cut();
  for (let i = 0; i < 20; i++) {
    table.nowMs += 70;
    await bo.say(`"missed ${i}"\n`);
  }
  const had = ada.client.lines.length;
  const next = table.connect(ada.client);
  next.conn.takeBytes(0);
  next.feed(next.client.hello());
  await turn();
  next.feed(next.client.control("ping", { t: 1 })); // is answered ahead of what was missed
  table.nowMs += 100;
  await bo.say('"fresh"\n');
  next.conn.takeBytes(Infinity);
  await turn();
  next.receive();
  const { time } = next.client.welcome;
  const lines = next.client.lines.slice(had);
  const marks = lines.map((line) => line.startsWith('{"$time"') ? JSON.parse(line).$time.time : 0);
  const end = marks.findIndex((mark) => mark > time);
  const events = (some: string[]) => some.filter((line) => line.startsWith('"'));
  assert.ok(lines[0].startsWith('{"$pong"'));
  assert.equal(events(lines.slice(0, end)).length, 20, "all that was missed comes before it");
  assert.deepEqual(events(lines.slice(end)), ['"fresh"']);
});
