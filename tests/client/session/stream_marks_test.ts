// Tests src/client/session/stream_marks.ts with marks as a relay writes them, and as a newer one may.

import assert from "node:assert/strict";
import { StreamMarks } from "../../../src/client/session/stream_marks.ts";

function marksOf(...ids: string[]) {
  const peers = new Map(ids.map((id) => [id, { id, name: "", state: {} }]));
  const members = { find: (id: string) => peers.get(id)!, hostId: undefined as string | undefined };
  return { marks: new StreamMarks(members), peers, members };
}

Deno.test("StreamMarks gives one object for all events of the same origin, and another after a control line", () => {
  const { marks, peers } = marksOf("k1", "k2");
  assert.deepEqual(
    marks.origin,
    { from: undefined, time: 0, fromHost: false },
    "nothing is known before the first mark",
  );
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
  assert.deepEqual([marks.origin, marks.takeTag()], [
    { from: undefined, time: 9, fromHost: false },
    undefined,
  ]);
});

Deno.test("StreamMarks says of each event whether its sender led where it stands", () => {
  const { marks, members } = marksOf("k1", "k2");
  assert.equal(marks.origin.fromHost, false, "a plain client never leads, nor does nobody");
  const told: (boolean | undefined)[] = [];
  for (
    const [sender, hostId] of [["k1", undefined], ["k1", "k1"], ["k1", "k2"], ["k2", "k2"], [undefined, "k2"]]
  ) {
    members.hostId = hostId;
    marks.noteControlLine();
    marks.takeFrom({ id: sender });
    told.push(marks.origin.fromHost);
  }
  assert.deepEqual(told, [false, true, false, true, false]);
});
