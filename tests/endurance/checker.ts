// The judge of a run: histories in, violations of docs/PROTOCOL.md out. It knows all that was sent, and in
// which order a witness in each room saw it. Pure; nothing of eventrelay's code is used here.
//
//   witness    a1 b1 +k3 a2 b2 a3 b3 b4        +k3: the member k3 joined here
//   k3                   a2    a3 [2 lost]     b3 and b4 are missing after a3, and 2 are told there: fine;
//                                              b2 is missing and not told: a violation

import type { Entry, EventName, History, Values } from "./history.ts";

/** What was promised and did not hold. */
export interface Violation {
  client: string;
  what: string;
  /**
   * Says nothing about the relay and the clients: a witness was behind itself, so its room can't be judged.
   */
  isNoProof?: boolean;
}

/** The most violations of one kind that are told of one client. */
const MAX_OF_A_KIND = 3;

/** Why others' events are told as lost; all other reasons are about one's own. */
const OF_OTHERS = new Set(["behind", "stale", "inbox"]);

/** The most events of members that say little that may follow a `$lost` from among what was skipped. */
const MAX_QUIET_EVENTS = 500;

/** Checks a whole run; an empty list is what should come out. */
export function check(histories: readonly History[]): Violation[] {
  const violations: Violation[] = [];
  for (const room of new Set(histories.map((history) => history.room))) {
    const members = histories.filter((history) => history.room === room);
    const report = new Report(violations);
    const sent = new Map(members.map((member) => [member.name, member]));
    for (const member of members) {
      checkEvents(member, sent, report);
      checkClock(member, report);
      if (member.level === "session") checkPresence(member, sent, report);
    }
    if (areWitnessesGood(members, report)) {
      for (const level of ["session", "plain"] as const) {
        checkAgainstWitness(members.filter((member) => member.level === level), level, report);
      }
      checkArrivals(members, report);
    }
    checkEnd(members.filter(({ level, isThere }) => level === "session" && isThere), report);
  }
  return violations;
}

/** Gathers violations, only so many of a kind and client. */
class Report {
  readonly #violations: Violation[];
  readonly #counts = new Map<string, number>();

  constructor(violations: Violation[]) {
    this.#violations = violations;
  }

