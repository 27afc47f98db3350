import assert from "node:assert/strict";
import { serve } from "../../src/relay/relay.ts";
import { parseSimulation } from "../../src/simulation/parse_simulation.ts";
import { type Reach, Simulation } from "../../src/simulation/simulation.ts";
import { LineClient } from "../support/line_client.ts";

const START: Reach = { offset: 0, stateVersion: 0, replies: 0 };

/** Sends 100 bytes at each of the times and says after how many ms each of them arrived, to a tenth of a ms. */
function delaysOf(text: string, sentAt: number[]): number[] {
  const simulation = new Simulation(parseSimulation(text), START, 0);
  const arrivals: number[] = [];
  let sent = 0;
  for (let tenths = 0; arrivals.length < sentAt.length; tenths++) {
    const nowMs = tenths / 10;
    while (sent < sentAt.length && sentAt[sent] <= nowMs) {
      simulation.note({ ...START, offset: ++sent * 100 }, nowMs);
    }
    while (arrivals.length * 100 < simulation.reach(nowMs).offset) {
      arrivals.push(nowMs - sentAt[arrivals.length]);
    }
    assert.ok(tenths < 1e7, "everything arrives");
  }
  return arrivals;
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
    "spike=1s/0s",
    "rate=0",
    "seed=x",
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

Deno.test("serve with simulate gives plain clients delays as they were asked for, evenly within the jitter", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using _relay = serve(listener, { simulate: parseSimulation("delay=30ms,jitter=20ms,seed=4") });
  using ada = await LineClient.connect(listener.addr.port);
  using bo = await LineClient.connect(listener.addr.port);
  bo.send("0\n");
  await ada.line(1);
  const delays: number[] = [];
  for (let count = 1; count <= 60; count++) {
    const sentAt = performance.now();
    ada.send("1\n");
    await bo.line(count);
    delays.push(performance.now() - sentAt);
  }
  delays.sort((a, b) => a - b);
  assert.ok(delays[0] >= 9, `${delays[0]} ms is too early`);
  for (const share of [0.25, 0.5, 0.75]) {
    const delay = delays[share * delays.length];
    // 60 delays by chance, and what the event loop adds.
    assert.ok(Math.abs(delay - (10 + 40 * share)) < 8, `${share * 100} % within ${delay} ms`);
  }
});

Deno.test("serve with simulate cuts the connection where it is asked for", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using _relay = serve(listener, { simulate: parseSimulation("cut=50ms") });
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
