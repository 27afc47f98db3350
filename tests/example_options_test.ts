// The command line and the status lines of the example.

import assert from "node:assert/strict";
import { HELP, parseOptions } from "../example/options.ts";
import { Rates, type Report, rosterLine, statusLine, statusRecord } from "../example/status.ts";

Deno.test("parseOptions has defaults for everything", () => {
  assert.deepEqual(parseOptions([]), {
    target: "localhost",
    room: undefined,
    plain: false,
    token: undefined,
    hz: 10,
    balls: 10,
    name: "player",
    extrapolate: "speed",
    fps: 30,
    seconds: Infinity,
    seed: undefined,
    help: false,
  });
});

Deno.test("parseOptions takes every flag", () => {
  const line =
    "ifilab100:32101 --hz 2.5 --balls 0 --name ada --extrapolate none --fps 60 --seconds 3 --seed 7 --help --room pong --plain --token abc";
  assert.deepEqual(parseOptions(line.split(" ")), {
    target: "ifilab100:32101",
    room: "pong",
    plain: true,
    token: "abc",
    hz: 2.5,
    balls: 0,
    name: "ada",
    extrapolate: "none",
    fps: 60,
    seconds: 3,
    seed: 7,
    help: true,
  });
});

Deno.test("parseOptions refuses what it does not know, in one line that says what is allowed", () => {
  const cases: [args: string[], error: typeof Error, message: RegExp][] = [
    [["a", "b"], TypeError, /"b".*one TARGET/],
    [["--nope"], TypeError, /--nope/],
    [["--hz"], TypeError, /--hz/],
    [["--hz", "fast"], TypeError, /--hz "fast".*number from 0.1 to 100/],
    [["--hz="], TypeError, /--hz "".*number/],
    [["--hz", "0"], RangeError, /--hz 0:/],
    [["--hz", "Infinity"], RangeError, /--hz Infinity/],
    [["--fps", "500"], RangeError, /1 to 120/],
    [["--balls", "1.5"], RangeError, /whole number/],
    [["--balls", "-1"], TypeError, /--balls/],
    [["--balls=-1"], RangeError, /0 to 1000/],
    [["--balls", "1001"], RangeError, /0 to 1000/],
    [["--extrapolate", "magic"], RangeError, /"magic".*none or speed/],
    [["--name", "a b"], RangeError, /"a b".*1 to 32/],
    [["--token"], TypeError, /--token/],
    [["--name", "\x1b[2J"], RangeError, /--name/],
    [["--seconds", "0"], RangeError, /--seconds/],
    [["--seed", "0.5"], RangeError, /whole number/],
  ];
  for (const [args, error, message] of cases) {
    assert.throws(() => parseOptions(args), (thrown) => {
      assert.ok(thrown instanceof error, `${args}: ${thrown}`);
      assert.match(thrown.message, message);
      assert.match(thrown.message, /^[\x20-\x7e]+$/, "one line, nothing a terminal would obey");
      return true;
    });
  }
});

Deno.test("HELP names every flag and the permission, in under 30 lines of a terminal's width", () => {
  const lines = HELP.trimEnd().split("\n");
  assert.ok(lines.length < 30, `${lines.length} lines`);
  assert.ok(lines.every((line) => line.length <= 100));
  for (
    const flag of [
      "balls",
      "name",
      "room",
      "plain",
      "token",
      "hz",
      "fps",
      "extrapolate",
      "seconds",
      "seed",
      "help",
    ]
  ) {
    assert.ok(lines.some((line) => line.startsWith(`  --${flag} `)), flag);
  }
  assert.match(HELP, /--allow-net/);
});

Deno.test("Rates are per second, new once a second, whatever the frames are like", () => {
  const rates = new Rates(5000);
  assert.equal(rates.update({ frames: 29, received: 5, sent: 1 }, 5999), false);
  assert.deepEqual(rates.perSecond, { frames: 0, received: 0, sent: 0 });
  assert.equal(rates.update({ frames: 30, received: 100, sent: 50 }, 6000), true);
  assert.deepEqual(rates.perSecond, { frames: 30, received: 100, sent: 50 });
  // A pause of two seconds counts as two.
  assert.equal(rates.update({ frames: 40, received: 300, sent: 50 }, 8000), true);
  assert.deepEqual(rates.perSecond, { frames: 5, received: 100, sent: 0 });
});

Deno.test("statusLine and statusRecord tell the same numbers", () => {
  const report: Report = {
    connection: "reconnecting",
    detail: "connection refused",
    perSecond: { frames: 30, received: 990, sent: 100 },
    own: 10,
    others: 99,
    ignored: 3,
    extrapolate: "none",
  };
  assert.equal(
    statusLine(report, 118),
    " reconnecting: connection refused | 10 balls, 99 others | 30 frames/s | in 990/s, out 100/s | e: none"
      .padEnd(108) +
      " | q: quit",
  );
  assert.equal(
    statusRecord(report),
    "connection=reconnecting frames/s=30 in/s=990 out/s=100 own=10 others=99 ignored=3",
  );
});

Deno.test("statusRecord ends with who is there in a session", () => {
  const report: Report = {
    connection: "connected",
    detail: "",
    roster: { room: "lobby", own: { name: "ada", rttMs: 0.42 }, others: [{ name: "bo" }, { name: "cy" }] },
    perSecond: { frames: 30, received: 0, sent: 0 },
    own: 1,
    others: 0,
    ignored: 0,
    extrapolate: "none",
  };
  assert.match(statusRecord(report), / ignored=0 members=3 rtt=0\.4$/);
});

Deno.test("rosterLine names us first, then as many as there is room for, and counts the rest", () => {
  const roster = {
    room: "pong",
    own: { name: "ada", rttMs: 0.42 },
    others: [{ name: "bo", rttMs: 12.3 }, { name: "k3" }, { name: "cy", rttMs: 9.96 }],
  };
  const cases: [cols: number, line: string][] = [
    [80, " pong: ada (you) 0.4 ms | bo 12 ms | k3 | cy 10 ms"],
    [50, " pong: ada (you) 0.4 ms | bo 12 ms | k3 | cy 10 ms"],
    [49, " pong: ada (you) 0.4 ms | bo 12 ms | k3 | +1"],
    [43, " pong: ada (you) 0.4 ms | bo 12 ms | +2"],
    [30, " pong: ada (you) 0.4 ms | +3"],
  ];
  for (const [cols, line] of cases) assert.equal(rosterLine(roster, cols), line);
});

Deno.test("statusLine shows as much as there is room for, and the way out", () => {
  const report: Report = {
    connection: "connected",
    detail: "ifilab100:32100",
    perSecond: { frames: 30, received: 990, sent: 100 },
    own: 10,
    others: 99,
    ignored: 0,
    extrapolate: "speed",
  };
  const cases: [cols: number, line: string][] = [
    [20, " connected"],
    [40, " connected".padEnd(30) + " | q: quit"],
    [80, " connected | 10 balls, 99 others | 30 frames/s | in 990/s, out 100/s".padEnd(70) + " | q: quit"],
    [
      115,
      " connected | 10 balls, 99 others | 30 frames/s | in 990/s, out 100/s | e: speed | ifilab100:32100"
        .padEnd(105) +
      " | q: quit",
    ],
  ];
  for (const [cols, line] of cases) assert.equal(statusLine(report, cols), line);
  const broken = { ...report, connection: "reconnecting", detail: "connection refused" };
  assert.equal(statusLine(broken, 40), " reconnecting: connection refu | q: quit");
});
