// Tests src/client/incoming.ts with lines as a session or a plain connection hands them on.

import assert from "node:assert/strict";
import { Incoming, type IncomingOptions } from "../../src/client/incoming.ts";
import { LossTally } from "../../src/client/loss_tally.ts";
import type { Lost } from "../../src/client/session/lost.ts";

const ORIGIN = { from: undefined, time: 7, fromHost: false };

class Bench implements Disposable {
  readonly told: unknown[][] = [];
  readonly #losses = new LossTally((lost: Lost) => void this.told.push(["lost", lost]));
  readonly incoming: Incoming<unknown>;

  constructor(options: IncomingOptions<unknown> = {}, inboxLimit = 10, isTakingTold = false) {
    const onInvalid = (line: string, error: Error) => void this.told.push(["invalid", line, error.name]);
    const onError = ({ code }: { code: string }) => void this.told.push(["error", code]);
    const beforeTaking = () => void this.told.push(["before taking"]);
    this.incoming = new Incoming(
      { onInvalid, onError, ...options },
      inboxLimit,
      this.#losses,
      isTakingTold ? beforeTaking : () => {},
    );
  }

  take(...lines: string[]): void {
    for (const line of lines) this.incoming.takeEvent(line, false, ORIGIN);
  }

  [Symbol.dispose](): void {
    this.incoming.close();
    this.#losses.close();
  }
}

Deno.test("Incoming counts and tells lines that are no JSON, or that the schema refuses, and goes on", () => {
  const schema = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        typeof value === "number" ? { value: value + 1 } : { issues: [{ message: "no number" }] },
    },
  } as const;
  using bench = new Bench({ schema });
  bench.take("1", "{", '"a"', "2");
  const { incoming } = bench;
  assert.deepEqual(incoming.drain(), [2, 3]);
  assert.deepEqual(bench.told, [["invalid", "{", "SyntaxError"], ["invalid", '"a"', "TypeError"]]);
  assert.deepEqual([incoming.received, incoming.invalid, incoming.errors], [2, 2, 0]);
});

Deno.test("Incoming outlives a schema that throws, whatever that is", () => {
  const thrown: unknown[] = [Object.create(null), Symbol("s"), null, new Error("no")];
  const schema = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate() {
        throw thrown.shift();
      },
    },
  } as const;
  thrown.unshift("when it is made");
  using bench = new Bench({ schema });
  bench.take("1", "2", "3", "4");
  assert.deepEqual(bench.told.map(([, , name]) => name), ["TypeError", "TypeError", "TypeError", "Error"]);
});

Deno.test("Incoming tells before the program is given anything, however it takes events", async () => {
  using bench = new Bench({}, 10, true);
  const { incoming, told } = bench;
  bench.take("1", "2", "3");
  for (const take of [() => incoming.drain(), () => incoming.messages((event) => event)]) {
    take();
    assert.deepEqual(told.splice(0), [["before taking"]]);
  }
  bench.take("4");
  const events = incoming.iterate((event) => event);
  assert.deepEqual(told.splice(0), [["before taking"]]);
  assert.deepEqual(await events.next(), { done: false, value: 4 });
});

Deno.test("Incoming tells what the inbox pushes out, in characters of the lines, but nothing that a break held back", () => {
  using bench = new Bench({}, 2);
  for (const line of ["11", "22", "33"]) bench.incoming.takeEvent(line, true, ORIGIN);
  assert.deepEqual(bench.incoming.dropped, 0);
  assert.deepEqual(bench.incoming.drain(), [11, 22, 33]);
  bench.take("111", "222", "333", "444");
  assert.equal(bench.incoming.dropped, 2);
  bench.incoming.close();
  bench[Symbol.dispose]();
  assert.deepEqual(bench.told, [["lost", { reason: "inbox", lines: 2, bytes: 6 }]]);
});

Deno.test("Incoming.takePlainLine tells events from complaints, and gives the events of one turn one time", async () => {
  using bench = new Bench();
  const { incoming } = bench;
  const before = performance.timeOrigin + performance.now();
  incoming.takePlainLine('{"$error":{"code":"rate","message":"too much"}}');
  incoming.takePlainLine("1");
  incoming.takePlainLine("2");
  await Promise.resolve();
  incoming.takePlainLine("3");
  const [one, two, three] = incoming.messages((event, origin) => ({ event, origin }));
  assert.deepEqual([one.event, two.event, three.event], [1, 2, 3]);
  assert.ok(one.origin === two.origin && two.origin !== three.origin);
  assert.ok(one.origin.time >= before && one.origin.from === undefined);
  assert.deepEqual([bench.told, incoming.errors], [[["error", "rate"]], 1]);
});

Deno.test("Incoming takes nothing after close(), gives what is left, and ends iterators", async () => {
  using bench = new Bench();
  const { incoming } = bench;
  bench.take("1");
  incoming.close();
  bench.take("2", "{");
  incoming.takePlainLine("3");
  incoming.takeError({ code: "rate", message: "" });
  const events = [];
  for await (const event of incoming.iterate((event) => event)) events.push(event);
  assert.deepEqual([events, bench.told], [[1], []]);
  assert.deepEqual([incoming.received, incoming.invalid, incoming.errors], [1, 0, 0]);
});

Deno.test("Incoming without onError warns of a complaint, one a second at most, without control characters", () => {
  using bench = new Bench({ onError: undefined });
  const warn = console.warn, warned: unknown[] = [];
  console.warn = (text) => void warned.push(text);
  try {
    for (let n = 0; n < 3; n++) bench.incoming.takeError({ code: "rate", message: "\u001b[2J" });
  } finally {
    console.warn = warn;
  }
  assert.deepEqual(warned, ["eventrelay: the relay reports rate: ?[2J"]);
  assert.equal(bench.incoming.errors, 3);
});
