// Holds the report of a storm: medians, and rows that hide no client without an answer. The load itself
// against a bare server, where there is a C compiler.

import assert from "node:assert/strict";
import { buildProgram } from "../../bench/peers/native.ts";
import { medianStorm, type StormReport, stormRow, TABLE_HEAD } from "../../bench/storm/report.ts";
import { isBuildable } from "../support/bench_peers_programs.ts";
import { pause } from "../support/pause.ts";

function report(n: number, answered = 1000): StormReport {
  return {
    clients: 1000,
    answered,
    connectedUs: { p50: n, max: 2 * n },
    answeredUs: { p50: 3 * n, max: 4 * n },
    settledUs: 5 * n,
    bytes: 6,
    answeredCpuUs: 7 * n,
    serverCpuUs: 8 * n,
    loadCpuUs: 9 * n,
  };
}

Deno.test("medianStorm takes each figure's own, and the fewest answers", () => {
  const all = medianStorm([report(30_000), report(10_000, 999), report(20_000)]);
  assert.deepEqual(all, { ...report(20_000), answered: 999 });
});

Deno.test("stormRow has a cell for each column, and no time for all where some have no answer", () => {
  const columns = (text: string) => text.split("|").length;
  assert.equal(stormRow("bare", report(10_000)), "| bare | 20 | 30 | 40 | 50 | 70 | 1000 |");
  assert.equal(stormRow("bare", report(10_000, 7)), "| bare | 20 | 30 | - | 50 | - | 7 |");
  assert.equal(columns(stormRow("bare", report(1))), columns(TABLE_HEAD.split("\n")[0]));
});

Deno.test({
  name: "native/storm.c counts who is answered, when, and with how much, also in pieces",
  ignore: !isBuildable(),
  async fn() {
    const folder = await Deno.makeTempDir();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const conns: Deno.Conn[] = [];
    const encoder = new TextEncoder(), decoder = new TextDecoder(), hellos: string[] = [];
    const serving = (async () => {
      for await (const conn of listener) {
        const index = conns.push(conn);
        const buffer = new Uint8Array(1024);
        const n = await conn.read(buffer);
        hellos.push(decoder.decode(buffer.subarray(0, n!)));
        if (index === 1) await pause(100);
        for (const piece of ['{"$welcome":{"sta', 'te":{}', '}}\n{"$join":{}}\n']) {
          await conn.write(encoder.encode(piece));
          await pause(5);
        }
      }
    })();
    try {
      const program = await buildProgram(folder, "storm");
      const args = ["wire=sessions", `port=${listener.addr.port}`, `pid=${Deno.pid}`, "clients=3"];
      const { stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
      const found: StormReport = JSON.parse(decoder.decode(stdout) || decoder.decode(stderr));
      assert.deepEqual([found.clients, found.answered, hellos.length], [3, 3, 3]);
      assert.equal(found.bytes, 3 * ('{"$welcome":{"state":{}}}\n' + '{"$join":{}}\n').length);
      assert.ok(found.answeredUs.max >= 100_000 && found.answeredUs.p50 <= found.answeredUs.max);
      assert.ok(found.connectedUs.max <= found.answeredUs.max && found.answeredUs.max <= found.settledUs);
      for (const hello of hellos) assert.match(hello, /^\{"\$hello":\{"version":1,"room":"hall"\}\}\n$/);
    } finally {
      for (const conn of conns) conn.close();
      listener.close();
      await serving.catch(() => {});
      await Deno.remove(folder, { recursive: true });
    }
  },
});
