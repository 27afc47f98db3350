// Tests src/client/link/link.ts over a transport of the tests' own, which writes in parts, gets stuck and
// breaks on command.

import assert from "node:assert/strict";
import { RefusedError } from "../../../src/client/link/connect_error.ts";
import { Link, type LinkOptions } from "../../../src/client/link/link.ts";
import type { Status, StatusDetail } from "../../../src/client/link/status.ts";
import { PlainSpeaker } from "../../../src/client/plain.ts";
import { parseTarget } from "../../../src/client/target.ts";
import type { OpenTransport, Transport } from "../../../src/client/link/transport.ts";
import { withoutBackoff } from "../../support/relay_client.ts";
import { pause } from "../../support/pause.ts";
import { until } from "../../support/deadline.ts";

/** A connection in memory. */
class FakeTransport implements Transport {
  /** What was handed over, one entry a write. */
  writes: string[] = [];
  /** The most bytes one write takes; 0: writes get stuck. */
  writeLimit = Infinity;
  isClosed = false;
  hasEnded = false;
  #reads: (Uint8Array | null)[] = [];
  #reader: PromiseWithResolvers<Uint8Array | null> | undefined;
  #stuck = Promise.withResolvers<number>();

  get text(): string {
    return this.writes.join("");
  }

  /** Lets the link read text; `null` ends the connection cleanly. */
  deliver(text: string | null): void {
    const bytes = text === null ? null : new TextEncoder().encode(text);
    if (this.#reader === undefined) this.#reads.push(bytes);
    else this.#reader.resolve(bytes);
    this.#reader = undefined;
  }

  /** Breaks the connection: read and write reject. */
  break(error: Error): void {
    this.#reader?.reject(error);
    this.#stuck.reject(error);
    this.#stuck.promise.catch(() => {});
  }

  /** Breaks only the direction to the relay; the reader notices nothing. */
  breakWriting(error: Error): void {
    this.#stuck.reject(error);
  }

  /** Lets the write that is stuck take so many bytes. */
  settleWrite(bytes: number): void {
    this.#stuck.resolve(bytes);
    this.#stuck = Promise.withResolvers();
  }

  read(): Promise<Uint8Array | null> {
    if (this.isClosed) return Promise.reject(new Error("closed here"));
    const next = this.#reads.shift();
    if (next !== undefined) return Promise.resolve(next);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.writeLimit === 0) return this.#stuck.promise;
    const part = bytes.subarray(0, this.writeLimit);
    this.writes.push(new TextDecoder().decode(part));
    return Promise.resolve(part.length);
  }

  endWriting(): Promise<void> {
    this.hasEnded = true;
    this.deliver(null);
    return Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
    this.#reader?.reject(new Error("closed here"));
  }
}

/** A link over fake transports, one for each attempt that succeeds. */
function makeLink(
  options: Partial<LinkOptions> = {},
  prepare: (transport: FakeTransport) => void = () => {},
) {
  const transports: FakeTransport[] = [];
  const lines: string[] = [];
  const changes: [Status, StatusDetail][] = [];
  const openTransport: OpenTransport = () => {
    const transport = new FakeTransport();
    prepare(transport);
    transports.push(transport);
    return Promise.resolve(transport);
  };
  const link = new Link({
    address: parseTarget("relay:1"),
    openTransport,
    offlineBytes: 1000,
    maxQueuedBytes: 1_000_000,
    speaker: new PlainSpeaker(1000, {
      onLine: (line) => lines.push(line),
      onInvalidLine: (line) => lines.push(`bad: ${line}`),
    }),
    onStatus: (status, detail) => changes.push([status, detail]),
    ...options,
  });
  return { link, transports, lines, changes };
}

function line(text: string): Uint8Array {
  return new TextEncoder().encode(text + "\n");
}

