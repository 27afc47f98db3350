// Tests the driver of Chromium itself: that it says what a page did, and what tests of pages rely on.

import assert from "node:assert/strict";
import { testInChromium } from "../support/browser.ts";
import { pause } from "../support/pause.ts";

const PAGE = `<!doctype html><title>a page</title><body style="background:#0f0">
<script type="module">globalThis.visits = (globalThis.visits ?? 0) + 1; addEventListener("keydown", ({ key }) => globalThis.key = key);</script>`;

testInChromium("Page does what it is told, and says what went wrong in it", async (browser, t) => {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/missing.js") return new Response("", { status: 404 });
    return new Response(PAGE, { headers: { "content-type": "text/html" } });
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  try {
    const page = await browser.newPage(url);
    await t.step("evaluates, waits, and throws what the page throws", async () => {
      assert.equal(await page.evaluate("document.title"), "a page");
      assert.deepEqual(await page.evaluate("await Promise.resolve({ a: [1, null] })"), { a: [1, null] });
      await assert.rejects(page.evaluate(`throw new TypeError("oh")`), /in the page: TypeError: oh/);
      await page.evaluate("setTimeout(() => globalThis.late = 7, 50)");
      assert.equal(await page.until("globalThis.late"), 7);
    });
    await t.step("takes a picture of the size that was asked for", async () => {
      await page.look({ width: 360, height: 640, isDark: true });
      assert.equal(await page.evaluate(`matchMedia("(prefers-color-scheme: dark)").matches`), true);
      const png = await page.screenshot();
      const header = new DataView(png.buffer, 16, 8);
      assert.deepEqual([header.getUint32(0), header.getUint32(4)], [360, 640]);
    });
    await t.step("presses keys", async () => {
      await page.press("ArrowLeft");
      assert.equal(await page.evaluate("globalThis.key"), "ArrowLeft");
    });
    await t.step("notes errors and what is asked for", async () => {
      assert.equal(page.errors.join(), "");
      await page.evaluate(`console.error("bad", 1); setTimeout(() => { throw new Error("uncaught") })`);
      await page.evaluate(`fetch("/missing.js")`);
      await page.until("true");
      await page.evaluate("new Promise((done) => setTimeout(done, 50))");
      assert.ok(page.errors.some((text) => text === "bad 1"), page.errors.join());
      assert.ok(page.errors.some((text) => text.includes("Error: uncaught")), page.errors.join());
      assert.ok(page.errors.some((text) => text.includes("404")), page.errors.join());
      assert.ok(page.requests.includes(`${url}missing.js`));
    });
    await t.step("hides a tab and shows it again", async () => {
      assert.equal(await page.evaluate("document.visibilityState"), "visible");
      await browser.hideAll();
      await page.until(`document.visibilityState === "hidden"`);
      await browser.show(page);
      await page.until(`document.visibilityState === "visible"`);
    });
    await t.step("freezes a page", async () => {
      await page.evaluate("globalThis.ticks = 0; setInterval(() => globalThis.ticks++, 5)");
      await page.until("globalThis.ticks > 2");
      await browser.hideAll();
      await page.freeze();
      const ticks = await page.evaluate<number>("globalThis.ticks");
      await pause(100);
      assert.ok(await page.evaluate<number>("globalThis.ticks") - ticks <= 1);
      await page.freeze(false);
      await browser.show(page);
    });
    await t.step("goes back to a page that was kept in the cache", async () => {
      await page.evaluate("globalThis.kept = true");
      await page.navigate(`http://localhost:${server.addr.port}/?other`);
      assert.equal(await page.evaluate("globalThis.kept"), undefined);
      await page.back();
      assert.equal(await page.until("globalThis.kept"), true);
    });
    await t.step("takes the network away", async () => {
      await page.offline();
      assert.equal(await page.evaluate("navigator.onLine"), false);
      await assert.rejects(page.evaluate(`fetch("/")`), /Failed to fetch/);
      await page.offline(false);
      assert.equal(await page.evaluate(`(await fetch("/")).status`), 200);
    });
  } finally {
    await server.shutdown();
  }
});
