// How old is what a session receives, by the relay's clock as it is known here: what is too old is counted,
// not used. Joins the clock, which answers to pings set, and the marks of time in the stream; when pings go
// out is decided elsewhere. Pure: it is given a clock.
//
//   $pong ─→ clock ─┐
//   $time ──────────┴─→ isStale? ─→ drop(line) ─→ takeStale()

import { RelayClock } from "./clock.ts";
import { Freshness } from "./freshness.ts";
import type { LineCount } from "./lost.ts";

/**
 * After so many answers to pings during which all events were too old, but not by the relay's clock, the
 * clock is doubted.
 */
const DOUBT_PONGS = 3;

const encoder = new TextEncoder();

/** Judges what comes over the connections of a session. */
export class StreamAge {
  readonly #now: () => number;
  readonly #freshness = new Freshness();
  #maxLagMs = Infinity;
  /** When the connection in use began: an answer to a ping from before measures nothing. */
  #beganAtMs = 0;
  /** The answers to pings since events have been too old. */
  #stalePongs = 0;
  #stale: LineCount = { lines: 0, bytes: 0 };

  /** The relay's clock. */
  readonly clock = new RelayClock();

  /** Makes a judge who has seen nothing; `now` is a clock in ms that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How old the newest received thing was when it came, in ms. */
  get lagMs(): number {
    return this.#freshness.lagMs;
  }

  /** Whether what comes now is too old. */
  get isStale(): boolean {
    return this.#freshness.isStale;
  }

  /** Whether what comes now is what a break held back. */
  get isRepairing(): boolean {
    return this.#freshness.isRepairing;
  }

  /** Begins with a connection, opened by a hello and the relay's answer to it. */
  begin(sentAtMs: number, receivedAtMs: number, relayTimeMs: number, maxLagMs: number): void {
    this.clock.addSample({ sentAtMs, receivedAtMs, relayTimeMs });
    [this.#beganAtMs, this.#maxLagMs] = [receivedAtMs, maxLagMs];
  }

  /**
   * Goes on with the stream after a break, at `relayTimeMs`: what was missed comes first, and is never stale.
   */
  repair(relayTimeMs: number): void {
    this.#freshness.repair(relayTimeMs);
  }

  /** Forgets the last mark: another stream begins, or this one skips to its newest line. */
  reset(): void {
    this.#freshness.reset();
  }

  /** Looks at the age of what follows the last mark, before more of it is read. */
  check(): void {
    this.#freshness.check(this.#relayNow(), this.#maxAgeMs());
  }

  /** Notes a mark: what follows was received by the relay then, or later. */
  mark(relayTimeMs: number): void {
    this.#freshness.mark(relayTimeMs, this.#relayNow(), this.#maxAgeMs());
  }

  /**
   * Notes an answer to a ping. One that this program was too busy to read (`isMeasure` is false) tells
   * nothing of the network, but what it says of the clock holds; one to a ping of an earlier connection tells
   * nothing.
   */
  notePong(sentAtMs: number, receivedAtMs: number, relayTimeMs: number, isMeasure: boolean): void {
    if (sentAtMs < this.#beganAtMs || sentAtMs > receivedAtMs) return;
    // All that comes is too old, and goes on being so, but not by the relay's own word: is it the clock that
    // is wrong?
    const isDoubtful = this.isStale && this.#freshness.isFreshBy(relayTimeMs, this.#maxLagMs);
    this.#stalePongs = isDoubtful ? this.#stalePongs + 1 : 0;
    if (this.#stalePongs >= DOUBT_PONGS) this.clock.doubt();
    this.clock.addSample({ sentAtMs, receivedAtMs, relayTimeMs }, isMeasure);
    if (isMeasure) this.#freshness.pong(relayTimeMs, this.#relayNow());
    this.check();
  }

  /** Counts a line, without its LF, that is too old. */
  drop(line: string): void {
    this.#stale.lines++;
    this.#stale.bytes += encoder.encode(line).length + 1;
  }

  /** Returns what was dropped since the last call; `undefined` if nothing was. */
  takeStale(): LineCount | undefined {
    if (this.#stale.lines === 0) return undefined;
    const stale = this.#stale;
    this.#stale = { lines: 0, bytes: 0 };
    return stale;
  }

  /** What the relay's dashboard shows of this connection, in ms, once it is known. */
  measure(): Record<string, number> {
    const { rttMs } = this.clock;
    return Number.isNaN(rttMs) ? {} : { rtt: toTenths(rttMs), lag: toTenths(this.lagMs) };
  }

  #relayNow(): number {
    return this.clock.now(this.#now());
  }

  /** How old an event may seem to be: what the clock may be wrong by is no age. */
  #maxAgeMs(): number {
    return this.#maxLagMs + this.clock.rttMs + this.clock.errorBoundMs(this.#now());
  }
}

function toTenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
