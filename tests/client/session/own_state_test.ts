// Tests src/client/session/own_state.ts.

import assert from "node:assert/strict";
import { seededRandom } from "../../../src/simulation/random.ts";
import { OwnState } from "../../../src/client/session/own_state.ts";

Deno.test("OwnState tells the newest value of each key, once, and removals first", () => {
  const state = new OwnState(false);
  for (const json of ["1", "2", "3"]) state.set("a", json);
  state.set('"', "0");
  state.set("c", "1");
  state.set("c", undefined);
  const lines = [];
  for (let line = state.takeLine(); line !== undefined; line = state.takeLine()) {
    lines.push(new TextDecoder().decode(line.line).trimEnd());
  }
  assert.deepEqual(lines, [
    '{"$set":{"key":"c"}}',
    '{"$set":{"key":"a","value":3}}',
    '{"$set":{"key":"\\"","value":0}}',
  ]);
  assert.deepEqual([state.size, state.newsLength], [2, 0]);
});

Deno.test("OwnState never has the relay keep more keys than there were here at a time", () => {
  const keys = ["a", "b", "c", "d", "e"], most = 3;
  const random = seededRandom(7);
  for (let round = 0; round < 300; round++) {
    const state = new OwnState(false), relay = new Set<string>();
    for (let step = 0; step < 40; step++) {
      const key = keys[Math.floor(random() * keys.length)];
      if (random() < 0.4) state.set(key, undefined);
      else if (state.has(key) || state.size < most) state.set(key, String(step));
      const isTurnOver = random() < 0.2;
      for (let told; (isTurnOver || random() < 0.1) && (told = state.takeLine()) !== undefined;) {
        if (told.json === undefined) relay.delete(told.key);
        else relay.add(told.key);
        assert.ok(relay.size <= most, `${relay.size} keys in round ${round}`);
      }
      if (isTurnOver) assert.deepEqual([...relay].sort(), Object.keys(state.values()).sort());
    }
  }
});

Deno.test("OwnState sets again what is missing, and gives up what somebody else has set, but not what is news", () => {
  const state = new OwnState(true);
  for (const key of ["mine", "theirs", "news"]) state.set(key, "1");
  state.takeLine();
  state.takeLine();
  state.setAgainWhereMissing({ theirs: 2, news: 2 });
  assert.deepEqual([state.has("mine"), state.has("theirs"), state.has("news")], [true, false, true]);
  assert.equal(state.newsLength, 2);
});

Deno.test("OwnState.values are all that is set, as JSON has them, under whatever keys", () => {
  const state = new OwnState(false);
  assert.deepEqual({ ...state.values() }, {});
  for (const [key, value] of [["a", [1, null]], ["__proto__", { x: 1 }]] as const) {
    state.set(key, JSON.stringify(value));
  }
  assert.deepEqual(Object.entries(state.values()), [["a", [1, null]], ["__proto__", { x: 1 }]]);
});

Deno.test("OwnState.keep takes up a value that stands there, but for what this program has said since", () => {
  const state = new OwnState(true);
  state.keep("k", "1");
  state.keep("k", "2");
  state.set("news", "3");
  state.set("gone", "4");
  state.set("gone", undefined);
  for (const key of ["news", "gone"]) state.keep(key, "5");
  assert.deepEqual({ ...state.values() }, { k: 1, news: 3 });
});

Deno.test("OwnState that is set again has nothing that another session had taken", () => {
  for (
    const again of [
      (state: OwnState) => state.setAgain(),
      (state: OwnState) => state.setAgainWhereMissing({}),
    ]
  ) {
    const state = new OwnState(true);
    state.set("k", "1");
    state.takeLine();
    state.settle("k", "1");
    again(state);
    assert.equal(state.newsLength, 1);
    state.refuse("k");
    assert.equal(state.has("k"), true, "what is news stays");
    state.takeLine();
    state.refuse("k");
    assert.equal(state.has("k"), false);
  }
});

Deno.test("OwnState whose value somebody else has replaced goes back to nothing where its next one is refused", () => {
  const state = new OwnState(true);
  for (const isReplaced of [false, true]) {
    state.set("k", "1");
    state.takeLine();
    state.settle("k", "1");
    if (isReplaced) state.forget("k");
    state.set("k", "2");
    state.takeLine();
    state.refuse("k");
    assert.equal(state.has("k"), !isReplaced);
  }
});

Deno.test("OwnState says with each change whether the value goes with this program, as it was said last", () => {
  const state = new OwnState(true), lines: string[] = [];
  for (const isHeld of [true, false]) {
    state.set("k", "1");
    state.hold("k", isHeld);
    lines.push(new TextDecoder().decode(state.takeLine()!.line).trimEnd());
  }
  assert.deepEqual(lines, [
    '{"$set":{"key":"k","value":1,"room":true,"hold":true}}',
    '{"$set":{"key":"k","value":1,"room":true}}',
  ]);
});

Deno.test("OwnState.giveUp keeps what is news alone, and a value that is refused later does not bring others back", () => {
  const state = new OwnState(true);
  for (const key of ["told", "removed"]) {
    state.set(key, "1");
    state.takeLine();
    state.settle(key, "1");
  }
  state.set("removed", undefined);
  state.takeLine();
  state.set("news", "1");
  state.giveUp();
  const known = () => ["told", "removed", "news"].map((key) => state.has(key));
  assert.deepEqual(known(), [false, false, true]);
  for (const key of ["told", "removed"]) state.set(key, "2");
  while (state.takeLine() !== undefined);
  for (const key of ["told", "removed"]) state.refuse(key);
  assert.deepEqual(known(), [false, false, true]);
});
