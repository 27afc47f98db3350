// The page at the relay's own address, in a real browser: what it says, what it leads to, and by keyboard.

import assert from "node:assert/strict";
import { VERSION } from "../../../src/wire/version.ts";
import { type Browser, testInChromium } from "../../support/browser.ts";
import { pause } from "../../support/pause.ts";
import {
  assertClean,
  assertFits,
  HOSTILE_NAMES,
  openPage,
  tabThrough,
  textOf,
} from "../../support/web_pages.ts";
import { WebTable } from "../../support/web_table.ts";

testInChromium("the landing page", async (browser, t) => {
  await t.step("says where it is, how many are there and what to paste", (_) => saysWhere(browser));
  await t.step("has a QR code that leads to the game", () => leadsToTheGame(browser));
  await t.step(
    "copies, and leads to a game that runs, at a lab host without https",
    () => withoutHttps(browser),
  );
  await t.step("breaks no part of a long address on a phone", () => breaksNoWord(browser));
  await t.step("works by keyboard", () => byKeyboard(browser));
  await t.step("asks at once when it is looked at again", () => isFreshWhenLookedAt(browser));
  await t.step("asks for a token, and keeps it out of the address", () => asksForToken(browser));
  await t.step("shows rooms of any name as text", () => showsRooms(browser));
});

async function saysWhere(browser: Browser): Promise<void> {
  await using table = new WebTable();
  await table.session({ name: "ada", room: "pong" });
  const page = await openPage(browser, `${table.url}/`);
  await page.until(`${textOf("members")} === "1"`);
  assert.equal(await page.evaluate(textOf("version")), VERSION);
  assert.equal(await page.evaluate(textOf("rooms")), "1");
  assert.equal(await page.evaluate(textOf("address")), `127.0.0.1:${table.port}`);
  assert.ok((await page.evaluate<string>(textOf("room-list"))).includes("pong"));
  assert.ok(
    (await page.evaluate<string>(textOf("snippet"))).includes(`./eventrelay ${table.port} --web mygame/`),
  );
  await page.evaluate(`document.getElementById("tab-python").click()`);
  assert.ok((await page.evaluate<string>(textOf("snippet"))).includes(`Session("127.0.0.1:${table.port}"`));
  await assertFits(page);
  await assertClean(page, table.url);
}

async function leadsToTheGame(browser: Browser): Promise<void> {
  await using table = new WebTable({ name: "ifilab100:32000" });
  const page = await openPage(browser, `${table.url}/`);
  await page.until(`${textOf("qr-text")} === "ifilab100:32000/play"`, "the name by which others reach it");
  assert.equal(await page.evaluate(`document.querySelectorAll("#qr svg path").length`), 1);
  await page.evaluate(`document.getElementById("enlarge").click()`);
  const [width, height] = await page.evaluate<number[]>(`(() => {
    const { width, height } = document.querySelector("#large svg").getBoundingClientRect();
    return [width / innerWidth, height / innerHeight];
  })()`);
  assert.ok(height > 0.6, `${width} x ${height} of the window`);
  await page.press("Escape");
  await page.until(`!document.getElementById("large").open`);
  await assertClean(page, table.url);
}

async function breaksNoWord(browser: Browser): Promise<void> {
  const name = "ifilab100.informatik.musterstadt.de:32000";
  await using table = new WebTable({ name });
  const page = await openPage(browser, `${table.url}/`);
  await page.look({ width: 360, height: 640, isMobile: true });
  await page.until(`${textOf("address")} === "${name}"`);
  const lines = await page.evaluate<number[]>(
    `Array.from(document.getElementById("address").childNodes, (part) => {
    const range = document.createRange();
    range.selectNode(part);
    return range.getClientRects().length;
  })`,
  );
  assert.equal(Math.max(...lines), 1, `${lines}`);
}

async function withoutHttps(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const url = `http://ifilab100:${table.port}`;
  const page = await openPage(browser, `${url}/`);
  assert.equal(await page.evaluate(`isSecureContext`), false);
  await page.until(`${textOf("qr-text")} === "ifilab100:${table.port}/play"`);
  const [x, y] = await page.evaluate<number[]>(`(() => {
    const button = document.querySelector(".paste button");
    button.scrollIntoView({ block: "center" });
    const { left, top, width, height } = button.getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  })()`);
  for (const type of ["mousePressed", "mouseReleased"]) {
    await page.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
  }
  await page.until(`document.querySelector(".paste button").textContent === "Copied"`);
  await assertClean(page, url);
  await page.navigate(`${url}/play#name=ada`);
  await page.until(`document.getElementById("state").dataset.state === "connected"`);
  await assertClean(page, url);
}

