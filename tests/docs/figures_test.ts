// Holds the figures in README and docs/ against the constants that they tell of: figures.txt says which.

import assert from "node:assert/strict";
import { proseOf, readPages, ROOT } from "./pages.ts";

/** How a sentence tells a value. */
const UNITS: Readonly<Record<string, (value: number) => string>> = {
  "{}": (value) => value.toLocaleString("en"),
  "{one more}": (value) => (value + 1).toLocaleString("en"),
  "{%}": (value) => `${value * 100} %`,
  "{ms}": (value) => `${value} ms`,
  "{s}": (value) => `${value / 1000} s`,
  "{KiB}": (value) => `${value / 1024} KiB`,
  "{MiB}": (value) => `${value / 1024 ** 2} MiB`,
};

interface Figure {
  file: string;
  name: string;
  told: { page: string; sentence: string }[];
}

function readFigures(): Figure[] {
  const figures: Figure[] = [];
  for (const line of Deno.readTextFileSync(new URL("tests/docs/figures.txt", ROOT)).split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, page, sentence] = /^ {2}([\w-]+\.md): (.*)$/.exec(line) ?? [];
    if (sentence !== undefined) figures.at(-1)!.told.push({ page, sentence });
    else {
      const [file, name] = line.split(" ");
      figures.push({ file, name, told: [] });
    }
  }
  return figures;
}

/** The value of a constant that stands in its file as a number, or as a product of numbers. */
function valueOf({ file, name }: Figure): number {
  const source = Deno.readTextFileSync(new URL(file, ROOT));
  const found = new RegExp(`^(?:export )?const (?:.*, )?${name} = ([\\d_.* ]+)[;,]`, "m").exec(source);
  assert.ok(found, `${file} has no number ${name}`);
  return found[1].replaceAll("_", "").split("*").reduce((product, factor) => product * Number(factor), 1);
}

/** The pages by the names of their files, the padding of tables and the ends of lines as one space. */
const PAGES = new Map(
  readPages().map((page) => {
    const text = proseOf(page).replaceAll(/ *\n */g, "\n").replaceAll(/[ \n]+/g, " ");
    return [page.path.replace("docs/", ""), text];
  }),
);

for (const figure of readFigures()) {
  Deno.test(`the pages tell ${figure.name} of ${figure.file}`, () => {
    const value = valueOf(figure);
    assert.ok(figure.told.length > 0);
    for (const { page, sentence } of figure.told) {
      const [unit] = /\{[^}]*\}/.exec(sentence)!;
      const expected = sentence.replace(unit, UNITS[unit](value));
      assert.ok(PAGES.get(page)!.includes(expected), `${page} does not say "${expected}"`);
    }
  });
}