Deno.test("Link writes what one turn sends in one write, microtasks included", async () => {
  const { link, transports } = makeLink();
  await link.open(false);
  for (const text of ["a", "b", "c"]) link.send(line(text));
  await Promise.resolve();
  link.send(line("d"));
  await until(() => link.sentLines === 4, "four lines");
  assert.deepEqual(transports[0].writes, ["a\nb\nc\nd\n"]);
  await link.close();
});

Deno.test("Link goes on where a write took only a part", async () => {
  const { link, transports } = makeLink({}, (transport) => transport.writeLimit = 3);
  await link.open(false);
  for (const text of ["aaaa", "bb", "c"]) link.send(line(text));
  await until(() => link.sentLines === 3, "three lines");
  assert.deepEqual(transports[0].writes, ["aaa", "a\nb", "b\nc", "\n"]);
  assert.equal(link.sentBytes, 10);
  await link.close();
});

Deno.test("Link sends a line again whole that went out in part when the connection broke", async () => {
  const { link, transports, changes } = makeLink();
  await link.open(false);
  const first = transports[0];
  first.writeLimit = 5;
  const write = first.write.bind(first);
  first.write = (bytes) => {
    const result = write(bytes);
    first.writeLimit = 0;
    return result;
  };
  for (const text of ["aaa", "bbb", "ccc"]) link.send(line(text));
  await until(() => link.sentBytes === 5, "five bytes");
  first.break(new Error("cable pulled"));
  await until(() => link.sentLines === 3, "all lines");
  assert.equal(first.text, "aaa\nb");
  assert.equal(transports[1].text, "bbb\nccc\n");
  assert.equal(link.reconnects, 1);
  assert.deepEqual(changes.map(([status]) => status), [
    "connecting",
    "connected",
    "reconnecting",
    "connected",
  ]);
  assert.equal(changes[2][1].error?.message, "Lost the connection to relay:1: cable pulled");
  await link.close();
});

Deno.test("Link lets a write that never settles on a dead connection not stop the next connection", async () => {
  const { link, transports } = makeLink();
  await link.open(false);
  transports[0].writeLimit = 0;
  link.send(line("a"));
  await pause();
  transports[0].deliver(null); // the write stays pending for good
  link.send(line("b"));
  await until(() => link.sentLines === 2, "both lines");
  assert.equal(transports[1].text, "a\nb\n");
  await link.close();
});

Deno.test("Link takes a write that settles after its connection ended for nothing", async () => {
  const { link, transports } = makeLink({}, (transport) => transport.writeLimit = 0);
  await link.open(false);
  link.send(line("aaa"));
  await pause();
  transports[0].deliver(null);
  await until(() => link.status === "connected" && transports.length === 2, "the next connection");
  await pause(); // its write is stuck, too
  transports[0].settleWrite(4);
  await pause();
  assert.deepEqual([link.sentLines, link.sentBytes, link.waitingLines], [0, 0, 1]);
  transports[1].writeLimit = Infinity;
  transports[1].settleWrite(2);
  await until(() => link.sentLines === 1, "the line");
  assert.equal(transports[1].text, "a\n");
  await link.close();
});

Deno.test("Link reconnects when only writing fails, and says why", async () => {
  const { link, transports, changes } = makeLink();
  await link.open(false);
  transports[0].writeLimit = 0;
  link.send(line("a"));
  await pause();
  transports[0].breakWriting(new Error("broken pipe"));
  await until(() => link.sentLines === 1, "the line");
  assert.equal(transports[1].text, "a\n");
  assert.equal(changes[2][1].error?.message, "Lost the connection to relay:1: broken pipe");
  await link.close();
});

Deno.test("Link says of a connection that the relay has ended that it did", async () => {
  const { link, transports, changes } = makeLink();
  await link.open(false);
  transports[0].deliver(null);
  await until(() => link.status === "reconnecting", "the end");
  assert.equal(changes.at(-1)![1].error?.message, "Lost the connection to relay:1: the relay closed it");
  await link.close();
});

