// Tests the client in a real Firefox: a connection, events both ways, resume, and the words for what fails.
// The rest is tested in Chromium.

import assert from "node:assert/strict";
import { connect } from "../../client.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { testInFirefox } from "../support/firefox.ts";
import { NewRelay } from "../support/new_relay.ts";
import { PageServer } from "../support/page_server.ts";
import { until } from "../support/deadline.ts";

testInFirefox("The client in Firefox", async (firefox, t) => {
  await using relay = new NewRelay({ resumeMs: 2000 });
  await using proxy = new CuttingProxy(relay.port);
  await using server = new PageServer();
  const left: string[] = [];
  await using ada = await connect<unknown>(`${relay.target}/game`, {
    name: "ada",
    onLeave: (_, reason) => void left.push(reason),
  });
  ada.set("ball", { pos: [1, 2] });
  await firefox.navigate(server.url());
  await firefox.until("globalThis.ready");
  const id = await firefox.run(`return await start("ws://${proxy.target}/game", { name: "page" });`);

  await t.step("sends and receives, and sees what others set", async () => {
    assert.deepEqual(
      await firefox.run("return Array.from(relay.peers.values(), ({ name, state }) => [name, state]);"),
      [["ada", { ball: { pos: [1, 2] } }]],
    );
    for (let n = 0; n < 1000; n++) ada.send({ n });
    await firefox.until("events.length === 1000");
    assert.equal(await firefox.run("return events.every(({ n }, index) => n === index);"), true);
    await firefox.run("for (let n = 0; n < 1000; n++) relay.send(n); relay.set('me', 1);");
    const got: unknown[] = [];
    for await (const event of ada) if (got.push(event) === 1000) break;
    assert.deepEqual(got, Array.from({ length: 1000 }, (_, n) => n));
    await until(() => [...ada.peers.values()][0]?.state.me === 1, "the page's state");
  });

  await t.step("goes on in the same session after a cut, and loses nothing", async () => {
    await firefox.run("events.length = 0;");
    for (let n = 0; n < 1000; n++) ada.send({ n });
    await firefox.run("for (let n = 0; n < 1000; n++) relay.send(n);");
    proxy.cut();
    for (let n = 1000; n < 2000; n++) ada.send({ n });
    await firefox.run("for (let n = 1000; n < 2000; n++) relay.send(n);");
    const got: unknown[] = [];
    for await (const event of ada) if (got.push(event) === 2000) break;
    assert.deepEqual(got, Array.from({ length: 2000 }, (_, n) => n));
    await firefox.until("events.length === 2000");
    assert.equal(await firefox.run("return events.every(({ n }, index) => n === index);"), true);
    assert.equal(await firefox.run("return relay.id;"), id);
    assert.deepEqual(await firefox.run("return told.at(-1);"), ["connected", true]);
    assert.deepEqual(left, []);
  });

  await t.step("ticks with what the browser shows", async () => {
    const count = await firefox.run(
      "let count = 0; for await (const seconds of client.animationFrames()) if (seconds >= 0 && ++count === 10) break; return count;",
    );
    assert.equal(count, 10);
  });

  await t.step(
    "is gone for the others once its session is over, as Firefox lets no page say goodbye",
    async () => {
      await firefox.navigate(server.url("localhost"));
      await until(() => left.length === 1, "its leaving");
      assert.deepEqual(left, ["lost"]);
    },
  );

  await t.step("says what to look at where nobody answers", async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const target = `127.0.0.1:${listener.addr.port}`;
    listener.close();
    await firefox.until("globalThis.ready");
    assert.equal(
      await firefox.run(`return await client.connect("${target}").catch((error) => error.message);`),
      `Cannot connect to ${target}: the browser does not say why (code 1006): is the relay running there ` +
        `(http://${target}/ shows it)`,
    );
  });
});
