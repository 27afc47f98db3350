// The example as its users run it, without a terminal: what it prints, how it ends, that it outlives the
// relay, who sees whom in sessions, and that it and the Python client see each other's balls. Without python3
// the Python tests are skipped, and say so.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { STEPS_HZ } from "../../bench/motion/paths.ts";
import { parseTrace } from "../../bench/motion/traces.ts";
import { connect } from "../../client.ts";
import { asBallEvent, type BallEvent } from "../../example/ball_event.ts";
import { DEADLINE_MS, until } from "../support/deadline.ts";
import { NewRelay } from "../support/new_relay.ts";
import { OldRelay } from "../support/old_relay.ts";
import { hasPython } from "../support/python.ts";
import { sideBySide } from "../support/side_by_side.ts";

const MAIN = fileURLToPath(import.meta.resolve("../../example/main.ts"));
const BALLS_PY = fileURLToPath(import.meta.resolve("../../example/python/balls.py"));
const PYTHON_DIRECTORY = fileURLToPath(import.meta.resolve("../../example/python/"));

/** A program whose lines are read as they come. */
class Program implements AsyncDisposable {
  readonly lines: string[] = [];
  errors = "";
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;

  constructor(command: string, args: string[], variables: Record<string, string> = {}) {
    const env = { PYTHONDONTWRITEBYTECODE: "1", NO_COLOR: "1", ...variables };
    this.#process = new Deno.Command(command, { args, env, stdin: "null", stdout: "piped", stderr: "piped" })
      .spawn();
    this.#reading = Promise.all([this.#readLines(), this.#readErrors()]);
  }

  /** Waits until a line that comes after the first `from` lines matches. */
  async line(pattern: RegExp, from = 0): Promise<void> {
    const found = () => this.lines.slice(from).some((line) => pattern.test(line));
    await until(found, `${pattern} in ${JSON.stringify(this.lines)}, ${this.errors}`, DEADLINE_MS);
  }

  /** Waits for the end; returns the exit code. */
  async end(): Promise<number> {
    await this.#reading;
    return (await this.#process.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.end();
  }

  async #readLines(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      this.lines.push(...lines);
    }
  }

  async #readErrors(): Promise<void> {
    for await (const text of this.#process.stderr.pipeThrough(new TextDecoderStream())) this.errors += text;
  }
}

/** Runs the example with exactly the permission its help names. */
function example(...args: string[]): Program {
  return new Program(Deno.execPath(), ["run", "--no-prompt", "--allow-net", MAIN, ...args]);
}

function python(...args: string[]): Program {
  return new Program("python3", [BALLS_PY, ...args]);
}

/** Runs Python code that has `Relay`, and the relay's port as sys.argv[1]. */
function pythonCode(code: string, relay: OldRelay): Program {
  const preamble = `import json, sys, time; sys.path.insert(0, sys.argv[2])\nfrom relay_client import *\n`;
  return new Program("python3", ["-c", preamble + code, `${relay.port}`, PYTHON_DIRECTORY]);
}

const ignore = !hasPython("import sys; assert sys.version_info >= (3, 8)");
if (ignore) console.warn("SKIPPED: the example's Python tests, which need python3, 3.8 or newer");

const test = sideBySide("the example without a terminal", 3);

test("example without a terminal prints a line a second, and stops by itself", async () => {
  await using relay = new OldRelay();
  await using game = example(relay.target, "--plain", "--seconds", "2.6", "--balls", "3", "--name", "ada");
  const member = await relay.member(0);
  assert.equal(await game.end(), 0);
  assert.equal(game.errors, "");
  assert.equal(game.lines.length, 2);
  for (const line of game.lines) {
    assert.match(line, /^connection=connected frames\/s=\d+ in\/s=0 out\/s=\d+ own=3 others=0 ignored=0$/);
  }
  // What goes over the wire: three balls, each with an id of its own that begins with the name.
  const events = member.lines.map((line) => JSON.parse(line));
  const ids = new Set<string>(events.map((event) => event.id));
  assert.equal(ids.size, 3);
  for (const id of ids) assert.match(id, /^ada-\w{6}-[123]$/);
  for (const event of events) assert.deepEqual(Object.keys(event), ["id", "pos", "vel"]);
  // 10 a second in 2.6 s, some of which it took to connect; a busy machine may send fewer, never more.
  assert.ok(events.length <= 3 * 27, `${events.length} events`);
});

