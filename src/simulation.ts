// A bad network on purpose: when what a member is sent would arrive over a line with delay, jitter, spikes, a limited rate, stalls and cuts. Everything
// arrives in order, as over TCP. Pure: the caller passes time, and asks how far the member may read by now. Used by member.ts; costs nothing
// where it isn't used.
//
//   what is new at 0 ms, 10 ms, 20 ms     ──▶ due at 80, 95, 101: a cursor may go no farther than what is due
//   offset          100   250    300

/** What a simulated line does to what it carries; times in ms. */
export interface SimulationOptions {
  /** The mean delay. */
  delayMs: number;
  /** How much one delay differs from the mean at most; evenly distributed. */
  jitterMs: number;
  /** How much longer a delay is at a spike. */
  spikeMs: number;
  /** The mean time between spikes, which come at random moments (a Poisson process). */
  spikeEveryMs: number;
  /** How many bytes a second pass. */
  bytesPerSecond: number;
  /** How long nothing passes at all. */
  stallMs: number;
  /** The mean time between stalls. */
  stallEveryMs: number;
  /** The mean time until the connection breaks. */
  cutEveryMs: number;
  /** Two members with the same seed have the same line. */
  seed: number;
}

/** A line that changes nothing. */
const NOTHING: SimulationOptions = {
  delayMs: 0,
  jitterMs: 0,
  spikeMs: 0,
  spikeEveryMs: Infinity,
  bytesPerSecond: Infinity,
  stallMs: 0,
  stallEveryMs: Infinity,
  cutEveryMs: Infinity,
  seed: 1,
};

/** Lines as they are met. */
const PRESETS: Readonly<Record<string, Partial<SimulationOptions>>> = {
  lan: { delayMs: 2, jitterMs: 1 },
  wifi: { delayMs: 15, jitterMs: 10, spikeMs: 300, spikeEveryMs: 5000 },
  mobile: { delayMs: 80, jitterMs: 40, spikeMs: 1000, spikeEveryMs: 10_000 },
  awful: {
    delayMs: 200,
    jitterMs: 150,
    spikeMs: 1000,
    spikeEveryMs: 3000,
    bytesPerSecond: 64 * 1024,
    stallMs: 4000,
    stallEveryMs: 30_000,
    cutEveryMs: 60_000,
  },
};

/** Says what {@linkcode parseSimulation} takes. */
export const SIMULATION_HELP = `${
  Object.keys(PRESETS).join(", ")
}, or some of delay=80ms,jitter=20ms,spike=300ms/5s,rate=64k,stall=2s/30s,cut=60s,seed=1`;

/** The longest time that can be named. */
const MAX_MS = 3_600_000;

/**
 * Reads a line's description: presets and settings with commas between them, later ones win.
 * @throws {SyntaxError} that names what can't be read
 */
export function parseSimulation(text: string): SimulationOptions {
  const options = { ...NOTHING };
  for (const part of text.split(",")) {
    const [name, value, ...rest] = part.trim().split("=");
    const preset = value === undefined && Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
    const change = preset ??
      (rest.length === 0 && value !== undefined ? readSetting(name, value) : undefined);
    if (change === undefined) throw new SyntaxError(`${JSON.stringify(part)} is none of ${SIMULATION_HELP}`);
    Object.assign(options, change);
  }
  return options;
}

function readSetting(name: string, value: string): Partial<SimulationOptions> | undefined {
  const [first, second] = value.split("/");
  switch (name) {
    case "delay":
      return withTimes(["delayMs", value]);
    case "jitter":
      return withTimes(["jitterMs", value]);
    case "spike":
      return withTimes(["spikeMs", first], ["spikeEveryMs", second]);
    case "stall":
      return withTimes(["stallMs", first], ["stallEveryMs", second]);
    case "cut":
      return withTimes(["cutEveryMs", value]);
    case "rate": {
      const match = /^(\d+(?:\.\d+)?)([km]?)$/.exec(value);
      const bytesPerSecond = match === null
        ? 0
        : Number(match[1]) * { "": 1, k: 1024, m: 1024 ** 2 }[match[2]]!;
      return bytesPerSecond >= 1 ? { bytesPerSecond } : undefined;
    }
    case "seed":
      return /^\d{1,10}$/.test(value) ? { seed: Number(value) } : undefined;
  }
}

