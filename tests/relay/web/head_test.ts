// Holds HeadReader against heads in all pieces, and against everything by which servers that stand behind
// each other were tricked: what it takes it takes apart as it stands, and what is not clear has a status,
// however it comes.

import assert from "node:assert/strict";
import {
  hasBody,
  HeadReader,
  HttpFault,
  lists,
  MAX_HEAD_BYTES,
  only,
  type RequestHead,
} from "../../../src/relay/web/head.ts";
import fc from "../../support/fast_check.ts";

type Outcome = { head: RequestHead; rest: string } | HttpFault | undefined;

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Pushes pieces until there is an answer; what is left of them belongs to the rest. */
function read(pieces: readonly string[]): Outcome {
  const reader = new HeadReader();
  for (const [i, piece] of pieces.entries()) {
    const answer = reader.push(bytesOf(piece));
    if (answer === undefined) continue;
    assert.ok(reader.isEmpty, "it starts anew");
    if (answer instanceof HttpFault) return answer;
    return { head: answer.head, rest: String.fromCharCode(...answer.rest) + pieces.slice(i + 1).join("") };
  }
}

function readWhole(text: string): RequestHead {
  const answer = read([text]);
  assert.ok(
    answer !== undefined && !(answer instanceof HttpFault),
    `${JSON.stringify(text)}: ${JSON.stringify(answer)}`,
  );
  return answer.head;
}

function statusOf(text: string): number | undefined {
  const answer = read([text]);
  return answer instanceof HttpFault ? answer.status : answer === undefined ? undefined : 200;
}

const GOOD =
  "GET /a?b=%20 HTTP/1.1\r\nHost: h:1\r\nX-A:  1 \t\r\nx-a:\r\nUpgrade: a, WebSocket\r\n\r\nrest\r\n";

Deno.test("HeadReader takes a head apart, whatever it is cut into", () => {
  const whole = read([GOOD]);
  assert.ok(whole !== undefined && !(whole instanceof HttpFault));
  const { head, rest } = whole;
  assert.deepEqual([head.method, head.target, head.minor, rest], ["GET", "/a?b=%20", 1, "rest\r\n"]);
  assert.deepEqual([...head.fields], [["host", ["h:1"]], ["x-a", ["1", ""]], ["upgrade", ["a, WebSocket"]]]);
  assert.deepEqual([only(head, "host"), only(head, "x-a"), only(head, "x-b")], ["h:1", undefined, undefined]);
  assert.deepEqual([lists(head, "upgrade", "websocket"), lists(head, "upgrade", "web")], [true, false]);
  for (let at = 0; at <= GOOD.length; at++) {
    assert.deepEqual(read([GOOD.slice(0, at), GOOD.slice(at)]), whole);
  }
  assert.deepEqual(read([...GOOD]), whole);
});

