// Tests what becomes of the client's connection in the life of a page, in a real Chromium: hidden, frozen,
// kept for the way back, without a network, on a machine that slept, and gone.

import assert from "node:assert/strict";
import { connect, type Relay } from "../../client.ts";
import { type Browser, type Page, testInChromium } from "../support/browser.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { NewRelay } from "../support/new_relay.ts";
import { PageServer } from "../support/page_server.ts";
import { until } from "../support/deadline.ts";
import { pause } from "../support/pause.ts";

/**
 * A page with the client, connected through a proxy to a room of its own, in which ada, a program, is, too.
 */
class Scene implements AsyncDisposable {
  private constructor(
    readonly page: Page,
    readonly ada: Relay,
    readonly proxy: CuttingProxy,
    readonly id: string,
    readonly left: string[],
    /** What the page has sent, since the last look. */
    readonly sent: string[],
  ) {}

  static async open(browser: Browser, relay: NewRelay, server: PageServer, room: string): Promise<Scene> {
    const left: string[] = [];
    const ada = await connect(`${relay.target}/${room}`, {
      name: "ada",
      onLeave: (_, reason) => void left.push(reason),
    });
    const proxy = new CuttingProxy(relay.port);
    const page = await browser.newPage(server.url());
    await page.until("globalThis.ready", "the client's module");
    const sent: string[] = [];
    page.on("Network.webSocketFrameSent", ({ response }) => sent.push(response.payloadData));
    const id = await page.evaluate<string>(`start("ws://${proxy.target}/${room}", { name: "page" })`);
    // The first pings set its clock: what it sends after them is what happens here.
    await page.until("relay.rtt > 0 && (await new Promise((done) => setTimeout(done, 500)), true)");
    sent.length = 0;
    return new Scene(page, ada, proxy, id, left, sent);
  }

  /** The median time, in ms, from an event to the page's answer. */
  async echoMs(count = 5): Promise<number> {
    const times: number[] = [];
    const answers = this.ada[Symbol.asyncIterator]();
    for (let echo = 1; echo <= count; echo++) {
      const sentAtMs = performance.now();
      this.ada.send({ echo });
      let value: unknown;
      do value = (await answers.next()).value; while ((value as { echoed?: number }).echoed !== echo);
      times.push(performance.now() - sentAtMs);
    }
    return times.sort((a, b) => a - b)[count >> 1];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page[Symbol.asyncDispose]();
    await this.ada.close();
    await this.proxy[Symbol.asyncDispose]();
  }
}

function isPing(text: string): boolean {
  return text.includes('{"$ping":');
}