Deno.test("Link reads what the relay said before the connection broke, also where writing notices first", async () => {
  const { link, transports, lines, changes } = makeLink({}, (transport) => transport.writeLimit = 0);
  await link.open(false);
  link.send(line("a"));
  await pause();
  transports[0].breakWriting(new Error("broken pipe"));
  await pause();
  transports[0].deliver("1\n2\n");
  transports[0].deliver(null);
  await until(() => transports.length === 2, "the next connection");
  assert.deepEqual(lines, ["1", "2"]);
  assert.equal(changes[2][1].error?.message, "Lost the connection to relay:1: broken pipe");
  await link.close();
});

Deno.test("Link glues no half line to what the next connection brings", async () => {
  const { link, transports, lines } = makeLink();
  await link.open(false);
  transports[0].deliver('1\n{"half":');
  transports[0].deliver(null);
  await until(() => transports.length === 2, "a second connection");
  transports[1].deliver("2\n");
  await until(() => lines.length === 2, "two lines");
  assert.deepEqual(lines, ["1", "2"]);
  await link.close();
});

Deno.test("Link keeps a burst while the connection takes bytes, and offlineBytes while it is stuck", async () => {
  const { link, transports } = makeLink();
  await link.open(false);
  for (let i = 0; i < 500; i++) link.send(line("0123456789"));
  assert.equal(link.droppedLines, 0, "5,500 bytes in one turn are more than offlineBytes, and fine");
  await until(() => link.sentLines === 500, "the burst");

  transports[0].writeLimit = 0;
  link.send(line("stuck"));
  await pause(1100);
  for (let i = 0; i < 500; i++) link.send(line("0123456789"));
  assert.equal(link.waitingLines, 1 + Math.floor(1000 / 11));
  assert.equal(link.droppedLines, 500 - Math.floor(1000 / 11));
  await link.close();
  assert.equal(link.sentLines + link.droppedLines, 1001);
});

Deno.test("Link keeps what waited by then each time that the connection gets stuck", async () => {
  const { link, transports } = makeLink();
  const { now } = performance;
  let skippedMs = 0;
  performance.now = () => now.call(performance) + skippedMs;
  try {
    await link.open(false);
    for (let times = 1; times <= 2; times++) {
      transports[0].writeLimit = 0;
      link.send(line("stuck"));
      await pause();
      for (let i = 0; i < 500 * times; i++) link.send(line("0123456789"));
      skippedMs += 1100;
      link.send(line("0123456789"));
      assert.equal(link.droppedLines, 0, `more waited than offlineBytes, for the ${times}. time`);
      transports[0].writeLimit = Infinity;
      transports[0].settleWrite(6);
      await until(() => link.waitingLines === 0, "all of it");
      link.send(line("it takes some again"));
      await until(() => link.waitingLines === 0, "the next line");
    }
  } finally {
    performance.now = now;
  }
  await link.close();
});

Deno.test("Link.close writes out what was sent, ends the connection, then is closed", async () => {
  const { link, transports, changes } = makeLink({}, (transport) => transport.writeLimit = 2);
  await link.open(false);
  link.send(line("last words"));
  const closed = link.close();
  assert.equal(link.status, "connected", "closed is said when it is true");
  assert.equal(closed, link.close(), "a second call waits for the first");
  await closed;
  assert.equal(transports[0].text, "last words\n");
  assert.ok(transports[0].hasEnded && transports[0].isClosed);
  assert.deepEqual(changes.at(-1), ["closed", {}]);
  link.send(line("too late"));
  assert.deepEqual([link.sentLines, link.droppedLines, link.waitingLines], [1, 1, 0]);
});

Deno.test("Link.close waits a second at most for a connection that takes nothing", async () => {
  const { link } = makeLink({}, (transport) => transport.writeLimit = 0);
  await link.open(false);
  link.send(line("never"));
  const startedAtMs = performance.now();
  await link.close();
  const tookMs = performance.now() - startedAtMs;
  assert.ok(tookMs >= 990 && tookMs < 10_000, `${tookMs} ms`);
  assert.deepEqual([link.sentLines, link.droppedLines], [0, 1]);
});

