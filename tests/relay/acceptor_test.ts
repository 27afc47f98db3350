import assert from "node:assert/strict";
import { Acceptor } from "../../src/relay/acceptor.ts";
import { REAL_ENVIRONMENT } from "../../src/relay/options.ts";
import type { Timers } from "../../src/relay/timers.ts";
import { heapBytes } from "../support/heap.ts";
import { pause } from "../support/pause.ts";

/** An event loop that has looked at its sockets just now. */
const IDLE = { turnIfBusy: () => undefined };

/** A connection that knows whether it was closed. */
class StubConn {
  isClosed = false;
  close(): void {
    this.isClosed = true;
  }
}

function failure(code: string | undefined): Error {
  return Object.assign(new Error(`no ${code}`), code === undefined ? {} : { code });
}

/**
 * An acceptor over a listener that gives `outcomes` and then waits for ever; with a clock that only pauses
 * move.
 */
function setUp(outcomes: (StubConn | Error)[]) {
  const pauses: number[] = [], lines: string[] = [], taken: StubConn[] = [];
  const state = { nowMs: 0 };
  const { promise: exhausted, resolve: exhaust } = Promise.withResolvers<void>();
  const timers: Timers = {
    ...REAL_ENVIRONMENT.timers,
    setTimeout: (callback, ms) => {
      pauses.push(ms);
      state.nowMs += ms;
      queueMicrotask(callback);
      return 0 as never;
    },
    clearTimeout: () => {},
  };
  let next = 0;
  const accept = () => {
    if (next === outcomes.length) exhaust();
    const outcome = outcomes[next++];
    if (outcome === undefined) return new Promise<StubConn>(() => {});
    return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
  };
  const log = (level: string, message: string, fields = {}) =>
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const acceptor = new Acceptor<StubConn>({ accept }, (conn) => taken.push(conn), {
    clock: () => state.nowMs,
    timers,
    log,
    loop: IDLE,
  });
  return { acceptor, exhausted, pauses, lines, taken };
}

for (const code of ["ENOTCONN", "ECONNABORTED", "ECONNRESET", "EPROTO", "EINTR", "EPERM", undefined]) {
  Deno.test(`Acceptor goes on at once after ${code ?? "an error without a code"}`, async () => {
    const conn = new StubConn();
    const { acceptor, exhausted, pauses, lines, taken } = setUp([...Array(63).fill(failure(code)), conn]);
    void acceptor.run();
    await exhausted;
    assert.deepEqual(pauses, []);
    assert.deepEqual(taken, [conn]);
    assert.equal(lines.length, 1, "all within a second are told of once");
    acceptor.stop();
  });
}

for (const code of ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]) {
  Deno.test(`Acceptor waits 10 ms to 1 s after ${code}, and begins with 10 ms again after a success`, async () => {
    const outcomes = [...Array(9).fill(failure(code)), new StubConn(), failure(code)];
    const { acceptor, exhausted, pauses, lines } = setUp(outcomes);
    void acceptor.run();
    await exhausted;
    assert.deepEqual(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000, 10]);
    assert.match(lines[0], /^error cannot accept a connection .*"retryMs":10}$/);
    acceptor.stop();
  });
}

Deno.test("Acceptor takes a short rest from a listener that only fails, and says so once a second", async () => {
  const { acceptor, exhausted, pauses, lines } = setUp(Array(64 * 1000).fill(failure("EBADF")));
  void acceptor.run();
  await exhausted;
  assert.deepEqual(pauses, Array(1000).fill(5));
  assert.equal(lines.length, 5);
  const counts = lines.map((line) => JSON.parse(line.slice(line.indexOf("{"))).count);
  assert.deepEqual(counts, [1, 12_800, 12_800, 12_800, 12_800]);
  acceptor.stop();
});

