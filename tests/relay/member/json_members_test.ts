// Holds findMembers against JSON.parse: for any JSON, written in any way, it finds what JSON.parse finds,
// where it stands.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { endOfValue, findMembers, flatValueOf, MemberName } from "../../../src/relay/member/json_members.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NAMES = ["key", "value", 'ro"om\\', "🎈", ""];

/** Writes a value as JSON with white space anywhere, and strings with escapes that nobody needs. */
function write(value: unknown, next: () => number): string {
  const gap = () => ["", "", " ", "\t", "\r "][next() % 5];
  const text = (string: string) =>
    next() % 3 > 0
      ? JSON.stringify(string)
      : `"${
        string.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")
      }"`;
  if (typeof value === "string") return text(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) {
    return `[${gap()}${value.map((one) => write(one, next) + gap()).join(`,${gap()}`)}]`;
  }
  const members = Object.entries(value).map(([key, one]) =>
    `${gap()}${text(key)}${gap()}:${gap()}${write(one, next)}${gap()}`
  );
  return `{${gap()}${members.join()}}`;
}

Deno.test("findMembers finds what JSON.parse finds, and endOfValue where each ends, for any JSON written in any way", () => {
  const names = NAMES.map((name) => new MemberName(name));
  const member = fc.tuple(fc.oneof(fc.string(), fc.constantFrom(...NAMES)), fc.jsonValue());
  fc.assert(
    fc.property(fc.array(member), fc.array(fc.nat(), { minLength: 1 }), (members, choices) => {
      let i = 0;
      const next = () => choices[i++ % choices.length];
      const json = `{${members.map(([key, value]) => write({ [key]: value }, next).slice(1, -1)).join()}}`;
      const truth = JSON.parse(json);
      const bytes = encoder.encode(`"}{${json}]"`), start = 3;
      assert.equal(endOfValue(bytes, start), bytes.length - 2);
      for (const [i, piece] of findMembers(bytes, start, names).entries()) {
        assert.equal(piece !== undefined, Object.hasOwn(truth, NAMES[i]), NAMES[i]);
        if (piece === undefined) continue;
        const value = truth[NAMES[i]];
        assert.deepEqual(JSON.parse(decoder.decode(bytes.subarray(piece.start, piece.end))), value);
        const isFlat = typeof value !== "object" || value === null;
        assert.deepEqual(flatValueOf(bytes, piece), isFlat ? value : Array.isArray(value) ? [] : {});
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("findMembers takes time for bytes, not for members", () => {
  const wide = encoder.encode(`{${Array.from({ length: 8000 }, (_, i) => `"${i.toString(36)}":0`).join()}}`);
  const long = encoder.encode(`{"x":"${"x".repeat(wide.length)}"}`);
  const names = ["key", "value", "room"].map((name) => new MemberName(name));
  const costs = [wide, long].map((bytes) => {
    let least = Infinity;
    for (let i = 0; i < 30; i++) {
      const startedMs = performance.now();
      findMembers(bytes, 0, names);
      least = Math.min(least, performance.now() - startedMs);
    }
    return least;
  });
  assert.ok(costs[0] < 20 * costs[1] + 0.1, `${costs} ms`);
});
