// Holds followLine() against what each control line asks for: a real room, with sessions in it that only note
// what they are told. What a member makes of it on a connection is in session_member_test.ts.

import assert from "node:assert/strict";
import {
  type ControlError,
  type ControlledSession,
  followLine,
} from "../../../src/relay/member/session_control.ts";
import { RELAY_DEFAULTS } from "../../../src/relay/options.ts";
import type { Letter } from "../../../src/relay/room/letter.ts";
import { Room } from "../../../src/relay/room/room.ts";
import { encodeControl, encodeFrom } from "../../../src/wire/protocol.ts";
import { StubReader } from "../../support/stub_reader.ts";
import { UNLIMITED_MEMORY } from "../../support/unlimited_memory.ts";

const encoder = new TextEncoder(), decoder = new TextDecoder();

function openRoom(): Room {
  const settings = { ...RELAY_DEFAULTS, memory: UNLIMITED_MEMORY, clock: () => 0, relayTime: () => 7 };
  return new Room("r", settings, () => {});
}

/** A session that notes what it is asked for. */
class StubSession extends StubReader implements ControlledSession {
  readonly joinLine: Uint8Array;
  readonly fromLine: Uint8Array;
  readonly canHost = true;
  isConnected = true;
  readonly letters: Letter[] = [];
  readonly noted: unknown[] = [];
  /** How long an answer may be. */
  maxAnswerBytes = Infinity;

  constructor(readonly room: Room, readonly id: string, readonly name = "") {
    super(room.sessions);
    this.joinLine = encodeControl("join", { id, name });
    this.fromLine = encodeFrom(id);
    room.enter(this, this);
  }

  get receiver(): this {
    return this;
  }

  receive(letter: Letter): boolean {
    this.letters.push(letter);
    return true;
  }

  hasRoomForAnswer(bytes: number): boolean {
    return bytes <= this.maxAnswerBytes;
  }

  onPing(ping: unknown): void {
    this.noted.push(ping);
  }

  onAck(bytes: number): void {
    this.noted.push(bytes);
  }

  onBye(): void {
    this.noted.push("bye");
  }

  listRooms(): unknown {
    return { rooms: [{ room: "r" }], more: 0 };
  }

  says(line: string): ControlError | undefined {
    const bytes = encoder.encode(`${line}\n`);
    return followLine(this, bytes, 0, bytes.length, true);
  }

  /** What it was handed, as text. */
  get mail(): string {
    return this.letters.map(({ bytes }) => decoder.decode(bytes)).join("");
  }
}

Deno.test("followLine hands a session what its $ping, $ack and $bye say", () => {
  const ada = new StubSession(openRoom(), "k1");
  for (const line of ['{"$ping":{"t":-1.5,"rtt":3}}', '{"$ack":{ "bytes":12}}', '{"$bye":{}}']) {
    assert.equal(ada.says(line), undefined);
  }
  assert.deepEqual(ada.noted, [{ t: -1.5, told: { rttMs: 3, lagMs: undefined } }, 12, "bye"]);
});

Deno.test("followLine gives each wrong line its code, does nothing, and knows no line number", () => {
  const ada = new StubSession(openRoom(), "k1");
  const cases: [line: string, code: string, message: RegExp][] = [
    ['{"$ping":{"t":"1"}}', "unknown_control", /^in \$ping, t is a number$/],
    ['{"$ack":{"bytes":-1}}', "unknown_control", /^in \$ack, bytes is a whole number$/],
    ['{"$rooms":{}}', "unknown_control", /^in \$rooms, ask /],
    ['{"$host":{"id":1}}', "unknown_control", /^in \$host, id is a string$/],
    ['{"$set":{"key":""}}', "bad_set", /^in \$set, key /],
    ['{"$claim":{"ask":"1","key":"k"}}', "bad_claim", /^in \$claim, value is missing$/],
    ['{"$to":{"ids":[],"event":1}}', "bad_to", /^in \$to, ids has 0 members, /],
    ['{"$ping":5}', "unknown_control", /^"\$ping" is no object$/],
    ['{"$shout":{}}', "unknown_control", /^"\$shout" is no control line, \$ping, .* and \$bye are$/],
  ];
  for (const [line, code, message] of cases) {
    const error = ada.says(line);
    assert.equal(error?.code, code, line);
    assert.match(error.message, message);
    assert.equal("line" in error, false);
  }
  assert.deepEqual([ada.noted, ada.letters], [[], []]);
});

Deno.test("followLine sets values of the member and of the room; a refusal names the key and whose it is", () => {
  const room = openRoom(), ada = new StubSession(room, "k1");
  assert.equal(ada.says('{"$set":{"key":"pos","value":[1, 2]}}'), undefined);
  assert.equal(ada.says('{"$set":{"key":"ball","value":3,"room":true}}'), undefined);
  assert.deepEqual([room.state.find(ada, "pos")?.value, room.state.find(room.owner, "ball")?.value], [
    "[1, 2]",
    "3",
  ]);
  const long = JSON.stringify("x".repeat(RELAY_DEFAULTS.maxValueBytes));
  const { code, key, room: isRoom } = ada.says(`{"$set":{"key":"ball","value":${long},"room":true}}`)!;
  assert.deepEqual([code, key, isRoom], ["value_too_long", "ball", true]);
  assert.equal(ada.says(`{"$set":{"key":"pos","value":${long}}}`)!.room, undefined);
});

