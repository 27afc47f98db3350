// Holds Complaints against what a client is told: each bad line, when so many are too many, and how often
// that it sends too fast.

import assert from "node:assert/strict";
import { Complaints } from "../../../src/relay/connection/complaints.ts";
import type { WireError } from "../../../src/wire/protocol.ts";

const REQUEST = new TextEncoder().encode("get / HTTP/1.1\r");

const BAD: WireError = { code: "invalid_json", message: "Cannot relay line 7: it is no JSON", line: 7 };

/** Complaints about a client that notes what it is told. */
class Client {
  nowMs = 0;
  /** Whether there is room for what it is told. */
  hasRoom = true;
  readonly told: string[] = [];
  readonly log: unknown[] = [];
  readonly complaints = new Complaints("192.0.2.1:5", {
    clock: () => this.nowMs,
    log: (level, message, fields) => this.log.push([level, message, fields]),
    maxLinesPerSecond: 100,
    pingTimeoutMs: 9000,
  });

  replyError({ code, message }: WireError): boolean {
    if (this.hasRoom) this.told.push(`${code}: ${message}`);
    return this.hasRoom;
  }

  tellSlow(): void {
    this.told.push("slow");
  }

  tooFastAt(nowMs: number): void {
    this.nowMs = nowMs;
    this.complaints.tellTooFast(this, this);
  }
}

Deno.test("Complaints tells and logs each bad line, and that the hundredth in a row is one too many", () => {
  const client = new Client(), { complaints } = client;
  for (let i = 1; i < 100; i++) assert.equal(complaints.tellBad(BAD, client), undefined);
  complaints.noteGood();
  for (let i = 1; i < 100; i++) assert.equal(complaints.tellBad(BAD, client), undefined);
  const last = complaints.tellBad(BAD, client);
  assert.deepEqual([last?.code, last?.line], ["too_many_errors", 7]);
  assert.match(last!.message, /^Cannot go on: 100 lines in a row were bad, /);
  assert.equal(client.told.length, 199);
  assert.deepEqual(client.log[0], [
    "warn",
    "bad line",
    { address: "192.0.2.1:5", code: "invalid_json", why: BAD.message },
  ]);
});

Deno.test("Complaints ends who begins with a request, and nobody who has said something good", () => {
  const client = new Client(), { complaints } = client;
  assert.equal(complaints.tellBad(BAD, client), undefined);
  const end = complaints.tellBad(BAD, client, REQUEST);
  assert.equal(end?.code, "invalid_json");
  assert.match(end!.message, /^Cannot go on: line 7 begins a request of another protocol, /);
  assert.equal(client.told.length, 1, "it is told once");
  complaints.noteGood();
  assert.equal(complaints.tellBad(BAD, client, REQUEST), undefined);
  assert.equal(client.told.length, 2);
});

Deno.test("Complaints ends who begins with a request that is too long for a line", () => {
  const tooLong = { ...BAD, code: "line_too_long" as const }, client = new Client();
  const beginning = (text: string) => new TextEncoder().encode(text);
  assert.equal(client.complaints.tellBad(tooLong, client, beginning(`{"path":" /`)), undefined);
  assert.equal(client.complaints.tellBad(tooLong, client, beginning("get /aaa"))?.code, "line_too_long");
  client.complaints.noteGood();
  assert.equal(client.complaints.tellBad(tooLong, client, beginning("get /aaa")), undefined);
});

Deno.test("Complaints tells who sends too fast what is allowed, once, then three times in pingTimeoutMs that the relay is there", () => {
  const client = new Client();
  for (const nowMs of [0, 2999, 3000, 5999, 6000]) client.tooFastAt(nowMs);
  assert.deepEqual(client.told, [
    "rate_limited: Cannot read so fast: 100 lines a second are allowed, more have to wait",
    "slow",
    "slow",
  ]);
  assert.equal(client.log.length, 1);
});

Deno.test("Complaints tells what is allowed again where there was no room for it", () => {
  const client = new Client();
  client.hasRoom = false;
  client.tooFastAt(0);
  client.hasRoom = true;
  client.tooFastAt(1);
  assert.equal(client.told.length, 1);
  assert.match(client.told[0], /^rate_limited/);
});
