// The dashboard in a real browser, over a real relay: who is there, who is slow, what is refused, what is in
// a room, and nothing of strangers that does anything.

import assert from "node:assert/strict";
import { type Browser, type Page, testInChromium } from "../../support/browser.ts";
import {
  assertClean,
  assertFits,
  HOSTILE_NAMES,
  openInOldBrowser,
  openPage,
  tabThrough,
  textOf,
} from "../../support/web_pages.ts";
import { WebTable } from "../../support/web_table.ts";

/** The cells of the table of members, by name of the column, in the order in which they are shown. */
function rows(page: Page): Promise<Record<string, string>[]> {
  return page.evaluate(`Array.from(document.querySelectorAll("#members tr"), (row) =>
    Object.fromEntries(Array.from(row.cells, (cell) => [cell.dataset.label, cell.textContent])))`);
}

testInChromium("the dashboard", async (browser, t) => {
  await t.step("shows who is there, with their numbers", () => showsMembers(browser));
  await t.step("shows a room: its state, that of its members, its last lines", () => showsRoom(browser));
  await t.step("shows what was refused", () => showsRefused(browser));
  await t.step("takes hostile names, keys and lines for text", () => takesAnyText(browser));
  await t.step("says when the relay is away, and goes on when it is back", () => saysAway(browser));
  await t.step(
    "shows what is new also in a browser that is too old for the client",
    () => inOldBrowser(browser),
  );
  await t.step("asks for a token", () => asksForToken(browser));
  await t.step("works by keyboard, and says that nobody is there", () => byKeyboard(browser));
});

async function showsMembers(browser: Browser): Promise<void> {
  await using table = new WebTable({ name: "ifilab100:32000" });
  const ada = await table.session({ name: "ada", room: "pong" });
  await table.session({ name: "bo", room: "pong" });
  await table.member();
  for (let i = 0; i < 50; i++) await ada.send(`{"i":${i}}\n`);
  const page = await openPage(browser, `${table.url}/watch`);
  await page.until(`document.querySelectorAll("#members tr").length === 3`);
  await page.until(
    `Array.from(document.querySelectorAll("#members td.in"), (cell) => cell.textContent).includes("50")`,
  );
  const shown = await rows(page);
  const row = shown.find(({ name }) => name === "ada")!;
  assert.equal(row.room, "pong");
  assert.equal(row.kind, "session tcp");
  assert.match(row.address, /^127\.0\.0\.1:\d+$/);
  assert.equal(shown.filter(({ kind }) => kind === "plain tcp").length, 1);
  assert.equal(await page.evaluate(textOf("relay-name")), "ifilab100:32000");
  assert.ok((await page.evaluate<string>(textOf("tiles"))).includes("members3"));
  await page.until(`document.querySelector("#chart path.out").getAttribute("d") !== ""`, "rates of a second");
  assert.equal(await page.evaluate(`document.getElementById("slow-empty").hidden`), false);
  await page.evaluate(
    `(document.getElementById("filter").value = "bo", document.getElementById("filter").dispatchEvent(new Event("input")), 0)`,
  );
  assert.deepEqual((await rows(page)).map(({ name }) => name), ["bo"]);
  await assertFits(page);
  await assertTilesFit(page);
  await assertMarked(page);
  await assertClean(page, table.url);
}

/** Asserts that the legend says which line is which also where the system sets all colours for contrast. */
async function assertMarked(page: Page): Promise<void> {
  await page.send("Emulation.setEmulatedMedia", { features: [{ name: "forced-colors", value: "active" }] });
  await page.until(`matchMedia("(forced-colors: active)").matches`);
  const colours = await page.evaluate<string[]>(`[".legend.in", ".legend:not(.in)", "body"].map((found, i) =>
    getComputedStyle(document.querySelector(found), i < 2 ? "::before" : "").backgroundColor)`);
  assert.equal(new Set(colours).size, 3, colours.join());
}

/** Asserts that the widest number has room in its tile, whatever the window is like. */
async function assertTilesFit(page: Page): Promise<void> {
  const over = `Math.max(...Array.from(document.querySelectorAll("#tiles dd"), (number) => {
    number.textContent = "99.9 MiB";
    const range = document.createRange();
    range.selectNodeContents(number);
    return range.getBoundingClientRect().right - number.parentElement.getBoundingClientRect().right;
  }))`;
  for (const width of [360, 710, 1110, 1130, 1280, 1920]) {
    await page.look({ width, height: 800 });
    assert.ok(await page.evaluate<number>(over) < 0, `${width} px`);
  }
}

