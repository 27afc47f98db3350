// The game in a page: joins what the player wants, the game and its picture, and says how the connection is.

import { byId, el, setText, show } from "../shared/dom.ts";
import { isolated, milliseconds, plain } from "../shared/format.ts";
import { at } from "../shared/json.ts";
import { keep, keepToken, kept, readWishes, rewriteWishes, token } from "../shared/wishes.ts";
import { relayTarget } from "../shared/target.ts";
import type { Drawing } from "../../example/remote_balls.ts";
import type { Points } from "../../example/golden.ts";
import { STRATEGIES } from "../../example/remote_balls.ts";
import { Controls } from "./controls.ts";
import { Game } from "./game.ts";
import { paintGraph } from "./graph.ts";
import { Picture } from "./picture.ts";

/**
 * How often the game goes on while its tab is hidden, in ms: browsers allow no more, and others see it live.
 */
const HIDDEN_MS = 1000;

/** The most balls of one's own: `#balls=300`. */
const MAX_BALLS = 1000;

/** The longest step that is seen as one, in seconds: behind a pause, balls go on from where they were. */
const LONGEST_STEP = 60;

const wishes = readWishes();
const picture = new Picture(byId("world", HTMLCanvasElement));
const graph = byId("graph", HTMLCanvasElement);
const enter = byId("enter", HTMLDialogElement);
const ghosts = byId("ghosts", HTMLInputElement);
const names = byId("names", HTMLInputElement);
const walls = byId("walls", HTMLInputElement);
const numbers = byId("show-numbers", HTMLInputElement);

const controls = new Controls({
  canvas: byId("world", HTMLCanvasElement),
  worldAt: (x, y) => picture.worldAt(x, y),
  onRelease: () => game?.release(),
  onKey,
});

let game: Game | undefined;
let drawing: Drawing = { strategy: "blend", walls: true };
let lastMs = performance.now();

/** Begins to play, or begins anew under another name or elsewhere. */
function play(name: string, room: string): void {
  game?.leave();
  keep("eventrelay-name", name);
  keep("eventrelay-room", room);
  const mine = new Game({
    target: relayTarget(),
    room,
    name,
    token: token(),
    simulate: wishes.get("simulate") ?? "",
    balls: ballsWished(),
    drawing,
    onRefused: (error) => game === mine && askAgain(error),
  });
  game = mine;
  if (enter.open) enter.close();
  byId("world", HTMLCanvasElement).focus({ preventScroll: true });
}

function ballsWished(): number {
  const balls = Number(wishes.get("balls") ?? "1");
  return Number.isInteger(balls) && balls >= 1 && balls <= MAX_BALLS ? balls : 1;
}

/** The relay won't have it: says why, and asks. */
function askAgain(error: Error): void {
  game?.leave();
  game = undefined;
  tellState("closed", "");
  const isToken = at(error.cause, "code") === "bad_token";
  const refusal = byId("refusal", HTMLElement);
  const tokenText = token() === "" ? "This relay asks for a token." : "The relay does not take this token.";
  setText(refusal, isToken ? tokenText : plain(error.message));
  show(refusal, true);
  if (isToken) {
    show(byId("token-field", HTMLElement), true);
    byId("token", HTMLInputElement).required = true;
  }
  ask();
}

function ask(): void {
  byId("name", HTMLInputElement).value ||= wishes.get("name") ?? kept("eventrelay-name");
  byId("room", HTMLInputElement).value ||= wishes.get("room") ?? kept("eventrelay-room");
  if (!enter.open) enter.showModal();
}

function onKey(key: string): void {
  const strategy = STRATEGIES[Number(key) - 1];
  if (strategy !== undefined) choose(strategy);
  for (const [letter, box] of Object.entries({ g: ghosts, n: numbers })) {
    if (key === letter) box.click();
  }
}

function choose(strategy: Drawing["strategy"]): void {
  byId(`strategy-${strategy}`, HTMLInputElement).checked = true;
  drawing = { strategy, walls: walls.checked };
  if (game !== undefined) game.world.drawing = drawing;
}

/** One frame: the game goes on, and is painted. */
function frame(nowMs: number): void {
  step(nowMs);
  picture.fit();
  paint();
  requestAnimationFrame(frame);
}

function step(nowMs: number): void {
  // Frames are told the time of their beginning, which may be before the last step of a hidden tab.
  const seconds = Math.min(LONGEST_STEP, Math.max(0, (nowMs - lastMs) / 1000));
  lastMs = Math.max(lastMs, nowMs);
  if (game === undefined) return;
  if (game.step(seconds, controls.wish)) tell(game);
}

function paint(): void {
  picture.clear();
  if (game === undefined) return;
  const { world, link } = game;
  if (ghosts.checked) { for (const { ghost } of world.remote) picture.ghost(ghost); }
  for (const ball of world.remote) picture.other(ball, ownerOf(ball));
  for (const gold of link.gold) {
    picture.gold(gold);
    picture.name(gold, "catch me");
  }
  for (const ball of world.local) picture.own(ball);
  if (names.checked) paintNames(game);
  if (!link.isUp) picture.dim();
}

