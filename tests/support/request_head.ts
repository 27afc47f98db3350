// Heads of requests for tests of what looks at them.

import assert from "node:assert/strict";
import { HeadReader, HttpFault, type RequestHead } from "../../src/relay/web/head.ts";

/** Reads the head of a GET with these fields. */
export function headOf(fields: Record<string, string>, target = "/", version = "1.1"): RequestHead {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const text = `GET ${target} HTTP/${version}\r\n${lines}\r\n`;
  const answer = new HeadReader().push(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  assert.ok(answer !== undefined && !(answer instanceof HttpFault), text);
  return answer.head;
}
