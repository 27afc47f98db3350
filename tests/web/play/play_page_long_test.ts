// The game in a real browser: pointer, touch and keys, others' balls from pages, terminals and programs, what
// is said of the connection, and how many frames a second it shows.

import assert from "node:assert/strict";
import { connect, type Relay } from "../../../client.ts";
import { goldOf } from "../../../example/golden.ts";
import { HEIGHT, WIDTH } from "../../../example/walls.ts";
import { World } from "../../../example/world.ts";
import { Browser, type Page, testInChromium } from "../../support/browser.ts";
import { DEADLINE_MS, inTime } from "../../support/deadline.ts";
import { pause } from "../../support/pause.ts";
import {
  assertClean,
  assertFits,
  HOSTILE_NAMES,
  openInOldBrowser,
  openPage,
  tabThrough,
  textOf,
} from "../../support/web_pages.ts";
import { WebTable } from "../../support/web_table.ts";

const CONNECTED = `document.getElementById("state").dataset.state === "connected"`;

/** The colour of the star in the middle of the golden ball, as picture.ts names it. */
const GOLD_COLOUR = [0xf2, 0xa9, 0x00];

/** A ball as it goes over the wire. */
interface Move {
  id: string;
  pos: [number, number];
  vel: [number, number];
  owner: string;
}

/** Waits for a move of a page that is as wanted; takes from the relay what comes before. */
async function untilMove(relay: Relay<Move>, isIt: (move: Move) => boolean, what: string): Promise<Move> {
  return await inTime(
    (async () => {
      for await (const move of relay) if (isIt(move)) return move;
      throw new Error(`the relay object was closed: ${what}`);
    })(),
    what,
  );
}

/** Where a place of the world is in the page. */
async function placeOf(page: Page, x: number, y: number): Promise<{ x: number; y: number }> {
  const [left, top, width, height] = await page.evaluate<number[]>(`(() => {
    const { left, top, width, height } = document.getElementById("world").getBoundingClientRect();
    return [left, top, width, height];
  })()`);
  const unit = Math.min(width / WIDTH, height / HEIGHT);
  const above = Math.min((height - HEIGHT * unit) / 2, 56);
  return { x: left + (width - WIDTH * unit) / 2 + x * unit, y: top + above + y * unit };
}

/** The colour that is painted at a place of the world. */
async function colourAt(page: Page, x: number, y: number): Promise<number[]> {
  const at = await placeOf(page, x, y);
  return await page.evaluate(`(() => {
    const canvas = document.getElementById("world"), box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    const at = [Math.round((${at.x} - box.left) * scale), Math.round((${at.y} - box.top) * scale)];
    return Array.from(canvas.getContext("2d").getImageData(at[0], at[1], 1, 1).data.slice(0, 3));
  })()`);
}

async function mouse(page: Page, type: string, at: { x: number; y: number }): Promise<void> {
  await page.send("Input.dispatchMouseEvent", { type, ...at, button: "left", buttons: 1, clickCount: 1 });
}

async function playing(browser: Browser, table: WebTable, wishes = "name=ada"): Promise<Page> {
  const page = await openPage(browser, `${table.url}/play#${wishes}`);
  await page.until(CONNECTED);
  return page;
}

testInChromium("the game", async (browser, t) => {
  await t.step("asks for a name, is entered by keyboard, and shows who is there", () => isEntered(browser));
  await t.step("is steered by pointer, touch and keys", () => isSteered(browser));
  await t.step("shows the balls of a program where they are, and in motion", () => showsOthers(browser));
  await t.step("two players and a terminal see each other", () => seeEachOther(browser));
  await t.step("drops the golden ball, shows it and catches it", () => catchesGold(browser));
  await t.step("switches strategy, ghosts, names and numbers", () => switches(browser));
  await t.step("says when it is not connected, and goes on", () => saysWhenAway(browser));
  await t.step("says why it is refused, and takes the token from the address", () => isRefused(browser));
  await t.step("plays on while its tab is hidden", () => playsHidden(browser));
  await t.step("takes hostile names and events for what they are", () => takesAnything(browser));
  await t.step("shows 300 balls", (step) => showsMany(browser, step));
});

