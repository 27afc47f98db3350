// The console in a page: connect, see the lines, type lines. What comes is shown as it came; what the
// connection needs to live is left out.

import { byId, el, setText, show } from "../shared/dom.ts";
import { clockTime, count, plain } from "../shared/format.ts";
import { relayTarget } from "../shared/target.ts";
import { keep, keepToken, kept, readWishes, token } from "../shared/wishes.ts";
import { type Entry, LineStore, type Source } from "./line_store.ts";
import { isHeartbeat } from "./stream.ts";
import { Typed } from "./typed.ts";
import { Wire } from "./wire.ts";

/** The most lines that are in the page, and the most characters of each. */
const MOST_SHOWN = 500;
const MOST_CHARACTERS = 4000;

const wishes = readWishes();
const store = new LineStore();
const typed = new Typed();
const list = byId("lines", HTMLOListElement);
const field = byId("line", HTMLInputElement);
const filter = byId("filter", HTMLInputElement);
const controls = byId("controls", HTMLInputElement);
const level = byId("level", HTMLSelectElement);

let wire: Wire | undefined;
let isPaused = false;
/** Whether the newest line is to be seen, and what comes next should be, too. */
let follows = true;
let isDrawn = true;
/** What is shown while it is paused. */
let still: Entry[] | undefined;
/** What each element of the list shows. */
let onPage: Entry[] = [];

function note(source: Source, text: string): void {
  store.add({ timeMs: Date.now(), source, text });
  redraw();
}

/** Draws once in the next frame, however much came. */
function redraw(): void {
  if (!isDrawn) return;
  isDrawn = false;
  requestAnimationFrame(() => {
    isDrawn = true;
    draw();
  });
}

function draw(): void {
  const now = store.shown(filter.value, controls.checked, MOST_SHOWN);
  const shown = isPaused ? still ??= now : now;
  // Mostly some go at the front and some come at the end.
  const first = shown.length === 0 ? -1 : onPage.indexOf(shown[0]);
  const kept = first < 0 ? 0 : onPage.length - first;
  const isContinued = first >= 0 && kept <= shown.length &&
    onPage.slice(first).every((entry, i) => entry === shown[i]);
  if (!isContinued) list.replaceChildren(...shown.map(item));
  else {
    for (let i = 0; i < first; i++) list.firstElementChild!.remove();
    list.append(...shown.slice(kept).map(item));
  }
  onPage = shown;
  show(byId("hint", HTMLElement), store.total === 0);
  setText(byId("counts", HTMLElement), counts(shown.length));
  if (follows && !isPaused) list.scrollTop = list.scrollHeight;
}

function counts(shown: number): string {
  if (store.total === 0) return "";
  const waiting = isPaused ? `, paused: ${count(store.total - pausedAt)} more have come` : "";
  return `${count(store.total)} lines, ${shown} shown${waiting}`;
}

let pausedAt = 0;

function item({ timeMs, source, text }: Entry): HTMLElement {
  const who = { in: "←", own: "→", control: "·", bad: "!", note: "–" }[source];
  const className = { in: "", own: "own", control: "control", bad: "bad", note: "control" }[source];
  return el(
    "li",
    { class: className },
    el("time", {}, clockTime(timeMs)),
    el("span", { class: "who" }, who),
    el("span", { class: "text" }, plain(text, MOST_CHARACTERS)),
  );
}