/** Heads that are not clear, and the status that says so. */
const BAD: [head: string, status: number][] = [
  ["\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  [" GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400],
  ["GET /\r\nHost: h\r\n\r\n", 400],
  ["GET / a HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["GET /\xe4 HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 400],
  ["GET / HTTP/1.1\nHost: h\n\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\n\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", 400],
  ["GET / HTTP/1.1\rHost: h\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\rX: 1\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\n X: 1\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\n\tfolded\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\n: nothing\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\nX\0: 1\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\nX: \x01\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\nX: \x7f\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\nX\xff: 1\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400],
  ["GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", 400],
  [`GET / HTTP/1.1\r\nHost: h\r\nContent-Length: ${"9".repeat(400)}\r\n\r\n`, 400],
  ["POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n", 400],
  ["GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505],
  ["PRI * HTTP/2.0\r\n\r\n", 505],
  ["GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505],
  ["GET / HTTP/11\r\nHost: h\r\n\r\n", 400],
  ["GET / HTTP/1.12\r\nHost: h\r\n\r\n", 400],
  ["GET / http/1.1\r\nHost: h\r\n\r\n", 400],
  ["GET / HTTP/1.x\r\nHost: h\r\n\r\n", 400],
  [`GET /${"a".repeat(MAX_HEAD_BYTES)} HTTP/1.1\r\n`, 414],
  [`GET / HTTP/1.1\r\nHost: h\r\nX: ${"a".repeat(MAX_HEAD_BYTES)}\r\n\r\n`, 431],
  [`GET / HTTP/1.1\r\nHost: h\r\n${"X: 1\r\n".repeat(100)}\r\n`, 431],
];

Deno.test("HeadReader refuses what is not clear with the same status, whatever it is cut into", () => {
  for (const [head, status] of BAD) {
    assert.equal(statusOf(head), status, JSON.stringify(head.slice(0, 100)));
    const whole = read([head]);
    assert.deepEqual(read([...head]), whole);
    const cuts = head.length < 200 ? Array.from(head, (_, i) => i) : [1, 100, 8191, 8192, 8193];
    for (const at of cuts) assert.deepEqual(read([head.slice(0, at), head.slice(at)]), whole);
  }
});

Deno.test("HeadReader takes heads of 8 KiB, and not a byte more", () => {
  const start = "GET / HTTP/1.1\r\nHost: h\r\nX: ", end = "\r\n\r\n";
  const most = MAX_HEAD_BYTES - start.length - end.length;
  assert.equal(only(readWhole(start + "x".repeat(most) + end), "x")!.length, most);
  const over = start + "x".repeat(most + 1) + end;
  assert.equal(statusOf(over), 431);
  assert.equal(statusOf(over.slice(0, MAX_HEAD_BYTES)), undefined, "it may end here yet");
  assert.equal(statusOf(over.slice(0, MAX_HEAD_BYTES + 1)), 431, "it can't any more");
  assert.equal(statusOf(start + "x".repeat(most) + end + "y".repeat(100_000)), 200);
});

Deno.test("HeadReader keeps no more than a head, however much comes at once", () => {
  const reader = new HeadReader();
  assert.ok(reader.push(new Uint8Array(10_000_000).fill(0x41)) instanceof HttpFault);
  assert.equal(reader.heldBytes, 0);
  for (let i = 0; i < MAX_HEAD_BYTES; i++) assert.equal(reader.push(Uint8Array.of(0x41)), undefined);
  assert.ok(reader.heldBytes <= MAX_HEAD_BYTES + 1);
});

Deno.test("HeadReader takes HTTP/1.0 without a Host, and higher minor versions", () => {
  assert.equal(readWhole("GET / HTTP/1.0\r\n\r\n").minor, 0);
  assert.equal(readWhole("GET / HTTP/1.9\r\nHost: h\r\n\r\n").minor, 9);
  assert.equal(readWhole("OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n").target, "*");
});

Deno.test("hasBody knows what is followed by a body", () => {
  const head = (field: string) => readWhole(`POST / HTTP/1.1\r\nHost: h\r\n${field}\r\n\r\n`);
  assert.deepEqual(["Content-Length: 0", "Content-Length: 00", "X: 1"].map(head).map(hasBody), [
    false,
    false,
    false,
  ]);
  assert.deepEqual(["Content-Length: 1", "Transfer-Encoding: x"].map(head).map(hasBody), [true, true]);
});

Deno.test("HeadReader takes random heads for what they say, in random pieces, or refuses them in the same way", () => {
  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
  const value = fc.stringMatching(/^[\x21-\x7e\x80-\xff]([\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?$/);
  const good = fc.record({
    method: token,
    target: fc.stringMatching(/^[\x21-\x7e]{1,30}$/),
    fields: fc.array(
      fc.tuple(token.filter((name) => !/^(host|content-length|transfer-encoding)$/i.test(name)), value),
      {
        maxLength: 8,
      },
    ),
    rest: fc.string({ unit: "binary-ascii" }),
    cuts: fc.array(fc.nat(400)),
  });
  fc.assert(fc.property(good, ({ method, target, fields, rest, cuts }) => {
    const lines = [["Host", "h"], ...fields].map(([name, value]) => `${name}: ${value}\r\n`);
    const text = `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${rest}`;
    const places = [0, ...cuts.filter((at) => at < text.length), text.length].sort((a, b) => a - b);
    const answer = read(places.slice(1).map((at, i) => text.slice(places[i], at)));
    assert.ok(answer !== undefined && !(answer instanceof HttpFault), JSON.stringify(answer));
    assert.deepEqual([answer.head.method, answer.head.target, answer.rest], [method, target, rest]);
    const wanted = Map.groupBy(
      [["host", "h"], ...fields.map(([name, value]) => [name.toLowerCase(), value])],
      ([name]) => name,
    );
    const found = new Map([...answer.head.fields].map(([name, values]) => [name, values]));
    assert.deepEqual(found, new Map([...wanted].map(([name, all]) => [name, all.map(([, value]) => value)])));
  }));
  const part = fc.constantFrom(
    "GET / HTTP/1.1",
    "\r\n",
    "\r",
    "\n",
    "Host: h",
    ":",
    " ",
    "\0",
    "a",
    "\xff",
    "Content-Length: 1",
    "\t",
  );
  fc.assert(fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
    const text = parts.join("");
    assert.deepEqual(read([...text]), read([text]));
    assert.deepEqual(read(parts), read([text]));
  }));
});
