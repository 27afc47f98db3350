// Tests of the comparison's flags, and of where its tables go.

import assert from "node:assert/strict";
import { contenderNames, readOptions } from "../../../bench/peers/flags.ts";
import { PLACES, replaced } from "../../../bench/peers/readme.ts";
import { FULL, scenariosOf } from "../../../bench/peers/scenarios.ts";

Deno.test("readOptions of peers compares by TCP unless told otherwise", () => {
  const options = readOptions([])!;
  assert.equal(options.transport, "tcp");
  assert.deepEqual(options.scenarios, scenariosOf(FULL));
  assert.ok(options.contenders.includes("redis") && !options.contenders.includes("Bun, publish"));
  assert.ok(options.isOwnPlace && options.out!.href.endsWith("/bench/peers/results/"));
});

Deno.test("readOptions of peers knows what is compared by WebSocket, with the relay by TCP beside it", () => {
  const options = readOptions(["--transport", "websocket"])!;
  const names = ["1to10", "1to30", "class", "lecture", "idle1000"];
  assert.deepEqual(options.scenarios.map(({ name }) => name), names);
  for (const name of ["eventrelay", "Bun, publish", "ws on Node", "Socket.IO", "mosquitto, WebSocket"]) {
    assert.ok(options.contenders.includes(name), name);
  }
  assert.ok(!options.contenders.includes("redis"));
  assert.ok(options.isOwnPlace && options.out!.href.endsWith("/bench/peers/results/websocket/"));
});

Deno.test("readOptions of peers writes only what a whole run has measured, unless a folder is given", () => {
  for (const args of [["--quick"], ["--scenario", "class"], ["--contender", "redis"]]) {
    assert.equal(readOptions(args)!.out, null);
  }
  const { out, isOwnPlace } = readOptions(["--quick", "--out", "there"])!;
  assert.ok(out!.href.endsWith("/there/") && !isOwnPlace);
  assert.ok(readOptions(["--report", "--quick"])!.isOwnPlace);
});

Deno.test("readOptions of peers takes scenarios by name and by group, and rounds for all", () => {
  const { scenarios } = readOptions(["--scenario", "game", "--scenario", "1to1", "--rounds", "7"])!;
  assert.deepEqual(scenarios.map(({ name }) => name), ["1to1", "class", "lecture", "crowd"]);
  assert.ok(scenarios.every(({ rounds }) => rounds === 7));
});

Deno.test("readOptions of peers refuses what there isn't", () => {
  const wrong: [args: string[], message: RegExp][] = [
    [["--transport", "udp"], /^Cannot use --transport "udp": it is tcp or websocket$/],
    [["--scenario", "school"], /^Cannot find "school": there are 1to1; /],
    [["--contender", "zeromq"], /^Cannot find "zeromq": there are eventrelay; /],
    [["--rounds", "0"], /^Cannot use --rounds "0"/],
    [["--relay", " "], /^Cannot use --relay ""/],
    [["--out", ""], /^Cannot use --out ""/],
    [["--contender", "eventrelay, before"], /^Cannot find "eventrelay, before"/],
  ];
  for (const [args, message] of wrong) {
    assert.throws(
      () => readOptions(args),
      (error) => error instanceof RangeError && message.test(error.message),
    );
  }
  assert.ok(contenderNames({ relay: null, before: ["x"] }).includes("eventrelay, before"));
  assert.equal(readOptions(["--help", "--quick"]), null);
});

Deno.test("replaced puts text into each place of the page, and into no other", async () => {
  const page = await Deno.readTextFile(new URL("../../../bench/README.md", import.meta.url));
  for (const place of Object.keys(PLACES) as (keyof typeof PLACES)[]) {
    const other = replaced(page, place, "some text");
    assert.equal(other.split("some text").length, 2);
    assert.equal(replaced(other, place, "some text"), other);
  }
  assert.throws(
    () => replaced("", "peers", "text"),
    /^Error: Cannot write peers: bench\/README\.md has no place/,
  );
});