async function showsRoom(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const ada = await table.session({ name: "ada", room: "pong" });
  await ada.send(
    `{"$set":{"key":"round","value":{"n":3},"room":true}}\n{"$set":{"key":"colour","value":"red"}}\n`,
  );
  await ada.send(`{"move":1}\n{"move":2}\n`);
  const page = await openPage(browser, `${table.url}/watch`);
  await page.until(`document.querySelector("#rooms button")?.textContent === "pong"`);
  await page.evaluate(`document.querySelector("#rooms button").click()`);
  await page.until(`document.querySelectorAll("#room-lines li").length === 2`);
  assert.equal(await page.evaluate(textOf("room-title")), "Room pong");
  const lines = await page.evaluate<string>(textOf("room-lines"));
  assert.ok(
    lines.indexOf(`{"move":1}`) >= 0 && lines.indexOf(`{"move":2}`) > lines.indexOf(`{"move":1}`),
    lines,
  );
  const state = await page.evaluate(`Array.from(document.querySelectorAll("#room-state tr"), (row) =>
    Array.from(row.cells, (cell) => cell.textContent))`);
  assert.deepEqual(state, [["the room", "round", `{"n":3}`], ["ada", "colour", `"red"`]]);
  const looks = `getComputedStyle(document.querySelector("#room-state td.key"), "::before").content`;
  assert.equal(await page.evaluate(looks), "none", "a key is a text alone");
  assert.equal(await page.evaluate(`location.hash`), "#room=pong");
  await ada.send(`{"move":3}\n`);
  await page.until(`${textOf("room-lines")}.includes('{"move":3}')`);
  await page.evaluate(`document.getElementById("room-close").click()`);
  await page.until(`document.getElementById("room").hidden`);
  await assertClean(page, table.url);
}

/** The landing page, too. */
async function inOldBrowser(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const watch = await openInOldBrowser(browser, `${table.url}/watch`);
  const landing = await openInOldBrowser(browser, `${table.url}/`);
  await watch.until(`${textOf("tiles")}.includes("members0")`);
  await landing.until(`${textOf("members")} === "0"`);
  await table.member();
  await landing.until(`${textOf("members")} === "1"`);
  await browser.show(watch);
  await watch.until(`${textOf("tiles")}.includes("members1")`);
  for (const page of [watch, landing]) await assertClean(page, table.url);
}

async function showsRefused(browser: Browser): Promise<void> {
  await using table = new WebTable({ maxClients: 1 });
  const ada = await table.session({ name: "ada" });
  const refused = await table.connect();
  await refused.ended();
  await ada.send("no JSON\n");
  const page = await openPage(browser, `${table.url}/watch`);
  await page.until(`document.querySelectorAll("#errors li").length > 0`);
  assert.match(await page.evaluate<string>(textOf("errors")), /relay_full|refused/);
  await page.until(`document.querySelector("#members td.errors").textContent === "1"`);
  await assertClean(page, table.url);
}

