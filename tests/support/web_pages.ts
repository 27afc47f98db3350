// What all tests of the relay's own pages hold them to, whatever else they do: no errors, nothing that their
// policy refuses, no request beyond the relay, nothing of strangers that runs or becomes an element.

import assert from "node:assert/strict";
import type { Browser, Page } from "./browser.ts";

/** Names as nobody should have them; each would be seen if it ran, or became an element. */
export const HOSTILE_NAMES: readonly string[] = [
  `<img src=x onerror="window.hacked=1">`,
  `<script>window.hacked=1</script>`,
  `"><svg onload=window.hacked=1>`,
  `javascript:window.hacked=1`,
  `\u202egnp.exe`,
  `{{constructor.constructor('window.hacked=1')()}}`,
  `__proto__`,
  `constructor`,
  `Z${"\u0301".repeat(60)}`,
  `\u3164`,
];

/** The expression that is the text of an element, for who evaluates it in a page. */
export function textOf(id: string): string {
  return `document.getElementById("${id}").textContent`;
}

/** The sizes that pages are looked at in: a phone, upright and on its side, a laptop, a projector. */
export const SIZES: readonly { width: number; height: number; isMobile?: boolean }[] = [
  { width: 360, height: 640, isMobile: true },
  { width: 640, height: 320, isMobile: true },
  { width: 1280, height: 720 },
  { width: 1920, height: 1080 },
];

/** Takes from a page what browsers of a few years ago don't have, and the client needs or could do without. */
const OLD_BROWSER = `delete Promise.withResolvers;
  window.RegExp = new Proxy(RegExp, { construct(made, [source, flags]) {
    if (/\\(\\?<[=!]/.test(source)) throw new SyntaxError("Invalid regular expression: invalid group specifier name");
    return new made(source, flags);
  } });`;

/** Opens a page as a browser does that is too old for the client. */
export async function openInOldBrowser(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  await page.send("Page.addScriptToEvaluateOnNewDocument", { source: OLD_BROWSER });
  await page.navigate(url);
  return page;
}

/** Opens a page, and takes care of what it asks. */
export async function openPage(browser: Browser, url: string, answer = "ada"): Promise<Page> {
  const page = await browser.newPage();
  page.on("Page.javascriptDialogOpening", () => {
    void page.send("Page.handleJavaScriptDialog", { accept: true, promptText: answer });
  });
  await page.navigate(url);
  return page;
}

/** Asserts that nothing went wrong in a page, and that it asked nobody but the relay at `url`. */
export async function assertClean(page: Page, url: string): Promise<void> {
  assert.deepEqual(page.errors, [], "errors, or what the policy refused");
  for (const request of page.requests) assert.ok(request.startsWith(`${url}/`), `it asked ${request}`);
  assert.equal(await page.evaluate(`typeof window.hacked`), "undefined", "a stranger's text has run");
  const made =
    `document.querySelectorAll("img:not(.brand img), iframe, object, embed, [onerror], [onload], [style]").length`;
  assert.equal(await page.evaluate(made), 0, "a stranger's text has become an element");
}

/** Asserts that a page fits into windows of all sizes, light and dark: nothing is wider than the window. */
export async function assertFits(page: Page): Promise<void> {
  for (const size of SIZES) {
    for (const isDark of [false, true]) {
      await page.look({ ...size, isDark });
      await page.evaluate(`new Promise((done) => requestAnimationFrame(() => setTimeout(done)))`);
      const over = await page.evaluate<string[]>(`(() => {
        const width = document.documentElement.clientWidth;
        const isWithin = (box) => box.closest(".scroll, pre, .lines, dialog, .unseen, svg") !== null;
        return document.documentElement.scrollWidth <= width ? [] : Array.from(document.querySelectorAll("body *"))
          .filter((box) => box.getBoundingClientRect().right > width + 1 && !isWithin(box))
          .map((box) => box.outerHTML.slice(0, 120)).concat("scrolls sideways");
      })()`);
      assert.deepEqual(over, [], `${size.width} px`);
    }
  }
}

/**
 * Goes through a page with the Tab key, and returns what gets the focus, in order: ids, or text. Asserts that
 * each can be seen to have it.
 */
export async function tabThrough(page: Page, most = 60): Promise<string[]> {
  const names: string[] = [];
  let ends = 0;
  await page.evaluate(`(document.activeElement?.blur(), document.body.focus(), 0)`);
  for (let i = 0; i < most; i++) {
    await page.press("Tab");
    const [name, outline] = await page.evaluate<[string, string]>(`(() => {
      const box = document.activeElement;
      if (box === null || box === document.body) return ["", ""];
      const seen = box.matches(".choice input") ? box.nextElementSibling : box;
      return [box.id || box.textContent.trim().slice(0, 40) || box.tagName, getComputedStyle(seen).outlineStyle];
    })()`);
    // Past the end of the page it begins anew: it need not have begun at the beginning.
    if (name === "" && ++ends < 2) continue;
    if (name === "" || (names.length > 1 && name === names[0])) break;
    assert.notEqual(outline, "none", `the focus on ${name} can't be seen`);
    names.push(name);
  }
  return names;
}
