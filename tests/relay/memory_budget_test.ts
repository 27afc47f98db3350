// Holds MemoryBudget against its contract: what is counted and refused, and in which order what is given up.

import assert from "node:assert/strict";
import { MemoryBudget, type Relief, RELIEF_ORDER } from "../../src/relay/memory_budget.ts";
import { pause } from "../support/pause.ts";

Deno.test("MemoryBudget counts what accounts use, and refuses only who asks", () => {
  const budget = new MemoryBudget({ maxMemoryBytes: 100 });
  const [a, b] = [budget.open(), budget.open()];
  a.resize(60);
  assert.equal(b.tryGrow(41), false);
  assert.deepEqual([budget.usedBytes, b.bytes], [60, 0]);
  assert.equal(b.tryGrow(40), true);
  assert.equal(b.tryGrow(-10), true);
  a.grow(30);
  assert.deepEqual([budget.usedBytes, a.bytes, b.bytes, budget.hasRoomFor(1)], [120, 90, 30, false]);
  a.close();
  a.close();
  assert.equal(budget.usedBytes, 30);
  budget.close();
});

Deno.test("MemoryBudget gives up in the documented order, no more than it has to, and not within the call that made it short", async () => {
  const given: [Relief, number][] = [];
  const budget = new MemoryBudget({
    maxMemoryBytes: 1000,
    onRelief: (relief, bytes) => given.push([relief, bytes]),
  });
  const accounts = RELIEF_ORDER.map((relief) => {
    const account = budget.open();
    budget.onShort(relief, (neededBytes) => {
      const bytes = Math.min(account.bytes, Math.max(neededBytes, 100));
      account.grow(-bytes);
      return bytes;
    });
    return account;
  });
  for (const account of accounts.toReversed()) account.resize(320);
  assert.deepEqual([budget.isShort, given], [true, []]);
  await pause(5);
  assert.deepEqual(given, [["read blocks", 210]]);
  assert.deepEqual([budget.usedBytes, budget.isShort], [750, false]);
  accounts[2].grow(250);
  await pause(120);
  assert.deepEqual(given.slice(1), [["read blocks", 110], ["absent sessions", 140]]);
  budget.close();
});

Deno.test("MemoryBudget that stays short asks again after a while, and never after close", async () => {
  const budget = new MemoryBudget({ maxMemoryBytes: 100 });
  let asked = 0;
  budget.onShort("unread blocks", () => (asked++, 50)); // promised, and not yet free
  const account = budget.open();
  account.resize(100);
  await pause(5);
  assert.equal(asked, 1);
  while (asked < 2) await pause(5);
  account.resize(50);
  await pause(120);
  assert.equal(asked, 2);
  account.resize(100);
  budget.close();
  await pause(120);
  const idle = new MemoryBudget({ maxMemoryBytes: 100 });
  idle.onShort("unread blocks", () => asked++);
  idle.close();
  idle.open().resize(100);
  await pause(5);
  assert.equal(asked, 2);
});

Deno.test("MemoryBudget.letters runs short of its own half before all memory does, and with it", () => {
  const budget = new MemoryBudget({ maxMemoryBytes: 1000 }), { letters } = budget;
  const [a, b] = [letters.open(), letters.open()], all = budget.open();
  a.resize(300);
  b.resize(200);
  assert.deepEqual([letters.isShort, budget.usedBytes], [false, 0], "who holds it counts it there");
  b.grow(1);
  assert.deepEqual([letters.isShort, budget.isShort, letters.hasRoomFor(1000)], [true, false, true]);
  b.close();
  assert.equal(letters.isShort, false);
  all.resize(900);
  assert.deepEqual([letters.isShort, letters.hasRoomFor(101)], [true, false]);
  budget.close();
});
