// Tests src/client/inbox.ts: its limits, and that every event goes to exactly one taker.

import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { Inbox } from "../../src/client/inbox.ts";

const ROOMY = { maxEvents: 100, maxSize: 1000 };

function filled(count: number, limits = ROOMY): Inbox<number> {
  const inbox = new Inbox<number>(limits);
  for (let i = 1; i <= count; i++) inbox.push(i, 1);
  return inbox;
}

Deno.test("Inbox gives all events in the order of arrival, once", () => {
  const inbox = filled(3);
  assert.deepEqual(inbox.takeAll(), [1, 2, 3]);
  assert.deepEqual(inbox.takeAll(), []);
});

Deno.test("Inbox gives away its array: what comes later does not change it", () => {
  const inbox = filled(2);
  const taken = inbox.takeAll();
  inbox.push(3, 1);
  assert.deepEqual(taken, [1, 2]);
});

Deno.test("Inbox drops the oldest over maxEvents and counts them", () => {
  const inbox = filled(250);
  assert.equal(inbox.length, 100);
  assert.equal(inbox.dropped, 150);
  const events = inbox.takeAll();
  assert.deepEqual([events.length, events[0], events[99]], [100, 151, 250]);
});

Deno.test("Inbox drops the oldest over maxSize, but keeps one that is too large alone", () => {
  const inbox = new Inbox<string>(ROOMY);
  inbox.push("a", 600);
  inbox.push("b", 400);
  assert.equal(inbox.length, 2);
  inbox.push("c", 1);
  assert.deepEqual([inbox.length, inbox.dropped], [2, 1]);
  inbox.push("d", 5000);
  assert.deepEqual(inbox.takeAll(), ["d"]);
  assert.equal(inbox.dropped, 3);
  inbox.push("e", 1000);
  assert.equal(inbox.length, 1, "what was taken counts no more");
});

Deno.test("Inbox agrees with a plain array about limits, whatever comes", () => {
  const step = fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 0, max: 12 }) },
    fc.constant("take" as const),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
    const inbox = new Inbox<number>({ maxEvents: 10, maxSize: 40 });
    let model: { event: number; size: number }[] = [];
    let dropped = 0;
    for (const [event, step] of steps.entries()) {
      if (step === "take") {
        assert.deepEqual(inbox.takeAll(), model.map((entry) => entry.event));
        model = [];
        continue;
      }
      inbox.push(event, step);
      model.push({ event, size: step });
      while (model.length > 10 || (model.length > 1 && model.reduce((sum, { size }) => sum + size, 0) > 40)) {
        model.shift();
        dropped++;
      }
      assert.equal(inbox.length, model.length);
      assert.equal(inbox.dropped, dropped);
    }
  }));
});

Deno.test("Inbox.iterate gives what waits, then what comes", async () => {
  const inbox = filled(2);
  const events = inbox.iterate((event) => event);
  assert.deepEqual(await events.next(), { done: false, value: 1 });
  assert.deepEqual(await events.next(), { done: false, value: 2 });
  const third = events.next();
  inbox.push(3, 1);
  inbox.push(4, 1);
  assert.deepEqual(await third, { done: false, value: 3 });
  assert.deepEqual(inbox.takeAll(), [4]);
});

Deno.test("Inbox.iterate answers several next() calls in their order", async () => {
  const inbox = filled(0);
  const events = inbox.iterate((event) => event);
  const asked = [events.next(), events.next(), events.next()];
  for (const event of [1, 2, 3]) inbox.push(event, 1);
  assert.deepEqual((await Promise.all(asked)).map((result) => result.value), [1, 2, 3]);
});

Deno.test("Inbox.iterate loses nothing on break", async () => {
  const inbox = filled(5);
  for await (const event of inbox.iterate((event) => event)) if (event === 2) break;
  assert.deepEqual(inbox.takeAll(), [3, 4, 5]);
});

Deno.test("Inbox.iterate lets no pending next() of an ended iterator swallow an event", async () => {
  const inbox = filled(0);
  const ended = inbox.iterate((event) => event);
  const other = inbox.iterate((event) => event);
  const pending = [ended.next(), ended.next()];
  const expected = other.next();
  await ended.return!();
  assert.deepEqual((await Promise.all(pending)).map(({ done }) => done), [true, true]);
  inbox.push(1, 1);
  assert.deepEqual(await expected, { done: false, value: 1 });
  inbox.push(2, 1);
  assert.deepEqual(inbox.takeAll(), [2]);
  assert.deepEqual(await ended.next(), { done: true, value: undefined });
});

Deno.test("Inbox shares events between two iterators and drain, each to exactly one", async () => {
  const inbox = filled(0, { maxEvents: 10_000, maxSize: 1e9 });
  const taken: number[][] = [[], [], []];
  const loops = [0, 1].map(async (index) => {
    for await (const event of inbox.iterate((event) => event)) taken[index].push(event);
  });
  for (let i = 0; i < 1000; i++) {
    inbox.push(i, 1);
    if (i % 3 === 0) await Promise.resolve();
    if (i % 7 === 0) taken[2].push(...inbox.takeAll());
  }
  inbox.close();
  await Promise.all(loops);
  assert.deepEqual(taken.flat().sort((a, b) => a - b), Array.from({ length: 1000 }, (_, i) => i));
  for (const own of taken) {
    assert.ok(own.length > 0);
    assert.deepEqual(own, own.toSorted((a, b) => a - b), "order holds for each taker");
  }
});

Deno.test("Inbox.close ends iterators that wait, and lets the rest be taken first", async () => {
  const waiting = filled(0);
  const pending = waiting.iterate((event) => event).next();
  waiting.close();
  assert.equal((await pending).done, true);

  const inbox = filled(3);
  inbox.close();
  inbox.push(4, 1);
  const events = inbox.iterate((event) => event);
  assert.equal((await events.next()).value, 1);
  assert.deepEqual(inbox.takeAll(), [2, 3]);
  assert.equal((await events.next()).done, true);
});

Deno.test("Inbox lets in beyond maxEvents what is extra, until somebody takes it; and says what it pushes out", async () => {
  const inbox = new Inbox<number>({ maxEvents: 10, maxSize: 100 });
  for (let i = 0; i < 50; i++) assert.equal(inbox.push(i, 1, true), undefined);
  for (let i = 50; i < 60; i++) assert.equal(inbox.push(i, 1), undefined);
  assert.deepEqual(inbox.push(60, 1), { events: 1, size: 1 }, "the oldest goes");
  assert.deepEqual(inbox.push(61, 60), { events: 20, size: 20 }, "the size holds for all");
  assert.equal(inbox.dropped, 21);
  const iterator = inbox.iterate((event) => event);
  assert.deepEqual(await iterator.next(), { done: false, value: 21 });
  assert.deepEqual([inbox.takeAll()[0], inbox.length], [22, 0]);
  for (let i = 0; i < 10; i++) inbox.push(i, 1);
  assert.deepEqual(inbox.push(10, 1), { events: 1, size: 1 });
});

Deno.test("Inbox lets in as many fewer as an iterator has taken of what was extra", async () => {
  const inbox = new Inbox<number>({ maxEvents: 2, maxSize: 100 });
  for (let i = 0; i < 3; i++) inbox.push(i, 1, true);
  const iterator = inbox.iterate((event) => event);
  for (let i = 0; i < 3; i++) assert.deepEqual(await iterator.next(), { done: false, value: i });
  for (let i = 3; i < 5; i++) assert.equal(inbox.push(i, 1), undefined);
  assert.deepEqual(inbox.push(5, 1), { events: 1, size: 1 });
});
