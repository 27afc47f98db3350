// The relay's clock as a client knows it: pings and their answers in, the time on the relay out, with round
// trip and jitter beside it. Reads no clock, sets no timer, sends nothing: the caller passes the local time,
// so a test can play hours of a bad network at once and a browser can use it as it is.
//
//   local  ──sentAtMs───────────────receivedAtMs──▶   offset = relayTimeMs - (sentAtMs + receivedAtMs) / 2
//                    ╲ out      back ╱                it is wrong by (out - back) / 2,
//   relay  ───────────╲─relayTimeMs─╱─────────────▶   so by half the round trip at most

/** How many samples the clock chooses from; the eight stages of NTP's clock filter (RFC 5905, section 10). */
export const CLOCK_SAMPLES = 8;

/**
 * How fast a running clock is corrected, in ms per ms of local time: 5 ms each second, too little to be seen.
 */
export const SLEW_RATE = 0.005;

/**
 * How far apart two clocks may run, in ms per ms: 100 ppm, two crystals with 50 ppm each. A sample is trusted
 * less by so much for each ms of its age. (NTP's PHI, RFC 5905 section 7.2, is 15 ppm, for computers that
 * have been disciplined by NTP before.)
 */
export const MAX_DRIFT = 100e-6;

/**
 * How far, in ms, a sample must lie outside of what is possible to show another clock: what ntpd steps at
 * instead of slewing. To slew so far would take half a minute.
 */
export const FAR_MS = 128;

/**
 * How far, in ms, what is shown may lie outside of what the samples allow and still be slewed: four seconds
 * of slewing. What is wrong by more than that, for sure, is stepped.
 */
export const MAX_SLEW_MS = 20;

/**
 * How long, in ms, `now()` may stand still until the relay's clock has caught up: longer than a late first
 * answer asks for. A clock that is ahead by more goes back instead: a program can live with a jump, but not
 * with a time that stops.
 */
const MAX_STANDSTILL_MS = 1500;

/**
 * By how much, in ms, relay and client may read their clocks too coarsely, together: browsers round to 1 ms.
 */
const RESOLUTION_MS = 2;

/** The share of a new round trip in the smoothed one (alpha in RFC 6298, section 2). */
const RTT_GAIN = 1 / 8;

/** The share of a new difference in the jitter (RFC 3550, section 6.4.1). */
const JITTER_GAIN = 1 / 16;

/** One question to the relay and its answer: a `$ping` and its `$pong`, or a `$hello` and its `$welcome`. */
export interface ClockSample {
  /** When the question was sent: ms on a local clock that never steps, such as `performance.now()`. */
  sentAtMs: number;
  /** When the answer was received, on the same clock. */
  receivedAtMs: number;
  /** The relay's clock when it answered: ms since 1970, with fractions. */
  relayTimeMs: number;
}

interface Measured {
  readonly offsetMs: number;
  readonly rttMs: number;
  readonly sentAtMs: number;
}

/** Between what the offset lies, as known at a local time. */
interface Known {
  leastMs: number;
  mostMs: number;
  atMs: number;
}

