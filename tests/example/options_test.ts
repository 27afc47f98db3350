// The command line and the status lines of the example.

import assert from "node:assert/strict";
import { HELP, parseOptions } from "../../example/options.ts";
import {
  Rates,
  type Report,
  rosterLine,
  type SplitReport,
  splitStatusLine,
  splitStatusRecord,
  statusLine,
  statusRecord,
} from "../../example/status.ts";

Deno.test("parseOptions has defaults for everything", () => {
  assert.deepEqual(parseOptions([]), {
    target: "localhost",
    room: undefined,
    plain: false,
    token: undefined,
    hz: 10,
    balls: 10,
    name: "player",
    drawing: { strategy: "blend", walls: true },
    fps: 30,
    split: false,
    simulate: undefined,
    network: "wifi",
    record: undefined,
    seconds: Infinity,
    seed: undefined,
    help: false,
  });
});

Deno.test("parseOptions takes every flag", () => {
  const line = "ifilab100:32101 --hz 2.5 --balls 0 --name ada --strategy history --walls unknown --fps 60 " +
    "--seconds 3 --seed 7 --help --room pong --token abc --simulate mobile,seed=3 --record a.jsonl";
  assert.deepEqual(parseOptions(line.split(" ")), {
    target: "ifilab100:32101",
    room: "pong",
    plain: false,
    token: "abc",
    hz: 2.5,
    balls: 0,
    name: "ada",
    drawing: { strategy: "history", walls: false },
    fps: 60,
    split: false,
    simulate: "mobile,seed=3",
    network: "mobile,seed=3",
    record: "a.jsonl",
    seconds: 3,
    seed: 7,
    help: true,
  });
});

