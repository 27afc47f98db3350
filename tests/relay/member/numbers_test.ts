// Holds the relay against numbers that nobody means: whatever stands in a field of the protocol, it answers
// at once, shortly, and the others notice nothing.

import assert from "node:assert/strict";
import { cpuUsage } from "node:process";
import fc from "../../support/fast_check.ts";
import { type Seat, Table, turn } from "../../support/session_table.ts";

/** How long an answer to anything may be, in bytes. */
const MAX_ANSWER_BYTES = 700;

/**
 * How long the relay may take for one line, in ms: far above what it takes, far below what a client's number
 * could make of it.
 */
const MAX_TURN_MS = 500;

const NUMBER = fc.oneof(
  fc.constantFrom(
    "0",
    "-0",
    "-1",
    "1e308",
    "-1e308",
    "1e-308",
    "1e999",
    "9007199254740991",
    "9007199254740992",
    "0.5",
    "1E5",
  ),
  fc.constantFrom(
    "9".repeat(15),
    "9".repeat(16),
    "9".repeat(400),
    "0." + "0".repeat(400) + "1",
    "-" + "9".repeat(60_000),
  ),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom(
    '"5"',
    "null",
    "[]",
    "{}",
    "true",
    '""',
    JSON.stringify("x".repeat(60_000)),
    '"\\u0000\\ud800"',
    "[".repeat(20_000) + "]".repeat(20_000),
  ),
);

const NETWORK = fc.tuple(
  fc.constantFrom("delay", "jitter", "spike", "stall", "cut", "rate", "seed"),
  fc.constantFrom(
    "0",
    "0.0000001",
    "1",
    "1000",
    "9999999999",
    "1e9",
    "-1",
    "9".repeat(200),
    "0." + "0".repeat(300) + "1",
  ),
  fc.constantFrom("ms", "s", "m", "k", ""),
  fc.constantFrom("", "/0ms", "/0.0000000001ms", "/1ms", "/100ms", "/9999999m"),
).map(([name, number, unit, every]) => JSON.stringify(`${name}=${number}${unit}${every}`));

const HELLO = fc.record({
  version: NUMBER,
  bytes: NUMBER,
  simulate: fc.option(NETWORK, { nil: undefined }),
  isVersionRight: fc.boolean(),
});

const CONTROL = fc.oneof(
  NUMBER.map((n) => `{"$ack":{"bytes":${n}}}`),
  NUMBER.map((n) => `{"$ping":{"t":${n}}}`),
  fc.tuple(NUMBER, NUMBER).map(([key, value]) => `{"$set":{"key":${key},"value":${value}}}`),
  fc.tuple(NUMBER, NUMBER).map(([value, room]) => `{"$set":{"value":${value},"key":"k","room":${room}}}`),
  NUMBER.map((n) => `{"$${n.slice(0, 30_000).replace(/["\\]/g, "")}":{}}`),
  NUMBER.map((n) => `{"$ping":${n}}`),
  NUMBER.map((n) => `{"$bye":${n}}`),
);

/** Says something, and checks what the relay makes of it. */
async function say(seat: Seat, witness: Seat, line: string): Promise<void> {
  const before = seat.conn.bytes.length, startedAt = cpuUsage();
  seat.feed(`${line}\n`);
  await turn();
  const { user, system } = cpuUsage(startedAt);
  assert.ok(user + system < 1000 * MAX_TURN_MS, `${line.slice(0, 100)} takes long`);
  const answer = seat.conn.bytes.subarray(before);
  const longest = Math.max(
    0,
    ...new TextDecoder().decode(answer).split("\n").filter((text) => text.startsWith('{"$error"')).map((
      text,
    ) => text.length),
  );
  assert.ok(longest <= MAX_ANSWER_BYTES, `${longest} bytes for ${line.slice(0, 100)}`);
  const pongs = witness.told("pong").length;
  await witness.control("ping", { t: pongs });
  await witness.ack();
  assert.equal(witness.told("pong").at(-1).t, pongs);
}

Deno.test("a session answers whatever number stands in a control line at once and shortly, and nobody else notices", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(CONTROL, { minLength: 1, maxLength: 12 }), async (lines) => {
      await using table = new Table();
      const [ada, bo] = [await table.join(), await table.join()];
      for (const line of lines) await say(ada, bo, line);
    }),
    { numRuns: 150 },
  );
});

Deno.test("a hello with any numbers is answered at once and shortly, and nobody else notices", async () => {
  await fc.assert(
    fc.asyncProperty(HELLO, async ({ version, bytes, simulate, isVersionRight }) => {
      await using table = new Table();
      const [bo, gone] = [await table.join(), await table.join()];
      const { session } = gone.client.welcome;
      await gone.cut();
      const seat = table.connect();
      const resume = `"resume":{"session":${JSON.stringify(session)},"bytes":${bytes}}`;
      const network = simulate === undefined ? "" : `,"simulate":${simulate}`;
      await say(seat, bo, `{"$hello":{"version":${isVersionRight ? 1 : version},${resume}${network}}}`);
      await say(seat, bo, '{"$ping":{"t":1}}');
    }),
    { numRuns: 200 },
  );
});
