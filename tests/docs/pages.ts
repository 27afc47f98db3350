// The pages that users read, and what a test wants to know of one: its blocks of code, its links, its
// headings, the names that it sets in backticks. Text only; runs nothing.

export const ROOT = new URL("../../", import.meta.url);

/** A page of documentation. */
export interface Page {
  /** Its path from the root of the repository. */
  path: string;
  text: string;
}

/** A block of code. */
export interface Block {
  page: Page;
  /** The line of the page on which it begins. */
  line: number;
  /** What stands behind the opening fence, such as `ts` or `ts ignore`. */
  info: string;
  code: string;
}

/** README, CHANGELOG and all pages of docs/. */
export function readPages(): Page[] {
  const names = Array.from(Deno.readDirSync(new URL("docs/", ROOT)), ({ name }) => name);
  const paths = [
    "README.md",
    "CHANGELOG.md",
    ...names.filter((name) => name.endsWith(".md")).sort().map((name) => `docs/${name}`),
  ];
  return paths.map((path) => ({ path, text: Deno.readTextFileSync(new URL(path, ROOT)) }));
}

/** The blocks of code of a page; those within a list lose their indentation. */
export function blocksOf(page: Page): Block[] {
  return Array.from(
    page.text.matchAll(/^( *)```([^\n]*)\n(.*?)^\1```$/gms),
    ({ 1: indent, 2: info, 3: code, index }) => ({
      page,
      line: page.text.slice(0, index).split("\n").length,
      info,
      code: code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }),
  );
}

/** A page without its blocks of code. */
export function proseOf({ text }: Page): string {
  return text.replaceAll(/^( *)```.*?^\1```$/gms, "");
}

/** What the links and pictures of a page lead to. */
export function linksOf(page: Page): string[] {
  return Array.from(proseOf(page).matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target);
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: Page): string[] {
  return Array.from(
    proseOf(page).matchAll(/^#+ (.*)$/gm),
    ([, heading]) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-"),
  );
}

/** What a page sets in backticks. */
export function namesOf(page: Page): string[] {
  return Array.from(proseOf(page).matchAll(/`([^`\n]+)`/g), ([, name]) => name);
}