/**
 * Tells the time on the relay.
 *
 * *Choice.* Of the last {@linkcode CLOCK_SAMPLES} samples the one with the shortest round trip counts, where
 * a sample's round trip grows with its age by twice {@linkcode MAX_DRIFT}: else, on a network that answers in
 * less than a millisecond, a sample half a minute old would win over a new one by a hair, although the clocks
 * have drifted by more than that since. (So it is the sample whose error has the lowest bound: the "distance"
 * by which RFC 1305, section 4.1, sorts.)
 *
 * *Correction.* The first sample sets the clock. Up to the eighth, a better one corrects it at once: forward
 * in a step; backward unseen if no later time has been told yet, else `now()` stands still until the relay's
 * clock has caught up. So if the first answer is 300 ms late, the clock is wrong by 150 ms, but only until
 * the second one is there; slewed, it would be wrong for 30 s. A caller that sends its first eight pings 50
 * ms apart is done with it before a player notices. After that the clock runs at most {@linkcode SLEW_RATE}
 * faster or slower than the local one, unless what it shows is proved wrong: where it is more than {@linkcode
 * MAX_SLEW_MS} outside of what all samples together allow, it steps to the edge of that. (A relay whose host
 * slept for 10 s answers all pings of that time at once: each of these samples allows for seconds, the first
 * one after them for a millisecond. Slewed, the rest would take minutes.)
 *
 * *Order.* `now()` never decreases within an `epoch`. An epoch ends by `reset()`, by a sample that proves the
 * clock to be another one (see `addSample`), or where `now()` would have to stand still for more than
 * {@linkcode MAX_STANDSTILL_MS}; the next one may begin earlier.
 *
 * *Error.* Each sample says that the offset lies within half its round trip, whatever the network does (F.
 * Cristian, "Probabilistic clock synchronization", Distributed Computing 3, 1989), plus `MAX_DRIFT` times its
 * age. What all samples of one clock allow is the intersection of that (K. Marzullo, 1984); it bounds the
 * error, `errorBoundMs()`, and a poor sample, chosen when there is no better one among the last eight, never
 * leads out of it. The resolution of the two clocks comes on top.
 *
 * *Two clients* A and B that ask `now()` at the same moment are apart by at most (rttA + rttB) / 2, with the
 * round trips of their chosen samples, plus drift and correction as above. If neither direction was faster
 * for the one whose other direction was slower (same way back and a longer way out, say; or both ways longer;
 * or both ways symmetric), it is |rttA - rttB| / 2: half the difference of their round trips. For the error
 * of each is (out - back) / 2, so they are apart by |(outA - outB) - (backA - backB)| / 2, and |p - q| <= |p
 * + q| where p and q have one sign. Where A's way out and B's way back are the slow ones, only the sum holds:
 * round trips may be equal and the clocks still apart.
 */
export class RelayClock {
  #samples: Measured[] = [];
  #best: Measured | undefined;
  #known: Known | undefined;
  // The correction in force: at local time #sinceMs the clock was #offsetMs ahead of the local one, and has
  // been on its way to #targetMs since: the offset of #best, as far as all samples allow.
  #offsetMs = NaN;
  #targetMs = NaN;
  #sinceMs = NaN;
  #lastToldMs = -Infinity;
  #transitMs = NaN;
  #rttMs = NaN;
  #jitterMs = 0;
  #sampleCount = 0;
  #epoch = 0;

