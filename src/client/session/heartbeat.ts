// When to ping, and when a silent connection counts as dead. Pure: the caller passes time and does what it is
// told.

/**
 * The pings with which a connection begins, and the ms between them: enough to set the clock before anybody
 * notices.
 */
const FIRST_PINGS = 8;
const FIRST_PINGS_MS = 50;

/** The ms between two pings while something is sent or received. */
const ACTIVE_PING_MS = 1000;

/** The ms between two pings when idle. */
const IDLE_PING_MS = 5000;

/**
 * How much later than planned, in ms, a tick has to come to show that the program was busy with something
 * else.
 */
const BLOCKED_MS = 250;

/** What a tick brings. */
export interface Beat {
  /** Whether to send a ping now. */
  isPingDue: boolean;
  /** Whether the other side has been silent for too long, although it was asked. */
  isDead: boolean;
}

/**
 * Plans the pings of one connection.
 *
 * Time during which the program itself was blocked does not count as silence: what had arrived meanwhile has
 * not been read.
 */
export class Heartbeat {
  readonly #timeoutMs: number;
  #pings = 0;
  #lastTickMs: number;
  #plannedMs = 0;
  #sincePingMs = Infinity;
  #silentMs = 0;
  #unblockedAtMs = -Infinity;

  /** Set when events go or come; cleared with each ping. */
  isActive = true;

  /**
   * Makes a heartbeat whose first tick is due at once; `timeoutMs` is how long the other side may be silent.
   */
  constructor(timeoutMs: number, nowMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#lastTickMs = nowMs;
  }

  /** Plans the next tick: returns how long to wait for it, in ms. */
  planTick(): number {
    const periodMs = this.#pings < FIRST_PINGS ? FIRST_PINGS_MS : ACTIVE_PING_MS;
    return this.#plannedMs = Math.min(periodMs, this.#timeoutMs / 3);
  }

  /** Notes that something was received. */
  noteReceived(): void {
    this.#silentMs = 0;
  }

  /** Takes a tick and says what to do. */
  tick(nowMs: number): Beat {
    const elapsedMs = nowMs - this.#lastTickMs;
    if (this.#isLate(nowMs)) this.#unblockedAtMs = nowMs;
    this.#silentMs += Math.min(elapsedMs, this.#plannedMs + BLOCKED_MS);
    this.#sincePingMs += elapsedMs;
    this.#lastTickMs = nowMs;
    const idleMs = Math.min(IDLE_PING_MS, this.#timeoutMs / 3);
    // Timers may come a little early: half a tick is near enough.
    const isPingDue = this.#pings < FIRST_PINGS || this.isActive ||
      this.#sincePingMs + this.#plannedMs / 2 >= idleMs;
    if (isPingDue) {
      this.#pings++;
      this.#sincePingMs = 0;
      this.isActive = false;
    }
    return { isPingDue, isDead: this.#silentMs >= this.#timeoutMs };
  }

  /**
   * Tells whether the answer to a ping sent then, read now, measures the network: not if the program was
   * blocked.
   */
  isMeasure(sentMs: number, nowMs: number): boolean {
    return sentMs > this.#unblockedAtMs && !this.#isLate(nowMs);
  }

  #isLate(nowMs: number): boolean {
    return nowMs - this.#lastTickMs > this.#plannedMs + BLOCKED_MS;
  }
}
