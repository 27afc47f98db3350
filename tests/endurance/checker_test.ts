// The checker against faulty histories: a small run in which all is well, and one fault at a time put into
// it. A checker that finds nothing in the first and misses none of the others can be believed.

import assert from "node:assert/strict";
import { check } from "./checker.ts";
import type { Entry, History, News, Snapshot } from "./history.ts";

/** Entries with times of their own, one a millisecond. */
function entries(...news: News[]): Entry[] {
  return news.map((entry, index) => ({ atMs: 1000 + index, ...entry }) as Entry);
}

const event = (from: string, number: number): News => ({ kind: "event", from, number });
const sent = (number: number): News => ({ kind: "sent", number });
const lost = (lines: number, reason = "behind"): News => ({ kind: "lost", reason, lines });

function end(id: string, snapshot: Partial<Snapshot> = {}): News {
  const full = {
    isConnected: true,
    peers: {},
    states: {},
    room: { score: "1" },
    own: {},
    ownRoom: {},
    unsent: 0,
  };
  return { kind: "end", id, ...full, ...snapshot };
}

function opened(id: string, ...peers: [id: string, name: string][]): News {
  return { kind: "opened", id, resumed: false, peers };
}

/** Ada and Bo send three events each; a witness sees a1 b1 a2 b2 b3 a3. Cy listens from after b1 on. */
function goodRun() {
  const histories: Record<"witness" | "ada" | "bo" | "cy", History> = {
    witness: history("witness", [
      opened("k1"),
      { kind: "join", id: "k2", name: "ada" },
      { kind: "join", id: "k3", name: "bo" },
      event("ada", 1),
      event("bo", 1),
      { kind: "join", id: "k4", name: "cy" },
      event("ada", 2),
      event("bo", 2),
      event("bo", 3),
      event("ada", 3),
      end("k1", {
        peers: { k2: "ada", k3: "bo", k4: "cy" },
        states: { k2: { ball: "[1]" }, k3: {}, k4: {} },
      }),
    ]),
    ada: history("ada", [
      opened("k2", ["k1", "witness"]),
      { kind: "join", id: "k3", name: "bo" },
      sent(1),
      event("bo", 1),
      { kind: "join", id: "k4", name: "cy" },
      sent(2),
      sent(3),
      event("bo", 2),
      event("bo", 3),
      end("k2", {
        peers: { k1: "witness", k3: "bo", k4: "cy" },
        own: { ball: "[1]" },
        ownRoom: { score: "1" },
      }),
    ]),
    bo: history("bo", [
      opened("k3", ["k1", "witness"], ["k2", "ada"]),
      event("ada", 1),
      sent(1),
      { kind: "join", id: "k4", name: "cy" },
      event("ada", 2),
      sent(2),
      sent(3),
      event("ada", 3),
      end("k3", { peers: { k1: "witness", k2: "ada", k4: "cy" }, states: { k2: { ball: "[1]" } } }),
    ]),
    cy: history("cy", [
      opened("k4", ["k1", "witness"], ["k2", "ada"], ["k3", "bo"]),
      event("ada", 2),
      event("bo", 2),
      event("bo", 3),
      event("ada", 3),
      end("k4", { peers: { k1: "witness", k2: "ada", k3: "bo" }, states: { k2: { ball: "[1]" } } }),
    ]),
  };
  histories.witness.isWitness = true;
  return histories;
}

function history(name: string, news: News[]): History {
  return { name, room: "pong", level: "session", isComplete: true, isThere: true, entries: entries(...news) };
}

type Run = ReturnType<typeof goodRun>;

/** Where an event stands in what a client saw. */
function placeOf(client: History, from: string, number: number): number {
  const place = client.entries.findIndex((entry) =>
    entry.kind === "event" && entry.from === from && entry.number === number
  );
  assert.ok(place >= 0);
  return place;
}

function remove(client: History, from: string, number: number, ...instead: News[]): void {
  client.entries.splice(placeOf(client, from, number), 1, ...entries(...instead));
}

function endOf(client: History): Snapshot {
  const last = client.entries.at(-1)!;
  assert.ok(last.kind === "end");
  return last;
}

Deno.test("check finds nothing in a good run", () => {
  assert.deepEqual(check(Object.values(goodRun())), []);
});

