// Tests src/client/session/asks.ts: who may answer a question, and what becomes of those without an answer.

import assert from "node:assert/strict";
import { Asks, forgiving, RequestError } from "../../../src/client/session/asks.ts";

function failure(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof RequestError && error.code === code && message.test(error.message);
}

/** Whether a promise is settled already. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = {};
  return await Promise.race([promise.catch(() => {}), Promise.resolve(open)]) !== open;
}

Deno.test("Asks takes the answer of whom was asked alone, once", async () => {
  const asks = new Asks();
  const first = asks.open("ask k1", "k1"), second = asks.open("list rooms");
  assert.notEqual(first.ask, second.ask);
  asks.takeReply("1", { reply: first.ask }, "k2");
  asks.takeReply("1", { reply: second.ask }, "k1");
  asks.takeReply("1", {}, "k1");
  asks.takeAnswer({ ask: first.ask, rooms: [] });
  assert.deepEqual([await isSettled(first.answer), await isSettled(second.answer)], [false, false]);
  asks.takeReply('{"a":1}', { reply: first.ask }, "k1");
  asks.takeReply('{"a":2}', { reply: first.ask }, "k1");
  asks.takeAnswer({ ask: second.ask, rooms: [] });
  assert.deepEqual([await first.answer, await second.answer], [{ a: 1 }, { rooms: [] }]);
});

Deno.test("Asks.takeReply rejects with what the other says, shortened, and where its answer is not JSON", async () => {
  const asks = new Asks();
  const tell = (line: string, failed?: true) => {
    const { ask, answer } = asks.open("ask k1", "k1");
    asks.takeReply(line, { reply: ask, failed }, "k1");
    return answer;
  };
  await assert.rejects(tell('"it is busy"', true), failure("failed", /^Cannot ask k1: it is busy$/));
  await assert.rejects(tell(`"${"x".repeat(5000)}"`, true), failure("failed", /^Cannot ask k1: x{1000}$/));
  await assert.rejects(tell("{"), failure("failed", /not JSON/));
  await assert.rejects(tell('"\\u001b[31mred"', true), failure("failed", /^Cannot ask k1: \?\[31mred$/));
});

Deno.test("Asks takes any reason that another member gives, also one that can't be made a text", async () => {
  const asks = new Asks();
  const nested = "[".repeat(20_000) + "]".repeat(20_000);
  for (const line of ['{"toString":1,"valueOf":2}', nested, "null", "7"]) {
    const { ask, answer } = asks.open("ask k1", "k1");
    asks.takeReply(line, { reply: ask, failed: true }, "k1");
    await assert.rejects(answer, (error: RequestError) => {
      return error.code === "failed" && error.message === `Cannot ask k1: ${line.slice(0, 1000)}`;
    });
  }
  const { ask, answer } = asks.open("ask k1", "k1");
  asks.takeAnswer({ ask, code: "odd", message: { toString: 1, valueOf: 2 } });
  await assert.rejects(answer, failure("odd", /the relay does not say why/));
});

Deno.test("Asks.takeAnswer rejects with the relay's code, also where another member was asked", async () => {
  const asks = new Asks();
  const { ask, answer } = asks.open("ask k1", "k1");
  asks.takeAnswer({ code: "no_such_peer", message: "nobody" });
  asks.takeAnswer({ ask: 7, code: "no_such_peer", message: "nobody" });
  asks.takeAnswer({ ask, code: "no_such_peer", message: "nobody has this id" });
  await assert.rejects(answer, failure("no_such_peer", /^Cannot ask k1: nobody has this id$/));
});

Deno.test("Asks.failPeer ends the questions to who left, failAll all", async () => {
  const asks = new Asks();
  const [left, stays, relay] = [asks.open("a", "k1"), asks.open("b", "k2"), asks.open("c")];
  asks.failPeer("k1");
  await assert.rejects(left.answer, failure("left", /k1 has left/));
  assert.deepEqual([await isSettled(stays.answer), await isSettled(relay.answer)], [false, false]);
  asks.failAll("closed", "it was closed");
  for (const { answer } of [stays, relay]) await assert.rejects(answer, failure("closed", /it was closed/));
});

Deno.test("Asks waits as long as it was told, and keeps no timer once there is an answer", async () => {
  const asks = new Asks();
  await assert.rejects(asks.open("ask", "k1", 1).answer, failure("timeout", /no answer within 1 ms/));
  const { ask, answer } = asks.open("ask", "k1", 1e12);
  asks.settle(ask, "in time", "k1");
  assert.equal(await answer, "in time"); // a timer that is left fails the test
});

Deno.test("forgiving turns what is thrown into a rejection, and lets nobody look at an answer", async () => {
  await assert.rejects(
    forgiving(() => {
      throw new TypeError("mine");
    }),
    TypeError,
  );
  void forgiving(() => Promise.reject(new Error("unhandled, it would end the program")));
  assert.equal(await forgiving(() => Promise.resolve(1)), 1);
});
