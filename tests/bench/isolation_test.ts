// Tests of the isolation benchmark: what its flags ask for, that each kind sends what it says, and that the
// verdict finds what is wrong.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import { HELP, readOptions } from "../../bench/isolation/flags.ts";
import { findKind, type Flood, KINDS, repeatLine, roomOf } from "../../bench/isolation/kinds.ts";
import { Arrivals } from "../../bench/isolation/probe.ts";
import {
  missedGoals,
  type Outcome,
  percentile,
  tableHead,
  tableRow,
  wasDisturbed,
} from "../../bench/isolation/report.ts";
import { HeadReader } from "../../src/relay/web/head.ts";

const LARGEST_LINE_BYTES = 65_536;

const GOOD: Outcome = {
  kind: findKind("events"),
  relay: "this",
  otherRoom: {
    sent: 200,
    received: 200,
    again: 0,
    toldLost: 0,
    p50Ms: 1,
    p99Ms: 9.9,
    maxMs: 50,
    ownP99Ms: 1,
    idleP99Ms: 2,
    newcomerMaxMs: 5000,
  },
  sameRoom: {
    sent: 200,
    received: 150,
    again: 0,
    toldLost: 50,
    p50Ms: 100,
    p99Ms: 900,
    maxMs: 950,
    ownP99Ms: 1,
    idleP99Ms: 2,
    newcomerMaxMs: null,
  },
  load: { bytes: 4e6, steps: 0, seconds: 2 },
  cpuShare: 0.5,
  waitShare: 0.01,
  peakMib: 60.2,
};

Deno.test("readOptions of the isolation benchmark chooses kinds, times and checkouts", () => {
  const all = readOptions([]);
  assert.deepEqual(all?.kinds, KINDS);
  assert.deepEqual({ relay: all?.relay, before: all?.before }, { relay: null, before: null });
  const quick = readOptions(["--quick"]);
  assert.deepEqual(quick?.kinds, KINDS.filter((kind) => kind.quick));
  assert.ok(quick!.seconds < all!.seconds);
  const some = readOptions([
    "--kind",
    "ping",
    "--kind",
    "tiny",
    "--seconds",
    "7",
    "--before",
    "old",
    "--clients",
    "1",
  ]);
  assert.deepEqual(some?.kinds.map(({ name }) => name), ["ping", "tiny"]);
  assert.deepEqual([some?.seconds, some?.before, some?.clients], [7, "old", 1]);
  assert.equal(readOptions(["--seconds", "x", "--help"]), null);
  assert.ok(HELP.split("\n").length < 30);
});

Deno.test("readOptions of the isolation benchmark refuses what makes no sense, and says why", () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--nope"], /--nope/],
    [["extra"], /extra/],
    [["--kind", "storm"], /^Cannot measure beside "storm": a kind is one of nobody, burner, events/],
    [["--seconds", "0.1"], /^Cannot use --seconds "0\.1": it is a number from 0.5 to 60$/],
    [["--seconds", ""], /--seconds/],
    [["--seconds", "x"], /--seconds "x"/],
    [["--clients", "1.5"], /^Cannot use --clients "1\.5": it is a whole number from 1 to 100$/],
    [["--clients", "0"], /--clients "0"/],
    [["--quick", "--kind", "tiny"], /--quick with --kind/],
    [["--relay", ""], /--relay ""/],
  ];
  for (const [args, message] of cases) assert.throws(() => readOptions(args), { message }, args.join(" "));
});

const IDS = Array.from({ length: 256 }, (_, n) => `kz${n}`);
const floods = KINDS.filter(({ behaviour }) => behaviour.act === "flood");

for (const kind of floods.filter(({ behaviour }) => !("over" in behaviour && behaviour.over))) {
  const { payload, level } = kind.behaviour as Flood;
  Deno.test(`the kind "${kind.name}" sends whole lines that are not refused for their length`, () => {
    const text = new TextDecoder().decode(payload(IDS));
    assert.ok(text.endsWith("\n"));
    assert.ok(text.length >= 1000);
    const lines = text.split("\n").slice(0, -1);
    assert.ok(lines.every((line) => line.length <= LARGEST_LINE_BYTES));
    assert.equal(roomOf(kind), level === "plain" ? "lobby" : "hostile");
    // A refusal of the hundredth bad line in a row would end the load.
    let bad = 0;
    for (const line of lines) {
      const isBad = line !== "" && (isNoJson(line) || line.startsWith('{"$dance"'));
      bad = isBad ? bad + 1 : 0;
      assert.ok(bad < 100);
    }
    for (const line of lines.filter((one) => one.startsWith('{"$set"'))) {
      const { value } = JSON.parse(line).$set;
      assert.ok(JSON.stringify(value).length <= 16_384);
    }
  });
}

