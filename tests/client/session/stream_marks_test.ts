// Tests src/client/session/stream_marks.ts with marks as a relay writes them, and as a newer one may.

import assert from "node:assert/strict";
import type { Peer } from "../../../src/client/session/roster.ts";
import { StreamMarks } from "../../../src/client/session/stream_marks.ts";

function marksOf(...ids: string[]): { marks: StreamMarks; peers: Map<string, Peer> } {
  const peers = new Map(ids.map((id) => [id, { id, name: "", state: {} }]));
  return { marks: new StreamMarks((id) => peers.get(id)!), peers };
}

Deno.test("StreamMarks gives one object for all events of the same origin, and another after a control line", () => {
  const { marks, peers } = marksOf("k1", "k2");
  assert.deepEqual(marks.origin, { from: undefined, time: 0 }, "nothing is known before the first mark");
  marks.noteControlLine();
  assert.ok(marks.takePlainFrom('{"$from":{"id":"k1"}}'));
  marks.takeTime(5);
  const { origin } = marks;
  assert.deepEqual([origin.from, origin.time], [peers.get("k1"), 5]);
  assert.equal(marks.origin, origin);
  marks.noteControlLine();
  assert.notEqual(marks.origin, origin);
  assert.deepEqual(marks.origin, origin);
});

Deno.test("StreamMarks.takePlainFrom takes the relay's own form alone, takeFrom any body", () => {
  const { marks, peers } = marksOf("k1", "k2");
  for (const line of ['{"$from":{}}', '{"$from":{"id":"k1","ask":"1"}}', '{"$time":{}}', "1"]) {
    assert.equal(marks.takePlainFrom(line), false, line);
  }
  assert.equal(marks.sender, undefined);
  marks.takeFrom({ id: "k2", more: 1 });
  assert.equal(marks.sender, peers.get("k2"));
  for (const id of [undefined, 7, null]) {
    marks.takeFrom({ id });
    assert.equal(marks.sender, undefined, "a plain client");
    marks.takeFrom({ id: "k2" });
  }
});

Deno.test("StreamMarks.takeTag tells once what the next line is, and nothing of what no question is", () => {
  const { marks } = marksOf("k1");
  const tagOf = (body: Record<string, unknown>) => {
    marks.takeFrom({ id: "k1", ...body });
    return marks.takeTag();
  };
  assert.deepEqual(tagOf({ ask: "a" }), { ask: "a" });
  assert.equal(marks.takeTag(), undefined, "once");
  assert.deepEqual(tagOf({ reply: "a" }), { reply: "a" });
  assert.deepEqual(tagOf({ reply: "a", failed: true }), { reply: "a", failed: true });
  assert.deepEqual(tagOf({ reply: "a", failed: "yes" }), { reply: "a" });
  for (const body of [{}, { ask: 1 }, { reply: null }, { failed: true }]) {
    assert.equal(tagOf(body), undefined);
  }
  marks.takeFrom({ id: "k1", ask: "a" });
  marks.takePlainFrom('{"$from":{"id":"k1"}}');
  assert.equal(marks.takeTag(), undefined, "a later mark says that it is an event");
});

Deno.test("StreamMarks.reset knows nothing of the stream before but the time given", () => {
  const { marks } = marksOf("k1");
  marks.takeFrom({ id: "k1", ask: "a" });
  marks.takeTime(5);
  void marks.origin;
  marks.reset(9);
  assert.deepEqual([marks.origin, marks.takeTag()], [{ from: undefined, time: 9 }, undefined]);
});
