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
