// Holds classifyFirstBytes against every beginning of every HTTP method and of a hello, and against what lines begin with.

import assert from "node:assert/strict";
import { classifyFirstBytes, HTTP_REFUSAL } from "../../../src/relay/connection/first_bytes.ts";

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

Deno.test("classifyFirstBytes decides every single byte but the first letters of methods and of a hello", () => {
  const undecided = [];
  for (let byte = 0; byte < 256; byte++) {
    const opening = classifyFirstBytes(Uint8Array.of(byte));
    assert.notEqual(opening, "http");
    if (opening === "undecided") undecided.push(String.fromCharCode(byte));
  }
  assert.equal(undecided.join(""), "CDGHOPT{");
});

Deno.test("classifyFirstBytes takes methods in upper case only, as HTTP does", () => {
  assert.equal(classifyFirstBytes(encoder.encode("get / HTTP/1.1")), "lines");
});

Deno.test("HTTP_REFUSAL is a complete response of the length it names", () => {
  const [head, ...rest] = new TextDecoder().decode(HTTP_REFUSAL).split("\r\n\r\n");
  const body = rest.join("\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(head, /\r\nConnection: close(\r\n|$)/);
  assert.equal(Number(/\r\nContent-Length: (\d+)/.exec(head)?.[1]), encoder.encode(body).length);
  assert.match(body, /JSON/);
});
