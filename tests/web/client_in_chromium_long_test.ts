// Tests the client in a real Chromium, beside a client of Deno in the same room: events, state, bursts, and
// what a page is told when there is no connection. What becomes of a connection while its page is hidden,
// frozen or away is in page_life_long_test.ts.

import assert from "node:assert/strict";
import { connect } from "../../client.ts";
import { type Page, testInChromium } from "../support/browser.ts";
import { NewRelay } from "../support/new_relay.ts";
import { PageServer } from "../support/page_server.ts";
import { readCertificate } from "../support/certificates.ts";
import { until } from "../support/deadline.ts";

async function openPage(page: Page, url: string): Promise<void> {
  await page.navigate(url);
  await page.until("globalThis.ready", "the client's module");
}

testInChromium("The client in Chromium", async (browser, t) => {
  await using relay = new NewRelay();
  await using server = new PageServer();
  await using secure = new PageServer({
    cert: readCertificate("good.pem"),
    key: readCertificate("good.key"),
  });
  const page = await browser.newPage();
  await openPage(page, server.url());
  const ws = `ws://${relay.target}`;

  await t.step(
    "sends and receives events, sees who is there and what they set, and says goodbye",
    async () => {
      await using ada = await connect<unknown>(`${relay.target}/a`, { name: "ada" });
      ada.set("ball", { pos: [1, 2] });
      await page.evaluate(`await start("${ws}/a", { name: "page" })`);
      await page.until("Object.values(Array.from(relay.peers.values(), (peer) => peer.state))[0]?.ball");
      assert.deepEqual(
        await page.evaluate("Array.from(relay.peers.values(), ({ name, state }) => [name, state])"),
        [["ada", { ball: { pos: [1, 2] } }]],
      );
      for (let n = 0; n < 100; n++) ada.send({ n, text: "é".repeat(n) });
      await page.until("events.length === 100");
      assert.equal(
        await page.evaluate("events.map(({ n, text }) => n === text.length).every(Boolean)"),
        true,
      );
      const got: unknown[] = [];
      await page.evaluate(`for (let n = 0; n < 100; n++) relay.send(n); relay.set("me", 1)`);
      for await (const event of ada) if (got.push(event) === 100) break;
      assert.deepEqual(got, Array.from({ length: 100 }, (_, n) => n));
      await until(() => [...ada.peers.values()][0]?.state.me === 1, "the page's state");
      assert.ok(await page.evaluate<number>("Math.abs(relay.now() - Date.now())") < 1000);
      await page.evaluate("await relay.close()");
      await until(() => ada.peers.size === 0, "the page's leaving");
      assert.equal(page.errors.join(), "");
    },
  );

  await t.step("means the relay that the page came from, where none is named", async () => {
    await using ada = await connect<unknown>(`${relay.target}/own`, { name: "ada" });
    const own = await browser.newPage(`http://${relay.target}/`);
    await own.evaluate(`globalThis.client = await import("/client.js")`);
    await own.evaluate(
      `globalThis.relay = await client.connect("/own", { name: "page" }); relay.send("hello")`,
    );
    assert.equal((await ada[Symbol.asyncIterator]().next()).value, "hello");
    assert.equal(
      await own.evaluate(`const lobby = await client.connect(); await lobby.close(); lobby.room`),
      "lobby",
    );
    assert.deepEqual(own.sockets, [`ws://${relay.target}/`, `ws://${relay.target}/`]);
    await own[Symbol.asyncDispose]();
    await until(() => ada.peers.size === 0, "the page's leaving");
  });

  await t.step(
    "takes host:port/room for a WebSocket, and one message for all that a turn sends",
    async () => {
      const sent: string[] = [];
      using _ = {
        [Symbol.dispose]: page.on(
          "Network.webSocketFrameSent",
          ({ response }) => sent.push(response.payloadData),
        ),
      };
      await page.evaluate(`await start("${relay.target}/b")`);
      await page.evaluate(`for (let n = 0; n < 50; n++) relay.send("x" + n)`);
      await until(() => sent.some((text) => text.includes('"x49"')), "the events");
      assert.equal(sent.filter((text) => text.includes('"x')).length, 1);
      assert.ok(sent.every((text) => text.endsWith("\n")));
      await page.evaluate("await relay.close()");
    },
  );

  await t.step("loses nothing of a burst, and keeps it within bounds in the browser", async () => {
    const room = `${relay.target}/burst`;
    await using ada = await connect<{ n: number }>(room, { inboxLimit: 200_000 });
    await page.evaluate(`
      globalThis.most = 0;
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) { send.call(this, data); most = Math.max(most, this.bufferedAmount); };
      await start("${room}");
      const text = "x".repeat(1000);
      for (let n = 0; n < 20_000; n++) relay.send({ n, text });
      WebSocket.prototype.send = function (data) { send.call(this, data); most = Math.max(most, this.bufferedAmount); };
    `);
    let next = 0;
    for await (const { n } of ada) {
      assert.equal(n, next++);
      if (next === 20_000) break;
    }
    const most = await page.evaluate<number>("most");
    assert.ok(most > 64 * 1024 && most <= 1024 * 1024 + 2 * 64 * 1024, `${most} bytes waited in the browser`);
    assert.deepEqual(await page.evaluate("told.filter(([what]) => what === 'lost')"), []);
    // And the other way, into a page that is busy.
    await page.evaluate("events.length = 0");
    for (let n = 0; n < 20_000; n++) ada.send({ n, text: "x".repeat(100) });
    await page.evaluate("const until = performance.now() + 500; while (performance.now() < until);");
    await page.until("events.length === 20_000");
    assert.equal(await page.evaluate("events.every(({ n }, index) => n === index)"), true);
    await page.evaluate("await relay.close()");
  });

  await t.step("ticks with what the browser shows", async () => {
    const frames = await page.evaluate<number[]>(`
      const seconds = [];
      for await (const each of client.animationFrames()) if (seconds.push(each) === 20) break;
      seconds`);
    const sum = frames.reduce((a, b) => a + b);
    assert.ok(frames.every((each) => each >= 0) && sum > 0.15 && sum < 5, `${sum} s`);
    await page.evaluate(`
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 50);
      for await (const _ of client.animationFrames({ signal: controller.signal }));`);
  });

  const refusal = (target: string, options = "{}") =>
    page.evaluate<string>(
      `client.connect("${target}", ${options}).then(() => "connected", (error) => error.message)`,
    );

  await t.step("says what to look at where nobody answers", async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const target = `127.0.0.1:${port}`;
    assert.equal(
      await refusal(target),
      `Cannot connect to ${target}: the browser does not say why (code 1006): is the relay running there ` +
        `(http://${target}/ shows it)`,
    );
    assert.match(
      await refusal(target, "{ tls: true }"),
      /^Cannot connect to 127\.0\.0\.1:\d+: the browser does not say why .*, does the browser trust its certificate$/,
    );
    assert.match(
      await refusal(target, "{ tls: true, retry: true, signal: AbortSignal.timeout(1000) }"),
      /timed out/,
      "the relay may just be restarted, so it is tried again",
    );
    assert.match(
      await refusal(target, `{ tls: { caCerts: ["x"] } }`),
      /whom to trust is the browser's decision, leave out caCerts$/,
    );
  });

  await t.step("says which flag lets a page from elsewhere in", async () => {
    await openPage(page, server.url("game.example"));
    const origin = `http://game.example:${server.port}`;
    assert.ok(
      (await refusal(ws)).endsWith(`, may a page of ${origin} connect to it (--allow-origin ${origin})`),
      await refusal(ws),
    );
  });

  await t.step("says what to do in a page that is a file", async () => {
    const file = await Deno.makeTempFile({ suffix: ".html" });
    await Deno.writeTextFile(
      file,
      `<script type="module">import * as client from "${server.url()}client.js"; Object.assign(globalThis, { client, ready: true });</script>`,
    );
    await openPage(page, `file://${file}`);
    await Deno.remove(file);
    assert.match(
      await refusal(ws),
      /may a page that is a file connect to it \(serve the page, or start the relay with --allow-origin null\)$/,
    );
    assert.match(
      await page.evaluate<string>(`client.connect().catch((error) => error.message)`),
      /^Cannot connect to undefined: it names no host, and this page \(file:\) came from none/,
    );
  });

  await t.step("says in words what a page that came by https can't do, and doesn't try again", async () => {
    await openPage(page, secure.url("game.example"));
    const target = `relay.example:${relay.port}`;
    assert.equal(
      await refusal(`ws://${target}/`, "{ retry: true }"),
      `Cannot connect to ${target}: this page came by https, and its browser lets such a page open nothing but wss://: ` +
        `open the page from the relay itself (http://${target}/), or let the relay speak TLS and name it as wss://`,
    );
    assert.match(await refusal(target), /\(https:\/\//, "what comes without a scheme is encrypted there");
  });
}, ["--host-resolver-rules=MAP *.example 127.0.0.1", "--ignore-certificate-errors"]);
