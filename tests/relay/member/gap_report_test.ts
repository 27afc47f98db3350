// Holds the lines of a gap against what was missed: which there are, in which order, and the marks between
// what is told after all.

import assert from "node:assert/strict";
import { type Gap, isNothing, writeLost, writeRest } from "../../../src/relay/member/gap_report.ts";
import { RELAY_DEFAULTS } from "../../../src/relay/options.ts";
import { type Peer, Room } from "../../../src/relay/room/room.ts";
import { encodeControl, encodeFrom } from "../../../src/wire/protocol.ts";
import { fromBytes, toBytes } from "../../support/bytes_of_text.ts";
import { StubReader } from "../../support/stub_reader.ts";
import { UNLIMITED_MEMORY } from "../../support/unlimited_memory.ts";

/** The clock begins at 0 when it is 5000 by the relay's time. */
const SETTINGS = {
  ...RELAY_DEFAULTS,
  memory: UNLIMITED_MEMORY,
  clock: () => 1000,
  relayTime: () => 6000,
};

const ADA = { who: { fromLine: encodeFrom("k1") } }, BO = { who: { fromLine: encodeFrom("k2") } };
const NOTHING = { lines: 0, bytes: 0 };

function peer(id: string, canHost = false): Peer {
  return { id, name: "", joinLine: encodeControl("join", { id, name: "" }), canHost, isConnected: true };
}

function gapOf(parts: Partial<Gap>): Gap {
  return {
    from: Infinity,
    nowMs: 1000,
    lost: NOTHING,
    kept: { ...NOTHING, pieces: [] },
    letters: { lost: NOTHING, pieces: [], answers: [] },
    ...parts,
  };
}

/** The lines that follow `$lost`, in a room with two others. */
function restOf(parts: Partial<Gap>): string[] {
  const room = new Room("r", SETTINGS, () => {}), me = peer("k3");
  new StubReader(room.sessions); // where nobody reads, nothing is said
  for (const each of [peer("k1", true), peer("k2"), me]) room.enter(each);
  return writeRest(gapOf(parts), me, room, SETTINGS).flatMap((bytes) =>
    fromBytes(bytes).split("\n").slice(0, -1)
  );
}

Deno.test("a gap is nothing only if nothing was lost, kept, or is left of the letters", () => {
  const piece = { bytes: toBytes("1\n"), lines: 1, offset: 0, atMs: 0 };
  assert.equal(isNothing(gapOf({})), true);
  for (
    const parts of [
      { lost: { lines: 0, bytes: 2 } },
      { kept: { lines: 1, bytes: 2, pieces: [piece] } },
      { letters: { lost: { lines: 1, bytes: 2 }, pieces: [], answers: [] } },
      { letters: { lost: NOTHING, pieces: [piece], answers: [] } },
      { letters: { lost: NOTHING, pieces: [], answers: [toBytes("{}\n")] } },
    ]
  ) assert.equal(isNothing(gapOf(parts)), false, JSON.stringify(parts));
});

Deno.test("writeLost adds up what was lost of the log and of letters", () => {
  const letters = { lost: { lines: 2, bytes: 30 }, pieces: [], answers: [] };
  assert.equal(
    fromBytes(writeLost(gapOf({ lost: { lines: 5, bytes: 100 }, letters }))),
    '{"$lost":{"lines":7,"bytes":130}}\n',
  );
});

Deno.test("writeRest ends with the time, and tells who is there and who leads only if that changed in the gap", () => {
  assert.deepEqual(restOf({}), ['{"$time":{"time":6000}}']);
  const room = new Room("r", SETTINGS, () => {}), [ada, bo] = [peer("k1", true), peer("k2")];
  new StubReader(room.sessions);
  for (const each of [ada, bo]) room.enter(each);
  const { presenceChangedAt } = room; // the gap begins right behind what has told it
  const lines = writeRest(gapOf({ from: presenceChangedAt }), bo, room, SETTINGS).map(fromBytes);
  assert.deepEqual(lines, ['{"$time":{"time":6000}}\n']);
  const [peers, host, time, ...more] = restOf({ from: 0 });
  assert.deepEqual(JSON.parse(peers).$peers.peers.map(({ id }: { id: string }) => id), ["k1", "k2"]);
  assert.deepEqual([host, time, more], ['{"$host":{"id":"k1"}}', '{"$time":{"time":6000}}', []]);
});

Deno.test("writeRest tells kept lines and letters in the log's order, each with the time and the sender that hold for it", () => {
  const answer = toBytes('{"$answer":{"ask":"1"}}\n');
  const kept = {
    lines: 4,
    bytes: 8,
    pieces: [
      { bytes: toBytes("1\n"), sender: ADA, offset: 10, atMs: 100 },
      { bytes: toBytes("2\n"), sender: ADA, offset: 20, atMs: 199 },
      { bytes: toBytes("4\n"), sender: ADA, offset: 40, atMs: 199 },
      { bytes: toBytes("5\n"), sender: BO, offset: 50, atMs: 200 },
    ],
  };
  const letter = { bytes: toBytes('{"$from":{"id":"k9"}}\n3\n'), lines: 1, offset: 30, atMs: 199 };
  assert.deepEqual(restOf({ kept, letters: { lost: NOTHING, pieces: [letter], answers: [answer] } }), [
    ...['{"$time":{"time":5100}}', '{"$from":{"id":"k1"}}', "1", "2"],
    ...['{"$from":{"id":"k9"}}', "3"],
    ...['{"$from":{"id":"k1"}}', "4"],
    ...['{"$time":{"time":5200}}', '{"$from":{"id":"k2"}}', "5"],
    ...['{"$answer":{"ask":"1"}}', '{"$time":{"time":6000}}'],
  ]);
});