test("example sees the balls of another one, and ignores what is no ball", async () => {
  await using relay = new OldRelay();
  await using ada = example(relay.target, "--plain", "--name", "ada", "--balls", "4");
  await using bo = example(relay.target, "--plain", "--name", "bo", "--balls", "7");
  await ada.line(/connection=connected .* own=4 others=7 ignored=0/);
  await bo.line(/connection=connected .* own=7 others=4 ignored=0/);
  for (const member of relay.members) await member.write(`{"move":"e2e4"}\nnot JSON\n[1,2]\n`);
  await ada.line(/others=7 ignored=2/);
  await bo.line(/others=4 ignored=2/);
});

test("example says why it can't connect, keeps trying, and plays once the relay is there", async () => {
  const relay = new OldRelay();
  await relay.stop();
  await using game = example(relay.target, "--plain", "--balls", "2");
  await game.line(/connection=connecting frames\/s=[1-9]/);
  assert.equal(
    game.errors,
    `example: Cannot connect to ${relay.target}: connection refused, is the relay running there (trying again)\n`,
  );
  relay.start();
  await using _stopping = relay;
  await game.line(/connection=connected .* out\/s=[1-9]/);
});

test("example and the Python client outlive a restart of the relay", async () => {
  await using relay = new OldRelay();
  await using game = example(relay.target, "--plain", "--balls", "2");
  await using other = ignore
    ? example(relay.target, "--plain", "--balls", "5")
    : python(relay.target, "--balls", "5");
  await game.line(/connection=connected .* others=5/);
  await relay.stop();
  await game.line(/connection=reconnecting/);
  await other.line(/connection=reconnecting/);
  relay.start();
  const before = game.lines.length, otherBefore = other.lines.length;
  await game.line(/connection=connected .*in\/s=[1-9].* others=5/, before);
  await other.line(/connection=connected .*in\/s=[1-9].* others=2/, otherBefore);
});

test("example prints what the relay complains about, once, with nothing a terminal would obey", async () => {
  await using relay = new OldRelay();
  await using game = example(relay.target, "--plain");
  const complaint = JSON.stringify({ $error: { code: "invalid_json", message: "no \x1b[2J good" } });
  await game.line(/connection=connected/);
  await relay.members[0].write(`${complaint}\n${complaint}\n`);
  const from = game.lines.length;
  await game.line(/ignored=0/, from + 1);
  assert.equal(game.errors, "example: the relay says: no ?[2J good\n");
});

test("example --split without a terminal prints how far off the picture is, and needs no permission", async () => {
  const args = ["run", "--no-prompt", MAIN, "--split", "--seed", "1", "--simulate", "delay=100ms,seed=1"];
  const runs: [strategy: string, least: number, most: number][] = [
    // Up to 200 ms old, at 40 to 200 px/s.
    ["hold", 5, 40],
    ["speed", 0, 0.5],
  ];
  for (const [strategy, least, most] of runs) {
    const flags = ["--strategy", strategy, "--walls", "known", "--seconds", "2.5"];
    await using game = new Program(Deno.execPath(), [...args, ...flags]);
    assert.equal(await game.end(), 0);
    assert.equal(game.errors, "");
    const error = Number(/^strategy=\w+ walls=known error=(\d+\.\d\d) worst=/.exec(game.lines[1])![1]);
    assert.ok(error >= least && error <= most, `${strategy}: ${game.lines[1]}`);
  }
});

test("example --record writes down where its balls are in each frame, for bench/motion", async () => {
  await using relay = new NewRelay();
  const file = await Deno.makeTempFile({ suffix: ".jsonl" });
  const allowed = [`--allow-write=${file}`, "--allow-net"];
  const flags = [relay.target, "--record", file, "--balls", "2", "--seconds", "1.5"];
  await using game = new Program(Deno.execPath(), ["run", "--no-prompt", ...allowed, MAIN, ...flags]);
  assert.equal(await game.end(), 0, game.errors);
  const objects = parseTrace(await Deno.readTextFile(file));
  await Deno.remove(file);
  assert.equal(objects.length, 2);
  for (const bodies of objects) {
    assert.ok(bodies.length > STEPS_HZ / 2, `${bodies.length} steps`);
    const [first, last] = [bodies[0], bodies[bodies.length - 1]];
    assert.ok(Math.hypot(last.x - first.x, last.y - first.y) > 1, "it moves");
  }
});

