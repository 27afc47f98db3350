// The dashboard: asks for the numbers every second and puts them into the page. Read-only: it sends nothing.
// Elements stay while their texts change, so that what has the focus keeps it.

import { byId, el, resize, setText, show } from "../shared/dom.ts";
import { bytes, clockTime, count, duration, isolated, nameOf, plain } from "../shared/format.ts";
import { at, listAt, maybeNumberAt, numberAt, textAt } from "../shared/json.ts";
import { type Answer, fetchStats, untilNextLook } from "../shared/stats.ts";
import { keepToken, readWishes, rewriteWishes } from "../shared/wishes.ts";
import {
  chosen,
  COLUMNS,
  continued,
  faultsOf,
  type Line,
  linesOf,
  type Member,
  membersOf,
  ratesOf,
  slowOf,
  stateOf,
  tilesOf,
} from "./board.ts";
import { Chart, CHART_SECONDS } from "./chart.ts";

/** How often the numbers are asked for, in ms, and how often while nobody looks. */
const REFRESH_MS = 1000;
const HIDDEN_MS = 10_000;

/** The most entries of each list that are shown. */
const MOST_SLOW = 12;
const MOST_FAULTS = 20;
const MOST_MEMBERS = 200;
const MOST_ROOMS = 100;
const MOST_VALUES = 200;
const MOST_LINES = 200;

const wishes = readWishes();
const chart = new Chart();

let room = wishes.get("room") ?? undefined;
let isPaused = false;
let order = { by: "behind", isDescending: true };
let stats: unknown;
/** The last lines of the room that is shown. */
let lines: Line[] = [];

function draw(): void {
  const members = membersOf(stats);
  const slow = slowOf(members);
  setText(byId("relay-name", HTMLElement), plain(textAt(stats, "name"), 80) || location.host);
  setText(byId("uptime", HTMLElement), `running for ${duration(numberAt(stats, ["uptimeMs"]))}`);
  document.title = `${count(numberAt(stats, ["totals", "members"]))} members · eventrelay`;
  drawTiles(slow.length);
  drawRates();
  drawSlow(slow);
  drawMembers(members);
  drawRooms();
  drawFaults();
  drawRoom();
}

function drawTiles(slow: number): void {
  const tiles = tilesOf(stats, slow);
  const parent = byId("tiles", HTMLElement);
  const boxes = resize(parent, tiles.length, () => el("div", {}, el("dt"), el("dd")));
  tiles.forEach(({ title, value, isAlert }, i) => {
    setText(boxes[i].firstElementChild!, title);
    setText(boxes[i].lastElementChild!, value);
    boxes[i].classList.toggle("alert", isAlert);
  });
}

function drawRates(): void {
  const rates = ratesOf(stats, CHART_SECONDS);
  chart.draw(rates);
  const last = rates.at(-1) ?? { in: 0, out: 0 };
  setText(byId("in-now", HTMLElement), count(last.in));
  setText(byId("out-now", HTMLElement), count(last.out));
}

function drawSlow(slow: readonly Member[]): void {
  const shown = slow.slice(0, MOST_SLOW);
  const items = resize(
    byId("slow", HTMLElement),
    shown.length,
    () =>
      el(
        "li",
        { class: "slow" },
        el("span", {}, el("b"), " ", el("span", { class: "soft" })),
        el("span", { class: "why" }),
      ),
  );
  shown.forEach((member, i) => {
    const [who, why] = items[i].children;
    setText(who.firstElementChild!, isolated(nameOf(member.name, member.id || member.address)));
    setText(
      who.lastElementChild!,
      `${isolated(plain(member.room, 64))} · ${plain(`${member.kind} · ${member.address}`, 100)}`,
    );
    setText(why, plain(member.why));
  });
  show(byId("slow-empty", HTMLElement), slow.length === 0);
}

