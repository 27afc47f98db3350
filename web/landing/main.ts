// The page at the relay's own address: where you have landed, how to play, what to paste. Asks for the
// numbers every few seconds; all the rest stands still.

import { byId, el, setText, show } from "../shared/dom.ts";
import { count, duration, plain } from "../shared/format.ts";
import { type Place, placeOf } from "../shared/place.ts";
import { listAt, numberAt, textAt } from "../shared/json.ts";
import { type Answer, fetchStats, untilNextLook } from "../shared/stats.ts";
import { keepToken, readWishes, token } from "../shared/wishes.ts";
import { copyButton } from "./copy.ts";
import { fitsCode, qrCode } from "./qr.ts";
import { type Recipe, recipes } from "./snippets.ts";

/** How often the numbers are asked for, in ms. */
const REFRESH_MS = 3000;

/** The most rooms that are listed. */
const MOST_ROOMS = 30;

/** What the page is drawn for; drawn anew when that changes. */
interface Shown {
  relayName: string;
  version: string;
  hasToken: boolean;
}

let shown: Shown = { relayName: "", version: "", hasToken: false };
let chosen = "page";

function place(): Place {
  return placeOf(location, shown.relayName);
}

/** Draws what depends on where the relay is. */
function draw(): void {
  const here = place();
  setAddress("address", here.target);
  document.title = `${here.target} · eventrelay`;
  const secret = token() === "" ? "" : `#token=${encodeURIComponent(token())}`;
  const url = `${here.origin}/play`, isWhole = fitsCode(url + secret);
  for (const [box, text] of [["qr", "qr-text"], ["large-qr", "large-text"]]) {
    byId(box, HTMLElement).replaceChildren(qrCode(isWhole ? url + secret : url, `QR code of ${url}`));
    setAddress(text, url.replace(/^http:\/\//, ""));
  }
  const note = here.isLocal
    ? "You came here as this machine itself. To let phones in, open this page by the machine's name or address."
    : !isWhole
    ? "The token of this relay is too long for the code: who scans it is asked for it."
    : secret !== ""
    ? "The code holds the token of this relay: who scans it may enter."
    : "";
  setText(byId("qr-note", HTMLElement), note);
  show(byId("qr-note", HTMLElement), note !== "");
  drawRecipe();
}

/** Shows an address that, where it is too long for a line, is broken before a dot, the port or the path. */
function setAddress(id: string, address: string): void {
  const parts = address.split(/(?=[.:/])/).flatMap((part) => [el("wbr"), part]);
  byId(id, HTMLElement).replaceChildren(...parts);
}

function drawRecipe(): void {
  const all = recipes({ place: place(), version: shown.version, hasToken: shown.hasToken });
  const tabs = byId("tabs", HTMLElement);
  if (tabs.childElementCount === 0) tabs.append(...all.map(tab));
  for (const button of tabs.querySelectorAll("button")) {
    const isChosen = button.id === `tab-${chosen}`;
    button.setAttribute("aria-selected", `${isChosen}`);
    button.tabIndex = isChosen ? 0 : -1;
  }
  const { steps } = all.find(({ id }) => id === chosen)!;
  const panel = byId("snippet", HTMLElement);
  panel.setAttribute("aria-labelledby", `tab-${chosen}`);
  panel.replaceChildren(el(
    "ol",
    { class: "steps" },
    ...steps.map(({ says, code }) =>
      el(
        "li",
        {},
        el("span", {}, says),
        el("div", { class: "paste" }, el("pre", { tabindex: 0 }, code.trimEnd()), copyButton(code, says)),
      )
    ),
  ));
}

function tab({ id, title }: Recipe): HTMLElement {
  const button = el(
    "button",
    { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": "snippet" },
    title,
  );
  button.addEventListener("click", () => choose(id));
  return button;
}

function choose(id: string): void {
  chosen = id;
  drawRecipe();
  byId(`tab-${id}`, HTMLElement).focus();
}

/** Arrows go from tab to tab, as everywhere. */
function onTabKey(event: KeyboardEvent): void {
  const buttons = Array.from(byId("tabs", HTMLElement).querySelectorAll("button"));
  const now = buttons.findIndex(({ id }) => id === `tab-${chosen}`);
  const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  choose(buttons[(next + buttons.length) % buttons.length].id.slice("tab-".length));
}

function drawNumbers(answer: Answer): void {
  const notice = byId("notice", HTMLElement);
  const needsToken = "refusal" in answer && answer.refusal.kind === "token";
  show(byId("ask", HTMLFormElement), needsToken);
  const message = "refusal" in answer ? answer.refusal.message : "";
  setText(notice, message);
  show(notice, message !== "");
  const stats = "stats" in answer ? answer.stats : undefined;
  const rooms = listAt(stats, "rooms").filter((room) => numberAt(room, ["members"]) > 0); // the lobby is always there
  setText(
    byId("members", HTMLElement),
    stats === undefined ? "–" : count(numberAt(stats, ["totals", "members"])),
  );
  setText(
    byId("rooms", HTMLElement),
    stats === undefined ? "–" : count(numberAt(stats, ["totals", "rooms"])),
  );
  setText(byId("uptime", HTMLElement), stats === undefined ? "–" : duration(numberAt(stats, ["uptimeMs"])));
  if (stats !== undefined) setText(byId("version", HTMLElement), plain(textAt(stats, "version"), 20) || "–");
  drawRooms(rooms, stats !== undefined);
  const now: Shown = {
    relayName: textAt(stats, "name") || shown.relayName,
    version: textAt(stats, "version") || shown.version,
    hasToken: needsToken || token() !== "",
  };
  if (JSON.stringify(now) === JSON.stringify(shown)) return;
  shown = now;
  draw();
}

function drawRooms(rooms: unknown[], isKnown: boolean): void {
  const list = byId("room-list", HTMLElement);
  const entries = rooms.slice(0, MOST_ROOMS).map((room) => ({
    name: textAt(room, "name"),
    members: numberAt(room, ["members"]),
  }));
  const told = JSON.stringify([entries, rooms.length, isKnown]);
  if (list.dataset.told === told) return;
  list.dataset.told = told;
  if (entries.length === 0) {
    const text = isKnown ? "Nobody is here yet. Be the first." : "Not known.";
    return list.replaceChildren(el("p", { class: "empty" }, text));
  }
  const more = rooms.length - entries.length;
  list.replaceChildren(el(
    "ul",
    { class: "doors" },
    ...entries.map(({ name, members }) =>
      el(
        "li",
        {},
        el(
          "a",
          { href: `/play#${new URLSearchParams({ room: name })}` },
          el("b", {}, plain(name, 64)),
          ` ${members} ${members === 1 ? "member" : "members"}`,
        ),
      )
    ),
    ...(more > 0 ? [el("li", { class: "empty" }, `and ${more} more rooms`)] : []),
  ));
}

async function refresh(): Promise<void> {
  for (;;) {
    if (!document.hidden) drawNumbers(await fetchStats());
    await untilNextLook(REFRESH_MS, REFRESH_MS);
  }
}

readWishes();
const large = byId("large", HTMLDialogElement);
byId("enlarge", HTMLButtonElement).addEventListener("click", () => large.showModal());
byId("shrink", HTMLButtonElement).addEventListener("click", () => large.close());
byId("tabs", HTMLElement).addEventListener("keydown", onTabKey);
byId("ask", HTMLFormElement).addEventListener("submit", async (event) => {
  event.preventDefault();
  keepToken(byId("token", HTMLInputElement).value);
  drawNumbers(await fetchStats());
  draw();
});
draw();
void refresh();