Deno.test("Acceptor keeps nothing of a pause that is over", async () => {
  const count = 10_000, heldBytes: number[] = [];
  let pauses = 0;
  const timers: Timers = {
    setTimeout: (callback) => {
      if (pauses++ % count === 0) heldBytes.push(heapBytes());
      if (heldBytes.length === 3) acceptor.stop();
      else queueMicrotask(callback);
      return 0 as never;
    },
    clearTimeout: () => {},
  };
  const accept = () => Promise.reject(failure("EMFILE"));
  const settings = { clock: () => 0, timers, log: () => {}, loop: IDLE };
  const acceptor = new Acceptor<StubConn>({ accept }, () => {}, settings);
  await acceptor.run();
  const [, before, after] = heldBytes, bytes = (after - before) / count;
  assert.ok(bytes < 100, `${bytes} bytes are kept of each`); // a few hundred if anything is
});

Deno.test("Acceptor lets other work run while a listener fails without end", async () => {
  const accept = () => Promise.reject(failure("EBADF"));
  const { clock, timers } = REAL_ENVIRONMENT;
  const acceptor = new Acceptor<StubConn>({ accept }, () => {}, { clock, timers, log: () => {}, loop: IDLE });
  const running = acceptor.run();
  // It would never come if the loop were one of microtasks only.
  await pause(20);
  acceptor.stop();
  await running;
});

Deno.test("Acceptor goes on after what can't be served, and closes it", async () => {
  const conns = [new StubConn(), new StubConn()];
  const lines: string[] = [];
  const taken: StubConn[] = [];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  const accept = () => Promise.resolve(conns.shift()).then((conn) => conn ?? new Promise<StubConn>(() => {}));
  const first = conns[0];
  const take = (conn: StubConn) => {
    if (conn === first) throw new Error("odd");
    taken.push(conn);
    resolve();
  };
  const { clock, timers } = REAL_ENVIRONMENT;
  const acceptor = new Acceptor<StubConn>({ accept }, take, {
    clock,
    timers,
    log: (_, message) => lines.push(message),
    loop: IDLE,
  });
  void acceptor.run();
  await all;
  assert.equal(first.isClosed, true);
  assert.deepEqual(taken.map((conn) => conn.isClosed), [false]);
  assert.deepEqual(lines, ["cannot serve a connection"]);
  acceptor.stop();
});

Deno.test("Acceptor.stop ends a pause and the loop", async () => {
  const accept = () => Promise.reject(failure("EMFILE"));
  let isPausing: () => void;
  const pausing = new Promise<void>((done) => isPausing = done);
  const { clock, timers } = REAL_ENVIRONMENT;
  const log = () => isPausing();
  const longTimers: Timers = { ...timers, setTimeout: (callback) => timers.setTimeout(callback, 3_600_000) };
  const acceptor = new Acceptor<StubConn>({ accept }, () => {}, {
    clock,
    timers: longTimers,
    log,
    loop: IDLE,
  });
  const running = acceptor.run();
  await pausing;
  acceptor.stop();
  await running;
});

Deno.test("Acceptor takes what comes at once, but on a busy loop only one before others have their turn", async () => {
  const conns = Array.from({ length: 5 }, () => new StubConn());
  const taken: StubConn[] = [];
  const turns: (() => void)[] = [];
  let isBusy = false;
  const accept = () => Promise.resolve(conns.shift()).then((conn) => conn ?? new Promise<StubConn>(() => {}));
  const take = (conn: StubConn) => {
    taken.push(conn);
    isBusy = taken.length === 3;
  };
  const laterTurn = () => new Promise<void>((done) => turns.push(done));
  const loop = { turnIfBusy: () => isBusy ? laterTurn() : undefined };
  const { clock, timers } = REAL_ENVIRONMENT;
  const acceptor = new Acceptor<StubConn>({ accept }, take, { clock, timers, log: () => {}, loop });
  void acceptor.run();
  await pause();
  assert.deepEqual([taken.length, turns.length], [3, 1]);
  isBusy = false;
  turns[0]();
  await pause();
  assert.equal(taken.length, 5);
  acceptor.stop();
});