  add(client: string, kind: string, what: string, more: Pick<Violation, "isNoProof"> = {}): void {
    const key = `${client} ${kind}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count <= MAX_OF_A_KIND) this.#violations.push({ client, what: `${kind}: ${what}`, ...more });
  }
}

type Received = Extract<Entry, { kind: "event" }>;

function keyOf({ from, number }: EventName): string {
  return `${from}#${number}`;
}

/** No event twice, each sender's in order, none that was not sent here, and nothing that is no event. */
function checkEvents({ name, entries }: History, members: Map<string, History>, report: Report): void {
  const highest = new Map<string, number>();
  const seen = new Set<string>();
  const sentCounts = new Map<string, number>();
  for (const [sender, history] of members) {
    sentCounts.set(sender, history.isComplete ? countSent(history) : Infinity);
  }
  for (const entry of entries) {
    if (entry.kind === "strange") report.add(name, "strange", entry.what);
    if (entry.kind !== "event") continue;
    const { from, number } = entry;
    if (!(number <= (sentCounts.get(from) ?? 0))) {
      report.add(name, "unknown", `${keyOf(entry)} was received, and not sent in this room`);
    }
    if (from === name) report.add(name, "echo", `its own ${keyOf(entry)} came back`);
    const before = highest.get(from) ?? 0;
    if (seen.has(keyOf(entry))) report.add(name, "doubled", `${keyOf(entry)} was received twice`);
    else if (number < before) report.add(name, "reordered", `${keyOf(entry)} came after ${from}#${before}`);
    seen.add(keyOf(entry));
    highest.set(from, Math.max(before, number));
  }
}

function countSent({ entries }: History): number {
  let count = 0;
  for (const entry of entries) if (entry.kind === "sent") count = Math.max(count, entry.number);
  return count;
}

/** The clock never goes back, and is as near as it promises. */
function checkClock({ name, entries }: History, report: Report): void {
  let last = -Infinity;
  for (const entry of entries) {
    if (entry.kind !== "clock") continue;
    const { relayMs, offMs, boundMs } = entry;
    if (!Number.isFinite(relayMs)) report.add(name, "clock", `now() is ${relayMs}`);
    if (relayMs < last) {
      report.add(name, "clock back", `now() went back by ${(last - relayMs).toFixed(3)} ms`);
    }
    last = Math.max(last, relayMs);
    if (offMs > boundMs) {
      report.add(
        name,
        "clock off",
        `now() is off by ${offMs.toFixed(1)} ms, its bound is ${boundMs.toFixed(1)} ms`,
      );
    }
  }
}

/**
 * Events only of those who are there, by what the client itself was told; nobody comes who is there, or
 * leaves who is not.
 */
function checkPresence({ name, entries }: History, members: Map<string, History>, report: Report): void {
  let there: Map<string, string> | undefined;
  let isLate = false;
  for (const entry of entries) {
    switch (entry.kind) {
      case "opened":
        if (entry.peers !== undefined) {
          there = new Map(entry.peers);
          isLate = entry.isLate === true;
        }
        break;
      case "join":
        if (there?.has(entry.id) && !isLate) {
          report.add(name, "joined twice", `${entry.id} joined and was there`);
        }
        there?.set(entry.id, entry.name);
        break;
      case "leave":
        if (there?.delete(entry.id) === false && !isLate) {
          report.add(name, "left twice", `${entry.id} left and was not there`);
        }
        break;
      case "event": {
        // By name, as an event may have waited in its sender until a new session had another id.
        if (there === undefined || members.get(entry.from)?.level !== "session") break;
        if (![...there.values()].includes(entry.from)) {
          report.add(name, "not there", `${keyOf(entry)} came while ${entry.from} was not in the room`);
        }
      }
    }
  }
}

/** What a witness saw: events in the relay's order, and where members joined. */
interface Reference {
  name: string;
  /** Who sent what stands at each place, and where an event stands. */
  senders: string[];
  places: Map<string, number>;
  joins: Map<string, number>;
}

/** A witness that was behind knows too little: nothing can be said about its room. */
function areWitnessesGood(members: readonly History[], report: Report): boolean {
  const behind = members.filter(({ isWitness, entries }) =>
    isWitness && entries.some(({ kind }) => kind === "lost")
  );
  for (const { name } of behind) {
    const what = "it was behind itself, so this run proves nothing";
    report.add(name, "witness", what, { isNoProof: true });
  }
  return behind.length === 0;
}

function readReference({ name, entries }: History): Reference {
  const reference: Reference = { name, senders: [], places: new Map(), joins: new Map() };
  const { senders, places, joins } = reference;
  for (const entry of entries) {
    if (entry.kind === "event" && !places.has(keyOf(entry))) {
      places.set(keyOf(entry), senders.length);
      senders.push(entry.from);
    } else if (entry.kind === "join" && !joins.has(entry.id)) joins.set(entry.id, senders.length);
  }
  return reference;
}

/** The same order for all of a level; and for sessions: what is missing at a gap is what was told there. */
function checkAgainstWitness(members: History[], level: "session" | "plain", report: Report): void {
  const witness = members.find((member) => member.isWitness);
  if (witness === undefined) return;
  const reference = readReference(witness);
  for (const member of members) {
    if (member === witness) continue;
    if (level === "plain") checkOrder(member, reference, report);
    else for (const life of livesOf(member)) checkLife(member, life, reference, report);
  }
}

function checkOrder({ name, entries }: History, { places }: Reference, report: Report): void {
  let last = -1;
  for (const entry of entries) {
    if (entry.kind !== "event") continue;
    const place = places.get(keyOf(entry));
    if (place === undefined) continue;
    if (place < last) report.add(name, "other order", `${keyOf(entry)} came earlier for the witness`);
    last = place;
  }
}

/** One session of a client, from its welcome on until it can't be resumed. */
interface Life {
  id: string;
  entries: Entry[];
  /** Whether the client was in it until the run ended, so that all should be there. */
  isLast: boolean;
}

function livesOf({ entries, isThere }: History): Life[] {
  const lives: Life[] = [];
  let life: Life = { id: "", entries: [], isLast: false };
  for (const entry of entries) {
    if (entry.kind === "opened" && !entry.resumed) {
      // What came before a late opening is of the same life.
      life = { id: entry.id, entries: entry.isLate ? life.entries : [], isLast: false };
      lives.push(life);
    } else life.entries.push(entry);
  }
  if (lives.length > 0) lives.at(-1)!.isLast = isThere;
  return lives;
}

function checkLife({ name }: History, life: Life, reference: Reference, report: Report): void {
  const { senders, places, joins } = reference;
  // Who was there before the witness came is followed from its first event on.
  let next = joins.get(life.id);
  const told = new Told(name, report);
  const missingUpTo = (end: number) => {
    let missing = 0;
    for (let place = next!; place < end; place++) if (senders[place] !== name) missing++;
    return missing;
  };
  for (const entry of life.entries) {
    if (entry.kind === "lost" && OF_OTHERS.has(entry.reason)) told.tell(entry);
    if (entry.kind !== "event") continue;
    const place = places.get(keyOf(entry));
    if (place === undefined) {
      if (next !== undefined) {
        report.add(name, "unseen", `${keyOf(entry)} was received, and ${reference.name} has never seen it`);
      }
      continue;
    }
    next ??= place;
    if (place < next) {
      const why = joins.get(life.id) === next ? "is from before its $join" : "came earlier for the witness";
      report.add(name, "other order", `${keyOf(entry)} ${why}`);
      continue;
    }
    told.settle(missingUpTo(place), `before ${keyOf(entry)}`);
    next = place + 1;
  }
  if (life.isLast && next !== undefined) {
    told.settle(missingUpTo(senders.length), "at the end");
    told.end("at the end");
  }
}

/**
 * What was told as lost and has not been found missing yet. A `$lost` stands before what it is about, and
 * events of members that say little may follow it from among what was skipped: so it is good for the gaps
 * behind it, but not for ever.
 */
class Told {
  readonly #name: string;
  readonly #report: Report;
  #lines = 0;
  #list: string[] = [];
  #eventsSince = 0;

