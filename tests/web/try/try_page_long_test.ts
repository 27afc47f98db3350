// The console in a real browser: lines as they come and as they are typed, at both levels, filter, pause and
// history, and strangers' lines that do nothing.

import assert from "node:assert/strict";
import { type Browser, type Page, testInChromium } from "../../support/browser.ts";
import type { LineClient } from "../../support/line_client.ts";
import {
  assertClean,
  assertFits,
  HOSTILE_NAMES,
  openPage,
  tabThrough,
  textOf,
} from "../../support/web_pages.ts";
import { WebTable } from "../../support/web_table.ts";

const CONNECTED = `document.getElementById("state").dataset.state === "connected"`;

/** What the console shows: what stands before each line, and the line. */
function lines(page: Page): Promise<string[]> {
  return page.evaluate(`Array.from(document.querySelectorAll("#lines li"), (item) =>
    item.querySelector(".who").textContent + " " + item.querySelector(".text").textContent)`);
}

async function untilLine(page: Page, line: string): Promise<void> {
  await page.until(
    `Array.from(document.querySelectorAll("#lines li .text"), (text) => text.textContent).includes(${
      JSON.stringify(line)
    })`,
    line,
  );
}

/** Waits until a client has got a line, whatever comes before it. */
async function untilHeard(client: LineClient, line: string): Promise<void> {
  while (!client.lines.includes(line)) await client.line(client.lines.length + 1);
}

/** Sets a field as a person does who types. */
async function fill(page: Page, id: string, text: string): Promise<void> {
  await page.evaluate(
    `(document.getElementById("${id}").focus(), document.getElementById("${id}").select(), 0)`,
  );
  await page.type(text);
  if (text === "") await page.press("Backspace");
}

testInChromium("the console", async (browser, t) => {
  await t.step("speaks and hears as a session, and tells who comes and goes", () => asSession(browser));
  await t.step("speaks and hears at plain level, and shows what the relay refuses", () => asPlain(browser));
  await t.step("brings back what was typed, filters, pauses and clears", () => controls(browser));
  await t.step("keeps up with a flood, acknowledges it, and stays usable", () => inAFlood(browser));
  await t.step("takes any line for text", () => takesAnyText(browser));
  await t.step("says when it is not connected, and connects again", () => connectsAgain(browser));
  await t.step("asks for a token after it was refused", () => asksForToken(browser));
});

async function asSession(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await openPage(browser, `${table.url}/try#room=pong&name=ada`);
  await page.until(CONNECTED);
  const bo = await table.session({ name: "bo", room: "pong" });
  assert.ok(bo.lines[0].includes(`"name":"ada"`), bo.lines[0]);
  await page.until(`${textOf("lines")}.includes('{"$join":')`);
  await page.type(`{"n":12345678901234567890}`);
  await page.press("Enter");
  await untilHeard(bo, `{"n":12345678901234567890}`);
  await bo.send(`{"n":98765432109876543210.50}\n`);
  await untilLine(page, `{"n":98765432109876543210.50}`);
  const shown = await lines(page);
  assert.ok(
    shown.some((line) => /"\$welcome":.*"session":"…"/.test(line)),
    "nobody may read what resumes it",
  );
  assert.ok(
    shown.includes(`→ {"n":12345678901234567890}`) && shown.includes(`← {"n":98765432109876543210.50}`),
  );
  await assertFits(page);
  await assertClean(page, table.url);
}

async function asPlain(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await openPage(browser, `${table.url}/try#level=plain`);
  await page.until(CONNECTED);
  assert.equal(await page.evaluate(`document.getElementById("room").disabled`), true);
  const other = await table.member();
  await page.type("[1, 2]");
  await page.press("Enter");
  assert.equal(await other.line(1), "[1, 2]");
  await page.type("hello");
  await page.press("Enter");
  await page.until(`document.querySelector("#lines li.bad .text")?.textContent.includes("invalid_json")`);
  await other.send(`"hello"\n`);
  await untilLine(page, `"hello"`);
  await assertClean(page, table.url);
}

