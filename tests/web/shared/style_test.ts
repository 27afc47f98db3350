// The colours of the pages, light and dark: text can be read from the back of a classroom, and what has the
// focus or is a line of a chart can be seen (WCAG 2.2, 1.4.3 and 1.4.11).

import assert from "node:assert/strict";

const sheet = await Deno.readTextFile(new URL("../../../web/style.css", import.meta.url));

/** The colours that a block of `:root` names, by their names. */
function coloursIn(block: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g), ([, name, hex]) => [name, hex]),
  );
}

const [, light, dark] = sheet.split(":root {").map((block) => coloursIn(block.slice(0, block.indexOf("}"))));

function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dim, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dim + 0.05);
}

Deno.test("the pages' colours stand out from what is behind them, light and dark", () => {
  assert.ok(Object.keys(light).length > 15);
  assert.deepEqual(Object.keys(dark), Object.keys(light), "a colour for each");
  const grounds = ["bg", "panel", "sunk"];
  const texts: [string, string][] = [
    ...["ink", "soft", "accent", "good", "warn", "bad"].flatMap((ink) =>
      grounds.map((on): [string, string] => [ink, on])
    ),
    ...["ink", "soft", "warn"].map((ink): [string, string] => [ink, "warn-bg"]),
    ["bad", "bad-bg"],
    ["on-accent", "accent"],
    ["on-code", "code"],
    ["soft-code", "code"],
  ];
  const marks: [string, string][] = [...grounds, "warn-bg"].map((on) => ["own", on]); // the focus, lines of charts
  for (const [theme, colours] of [["light", light], ["dark", dark]] as const) {
    const check = (least: number) => ([mark, on]: [string, string]) => {
      const found = contrast(colours[mark], colours[on]);
      assert.ok(found >= least, `${theme}: ${mark} on ${on} has ${found.toFixed(2)}, at least ${least}`);
    };
    texts.forEach(check(4.5));
    marks.forEach(check(3));
  }
});