Deno.test("Link.open rejects with people's words and keeps the cause", async () => {
  const cause = new Deno.errors.ConnectionRefused("os error 111");
  const { link, changes } = makeLink({ openTransport: () => Promise.reject(cause) });
  await assert.rejects(link.open(false), {
    message: "Cannot connect to relay:1: connection refused, is the relay running there",
    cause,
  });
  assert.equal(link.status, "closed");
  assert.equal(changes.at(-1)![1].error?.cause, cause);
});

Deno.test("Link.open with retry goes on trying and tells of each attempt", async () => {
  let attempts = 0;
  const transport = new FakeTransport();
  const { link, changes } = makeLink({
    openTransport: () => ++attempts < 3 ? Promise.reject(new Error("not yet")) : Promise.resolve(transport),
  });
  await link.open(true);
  assert.deepEqual(changes.map(([status, { attempt }]) => [status, attempt]), [
    ["connecting", 1],
    ["connecting", 2],
    ["connecting", 3],
    ["connected", undefined],
  ]);
  for (const [, { error, retryInMs }] of changes.slice(1, 3)) {
    assert.equal(error?.message, "Cannot connect to relay:1: not yet");
    assert.ok(retryInMs! >= 0 && retryInMs! < 500);
  }
  assert.equal(link.reconnects, 0);
  await link.close();
});

Deno.test("Link.open with retry gives up without the permission: trying again can't help", async () => {
  const refused = new Deno.errors.NotCapable("Requires net access");
  const { link } = makeLink({ openTransport: () => Promise.reject(refused) });
  await assert.rejects(link.open(true), {
    message: "Cannot connect to relay:1: this program may not, run it with --allow-net=relay:1",
  });
});

Deno.test("Link.close ends a pending open() with the reason, also when the attempt can't be cancelled", async () => {
  const opening = Promise.withResolvers<Transport>();
  const { link } = makeLink({ openTransport: () => opening.promise });
  const opened = assert.rejects(link.open(true), /changed my mind/);
  await pause();
  await link.close(new Error("changed my mind"));
  await opened;
  const late = new FakeTransport();
  opening.resolve(late);
  await until(() => late.isClosed, "the late connection to be closed");
  assert.equal(link.status, "closed");
});

Deno.test("Link.open gives an attempt a limited time, and tells the transport to end it", async () => {
  let given: AbortSignal | undefined;
  const { link } = makeLink({
    connectTimeoutMs: 20,
    openTransport: (_, signal) => {
      given = signal;
      return new Promise(() => {});
    },
  });
  await assert.rejects(link.open(false), (error: Error) => {
    assert.equal(
      error.message,
      "Cannot connect to relay:1: no answer within 0.02 s, is the host up and the port open",
    );
    assert.equal((error.cause as Error).name, "TimeoutError");
    return true;
  });
  assert.ok(given?.aborted);
});

Deno.test("Link.close ends the wait between two attempts", async () => {
  const { random } = Math;
  Math.random = () => 0.999;
  try {
    const { link, changes } = makeLink({ openTransport: () => Promise.reject(new Error("no")) });
    const opened = assert.rejects(link.open(true), { name: "AbortError" });
    await until(() => changes.at(-1)![1].attempt === 4, "the wait before the fourth attempt");
    const startedAtMs = performance.now();
    await link.close();
    await opened;
    assert.ok(performance.now() - startedAtMs < 900, "the wait of 999 ms was cut short");
    assert.equal(changes.at(-1)![0], "closed");
  } finally {
    Math.random = random;
  }
});

Deno.test("Link hammers no relay that accepts and closes at once: waits grow", async () => {
  const { random } = Math;
  Math.random = () => 0.999;
  try {
    const { link, changes } = makeLink({}, (transport) => transport.deliver(null));
    await link.open(false);
    const waits = () =>
      changes.flatMap(([status, { retryInMs }]) => status === "reconnecting" ? retryInMs! : []);
    await until(() => waits().length === 3, "three breaks");
    assert.deepEqual(waits().map(Math.round), [250, 500, 999]);
    assert.equal(link.reconnects, 2);
    await link.close();
  } finally {
    Math.random = random;
  }
});

