// The pages to copy, in a real browser over a relay that was started with their folder: what each promises
// happens between two players, and strange events and values stop nobody.

import assert from "node:assert/strict";
import { connect } from "../../client.ts";
import { Browser, type Page, testInChromium } from "../support/browser.ts";
import { DEADLINE_MS } from "../support/deadline.ts";
import { p5Versions } from "../support/p5.ts";
import { pause } from "../support/pause.ts";
import { openPage } from "../support/web_pages.ts";
import { WebTable } from "../support/web_table.ts";

const FOLDER = new URL("../../example/web/", import.meta.url);

/** What strangers send and set: any JSON value may come. */
const STRANGE: readonly unknown[] = [
  null,
  true,
  -1e308,
  "text",
  [],
  {},
  { what: "ball" },
  { what: "constructor", pos: [1] },
  { what: "__proto__", pos: [1] },
  { what: "left", pos: [] },
  { what: "right", pos: ["1", {}], t: "now" },
  { t: 1, pos: [3, 4], vel: [1e308, 0] },
  { toString: 1, valueOf: 1 },
  [{ toString: 1 }, { valueOf: 1 }],
  { text: { toString: 1 } },
  { text: "long".repeat(100) },
  "9".repeat(400),
];

/** A stranger in a room says and sets all of it; the room's own values first. */
async function rave(table: WebTable, room: string): Promise<void> {
  const stranger = await table.session({ room, name: `<img src=x onerror="window.hacked=1">` });
  for (const value of STRANGE) {
    for (const key of ["score", "star", "points"]) {
      await stranger.send(`${JSON.stringify({ $set: { key, value, room: true } })}\n`);
      await stranger.send(`${JSON.stringify({ $set: { key, value } })}\n`);
    }
    await stranger.send(` ${JSON.stringify(value)}\n`);
    await pause(20); // so that each is the newest for a frame
  }
}

/**
 * Asserts that a page goes on, without errors, and fits on a phone, which shows one that is wider much too
 * small.
 */
async function assertLives(page: Page): Promise<void> {
  assert.deepEqual(page.errors, []);
  await page.look({ width: 360, height: 640, isMobile: true });
  const wide = `Math.max(innerWidth, document.documentElement.scrollWidth)`;
  await page.until(`${wide} <= 360`, "the page is as wide as the phone");
  assert.equal(await page.evaluate(`typeof window.hacked`), "undefined");
}

async function mouse(page: Page, x: number, y: number): Promise<void> {
  await page.send("Input.dispatchMouseEvent", { type: "mouseMoved", x, y });
}

testInChromium("hello.html: what one says, the others read, as text", async (browser) => {
  await using table = new WebTable({ webFolder: FOLDER.pathname });
  const one = await openPage(browser, `${table.url}/hello.html`),
    two = await openPage(browser, `${table.url}/hello.html`);
  for (const page of [one, two]) await page.until(`document.querySelector("form").onsubmit !== null`);
  await rave(table, "hello");
  await one.evaluate(`(document.querySelector("input").focus(), 0)`);
  await one.type("<b>hi</b>");
  await one.press("Enter");
  await two.until(`document.querySelector("li:last-child")?.textContent === "<b>hi</b>"`);
  assert.equal(await one.evaluate(`document.querySelector("li:last-child").textContent`), "<b>hi</b>");
  for (const page of [one, two]) await assertLives(page);
});

testInChromium("index.html: players catch stars, and see each other and their points", async (browser) => {
  await using table = new WebTable({ webFolder: FOLDER.pathname });
  await using second = await Browser.launch(); // two machines: both pages are in front
  const ada = await openPage(browser, `${table.url}/`, "ada"),
    bo = await openPage(second, `${table.url}/`, "bo");
  const text = `document.querySelector("pre").textContent`;
  await ada.until(`${text}.includes("bo: 0")`);
  await bo.until(`${text}.includes("ada: 0")`);
  const size = await ada.evaluate<number>(`document.querySelector("canvas").clientWidth / 640`);
  const left = await ada.evaluate<number>(`document.querySelector("canvas").getBoundingClientRect().left`);
  await mouse(ada, left + 100 * size, 100 * size); // where the first star is
  await ada.until(`/ada \\(you\\): [1-9]/.test(${text})`);
  await bo.until(`/ada: [1-9]/.test(${text})`);
  const late = await openPage(browser, `${table.url}/`, "cyrille");
  await late.until(`/ada: [1-9]/.test(${text})`, "points are state: who comes late sees them");
  await rave(table, "star");
  await bo.until(`${text}.includes("<img src=x")`);
  for (const page of [ada, bo, late]) await assertLives(page);
});