function drawMembers(members: readonly Member[]): void {
  const filter = byId("filter", HTMLInputElement).value;
  const found = chosen(members, filter, order.by, order.isDescending);
  const shown = found.slice(0, MOST_MEMBERS);
  const more = numberAt(stats, ["moreMembers"]);
  setText(
    byId("members-more", HTMLElement),
    more > 0 ? `the slowest and the newest ${members.length}, ${count(more)} more are here` : "",
  );
  const rows = resize(byId("members", HTMLElement), shown.length, () =>
    el(
      "tr",
      {},
      ...COLUMNS.map(({ id, title, isNumber }) =>
        el("td", { class: `${id}${isNumber ? " number" : ""}`, "data-label": title })
      ),
    ));
  shown.forEach((member, i) => {
    rows[i].classList.toggle("slow", member.why !== "");
    COLUMNS.forEach((column, k) => setText(rows[i].children[k], column.show(member)));
  });
  const empty = byId("members-empty", HTMLElement);
  setText(empty, members.length === 0 ? "Nobody is connected." : `Nobody with "${plain(filter, 40)}".`);
  show(empty, shown.length === 0);
  show(byId("members", HTMLElement).closest<HTMLElement>(".scroll")!, shown.length > 0);
  for (const head of byId("member-heads", HTMLElement).children) {
    if (head.id === `by-${order.by}`) {
      head.setAttribute("aria-sort", order.isDescending ? "descending" : "ascending");
    } else head.removeAttribute("aria-sort");
  }
}

function drawRooms(): void {
  const rooms = listAt(stats, "rooms")
    .filter((entry) => numberAt(entry, ["members"]) > 0 || numberAt(entry, ["logBytes"]) > 0) // the lobby is always there
    .slice(0, MOST_ROOMS);
  const rows = resize(byId("rooms", HTMLElement), rooms.length, () => {
    const button = el("button", { type: "button" });
    button.addEventListener("click", () => choose(button.dataset.room));
    return el(
      "tr",
      {},
      el("td", { class: "name" }, button),
      ...ROOM_NUMBERS.map(() => el("td", { class: "number" })),
    );
  });
  rooms.forEach((entry, i) => {
    const button = rows[i].querySelector("button")!;
    const name = textAt(entry, "name");
    button.dataset.room = name;
    setText(button, plain(name, 64));
    ROOM_NUMBERS.forEach(({ key, show }, k) => {
      const value = maybeNumberAt(entry, [key]);
      setText(rows[i].children[k + 1], value === undefined ? "" : show(value));
    });
  });
  show(byId("rooms-empty", HTMLElement), rooms.length === 0);
  show(byId("rooms", HTMLElement).closest<HTMLElement>(".scroll")!, rooms.length > 0);
}

const ROOM_NUMBERS = [
  { title: "members", key: "members", show: count },
  { title: "of them sessions", key: "sessions", show: count },
  { title: "log", key: "logBytes", show: bytes },
] as const;

function drawFaults(): void {
  const faults = faultsOf(stats).slice(0, MOST_FAULTS);
  const items = resize(
    byId("errors", HTMLElement),
    faults.length,
    () => el("li", {}, el("span", { class: "soft" }), el("span")),
  );
  faults.forEach(({ timeMs, who, text }, i) => {
    setText(
      items[i].children[0],
      [timeMs > 0 ? clockTime(timeMs) : "", who].filter((part) => part !== "").join(" · "),
    );
    setText(items[i].children[1], text);
  });
  show(byId("errors-empty", HTMLElement), faults.length === 0);
}

