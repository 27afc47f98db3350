// The numbers a player sees: rates per second, and the two ways to write them, as the status line of the game
// and as the line a second that is printed without a terminal. Pure: totals and time are passed in.

import { type Drawing, STRATEGIES } from "./remote_balls.ts";

/** How often the rates are computed anew, in milliseconds. */
const RATE_EVERY_MS = 1_000;

const QUIT_KEY = " | q: quit";

/** A terminal so narrow that fewer columns than this are left shows no key. */
const MIN_NUMBERS_COLS = 20;

/** What has been counted since the start. */
export interface Totals {
  frames: number;
  received: number;
  sent: number;
}

/** Turns totals into rates, once a second. */
export class Rates {
  #rates: Totals = { frames: 0, received: 0, sent: 0 };
  #before: Totals = { frames: 0, received: 0, sent: 0 };
  #beforeMs: number;
  #frames = 0;

  constructor(nowMs: number) {
    this.#beforeMs = nowMs;
  }

  /** Returns how many there were per second, in the last whole second; zero before that is over. */
  get perSecond(): Readonly<Totals> {
    return this.#rates;
  }

  /**
   * Counts a frame, and takes the other totals; returns true, once a second, when {@linkcode perSecond} is
   * new.
   */
  frame({ received, sent }: Omit<Totals, "frames">, nowMs: number): boolean {
    const totals = { frames: ++this.#frames, received, sent };
    const elapsedMs = nowMs - this.#beforeMs;
    if (elapsedMs < RATE_EVERY_MS) return false;
    const rate = (name: keyof Totals) => Math.round((totals[name] - this.#before[name]) * 1000 / elapsedMs);
    this.#rates = { frames: rate("frames"), received: rate("received"), sent: rate("sent") };
    this.#before = totals;
    this.#beforeMs = nowMs;
    return true;
  }
}

/** A member as it is shown. */
export interface MemberReport {
  name: string;
  /** Its way to the relay and back, as it says, in milliseconds. */
  rttMs?: number;
  /** How many golden balls it has caught. */
  points?: number;
  /** Whether it drops them. */
  isHost?: boolean;
}

/** Who is in the room. */
export interface RosterReport {
  room: string;
  own: MemberReport;
  others: readonly MemberReport[];
}

/** All that is told of a game at one moment. */
export interface Report {
  /** The client's word for it: connecting, connected, reconnecting, closed. */
  connection: string;
  /** Where to, or why not. */
  detail: string;
  perSecond: Readonly<Totals>;
  own: number;
  others: number;
  ignored: number;
  /** Who is in the room; none before there is a session, and for plain clients. */
  roster?: RosterReport;
  drawing: Drawing;
}

/** All that is told of a split screen at one moment. */
export interface SplitReport {
  drawing: Drawing;
  /** The network in between, as it was named. */
  network: string;
  /**
   * How far off what is drawn was in the last second, in units: root mean square, and the worst ball in any
   * frame.
   */
  rms: number;
  worst: number;
  /** How long ago what is drawn was, in milliseconds. */
  delayMs: number;
  perSecond: Readonly<Totals>;
}

/** Returns how balls are drawn, strategy and walls, with the keys that change it. */
function drawingParts({ strategy, walls }: Drawing): [strategy: string, walls: string] {
  return [`${STRATEGIES.indexOf(strategy) + 1}: ${strategy}`, `w: walls ${walls ? "known" : "unknown"}`];
}

/**
 * Returns the status line for a terminal of `cols` columns. `q` stays in sight on the right; of the numbers,
 * as many as there is room for, whole. What is wrong with the connection comes first, where it goes comes
 * last; 80 columns show what the keys 1 to 5 have done.
 */
export function statusLine(report: Report, cols: number): string {
  const { connection, detail, perSecond, own, others, drawing } = report;
  const isConnected = connection === "connected";
  const [strategy, walls] = drawingParts(drawing);
  const parts = [
    isConnected ? " connected" : ` ${connection}: ${detail}`,
    `${own} balls, ${others} others`,
    strategy,
    `in ${perSecond.received}/s, out ${perSecond.sent}/s`,
    walls,
    `${perSecond.frames} frames/s`,
    ...(isConnected ? [detail] : []),
  ];
  return fitted(parts, cols);
}

/** Returns the status line of the split screen: the error comes first. */
export function splitStatusLine(report: SplitReport, cols: number): string {
  const { drawing, network, rms, worst, delayMs, perSecond } = report;
  return fitted([
    ` error ${rms.toFixed(1)} px, worst ${worst.toFixed(1)}`,
    ...drawingParts(drawing),
    `${delayMs.toFixed(0)} ms late`,
    `${perSecond.received} updates/s`,
    `${perSecond.frames} frames/s`,
    network,
  ], cols);
}

function fitted(parts: readonly string[], cols: number): string {
  const room = cols - QUIT_KEY.length;
  if (room < MIN_NUMBERS_COLS) return parts[0];
  let numbers = parts[0];
  for (const part of parts.slice(1)) {
    const longer = `${numbers} | ${part}`;
    if (longer.length > room) break;
    numbers = longer;
  }
  return numbers.slice(0, room).padEnd(room) + QUIT_KEY;
}

/**
 * Returns who is there, we first, for a terminal of `cols` columns: as many as there is room for, and how
 * many more.
 */
export function rosterLine({ room, own, others }: RosterReport, cols: number): string {
  let line = ` ${room}: ${described({ ...own, name: `${own.name} (you)` })}`;
  for (const [i, member] of others.entries()) {
    const longer = `${line} | ${described(member)}`;
    const left = others.length - i - 1;
    const more = left > 0 ? ` | +${left}` : "";
    if (longer.length + more.length > cols) return `${line} | +${left + 1}`;
    line = longer;
  }
  return line;
}

function described({ name, rttMs, points, isHost }: MemberReport): string {
  const who = `${name}${isHost ? " (host)" : ""}${points ? ` *${points}` : ""}`;
  return rttMs === undefined ? who : `${who} ${milliseconds(rttMs)} ms`;
}

/** Two digits that matter, no more. */
function milliseconds(ms: number): string {
  return ms < 9.95 ? ms.toFixed(1) : ms.toFixed(0);
}

/**
 * Returns the line a second: `key=value`, so that scripts can read it; in a session it ends with the room's
 * members.
 */
export function statusRecord({ connection, perSecond, own, others, ignored, roster }: Report): string {
  const session = roster === undefined
    ? ""
    : ` members=${roster.others.length + 1} rtt=${milliseconds(roster.own.rttMs ?? 0)}${goldRecord(roster)}`;
  return `connection=${connection} frames/s=${perSecond.frames} in/s=${perSecond.received} ` +
    `out/s=${perSecond.sent} own=${own} others=${others} ignored=${ignored}${session}`;
}

/** Tells who drops golden balls, and how many were caught: our own, and all. */
function goldRecord({ own, others }: RosterReport): string {
  const members = [own, ...others];
  const host = members.find(({ isHost }) => isHost);
  const caught = members.reduce((sum, { points = 0 }) => sum + points, 0);
  if (host === undefined || caught === 0) return "";
  const name = host.name.replaceAll(/[\s=]/gu, "_");
  return ` host=${name} points=${own.points ?? 0} caught=${caught}`;
}

/** The same for the split screen. */
export function splitStatusRecord({ drawing, rms, worst, delayMs, perSecond }: SplitReport): string {
  return `strategy=${drawing.strategy} walls=${drawing.walls ? "known" : "unknown"} error=${
    rms.toFixed(2)
  } ` +
    `worst=${worst.toFixed(1)} delay=${delayMs.toFixed(0)} frames/s=${perSecond.frames} ` +
    `in/s=${perSecond.received} out/s=${perSecond.sent}`;
}
