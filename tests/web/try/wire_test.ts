// The console's connection, over a socket and a timer that the test holds: what it says by itself, and when it
// gives a relay up that says nothing.

import assert from "node:assert/strict";
import { Wire } from "../../../web/try/wire.ts";

/** A socket that is open as soon as the test says so. */
class HeldSocket {
  static readonly OPEN = 1;
  static made: HeldSocket[] = [];
  readyState = 1;
  isClosed = false;
  readonly sent: string[] = [];
  onopen = () => {};
  onmessage = (_: { data: string }) => {};
  onclose = (_: { code: number; reason: string }) => {};

  constructor() {
    HeldSocket.made.push(this);
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.isClosed = true;
  }

  say(data: string): void {
    this.onmessage({ data });
  }
}

Deno.test("Wire gives a relay up that answers no ping, and none that says anything at all", () => {
  const before = { WebSocket: globalThis.WebSocket, setInterval: globalThis.setInterval };
  let tick = () => {};
  Object.assign(globalThis, {
    WebSocket: HeldSocket,
    setInterval: (callback: () => void) => {
      tick = callback;
      return 0;
    },
  });
  const states: string[] = [];
  const wire = new Wire({
    url: "",
    hello: {},
    onLine() {},
    onState: (...state) => states.push(state.join(": ")),
  });
  try {
    const [socket] = HeldSocket.made;
    socket.onopen();
    socket.say('{"$welcome":{}}\n');
    for (let i = 0; i < 10; i++) {
      tick();
      tick();
      socket.say(i % 2 === 0 ? '{"$pong":{}}\n' : "1\n");
    }
    assert.deepEqual(states, ["connecting: ", "connected: "]);
    const pings = () => socket.sent.filter((line) => line.startsWith('{"$ping":')).length, asked = pings();
    for (let i = 0; i < 4; i++) tick();
    assert.equal(pings(), asked + 3, "three are not answered, and there is no fourth");
    assert.ok(socket.isClosed);
    assert.equal(states.at(-1), "reconnecting: the relay says nothing any more");
  } finally {
    wire.close();
    Object.assign(globalThis, before);
  }
});

Deno.test("Wire waits longer each time for a relay that lets a plain client in and closes, and anew once it stayed", () => {
  const before = { WebSocket: globalThis.WebSocket, setTimeout: globalThis.setTimeout };
  const { performance } = globalThis, realNow = performance.now;
  let nowMs = 0, retry = () => {};
  const waits: number[] = [];
  Object.assign(performance, { now: () => nowMs });
  Object.assign(globalThis, {
    WebSocket: HeldSocket,
    setTimeout: (callback: () => void, ms: number) => {
      retry = callback;
      return waits.push(ms);
    },
  });
  const wire = new Wire({ url: "", hello: undefined, onLine() {}, onState() {} });
  try {
    for (const lastsMs of [250, 250, 250, 250, 250, 250, 8000, 250]) {
      const socket = HeldSocket.made.at(-1)!;
      socket.onopen();
      nowMs += lastsMs;
      socket.onclose({ code: 1013, reason: "relay_full" });
      retry();
    }
    assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 8000, 500, 1000]);
  } finally {
    wire.close();
    Object.assign(globalThis, before);
    performance.now = realNow;
  }
});
