// What the address of a page asks for behind its `#`: token, room, name and more. There it never reaches a
// server or its log. A token is kept for this tab and leaves the address, which may be on a projector.

const TOKEN_KEY = "eventrelay-token";

/** Stands in where storage is switched off or full, until the page is left. */
const memory = new Map<string, string>();

/**
 * Reads the wishes behind `#` and takes the token out of the address. Who changes them there, or follows a
 * link that does, has the page begin anew: a browser alone would do nothing.
 */
export function readWishes(): URLSearchParams {
  const wishes = new URLSearchParams(location.hash.slice(1));
  addEventListener("hashchange", () => location.reload());
  const token = wishes.get("token");
  if (token !== null) {
    keepToken(token);
    rewriteWishes({ token: "" });
    wishes.delete("token");
  }
  return wishes;
}

/** Writes into the address what is wished for now; an empty wish leaves it. */
export function rewriteWishes(changes: Readonly<Record<string, string>>): void {
  const wishes = new URLSearchParams(location.hash.slice(1));
  for (const [name, wish] of Object.entries(changes)) {
    if (wish === "") wishes.delete(name);
    else wishes.set(name, wish);
  }
  const rest = wishes.toString();
  history.replaceState(
    history.state,
    "",
    location.pathname + location.search + (rest === "" ? "" : `#${rest}`),
  );
}

/** The token of this tab; empty if it has none. */
export function token(): string {
  return kept(TOKEN_KEY);
}

/** Keeps a token for this tab; an empty one is forgotten. */
export function keepToken(text: string): void {
  keep(TOKEN_KEY, text);
}

/** Reads what this tab remembers; empty if nothing. */
export function kept(key: string): string {
  try {
    return memory.get(key) ?? sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/** Remembers a text for this tab; an empty one is forgotten. */
export function keep(key: string, text: string): void {
  memory.set(key, text);
  try {
    if (text === "") sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, text);
  } catch {
    // the page still remembers it
  }
}