async function controls(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await openPage(browser, `${table.url}/try#name=ada`);
  await page.until(CONNECTED);
  const bo = await table.session({ name: "bo" });
  for (const line of ["1", "22", "333"]) {
    await page.type(line);
    await page.press("Enter");
    await untilLine(page, line);
  }
  await page.type("draft");
  const value = () => page.evaluate(`document.getElementById("line").value`);
  for (
    const [key, want] of [["Up", "333"], ["Up", "22"], ["Up", "1"], ["Up", "1"], ["Down", "22"], [
      "Down",
      "333",
    ], ["Down", "draft"]]
  ) {
    await page.press(`Arrow${key}`);
    assert.equal(await value(), want, key);
  }
  await bo.send(`{"apple":1}\n{"pear":2}\n`);
  await untilLine(page, `{"pear":2}`);
  await fill(page, "filter", "APPLE");
  await page.until(`document.querySelectorAll("#lines li").length === 1`);
  assert.deepEqual(await lines(page), [`← {"apple":1}`]);
  await page.press("Enter"); // in the filter: does not connect anew
  await fill(page, "filter", "");
  await untilLine(page, `{"pear":2}`);
  await page.evaluate(`document.getElementById("controls").click()`);
  await page.until(`!${textOf("lines")}.includes("$welcome")`);
  await page.evaluate(`document.getElementById("pause").click()`);
  await bo.send(`{"late":1}\n`);
  await page.until(`${textOf("counts")}.includes("paused: 1 more")`);
  assert.ok(!(await lines(page)).includes(`← {"late":1}`));
  await page.evaluate(`document.getElementById("pause").click()`);
  await untilLine(page, `{"late":1}`);
  await page.evaluate(`document.getElementById("clear").click()`);
  await page.until(`document.querySelectorAll("#lines li").length === 0`);
  const names = await tabThrough(page);
  for (const name of ["level", "room", "connect", "filter", "pause", "line"]) {
    assert.ok(names.includes(name), `${name} in ${names}`);
  }
  await assertClean(page, table.url);
}

async function inAFlood(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await openPage(browser, `${table.url}/try#name=ada`);
  await page.until(CONNECTED);
  const bo = await table.session({ name: "bo" });
  const count = 20_000; // more than the window of a session, which would stop without an acknowledgement
  for (let i = 0; i < count; i += 500) {
    await bo.send(
      Array.from(
        { length: 500 },
        (_, k) => `{"i":${i + k},"text":"0123456789012345678901234567890123456789"}\n`,
      ).join(""),
    );
  }
  await untilLine(page, `{"i":${count - 1},"text":"0123456789012345678901234567890123456789"}`);
  assert.ok(await page.evaluate<number>(`document.querySelectorAll("#lines li").length`) <= 500);
  assert.match(await page.evaluate<string>(textOf("counts")), /^20\.0 k lines, 500 shown/);
  assert.ok(
    await page.evaluate(`(() => { const list = document.getElementById("lines");
    return list.scrollTop + list.clientHeight >= list.scrollHeight - 8; })()`),
    "the newest is in sight",
  );
  await assertClean(page, table.url);
}

async function takesAnyText(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await openPage(browser, `${table.url}/try#name=ada`);
  await page.until(CONNECTED);
  for (const name of HOSTILE_NAMES) {
    const stranger = await table.session({ name });
    await stranger.send(`${JSON.stringify(name)}\n${JSON.stringify({ $set: { key: name, value: name } })}\n`);
  }
  const last = await table.session({});
  await last.send(`"x\\u0000\\u0007"\n{"long":"${"<b>".repeat(15_000)}"}\n"end"\n`);
  await untilLine(page, `"end"`);
  assert.ok((await lines(page)).includes(`← ${JSON.stringify(HOSTILE_NAMES[0])}`));
  await assertFits(page);
  await assertClean(page, table.url);
}

async function connectsAgain(browser: Browser): Promise<void> {
  const table = new WebTable();
  const page = await openPage(browser, `${table.url}/try#name=ada`);
  await page.until(CONNECTED);
  await table[Symbol.asyncDispose]();
  await page.until(`${textOf("state")}.startsWith("not connected, trying again")`);
  await page.type("1");
  await page.press("Enter");
  await untilLine(page, "not sent: there is no connection");
  assert.equal(await page.evaluate(`document.getElementById("line").value`), "1", "it can be sent later");
  await using again = new WebTable({}, table.port);
  await page.until(CONNECTED);
  const bo = await again.session({ name: "bo" });
  await page.press("Enter");
  await untilHeard(bo, "1");
}

async function asksForToken(browser: Browser): Promise<void> {
  await using table = new WebTable({ token: "geheim" });
  const page = await openPage(browser, `${table.url}/try#name=ada`);
  await page.until(`document.getElementById("state").dataset.state === "closed"`);
  await page.until(`!document.getElementById("token-field").hidden`);
  await fill(page, "token", "geheim");
  await page.press("Enter");
  await page.until(CONNECTED);
  assert.ok(!(await page.evaluate<string>(textOf("lines"))).includes("geheim"), "the token is not shown");
  await assertClean(page, table.url);
}
