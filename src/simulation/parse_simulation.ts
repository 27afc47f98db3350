// What a simulated network is told: `wifi`, or `delay=80ms,jitter=20ms,…`, to numbers, each within limits: a
// network that somebody asks for must not cost the relay more than another one. Pure.

import { isRecord, kindOf, quote } from "../wire/untrusted.ts";

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

/** What can be set, by the name of its setting: which times, and what is allowed, in ms. */
const TIMES: Readonly<Record<string, readonly [keyof SimulationOptions, minMs: number, maxMs: number][]>> = {
  delay: [["delayMs", 0, 10_000]],
  jitter: [["jitterMs", 0, 10_000]],
  spike: [["spikeMs", 0, 10_000], ["spikeEveryMs", 100, 3_600_000]],
  stall: [["stallMs", 0, 10_000], ["stallEveryMs", 100, 3_600_000]],
  cut: [["cutEveryMs", 1000, 3_600_000]],
};

/** The slowest and the fastest line, in bytes a second. */
const MIN_RATE = 1024, MAX_RATE = 1024 ** 3;

/** The longest description, in characters. */
const MAX_TEXT_CHARACTERS = 256;

/**
 * Reads a line's description: presets and settings with commas between them, later ones win. Times go up to
 * 10 s (those between two spikes or stalls from 100 ms to an hour, the one to a cut from 1 s to an hour), the
 * rate from 1k to 1024m.
 * @throws {TypeError} when it is not a text
 * @throws {SyntaxError} that names what can't be read
 * @throws {RangeError} that says what is too much or too little, and what is allowed
 */
export function parseSimulation(text: string): SimulationOptions {
  if (typeof text !== "string") {
    throw new TypeError(`its description is ${kindOf(text)}, a text is allowed`);
  }
  if (text.length > MAX_TEXT_CHARACTERS) {
    throw new RangeError(
      `its description has ${text.length} characters, at most ${MAX_TEXT_CHARACTERS} are allowed`,
    );
  }
  const options = { ...NOTHING };
  for (const part of text.split(",")) {
    const [name, value, ...rest] = part.trim().split("=");
    const preset = value === undefined && Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
    const change = preset ??
      (rest.length === 0 && value !== undefined ? readSetting(name, value) : undefined);
    if (change === undefined) throw new SyntaxError(`${quote(part)} is none of ${SIMULATION_HELP}`);
    Object.assign(options, change);
  }
  return options;
}

/**
 * Refuses what is no description of a line.
 *
 * @throws {TypeError} that names what is missing, no number or negative
 */
export function checkSimulation(options: SimulationOptions): void {
  const given: Partial<SimulationOptions> = isRecord(options) ? options : {};
  for (const name of Object.keys(NOTHING) as (keyof SimulationOptions)[]) {
    const value = given[name];
    if (typeof value === "number" && value >= 0) continue;
    const what = typeof value === "number" ? value : kindOf(value);
    throw new TypeError(
      `Cannot simulate a network: ${name} is ${what}, what parseSimulation() gives is allowed`,
    );
  }
}

/** Returns undefined for what is no setting. */
function readSetting(name: string, value: string): Partial<SimulationOptions> | undefined {
  if (name === "seed") return /^\d{1,10}$/.test(value) ? { seed: Number(value) } : undefined;
  if (name === "rate") return readRate(value);
  return Object.hasOwn(TIMES, name) ? readTimes(name, value.split("/")) : undefined;
}

function readRate(text: string): Partial<SimulationOptions> | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)([km]?)$/.exec(text);
  if (match === null) return undefined;
  const bytesPerSecond = Number(match[1]) * { "": 1, k: 1024, m: 1024 ** 2 }[match[2]]!;
  if (bytesPerSecond < MIN_RATE || bytesPerSecond > MAX_RATE) {
    throw new RangeError(`rate=${text} is ${bytesPerSecond} bytes a second, 1k to 1024m are allowed`);
  }
  return { bytesPerSecond };
}

function readTimes(name: string, texts: readonly string[]): Partial<SimulationOptions> | undefined {
  const options: Partial<SimulationOptions> = {};
  const times = TIMES[name];
  if (texts.length !== times.length) return undefined;
  for (const [i, [field, minMs, maxMs]] of times.entries()) {
    const match = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m)$/.exec(texts[i]);
    if (match === null) return undefined;
    const ms = Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2]]!;
    if (ms < minMs || ms > maxMs) {
      const which = i === 0 ? name : `the time between two ${name}s`;
      throw new RangeError(`${which} is ${ms} ms, ${minMs} to ${maxMs} ms are allowed`);
    }
    options[field] = ms;
  }
  return options;
}
