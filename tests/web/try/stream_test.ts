// The stream of a console: lines, their kinds, and the count that is acknowledged.

import assert from "node:assert/strict";
import { isHeartbeat, Stream } from "../../../web/try/stream.ts";

const WELCOME = `{"$welcome":{"id":"k1"}}`;
const SAID = ["null", `{"a":"é😀"}`, ` {"$ping":1}`, `{"$set":{"key":"x"}}`, "", `{"$error":{"code":"x"}}`];

Deno.test("Stream gives the same lines and count wherever the text is cut", () => {
  const text = [WELCOME, ...SAID].map((line) => `${line}\n`).join("");
  const want = new TextEncoder().encode(text).length - WELCOME.length - 1;
  for (let at = 0; at <= text.length; at++) {
    const stream = new Stream(true);
    const lines = [...stream.push(text.slice(0, at)), ...stream.push(text.slice(at))];
    assert.deepEqual(lines.map((line) => line.text), [WELCOME, ...SAID], `cut at ${at}`);
    assert.equal(stream.bytes, want, `cut at ${at}`);
  }
});

Deno.test("Stream counts from the welcome on, complete lines only", () => {
  const stream = new Stream(true);
  stream.push("1\n2\n");
  assert.equal(stream.bytes, 0);
  assert.equal(stream.isWelcome, false);
  stream.push(`${WELCOME}\n12`);
  assert.equal(stream.isWelcome, true);
  assert.equal(stream.bytes, 0);
  stream.push("3\n");
  assert.equal(stream.bytes, 4);
});

Deno.test("Stream tells events from control lines in a session, and not at plain level", () => {
  const kinds = (isSession: boolean) =>
    new Stream(isSession).push(SAID.map((line) => `${line}\n`).join("")).map(({ kind }) => kind);
  assert.deepEqual(kinds(true), ["event", "event", "event", "control", "event", "error"]);
  assert.deepEqual(kinds(false), ["event", "event", "event", "event", "event", "error"]);
});

Deno.test("Stream takes CR LF for the end of a line, and counts the CR", () => {
  const stream = new Stream(true);
  stream.push(`${WELCOME}\n`);
  assert.deepEqual(stream.push("1\r\n"), [{ text: "1", kind: "event" }]);
  assert.equal(stream.bytes, 3);
});

Deno.test("isHeartbeat names what only keeps a connection going", () => {
  for (const line of [`{"$pong":{}}`, `{"$ping":{}}`, `{"$ack":{}}`, `{"$time":{}}`]) {
    assert.ok(isHeartbeat(line));
  }
  for (const line of [`{"$join":{}}`, ` {"$ping":1}`, `{"pong":1}`, "1"]) assert.ok(!isHeartbeat(line));
});
