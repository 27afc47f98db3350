// Holds Admission against its contract: tokens, ids and secrets, places and who has one already, and sessions
// whose clients are away.

import assert from "node:assert/strict";
import { parseSimulation } from "../../src/simulation/parse_simulation.ts";
import { ManualTime } from "../support/manual_time.ts";
import { pause } from "../support/pause.ts";
import { SessionClient } from "../support/session_client.ts";
import { refusalOf, type Seat, Table, turn } from "../support/session_table.ts";

/** Holds that of a full relay's places one was `ended`'s and is `back`'s now, and is free when that leaves. */
async function assertTookPlaceOf(ended: Seat, back: Seat, table: Table): Promise<void> {
  assert.equal(ended.conn.isClosed, true);
  await ended.done;
  assert.equal(refusalOf(await table.join()).code, "relay_full", "it has one place, not two and not none");
  await back.control("bye", {});
  back.conn.endInput();
  await back.done;
  assert.ok((await table.join()).client.welcome, "one is free");
  assert.equal(refusalOf(await table.join()).code, "relay_full");
}

Deno.test("Admission gives ids that are short, never reused, and not chosen by clients", async () => {
  await using table = new Table();
  const ids: string[] = [];
  for (let i = 0; i < 100; i++) {
    const seat = await table.join({ id: "k1", name: "k1", room: `r${i % 3}` });
    ids.push(seat.id);
    if (i % 2) await seat.control("bye", {});
    else await seat.cut();
  }
  assert.equal(new Set(ids).size, 100);
  assert.ok(ids.every((id) => /^kz?[0-9a-z]{1,2}$/.test(id)));
});