Deno.test("parseOptions refuses what it does not know, in one line that says what is allowed", () => {
  const cases: [args: string[], error: typeof Error, message: RegExp][] = [
    [["a", "b"], TypeError, /"b".*one TARGET/],
    [["--nope"], TypeError, /^Cannot use "--nope": it is no option$/],
    [["-x"], TypeError, /^Cannot use "-x": it is no option$/],
    [["--hz"], TypeError, /^Cannot use --hz without a value: /],
    [["--name", "--balls", "3"], TypeError, /^Cannot use --name without a value: .* --name=-1$/],
    [["--plain=yes"], TypeError, /^Cannot use --plain with a value: --plain alone is allowed$/],
    [["--name", "ada", "--name", "bo"], TypeError, /^Cannot use --name twice: it is "ada" and "bo", one/],
    [["--hz", "fast"], TypeError, /--hz "fast".*number from 0.1 to 100/],
    [["--hz="], TypeError, /--hz "".*number/],
    [["--hz", "0"], RangeError, /--hz 0:/],
    [["--hz", "Infinity"], RangeError, /--hz Infinity/],
    [["--fps", "500"], RangeError, /1 to 120/],
    [["--balls", "1.5"], RangeError, /whole number/],
    [["--balls", "-1"], TypeError, /--balls without a value: .* --balls=-1$/],
    [["--balls=-1"], RangeError, /0 to 1000/],
    [["--balls", "1001"], RangeError, /0 to 1000/],
    [["--extrapolate", "magic"], RangeError, /"magic".*none or speed/],
    [["--strategy", "magic"], RangeError, /"magic".*hold, speed, history, blend or interpolate/],
    [["--strategy", "hold", "--extrapolate", "none"], TypeError, /--extrapolate beside --strategy/],
    [["--walls", "none"], RangeError, /"none".*known or unknown/],
    [["--simulate", "dial-up"], RangeError, /"dial-up".*lan, wifi/],
    [["--plain", "--token", "abc"], TypeError, /--token beside --plain/],
    [["--plain", "--simulate", "wifi"], TypeError, /--simulate beside --plain/],
    [["--split", "--room", "a"], TypeError, /--room beside --split/],
    [["--split", "ifilab100"], TypeError, /"ifilab100" beside --split/],
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

Deno.test("parseOptions keeps --extrapolate as another name of two strategies", () => {
  assert.equal(parseOptions(["--extrapolate", "none"]).drawing.strategy, "hold");
  assert.equal(parseOptions(["--extrapolate", "speed"]).drawing.strategy, "speed");
});

Deno.test("parseOptions does not know the walls in a split game, unless told so", () => {
  assert.equal(parseOptions(["--split"]).drawing.walls, false);
  assert.equal(parseOptions(["--split", "--walls", "known"]).drawing.walls, true);
});

Deno.test("HELP names every flag and the permission, in under 30 lines of a terminal's width", () => {
  const lines = HELP.trimEnd().split("\n");
  assert.ok(lines.length < 30, `${lines.length} lines`);
  assert.ok(lines.every((line) => line.length <= 100));
  const flags = ["name", "room", "token", "plain", "balls", "hz", "fps", "strategy", "extrapolate", "walls"];
  for (const flag of [...flags, "split", "simulate", "record", "seconds", "seed", "help"]) {
    assert.match(HELP, new RegExp(`--${flag} `), flag);
  }
  assert.match(HELP, /--allow-net/);
});

Deno.test("Rates are per second, new once a second, whatever the frames are like", () => {
  const rates = new Rates(5000);
  assert.equal(rates.frame({ received: 5, sent: 1 }, 5500), false);
  assert.equal(rates.frame({ received: 5, sent: 1 }, 5999), false);
  assert.deepEqual(rates.perSecond, { frames: 0, received: 0, sent: 0 });
  assert.equal(rates.frame({ received: 100, sent: 50 }, 6000), true);
  assert.deepEqual(rates.perSecond, { frames: 3, received: 100, sent: 50 });
  // A pause of two seconds counts as two.
  assert.equal(rates.frame({ received: 300, sent: 50 }, 8000), true);
  assert.deepEqual(rates.perSecond, { frames: 1, received: 100, sent: 0 });
});

Deno.test("statusLine and statusRecord tell the same numbers", () => {
  const report: Report = {
    connection: "reconnecting",
    detail: "connection refused",
    perSecond: { frames: 30, received: 990, sent: 100 },
    own: 10,
    others: 99,
    ignored: 3,
    drawing: { strategy: "hold", walls: true },
  };
  assert.equal(
    statusLine(report, 132),
    " reconnecting: connection refused | 10 balls, 99 others | 1: hold | in 990/s, out 100/s | w: walls known"
      .concat(" | 30 frames/s").padEnd(122) +
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
    drawing: { strategy: "hold", walls: true },
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
    drawing: { strategy: "blend", walls: false },
  };
  const cases: [cols: number, line: string][] = [
    [20, " connected"],
    [40, " connected".padEnd(30) + " | q: quit"],
    [80, " connected | 10 balls, 99 others | 4: blend | in 990/s, out 100/s".padEnd(70) + " | q: quit"],
    [
      136,
      " connected | 10 balls, 99 others | 4: blend | in 990/s, out 100/s | w: walls unknown | 30 frames/s"
        .concat(" | ifilab100:32100").padEnd(126) +
      " | q: quit",
    ],
  ];
  for (const [cols, line] of cases) assert.equal(statusLine(report, cols), line);
  const broken = { ...report, connection: "reconnecting", detail: "connection refused" };
  assert.equal(statusLine(broken, 40), " reconnecting: connection refu | q: quit");
});

Deno.test("splitStatusLine and splitStatusRecord tell how far off the picture is", () => {
  const report: SplitReport = {
    drawing: { strategy: "interpolate", walls: false },
    network: "wifi",
    rms: 3.14159,
    worst: 27.1828,
    delayMs: 123.4,
    perSecond: { frames: 30, received: 99, sent: 100 },
  };
  assert.equal(
    splitStatusLine(report, 130),
    " error 3.1 px, worst 27.2 | 5: interpolate | w: walls unknown | 123 ms late | 99 updates/s | 30 frames/s | wifi"
      .padEnd(120) + " | q: quit",
  );
  assert.equal(splitStatusLine(report, 40), " error 3.1 px, worst 27.2".padEnd(30) + " | q: quit");
  assert.equal(
    splitStatusRecord(report),
    "strategy=interpolate walls=unknown error=3.14 worst=27.2 delay=123 frames/s=30 in/s=99 out/s=100",
  );
});
