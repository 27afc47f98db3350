// What the console keeps, and what was typed.

import assert from "node:assert/strict";
import { type Entry, LineStore, MAX_ENTRIES } from "../../../web/try/line_store.ts";
import { Typed } from "../../../web/try/typed.ts";

function entry(text: string, source: Entry["source"] = "in"): Entry {
  return { timeMs: 0, source, text };
}

Deno.test("LineStore shows the newest lines that the filter lets through, the oldest first", () => {
  const store = new LineStore();
  for (const text of ["one", "Two", "three", "two again"]) store.add(entry(text));
  store.add(entry("control two", "control"));
  const shown = (filter: string, hasControls: boolean, most = 10) =>
    store.shown(filter, hasControls, most).map(({ text }) => text);
  assert.deepEqual(shown("", true), ["one", "Two", "three", "two again", "control two"]);
  assert.deepEqual(shown("", false), ["one", "Two", "three", "two again"]);
  assert.deepEqual(shown(" two ", false), ["Two", "two again"]);
  assert.deepEqual(shown("", true, 2), ["two again", "control two"]);
  assert.deepEqual(shown("nowhere", true), []);
  assert.equal(store.total, 5);
});

Deno.test("LineStore keeps the newest lines within its limits, and counts all", () => {
  const store = new LineStore();
  for (let i = 0; i < 10 * MAX_ENTRIES; i++) store.add(entry(`${i}`));
  assert.ok(store.entries.length >= MAX_ENTRIES && store.entries.length <= 2 * MAX_ENTRIES);
  assert.equal(store.entries.at(-1)!.text, `${10 * MAX_ENTRIES - 1}`);
  assert.equal(store.total, 10 * MAX_ENTRIES);
  const large = new LineStore();
  for (let i = 0; i < 300; i++) large.add(entry("x".repeat(64 * 1024)));
  const characters = large.entries.reduce((sum, { text }) => sum + text.length, 0);
  assert.ok(characters <= 8 * 1024 * 1024, `${characters}`);
  assert.ok(large.entries.length > 10);
});

Deno.test("Typed walks back and on, and gives back what was being typed", () => {
  const typed = new Typed();
  assert.equal(typed.move(-1, "draft"), undefined);
  for (const line of ["a", "b", "b", "c", ""]) typed.add(line);
  assert.equal(typed.move(-1, "draft"), "c");
  assert.equal(typed.move(-1, "c"), "b");
  assert.equal(typed.move(-1, "b"), "a");
  assert.equal(typed.move(-1, "a"), undefined);
  assert.equal(typed.move(1, "a"), "b");
  assert.equal(typed.move(1, "b"), "c");
  assert.equal(typed.move(1, "c"), "draft");
  assert.equal(typed.move(1, "draft"), undefined);
});