function withTimes(
  ...times: [name: keyof SimulationOptions, text: string | undefined][]
): Partial<SimulationOptions> | undefined {
  const options: Partial<SimulationOptions> = {};
  for (const [name, text] of times) {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text ?? "");
    const ms = match === null ? NaN : Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2]]!;
    if (!(ms <= MAX_MS) || (name.endsWith("EveryMs") && ms === 0)) return undefined;
    options[name] = ms;
  }
  return options;
}

/** How far a member may read. */
export interface Reach {
  /** Up to this offset of the log. */
  offset: number;
  /** Up to this version of the state. */
  stateVersion: number;
  /** So many of its replies, counted from the first. */
  replies: number;
}

/** One member's line. */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: () => number;
  #reach: Reach;
  #noted: Reach;
  // What is on its way, in the order of arrival.
  #underway: { dueAt: number; reach: Reach }[] = [];
  #lastDueAt = -Infinity;
  #freeAt = -Infinity;
  #spikeAt: number;
  #stallAt: number;
  /** When the connection breaks, in ms of the caller's clock. */
  readonly cutAt: number;

  /** @param start what the member has or may read at once */
  constructor(options: SimulationOptions, start: Reach, nowMs: number) {
    this.#options = options;
    this.#random = mulberry32(options.seed);
    this.#reach = this.#noted = start;
    this.#spikeAt = nowMs + this.#interval(options.spikeEveryMs);
    this.#stallAt = nowMs + this.#interval(options.stallEveryMs);
    this.cutAt = nowMs + this.#interval(options.cutEveryMs);
  }

  /** Puts on its way what is new at `nowMs`: all up to `reach`. */
  note(reach: Reach, nowMs: number): void {
    const { offset, stateVersion, replies } = this.#noted;
    if (reach.offset === offset && reach.stateVersion === stateVersion && reach.replies === replies) return;
    this.#underway.push({ dueAt: this.#arrivalOf(reach.offset - offset, nowMs), reach });
    this.#noted = reach;
  }

  /** Says how far the member may read at `nowMs`. */
  reach(nowMs: number): Reach {
    let arrived = 0;
    for (; arrived < this.#underway.length && this.#underway[arrived].dueAt <= nowMs; arrived++) {
      this.#reach = this.#underway[arrived].reach;
    }
    if (arrived > 0) this.#underway.splice(0, arrived);
    return this.#reach;
  }

  /** When the next thing arrives, in ms; undefined if nothing is on its way. */
  get nextDueAt(): number | undefined {
    return this.#underway[0]?.dueAt;
  }

  #arrivalOf(bytes: number, nowMs: number): number {
    const { delayMs, jitterMs, spikeMs, spikeEveryMs, bytesPerSecond, stallMs, stallEveryMs } = this.#options;
    // Sent one after the other, each as long as its bytes take; then each on its own way, but none before the one sent earlier.
    this.#freeAt = Math.max(this.#freeAt, nowMs) + bytes / bytesPerSecond * 1000;
    let dueAt = this.#freeAt + Math.max(0, delayMs + jitterMs * (2 * this.#random() - 1));
    if (nowMs >= this.#spikeAt) {
      dueAt += spikeMs;
      this.#spikeAt = nowMs + this.#interval(spikeEveryMs);
    }
    while (dueAt >= this.#stallAt + stallMs) this.#stallAt += stallMs + this.#interval(stallEveryMs);
    if (dueAt >= this.#stallAt) dueAt = this.#stallAt + stallMs;
    return this.#lastDueAt = Math.max(this.#lastDueAt, dueAt);
  }

  /** Draws a time until the next event of a Poisson process. */
  #interval(meanMs: number): number {
    return meanMs === Infinity ? Infinity : -Math.log(1 - this.#random()) * meanMs;
  }
}

/** Makes numbers in [0, 1) that look random (Tommy Ettinger's Mulberry32). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
