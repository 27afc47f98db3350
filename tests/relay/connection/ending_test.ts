// Holds Ending against its steps on a time that only the test moves: their deadlines, which reason stays, and
// which errors are logged.

import assert from "node:assert/strict";
import { Ending, logLevelOf } from "../../../src/relay/connection/ending.ts";
import { ManualTime } from "../../support/manual_time.ts";

/** An ending whose connection notes when it is cut because of a deadline. */
class Stub {
  readonly time = new ManualTime();
  readonly cuts: unknown[] = [];
  readonly ending = new Ending(this, this.time.timers);
  isOutputEnded = false;

  constructor() {
    void this.ending.outputEnded().then(() => this.isOutputEnded = true);
  }

  cut(reason: Parameters<Ending["cut"]>[0]): void {
    if (this.ending.cut(reason)) this.cuts.push([this.time.nowMs, reason]);
  }
}

Deno.test("Ending gives a second for what is due, then cuts for the same reason", async () => {
  const stub = new Stub();
  assert.equal(stub.ending.reason, undefined);
  stub.ending.begin("shutdown");
  await stub.time.pass(999);
  assert.deepEqual([stub.ending.reason, stub.ending.isCut, stub.isOutputEnded], ["shutdown", false, false]);
  await stub.time.pass(1);
  assert.deepEqual(stub.cuts, [[1000, "shutdown"]]);
  assert.deepEqual([stub.ending.isCut, stub.isOutputEnded, stub.time.running], [true, true, 0]);
});

Deno.test("Ending waits a quarter of a second for the other side, from the end of the output on", async () => {
  const stub = new Stub();
  stub.ending.begin("closed");
  await stub.time.pass(900);
  stub.ending.noteOutputEnded();
  await stub.time.pass(249);
  assert.deepEqual([stub.isOutputEnded, stub.ending.isCut], [true, false]);
  await stub.time.pass(1);
  assert.deepEqual(stub.cuts, [[1150, "closed"]]);
});

Deno.test("Ending keeps its first reason when it is cut, is cut once, and leaves no timer", async () => {
  const stub = new Stub();
  stub.ending.begin("refused");
  assert.deepEqual([stub.ending.cut("lost"), stub.ending.cut("lost")], [true, false]);
  assert.deepEqual([stub.ending.reason, stub.time.running], ["refused", 0]);
  await stub.time.pass(5000);
  assert.deepEqual(stub.cuts, []);
  const abrupt = new Stub();
  abrupt.ending.cut("stuck");
  assert.equal(abrupt.ending.reason, "stuck");
});

Deno.test("Ending has no deadline where nothing is due", () => {
  const stub = new Stub();
  stub.ending.beginShort("bye");
  assert.deepEqual([stub.ending.reason, stub.time.running, stub.ending.isCut], ["bye", 0, false]);
});

Deno.test("logLevelOf says nothing of everyday ends, warns of TLS gone wrong, and calls the rest an error", () => {
  const { errors } = Deno;
  for (
    const error of [
      ...[errors.ConnectionReset, errors.BrokenPipe, errors.ConnectionAborted, errors.NotConnected],
      ...[errors.TimedOut, errors.UnexpectedEof, errors.BadResource, errors.Interrupted],
    ]
  ) assert.equal(logLevelOf(new error("")), undefined, error.name);
  assert.equal(logLevelOf(new errors.InvalidData("")), "warn");
  assert.equal(logLevelOf(new TypeError("")), "error");
});
