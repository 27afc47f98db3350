// Holds OwnRanges against what cursors need beside the histories of room_log_test: that it gives memory back.

import assert from "node:assert/strict";
import { OwnRanges } from "../../../src/relay/room/own_ranges.ts";

Deno.test("OwnRanges gives back the memory of what was passed long before all of it is", () => {
  let bytes = 0;
  const ranges = new OwnRanges({ grow: (growth) => bytes += growth });
  for (let at = 0; at < 1000; at++) ranges.push(2 * at, 2 * at + 1, 1);
  const full = bytes;
  assert.ok(full >= 1000 * 24, `${full} bytes for three numbers each`);
  for (let at = 0; at < 600; at++) assert.equal(ranges.passTo(2 * at + 1), 1);
  assert.deepEqual([ranges.size, ranges.start, ranges.lines, ranges.bytes], [400, 1200, 400, 400]);
  assert.ok(bytes <= 0.7 * full, `${bytes} of ${full}`);
  for (let at = 600; at < 1000; at++) ranges.passTo(2 * at + 1);
  assert.deepEqual([ranges.size, ranges.start, bytes], [0, Infinity, 0]);
});
