// Holds classifyFirstBytes against every beginning of every HTTP method and of a hello, and against what
// lines begin with.

import assert from "node:assert/strict";
import {
  beginsRequestLine,
  classifyFirstBytes,
  HTTP_REFUSAL,
  isRequestLine,
} from "../../../src/relay/connection/first_bytes.ts";

const encoder = new TextEncoder();
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"];

/** Classifies as a session does: with each byte that comes, until the answer is there. */
function classifyBytewise(text: string): { opening: string; after: number } {
  const bytes = encoder.encode(text);
  for (let length = 0; length <= bytes.length; length++) {
    const opening = classifyFirstBytes(bytes.subarray(0, length));
    if (opening !== "undecided") return { opening, after: length };
  }
  return { opening: "undecided", after: bytes.length };
}

Deno.test("classifyFirstBytes knows every method by its space, not before", () => {
  for (const method of METHODS) {
    assert.deepEqual(classifyBytewise(`${method} / HTTP/1.1\r\n`), {
      opening: "http",
      after: method.length + 1,
    });
  }
});

Deno.test("classifyFirstBytes takes what leaves the methods for lines, at the first byte that does", () => {
  for (const method of METHODS) {
    for (let length = 1; length <= method.length; length++) {
      const prefix = method.slice(0, length);
      for (const other of ["x", "\n", "\r", '"', "\0", "é"]) {
        assert.deepEqual(classifyBytewise(prefix + other), { opening: "lines", after: length + 1 }, prefix);
      }
    }
  }
});

Deno.test("classifyFirstBytes needs no more than 8 bytes for HTTP", () => {
  for (const method of METHODS) {
    assert.notEqual(classifyFirstBytes(encoder.encode(`${method} `)), "undecided");
  }
  assert.equal(Math.max(...METHODS.map((method) => `${method} `.length)), 8);
});

Deno.test("classifyFirstBytes knows a hello by its first 10 bytes, and nothing else for one", () => {
  const hello = '{"$hello":';
  assert.deepEqual(classifyBytewise(`${hello}{"version":1}}\n`), { opening: "hello", after: 10 });
  for (let length = 1; length < hello.length; length++) {
    for (const other of ["x", "\n", " ", "\u20ac"]) {
      const line = hello.slice(0, length) + other;
      assert.deepEqual(classifyBytewise(line), { opening: "lines", after: length + 1 }, line);
    }
  }
});

Deno.test("classifyFirstBytes decides an object that is no hello by its second byte, as long as that is no quote", () => {
  for (const line of ["{}", "{ }", '{ "$hello":{}}', "{\n"]) {
    assert.deepEqual(classifyBytewise(line), { opening: "lines", after: 2 }, line);
  }
  assert.deepEqual(classifyBytewise('{"id":1}'), { opening: "lines", after: 3 });
});

Deno.test("classifyFirstBytes decides other JSON by its first byte", () => {
  for (
    const line of [
      "[1]",
      '"GET /"',
      "-1",
      "0",
      "9",
      "true",
      "false",
      "null",
      " GET",
      "\tGET",
      "\r\n",
      "\n",
    ]
  ) {
    assert.deepEqual(classifyBytewise(line), { opening: "lines", after: 1 }, line);
  }
});

Deno.test("classifyFirstBytes decides every single byte but the first letters of methods and words of capitals, of a hello and of TLS", () => {
  const undecided = [];
  for (let byte = 0; byte < 256; byte++) {
    const opening = classifyFirstBytes(Uint8Array.of(byte));
    assert.notEqual(opening, "http");
    if (opening === "undecided") undecided.push(String.fromCharCode(byte));
  }
  assert.equal(undecided.join(""), "\x16ABCDEFGHIJKLMNOPQRSTUVWXYZ{");
});

Deno.test("classifyFirstBytes takes methods in upper case only, as HTTP does", () => {
  assert.equal(classifyFirstBytes(encoder.encode("get / HTTP/1.1")), "lines");
});

