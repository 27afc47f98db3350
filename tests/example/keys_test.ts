// Tests of KeyDecoder: keys come out, escape sequences don't, wherever a read has cut them.

import assert from "node:assert/strict";
import { KeyDecoder } from "../../example/keys.ts";
import { seededRandom } from "../../motion.ts";

const KEYS = ["q", "1", "w", " ", "[", "O", "~", "\r", "\t", "\x7f", "\x03", "\x1a", "ü", "日", "😀"];

/** What nobody typed, as terminals send it. */
const SEQUENCES = [
  ...[
    "\x1b[A",
    "\x1b[1;5D",
    "\x1b[3~",
    "\x1b[15~",
    "\x1b[200~",
    "\x1b[Z",
    "\x1b[<0;10;20M",
    "\x1b[?1;2c",
    "\x1b[24;80R",
  ],
  ...["\x1bOP", "\x1bOA", "\x1b[[A", "\x1b[[E"],
  ...[
    "\x1b]11;rgb:0000/0000/0000\x1b\\",
    "\x1b]0;title\x07",
    "\x1bP1$r0 q\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
    "\x1b[I",
    "\x1b[1$y",
  ],
];

const encoder = new TextEncoder();

function decode(...parts: Uint8Array[]): string {
  const decoder = new KeyDecoder();
  return parts.flatMap((part) => decoder.take(part)).join("");
}

/** Asserts that `text` gives `keys` in one read, byte by byte, and cut once at every byte. */
function assertKeys(text: string, keys: string): void {
  const bytes = encoder.encode(text);
  assert.equal(decode(bytes), keys, JSON.stringify(text));
  assert.equal(
    decode(...Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))),
    keys,
    JSON.stringify(text),
  );
  for (let at = 1; at < bytes.length; at++) {
    assert.equal(
      decode(bytes.subarray(0, at), bytes.subarray(at)),
      keys,
      `${JSON.stringify(text)} cut at ${at}`,
    );
  }
}

Deno.test("KeyDecoder gives each key before, between and behind each escape sequence, cut at every byte", () => {
  for (const sequence of SEQUENCES) {
    assertKeys(sequence, "");
    for (const key of KEYS) assertKeys(`${key}${sequence}${sequence}${key}q`, `${key}${key}q`);
  }
});

Deno.test("KeyDecoder loses no key and makes none up in a random stream, in random reads", () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const random = seededRandom(seed);
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)];
  for (let round = 0; round < 2000; round++) {
    let [text, keys] = ["", ""];
    for (let left = 1 + random() * 12; left > 0; left--) {
      const isKey = random() < 0.5;
      const token = pick(isKey ? KEYS : SEQUENCES);
      text += token;
      if (isKey) keys += token;
    }
    const bytes = encoder.encode(text);
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + Math.floor(random() * 6);
      parts.push(bytes.subarray(at, end));
      at = end;
    }
    assert.equal(decode(...parts), keys, `seed ${seed}: ${JSON.stringify(text)}`);
  }
});

Deno.test("KeyDecoder hands on what is typed after Escape or with Alt, and Ctrl-C within any sequence", () => {
  assertKeys("\x1bq", "q");
  assertKeys("\x1b\x1bq", "q");
  assertKeys("\x1b\x1b[Aq", "q");
  for (const begun of ["\x1b", "\x1b[", "\x1b[1;", "\x1bO", "\x1b[[", "\x1b]0;ti", "\x1bP", "\x1b]x\x1b"]) {
    assertKeys(`${begun}\x03q`, "\x03q");
    assertKeys(`${begun}\x1b[Bq`, "q");
  }
});

Deno.test("KeyDecoder is not deaf for ever after the beginning of an answer that has no end", () => {
  const keys = decode(encoder.encode(`\x1b]${"q".repeat(2000)}`));
  assert.ok(keys.length > 900 && keys.length < 1100, `${keys.length}`);
});