async function isEntered(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await openPage(browser, `${table.url}/play`);
  await page.until(`document.getElementById("enter").open && document.activeElement.id === "name"`);
  await assertFits(page);
  await page.look({ width: 640, height: 320, isMobile: true });
  const box = `document.getElementById("enter").getBoundingClientRect()`;
  assert.ok(
    await page.evaluate(`${box}.top >= 0 && ${box}.bottom <= innerHeight`),
    "all of it can be reached",
  );
  await page.look({ width: 1920, height: 1080 });
  await page.evaluate(`(document.getElementById("name").focus(), 0)`);
  await page.type("ada");
  await page.press("Tab");
  await page.type("pong");
  await page.press("Enter");
  await page.until(CONNECTED);
  assert.equal(await page.evaluate(`document.activeElement.id`), "world", "the keys steer at once");
  await using relay = await connect<Move>(`127.0.0.1:${table.port}/pong`, { name: "bo" });
  assert.deepEqual(Array.from(relay.peers.values(), ({ name }) => name), ["ada"]);
  await page.until(`${textOf("who")}.startsWith("pong: 2 players, 1 ball")`);
  const names = await tabThrough(page);
  for (const name of ["world", "strategy-blend", "ghosts", "change"]) {
    assert.ok(names.includes(name), `${name} in ${names}`);
  }
  await assertFits(page);
  await assertClean(page, table.url);
  assert.equal(await page.evaluate(`location.hash`), "#room=pong", "the address leads others here");
  await page.evaluate(`(location.hash = "room=chess&name=eve", 0)`); // as who types it there
  await page.until(`${textOf("who")}.startsWith("chess: 1 player")`);
  const places = table.relay.connectionStats().map(({ room, name }) => `${room} ${name}`);
  assert.ok(places.includes("chess eve"), places.join());
}