testInChromium("p5.html: without p5.js beside it, it says what is missing", async (browser) => {
  await using table = new WebTable({ webFolder: FOLDER.pathname });
  const page = await browser.newPage();
  const said = new Promise((done) => {
    page.on("Page.javascriptDialogOpening", ({ message }) => {
      done(message);
      void page.send("Page.handleJavaScriptDialog", { accept: true });
    });
  });
  await page.navigate(`${table.url}/p5.html`);
  assert.match(String(await said), /p5\.min\.js/);
});

for (const { name, script } of [{ name: "pong.html", script: "" }, ...p5Versions("p5.html")]) {
  testInChromium(
    `${name}: two play, a third watches, the score is the room's, and who leaves is replaced`,
    async (browser) => {
      const folder = await Deno.makeTempDir({ prefix: "eventrelay_web_" });
      try {
        const file = script === "" ? "pong.html" : "p5.html";
        await Deno.copyFile(new URL(file, FOLDER), `${folder}/game.html`);
        if (script !== "") await Deno.copyFile(script, `${folder}/p5.min.js`);
        await using table = new WebTable({ webFolder: folder });
        await using second = await Browser.launch();
        const url = `${table.url}/game.html`;
        const left = await openPage(browser, url);
        const role = saysRole(script !== "");
        await left.until(role("Waiting for a second player"));
        const right = await openPage(second, url);
        await left.until(role("You are left"));
        await right.until(role("You are right"));

        await using watcher = await connect(`127.0.0.1:${table.port}/pong`, { name: "watcher" });
        const positions = new Set<string>();
        for await (const event of watcher) {
          const { what, pos } = event as { what: string; pos: number[] };
          if (what === "ball") positions.add(`${pos}`);
          if (positions.size > 5) break; // it moves
        }
        // Nobody defends: points come, and the score is the room's.
        const score = () => (watcher.state.score ?? [0, 0]) as number[];
        for (const since = performance.now(); score()[0] + score()[1] === 0;) {
          assert.ok(performance.now() - since < DEADLINE_MS, "a point");
          await pause(50);
        }
        await mouse(right, 200, 250);
        for await (const event of watcher) {
          const { what, pos } = event as { what: string; pos: number[] };
          if (what === "right" && pos[0] !== 200) break; // the paddle follows the pointer
        }
        await right.look({ width: 360, height: 640 });
        const { top, height } = await right.until<{ top: number; height: number }>(
          `(() => { const box = document.querySelector("canvas").getBoundingClientRect();
            return box.right <= 360 && { top: box.top, height: box.height }; })()`,
          "the canvas fits on a phone",
        );
        await mouse(right, 200, top + 0.75 * height);
        for await (const event of watcher) {
          const { what, pos } = event as { what: string; pos: number[] };
          if (what === "right" && Math.abs(pos[0] - 300) < 3) break; // three quarters of the way down, as drawn
        }
        await left[Symbol.asyncDispose]();
        await right.until(role("You are left"), "who was right is left, since the left one has gone");
        await rave(table, "pong");
        await right.evaluate(
          `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`,
        );
        await assertLives(right);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
}

/** What a game says of who one is: in an element, or painted by p5, whose letters are listened to. */
function saysRole(isP5: boolean): (text: string) => string {
  if (!isP5) return (text) => `document.querySelector("p").textContent.includes("${text}")`;
  const listen = `(window.said ??= (() => { const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (...args) {
      window.said = String(args[0]); return fillText.apply(this, args); }; return "-"; })())`;
  return (text) => `${listen}.includes("${text}")`;
}