Deno.test("Admission asks for the token, and says whether it is missing or wrong", async () => {
  await using table = new Table({ token: "séсret" });
  assert.match(refusalOf(await table.join()).message, /this relay needs a token, and none was given/);
  for (const token of ["wrong", "séсre", "séсrett", "SÉСRET"]) {
    const refusal = refusalOf(await table.join({ token }));
    assert.equal(refusal.code, "bad_token");
    assert.match(refusal.message, /the token that was given is not the relay's/);
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

Deno.test("Admission gives who says hello the network that it asks for, also where its silence has got it another", async () => {
  for (const silentMs of [0, 300]) {
    const time = new ManualTime();
    await using table = new Table({ simulate: parseSimulation("delay=10s") }, time);
    const seat = table.connect();
    await time.pass(silentMs);
    seat.feed(seat.client.hello({ simulate: "delay=20ms" }));
    const isWelcome = () => {
      seat.receive();
      return seat.client.welcome !== undefined;
    };
    await time.pass(19);
    assert.equal(isWelcome(), false);
    await time.pass(1);
    assert.equal(isWelcome(), true, `silent for ${silentMs} ms`);
  }
});

Deno.test("Admission forgets sessions and their logs once they are over", async () => {
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
  assert.equal(table.admission.stats().absentSessions, 40);
  await table.pass(11_000);
  assert.deepEqual(table.rooms.stats(), { rooms: 0, logBytes: 0 });
  assert.deepEqual(table.admission.stats(), { waiting: 0, sessions: 0, absentSessions: 0 });
});

Deno.test("Admission gives every session a secret of its own", async () => {
  await using table = new Table();
  const secrets = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const seat = await table.join();
    assert.match(seat.client.welcome.session, /^[\w-]{22}$/);
    secrets.add(seat.client.welcome.session);
  }
  assert.equal(secrets.size, 200);
});

for (const limits of [{ maxClients: 3 }, { maxClientsPerHost: 3 }]) {
  const name = `Admission with ${JSON.stringify(limits)}`;

  Deno.test(`${name} lets a session take the place of its own dead connection, and nobody else`, async () => {
    await using table = new Table(limits);
    const [ada] = [await table.join(), await table.join(), await table.join()];
    assert.equal(refusalOf(await table.join()).code, "relay_full");
    const plain = table.connect();
    plain.feed("1\n");
    await plain.done;
    assert.match(
      plain.conn.text,
      /^{"\$error":{"code":"relay_full","message":"Cannot serve this connection: 3 clients/,
    );
    const back = await table.resume(ada);
    assert.equal(back.client.welcome.resumed, true);
    await assertTookPlaceOf(ada, back, table);
  });

  Deno.test(`${name} lets one that can't go on begin anew in the place of its own dead connection`, async () => {
    await using table = new Table(limits);
    const [ada] = [await table.join({ maxMembers: 1, room: "one" }), await table.join(), await table.join()];
    const { session } = ada.client.welcome;
    const back = await table.join({ room: "one", maxMembers: 1, resume: { session, bytes: 2 ** 50 } });
    assert.deepEqual([back.client.welcome?.resumed, back.client.welcome?.room], [false, "one"]);
    await assertTookPlaceOf(ada, back, table);
  });

  Deno.test(`${name} keeps the place of a session that may come back, until it may not`, async () => {
    await using table = new Table({ ...limits, resumeMs: 10_000 });
    const [ada, bo] = [await table.join(), await table.join(), await table.join()];
    await ada.cut();
    assert.equal(refusalOf(await table.join()).code, "relay_full");
    const back = await table.resume(ada);
    assert.equal(back.client.welcome.resumed, true);
    await bo.cut();
    for (let i = 0; i < 6; i++) {
      await table.pass(2000);
      back.feed(back.client.control("ping", { t: 1 }));
      await turn();
    }
    assert.equal(table.admission.stats().absentSessions, 0);
    assert.ok((await table.join()).client.welcome);
  });
}

Deno.test("Admission counts a session that comes back from another host there", async () => {
  await using table = new Table({ maxClientsPerHost: 1 });
  const ada = await table.join({}, undefined, "here");
  await ada.cut();
  const back = await table.join({}, ada.client, "there");
  assert.equal(back.client.welcome.resumed, true);
  assert.ok((await table.join({}, undefined, "here")).client.welcome);
  assert.equal(refusalOf(await table.join({}, undefined, "there")).code, "relay_full");
});

Deno.test("Admission lets those wait at the door who find no place, and gives what they wait for to who says hello", async () => {
  await using table = new Table({ maxClients: 1 });
  const ada = await table.join();
  const waiting = Array.from({ length: 1001 }, () => table.connect());
  assert.equal(table.admission.arrive("somewhere"), undefined);
  assert.equal(table.admission.stats().waiting, 1001);
  await ada.control("bye", {});
  ada.conn.endInput();
  await ada.done;
  const [first, second] = waiting;
  for (const seat of [first, second]) seat.feed(seat.client.hello());
  await turn();
  first.receive();
  assert.ok(first.client.welcome);
  assert.equal(refusalOf(second).code, "relay_full");
});

for (const limits of [{ maxClients: 1200 }, { maxClientsPerHost: 1200 }]) {
  const name = `Admission with ${JSON.stringify(limits)}`;
  Deno.test(`${name} takes back all its sessions in the same moment, also those whose hello is late`, async () => {
    const time = new ManualTime();
    await using table = new Table(limits, time);
    const seats: Seat[] = [];
    for (let i = 0; i < 1200; i++) seats.push(await table.join({ room: `r${i % 100}` }));
    const back = seats.map((seat) => table.connect(seat.client));
    for (let i = 0; i < 1200; i++) {
      if (i === 600) await time.pass(900);
      back[i].feed(back[i].client.hello());
    }
    while (back.some(({ conn }) => conn.text === "")) await turn();
    for (const seat of back) seat.receive();
    assert.equal(back.filter(({ client }) => client.welcome?.resumed).length, 1200);
  });
}

Deno.test("Admission tells one that says nothing that all is full once a hello would have come, or gives it a place", async () => {
  const time = new ManualTime();
  await using table = new Table({ maxClients: 1 }, time);
  const ada = await table.join(), silent = table.connect();
  await time.pass(900);
  assert.equal(silent.conn.text, "");
  await time.pass(400);
  assert.match(silent.conn.text, /^{"\$error":{"code":"relay_full",/);
  const next = table.connect();
  await time.pass(300);
  await ada.control("bye", {});
  ada.conn.endInput();
  await ada.done;
  await time.pass(300);
  assert.deepEqual([next.connection.isMember, next.connection.ending], [true, undefined]);
});

Deno.test("Admission makes a host wait that guesses tokens, not one that repeats a wrong one, and nobody who has a session", async () => {
  await using table = new Table({ token: "right", resumeMs: 60_000 });
  const ada = await table.join({ token: "right" });
  for (let i = 0; i < 50; i++) assert.equal(refusalOf(await table.join({ token: "typo" })).code, "bad_token");
  assert.ok((await table.join({ token: "right" })).client.welcome);
  for (let i = 0; i < 9; i++) assert.equal(refusalOf(await table.join({ token: `${i}` })).code, "bad_token");
  for (const token of ["10", "typo", "right"]) {
    const { code, message } = refusalOf(await table.join({ token }));
    assert.equal(code, "relay_full");
    assert.match(
      message,
      /^Cannot enter: too many wrong tokens came from somewhere, the next one is looked at in 1 s$/,
    );
  }
  assert.equal(refusalOf(await table.join()).code, "bad_token", "without one nothing is guessed");
  assert.ok((await table.join({ token: "right" }, undefined, "elsewhere")).client.welcome);
  await ada.cut();
  assert.equal((await table.resume(ada, { token: "right" })).client.welcome.resumed, true);
  await table.pass(1000);
  assert.ok((await table.join({ token: "right" })).client.welcome, "a second later");
});

Deno.test("Admission ends a session that its client asks for and that can't go on", async () => {
  await using table = new Table();
  const [ada, bo] = [await table.join(), await table.join()];
  await ada.cut();
  const resume = { session: ada.client.welcome.session, bytes: 1_000_000 };
  const next = await table.join({ resume }, new SessionClient());
  assert.equal(next.client.welcome.resumed, false);
  assert.deepEqual(table.admission.stats(), { waiting: 0, sessions: 2, absentSessions: 0 });
  assert.deepEqual(bo.told("leave"), [{ id: ada.id, reason: "lost" }]);
});

Deno.test("Admission gives up a hundred sessions at a time", async () => {
  const time = new ManualTime();
  await using table = new Table({ maxMemoryBytes: 2 ** 24, resumeMs: 600_000 }, time);
  for (let i = 0; i < 150; i++) await (await table.join({ room: `r${i}` })).cut();
  const account = table.memory.open();
  account.grow(2 ** 24);
  await time.pass(1);
  assert.equal(table.admission.stats().absentSessions, 50);
  await time.pass(100);
  assert.equal(table.admission.stats().absentSessions, 0);
  assert.ok(
    table.log.some(({ message }) => message === "memory is short, gave some up"),
    "what was freed counts",
  );
  account.close();
});

Deno.test("Admission gives up sessions that are away when memory is short, the oldest absence first", async () => {
  await using table = new Table({ maxMemoryBytes: 2_000_000, resumeMs: 600_000 });
  const seats = [];
  for (let i = 0; i < 10; i++) seats.push(await table.join({ room: `r${i}` }));
  for (const seat of seats) {
    for (let key = 0; key < 10; key++) await seat.set(`${key}`, "v".repeat(8000));
    await seat.cut();
  }
  const more = await table.join({ room: "more" });
  for (let key = 0; key < 120; key++) await more.set(`${key}`, "v".repeat(8000));
  while (table.admission.stats().absentSessions === 10) await pause(5);
  const left = table.admission.stats().absentSessions;
  assert.ok(left > 0 && left < 10, `${left} of 10`);
  assert.equal((await table.resume(seats[9])).client.welcome.resumed, true);
  assert.equal((await table.join({}, seats[0].client)).client.welcome.resumed, false);
});