function connect(): void {
  wire?.close();
  const isSession = level.value === "session";
  const room = byId("room", HTMLInputElement).value.trim();
  const name = byId("name", HTMLInputElement).value.trim();
  const secret = byId("token", HTMLInputElement).value;
  if (secret !== "") keepToken(secret);
  for (const [key, value] of [["level", level.value], ["room", room], ["name", name]]) {
    keep(`eventrelay-try-${key}`, value);
  }
  const hello = isSession
    ? {
      ...(room === "" ? {} : { room }),
      ...(name === "" ? {} : { name }),
      ...(token() === "" ? {} : { token: token() }),
    }
    : undefined;
  wire = new Wire({
    url: relayTarget(),
    hello,
    onLine(text, kind) {
      if (isHeartbeat(text) && (kind === "control" || kind === "sent")) return;
      if (kind === "error" && text.includes(`"code":"bad_token"`)) {
        show(byId("token-field", HTMLElement), true);
      }
      if (kind === "sent" && OWN_CONTROL.test(text)) return note("control", `→ ${withoutSecrets(text)}`);
      const shown = kind === "control" && text.startsWith(`{"$welcome":`) ? withoutSecrets(text) : text;
      note(({ event: "in", control: "control", error: "bad", sent: "own" } as const)[kind], shown);
    },
    onState: tell,
  });
}

/** What the console says by itself. */
const OWN_CONTROL = /^\{"\$(hello|bye)":/;

/** Leaves out what lets others in, or speak in this one's place: a page may be on a projector. */
function withoutSecrets(text: string): string {
  return text.replace(/"token":"(?:[^"\\]|\\.)*"/, '"token":"…"').replace(
    /"session":"[^"]*"/,
    '"session":"…"',
  );
}

function tell(state: "connecting" | "connected" | "reconnecting" | "closed", detail: string): void {
  const element = byId("state", HTMLElement);
  const words = {
    connecting: "connecting",
    connected: "connected",
    reconnecting: "not connected, trying again",
    closed: "not connected",
  }[state];
  const text = detail === "" ? words : `${words}: ${plain(detail, 120)}`;
  if (element.textContent !== text && state !== "connecting") note("note", text);
  element.dataset.state = state;
  setText(element, text);
  setText(byId("connect", HTMLButtonElement), state === "closed" ? "Connect" : "Connect anew");
}

function say(): void {
  const text = field.value.trim();
  if (text === "") return;
  if (wire === undefined || !wire.send(text)) return note("note", "not sent: there is no connection");
  typed.add(text);
  field.value = "";
}

function onTyped(event: KeyboardEvent): void {
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key] as -1 | 1 | undefined;
  if (by === undefined) return;
  event.preventDefault();
  const line = typed.move(by, field.value);
  if (line === undefined) return;
  field.value = line;
  field.setSelectionRange(line.length, line.length);
}

function pause(): void {
  isPaused = !isPaused;
  pausedAt = store.total;
  still = isPaused ? store.shown(filter.value, controls.checked, MOST_SHOWN) : undefined;
  byId("pause", HTMLButtonElement).setAttribute("aria-pressed", `${isPaused}`);
  redraw();
}

/** A plain client is in the lobby and has no name. */
function onLevel(): void {
  for (const id of ["room", "name"]) byId(id, HTMLInputElement).disabled = level.value === "plain";
}

byId("open", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  connect();
  field.focus();
});
byId("say", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  say();
});
field.addEventListener("keydown", onTyped);
filter.addEventListener("input", () => {
  still = undefined;
  redraw();
});
filter.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
controls.addEventListener("change", () => {
  still = undefined;
  redraw();
});
byId("pause", HTMLButtonElement).addEventListener("click", pause);
byId("clear", HTMLButtonElement).addEventListener("click", () => {
  store.clear();
  store.total = 0;
  pausedAt = 0;
  still = undefined;
  redraw();
});
list.addEventListener("scroll", () => follows = list.scrollTop + list.clientHeight >= list.scrollHeight - 8);
new ResizeObserver(() => {
  if (follows && !isPaused) list.scrollTop = list.scrollHeight;
}).observe(list); // a phone that is turned, a keyboard that comes up
level.addEventListener("change", onLevel);
level.value = wishes.get("level") ?? (kept("eventrelay-try-level") || "session");
if (level.value === "") level.value = "session";
byId("room", HTMLInputElement).value = wishes.get("room") ?? kept("eventrelay-try-room");
byId("name", HTMLInputElement).value = wishes.get("name") ?? kept("eventrelay-try-name");
onLevel();
connect();
field.focus({ preventScroll: true });