test("example in a session tells whose its balls are, when they were there, its name and its round trip", async () => {
  await using relay = new NewRelay();
  await using observer = await connect(relay.target);
  await using game = example(relay.target, "--name", "zoë", "--balls", "2");
  const balls: BallEvent[] = [];
  await until(
    () => {
      const nowMs = observer.now();
      for (const event of observer.drain()) {
        const ball = asBallEvent(event);
        assert.ok(ball, JSON.stringify(event));
        balls.push(ball);
        assert.ok(
          ball.t !== undefined && Math.abs(nowMs - ball.t) < 5000,
          `sent at ${ball.t}, now is ${nowMs}`,
        );
      }
      return balls.length >= 20;
    },
    "20 events",
    DEADLINE_MS,
  );
  const [peer] = observer.peers.values();
  assert.equal(peer.name, "zoë");
  assert.ok(balls.every(({ owner }) => owner === peer.id));
  await until(() => typeof peer.state.rtt === "number" && peer.state.rtt > 0, "the round trip", DEADLINE_MS);
  await game.line(/^connection=connected .* own=2 others=0 ignored=0 members=2 rtt=\d+(\.\d)?$/);
});

test("example takes the balls of a member away at once when it leaves", async () => {
  await using relay = new NewRelay();
  await using stays = example(relay.target, "--balls", "4");
  await using leaves = example(`${relay.target}/lobby`, "--balls", "7", "--seconds", "3");
  await stays.line(/others=7 ignored=0 members=2/);
  assert.equal(await leaves.end(), 0);
  const from = stays.lines.length;
  await stays.line(/others=0 ignored=0 members=1/, from);
  assert.ok(!stays.lines.some((line) => /others=7 .* members=1/.test(line)), stays.lines.join("\n"));
});

test("example plays with those in its room, and in the lobby with plain clients too", async () => {
  await using relay = new NewRelay();
  await using pong = example(`${relay.target}/pong`, "--balls", "1");
  await using alsoPong = example(relay.target, "--room", "pong", "--balls", "2");
  await using lobby = example(relay.target, "--balls", "3");
  await using plain = example(relay.target, "--plain", "--balls", "4");
  await pong.line(/own=1 others=2 ignored=0 members=2/);
  await alsoPong.line(/own=2 others=1 ignored=0 members=2/);
  await lobby.line(/own=3 others=4 ignored=0 members=1/);
  await plain.line(/own=4 others=3 ignored=\d+$/); // a round trip set as state arrives there as a bare number
});

test("example in a session goes on after a break as if nothing had been, and begins anew after a restart", async () => {
  await using relay = new NewRelay();
  const left: string[] = [];
  await using observer = await connect(relay.target, { onLeave: ({ name }) => left.push(name) });
  await using ada = example(relay.target, "--balls", "2", "--name", "ada");
  await using bo = example(relay.target, "--balls", "5", "--name", "bo");
  const bothPlay = async () => {
    const [fromAda, fromBo] = [ada.lines.length, bo.lines.length];
    await ada.line(/connection=connected .*in\/s=[1-9].* others=5 ignored=0 members=3/, fromAda);
    await bo.line(/connection=connected .*in\/s=[1-9].* others=2 ignored=0 members=3/, fromBo);
  };
  await bothPlay();
  relay.cut();
  await bothPlay();
  assert.equal(observer.stats.reconnects, 1);
  assert.deepEqual(left, []);
  assert.equal(observer.stats.lost, 0);
  await relay.stop();
  await ada.line(/connection=reconnecting/);
  await bo.line(/connection=reconnecting/);
  relay.start();
  await bothPlay();
});

test("example enters with a token, from the command line or the environment, and says if it needs one", async () => {
  await using relay = new NewRelay({ token: "open sesame" });
  await using refused = example(relay.target);
  assert.equal(await refused.end(), 1);
  assert.match(refused.errors, /^example: Cannot connect to .*token.*\n$/);
  await using flag = example(relay.target, "--token", "open sesame");
  await flag.line(/connection=connected/);
  await using variable = new Program(
    Deno.execPath(),
    ["run", "--no-prompt", "--allow-net", "--allow-env=EVENTRELAY_TOKEN", MAIN, relay.target],
    { EVENTRELAY_TOKEN: "open sesame" },
  );
  await variable.line(/connection=connected .* members=2/);
});

test("example asks the relay for a bad network, and says if it may not have one", async () => {
  await using relay = new NewRelay();
  await using game = example(relay.target, "--simulate", "delay=300ms");
  await game.line(/^connection=connected .* rtt=[1-3]\d\d$/); // smoothed: it takes a while to come near
  await using strict = new NewRelay({ allowsSimulation: false });
  await using refused = example(strict.target, "--simulate", "delay=300ms");
  assert.equal(await refused.end(), 1);
  assert.match(refused.errors, /--no-simulate\n$/);
});