Deno.test("followLine answers claims in the order in which they come, with the version of state that shows who won", () => {
  const room = openRoom(), ada = new StubSession(room, "k1"), bo = new StubSession(room, "k2");
  assert.equal(ada.says('{"$claim":{"ask":"1","key":"ball","value":"ada"}}'), undefined);
  assert.equal(bo.says('{"$claim":{"ask":"x","key":"ball","value":"bo"}}'), undefined);
  assert.equal(ada.mail, '{"$answer":{"ask":"1","won":true}}\n');
  assert.equal(bo.mail, '{"$answer":{"ask":"x","won":false,"value":"ada"}}\n');
  const { isAnswer, lines, stateVersion } = bo.letters[0];
  assert.deepEqual([isAnswer, lines, stateVersion], [true, 0, room.state.version]);
});

Deno.test("followLine says so where there is no memory for an answer, and does what was asked", () => {
  const room = openRoom(), ada = new StubSession(room, "k1"), bo = new StubSession(room, "k2");
  ada.says('{"$claim":{"ask":"1","key":"ball","value":"ada"}}');
  bo.maxAnswerBytes = 5;
  bo.says('{"$claim":{"ask":"2","key":"ball","value":"bo"}}');
  bo.says('{"$rooms":{"ask":"3"}}');
  const why = '"code":"relay_full","message":"the memory of the relay is full"';
  assert.equal(bo.mail, `{"$answer":{"ask":"2",${why}}}\n{"$answer":{"ask":"3",${why}}}\n`);
});

Deno.test("followLine answers $rooms with what the session knows of them", () => {
  const ada = new StubSession(openRoom(), "k1");
  ada.says('{"$rooms":{"ask":"7"}}');
  assert.equal(ada.mail, '{"$answer":{"ask":"7","rooms":[{"room":"r"}],"more":0}}\n');
});

Deno.test("followLine lets the host alone pass it on, to who is here, may and is connected", () => {
  const room = openRoom(), ada = new StubSession(room, "k1"), bo = new StubSession(room, "k2");
  assert.equal(room.host, ada);
  assert.equal(bo.says('{"$host":{"id":"k2"}}')?.code, "not_host");
  assert.deepEqual(ada.says('{"$host":{"id":"k9"}}')?.ids, ["k9"]);
  bo.isConnected = false;
  assert.match(ada.says('{"$host":{"id":"k2"}}')!.message, /"k2" has no connection now/);
  bo.isConnected = true;
  assert.equal(ada.says('{"$host":{"id":"k2"}}'), undefined);
  assert.equal(room.host, bo);
  assert.equal(bo.says('{"$host":{}}'), undefined);
  assert.equal(room.host, ada);
});

Deno.test("followLine sends a $to to each receiver once, with a space before what looks like a control line", () => {
  const room = openRoom(), ada = new StubSession(room, "k1"), bo = new StubSession(room, "k2");
  assert.equal(ada.says('{"$to":{"ids":["k2","k2"],"event":{"$a":[ 1 ]}}}'), undefined);
  assert.equal(bo.mail, '{"$from":{"id":"k1"}}\n {"$a":[ 1 ]}\n');
  assert.deepEqual([bo.letters.length, bo.letters[0].lines, ada.letters.length], [1, 1, 0]);
});

Deno.test("followLine says of a $to whom it does not reach: an error for a message, an answer for a question, nothing for an answer", () => {
  const room = openRoom(), ada = new StubSession(room, "k1"), bo = new StubSession(room, "k2");
  const error = ada.says('{"$to":{"ids":["k2","k8","k9"],"event":1}}');
  assert.deepEqual([error?.code, error?.ids, error?.message], [
    "no_such_peer",
    ["k8", "k9"],
    'nobody here has the id "k8" and 1 more',
  ]);
  assert.equal(bo.letters.length, 1, "the others get it all the same");
  assert.equal(ada.says('{"$to":{"ids":["k9"],"event":1,"ask":"5"}}'), undefined);
  assert.equal(
    ada.mail,
    '{"$answer":{"ask":"5","code":"no_such_peer","message":"nobody here has the id \\"k9\\""}}\n',
  );
  assert.equal(ada.says('{"$to":{"ids":["k9"],"event":1,"reply":"5"}}'), undefined);
  assert.equal(ada.letters.length, 1);
  const long = "x".repeat(60_000), cut = `${"x".repeat(40)}…`;
  for (const line of [`{"$to":{"ids":["k2","${long}"],"event":1}}`, `{"$host":{"id":"${long}"}}`]) {
    const { code, message, ids } = ada.says(line) ?? assert.fail(line);
    assert.deepEqual([code, ids, message], ["no_such_peer", [cut], `nobody here has the id "${cut}"`]);
  }
});

Deno.test("followLine understands what client.ts writes and what says the same in another way, checked or not", () => {
  const room = openRoom(), ada = new StubSession(room, "k1"), bo = new StubSession(room, "k2");
  const lines = [
    '{"$to":{"ids":["k2"],"event":7}}',
    '{ "$to" : {"event":7,"ids":[ "k2" ]}}',
    '{"$ack":{"bytes":5}}',
  ];
  for (const isChecked of [true, false]) {
    for (const line of lines) {
      const bytes = encoder.encode(`[0]\n${line}\n[1]\n`);
      assert.equal(followLine(ada, bytes, 4, bytes.length - 4, isChecked), undefined, line);
    }
  }
  assert.equal(bo.mail, '{"$from":{"id":"k1"}}\n7\n'.repeat(4));
  assert.deepEqual(ada.noted, [5, 5]);
});