async function isSteered(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await playing(browser, table);
  await page.look({ width: 1000, height: 800 });
  await using relay = await connect<Move>(`127.0.0.1:${table.port}`);
  const isNear = (x: number, y: number) => ({ pos }: Move) => Math.hypot(pos[0] - x, pos[1] - y) < 8;

  await mouse(page, "mousePressed", await placeOf(page, 500, 100));
  await untilMove(relay, isNear(500, 100), "the ball where the pointer is");
  await mouse(page, "mouseMoved", await placeOf(page, 100, 400));
  const held = await untilMove(relay, isNear(100, 400), "the ball where the pointer went");
  assert.match(held.id, /^ada-[0-9a-f]{6}-1$/);
  assert.ok(relay.peers.has(held.owner), "it says whose it is");
  await mouse(page, "mouseReleased", await placeOf(page, 100, 400));

  // At a phone's size, by touch.
  await page.look({ width: 360, height: 640, isMobile: true });
  await page.evaluate(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`);
  const touch = await placeOf(page, 320, 240);
  await page.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [touch] });
  await untilMove(relay, isNear(320, 240), "the ball where the finger is");
  await page.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await page.look({ width: 640, height: 320, isMobile: true });
  const [stage, deck] = await page.evaluate<number[]>(
    `[".stage", ".deck"].map((part) => document.querySelector(part).getBoundingClientRect().bottom)`,
  );
  assert.ok(stage <= deck && deck <= 320, `all is to be seen on a phone on its side: ${stage}, ${deck}`);
  await page.look({ width: 1000, height: 800 });

  const key = (type: string) =>
    page.send("Input.dispatchKeyEvent", {
      type,
      key: "ArrowRight",
      code: "ArrowRight",
      windowsVirtualKeyCode: 39,
    });
  await page.evaluate(`(document.getElementById("world").focus(), 0)`);
  await key("rawKeyDown");
  await untilMove(relay, ({ vel }) => Math.abs(vel[0]) > 300, "the ball pushed by a key");
  await key("keyUp");
  await relay.drain();
  const free = await untilMove(relay, () => true, "the ball let go");
  const later = await untilMove(relay, () => true, "the ball later");
  assert.ok(
    Math.abs(Math.abs(later.vel[0]) - Math.abs(free.vel[0])) < 60,
    `${free.vel} then ${later.vel}: it flies on`,
  );
  await assertClean(page, table.url);
}

async function showsOthers(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await playing(browser, table);
  await page.look({ width: 1000, height: 800 });
  await page.evaluate(`document.getElementById("names").click()`);
  await using relay = await connect(`127.0.0.1:${table.port}`, { name: "bo" });
  const say = (pos: number[], vel: number[]) =>
    relay.send({ id: "bo-1", pos, vel, t: relay.now(), owner: relay.id });
  const ground = await colourAt(page, 100, 100);
  const isBall = async (x: number, y: number) => `${await colourAt(page, x, y)}` !== `${ground}`;
  const until = async (isIt: () => Promise<boolean>, what: string) => {
    for (const since = performance.now(); !await isIt();) {
      assert.ok(performance.now() - since < DEADLINE_MS, what);
    }
  };
  // Its own ball may fly by: it is put away.
  await mouse(page, "mousePressed", await placeOf(page, 630, 470));
  say([100, 100], [0, 0]);
  await until(() => isBall(100, 100), "a ball that stands");
  assert.equal(await isBall(200, 100), false);
  const timer = setInterval(() => say([200, 300], [0, 0]), 100);
  try {
    await until(async () => await isBall(200, 300) && !await isBall(100, 100), "the ball gone on");
    await page.until(`${textOf("who")}.startsWith("lobby: 2 players, 2 balls")`);
  } finally {
    clearInterval(timer);
  }
  await relay.close();
  await until(async () => !await isBall(200, 300), "the ball gone with its owner");
  await page.until(`${textOf("who")}.startsWith("lobby: 1 player, 1 ball")`);
  await mouse(page, "mouseReleased", await placeOf(page, 630, 470));
  await assertClean(page, table.url);
}

async function seeEachOther(browser: Browser): Promise<void> {
  await using table = new WebTable();
  await using second = await Browser.launch(); // another machine's: both are in front
  const ada = await playing(browser, table, "name=ada"), bo = await playing(second, table, "name=bo&balls=3");
  const terminal = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-net",
      new URL("../../../example/main.ts", import.meta.url).pathname,
      `127.0.0.1:${table.port}`,
      "--name",
      "term",
      "--balls",
      "2",
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    await ada.until(`${textOf("who")}.startsWith("lobby: 3 players, 6 balls")`);
    await bo.until(`${textOf("who")}.startsWith("lobby: 3 players, 6 balls")`);
    const reader = terminal.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    while (!/others=4 .*members=3/.test(said)) {
      const { value, done } = await inTime(reader.read(), `the terminal sees the pages' balls: ${said}`);
      assert.ok(!done, said);
      said = (said + value).slice(-1000);
    }
    await reader.cancel();
  } finally {
    terminal.kill("SIGKILL");
    await terminal.status;
  }
  await assertClean(ada, table.url);
  await assertClean(bo, table.url);
}

async function catchesGold(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await playing(browser, table);
  await page.look({ width: 1000, height: 800 });
  await using watcher = await connect(`127.0.0.1:${table.port}`, { name: "watcher", canHost: false });
  const watch = async (isIt: () => boolean, what: string) => {
    for (const since = performance.now(); !isIt();) {
      assert.ok(performance.now() - since < DEADLINE_MS, what);
      await pause(20);
    }
  };
  await watch(() => goldOf(watcher.state) !== undefined, "the page is the host, and drops one");
  // It lies where it is known to, and the page's own ball is elsewhere.
  await mouse(page, "mousePressed", await placeOf(page, 600, 450));
  const n = goldOf(watcher.state)!.n + 1;
  watcher.set("gold", { n, x: 100, y: 100, t: watcher.now() }, { room: true });
  await page.until(
    `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`,
  );
  for (const since = performance.now(); `${await colourAt(page, 100, 100)}` !== `${GOLD_COLOUR}`;) {
    assert.ok(performance.now() - since < DEADLINE_MS, `it is golden: ${await colourAt(page, 100, 100)}`);
  }
  await mouse(page, "mouseMoved", await placeOf(page, 100, 100));
  await watch(() => watcher.state["points ada"] === 1, "it is caught");
  assert.deepEqual(
    [goldOf(watcher.state), (watcher.state[`catch ${n}`] as { name: string }).name],
    [undefined, "ada"],
  );
  await page.until(`${textOf("who")}.includes("ada ★1")`);
  await watch(() => (goldOf(watcher.state)?.n ?? 0) > n, "the next one");
  await mouse(page, "mouseReleased", await placeOf(page, 100, 100));
  await assertClean(page, table.url);
}

