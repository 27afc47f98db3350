// Holds /metrics against the parser of Prometheus itself, where that is installed, and against the numbers.

import assert from "node:assert/strict";
import { Metrics, OPEN_METRICS_TYPE, prefersOpenMetrics, TEXT_TYPE } from "../../../src/relay/web/metrics.ts";
import { noCounts } from "../../../src/relay/relay_stats.ts";
import type { RelayView } from "../../../src/relay/web/view.ts";
import { WebTable } from "../../support/web_table.ts";
import { findProgram, testWith } from "../../support/needed_program.ts";

const promtool = findProgram(["promtool"]);

Deno.test("/metrics counts what happened, with no label for a member or a room", async () => {
  await using table = new WebTable();
  const member = await table.member(), other = await table.member();
  await table.session({ room: 'a"}\\', name: "secret name" });
  await member.send("1\n2\nnonsense\n");
  await other.line(2);
  const { text, fields } = await table.get("/metrics");
  assert.equal(fields["content-type"], TEXT_TYPE);
  for (
    const line of [
      'eventrelay_members{kind="plain"} 2',
      'eventrelay_members{kind="session"} 1',
      "eventrelay_rooms 2",
      'eventrelay_lines_total{direction="in"} 2',
      'eventrelay_lines_total{direction="out"} 2',
      'eventrelay_bad_lines_total{code="invalid_json"} 1',
      "eventrelay_http_connections 1",
    ]
  ) assert.ok(text.includes(`\n${line}\n`), `${line} in\n${text}`);
  assert.doesNotMatch(text, /secret|127\.0\.0\.1/);
  const labels = new Set(Array.from(text.matchAll(/[{,](\w+)="/g), ([, label]) => label));
  assert.deepEqual([...labels].sort(), ["code", "direction", "kind", "version"]);
});

for (
  const [accept, type] of [["text/plain", TEXT_TYPE], [
    "application/openmetrics-text; version=1.0.0",
    OPEN_METRICS_TYPE,
  ]]
) {
  testWith(promtool, "promtool", `/metrics is what promtool takes, for ${accept}`, async () => {
    await using table = new WebTable({ maxClients: 1 });
    const member = await table.member();
    await member.send("nonsense\n");
    await member.line(1);
    const refused = await table.connect();
    await refused.send("\n");
    await refused.line(1);
    const { bytes, fields, text } = await table.get("/metrics", { Accept: accept });
    assert.equal(fields["content-type"], type);
    assert.equal(text.endsWith("\n# EOF\n"), type === OPEN_METRICS_TYPE);
    // It reads text 0.0.4 alone: in OpenMetrics, the families of counters have no _total, and there is an
    // end.
    const asText = type === TEXT_TYPE ? bytes : new TextEncoder().encode(
      text.replace("# EOF\n", "").replace(
        /^# (HELP|TYPE) (\S+)(?= counter|(?=.*\n# TYPE \S+ counter))/gm,
        "# $1 $2_total",
      ),
    );
    const child = new Deno.Command(promtool!, {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(asText);
    await writer.close();
    const { success, stdout, stderr } = await child.output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.ok(success && said === "", said);
  });
}

Deno.test("prefersOpenMetrics where that is asked for, and not less than text", () => {
  const cases: [accept: string[] | undefined, isOpen: boolean][] = [
    [undefined, false],
    [[""], false],
    [["*/*"], false],
    [["text/html, */*;q=0.8"], false],
    [["application/openmetrics-text"], true],
    [["application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"], true],
    [["application/openmetrics-text;version=1.0.0;q=0.5", "text/plain;q=0.8"], false],
    [["application/openmetrics-text;q=0"], false],
    [["application/openmetrics-text;q=x"], false],
  ];
  for (const [accept, isOpen] of cases) assert.equal(prefersOpenMetrics(accept), isOpen, String(accept));
});

Deno.test("Metrics are made anew at most twice a second, in each of their forms", () => {
  let nowMs = 0, made = 0;
  const relay = {
    totals:
      () => (made++, { ...noCounts(), members: 0, sessions: 0, absentSessions: 0, rooms: 0, logBytes: 0 }),
    memory: () => ({ usedBytes: 0, maxBytes: 1 }),
    tallies: () => ({ badLines: new Map(), refused: new Map(), ended: new Map() }),
    startedAtMs: 0,
  } as unknown as RelayView;
  const metrics = new Metrics(relay, () => ({ connections: 0, requests: new Map() }), () => nowMs);
  for (const isOpen of [true, false, true, false]) metrics.text(isOpen);
  assert.equal(made, 2);
  nowMs = 499;
  metrics.text(true);
  assert.equal(made, 2);
  nowMs = 500;
  metrics.text(true);
  assert.equal(made, 3);
});
