// Holds status lines against when they are due. What stands in them the tests of server.ts show.

import assert from "node:assert/strict";
import { logStatusWhenNew } from "../../src/program/status.ts";
import type { RelayServer, RelayStats } from "../../src/relay/relay.ts";

const STATS: RelayStats = {
  members: 0,
  sessions: 0,
  absentSessions: 0,
  rooms: 0,
  receivedLines: 0,
  receivedBytes: 0,
  sentLines: 0,
  sentBytes: 0,
  skippedLines: 0,
  errors: 0,
  logBytes: 0,
};

/** Stands in for setInterval: the test says when the time has come. */
class Minutes implements Disposable {
  readonly #setInterval = globalThis.setInterval;
  readonly #clearInterval = globalThis.clearInterval;
  #pass: (() => void) | undefined;

  constructor() {
    globalThis.setInterval = ((callback: () => void, ms: number) => {
      assert.equal(ms, 60_000);
      this.#pass = callback;
      return 1;
    }) as unknown as typeof setInterval;
    globalThis.clearInterval = () => this.#pass = undefined;
  }

  pass(): void {
    this.#pass?.();
  }

  [Symbol.dispose](): void {
    globalThis.setInterval = this.#setInterval;
    globalThis.clearInterval = this.#clearInterval;
  }
}

Deno.test("logStatusWhenNew logs a line for each minute in which something happened, until it is stopped", () => {
  using minutes = new Minutes();
  let stats = STATS;
  const lines: unknown[] = [];
  const relay = { stats: () => ({ ...stats }) } as RelayServer;
  const stop = logStatusWhenNew(relay, (_level, message, fields) => lines.push([message, fields?.in]));
  const pass = (change: Partial<RelayStats>) => {
    stats = { ...stats, ...change };
    minutes.pass();
    return lines.splice(0);
  };
  assert.deepEqual(pass({}), [["status", 0]], "that it was started is something");
  assert.deepEqual(pass({}), []);
  assert.deepEqual(pass({ receivedLines: 3 }), [["status", 3]]);
  assert.deepEqual(pass({ logBytes: 4096 }), [], "memory comes and goes by itself");
  assert.deepEqual(pass({ absentSessions: 1 }), [["status", 3]]);
  stop();
  assert.deepEqual(pass({ receivedLines: 4 }), []);
});