async function switches(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await playing(browser, table);
  await page.look({ width: 1000, height: 800 });
  await page.evaluate(`document.getElementById("names").click()`);
  await using relay = await connect(`127.0.0.1:${table.port}`, { name: "bo" });
  for (const [key, strategy] of ["hold", "speed", "history", "blend", "interpolate"].entries()) {
    await page.press(`${key + 1}`);
    assert.equal(await page.evaluate(`document.querySelector("#strategies :checked").value`), strategy);
  }
  // A ball that flies away from its ghost, under "speed"; its own is put away.
  await page.press("2");
  await mouse(page, "mousePressed", await placeOf(page, 630, 470));
  const timer = setInterval(
    () => relay.send({ id: "bo-1", pos: [100, 200], vel: [200, 0], t: relay.now() - 300, owner: relay.id }),
    100,
  );
  try {
    const ghostEdge = () => colourAt(page, 100 + 9, 200);
    await page.until(`${textOf("who")}.includes("2 balls")`);
    const without = await ghostEdge();
    await page.press("g");
    assert.equal(await page.evaluate(`document.getElementById("ghosts").checked`), true);
    for (const since = performance.now(); `${await ghostEdge()}` === `${without}`;) {
      assert.ok(performance.now() - since < DEADLINE_MS, "a ghost");
    }
    await page.press("n");
    await page.until(
      `/ms$/.test(${textOf("rtt")}) && /ms$/.test(${textOf("lag")}) && /px$/.test(${textOf("error")})`,
    );
    await page.until(`parseFloat(${textOf("rates")}) > 4`, "events are counted");
    await page.press("n");
    assert.equal(await page.evaluate(`document.getElementById("numbers").hidden`), true);
  } finally {
    clearInterval(timer);
  }
  await mouse(page, "mouseReleased", await placeOf(page, 630, 470));
  await assertClean(page, table.url);
}

async function saysWhenAway(browser: Browser): Promise<void> {
  const table = new WebTable();
  const page = await playing(browser, table);
  await table[Symbol.asyncDispose]();
  await page.until(
    `${textOf("state")}.startsWith("not connected, trying again") && document.getElementById("who").hidden`,
  );
  await using again = new WebTable({}, table.port);
  await page.until(CONNECTED);
  await using relay = await connect<Move>(`127.0.0.1:${again.port}`);
  await untilMove(relay, ({ id }) => id.startsWith("ada-"), "its ball again");
}

async function isRefused(browser: Browser): Promise<void> {
  await using table = new WebTable({ token: "geheim" });
  const page = await openPage(browser, `${table.url}/play#name=ada`);
  await page.until(`document.getElementById("enter").open && !document.getElementById("token-field").hidden`);
  assert.equal(await page.evaluate(textOf("refusal")), "This relay asks for a token.");
  for (
    const [token, isDone] of [["wrong", `${textOf("refusal")}.includes("does not take")`], [
      "geheim",
      CONNECTED,
    ]]
  ) {
    await page.evaluate(
      `(document.getElementById("token").focus(), document.getElementById("token").select(), 0)`,
    );
    await page.type(token);
    await page.press("Enter");
    await page.until(isDone);
  }
  const named = await openPage(browser, `${table.url}/play#name=bo&token=geheim`);
  await named.until(CONNECTED);
  assert.equal(await named.evaluate(`location.hash`), "#name=bo");
  await assertClean(named, table.url);
  await using full = new WebTable({ maxClients: 0 });
  const late = await openPage(browser, `${full.url}/play#name=cyrille`);
  const why = `"trying again: the relay says: Cannot serve this connection: 0 clients are connected"`;
  await late.until(`${textOf("state")}.includes(${why})`);
  await assertFits(late);
  const old = await openInOldBrowser(browser, `${table.url}/play#name=dan&token=geheim`);
  await old.until(`${textOf("refusal")}.includes("this browser is too old")`);
  await assertClean(old, table.url);
}

