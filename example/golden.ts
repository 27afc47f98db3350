// The rules of the golden ball, the same in the terminal and in a page: the host of the room drops one every
// few seconds; who touches it first has caught it, and gets a point. Ball, catches and points are state of
// the room, so newcomers know them at once, and another host goes on where the last one stopped. The host may
// be a program that does not play: then a player drops it, a bit later. No picture, no clock of its own.
//
//   gold = { n: 7, x, y, t }      the host's: the newest ball, and when it was dropped
//   drop 7 = "k2"                 claimed by who drops it where the host does not, until that is done
//   catch 7 = { by, name }        claimed by who touches it: exactly one can
//   points ada = 3                counted by who has caught one

import { type Ball, HEIGHT, RADIUS, WIDTH } from "./walls.ts";

/**
 * How long after the last one a golden ball is dropped, once that is caught; and if nobody catches it, in ms.
 */
export const DROP_MS = 4000;
export const STALE_MS = 20_000;

/** How long players wait for the host to drop one that is due before one of them does, in ms. */
export const LATE_MS = 3000;

/** How many points are shown, and the most that count: strangers may set anything. */
const MAX_SHOWN = 8;
const MAX_POINTS = 1e6;

const GOLD_KEY = "gold";
const POINTS_START = "points ";

/** A golden ball. */
export interface Gold extends Ball {
  /** Which one it is, from 1 on. */
  readonly n: number;
  /** When it was dropped, in ms on the relay's clock. */
  readonly t: number;
}

/** Who has how many. */
export interface Points {
  readonly name: string;
  readonly points: number;
}

/** What the game needs of a relay. */
export interface GoldRelay {
  readonly id: string;
  readonly name: string;
  readonly isHost: boolean;
  readonly state: Readonly<Record<string, unknown>>;
  set(key: string, value: unknown, options: { room: true }): void;
  unset(key: string, options: { room: true }): void;
  claim(key: string, value: unknown, options?: { hold?: boolean }): Promise<boolean>;
}

/** The golden ball as one player plays it. */
export class Golden {
  readonly #random: () => number;
  /** The last ball that we reached for. */
  #reachedFor = 0;
  /** The last ball that we dropped, and when. */
  #last = { dropped: 0, t: 0 };
  /** Since when we, who are not the host, see that one is due. */
  #dueSince: number | undefined;

  /** @param random where the next one is dropped: 0 up to 1 */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /**
   * Plays a frame: drops the next ball if that is on us, and reaches for the one that `balls`, ours, touch.
   * To be called often.
   */
  step(relay: GoldRelay, balls: Iterable<Ball>, nowMs: number): void {
    this.#dropIfDue(relay, nowMs);
    const gold = goldOf(relay.state);
    if (gold === undefined || gold.n === this.#reachedFor || !isTouched(gold, balls)) return;
    this.#reachedFor = gold.n;
    this.#reach(relay, gold.n).catch(() => {}); // the connection was away for too long: another one has it, or nobody
  }

  #dropIfDue(relay: GoldRelay, nowMs: number): void {
    const last = readGold(relay.state[GOLD_KEY]);
    const isEarly = last !== undefined && !isDue(relay.state, last, nowMs);
    if (relay.isHost || isEarly) this.#dueSince = undefined;
    if (isEarly) return;
    const n = (last?.n ?? 0) + 1;
    if (this.#last.dropped === n && Math.abs(nowMs - this.#last.t) < DROP_MS) return; // it is on its way
    if (!relay.isHost) {
      this.#dueSince ??= nowMs;
      if (Math.abs(nowMs - this.#dueSince) < LATE_MS) return;
    }
    this.#last = { dropped: n, t: nowMs };
    if (relay.isHost) this.#drop(relay, n, nowMs);
    else this.#dropForHost(relay, n, nowMs).catch(() => {}); // the connection was away for too long
  }

  #drop(relay: GoldRelay, n: number, nowMs: number): void {
    const place = (size: number) => Math.round(RADIUS + this.#random() * (size - 2 * RADIUS));
    relay.set(GOLD_KEY, { n, x: place(WIDTH), y: place(HEIGHT), t: Math.round(nowMs) }, { room: true });
    for (const key of Object.keys(relay.state)) {
      const old = /^catch (\d+)$/.exec(key);
      if (old !== null && Number(old[1]) < n - 1) relay.unset(key, { room: true });
    }
  }

  async #dropForHost(relay: GoldRelay, n: number, nowMs: number): Promise<void> {
    const key = `drop ${n}`;
    if (!await relay.claim(key, relay.id, { hold: true })) return;
    if ((readGold(relay.state[GOLD_KEY])?.n ?? 0) < n) this.#drop(relay, n, nowMs);
    relay.unset(key, { room: true });
  }

  async #reach(relay: GoldRelay, n: number): Promise<void> {
    const { id, name } = relay, who = name === "" ? id : name;
    if (!await relay.claim(catchKey(n), { by: id, name: who })) return;
    const key = POINTS_START + who;
    relay.set(key, readPoints(relay.state[key]) + 1, { room: true });
  }
}

/** Finds the golden ball that lies there; undefined if there is none, or somebody has caught it. */
export function goldOf(state: Readonly<Record<string, unknown>>): Gold | undefined {
  const gold = readGold(state[GOLD_KEY]);
  return gold === undefined || catchKey(gold.n) in state ? undefined : gold;
}

/** Who has how many points, the most first. */
export function pointsOf(state: Readonly<Record<string, unknown>>): Points[] {
  const all: Points[] = [];
  for (const [key, value] of Object.entries(state)) {
    const points = readPoints(value);
    if (key.startsWith(POINTS_START) && points > 0) {
      all.push({ name: key.slice(POINTS_START.length), points });
    }
  }
  return all.sort((a, b) => b.points - a.points || (a.name < b.name ? -1 : 1)).slice(0, MAX_SHOWN);
}

function isDue(state: Readonly<Record<string, unknown>>, last: Gold, nowMs: number): boolean {
  const ageMs = nowMs - last.t;
  return ageMs >= (catchKey(last.n) in state ? DROP_MS : STALE_MS) || ageMs < -STALE_MS; // another clock
}

function isTouched(gold: Gold, balls: Iterable<Ball>): boolean {
  for (const { x, y } of balls) if ((x - gold.x) ** 2 + (y - gold.y) ** 2 <= (2 * RADIUS) ** 2) return true;
  return false;
}

function catchKey(n: number): string {
  return `catch ${n}`;
}

/** Reads a golden ball out of what anybody may have set. */
function readGold(value: unknown): Gold | undefined {
  const { n, x, y, t } = (value ?? {}) as Record<string, unknown>;
  if (!isWithin(n, Number.MAX_SAFE_INTEGER - 1) || !Number.isInteger(n)) return undefined;
  if (!isWithin(x, WIDTH) || !isWithin(y, HEIGHT)) return undefined;
  if (typeof t !== "number" || !Number.isFinite(t)) return undefined;
  return { id: GOLD_KEY, n, x, y, t };
}

function isWithin(value: unknown, most: number): value is number {
  return typeof value === "number" && value >= 0 && value <= most;
}

function readPoints(value: unknown): number {
  return Number.isSafeInteger(value) && value as number > 0 && value as number < MAX_POINTS
    ? value as number
    : 0;
}
