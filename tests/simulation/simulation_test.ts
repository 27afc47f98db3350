import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { serve } from "../../src/relay/relay.ts";
import { parseSimulation } from "../../src/simulation/parse_simulation.ts";
import { Simulation } from "../../src/simulation/simulation.ts";
import { LineClient } from "../support/line_client.ts";
import { ManualTime } from "../support/manual_time.ts";
import { Table } from "../support/session_table.ts";

/** Sends 100 bytes at each of the times and says after how many ms each of them arrived. */
function delaysOf(text: string, sentAt: number[]): number[] {
  const simulation = new Simulation(parseSimulation(text), 0);
  return sentAt.map((at) => simulation.send(100, at).arrivesAt - at);
}

/** The times of `count` events, one each `everyMs`. */
function every(everyMs: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i * everyMs);
}

function mean(numbers: number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

Deno.test("parseSimulation reads presets and settings, later ones win", () => {
  const { delayMs, jitterMs, spikeMs, spikeEveryMs, seed } = parseSimulation("wifi,jitter=5ms,seed=7");
  assert.deepEqual([delayMs, jitterMs, spikeMs, spikeEveryMs, seed], [15, 5, 300, 5000, 7]);
  assert.deepEqual(parseSimulation("delay=80ms,jitter=20ms,spike=300ms/5s,rate=64k,stall=2s/0.5m,cut=60s"), {
    delayMs: 80,
    jitterMs: 20,
    spikeMs: 300,
    spikeEveryMs: 5000,
    bytesPerSecond: 65536,
    stallMs: 2000,
    stallEveryMs: 30_000,
    cutEveryMs: 60_000,
    seed: 1,
  });
});

for (
  const text of [
    "",
    "fast",
    "delay",
    "delay=80",
    "delay=80ms=1",
    "spike=300ms",
    "spike=1s/2s/3s",
    "stall=1s",
    "rate=-1",
    "rate=1e9",
    "delay=1e3ms",
    "delay=-1ms",
    "delay=" + "9".repeat(20) + "ms",
    "delay=0." + "0".repeat(100) + "1ms",
    "seed=x",
    "seed=12345678901",
    "toString",
  ]
) {
  Deno.test(`parseSimulation refuses ${JSON.stringify(text)} and says what is allowed`, () => {
    assert.throws(() => parseSimulation(text), {
      name: "SyntaxError",
      message: /is none of lan, wifi, .*delay=80ms/,
    });
  });
}

for (
  const [text, what] of [
    ["delay=10.1s", /delay is 10100 ms, 0 to 10000 ms are allowed/],
    ["delay=60m", /delay is 3600000 ms/],
    ["jitter=11s", /jitter/],
    ["spike=11s/1s", /spike is 11000 ms/],
    ["spike=1s/99ms", /the time between two spikes is 99 ms, 100 to 3600000 ms are allowed/],
    ["spike=1s/61m", /two spikes/],
    ["stall=0ms/0.000001ms", /two stalls is 0.000001 ms/],
    ["stall=11s/20s", /stall is/],
    ["cut=999ms", /cut is 999 ms, 1000 to/],
    ["rate=0", /rate=0 is 0 bytes a second, 1k to 1024m are allowed/],
    ["rate=1023", /rate/],
    ["rate=1025m", /rate/],
    ["wifi,".repeat(52), /260 characters, at most 256/],
  ] as const
) {
  Deno.test(`parseSimulation refuses ${JSON.stringify(text)} and says what the limits are`, () => {
    assert.throws(() => parseSimulation(text), { name: "RangeError", message: what });
  });
}

Deno.test("parseSimulation answers any text with a network within its limits, or with a short message", () => {
  const number = fc.oneof(
    fc.constantFrom(
      "0",
      "-0",
      "1e308",
      "9007199254740992",
      "9".repeat(300),
      "0." + "0".repeat(300) + "1",
      "NaN",
    ),
    fc.nat(20_000).map(String),
    fc.double({ min: 0, max: 1e7, noNaN: true }).map(String),
  );
  const setting = fc.tuple(
    fc.constantFrom("delay", "jitter", "spike", "stall", "cut", "rate", "seed", "x"),
    number,
    fc.constantFrom("", "ms", "s", "m", "k"),
    fc.option(fc.tuple(number, fc.constantFrom("ms", "s", "m"))),
  ).map(([name, n, unit, every]) => `${name}=${n}${unit}${every === null ? "" : `/${every.join("")}`}`);
  const text = fc.oneof(
    { weight: 5, arbitrary: fc.array(setting, { maxLength: 5 }).map((all) => all.join()) },
    fc.string({ maxLength: 400, unit: "binary" }),
  );
  fc.assert(
    fc.property(
      text,
      fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 20 }),
      (text, pauses) => {
        let options;
        try {
          options = parseSimulation(text);
        } catch (error) {
          assert.ok((error as Error).message.length < 400, (error as Error).message);
          return;
        }
        const simulation = new Simulation(options, 0);
        let nowMs = 0, last = 0;
        for (const pause of pauses) {
          nowMs += pause;
          const { leavesAt, arrivesAt } = simulation.send(1000, nowMs);
          assert.ok(leavesAt >= nowMs && leavesAt <= nowMs + 1000 * pauses.length);
          assert.ok(arrivesAt >= last && arrivesAt <= leavesAt + 40_000 + 1000 * pauses.length, text);
          last = arrivesAt;
          const opensAt = simulation.opensAt(nowMs);
          assert.ok(opensAt >= nowMs && opensAt <= nowMs + 10_000);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("Simulation answers at once after any pause, whatever its numbers", () => {
  for (const stallMs of [0, 1e-300, 1, 1e9]) {
    for (const stallEveryMs of [0, 1e-300, 1e-9, 100]) {
      for (const spikeEveryMs of [0, 1e-300, 100]) {
        const nothing = parseSimulation("seed=1");
        const options = { ...nothing, stallMs, stallEveryMs, spikeMs: 1, spikeEveryMs, bytesPerSecond: 1 };
        const simulation = new Simulation(options, 0);
        // Ends, which it did not.
        for (let at = 1; at < 1e15; at *= 10) assert.ok(simulation.send(1, at).arrivesAt >= at);
      }
    }
  }
});

Deno.test("Simulation stalls as often after long pauses as without them", () => {
  const share = (everyMs: number) => {
    const simulation = new Simulation(parseSimulation("stall=2s/8s,seed=3"), 0);
    return mean(every(everyMs, 4000).map((at) => simulation.send(1, at).arrivesAt > at ? 1 : 0));
  };
  for (const everyMs of [1000, 30_000, 1_000_000, 100_000_000]) {
    assert.ok(
      Math.abs(share(everyMs) - 0.2) < 0.05,
      `${share(everyMs)} at one in ${everyMs} ms, 0.2 expected`,
    );
  }
});

Deno.test("Simulation delays by what was asked for, evenly within the jitter", () => {
  const delays = delaysOf("delay=80ms,jitter=20ms", every(50, 2000)); // far apart: nobody overtakes anybody
  assert.ok(Math.abs(mean(delays) - 80) < 1, `mean ${mean(delays)}`);
  assert.ok(Math.min(...delays) >= 60 && Math.min(...delays) < 61, `min ${Math.min(...delays)}`);
  assert.ok(Math.max(...delays) <= 100.1 && Math.max(...delays) > 99, `max ${Math.max(...delays)}`);
  for (const limit of [70, 80, 90]) {
    const share = delays.filter((delay) => delay < limit).length / delays.length;
    assert.ok(Math.abs(share - (limit - 60) / 40) < 0.04, `${share} below ${limit}`);
  }
});

Deno.test("Simulation lets nothing overtake: what is behind a spike arrives with it", () => {
  const sentAt = every(10, 3000);
  const delays = delaysOf("delay=10ms,spike=300ms/5s", sentAt);
  const spikes = delays.filter((delay, i) => delay > 305 && !(delays[i - 1] > 305)).length;
  assert.ok(spikes >= 2 && spikes <= 14, `${spikes} spikes in 30 s, 6 expected`);
  const arrivals = delays.map((delay, i) => sentAt[i] + delay);
  arrivals.forEach((arrival, i) => assert.ok(i === 0 || arrival >= arrivals[i - 1], "in order"));
});

Deno.test("Simulation passes no more bytes a second than its rate", () => {
  const delays = delaysOf("rate=1k", every(0, 50)); // 5,000 bytes at once
  assert.ok(Math.abs(delays[49] - 5000 / 1.024) < 1, `${delays[49]} ms`);
});

Deno.test("Simulation lets nothing pass during a stall, and everything after it", () => {
  const sentAt = every(10, 6000);
  const arrivals = delaysOf("stall=2s/10s", sentAt).map((delay, i) => sentAt[i] + delay);
  const gaps = arrivals.map((arrival, i) => i === 0 ? 0 : arrival - arrivals[i - 1]).filter((gap) =>
    gap > 100
  );
  assert.ok(gaps.length >= 1, "a minute has stalls");
  for (const gap of gaps) assert.ok(gap > 1900 && gap < 2100, `${gap} ms`);
});

Deno.test("Simulation is the same for the same seed, and another one for another", () => {
  const [a, again, other] = ["seed=5", "seed=5", "seed=6"].map((seed) =>
    delaysOf(`mobile,${seed}`, every(20, 200)).join()
  );
  assert.equal(a, again);
  assert.notEqual(a, other);
});

Deno.test("serve with simulate delays what plain clients receive, and only that", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using _relay = serve(listener, { simulate: parseSimulation("delay=120ms") });
  using ada = await LineClient.connect(listener.addr.port);
  using bo = await LineClient.connect(listener.addr.port);
  bo.send("0\n");
  await ada.line(1);
  const sentAt = performance.now();
  ada.send('"late"\n');
  await bo.line(1);
  const delayMs = performance.now() - sentAt;
  assert.ok(delayMs >= 119, `${delayMs} ms`);
});

Deno.test("plain clients get delays as they were asked for, evenly within the jitter", async () => {
  const time = new ManualTime();
  await using table = new Table({ simulate: parseSimulation("delay=30ms,jitter=20ms,seed=4") }, time);
  const [ada, bo] = [table.connect(), table.connect()];
  for (const { conn } of [ada, bo]) conn.feed("\n"); // plain from now on
  const delays: number[] = [];
  for (let count = 1; count <= 60; count++) {
    await time.pass(100); // far apart: nobody overtakes anybody
    const sentAt = time.nowMs;
    ada.conn.feed("1\n");
    while (bo.conn.lines.length < count) {
      await time.pass(0.5);
      assert.ok(time.nowMs - sentAt <= 51, `${count - 1} of ${count} lines within the longest delay`);
    }
    delays.push(time.nowMs - sentAt);
  }
  assert.deepEqual(ada.conn.lines, []);
  delays.sort((a, b) => a - b);
  assert.ok(delays[0] >= 10, `${delays[0]} ms is too early`);
  for (const share of [0.25, 0.5, 0.75]) {
    const delay = delays[share * delays.length];
    assert.ok(Math.abs(delay - (10 + 40 * share)) < 8, `${share * 100} % within ${delay} ms`); // 60, by chance
  }
});

Deno.test("serve with simulate cuts the connection where it is asked for", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using _relay = serve(listener, {
    simulate: { ...parseSimulation("seed=1"), cutEveryMs: 50 },
  });
  using ada = await LineClient.connect(listener.addr.port);
  await ada.ended();
});

Deno.test("serve with allowsSimulation false refuses a session that asks for a bad network", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using _relay = serve(listener, { allowsSimulation: false });
  using ada = await LineClient.connect(listener.addr.port);
  ada.send('{"$hello":{"version":1,"simulate":"wifi"}}\n');
  const { code, message } = JSON.parse(await ada.line(1)).$error;
  assert.equal(code, "bad_hello");
  assert.match(message, /--no-simulate/);
});

Deno.test("serve names what is wrong with the network that a session asks for", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using _relay = serve(listener);
  using ada = await LineClient.connect(listener.addr.port);
  ada.send('{"$hello":{"version":1,"simulate":"wire"}}\n');
  assert.match(JSON.parse(await ada.line(1)).$error.message, /"wire" is none of lan, wifi/);
});

Deno.test("parseSimulation and Simulation refuse what is no description of a line, and name it", () => {
  for (const text of [undefined, null, 5, ["wifi"], {}] as unknown as string[]) {
    assert.throws(() => parseSimulation(text), {
      name: "TypeError",
      message: /^its description is .*, a text is allowed$/,
    });
  }
  const good = parseSimulation("wifi");
  const bad: [unknown, RegExp][] = [
    [undefined, /delayMs is undefined/],
    ["wifi", /delayMs is undefined/],
    [{ delayMs: 5 }, /jitterMs is undefined/],
    [{ ...good, delayMs: NaN }, /delayMs is NaN/],
    [{ ...good, bytesPerSecond: -1 }, /bytesPerSecond is -1/],
    [{ ...good, seed: "1" }, /seed is a string/],
  ];
  for (const [options, what] of bad) {
    assert.throws(() => new Simulation(options as never, 0), (error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, what);
      assert.match(
        error.message,
        /^Cannot simulate a network: .*, what parseSimulation\(\) gives is allowed$/,
      );
      return true;
    });
  }
});