const FINE: [name: string, change: (run: Run) => void][] = [
  ["a gap that is told", ({ cy }) => remove(cy, "bo", 2, lost(1))],
  ["a gap that is told in two parts", ({ cy }) => {
    remove(cy, "bo", 2, lost(1));
    remove(cy, "bo", 3, lost(1, "stale"));
  }],
  ["a loss of two of which one has come, from somebody quiet", ({ cy }) => {
    remove(cy, "ada", 2, lost(2));
    remove(cy, "bo", 3);
  }],
  ["a gap at the end that is told", ({ cy }) => remove(cy, "ada", 3, lost(1))],
  ["a new session that does not know what came before it", ({ cy, witness }) => {
    remove(cy, "bo", 2, lost(0, "unconfirmed"), opened("k9", ["k2", "ada"], ["k3", "bo"], ["k1", "witness"]));
    witness.entries.splice(placeOf(witness, "bo", 3), 0, ...entries({ kind: "join", id: "k9", name: "cy" }));
    endOf(cy).id = "k9";
    for (const client of [witness]) endOf(client).peers = { k2: "ada", k3: "bo", k9: "cy" };
  }],
  ["events that the sender knows to be unconfirmed", ({ ada, bo, cy, witness }) => {
    for (const client of [bo, cy, witness]) remove(client, "ada", 3);
    ada.entries.splice(-1, 0, ...entries(lost(1, "unconfirmed")));
  }],
  ["events that the sender knows to be unsent", ({ ada, bo, cy, witness }) => {
    for (const client of [bo, cy, witness]) remove(client, "ada", 3);
    endOf(ada).unsent = 1;
  }],
  ["a member that left, and events of before", ({ cy }) => {
    cy.isThere = false;
    cy.entries.splice(placeOf(cy, "bo", 3), 99);
  }],
];

for (const [name, change] of FINE) {
  Deno.test(`check accepts ${name}`, () => {
    const run = goodRun();
    change(run);
    const violations = check(Object.values(run)).filter(({ what }) => !/peer missing|ghost/.test(what));
    assert.deepEqual(violations, []);
  });
}