async function takesAnyText(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const room = HOSTILE_NAMES[0];
  for (const name of HOSTILE_NAMES) {
    const stranger = await table.session({ name, room });
    await stranger.send(`${JSON.stringify({ $set: { key: name, value: name } })}\n`);
    await stranger.send(
      `${JSON.stringify({ $set: { key: `room ${name}`, value: { [name]: name }, room: true } })}\n`,
    );
    await stranger.send(`${JSON.stringify({ [name]: name })}\n`);
    await stranger.send(`${name}\n`); // no JSON: refused
  }
  const page = await openPage(browser, `${table.url}/watch#room=${encodeURIComponent(room)}`);
  await page.until(`document.querySelectorAll("#members tr").length === ${HOSTILE_NAMES.length}`);
  await page.until(`document.querySelectorAll("#room-lines li").length === ${HOSTILE_NAMES.length}`);
  await page.until(`document.querySelectorAll("#room-state tr").length === ${2 * HOSTILE_NAMES.length}`);
  const names = (await rows(page)).map(({ name }) => name);
  for (const name of [HOSTILE_NAMES[0], "\\u{202e}gnp.exe", "__proto__", "constructor"]) {
    assert.ok(names.includes(name), `${name} in ${names}`);
  }
  assert.ok((await page.evaluate<string>(textOf("room-state"))).includes(HOSTILE_NAMES[1]));
  const late = await table.session({ name: "late", room });
  await late.send(`${JSON.stringify({ $set: { key: "W".repeat(64), value: 1 } })}\n`);
  await page.until(`document.querySelectorAll("#room-state tr").length === ${2 * HOSTILE_NAMES.length + 1}`);
  await page.look({ width: 1280, height: 720 });
  const [width, shown] = await page.evaluate<number[]>(
    `(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth])(document.querySelector("#room-state").closest(".scroll"))`,
  );
  assert.ok(width <= shown, `a long key hides no values: ${width}, ${shown}`);
  const [first, cell] = await page.evaluate<number[]>(`(() => {
    const button = document.querySelector("#rooms button[data-room^='<img']"), text = document.createRange();
    text.selectNodeContents(button);
    return [text, button.closest("td")].map((box) => box.getBoundingClientRect().left);
  })()`);
  assert.ok(first >= cell, `a long name is cut at its end: ${first}, ${cell}`);
  await assertFits(page);
  await assertClean(page, table.url);
}

async function saysAway(browser: Browser): Promise<void> {
  const table = new WebTable();
  const page = await openPage(browser, `${table.url}/watch`);
  await page.until(`${textOf("state")} === "live"`);
  await table[Symbol.asyncDispose]();
  await page.until(`${textOf("state")} === "no answer, asking again"`);
  await using _again = new WebTable({}, table.port);
  await page.until(`${textOf("state")} === "live"`);
}

async function asksForToken(browser: Browser): Promise<void> {
  await using table = new WebTable({ token: "geheim" });
  const page = await browser.newPage();
  await page.send("Page.addScriptToEvaluateOnNewDocument", {
    source: `sessionStorage.clear(); sessionStorage.setItem("full", "x".repeat(5 * 2 ** 20 - 4));`,
  });
  await page.navigate(`${table.url}/watch`);
  await page.until(`document.activeElement.id === "token"`);
  assert.equal(await page.evaluate(`document.getElementById("board").hidden`), true);
  await page.type("wrong");
  await page.press("Enter");
  await page.until(`${textOf("ask-notice")}.includes("does not take this token")`);
  await page.evaluate(`document.getElementById("token").select()`);
  await page.type("geheim");
  await page.press("Enter");
  await page.until(`${textOf("state")} === "live" && !document.getElementById("board").hidden`);
  page.errors.length = 0; // the browser tells of each 401
  await assertClean(page, table.url);
}

async function byKeyboard(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await openPage(browser, `${table.url}/watch`);
  await page.until(`${textOf("members-empty")} === "Nobody is connected."`);
  const names = await tabThrough(page);
  for (const name of ["pause", "filter"]) assert.ok(names.includes(name), `${name} in ${names}`);
  await table.session({ name: "ada" });
  await table.session({ name: "bo" });
  await page.until(`document.querySelectorAll("#members tr").length === 2`);
  await page.evaluate(`(document.querySelector("#by-name button").focus(), 0)`);
  await page.press("Enter");
  assert.deepEqual((await rows(page)).map(({ name }) => name), ["ada", "bo"]);
  await page.press("Enter");
  assert.deepEqual((await rows(page)).map(({ name }) => name), ["bo", "ada"]);
  assert.equal(
    await page.evaluate(`document.getElementById("by-name").getAttribute("aria-sort")`),
    "descending",
  );
  await page.evaluate(`(document.getElementById("pause").focus(), 0)`);
  await page.press("Enter");
  await table.session({ name: "cyrille" });
  await page.until(`${textOf("state")} === "paused"`);
  await page.evaluate(`new Promise((done) => setTimeout(done, 1500))`); // longer than it takes to ask again
  assert.equal((await rows(page)).length, 2);
  await page.press("Enter");
  await page.until(`document.querySelectorAll("#members tr").length === 3`);
  await assertClean(page, table.url);
}