Deno.test("the kinds of the web door send what the door takes", () => {
  const web = floods.filter(({ behaviour }) => "over" in behaviour && behaviour.over);
  for (const { name, behaviour } of web) {
    const { payload, over } = behaviour as Flood;
    const bytes = payload([]);
    if (over === "http") {
      const requests = new TextDecoder().decode(bytes).split("\r\n\r\n");
      assert.equal(requests.pop(), "", name);
      const reader = new HeadReader();
      for (const request of requests) {
        const read = reader.push(new TextEncoder().encode(`${request}\r\n\r\n`));
        assert.ok(read !== undefined && "head" in read, name);
      }
    } else assert.equal(messagesOf(bytes), FRAMED[name], name);
  }
  assert.deepEqual(
    web.filter(({ name }) => name.startsWith("ws-")).map(({ name }) => name),
    Object.keys(FRAMED),
  );
});

/** How many messages the floods of WebSocket have, and the first of them. */
const FRAMED: Record<string, string> = {
  "ws-tiny": "9362 of 1: 1",
  "ws-empty": "10922 of 1: ",
  "ws-ping": "5957 of 1: hello",
  "ws-fragments": `94 of 99: {"id":"abc","pos":[1,2],"pad":"${"x".repeat(66)}"}`,
};

/** Unmasks frames as RFC 6455 has them: counts messages and fragments of each, and returns the first. */
function messagesOf(bytes: Uint8Array): string {
  const messages: { text: string; fragments: number }[] = [];
  let text = "", fragments = 0;
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at + 1] & 0x7f, mask = bytes.subarray(at + 2, at + 6);
    assert.equal(bytes[at + 1] & 0x80, 0x80, "masked");
    assert.equal((bytes[at] & 0x0f) === 0, fragments > 0, "what goes on is a continuation");
    text += String.fromCharCode(
      ...bytes.subarray(at + 6, at + 6 + length).map((byte, i) => byte ^ mask[i % 4]),
    );
    fragments++;
    if (bytes[at] & 0x80) messages.push({ text, fragments });
    if (bytes[at] & 0x80) text = "", fragments = 0;
    at += 6 + length;
  }
  assert.equal(fragments, 0, "the last one is whole");
  assert.ok(
    messages.every((one) => one.text === messages[0].text && one.fragments === messages[0].fragments),
  );
  return `${messages.length} of ${messages[0].fragments}: ${messages[0].text}`;
}

function isNoJson(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch {
    return true;
  }
}

Deno.test("repeatLine fills what it may with whole lines, and makes one at least", () => {
  assert.equal(new TextDecoder().decode(repeatLine("ab", 10)), "ab\nab\nab\n");
  assert.equal(new TextDecoder().decode(repeatLine("abcdef", 3)), "abcdef\n");
});

Deno.test("percentile takes what never came for the longest, and knows nothing of nothing", () => {
  const sorted = Array.from({ length: 100 }, (_, i) => i);
  assert.equal(percentile(sorted, 0), 0);
  assert.equal(percentile(sorted, 0.5), 50);
  assert.equal(percentile(sorted, 0.99), 99);
  assert.equal(percentile(sorted, 1), 99);
  assert.equal(percentile(sorted, 0.99, 200), null);
  assert.equal(percentile(sorted, 0.25, 200), 50);
  assert.equal(percentile(sorted, 1, 101), null);
  assert.equal(percentile([], 0.5), null);
});

Deno.test("missedGoals finds each goal that was missed, and no other", () => {
  assert.deepEqual(missedGoals(GOOD), []);
  const other = (parts: Partial<Outcome["otherRoom"]>): Outcome => ({
    ...GOOD,
    otherRoom: { ...GOOD.otherRoom, ...parts },
  });
  const same = (parts: Partial<Outcome["sameRoom"]>): Outcome => ({
    ...GOOD,
    sameRoom: { ...GOOD.sameRoom, ...parts },
  });
  const cases: [outcome: Outcome, goal: RegExp][] = [
    [other({ p99Ms: 10 }), /^p99 in another room is 10.0 ms, the goal is below 10 ms$/],
    [other({ p99Ms: null }), /^p99 in another room is none/],
    [other({ received: 199 }), /^1 of 200 events did not arrive in another room$/],
    [same({ toldLost: 49 }), /^1 of 200 events neither arrived in the same room nor/],
    [same({ again: 2 }), /^2 events came twice/],
    [{ ...GOOD, kind: findKind("reset") }, /^a newcomer waited 5000 ms, the goal is below 1000 ms$/],
  ];
  for (const [outcome, goal] of cases) {
    const missed = missedGoals(outcome);
    assert.equal(missed.length, 1, missed.join("; "));
    assert.match(missed[0], goal);
  }
  assert.deepEqual(missedGoals({ ...other({ p99Ms: 19 }), kind: findKind("join-3000") }), []);
  assert.equal(missedGoals({ ...other({ p99Ms: 20 }), kind: findKind("join-3000") }).length, 1);
});

