// What the dashboard shows of the relay's numbers, as text and order: members as rows, who is slow and why,
// rates as points. Looks at everything before it believes it. Pure.

import { bytes, count, duration, milliseconds, nameOf, plain } from "../shared/format.ts";
import { at, listAt, maybeNumberAt, numberAt, textAt } from "../shared/json.ts";

/** A member, as far as the relay tells. */
export interface Member {
  name: string;
  id: string;
  room: string;
  kind: string;
  address: string;
  ageMs: number;
  rttMs: number | undefined;
  lagMs: number | undefined;
  behindMs: number;
  behindBytes: number;
  skipped: number;
  in: number;
  out: number;
  errors: number;
  /** Why it counts as slow; empty if it does not. */
  why: string;
}

/** A column of the table of members. */
export interface Column {
  id: string;
  title: string;
  isNumber: boolean;
  /** What stands in the cell; empty for nothing. */
  show(member: Member): string;
  /** What it is sorted by; the larger a number, the worse or the more. */
  key(member: Member): string | number;
}

/** Behind by more than this, in ms, is slow, if the relay gives no reason of its own. */
const SLOW_MS = 500;

/** A round trip of more than this, in ms, is slow. */
const SLOW_RTT_MS = 300;

/** All columns, in order. */
export const COLUMNS: readonly Column[] = [
  column("name", "name", (m) => nameOf(m.name, m.id || m.address), (m) => m.name.toLowerCase()),
  column("room", "room", (m) => plain(m.room, 64), (m) => m.room.toLowerCase()),
  column("kind", "kind", (m) => m.kind, (m) => m.kind),
  column("address", "address", (m) => plain(m.address, 64), (m) => m.address),
  column("age", "here for", (m) => age(m.ageMs), (m) => m.ageMs, true),
  column("rtt", "rtt", (m) => m.rttMs === undefined ? "" : milliseconds(m.rttMs), (m) => m.rttMs ?? -1, true),
  column("lag", "lag", (m) => m.lagMs === undefined ? "" : milliseconds(m.lagMs), (m) => m.lagMs ?? -1, true),
  column("behind", "behind", behind, (m) => m.behindMs + m.behindBytes / 1e9, true),
  column("skipped", "skipped", (m) => m.skipped === 0 ? "" : count(m.skipped), (m) => m.skipped, true),
  column("in", "in", (m) => count(m.in), (m) => m.in, true),
  column("out", "out", (m) => count(m.out), (m) => m.out, true),
  column("errors", "refused", (m) => m.errors === 0 ? "" : count(m.errors), (m) => m.errors, true),
];

/** Reads the members of the relay's answer. */
export function membersOf(stats: unknown): Member[] {
  return listAt(stats, "members").map((member) => {
    const behindMs = numberAt(member, ["behindMs"]);
    const rttMs = maybeNumberAt(member, ["rttMs"]);
    const kind = [textAt(member, "kind"), shortTransport(textAt(member, "transport"))].filter((part) =>
      part !== ""
    );
    const read = {
      name: textAt(member, "name"),
      id: textAt(member, "id"),
      room: textAt(member, "room"),
      kind: plain(kind.join(" "), 40),
      address: textAt(member, "address"),
      ageMs: numberAt(member, ["ageMs"]),
      rttMs,
      lagMs: maybeNumberAt(member, ["lagMs"]),
      behindMs,
      behindBytes: numberAt(member, ["behindBytes"]),
      skipped: numberAt(member, ["skippedLines"]),
      in: numberAt(member, ["in"]),
      out: numberAt(member, ["out"]),
      errors: numberAt(member, ["errors"]),
    };
    return { ...read, why: textAt(member, "slow") || whySlow(behindMs, rttMs) };
  });
}

/** A length of time with its largest unit only: a column is narrow. */
function age(ms: number): string {
  return duration(ms).split(" ").slice(0, 2).join(" ");
}

/** Those that are slow, the slowest first. */
export function slowOf(members: readonly Member[]): Member[] {
  return members.filter(({ why }) => why !== "").sort((a, b) =>
    b.behindMs - a.behindMs || b.behindBytes - a.behindBytes || (b.rttMs ?? 0) - (a.rttMs ?? 0)
  );
}

/** The members that have a text in name, id, room, kind or address, sorted by a column. */
export function chosen(
  members: readonly Member[],
  filter: string,
  by: string,
  isDescending: boolean,
): Member[] {
  const wanted = filter.trim().toLowerCase();
  const { key, isNumber } = COLUMNS.find(({ id }) => id === by) ?? COLUMNS[0];
  const sign = isDescending ? -1 : 1;
  return members
    .filter(({ name, id, room, kind, address }) =>
      wanted === "" || [name, id, room, kind, address].some((text) => text.toLowerCase().includes(wanted))
    )
    .sort((a, b) => {
      const [left, right] = [key(a), key(b)];
      const order = isNumber ? Number(left) - Number(right) : String(left).localeCompare(String(right));
      return sign * order || a.address.localeCompare(b.address);
    });
}

