// What a simulated network is told: `wifi`, or `delay=80ms,jitter=20ms,…`, to numbers. Pure.

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
