// Values that somebody may not have thought of, as JSON, and networks to simulate, from a random generator:
// the same for the same generator. Pure.

import { between, type Random } from "../../bench/motion/random.ts";

/** Draws one of some choices. */
export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)];
}

/** Draws a whole number from `low` to `high`, both included. */
export function whole(random: Random, low: number, high: number): number {
  return Math.floor(between(random, low, high + 1));
}

const NUMBERS = [
  ..."0 -0 1 -1 2 7 0.1 -0.5 100 65535 65536 2147483647 2147483648 9007199254740991 9007199254740993"
    .split(" "),
  ..."-9007199254740991 1e15 1e21 1e100 1.7976931348623157e308 1e309 -1e309 1e999 5e-324 1e-400 1E+2 1e-7"
    .split(" "),
  `1${"0".repeat(400)}`,
  `0.${"3".repeat(400)}`,
];

const NO_NUMBERS = ["null", "true", '""', '"1"', '"NaN"', "[]", "[1]", "{}", '{"valueOf":1}'];

/** A number as JSON that somebody may not have thought of, or sometimes none at all. */
export function hostileNumber(random: Random): string {
  if (random() < 0.25) return pick(random, NO_NUMBERS);
  return random() < 0.2 ? String(between(random, -1e6, 1e6)) : pick(random, NUMBERS);
}

const STRINGS = [
  "",
  " ",
  "a",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "$hello",
  "lobby",
  "\0",
  "\u0007\u001b[2J",
  "\u0085\u009f",
  "\u202e\u2028\u2029",
  "\ufeff",
  "\ud800",
  "\udfff\ud800",
  "e\u0301".repeat(32),
  "😀".repeat(64),
  "😀".repeat(65),
  "😀".repeat(100),
  "x".repeat(64),
  "x".repeat(65),
  "x".repeat(128),
  "x".repeat(129),
  "x".repeat(5000),
  '"\\\n\r\t/',
  "null",
  "k1",
  "k2",
];

/** A string as JSON, or sometimes none at all. */
export function hostileString(random: Random): string {
  const dice = random();
  if (dice < 0.1) return hostileNumber(random);
  if (dice < 0.15) return `"\\u${whole(random, 0, 0xffff).toString(16).padStart(4, "0")}"`;
  return JSON.stringify(pick(random, STRINGS));
}

/** Any JSON value. */
export function hostileValue(random: Random): string {
  const dice = random();
  if (dice < 0.3) return hostileNumber(random);
  if (dice < 0.6) return hostileString(random);
  if (dice < 0.7) return JSON.stringify("v".repeat(whole(random, 0, 17_000)));
  if (dice < 0.78) {
    const depth = pick(random, [10, 100, 1000, 8000]);
    return "[".repeat(depth) + "]".repeat(depth);
  }
  if (dice < 0.83) {
    const depth = pick(random, [10, 100, 3000]);
    return '{"a":'.repeat(depth) + "1" + "}".repeat(depth);
  }
  if (dice < 0.9) {
    const members = Array.from({ length: whole(random, 0, 300) }, (_, i) => `"k${i % 200}":${i}`);
    return `{${members.join(",")}}`;
  }
  return `{${hostileKey(random)}:${hostileNumber(random)},"__proto__":{"x":1}}`;
}

/** A name of a member, as JSON. */
export function hostileKey(random: Random): string {
  return JSON.stringify(pick(random, STRINGS));
}

const TIMES = [
  "0ms",
  "0.000001ms",
  "0.0000000000000001ms",
  "1ms",
  "20ms",
  "1s",
  "60m",
  "59.999m",
  "999999m",
  "-1ms",
  "1e9ms",
  "ms",
  "",
];

/** What a hello may ask for as a network. */
export function hostileSimulation(random: Random): string {
  const time = () =>
    random() < 0.2
      ? `${"9".repeat(whole(random, 1, 30))}${pick(random, ["ms", "s", "m"])}`
      : pick(random, TIMES);
  const setting = () =>
    pick(random, [
      () => pick(random, ["lan", "wifi", "mobile", "awful", "", "toString", "__proto__"]),
      () => `delay=${time()}`,
      () => `jitter=${time()}`,
      () => `spike=${time()}/${time()}`,
      () => `stall=${time()}/${time()}`,
      () => `cut=${time()}`,
      () => `rate=${pick(random, ["1", "0", "1k", "64k", "0.0001", "1m", `${"9".repeat(30)}m`, "-1"])}`,
      () => `seed=${pick(random, ["0", "1", "4294967296", "-1", "99999999999"])}`,
      () => `${time()}=${time()}`,
    ])();
  return Array.from({ length: whole(random, 1, random() < 0.05 ? 2000 : 4) }, setting).join(",");
}

/** A network that can be read, and is as extreme as can be. */
export function oddSimulation(random: Random): string {
  const time = () => pick(random, ["0ms", "0.000001ms", "1ms", "50ms", "3s", "60m"]);
  const often = () => pick(random, ["0.0000000000001ms", "0.000001ms", "1ms", "100ms", "60m"]);
  return [
    `delay=${time()}`,
    `jitter=${time()}`,
    `spike=${time()}/${often()}`,
    `stall=${time()}/${often()}`,
    `rate=${pick(random, ["1", "1k", "64k", "999999999m"])}`,
    `cut=${often()}`,
    `seed=${whole(random, 0, 99)}`,
  ].filter(() => random() < 0.5).join(",") || "lan";
}