/** A figure on top of the dashboard. */
export interface Tile {
  title: string;
  value: string;
  isAlert: boolean;
}

/** The figures on top, in order. */
export function tilesOf(stats: unknown, slow: number): Tile[] {
  const total = (name: string) => numberAt(stats, ["totals", name]);
  const tile = (title: string, value: string, isAlert = false): Tile => ({ title, value, isAlert });
  return [
    tile("members", count(total("members"))),
    tile("rooms", count(total("rooms"))),
    tile("slow", count(slow), slow > 0),
    tile("lines in", count(total("receivedLines"))),
    tile("lines out", count(total("sentLines"))),
    tile("sent", bytes(total("sentBytes"))),
    tile("skipped", count(total("skippedLines"))),
    tile("bad lines", count(total("errors"))),
  ];
}

/** Lines in and out in one second. */
export interface Rate {
  in: number;
  out: number;
}

/** Lines in and out a second, the oldest first, at most `seconds` of them. */
export function ratesOf(stats: unknown, seconds: number): Rate[] {
  const list = listAt(stats, "rates");
  return list.slice(-seconds).map((rate) => ({
    in: numberAt(rate, ["inLines"]),
    out: numberAt(rate, ["outLines"]),
  }));
}

/** A refusal or warning. */
export interface Fault {
  timeMs: number;
  text: string;
  who: string;
}

/** What was refused of late, and other warnings, the newest first. */
export function faultsOf(stats: unknown): Fault[] {
  return listAt(stats, "errors").map((fault) => ({
    timeMs: numberAt(fault, ["time"]),
    text: plain(
      ["message", "code", "reason"].map((key) => textAt(fault, key)).filter((part) => part !== "").join(": "),
    ),
    who: plain(textAt(fault, "address"), 100),
  })).sort((a, b) => b.timeMs - a.timeMs);
}

/** A value of a room's state. */
export interface Value {
  whose: string;
  key: string;
  value: string;
}

/** The state of a room: its own first, then that of its members. */
export function stateOf(room: unknown): Value[] {
  const values = (state: unknown, whose: string): Value[] =>
    typeof state === "object" && state !== null && !Array.isArray(state)
      ? Object.entries(state).map(([key, value]) => ({
        whose,
        key: plain(key, 64),
        value: plain(JSON.stringify(value) ?? ""),
      }))
      : [];
  return [
    ...values(at(room, "state"), "the room"),
    ...listAt(room, "members").flatMap((member) =>
      values(at(member, "state"), nameOf(textAt(member, "name"), textAt(member, "id")))
    ),
  ];
}

/** A line of a room. */
export interface Line {
  timeMs: number;
  who: string;
  text: string;
}

/** The last lines of a room, the oldest first. */
export function linesOf(room: unknown): Line[] {
  return listAt(room, "lines").map((line) => ({
    timeMs: numberAt(line, ["time"]),
    who: textAt(line, "from") === "" ? "" : nameOf(textAt(line, "from"), textAt(line, "id")),
    text: plain(textAt(line, "text")),
  }));
}

/**
 * Joins what was shown of a room with what there is now, and returns the newest `most` of them: the relay
 * lets go of lines once everybody has them, so that its list may begin anew at any time.
 */
export function continued(before: readonly Line[], now: readonly Line[], most: number): Line[] {
  let common = Math.min(before.length, now.length);
  const isCommon = (text: string, i: number) => before[before.length - common + i].text === text;
  while (common > 0 && !now.slice(0, common).every(({ text }, i) => isCommon(text, i))) common--;
  return [...before, ...now.slice(common)].slice(-most);
}

function column(
  id: string,
  title: string,
  show: (member: Member) => string,
  key: (member: Member) => string | number,
  isNumber = false,
): Column {
  return { id, title, show, key, isNumber };
}

function behind({ behindMs, behindBytes }: Member): string {
  if (behindMs < 1 && behindBytes === 0) return "";
  return behindBytes === 0 ? milliseconds(behindMs) : `${milliseconds(behindMs)}, ${bytes(behindBytes)}`;
}

function whySlow(behindMs: number, rttMs: number | undefined): string {
  if (behindMs > SLOW_MS) {
    return `behind by ${duration(Math.max(1000, behindMs))}: reads more slowly than the room speaks`;
  }
  if (rttMs !== undefined && rttMs > SLOW_RTT_MS) {
    return `round trip of ${milliseconds(rttMs)}: a slow network, or a busy program`;
  }
  return "";
}

function shortTransport(transport: string): string {
  return { websocket: "web" }[transport] ?? transport;
}
