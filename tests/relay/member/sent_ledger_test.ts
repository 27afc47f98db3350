// Holds SentLedger against a list of bytes: a count of the stream, wherever it ends, stands for a place in
// the log and a version of the state.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { SentLedger } from "../../../src/relay/member/sent_ledger.ts";

Deno.test("SentLedger tells how much of the log an acknowledgement confirms, in the middle of pieces too", () => {
  const ledger = new SentLedger(0);
  ledger.addLog(100);
  ledger.addReplies(10);
  ledger.addLog(50);
  ledger.addLog(50);
  ledger.addState(20, 7);
  assert.equal(ledger.sent, 230);
  assert.deepEqual([ledger.ack(30), ledger.ack(30), ledger.ack(20)], [30, 0, 0]);
  assert.equal(ledger.acked, 30, "a lower count changes nothing");
  assert.deepEqual([ledger.ack(105), ledger.ack(109), ledger.ack(111)], [70, 0, 1]);
  assert.deepEqual([ledger.ack(229), ledger.stateVersion], [99, 0]);
  assert.deepEqual([ledger.ack(230), ledger.stateVersion], [0, 7]);
});

Deno.test("SentLedger.passState holds once all that was written before is acknowledged, at once if that is so", () => {
  const ledger = new SentLedger(1);
  ledger.passState(2);
  assert.equal(ledger.stateVersion, 2);
  ledger.addLog(10);
  ledger.passState(3);
  ledger.ack(9);
  assert.equal(ledger.stateVersion, 2);
  ledger.ack(10);
  assert.equal(ledger.stateVersion, 3);
});

Deno.test("SentLedger.rewind forgets what is not confirmed", () => {
  const ledger = new SentLedger(1);
  ledger.addLog(10);
  ledger.addState(10, 5);
  ledger.ack(4);
  ledger.rewind();
  assert.deepEqual([ledger.sent, ledger.acked, ledger.stateVersion], [4, 4, 1]);
  ledger.addLog(10);
  assert.equal(ledger.ack(14), 10);
});

Deno.test("SentLedger stays short for a client that acknowledges nothing", () => {
  const ledger = new SentLedger(0);
  for (let i = 0; i < 200_000; i++) ledger.addReplies(60);
  const startedAt = performance.now();
  for (let i = 0; i < 1000; i++) ledger.ack(i);
  assert.ok(performance.now() - startedAt < 1000, "an acknowledgement does not look through 200,000 pieces");
  assert.equal(ledger.sent, 12_000_000);
});

Deno.test("SentLedger agrees with a list of bytes, whatever is written and acknowledged", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom("log", "replies", "state"), bytes: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ ack: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.constant("rewind" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ledger = new SentLedger(0);
      let stream: string[] = [], acked = 0, confirmedLog = 0, version = 0;
      const versionEnds: [end: number, version: number][] = [];
      for (const step of steps) {
        if (step === "rewind") {
          ledger.rewind();
          stream = stream.slice(0, acked);
          while (versionEnds.length > 0 && versionEnds.at(-1)![0] > acked) versionEnds.pop();
        } else if ("ack" in step) {
          const to = Math.floor(step.ack * stream.length);
          confirmedLog += ledger.ack(to);
          acked = Math.max(acked, to);
        } else {
          for (let i = 0; i < step.bytes; i++) stream.push(step.kind);
          if (step.kind === "log") ledger.addLog(step.bytes);
          else if (step.kind === "replies") ledger.addReplies(step.bytes);
          else {
            ledger.addState(step.bytes, ++version);
            versionEnds.push([stream.length, version]);
          }
        }
        assert.deepEqual([ledger.sent, ledger.acked], [stream.length, acked]);
        assert.equal(confirmedLog, stream.slice(0, acked).filter((kind) => kind === "log").length);
        const confirmedVersion = versionEnds.findLast(([end]) => end <= acked)?.[1] ?? 0;
        assert.equal(ledger.stateVersion, confirmedVersion);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("SentLedger takes no more memory for what is written in many pieces of one kind", () => {
  const ledger = new SentLedger(0);
  ledger.addLog(10);
  const { memoryBytes } = ledger;
  for (let i = 0; i < 1000; i++) ledger.addLog(10);
  assert.equal(ledger.memoryBytes, memoryBytes);
  for (let version = 1; version <= 10; version++) ledger.addState(10, version);
  assert.equal(ledger.memoryBytes, 11 * memoryBytes, "each of state has a version of its own");
});