test("example says what to do at a relay that knows no sessions", async () => {
  await using relay = new OldRelay();
  await using game = example(relay.target);
  await until(() => game.errors !== "", "a message", DEADLINE_MS);
  assert.match(game.errors, /older relay, connect with --plain .*\(trying again\)\n$/);
});

test("example refuses a bad command line with one clear line and exit code 2", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--hz", "0"], /^example: Cannot use --hz 0: it is a number from 0.1 to 100. Try --help\n$/],
    [["--nope"], /^example: Cannot use "--nope": it is no option\. Try --help\n$/],
    [["localhost/a", "--room", "b"], /^example: Cannot connect: the target names another room/],
    [["--room", "a", "--plain"], /^example: Cannot connect: a plain client is in the room "lobby"/],
    [["localhost:99999"], /^example: Cannot connect to localhost:99999: a port is 1 to 65535\n$/],
  ];
  for (const [args, message] of cases) {
    await using game = example(...args);
    assert.equal(await game.end(), 2);
    assert.match(game.errors, message);
    assert.deepEqual(game.lines, []);
  }
});

test("example without the network permission says which one it needs", async () => {
  await using game = new Program(Deno.execPath(), ["run", "--no-prompt", MAIN, "127.0.0.1:9"]);
  assert.equal(await game.end(), 1);
  assert.match(game.errors, /^example: .*--allow-net=127.0.0.1:9\n$/);
});

test(
  { name: "example ends quietly when nobody reads its lines", ignore: Deno.build.os === "windows" },
  async () => {
    await using relay = new OldRelay();
    const game = `"${Deno.execPath()}" run --no-prompt --allow-net "${MAIN}" ${relay.target} --plain`;
    await using pipe = new Program("bash", ["-c", `${game} | head -n 1; echo "\${PIPESTATUS[0]}"`]);
    assert.equal(await pipe.end(), 0);
    assert.equal(pipe.lines.length, 2);
    assert.equal(pipe.lines[1], "0");
    assert.equal(pipe.errors, "");
  },
);

/**
 * Runs a command whose output goes into a pipe that is full; a line on stdin makes it end it, and tell the
 * exit code.
 */
const FULL_PIPE = `
import os, subprocess, sys
reading, writing = os.pipe()
os.set_blocking(writing, False)
try:
    while True: os.write(writing, b"x" * 4096)
except BlockingIOError: pass
os.set_blocking(writing, True)
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=writing, stderr=writing)
print("full", flush=True)
sys.stdin.readline()
child.terminate()
try: print(child.wait(15))
except subprocess.TimeoutExpired: child.kill(); print("hangs")
`;