Deno.test("classifyFirstBytes takes any word of capitals before a path for a request, and other such words for lines", () => {
  for (const line of ["PROPFIND /x HTTP/1.1", "OPTIONS * HTTP/1.1", "A-B /", `${"M".repeat(20)} /`]) {
    assert.equal(classifyBytewise(line).opening, "http", line);
  }
  for (const line of ["HELLO world", "HELLO\n", "NaN", "Infinity", "A\t/", `${"M".repeat(21)} /`, "-A /"]) {
    assert.equal(classifyBytewise(line).opening, "lines", line);
  }
});

Deno.test("classifyFirstBytes knows protocols without lines of text: TLS, SSH, and what no text begins with", () => {
  const begins = (...bytes: number[]) => classifyFirstBytes(Uint8Array.from(bytes));
  assert.equal(begins(0x16, 0x03, 0x01), "foreign");
  assert.equal(begins(0x16), "undecided");
  assert.equal(classifyBytewise("SSH-2.0-OpenSSH_9.2\r\n").opening, "foreign");
  for (const byte of [0x00, 0x01, 0x03, 0x05, 0x0b, 0x1b, 0x1f, 0x7f, 0x80, 0xc1, 0xf5, 0xff]) {
    assert.equal(begins(byte, 0x41), "foreign", byte.toString(16));
  }
  for (const text of ["hello", "\t1", "\r\n", "\n", " 1", "ä", "🎈", "\ufeff1", "~"]) {
    assert.equal(classifyBytewise(text).opening, "lines", text);
  }
});

Deno.test("classifyFirstBytes lets any byte begin a line that is not text, but TLS and SSH", () => {
  const unchecked = (...bytes: number[]) => classifyFirstBytes(Uint8Array.from(bytes), false);
  for (const byte of [0x00, 0x80, 0xff]) assert.equal(unchecked(byte), "lines");
  assert.deepEqual([unchecked(0x16, 0x03), unchecked(0x53, 0x53, 0x48, 0x2d)], ["foreign", "foreign"]);
});

Deno.test("isRequestLine knows requests by how their first line ends, and no other line", () => {
  for (
    const line of [
      "get / HTTP/1.1\r",
      "FOO_BAR / HTTP/1.0",
      "PROPFIND http://localhost/ HTTP/1.1\r",
      "\ufeffPOST / HTTP/1.1\r",
      " POST / HTTP/1.1 \t\r",
      "GET\v/\vhttp/2",
      "describe rtsp://a/ RTSP/1.0\r",
      "invite sip:a@b SIP/2.0\r",
      `patch /${"a".repeat(10_000)} HTTP/1.1`,
      `get / HTTP/1.1${" \t".repeat(5000)}\r`,
    ]
  ) assert.ok(isRequestLine(encoder.encode(line)), line.slice(0, 80));
  for (
    const line of [
      "",
      "HTTP/1.1",
      "Host: a",
      "hello",
      "HTTP/1.1 200 OK",
      "a HTTP/",
      "a HTTP/1.x",
      "a XHTTP/1.1",
    ]
  ) assert.ok(!isRequestLine(encoder.encode(line)), line);
});

Deno.test("beginsRequestLine knows requests by how their first line begins, and no JSON", () => {
  for (
    const line of [
      "get /aaa",
      "FOO_BAR *",
      "\ufeffPOST http://localhost/aaa",
      "\r POST /",
      "GET\v/\vaaa",
      "describe rtsp://a/aaa",
      "invite sip:a@b",
      `get${" ".repeat(250)}`,
    ]
  ) assert.ok(beginsRequestLine(encoder.encode(line)), line);
  for (
    const line of [
      "",
      "hello",
      "hello world",
      `{"a": /`,
      `[1, /`,
      `"a /`,
      ` {"a" : "b`,
      "1111",
      "aaaaaaaa",
      "   ",
    ]
  ) assert.ok(!beginsRequestLine(encoder.encode(line)), line);
});

Deno.test("HTTP_REFUSAL is a complete response of the length it names", () => {
  const [head, ...rest] = new TextDecoder().decode(HTTP_REFUSAL).split("\r\n\r\n");
  const body = rest.join("\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(head, /\r\nConnection: close(\r\n|$)/);
  assert.equal(Number(/\r\nContent-Length: (\d+)/.exec(head)?.[1]), encoder.encode(body).length);
  assert.match(body, /JSON/);
});
