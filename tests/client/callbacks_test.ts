// Tests src/client/callbacks.ts: what is called when, before the program has the relay object and after
// close().

import assert from "node:assert/strict";
import { Callbacks, callNow } from "../../src/client/callbacks.ts";
import { until } from "../support/deadline.ts";
import { pause } from "../support/pause.ts";

Deno.test("Callbacks holds calls until the turn after open(), and then keeps their order", async () => {
  const callbacks = new Callbacks();
  const told: unknown[] = [];
  const note = (...args: unknown[]) => void told.push(args);
  callbacks.call(note, 1, "a");
  callbacks.callToTheEnd(note, 2);
  callbacks.call(undefined);
  callbacks.open();
  callbacks.call(note, 3);
  await Promise.resolve();
  assert.deepEqual(told, [], "the program goes on first");
  await until(() => told.length > 0, "the next turn");
  callbacks.call(note, 4);
  assert.deepEqual(told, [[1, "a"], [2], [3], [4]]);
});

Deno.test("Callbacks.catchUp calls at once what waits, once, but not before open() or after close()", async () => {
  for (const isClosed of [false, true]) {
    const callbacks = new Callbacks();
    const told: string[] = [];
    callbacks.call(() => void told.push("came"));
    callbacks.catchUp();
    assert.equal(told.length, 0, "the program has no relay object");
    callbacks.open();
    if (isClosed) callbacks.close();
    callbacks.catchUp();
    assert.deepEqual(told, isClosed ? [] : ["came"]);
    callbacks.call(() => void told.push("left"));
    callbacks.catchUp();
    await pause(1);
    assert.deepEqual(told, isClosed ? [] : ["came", "left"]);
  }
});

Deno.test("Callbacks calls nothing after close() but what is lost, and not what waited", async () => {
  const callbacks = new Callbacks();
  const told: string[] = [];
  callbacks.call(() => void told.push("waited"));
  callbacks.open();
  callbacks.close();
  callbacks.call(() => void told.push("late"));
  callbacks.callToTheEnd(() => void told.push("lost"));
  await pause(1);
  assert.deepEqual(told, ["lost"]);
});

Deno.test("Callbacks that are closed from one that waited call none of the others", async () => {
  const callbacks = new Callbacks();
  const told: string[] = [];
  callbacks.call(() => {
    told.push("first");
    callbacks.close();
  });
  callbacks.call(() => void told.push("second"));
  callbacks.open();
  await until(() => told.length > 0, "the next turn");
  assert.deepEqual(told, ["first"]);
});

Deno.test("Callbacks tells nothing to a program that never got the relay object", () => {
  const callbacks = new Callbacks();
  const told: string[] = [];
  callbacks.close();
  callbacks.callToTheEnd(() => void told.push("lost"));
  assert.deepEqual(told, []);
});

Deno.test("callNow reports what a callback throws as uncaught, and goes on, also where there is no reportError", async () => {
  const reported: unknown[] = [];
  const listen = (event: ErrorEvent) => {
    event.preventDefault();
    reported.push(event.error.message);
  };
  const { reportError } = globalThis;
  globalThis.addEventListener("error", listen);
  try {
    for (const report of [reportError, undefined]) {
      Object.assign(globalThis, { reportError: report });
      callNow(() => {
        throw new Error("mine");
      });
      callNow(undefined);
      await pause();
      assert.deepEqual(reported.splice(0), ["mine"], String(report));
    }
  } finally {
    Object.assign(globalThis, { reportError });
    globalThis.removeEventListener("error", listen);
  }
});