testInChromium("The client in the life of a page", async (browser, t) => {
  await using relay = new NewRelay();
  await using server = new PageServer();
  const scene = (room: string) => Scene.open(browser, relay, server, room);

  await t.step("a hidden page answers at once, and pings when it is shown again", async () => {
    await using s = await scene("hidden");
    await browser.hideAll();
    await s.page.until(`document.visibilityState === "hidden"`);
    await pause(1500); // timers are throttled from the next full second on
    const ms = await s.echoMs();
    assert.ok(ms < 150, `${ms} ms`);
    // A loop that is not driven by timers turns, and is not told that it never awaits.
    await s.page.evaluate(`
      const { port1, port2 } = new MessageChannel();
      let calls = 0;
      const beganAtMs = performance.now();
      await new Promise((done) => {
        port1.onmessage = () => {
          relay.drain();
          calls++;
          if (performance.now() - beganAtMs > 1300) done();
          else port2.postMessage(0);
        };
        port2.postMessage(0);
      });
      port1.close();
      calls`);
    assert.equal(s.page.console.join(), "");
    s.sent.length = 0;
    await browser.show(s.page);
    await until(() => s.sent.some(isPing), "a ping");
    assert.equal(await s.page.evaluate("relay.id"), s.id);
    assert.deepEqual(await s.page.evaluate("told"), [["connecting"], ["connected"]]);
  });

  await t.step("a hidden page passes the host on, once, and leads where nobody else may", async () => {
    await using s = await scene("host");
    await using watcher = await connect(`${relay.target}/host`, { name: "watcher", canHost: false });
    s.ada.passHost(s.id);
    await s.page.until("relay.isHost");
    await until(() => watcher.host?.id === s.id, "the page leads");
    await browser.hideAll();
    await until(() => s.ada.isHost && watcher.host?.name === "ada", "it has passed it on");
    assert.equal(await s.page.evaluate("document.visibilityState"), "hidden");
    s.ada.passHost(s.id); // it has done so once
    await until(() => watcher.host?.id === s.id, "it leads, though hidden");
    s.ada.send("still there");
    await s.page.until(`events.includes("still there") && relay.isHost`);
    await browser.show(s.page);
    await s.page.until(`document.visibilityState === "visible"`);
    assert.equal(watcher.host?.id, s.id);
    await browser.hideAll();
    await until(() => watcher.host?.name === "ada", "and again, when it is hidden again");
    await s.ada.close();
    await until(() => watcher.host?.id === s.id, "better one who is hidden than nobody");
  });

  await t.step(
    "a frozen page that leads is followed by another one, and comes back as a member",
    async () => {
      await using s = await scene("frozen host");
      s.ada.passHost(s.id);
      await s.page.until("relay.isHost");
      await s.page.freeze(); // without being hidden before, as on a machine that stands still
      await until(() => s.ada.isHost, "its connection was closed, or it is silent");
      await s.page.freeze(false);
      await browser.show(s.page);
      await s.page.until(`relay.status === "connected" && !relay.isHost && relay.host.name === "ada"`);
    },
  );

  await t.step("a frozen page keeps its session, and gets what was said meanwhile", async () => {
    await using s = await scene("frozen");
    await browser.hideAll();
    await s.page.freeze();
    for (let n = 0; n < 100; n++) s.ada.send({ n });
    await pause(1500);
    s.sent.length = 0;
    await s.page.freeze(false);
    await browser.show(s.page);
    await s.page.until("events.length === 100");
    assert.equal(await s.page.evaluate("events.every(({ n }, index) => n === index)"), true);
    await until(() => s.sent.some(isPing), "a ping");
    assert.equal(await s.page.evaluate("relay.id"), s.id);
    assert.deepEqual(s.left, []);
  });

  await t.step(
    "a page that comes back out of the back/forward cache goes on in the same session",
    async () => {
      await using s = await scene("back");
      await s.page.evaluate(`relay.send("before")`);
      await s.page.navigate(`${server.url("localhost")}`);
      assert.equal(await s.page.evaluate("globalThis.relay"), undefined);
      for (let n = 0; n < 100; n++) s.ada.send({ n });
      await s.page.back();
      await s.page.until("globalThis.relay && events.length === 100");
      assert.equal(await s.page.evaluate("events.every(({ n }, index) => n === index)"), true);
      assert.equal(await s.page.evaluate("relay.id"), s.id);
      assert.deepEqual(await s.page.evaluate("told.at(-1)"), ["connected", true]);
      assert.deepEqual(s.left, []);
      const ms = await s.echoMs();
      assert.ok(ms < 500, `${ms} ms`);
    },
  );

  await t.step(
    "a page that is online again asks at once, and gives a dead connection up after 3 s",
    async () => {
      await using s = await scene("online");
      await s.page.offline();
      s.proxy.mute();
      for (let n = 0; n < 10; n++) s.ada.send({ n });
      s.sent.length = 0;
      await s.page.offline(false);
      const onlineAtMs = performance.now();
      await until(() => s.sent.some(isPing), "a ping");
      assert.ok(performance.now() - onlineAtMs < 500);
      await s.page.until(`told.some(([what]) => what === "reconnecting")`); // it may be over between two looks
      const seconds = (performance.now() - onlineAtMs) / 1000;
      assert.ok(seconds > 2.5 && seconds < 5, `${seconds} s`);
      await s.page.until("events.length === 10");
      assert.equal(await s.page.evaluate("relay.id"), s.id);
      assert.match(
        await s.page.evaluate("told.at(-2)[1]"),
        /: nothing was heard of the relay for 3 s after a pause$/,
      );
    },
  );

  await t.step("a page that waits for its next attempt makes it when it is online again", async () => {
    await using s = await scene("retry");
    await s.page.evaluate("Math.random = () => 0.99"); // the longest waits: 250 ms, 500 ms …
    s.proxy.budget = () => ({ up: 0, down: 0 });
    s.proxy.cut();
    await s.page.until(`told.filter(([what]) => what === "reconnecting").length === 5`, "a wait of 4 s");
    s.proxy.budget = () => ({ up: Infinity, down: Infinity });
    await s.page.offline();
    const onlineAtMs = performance.now();
    await s.page.offline(false);
    await s.page.until(`relay.status === "connected"`);
    const ms = performance.now() - onlineAtMs;
    assert.ok(ms < 1000, `${ms} ms`);
    assert.equal(await s.page.evaluate("relay.id"), s.id);
  });

  await t.step("a page on a machine that slept asks at once", async () => {
    await using s = await scene("asleep");
    s.proxy.mute();
    await s.page.evaluate("const now = Date.now; Date.now = () => now() + 3_600_000");
    await s.page.until(`told.some(([what]) => what === "reconnecting")`); // it may be over between two looks
    await s.page.until("relay.status === 'connected'");
    assert.equal(await s.page.evaluate("relay.id"), s.id);
    assert.match(
      await s.page.evaluate(`told.find(([what]) => what === "reconnecting")[1]`),
      /: nothing was heard of the relay for 3 s after a pause$/,
    );
  });

  for (
    const [name, leave] of [
      ["closed", (page: Page) => page[Symbol.asyncDispose]()],
      ["loaded again", (page: Page) => page.send("Page.reload").then(() => {})],
    ] as const
  ) {
    await t.step(`a page that is ${name} says goodbye, after what it sent last`, async () => {
      await using s = await scene(name.replace(" ", "-"));
      await s.page.evaluate(`relay.send("late words")`); // and others from a listener of the page's, see PageServer
      const leftAtMs = performance.now();
      await leave(s.page);
      await until(() => s.left.length === 1, "its leaving");
      assert.ok(performance.now() - leftAtMs < 2000);
      assert.deepEqual(s.left, ["closed"]);
      assert.deepEqual(s.ada.drain(), ["late words", "last words"]);
    });
  }
});