/** A speaker that says nothing but can be told what to answer. */
class StubTalk extends PlainSpeaker {
  retryMs: number | undefined;
  refusal: Error | undefined;

  constructor() {
    super(1000, { onLine() {}, onInvalidLine() {} });
  }

  override open(): Promise<{ resumed?: boolean }> {
    return this.refusal === undefined ? Promise.resolve({ resumed: true }) : Promise.reject(this.refusal);
  }

  override takeRetryMs(): undefined {
    const retryMs = this.retryMs;
    this.retryMs = undefined;
    return retryMs as undefined;
  }
}

Deno.test("Link stays away for as long as its speaker was asked to, once, and says whether a session went on", async () => {
  const speaker = new StubTalk();
  const { link, transports, changes } = makeLink({ speaker });
  await link.open(false);
  for (const [index, retryMs] of [100, undefined].entries()) {
    speaker.retryMs = retryMs;
    transports[index].deliver(null);
    await until(() => transports.length === index + 2 && link.status === "connected", "the next connection");
  }
  const waits = changes.flatMap(([status, { retryInMs }]) => status === "reconnecting" ? retryInMs! : []);
  assert.ok(waits[0] >= 100 && waits[0] < 100 + 250, `${waits[0]}`);
  assert.ok(waits[1] < 500, `${waits[1]}`);
  assert.deepEqual(changes.at(-1), ["connected", { resumed: true }]);
  await link.close();
});

Deno.test("Link.open goes on after a refusal that may pass, and gives up after one that stays", async () => {
  const speaker = new StubTalk();
  speaker.refusal = new RefusedError("relay_full", "there is no room");
  const { link, transports, changes } = makeLink({ speaker });
  const opened = assert.rejects(link.open(true), {
    message: "Cannot connect to relay:1: the token is wrong",
  });
  await until(() => transports.length === 2, "a second attempt");
  speaker.refusal = new RefusedError("bad_token", "the token is wrong");
  await opened;
  assert.equal(
    changes.find(([, { error }]) => error)![1].error!.message,
    "Cannot connect to relay:1: there is no room",
  );
  assert.equal(changes.at(-1)![0], "closed");
  assert.ok(transports.every((transport) => transport.isClosed));
  await link.close();
});

Deno.test("Link lets waits begin anew after a connection that lasted, not after one that did not", async () => {
  const { random } = Math;
  const { now } = performance;
  Math.random = () => 0.999;
  let skippedMs = 0;
  performance.now = () => now.call(performance) + skippedMs;
  try {
    const { link, transports, changes } = makeLink();
    await link.open(false);
    for (const [index, lastsMs] of [0, 0, 4000, 6000, 0].entries()) {
      skippedMs += lastsMs;
      transports[index].deliver(null);
      await until(
        () => transports.length === index + 2 && link.status === "connected",
        "the next connection",
      );
    }
    const waits = changes.flatMap(([status, { retryInMs }]) => status === "reconnecting" ? retryInMs! : []);
    assert.deepEqual(waits.map(Math.round), [250, 500, 999, 250, 500]);
    await link.close();
  } finally {
    Math.random = random;
    performance.now = now;
  }
});

Deno.test("Link.close before the first connection ends the attempt, and its transport", async () => {
  for (const isOpening of [false, true]) {
    const speaker = new StubTalk();
    let opened = 0;
    speaker.open = () => {
      opened++;
      return new Promise(() => {}); // what it waits for never comes
    };
    const transport = new FakeTransport();
    const opening = Promise.withResolvers<Transport>();
    const { link, changes } = makeLink({ speaker, openTransport: () => opening.promise });
    const failed = assert.rejects(link.open(false), /changed my mind/);
    if (isOpening) {
      opening.resolve(transport);
      await until(() => opened === 1, "the hello");
      // The transport that is closed makes whoever reads it fail.
      speaker.open = () => Promise.reject(new Error("closed"));
    }
    const closed = link.close(new Error("changed my mind"));
    if (isOpening) await until(() => transport.isClosed, "the transport to be closed");
    else await failed;
    await closed;
    assert.deepEqual(changes.map(([status]) => status), ["connecting", "closed"]);
    link.send(line("too late"));
    assert.deepEqual([link.droppedLines, link.droppedBytes], [1, 9]);
  }
});