Deno.test("tableRow puts figures below their heads, and marks what missed a goal", () => {
  const row = tableRow(GOOD);
  for (
    const [head, cell] of [["p50", "1.0 ms"], ["p99", "9.9 ms"], ["arrived", "150/200"], ["load", "2.0 MB/s"]]
  ) {
    const end = tableHead().indexOf(` ${head}`) + head.length + 1;
    assert.equal(row.slice(end - cell.length, end), cell);
  }
  assert.doesNotMatch(row, /MISSED/i);
  assert.match(tableRow({ ...GOOD, otherRoom: { ...GOOD.otherRoom, p99Ms: 11 } }), /MISSED$/);
  assert.match(
    tableRow({ ...GOOD, relay: "before", otherRoom: { ...GOOD.otherRoom, p99Ms: 11 } }),
    / missed$/,
  );
});

Deno.test("wasDisturbed tells a busy machine by the delays of the pair's own and of an idle relay, and by the wait for a core", () => {
  assert.equal(wasDisturbed(GOOD), false);
  assert.equal(wasDisturbed({ ...GOOD, waitShare: 0.06 }), true);
  assert.equal(wasDisturbed({ ...GOOD, otherRoom: { ...GOOD.otherRoom, ownP99Ms: 4 } }), true);
  assert.equal(wasDisturbed({ ...GOOD, otherRoom: { ...GOOD.otherRoom, idleP99Ms: 6 } }), true);
  assert.equal(wasDisturbed({ ...GOOD, waitShare: null }), false);
  assert.equal(wasDisturbed({ ...GOOD, otherRoom: { ...GOOD.otherRoom, idleP99Ms: null } }), false);
});

const PROGRAM = fileURLToPath(new URL("../../bench/isolation.ts", import.meta.url));

async function measureNobody(...args: string[]) {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", PROGRAM, "--kind", "nobody", "--seconds", "0.5", "--json", ...args],
  }).output();
  const { outcomes, missed } = JSON.parse(new TextDecoder().decode(stdout));
  return { code, missed, outcome: outcomes[0] as Outcome };
}

Deno.test("bench/isolation.ts measures a pair that loses nothing", async () => {
  const { outcome: { otherRoom, sameRoom } } = await measureNobody();
  for (const { sent, received, again, p50Ms, ownP99Ms } of [otherRoom, sameRoom]) {
    assert.ok(sent >= 20, `${sent}`); // 50 on a machine that has time
    assert.deepEqual({ received, again }, { received: sent, again: 0 });
    assert.ok(p50Ms! > 0 && ownP99Ms! > 0);
  }
  assert.ok(otherRoom.newcomerMaxMs! > 0);
});

Deno.test("bench/isolation.ts finds a relay that stands still now and then", async () => {
  const folder = await Deno.makeTempDir({ prefix: "eventrelay_isolation_test_" });
  try {
    // The same relay, whose event loop is busy for 60 ms of every 200.
    await Deno.writeTextFile(
      `${folder}/server.ts`,
      `setInterval(() => { for (const from = performance.now(); performance.now() - from < 60;); }, 200);
       const { serve } = await import("${new URL("../../src/relay/relay.ts", import.meta.url).href}");
       const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
       serve(listener);
       console.log("eventrelay 0 listening on 127.0.0.1:" + listener.addr.port);
       Deno.addSignalListener("SIGTERM", () => Deno.exit());`,
    );
    const { code, missed, outcome } = await measureNobody("--relay", folder);
    assert.equal(code, 1);
    assert.match(missed[0], /^nobody: p99 in another room is \d/);
    assert.ok(outcome.otherRoom.p99Ms! > 40 && outcome.otherRoom.p50Ms! < outcome.otherRoom.p99Ms!);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Arrivals times what is measured, and counts what comes twice or out of order and what is told lost", () => {
  const arrivals = new Arrivals((sequence) => sequence >= 3), nowMs = performance.now();
  let gaps = 0;
  arrivals.onGap = () => gaps++;
  const take = (...lines: unknown[]) =>
    arrivals.take(Buffer.from(lines.map((line) => JSON.stringify(line) + "\n").join("")));
  const probe = (sequence: number, agoMs: number) => ({ probe: [sequence, nowMs - agoMs] });
  take("flood", probe(1, 900), "flood", probe(2, 900));
  assert.deepEqual([arrivals.latenciesMs, arrivals.again], [[], 0]);
  take(probe(3, 500), { $lost: { lines: 2, bytes: 9 } }, probe(6, 700), { $lost: { lines: 5, bytes: 9 } });
  take(probe(6, 0), probe(5, 0));
  assert.deepEqual([arrivals.again, arrivals.toldLost, gaps], [2, 7, 1]);
  const [first, second, ...more] = arrivals.latenciesMs;
  assert.ok(first >= 500 && second >= 700 && second < 700 + 5_000, `${first} ms, ${second} ms`);
  assert.equal(more.length, 2);
});