test(
  { name: "example plays on and ends at a signal while nobody reads its lines", ignore },
  async () => {
    await using relay = new OldRelay();
    relay.isForgetful = true;
    const game = [Deno.execPath(), "run", "--no-prompt", "--allow-net", MAIN, relay.target, "--plain"];
    const holder = new Deno.Command("python3", {
      args: ["-c", FULL_PIPE, ...game],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    await using watcher = await connect(relay.target, { plain: true });
    // Of four seconds, in which it would have printed four lines.
    await until(() => watcher.stats.received > 400, "events from a game that nobody reads", DEADLINE_MS);
    await holder.stdin.close();
    const { stdout } = await holder.output();
    assert.equal(new TextDecoder().decode(stdout), "full\n143\n");
  },
);

test({ name: "example and the Python client see each other's balls", ignore }, async () => {
  await using relay = new OldRelay();
  await using game = example(relay.target, "--plain", "--balls", "4");
  await using other = python(relay.target, "--balls", "6", "--name", "py", "--seconds", "3.5");
  await game.line(/connection=connected .* own=4 others=6 ignored=0/);
  await other.line(/connection=connected .* own=6 others=4 ignored=0/);
  assert.equal(await other.end(), 0);
  assert.equal(other.errors, "");
});

test({
  name: "Python Relay keeps what is sent before there is a connection, and close() writes it out",
  ignore,
}, async () => {
  await using relay = new OldRelay();
  await using program = pythonCode(
    `
relay = Relay("127.0.0.1", int(sys.argv[1]))
for number in range(2000): relay.send({"number": number, "text": "grün"})
relay.close()
relay.send("too late")
print(relay.status, relay.sent, relay.dropped)
`,
    relay,
  );
  const member = await relay.member(0);
  assert.equal(await program.end(), 0, program.errors);
  await member.ended;
  assert.deepEqual(program.lines, ["closed 2000 0"]);
  assert.deepEqual(
    member.lines.map((line) => JSON.parse(line)),
    Array.from({ length: 2000 }, (_, number) => ({ number, text: "grün" })),
  );
});

test(
  { name: "Python Relay drains what arrived, in order, and skips what is no JSON", ignore },
  async () => {
    await using relay = new OldRelay();
    await using program = pythonCode(
      `
relay = Relay("127.0.0.1", int(sys.argv[1]))
events = []
while len(events) < 5:
    events += relay.drain()
    time.sleep(0.01)
print(json.dumps(events), relay.invalid, relay.received)
relay.close()
print(relay.drain())
`,
      relay,
    );
    const member = await relay.member(0);
    // Cut in the middle of a line and of a character.
    const bytes = new TextEncoder().encode(
      `1\r\n\n{"a":"ü"}\nnope\n{"$error":{"code":"x","message":"\\u001b[2J"}}\nNaN\n"three"\n[4]\nnull\n`,
    );
    for (let at = 0; at < bytes.length; at += 5) await member.write(bytes.subarray(at, at + 5));
    assert.equal(await program.end(), 0, program.errors);
    assert.deepEqual(program.lines, [`[1, {"a": "\\u00fc"}, "three", [4], null] 2 5`, "[]"]);
    assert.equal(program.errors, "relay: the relay says: \\x1b[2J\n");
  },
);

test({ name: "Python Relay refuses what is not JSON, and too long a line", ignore }, async () => {
  await using relay = new OldRelay();
  await using program = pythonCode(
    `
relay = Relay("127.0.0.1", int(sys.argv[1]))
for event in [float("nan"), float("-inf"), {1, 2}, "x" * 65535, "x" * 65534]:
    try:
        relay.send(event)
        print("sent")
    except (TypeError, ValueError) as error:
        print(type(error).__name__)
relay.close()
`,
    relay,
  );
  assert.equal(await program.end(), 0, program.errors);
  assert.deepEqual(program.lines, ["ValueError", "ValueError", "TypeError", "ValueError", "sent"]);
});

test(
  { name: "Python Relay bounds what it keeps while away, the newest stay, and are counted", ignore },
  async () => {
    const relay = new OldRelay();
    await relay.stop();
    await using program = pythonCode(
      `
relay = Relay("127.0.0.1", int(sys.argv[1]))
for number in range(40): relay.send([number, "x" * 10_000])
print(relay.dropped, flush=True)
while relay.sent < 26: time.sleep(0.01)
relay.close()
`,
      relay,
    );
    await program.line(/^\d+$/);
    relay.start();
    await using _stopping = relay;
    const member = await relay.member(0);
    assert.equal(await program.end(), 0, program.errors);
    await member.ended;
    const numbers = member.lines.map((line) => JSON.parse(line)[0]);
    assert.deepEqual(program.lines, ["14"]);
    assert.deepEqual(numbers, Array.from({ length: 26 }, (_, i) => i + 14));
  },
);

test({ name: "Python Relay sends a line that was cut by a break again, whole", ignore }, async () => {
  await using relay = new OldRelay();
  relay.isReadingPaused = true;
  await using program = pythonCode(
    `
stuck, before = 0, -1
def on_lost(reason, count):  # is told by the thread that writes, after it has tried to
    global stuck, before
    stuck = stuck + 1 if relay.sent == before else 0
    before = relay.sent
relay = Relay("127.0.0.1", int(sys.argv[1]), on_lost=on_lost)
number = 0
while stuck < 10:  # until the outbox is full because the connection takes no more, not because nobody has written yet
    relay.send([number, "x" * 60_000])
    number += 1
    time.sleep(0.001)
print("full", flush=True)
while relay.sent + relay.dropped < number: time.sleep(0.01)
relay.close()
print(relay.sent, relay.dropped, number)
`,
    relay,
  );
  await program.line(/^full$/);
  await relay.stop();
  relay.isReadingPaused = false;
  relay.start();
  const member = await relay.member(1);
  assert.equal(await program.end(), 0, program.errors);
  await member.ended;
  const numbers = member.lines.map((line) => JSON.parse(line)[0]);
  const [sent, dropped, count] = program.lines[1].split(" ").map(Number);
  assert.equal(sent + dropped, count, "the line that was cut is one of both");
  assert.ok(numbers[1] > numbers[0] + 1, `${numbers}: it is the first, before those that pushed others out`);
  assert.equal(numbers.at(-1), count - 1);
});
