// Holds ConnectionCounts against what came and went: totals are all of it, traffic is each line and byte
// once, whenever it is asked for.

import assert from "node:assert/strict";
import { ConnectionCounts } from "../../../src/relay/connection/connection_counts.ts";
import { noCounts, noTraffic } from "../../../src/relay/relay_stats.ts";
import type { Cursor } from "../../../src/relay/room/cursor.ts";

/** A cursor, as far as it counts. */
class StubCursor {
  lines = 0;
  asked = 0;
  readonly lost = { lines: 0, bytes: 0 };

  countTakenLines(): number {
    this.asked++;
    return this.lines;
  }
}

function cursorOf(stub: StubCursor): Cursor {
  return stub as unknown as Cursor;
}

Deno.test("ConnectionCounts adds to a sum what it gives as its total, with and without a member", () => {
  const counts = new ConnectionCounts(), cursor = new StubCursor(), sum = noCounts();
  counts.receivedLines = 2;
  counts.receivedBytes = 30;
  counts.errors = 1;
  assert.deepEqual(counts.total(undefined, 40), {
    ...noCounts(),
    receivedLines: 2,
    receivedBytes: 30,
    sentBytes: 40,
    errors: 1,
  });
  cursor.lines = 5;
  cursor.lost.lines = 6;
  const total = counts.total(cursorOf(cursor), 40);
  assert.deepEqual([total.sentLines, total.skippedLines], [5, 6]);
  counts.addTo(sum, cursorOf(cursor), 40);
  assert.deepEqual(sum, total);
  counts.addTo(sum, cursorOf(cursor), 40);
  assert.deepEqual(Object.values(sum), Object.values(total).map((count) => 2 * count));
});

Deno.test("ConnectionCounts adds each line and byte to the traffic once, those of a member's earlier connections not", () => {
  const counts = new ConnectionCounts(), cursor = new StubCursor(), sum = noTraffic();
  counts.receivedBytes = 10; // the hello
  counts.addTraffic(sum, undefined, 0);
  cursor.lines = 100;
  counts.startAt(cursorOf(cursor));
  counts.receivedLines = 3;
  counts.receivedBytes = 40;
  cursor.lines = 104;
  counts.addTraffic(sum, cursorOf(cursor), 50);
  counts.addTraffic(sum, cursorOf(cursor), 50);
  assert.deepEqual(sum, { inLines: 3, inBytes: 40, outLines: 4, outBytes: 50 });
});

Deno.test("ConnectionCounts counts no lines where no byte went out: that costs a look at the log", () => {
  const counts = new ConnectionCounts(), cursor = new StubCursor(), sum = noTraffic();
  for (let i = 0; i < 5; i++) counts.addTraffic(sum, cursorOf(cursor), 0);
  assert.equal(cursor.asked, 0);
});
