// Writes what was measured into bench/README.md, between the two marks of its place there.

const README = new URL("../README.md", import.meta.url);
const IGNORE = ["<!-- deno-fmt-ignore-start -->", "<!-- deno-fmt-ignore-end -->"];

/** The places, and the command that fills each. */
export const PLACES = {
  "curve": "deno task bench:curve",
  "peers": "deno task bench:peers",
  "peers-websocket": "deno task bench:peers --transport websocket",
} as const;

/**
 * Puts text into a place.
 *
 * @throws {Error} if the page has no such place.
 */
export async function writeReadme(place: keyof typeof PLACES, body: string): Promise<void> {
  await Deno.writeTextFile(README, replaced(await Deno.readTextFile(README), place, body));
}

/** Returns the page with another text in a place. */
export function replaced(page: string, place: keyof typeof PLACES, body: string): string {
  const begin = `<!-- ${place}: made by ${PLACES[place]} -->\n${IGNORE[0]}`;
  const end = `${IGNORE[1]}\n<!-- /${place} -->`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`Cannot write ${place}: bench/README.md has no place for it`);
  return `${page.slice(0, from + begin.length)}\n\n${body}\n\n${page.slice(to)}`;
}
