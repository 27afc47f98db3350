// Tests src/client/session/read_position.ts: a stream cut anywhere ends at the same place.

import assert from "node:assert/strict";
import { ReadPosition } from "../../../src/client/session/read_position.ts";

const STREAM = new TextEncoder().encode("1\n\n22\n333\nrest");

Deno.test("ReadPosition counts whole lines, wherever the bytes are cut", () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const position = new ReadPosition();
    position.add(STREAM.subarray(0, cut));
    const whole = new TextDecoder().decode(STREAM.subarray(0, cut)).lastIndexOf("\n") + 1;
    assert.equal(position.lineEndBytes, whole, `after ${cut} bytes`);
    position.add(STREAM.subarray(cut));
    assert.equal(position.lineEndBytes, STREAM.length - 4);
  }
});

Deno.test("ReadPosition.resume goes on behind the last whole line, restart where another stream is", () => {
  const position = new ReadPosition();
  position.add(STREAM);
  position.resume();
  position.add(new TextEncoder().encode("rest\nmore"));
  assert.equal(position.lineEndBytes, STREAM.length + 1);
  position.restart(7);
  assert.equal(position.lineEndBytes, 7);
  position.add(new TextEncoder().encode("\n"));
  assert.equal(position.lineEndBytes, 8);
});

Deno.test("ReadPosition.dueAck lets an acknowledgement ride from half of the window on, and go alone from three quarters", () => {
  const position = new ReadPosition();
  const due = (bytes: number, ackedBytes: number) => {
    position.restart(bytes);
    return position.dueAck(ackedBytes, 100);
  };
  assert.deepEqual([0, 49, 50, 74, 75, 100].map((bytes) => due(bytes, 0)), [
    undefined,
    undefined,
    "with events",
    "with events",
    "alone",
    "alone",
  ]);
  assert.equal(due(1049, 1000), undefined, "what counts is what was not acknowledged");
});

Deno.test("ReadPosition.dueAck lets the read that tells of a gap, and the next one, be acknowledged at once", () => {
  const position = new ReadPosition();
  const due = () => {
    position.add(new TextEncoder().encode("1\n"));
    return position.dueAck(0, 1000);
  };
  assert.equal(due(), undefined);
  for (let gap = 0; gap < 2; gap++) {
    position.noteGap();
    assert.deepEqual([due(), due(), due()], ["alone", "alone", undefined]);
  }
  position.noteGap();
  assert.equal(due(), "alone");
  position.noteGap();
  assert.deepEqual([due(), due(), due()], ["alone", "alone", undefined], "one gap after the other");
});
