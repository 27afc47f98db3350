// What the game says of its connection.

import assert from "node:assert/strict";
import { Link } from "../../example/link.ts";
import { serve } from "../../src/relay/relay.ts";
import { inTime } from "../support/deadline.ts";
import { pause } from "../support/pause.ts";

/** How often a test looks whether something has happened, in ms. */
const POLL_MS = 10;

Deno.test("Link says why the relay closed the connection of a plain player", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using _relay = serve(listener, { token: "secret" });
  const stop = new AbortController();
  const place = `127.0.0.1:${listener.addr.port}`;
  const link = new Link({ target: place, name: "ada", plain: true }, stop.signal, () => {});
  const told: string[] = [];
  const refused = async () => {
    while (!told.some((line) => line.startsWith("reconnecting"))) {
      link.relay?.send([1]);
      const line = `${link.status}: ${link.detail}`;
      if (told.at(-1) !== line) told.push(line);
      await pause(POLL_MS);
    }
  };
  await inTime(refused(), "the relay refuses it");
  stop.abort();
  await link.relay?.close();
  assert.match(told.at(-1)!, /^reconnecting: the relay says: .*this relay needs a token/);
});

Deno.test("Link says in the relay's words why it does not let a session in, and goes on trying", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using _relay = serve(listener, { maxClients: 0 });
  const stop = new AbortController(), place = `127.0.0.1:${listener.addr.port}`;
  for (const target of [place, `ws://${place}`]) {
    const link = new Link({ target, name: "ada", plain: false }, stop.signal, () => {});
    const refused = async () => {
      while (link.status === "connecting" && link.detail === link.place) {
        await pause(POLL_MS);
      }
    };
    await inTime(refused(), "the relay refuses it");
    const why = "the relay says: Cannot serve this connection: 0 clients are connected, no more are allowed";
    assert.deepEqual([link.detail, link.relay], [why, undefined]);
  }
  stop.abort();
});