function drawRoom(): void {
  show(byId("room", HTMLElement), room !== undefined);
  if (room === undefined) return;
  const told = at(stats, "room");
  const found = textAt(told, "name") === room ? told : undefined; // an answer may be about the one before
  lines = continued(lines, linesOf(found), MOST_LINES);
  setText(byId("room-title", HTMLElement), `Room ${plain(room, 64)}`);
  const values = stateOf(found).slice(0, MOST_VALUES);
  const rows = resize(
    byId("room-state", HTMLElement),
    values.length,
    () =>
      el(
        "tr",
        {},
        el("td", { class: "name" }),
        el("td", { class: "wrap key mono" }),
        el("td", { class: "wrap mono" }),
      ),
  );
  values.forEach(({ whose, key, value }, i) => {
    [whose, key, value].forEach((text, k) => setText(rows[i].children[k], text));
  });
  show(byId("room-state", HTMLElement).closest<HTMLElement>(".scroll")!, values.length > 0);
  show(byId("state-empty", HTMLElement), values.length === 0);
  const list = byId("room-lines", HTMLElement);
  const isAtEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
  const items = resize(
    list,
    lines.length,
    () => el("li", {}, el("span", { class: "who" }), el("span", { class: "text" })),
  );
  lines.forEach(({ timeMs, who, text }, i) => {
    setText(
      items[i].children[0],
      [timeMs > 0 ? clockTime(timeMs) : "", who].filter((part) => part !== "").join(" "),
    );
    setText(items[i].children[1], text);
  });
  show(list, lines.length > 0);
  show(byId("lines-empty", HTMLElement), lines.length === 0);
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

function choose(name: string | undefined): void {
  if (room !== name) lines = [];
  room = name;
  rewriteWishes({ room: name ?? "" });
  void refresh().then(() =>
    name !== undefined && byId("room", HTMLElement).scrollIntoView({ block: "nearest" })
  );
}

function sortBy(id: string): void {
  const isNumber = COLUMNS.find((column) => column.id === id)!.isNumber;
  order = { by: id, isDescending: order.by === id ? !order.isDescending : isNumber };
  drawMembers(membersOf(stats));
}

async function refresh(): Promise<void> {
  tell(await fetchStats(room));
}

function tell(answer: Answer): void {
  const state = byId("state", HTMLElement);
  if ("stats" in answer) {
    stats = answer.stats;
    state.dataset.state = "connected";
    setText(state, isPaused ? "paused" : "live");
    show(byId("ask", HTMLFormElement), false);
    show(byId("board", HTMLElement), true);
    return draw();
  }
  const { kind, message } = answer.refusal;
  state.dataset.state = kind === "away" ? "reconnecting" : "closed";
  const words = { token: "a token is needed", away: "no answer, asking again", wrong: message };
  setText(state, words[kind]);
  if (kind !== "token") return;
  show(byId("board", HTMLElement), false);
  const form = byId("ask", HTMLFormElement);
  if (form.hidden) {
    show(form, true);
    byId("token", HTMLInputElement).focus();
  }
  const notice = byId("ask-notice", HTMLElement);
  setText(notice, message);
  show(notice, message !== "");
}

async function run(): Promise<void> {
  for (;;) {
    // Who is asked for a token is not asked for anything else until there is one.
    if (!isPaused && byId("ask", HTMLFormElement).hidden) await refresh();
    await untilNextLook(REFRESH_MS, HIDDEN_MS);
  }
}

byId("chart", HTMLElement).append(chart.element);
new ResizeObserver(drawRates).observe(chart.element); // also while it is paused, or the relay away
byId("member-heads", HTMLElement).append(...COLUMNS.map(({ id, title, isNumber }) => {
  const button = el("button", { type: "button" }, title);
  button.addEventListener("click", () => sortBy(id));
  return el("th", { id: `by-${id}`, scope: "col", class: isNumber ? "number" : undefined }, button);
}));
byId("room-heads", HTMLElement).append(
  el("th", { scope: "col" }, "room"),
  ...ROOM_NUMBERS.map(({ title }) => el("th", { scope: "col", class: "number" }, title)),
);
byId("filter", HTMLInputElement).addEventListener("input", () => drawMembers(membersOf(stats)));
byId("room-close", HTMLButtonElement).addEventListener("click", () => choose(undefined));
byId("pause", HTMLButtonElement).addEventListener("click", () => {
  isPaused = !isPaused;
  byId("pause", HTMLButtonElement).setAttribute("aria-pressed", `${isPaused}`);
  setText(byId("state", HTMLElement), isPaused ? "paused" : "live");
});
byId("ask", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(byId("token", HTMLInputElement).value);
  void refresh();
});
void run();
