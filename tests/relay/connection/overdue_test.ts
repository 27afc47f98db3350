// Holds findOverdue against the three limits: which is exceeded, which counts first, and in which words.

import assert from "node:assert/strict";
import { findOverdue, type Overdue, type Waits } from "../../../src/relay/connection/overdue.ts";

const LIMITS = { writeDeadlineMs: 30_000, pingTimeoutMs: 15_000, idleLineMs: 2500 };
const NONE: Waits = { stuckMs: 0, silentMs: 0, midLineMs: 0 };

function overdue(waits: Partial<Waits>, who: "member" | "session" = "session"): Overdue | undefined {
  return findOverdue({ ...NONE, ...waits }, LIMITS, who, 7);
}

Deno.test("findOverdue finds nothing up to each limit", () => {
  assert.equal(overdue({ stuckMs: 30_000, silentMs: 15_000, midLineMs: 2500 }), undefined);
});

Deno.test("findOverdue cuts who takes nothing or says nothing, and names the limit", () => {
  assert.deepEqual(overdue({ stuckMs: 30_001 }), {
    reason: "stuck",
    message: "member took no byte, closed",
    afterMs: 30_000,
  });
  for (const who of ["member", "session"] as const) {
    assert.deepEqual(overdue({ silentMs: 15_001 }, who), {
      reason: "timeout",
      message: `${who} was not heard of, closed`,
      afterMs: 15_000,
    });
  }
});

Deno.test("findOverdue tells whose line does not end which one it is, and what ends a line", () => {
  const message = "Cannot wait for line 7: its end did not come within 2.5 s, a line ends with LF";
  assert.deepEqual(overdue({ midLineMs: 2501 }), { error: { code: "idle_line", message, line: 7 } });
});

Deno.test("findOverdue cuts who could not be told anything before it tells something", () => {
  const all = overdue({ stuckMs: 30_001, silentMs: 15_001, midLineMs: 2501 });
  assert.equal(all !== undefined && "reason" in all && all.reason, "stuck");
  const silent = overdue({ silentMs: 15_001, midLineMs: 2501 });
  assert.equal(silent !== undefined && "reason" in silent && silent.reason, "timeout");
});