async function byKeyboard(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await openPage(browser, `${table.url}/`);
  await page.until(`${textOf("members")} === "0"`);
  const names = await tabThrough(page);
  for (const name of ["Play now", "enlarge", "tab-page", "Copy"]) {
    assert.ok(names.includes(name), `${name} in ${names}`);
  }
  await page.evaluate(`(document.getElementById("tab-page").focus(), 0)`);
  for (const wanted of ["tab-deno", "tab-node"]) {
    await page.press("ArrowRight");
    assert.equal(await page.evaluate(`document.activeElement.id`), wanted);
  }
  assert.ok((await page.evaluate<string>(textOf("snippet"))).includes("hello.mjs"));
  await page.press("End");
  assert.equal(await page.evaluate(`document.querySelector('[aria-selected="true"]').id`), "tab-nc");
  await page.evaluate(`(document.querySelector(".paste button").focus(), 0)`);
  await page.press("Enter");
  await page.until(`document.querySelector(".paste button").textContent === "Copied"`);
  await assertClean(page, table.url);
}

async function isFreshWhenLookedAt(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await browser.newPage();
  // As in a tab that has been hidden for long: its timers don't come.
  const source = `const real = setTimeout; setTimeout = (call, ms) => real(call, ms >= 3000 ? 1e8 : ms);`;
  await page.send("Page.addScriptToEvaluateOnNewDocument", { source });
  await page.navigate(`${table.url}/`);
  await page.until(`${textOf("members")} === "0"`);
  await browser.hideAll();
  await page.until(`document.hidden`);
  await table.member();
  while (JSON.parse((await table.get("/stats.json")).text).totals.members !== 1) { // kept for half a second
    await pause(50);
  }
  assert.equal(await page.evaluate(textOf("members")), "0", "nobody asks while nobody looks");
  await browser.show(page);
  await page.until(`${textOf("members")} === "1"`);
  await assertClean(page, table.url);
}

async function asksForToken(browser: Browser): Promise<void> {
  await using table = new WebTable({ token: "geheim ü" });
  const page = await openPage(browser, `${table.url}/`);
  await page.until(`!document.getElementById("ask").hidden`);
  page.errors.length = 0; // the browser tells of each 401
  await page.evaluate(
    `(document.getElementById("token").value = "wrong", document.querySelector("#ask button").click(), 0)`,
  );
  await page.until(`${textOf("notice")}.includes("does not take this token")`);
  await page.evaluate(
    `(document.getElementById("token").value = "geheim ü", document.querySelector("#ask button").click(), 0)`,
  );
  await page.until(`document.getElementById("ask").hidden && ${textOf("members")} === "0"`);
  assert.ok(
    (await page.evaluate<string>(textOf("snippet"))).includes(`token: "…"`),
    "what to paste has a place for it",
  );
  assert.ok(!(await page.evaluate<string>(`document.documentElement.innerHTML`)).includes("geheim"));
  const later = await browser.newPage(`${table.url}/`);
  await later.until(`!document.getElementById("ask").hidden`);
  later.errors.length = 0;
  await later.evaluate(`(location.hash = "token=geheim%20%C3%BC", 0)`);
  await later.until(`${textOf("members")} === "0"`, "a token in the address of a page that is open counts");
  assert.equal(await later.evaluate(`location.href`), `${table.url}/`);
  const named = await openPage(browser, `${table.url}/#token=${encodeURIComponent("geheim ü")}`);
  await named.until(`${textOf("members")} === "0"`);
  assert.equal(await named.evaluate(`location.href`), `${table.url}/`, "the token is not for a projector");
  await using other = new WebTable({ token: "x".repeat(3000), name: "ifilab100:32000" });
  const long = await openPage(browser, `${other.url}/#token=${"x".repeat(3000)}`);
  await long.until(`${textOf("members")} === "0"`);
  assert.match(await long.evaluate<string>(textOf("qr-note")), /too long for the code/);
  assert.equal(await long.evaluate(`document.querySelectorAll("#qr svg").length`), 1);
  await assertClean(long, other.url);
  await assertClean(named, table.url);
}

async function showsRooms(browser: Browser): Promise<void> {
  await using table = new WebTable();
  for (const room of HOSTILE_NAMES) await table.session({ room });
  const page = await openPage(browser, `${table.url}/`);
  await page.until(`document.querySelectorAll("#room-list li").length === ${HOSTILE_NAMES.length}`);
  const shown = await page.evaluate<string>(textOf("room-list"));
  assert.ok(shown.includes(HOSTILE_NAMES[0]) && shown.includes("\\u{202e}gnp.exe"), shown);
  await assertFits(page);
  await assertClean(page, table.url);
}