  constructor(name: string, report: Report) {
    this.#name = name;
    this.#report = report;
  }

  tell({ lines, reason }: Extract<Entry, { kind: "lost" }>): void {
    this.#lines += lines;
    this.#list.push(`${lines} ${reason}`);
    this.#eventsSince = 0;
  }

  /** So many are missing before the event that came now. */
  settle(missing: number, where: string): void {
    if (missing > this.#lines) {
      this.#report.add(this.#name, "unreported", `${missing} events are missing ${where}, ${this.#saying()}`);
    }
    this.#lines = Math.max(0, this.#lines - missing);
    if (this.#lines === 0) this.#list = [];
    else if (++this.#eventsSince > MAX_QUIET_EVENTS) this.end(where);
  }

  /** Nothing more can be missing. */
  end(where: string): void {
    if (this.#lines > 0) {
      this.#report.add(this.#name, "told too much", `none is missing ${where}, ${this.#saying()}`);
    }
    this.#lines = 0;
    this.#list = [];
  }

  #saying(): string {
    return `${this.#lines} were told (${this.#list.join(", ") || "none"})`;
  }
}

/** What reached nobody is known to its sender: as unconfirmed, or as never sent. */
function checkArrivals(members: readonly History[], report: Report): void {
  const arrived = new Set<string>();
  for (const { entries } of members) {
    for (const entry of entries) if (entry.kind === "event") arrived.add(keyOf(entry));
  }
  for (const { name, level, entries, isComplete, isThere } of members) {
    // A plain client, and one that has closed, can't know what was under way when their connection broke.
    if (level === "plain" || !isComplete || !isThere) continue;
    const missing: number[] = [];
    let told = 0, unsent = 0, sent = 0;
    for (const entry of entries) {
      if (entry.kind === "sent") sent = entry.number;
      if (entry.kind === "sent" && !arrived.has(keyOf({ from: name, number: entry.number }))) {
        missing.push(entry.number);
      }
      if (entry.kind === "lost" && !OF_OTHERS.has(entry.reason)) told += entry.lines;
      if (entry.kind === "end") unsent = entry.unsent;
    }
    told += unsent;
    if (missing.length > told) {
      const which = `${missing.slice(0, 20).join(", ")} of ${sent}`;
      report.add(
        name,
        "vanished",
        `${missing.length} of its events (${which}) reached nobody, it was told of ${told}`,
      );
    }
  }
}

/** At the end everybody knows who is there and what state they have, and agrees about the room's. */
function checkEnd(present: readonly History[], report: Report): void {
  const ends = new Map<string, Extract<Entry, { kind: "end" }>>();
  for (const { name, entries } of present) {
    const end = entries.findLast((entry) => entry.kind === "end");
    if (end === undefined) report.add(name, "no end", "it has not said what it holds");
    else if (!end.isConnected) report.add(name, "not connected", "it did not come back");
    else ends.set(name, end);
  }
  if (ends.size < present.length) return; // the others would only be reported for that
  for (const [name, end] of ends) {
    for (const [other, { id, own }] of ends) {
      if (other === name) continue;
      if (end.peers[id] !== other) {
        report.add(name, "peer missing", `${other} (${id}) is there, and not in its peers`);
      } else compareValues(name, `the state of ${other}`, end.states[id] ?? {}, own, report);
    }
    for (const id of Object.keys(end.peers)) {
      if (![...ends.values()].some((other) => other.id === id)) {
        report.add(name, "ghost", `${end.peers[id]} (${id}) is gone, and in its peers`);
      }
    }
  }
  const [first] = ends;
  if (first === undefined) return;
  for (const [name, end] of ends) {
    compareValues(name, `the room, as ${first[0]} has it`, end.room, first[1].room, report);
    for (const [owner, { ownRoom }] of ends) {
      for (const [key, value] of Object.entries(ownRoom)) {
        if (end.room[key] === value) continue;
        report.add(name, "room state", `${key} is ${end.room[key]}, ${owner} has set it last, to ${value}`);
      }
    }
  }
}

function compareValues(name: string, whose: string, is: Values, should: Values, report: Report): void {
  for (const key of new Set([...Object.keys(is), ...Object.keys(should)])) {
    if (is[key] !== should[key]) {
      report.add(name, "state", `${key} in ${whose} is ${is[key]}, ${should[key]} is right`);
    }
  }
}
