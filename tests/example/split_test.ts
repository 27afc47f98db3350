// The split game of the example: its simulated wire, its errors and their graph, at times that the test sets.

import assert from "node:assert/strict";
import { Canvas, readCell } from "../../example/canvas.ts";
import { paintErrors, roundUp } from "../../example/error_graph.ts";
import { ENTRY_MS, ErrorHistory } from "../../example/error_history.ts";
import { SimulatedWire } from "../../example/simulated_wire.ts";
import { Split } from "../../example/split.ts";
import { type Drawing, STRATEGIES } from "../../example/remote_balls.ts";
import { seededRandom } from "../../motion.ts";
import { parseSimulation } from "../../src/simulation/parse_simulation.ts";

/** Plays for some seconds at 60 frames a second, and returns the error of the last one. */
function playedSplit(network: string, drawing: Drawing, seconds = 6): Split {
  const options = { prefix: "me", random: seededRandom(1), drawing, hz: 10 };
  const split = new Split({ ...options, network: parseSimulation(network) }, 0);
  for (let frame = 1; frame <= seconds * 60; frame++) split.step(1 / 60, frame * 1000 / 60);
  return split;
}

Deno.test("SimulatedWire hands out what was sent after the delay, in order, as JSON leaves it", () => {
  const wire = new SimulatedWire(parseSimulation("delay=100ms"), 0);
  wire.send([{ a: 1, b: undefined }, [2]], 0);
  wire.send(["ü"], 50);
  wire.send([], 60);
  assert.deepEqual(wire.receive(99), []);
  assert.deepEqual(wire.receive(100), [{ a: 1 }, [2]]);
  assert.deepEqual(wire.receive(149), []);
  assert.deepEqual(wire.receive(1000), ["ü"]);
  assert.deepEqual(wire.receive(2000), []);
});

Deno.test("SimulatedWire loses nothing and keeps the order over the worst network, its cuts left out", () => {
  const wire = new SimulatedWire(parseSimulation("awful,seed=3"), 0);
  const received: unknown[] = [];
  for (let i = 0; i < 3000; i++) {
    if (i < 2000) wire.send([2 * i, 2 * i + 1], i * 50);
    received.push(...wire.receive(i * 50));
  }
  assert.deepEqual(received, Array.from({ length: 4000 }, (_, i) => i));
});

Deno.test("Split measures how far off each strategy is, at the same moment on both sides", () => {
  const error = (drawing: Drawing) => playedSplit("delay=80ms,seed=1", drawing).errors.recent.rms;
  const known = STRATEGIES.map((strategy) => error({ strategy, walls: true }));
  const [hold, speed, history, blend, interpolate] = known;
  // A ball of 40 to 200 px/s, drawn where it was 80 to 180 ms ago.
  assert.ok(hold > 5 && hold < 30, `hold ${hold}`);
  for (const sure of [speed, history, blend]) assert.ok(sure < 0.2, `${known}`);
  assert.ok(interpolate > hold, `${known}`);
  const unknown = error({ strategy: "blend", walls: false });
  assert.ok(unknown > 5 * blend && unknown < hold, `blend ${unknown}`);
});

Deno.test("Split tells how late interpolation draws, and that predictions aren't", () => {
  assert.equal(playedSplit("delay=80ms", { strategy: "blend", walls: true }).delayMs, 0);
  const late = playedSplit("delay=80ms", { strategy: "interpolate", walls: true }).delayMs;
  assert.ok(late > 150 && late < 300, `${late} ms`);
});

Deno.test("Split counts what goes in and comes out, and marks a change of strategy", () => {
  const split = playedSplit("delay=100ms", { strategy: "hold", walls: true }, 2);
  assert.equal(split.sent, 20 * 10);
  assert.ok(split.received >= 18 * 10 && split.received <= split.sent, `${split.received}`);
  const before = split.errors.entries.length;
  split.receiver.drawing = { strategy: "speed", walls: true };
  for (let ms = 0; ms < 300; ms += 10) split.step(0.01, 2000 + ms);
  const marks = split.errors.entries.slice(before - 1).flatMap(({ mark }) => mark ?? []);
  assert.deepEqual(marks, ["2"]);
});

Deno.test("ErrorHistory's figures are those of the last second", () => {
  const errors = new ErrorHistory();
  assert.deepEqual(errors.recent, { rms: 0, worst: 0 });
  errors.note([1000], 0);
  for (let ms = ENTRY_MS; ms <= 1000; ms += ENTRY_MS / 4) errors.note([3, 4], ms);
  assert.deepEqual(errors.recent, { rms: Math.sqrt(12.5), worst: 4 });
  errors.note([], 60_000); // a pause: no entries for what was not seen
  assert.ok(errors.entries.length <= 12);
});

/** What the graph of these errors, one a tenth of a second, looks like. */
function graphOf(values: number[], cols = 50, rows = 3): string[] {
  const errors = new ErrorHistory();
  values.forEach((value, i) => {
    if (i === values.length - 1) errors.mark("4");
    errors.note([value], i * ENTRY_MS);
  });
  const canvas = new Canvas({ cols, rows }, true);
  paintErrors(canvas, { col: 0, row: 0, cols, rows }, errors);
  const text = Array.from(canvas.cells, (cell) => readCell(cell)[0]).join("");
  return Array.from({ length: rows }, (_, row) => text.slice(row * cols, (row + 1) * cols));
}

Deno.test("paintErrors draws a bar for each tenth of a second, the newest at the right, up to a round scale", () => {
  const [caption, upper, lower] = graphOf([0, 10, 20, 5]);
  assert.equal(caption, " error, 0 to 20 px, the last 10 s ".padEnd(49) + "4");
  assert.equal(upper, "⡇".padStart(50));
  assert.equal(lower, "⣸⣧".padStart(50)); // 1 and 4 dots, 8 and 2
});

Deno.test("paintErrors draws as much as fits, whatever the numbers", () => {
  for (const cols of [1, 7, 80]) {
    for (const rows of [0, 1, 2, 9]) {
      const lines = graphOf([...Array(300).keys(), Infinity, NaN, 1e308], cols, rows);
      assert.ok(lines.every((line) => [...line].length === cols));
    }
  }
});

Deno.test("roundUp gives the next of 1, 2 and 5 times a power of ten", () => {
  const cases = [[0, 1], [1, 1], [1.1, 2], [3, 5], [7, 10], [11, 20], [501, 1000], [Infinity, 1], [NaN, 1]];
  for (const [value, want] of cases) assert.equal(roundUp(value), want);
});