async function playsHidden(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await playing(browser, table);
  await using relay = await connect<Move>(`127.0.0.1:${table.port}`);
  await untilMove(relay, () => true, "its ball");
  await browser.hideAll();
  await page.until(`document.hidden`);
  await relay.drain();
  const first = await untilMove(relay, () => true, "its ball while hidden");
  await untilMove(
    relay,
    ({ pos }) => Math.hypot(pos[0] - first.pos[0], pos[1] - first.pos[1]) > 5,
    "its ball in motion",
  );
  await browser.show(page);
}

async function takesAnything(browser: Browser): Promise<void> {
  await using table = new WebTable();
  const page = await playing(browser, table);
  for (const name of HOSTILE_NAMES) {
    const stranger = await table.session({ name, room: "lobby" });
    const events: unknown[] = [
      null,
      name,
      [name],
      { id: name },
      { id: name, pos: [100, 100], vel: [10, 10], owner: name },
      { id: `${name}-1`, pos: [100, 100], vel: [1e308, -1e308] },
      { id: `${name}-2`, pos: [1e300, 0], vel: [0, 0], t: 1e300 },
      { id: "constructor", pos: ["1", {}], vel: null },
    ];
    await stranger.send(events.map((event) => ` ${JSON.stringify(event)}\n`).join(""));
    await stranger.send(`${JSON.stringify({ $set: { key: "rtt", value: name } })}\n`);
  }
  await page.until(`${textOf("who")}.startsWith("lobby: ${HOSTILE_NAMES.length + 1} players")`);
  await page.until(`parseInt(/, (\\d+) balls/.exec(${textOf("who")})?.[1]) > ${HOSTILE_NAMES.length}`);
  const frames = await page.evaluate<number>(`new Promise((done) => {
    let count = 0;
    const end = performance.now() + 500;
    requestAnimationFrame(function frame() {
      count++;
      if (performance.now() < end) requestAnimationFrame(frame);
      else done(count);
    });
  })`);
  assert.ok(frames > 3, "it goes on");
  await assertClean(page, table.url);
}

async function showsMany(browser: Browser, t: Deno.TestContext): Promise<void> {
  await using table = new WebTable();
  await using relay = await connect(`127.0.0.1:${table.port}`, { name: "crowd" });
  const world = new World({ prefix: "crowd", balls: 300 });
  const timer = setInterval(() => {
    world.step(0.1, relay.now());
    for (const ball of world.local) relay.send(ball.toEvent({ t: relay.now(), owner: relay.id }));
  }, 100);
  try {
    // A browser of its own opens sockets in reserve, to which nothing of such a lobby may be written.
    {
      await using fresh = await Browser.launch();
      await assertClean(await playing(fresh, table, "name=bo"), table.url);
    }
    const page = await playing(browser, table);
    await page.look({ width: 1280, height: 800 });
    await page.until(`${textOf("who")}.startsWith("lobby: 2 players, 301 balls")`);
    const fps = await page.evaluate<number>(`new Promise((done) => {
      let count = 0;
      const begin = performance.now();
      requestAnimationFrame(function frame() {
        count++;
        const seconds = (performance.now() - begin) / 1000;
        if (seconds < 3) requestAnimationFrame(frame);
        else done(count / seconds);
      });
    })`);
    console.log(`${t.name}: ${fps.toFixed(1)} frames a second, painted without a graphics card`);
    assert.ok(fps > 20, `${fps} frames a second`); // a busy machine, where 60 are usual
    await assertClean(page, table.url);
  } finally {
    clearInterval(timer);
  }
}