const FAULTY: [name: string, expected: RegExp, change: (run: Run) => void][] = [
  ["a lost event", /unreported: 1 events are missing before bo#3/, ({ cy }) => remove(cy, "bo", 2)],
  ["a lost event at the end", /unreported: 1 .* at the end/, ({ cy }) => remove(cy, "ada", 3)],
  ["a lost first event, after the join", /unreported: 1 .* before bo#2/, ({ cy }) => remove(cy, "ada", 2)],
  ["a loss told at another gap", /unreported: 1/, ({ cy }) => {
    remove(cy, "bo", 2);
    cy.entries.splice(placeOf(cy, "ada", 3), 0, ...entries(lost(1)));
  }],
  [
    "a loss of two of which one is told",
    /unreported: 2 .*, 1 were told/,
    ({ cy }) => (remove(cy, "bo", 2), remove(cy, "bo", 3, lost(1))),
  ],
  [
    "a loss that was none",
    /told too much: none is missing at the end, 2 were told \(2 behind\)/,
    ({ cy }) => {
      cy.entries.splice(placeOf(cy, "bo", 3), 0, ...entries(lost(2)));
    },
  ],
  ["a doubled event", /doubled: bo#2/, ({ cy }) => {
    cy.entries.splice(placeOf(cy, "bo", 3), 0, ...entries(event("bo", 2)));
  }],
  ["events of one sender in another order", /reordered: bo#2/, ({ cy }) => {
    remove(cy, "bo", 2);
    cy.entries.splice(placeOf(cy, "bo", 3) + 1, 0, ...entries(event("bo", 2)));
  }],
  ["events of two senders in another order", /other order: bo#3/, ({ cy }) => {
    remove(cy, "bo", 3);
    cy.entries.splice(placeOf(cy, "ada", 3) + 1, 0, ...entries(event("bo", 3)));
  }],
  ["an event that nobody sent", /unknown: bo#7/, ({ cy }) => {
    cy.entries.splice(placeOf(cy, "ada", 3), 0, ...entries(event("bo", 7)));
  }],
  ["an event of another room", /unknown: dan#1/, ({ cy }) => {
    cy.entries.splice(placeOf(cy, "ada", 3), 0, ...entries(event("dan", 1)));
  }],
  ["an own event that came back", /echo: its own ada#1/, ({ ada }) => {
    ada.entries.splice(-1, 0, ...entries(event("ada", 1)));
  }],
  ["an event from before the own join", /other order: bo#1 is from before its \$join/, ({ cy }) => {
    cy.entries.splice(1, 0, ...entries(event("bo", 1)));
  }],
  ["an event that only one saw", /unseen: bo#3/, ({ ada, witness }) => {
    remove(witness, "bo", 3);
    assert.ok(placeOf(ada, "bo", 3) > 0);
  }],
  ["an event that reached nobody", /^ada vanished: 1 of its events/, ({ bo, cy, witness }) => {
    for (const client of [bo, cy, witness]) remove(client, "ada", 3);
  }],
  ["an event before its sender's join", /not there: bo#1/, ({ ada }) => {
    ada.entries.splice(1, 1);
    ada.entries.splice(placeOf(ada, "bo", 2), 0, ...entries({ kind: "join", id: "k3", name: "bo" }));
  }],
  ["an event after its sender's leave", /not there: bo#3/, ({ ada }) => {
    ada.entries.splice(placeOf(ada, "bo", 3), 0, ...entries({ kind: "leave", id: "k3", reason: "lost" }));
  }],
  ["a second join", /joined twice: k4/, ({ ada }) => {
    ada.entries.splice(-1, 0, ...entries({ kind: "join", id: "k4", name: "cy" }));
  }],
  ["a leave of somebody who is not there", /left twice: k8/, ({ ada }) => {
    ada.entries.splice(-1, 0, ...entries({ kind: "leave", id: "k8", reason: "lost" }));
  }],
  ["a ghost peer", /ghost: dan \(k8\)/, ({ ada }) => void (endOf(ada).peers.k8 = "dan")],
  ["a peer that is missing", /peer missing: cy/, ({ ada }) => void delete endOf(ada).peers.k4],
  ["a peer under an old id", /peer missing: cy \(k9\)/, ({ cy }) => void (endOf(cy).id = "k9")],
  ["a wrong value", /state: ball in the state of ada is \[2\]/, ({ bo }) => {
    endOf(bo).states.k2 = { ball: "[2]" };
  }],
  ["a missing value", /state: ball .* is undefined/, ({ bo }) => void (endOf(bo).states = {})],
  ["a removed value that is still there", /state: old .* is 1, undefined is right/, ({ bo }) => {
    endOf(bo).states.k2.old = "1";
  }],
  ["a room that not all agree about", /state: shared in the room/, ({ cy }) => {
    endOf(cy).room.shared = "2";
  }],
  ["a room's value that is not the last", /room state: score is 1, ada has set it last, to 2/, ({ ada }) => {
    endOf(ada).ownRoom.score = "2";
  }],
  ["a client that did not come back", /not connected/, ({ cy }) => void (endOf(cy).isConnected = false)],
  ["a client that does not answer", /no end/, ({ cy }) => void cy.entries.pop()],
  ["a line that is no event", /strange: received 7/, ({ cy }) => {
    cy.entries.push(...entries({ kind: "strange", what: "received 7" }));
  }],
  ["a witness that was behind", /witness: it was behind/, ({ witness }) => {
    witness.entries.splice(-1, 0, ...entries(lost(1)));
  }],
  ["a clock that goes back", /clock back: now\(\) went back by 0\.500 ms/, ({ ada }) => {
    for (const relayMs of [1000, 999.5]) {
      ada.entries.push({ kind: "clock", atMs: 1000, boundMs: 50, offMs: 0, relayMs });
    }
  }],
  ["a clock that is off", /clock off: now\(\) is off by 60\.0 ms, its bound is 50\.0 ms/, ({ ada }) => {
    ada.entries.push({ kind: "clock", atMs: 1000, boundMs: 50, offMs: 60, relayMs: 1060 });
  }],
  ["a clock that shows no time", /clock: now\(\) is NaN/, ({ ada }) => {
    ada.entries.push({ kind: "clock", atMs: 1000, boundMs: 50, offMs: 0, relayMs: NaN });
  }],
  ["another order among plain clients", /other order: ada#1/, (run) => {
    for (const client of Object.values(run)) client.level = "plain";
    remove(run.bo, "ada", 1);
    run.bo.entries.splice(placeOf(run.bo, "ada", 2) + 1, 0, ...entries(event("ada", 1)));
  }],
];

for (const [name, expected, change] of FAULTY) {
  Deno.test(`check finds ${name}`, () => {
    const run = goodRun();
    change(run);
    const violations = check(Object.values(run));
    const found = violations.find(({ client, what }) => expected.test(`${client} ${what}`));
    assert.ok(found, JSON.stringify(violations));
    assert.equal(found.isNoProof === true, name === "a witness that was behind");
  });
}