Deno.test("Link.close before open() has nothing to end, and open() then rejects", async () => {
  const { link, transports } = makeLink();
  await link.close(new Error("never mind"));
  assert.equal(link.status, "closed");
  await assert.rejects(link.open(true), /never mind/);
  assert.deepEqual(transports, []);
});

Deno.test("Link keeps what waited when the connection broke, and offlineBytes of what is sent then", async () => {
  const { link, transports } = makeLink({}, (transport) => transport.writeLimit = 0);
  await link.open(false);
  for (let i = 0; i < 500; i++) link.send(line("0123456789"));
  await pause();
  transports[0].break(new Error("cable pulled"));
  await until(() => link.status === "reconnecting", "the break");
  assert.equal(link.droppedLines, 0);
  for (let i = 0; i < 500; i++) link.send(line("0123456789"));
  assert.equal(link.waitingLines, Math.floor((500 * 11 + 1000) / 11), "the oldest go first");
  await link.close();
});

Deno.test("Link keeps no more with each connection that breaks, whatever was sent in between", async () => {
  await withoutBackoff(async () => {
    const { link, transports } = makeLink(
      { maxQueuedBytes: 2000 },
      (transport) => transport.writeLimit = 0,
    );
    await link.open(false);
    for (let breaks = 1; breaks <= 10; breaks++) {
      transports.at(-1)!.break(new Error("cable pulled"));
      while (link.status === "connected") await Promise.resolve(); // the next one comes in a turn
      for (let i = 0; i < 500; i++) link.send(line("0123456789"));
      await until(() => transports.length === breaks + 1 && link.status === "connected", "the next");
    }
    assert.equal(link.waitingLines, Math.floor((2000 + 1000) / 11));
    await link.close();
  });
});

Deno.test("Link.wake has its speaker look whether the connection stands", async () => {
  const speaker = new PlainSpeaker(1000, { onLine() {}, onInvalidLine() {} });
  let woken = 0;
  speaker.wake = () => void woken++;
  const { link } = makeLink({ speaker });
  link.wake();
  assert.equal(woken, 0, "there is none yet");
  await link.open(false);
  link.wake();
  assert.equal(woken, 1);
  await link.close();
});

Deno.test("Link.wake ends the wait for the next attempt, once", async () => {
  let isUp = true, attempts = 0;
  const transports: FakeTransport[] = [];
  const { link, changes } = makeLink({
    openTransport: () => {
      attempts++;
      if (!isUp) return Promise.reject(new Error("down"));
      transports.push(new FakeTransport());
      return Promise.resolve(transports.at(-1)!);
    },
  });
  const random = Math.random;
  Math.random = () => 1;
  await link.open(false);
  isUp = false;
  transports[0].break(new Error("gone"));
  await until(() => changes.at(-1)![0] === "reconnecting", "a wait");
  assert.equal(changes.at(-1)![1].retryInMs, 250);
  link.wake();
  await until(() => attempts === 2, "an attempt");
  assert.equal(changes.at(-1)![1].retryInMs, 500, "it failed, and the next wait is not ended");
  isUp = true;
  link.wake();
  await until(() => changes.at(-1)![0] === "connected", "a connection");
  link.wake(); // and what breaks then is made anew at once
  transports[1].break(new Error("gone"));
  await until(() => transports.length === 3, "another connection");
  assert.ok(changes.some(([status, { retryInMs }]) => status === "reconnecting" && retryInMs === 0));
  Math.random = random;
  await link.close();
});