/** Names each player once, at the ball of theirs that was heard of first. */
function paintNames({ world, link, ball: own }: Game): void {
  const named = new Set<string>();
  for (const ball of world.remote) {
    const owner = ownerOf(ball);
    if (named.has(owner)) continue;
    named.add(owner);
    const name = ball.owner === undefined ? owner : link.relay?.peers.get(ball.owner)?.name || owner;
    picture.name(ball, name);
  }
  picture.name(own, "you", true);
}

/** Whose a ball is: a member, or for plain clients what their balls' ids begin with. */
function ownerOf({ id, owner }: { id: string; owner: string | undefined }): string {
  return owner ?? id.replace(/-\d+$/, "");
}

/** Tells how it stands, once a second and when that changes. */
function tell({ link, world, numbers: now, errors }: Game): void {
  tellState(link.status, link.detail === link.place ? "" : link.detail);
  const here = (link.members?.size ?? 0) + 1;
  const room = link.relay?.room ?? "";
  setText(
    byId("who", HTMLElement),
    `${isolated(plain(room, 24))}: ${counted(here, "player")}, ${
      counted(world.remoteCount + world.local.length, "ball")
    }${pointsText(link.points)}`,
  );
  show(byId("who", HTMLElement), link.isUp);
  if (!numbers.checked) return;
  setText(byId("rtt", HTMLElement), now.rttMs === undefined ? "–" : milliseconds(now.rttMs));
  setText(byId("lag", HTMLElement), now.lagMs === undefined ? "–" : milliseconds(now.lagMs));
  setText(byId("error", HTMLElement), `${now.error.toFixed(1)} px`);
  setText(byId("delay", HTMLElement), milliseconds(now.delayMs));
  setText(byId("rates", HTMLElement), `${now.received}, ${now.sent}`);
  setText(byId("frames", HTMLElement), `${now.balls}, ${now.frames}`);
  paintGraph(graph, errors);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** Tells who has caught most golden balls. */
function pointsText(points: readonly Points[]): string {
  return points.slice(0, 3).map(({ name, points }) => ` · ${isolated(plain(name, 16))} ★${points}`).join("");
}

function tellState(status: string, detail: string): void {
  const state = byId("state", HTMLElement);
  // The page came from this relay, so what else the client says to look at is of no use to who plays.
  const why = detail.startsWith("Cannot connect to ") ? "the relay does not answer" : plain(detail, 120);
  const text = status === "connected"
    ? "connected"
    : status === "closed"
    ? "not connected"
    : `not connected, trying again${why === "" ? "" : `: ${why}`}`;
  if (state.dataset.state !== status) state.dataset.state = status;
  setText(state, status === "connected" && detail !== "" ? `connected; ${plain(detail, 120)}` : text);
}

function begin(): void {
  byId("strategies", HTMLFieldSetElement).append(...STRATEGIES.map((strategy, i) =>
    el(
      "label",
      { title: `key ${i + 1}` },
      el("input", { type: "radio", name: "strategy", id: `strategy-${strategy}`, value: strategy }),
      el("span", {}, strategy),
    )
  ));
  for (const strategy of STRATEGIES) {
    byId(`strategy-${strategy}`, HTMLInputElement).addEventListener("change", () => choose(strategy));
  }
  choose("blend");
  walls.addEventListener("change", () => choose(drawing.strategy));
  numbers.addEventListener("change", () => show(byId("numbers", HTMLElement), numbers.checked));
  show(byId("numbers", HTMLElement), numbers.checked); // browsers remember what was ticked
  byId("change", HTMLButtonElement).addEventListener("click", () => {
    show(byId("refusal", HTMLElement), false);
    ask();
  });
  byId("enter-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const secret = byId("token", HTMLInputElement).value;
    if (secret !== "") keepToken(secret);
    show(byId("refusal", HTMLElement), false);
    const room = byId("room", HTMLInputElement).value.trim();
    play(byId("name", HTMLInputElement).value.trim() || "player", room);
    rewriteWishes({ room, name: "" }); // so that the address leads others here, under names of their own
  });
  // After a click the arrows belong to the ball again; who came by keyboard stays where they are.
  byId("strategies", HTMLFieldSetElement).parentElement!.addEventListener("pointerup", () => {
    setTimeout(() => enter.open || byId("world", HTMLCanvasElement).focus({ preventScroll: true }));
  });
  setInterval(() => {
    if (document.hidden) step(performance.now());
    else if (game !== undefined) {
      tellState(game.link.status, game.link.detail === game.link.place ? "" : game.link.detail);
    }
  }, HIDDEN_MS / 4);
  const name = wishes.get("name") ?? kept("eventrelay-name");
  if (name === "") ask();
  else play(name, wishes.get("room") ?? kept("eventrelay-room"));
  requestAnimationFrame(frame);
}

begin();
