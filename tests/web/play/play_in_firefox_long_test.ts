// The game in a real Firefox: it connects, is steered by pointer and keys, others see that, and it sees them.
// The rest is tested in Chromium.

import assert from "node:assert/strict";
import { connect, type Relay } from "../../../client.ts";
import { HEIGHT, WIDTH } from "../../../example/walls.ts";
import { type Firefox, testInFirefox } from "../../support/firefox.ts";
import { HOSTILE_NAMES } from "../../support/web_pages.ts";
import { WebTable } from "../../support/web_table.ts";
import { inTime } from "../../support/deadline.ts";

interface Move {
  id: string;
  pos: [number, number];
  vel: [number, number];
}

const WHO = `document.getElementById("who").textContent`;

/** Waits for a move of the page that is as wanted. */
async function untilMove(relay: Relay<Move>, isIt: (move: Move) => boolean, what: string): Promise<void> {
  await inTime(
    (async () => {
      for await (const move of relay) if (move?.id?.startsWith("fox-") && isIt(move)) return;
    })(),
    what,
  );
}

/** Where a place of the world is in the window. */
async function placeOf(firefox: Firefox, x: number, y: number): Promise<{ x: number; y: number }> {
  const [left, top, width, height] = await firefox.run<number[]>(
    `const { left, top, width, height } = document.getElementById("world").getBoundingClientRect();
    return [left, top, width, height];`,
  );
  const unit = Math.min(width / WIDTH, height / HEIGHT);
  const above = Math.min((height - HEIGHT * unit) / 2, 56);
  return {
    x: Math.round(left + (width - WIDTH * unit) / 2 + x * unit),
    y: Math.round(top + above + y * unit),
  };
}

/** How bright a place of the world is, from 0 to 255. */
async function brightnessAt(firefox: Firefox, x: number, y: number): Promise<number> {
  const at = await placeOf(firefox, x, y);
  return await firefox.run(
    `const canvas = document.getElementById("world"), box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    const at = [Math.round((${at.x} - box.left) * scale), Math.round((${at.y} - box.top) * scale)];
    return Math.max(...canvas.getContext("2d").getImageData(at[0], at[1], 1, 1).data.slice(0, 3));`,
  );
}

testInFirefox("The game in Firefox", async (firefox, t) => {
  await using table = new WebTable();
  await using relay = await connect<Move>(`127.0.0.1:${table.port}`, { name: "bo" });
  await firefox.navigate(`${table.url}/play#name=fox`);
  await firefox.until(`document.getElementById("state").dataset.state === "connected"`);

  await t.step("others see it", async () => {
    await untilMove(relay, () => true, "its ball");
    assert.deepEqual(Array.from(relay.peers.values(), ({ name }) => name), ["fox"]);
  });

  await t.step("is steered by pointer and keys", async () => {
    const [from, to] = [await placeOf(firefox, 500, 100), await placeOf(firefox, 100, 400)];
    const isAt = (x: number, y: number) => ({ pos }: Move) => Math.hypot(pos[0] - x, pos[1] - y) < 8;
    await firefox.pointer([{ type: "pointerMove", ...from }, { type: "pointerDown", button: 0 }]);
    await untilMove(relay, isAt(500, 100), "the ball where the pointer is");
    await firefox.pointer([{ type: "pointerMove", ...to }]);
    await untilMove(relay, isAt(100, 400), "the ball where the pointer went");
    await firefox.pointer([{ type: "pointerUp", button: 0 }]);
    await firefox.run(`document.getElementById("world").focus();`);
    await firefox.keys([{ type: "keyDown", value: "\uE014" }]); // to the right
    await untilMove(relay, ({ vel }) => Math.abs(vel[0]) > 300, "the ball pushed by a key");
    await firefox.keys([{ type: "keyUp", value: "\uE014" }]);
  });

  await t.step("shows the balls of others, and names for what they are", async () => {
    for (const name of HOSTILE_NAMES) await table.session({ name, room: "lobby" });
    await firefox.until(`${WHO}.startsWith("lobby: ${HOSTILE_NAMES.length + 2} players")`);
    const dark = await brightnessAt(firefox, 320, 240);
    const event = { id: "bo-1", pos: [320, 240], vel: [0, 0], owner: relay.id };
    const timer = setInterval(() => relay.send({ ...event, t: relay.now() } as unknown as Move), 100);
    try {
      await inTime(
        (async () => {
          while (await brightnessAt(firefox, 320, 240) <= dark + 60);
        })(),
        "another's ball",
      );
    } finally {
      clearInterval(timer);
    }
    assert.equal(await firefox.run("return typeof window.hacked;"), "undefined");
  });
  assert.deepEqual(firefox.errors, []);
});