  /**
   * Takes a sample. Samples come in the order in which their answers were received.
   *
   * A sample that no drift can bring into line with the others shows that one of the clocks was set, or stood
   * still while the computer slept: earlier samples are forgotten, and the clock slews to the new one. If it
   * is out by more than {@linkcode FAR_MS} (another relay, or restarted on another clock), the clock begins
   * anew as if `reset()` had been called before. A late answer alone never does that: it makes the round trip
   * longer, and what a long round trip says is compatible with much.
   *
   * @param isMeasure whether the round trip is the network's; false if the answer lay there unread for a
   * while, then round trip and jitter stay what they are
   * @throws {TypeError} if a time is not a finite number.
   * @throws {RangeError} if the answer was received before the question was sent.
   */
  addSample(sample: ClockSample, isMeasure = true): void {
    const { sentAtMs, receivedAtMs, relayTimeMs } = sample;
    for (const [name, value] of Object.entries({ sentAtMs, receivedAtMs, relayTimeMs })) {
      if (!Number.isFinite(value)) {
        throw new TypeError(`Cannot add clock sample: ${name} is ${value}, finite numbers are allowed`);
      }
    }
    if (receivedAtMs < sentAtMs) {
      throw new RangeError(
        `Cannot add clock sample: receivedAtMs is ${receivedAtMs}, sentAtMs (${sentAtMs}) or later is allowed`,
      );
    }
    const measured: Measured = {
      offsetMs: relayTimeMs - (sentAtMs + receivedAtMs) / 2,
      rttMs: receivedAtMs - sentAtMs,
      sentAtMs,
    };

    const outOfReachMs = this.#narrow(measured, receivedAtMs);
    if (outOfReachMs > 0) {
      if (outOfReachMs > FAR_MS) this.reset();
      this.#samples = [];
      this.#transitMs = NaN; // the change of a clock is not jitter of the network
      this.#known = allowedBy(measured, receivedAtMs);
    }

    this.#sampleCount += 1;
    if (isMeasure || Number.isNaN(this.#rttMs)) {
      this.#measureNetwork(measured.rttMs, receivedAtMs - relayTimeMs);
    }
    this.#choose(measured, receivedAtMs);
  }

  /**
   * Tells the relay's clock at a local time, in ms since 1970 with fractions; NaN before the first sample.
   * Never less than it has told before in this `epoch`, also for an earlier `localMs`.
   */
  now(localMs: number): number {
    if (this.#best === undefined) return NaN;
    this.#lastToldMs = this.#toldMs(localMs);
    return this.#lastToldMs;
  }

  /**
   * Forgets the samples but not the time that is shown: the next sample alone decides, and until then the
   * error has no bound. For who has reason to doubt them, such as a stream that has been too old for longer
   * than a few answers. Does nothing before the first sample.
   */
  doubt(): void {
    if (this.#known === undefined) return;
    this.#samples = [];
    this.#known = { leastMs: -Infinity, mostMs: Infinity, atMs: this.#known.atMs };
  }

  /**
   * Bounds how far `now()` may be from the relay's clock at a local time, in ms, by what all samples allow:
   * at most half the shortest round trip, the time since then times {@linkcode MAX_DRIFT}, and what is left
   * to correct. NaN before the first sample.
   */
  errorBoundMs(localMs: number): number {
    if (this.#best === undefined) return NaN;
    const { leastMs, mostMs } = grown(this.#known!, localMs);
    const toldMs = this.#toldMs(localMs) - localMs;
    return Math.max(toldMs - leastMs, mostMs - toldMs);
  }

  /**
   * Forgets all samples, round trip and jitter, and begins a new `epoch`: for another relay. Not needed after
   * a lost connection.
   */
  reset(): void {
    this.#samples = [];
    this.#best = this.#known = undefined;
    this.#offsetMs =
      this.#targetMs =
      this.#sinceMs =
      this.#transitMs =
      this.#rttMs =
        NaN;
    this.#lastToldMs = -Infinity;
    this.#jitterMs = 0;
    this.#sampleCount = 0;
    this.#epoch += 1;
  }

  /** How often the clock has begun anew. `now()` never decreases while this stays the same. */
  get epoch(): number {
    return this.#epoch;
  }

  /** How many samples there have been in this epoch. */
  get sampleCount(): number {
    return this.#sampleCount;
  }

  /**
   * What the relay's clock is ahead of the local one, in ms, by the chosen sample; `now()` may still be on
   * its way there. NaN before the first.
   */
  get offsetMs(): number {
    return this.#best?.offsetMs ?? NaN;
  }

  /**
   * The round trip of the chosen sample, in ms; half of it bounds the error of `offsetMs` when it was taken.
   * NaN before the first.
   */
  get bestRttMs(): number {
    return this.#best?.rttMs ?? NaN;
  }

  /**
   * The round trip, in ms, smoothed as TCP does it: 7/8 of what it was and 1/8 of the new one (RFC 6298,
   * section 2). NaN before the first.
   */
  get rttMs(): number {
    return this.#rttMs;
  }

  /**
   * The jitter of the way from the relay to here, in ms: the mean of how much the time under way changes from
   * one answer to the next, with a gain of 1/16 (RFC 3550, section 6.4.1). 0 until there are two samples.
   */
  get jitterMs(): number {
    return this.#jitterMs;
  }

  /**
   * Takes into account what a sample allows, and returns by how many ms it contradicts the earlier ones; 0 or
   * less if one clock can have made all of them.
   */
  #narrow(measured: Measured, localMs: number): number {
    const allowed = allowedBy(measured, localMs);
    if (this.#known === undefined) {
      this.#known = allowed;
      return 0;
    }
    const known = grown(this.#known, localMs);
    const leastMs = Math.max(known.leastMs, allowed.leastMs), mostMs = Math.min(known.mostMs, allowed.mostMs);
    // Where they miss each other by no more than clocks are read coarsely, it lies between them.
    this.#known = { leastMs: Math.min(leastMs, mostMs), mostMs: Math.max(leastMs, mostMs), atMs: localMs };
    return leastMs - mostMs - RESOLUTION_MS;
  }

  #measureNetwork(rttMs: number, transitMs: number): void {
    this.#rttMs = Number.isNaN(this.#rttMs) ? rttMs : this.#rttMs + RTT_GAIN * (rttMs - this.#rttMs);
    if (!Number.isNaN(this.#transitMs)) {
      this.#jitterMs += JITTER_GAIN * (Math.abs(transitMs - this.#transitMs) - this.#jitterMs);
    }
    this.#transitMs = transitMs;
  }

  #choose(measured: Measured, localMs: number): void {
    const shownMs = this.#shownOffsetMs(localMs);
    this.#samples = [measured, ...this.#samples.slice(0, CLOCK_SAMPLES - 1)];
    this.#best = this.#samples.reduce((a, b) => boundMs(b, localMs) < boundMs(a, localMs) ? b : a);
    const { leastMs, mostMs } = this.#known!;
    this.#targetMs = Math.min(Math.max(this.#best.offsetMs, leastMs), mostMs);
    this.#sinceMs = localMs;
    if (this.#sampleCount <= CLOCK_SAMPLES) return this.#step(this.#targetMs, localMs);
    const isProvedWrong = shownMs < leastMs - MAX_SLEW_MS || shownMs > mostMs + MAX_SLEW_MS;
    if (isProvedWrong) this.#step(Math.min(Math.max(shownMs, leastMs), mostMs), localMs);
    else this.#offsetMs = shownMs;
  }

  /** Shows another offset from now on. */
  #step(offsetMs: number, localMs: number): void {
    this.#offsetMs = offsetMs;
    if (this.#lastToldMs - (localMs + offsetMs) <= MAX_STANDSTILL_MS) return;
    this.#lastToldMs = -Infinity;
    this.#epoch += 1;
  }

  /** Says what the clock is ahead of the local one, on its way from the old offset to the chosen one. */
  #shownOffsetMs(localMs: number): number {
    if (this.#best === undefined) return NaN;
    const missingMs = this.#targetMs - this.#offsetMs;
    const slewedMs = SLEW_RATE * Math.max(0, localMs - this.#sinceMs);
    return Math.abs(missingMs) <= slewedMs
      ? this.#targetMs
      : this.#offsetMs + Math.sign(missingMs) * slewedMs;
  }

  #toldMs(localMs: number): number {
    return Math.max(this.#lastToldMs, localMs + this.#shownOffsetMs(localMs));
  }
}

/**
 * Bounds the error of a sample's offset at a local time. The relay may have answered as early as the moment
 * of sending: drift counts from there.
 */
function boundMs(sample: Measured, localMs: number): number {
  return sample.rttMs / 2 + MAX_DRIFT * (localMs - sample.sentAtMs);
}

/** Says between what the offset lies by one sample, at a local time. */
function allowedBy(sample: Measured, localMs: number): Known {
  const errorMs = boundMs(sample, localMs);
  return { leastMs: sample.offsetMs - errorMs, mostMs: sample.offsetMs + errorMs, atMs: localMs };
}

/** Says between what the offset lies at a later time: drift has added to it. */
function grown({ leastMs, mostMs, atMs }: Known, localMs: number): Known {
  const driftMs = MAX_DRIFT * Math.abs(localMs - atMs);
  return { leastMs: leastMs - driftMs, mostMs: mostMs + driftMs, atMs: localMs };
}
