// The example as its users run it, without a terminal: what it prints, how it ends, that it outlives the relay, and
// that it and the Python client see each other's balls. Without python3 the Python tests are skipped, and say so.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { OldRelay, until } from "./old_relay.ts";

const MAIN = fileURLToPath(import.meta.resolve("../example/main.ts"));
const BALLS_PY = fileURLToPath(import.meta.resolve("../example/python/balls.py"));
const PYTHON_DIRECTORY = fileURLToPath(import.meta.resolve("../example/python/"));

/** A safety net only: a wait that takes this long has failed. */
const DEADLINE_MS = 20_000;

/** A program whose lines are read as they come. */
class Program implements AsyncDisposable {
  readonly lines: string[] = [];
  errors = "";
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;

  constructor(command: string, args: string[]) {
    const env = { PYTHONDONTWRITEBYTECODE: "1", NO_COLOR: "1" };
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
  const preamble = `import sys, time; sys.path.insert(0, sys.argv[2])\nfrom relay_client import *\n`;
  return new Program("python3", ["-c", preamble + code, `${relay.port}`, PYTHON_DIRECTORY]);
}

function hasPython(): boolean {
  try {
    return new Deno.Command("python3", { args: ["-c", "import sys; assert sys.version_info >= (3, 8)"] })
      .outputSync().success;
  } catch {
    return false;
  }
}

const ignore = !hasPython();
if (ignore) console.warn("SKIPPED: the example's Python tests, which need python3, 3.8 or newer");

Deno.test("example without a terminal prints a line a second, and stops by itself", async () => {
  await using relay = new OldRelay();
  await using game = example(relay.target, "--seconds", "2.6", "--balls", "3", "--name", "ada");
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

Deno.test("example sees the balls of another one, and ignores what is no ball", async () => {
  await using relay = new OldRelay();
  await using ada = example(relay.target, "--name", "ada", "--balls", "4");
  await using bo = example(relay.target, "--name", "bo", "--balls", "7");
  await ada.line(/connection=connected .* own=4 others=7 ignored=0/);
  await bo.line(/connection=connected .* own=7 others=4 ignored=0/);
  for (const member of relay.members) await member.write(`{"move":"e2e4"}\nnot JSON\n[1,2]\n`);
  await ada.line(/others=7 ignored=2/);
  await bo.line(/others=4 ignored=2/);
});

Deno.test("example says why it can't connect, keeps trying, and plays once the relay is there", async () => {
  const relay = new OldRelay();
  await relay.stop();
  await using game = example(relay.target, "--balls", "2");
  await game.line(/connection=connecting frames\/s=[1-9]/);
  assert.equal(
    game.errors,
    `example: Cannot connect to ${relay.target}: connection refused, is the relay running there (trying again)\n`,
  );
  relay.start();
  await using _stopping = relay;
  await game.line(/connection=connected .* out\/s=[1-9]/);
});

Deno.test("example and the Python client outlive a restart of the relay", async () => {
  await using relay = new OldRelay();
  await using game = example(relay.target, "--balls", "2");
  await using other = ignore ? example(relay.target, "--balls", "5") : python(relay.target, "--balls", "5");
  await game.line(/connection=connected .* others=5/);
  await relay.stop();
  await game.line(/connection=reconnecting/);
  await other.line(/connection=reconnecting/);
  relay.start();
  const before = game.lines.length, otherBefore = other.lines.length;
  await game.line(/connection=connected .*in\/s=[1-9].* others=5/, before);
  await other.line(/connection=connected .*in\/s=[1-9].* others=2/, otherBefore);
});

Deno.test("example prints what the relay complains about, once, with nothing a terminal would obey", async () => {
  await using relay = new OldRelay();
  await using game = example(relay.target);
  const complaint = JSON.stringify({ $error: { code: "invalid_json", message: "no \x1b[2J good" } });
  await game.line(/connection=connected/);
  await relay.members[0].write(`${complaint}\n${complaint}\n`);
  const from = game.lines.length;
  await game.line(/ignored=0/, from + 1);
  assert.equal(game.errors, "example: the relay says: no ?[2J good\n");
});

Deno.test("example refuses a bad command line with one clear line and exit code 2", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--hz", "0"], /^example: Cannot use --hz 0: it is a number from 0.1 to 100. Try --help\n$/],
    [["--nope"], /^example: Unknown option '--nope'.*Try --help\n$/],
    [["localhost:99999"], /^example: Cannot connect to localhost:99999: a port is 1 to 65535\n$/],
  ];
  for (const [args, message] of cases) {
    await using game = example(...args);
    assert.equal(await game.end(), 2);
    assert.match(game.errors, message);
    assert.deepEqual(game.lines, []);
  }
});

Deno.test("example without the network permission says which one it needs", async () => {
  await using game = new Program(Deno.execPath(), ["run", "--no-prompt", MAIN, "127.0.0.1:9"]);
  assert.equal(await game.end(), 1);
  assert.match(game.errors, /^example: .*--allow-net=127.0.0.1:9\n$/);
});

Deno.test(
  "example ends quietly when nobody reads its lines",
  { ignore: Deno.build.os === "windows" },
  async () => {
    await using relay = new OldRelay();
    const game = `"${Deno.execPath()}" run --no-prompt --allow-net "${MAIN}" ${relay.target}`;
    await using pipe = new Program("bash", ["-c", `${game} | head -n 1; echo "\${PIPESTATUS[0]}"`]);
    assert.equal(await pipe.end(), 0);
    assert.equal(pipe.lines.length, 2);
    assert.equal(pipe.lines[1], "0");
    assert.equal(pipe.errors, "");
  },
);

Deno.test({ name: "example and the Python client see each other's balls", ignore }, async () => {
  await using relay = new OldRelay();
  await using game = example(relay.target, "--balls", "4");
  await using other = python(relay.target, "--balls", "6", "--name", "py", "--seconds", "3.5");
  await game.line(/connection=connected .* own=4 others=6 ignored=0/);
  await other.line(/connection=connected .* own=6 others=4 ignored=0/);
  assert.equal(await other.end(), 0);
  assert.equal(other.errors, "");
});

Deno.test({
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

Deno.test(
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
    assert.equal(program.errors, `relay: {"code": "x", "message": "\\u001b[2J"}\n`);
  },
);

Deno.test({ name: "Python Relay refuses what is not JSON, and too long a line", ignore }, async () => {
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

Deno.test(
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

Deno.test({ name: "Python Relay sends a line that was cut by a break again, whole", ignore }, async () => {
  await using relay = new OldRelay();
  relay.isReadingPaused = true;
  await using program = pythonCode(
    `
relay = Relay("127.0.0.1", int(sys.argv[1]))
number = 0
while relay.dropped == 0:  # until the connection takes no more and the outbox is full
    relay.send([number, "x" * 60_000])
    number += 1
    time.sleep(0.001)
print(relay.sent, number, flush=True)
while relay.reconnects == 0: time.sleep(0.01)
relay.close()
`,
    relay,
  );
  await program.line(/^\d+ \d+$/);
  const [sent, count] = program.lines[0].split(" ").map(Number);
  await relay.stop();
  relay.isReadingPaused = false;
  relay.start();
  const member = await relay.member(1);
  assert.equal(await program.end(), 0, program.errors);
  await member.ended;
  const numbers = member.lines.map((line) => JSON.parse(line)[0]);
  assert.equal(numbers[0], sent, "the line that was cut is the first");
  assert.equal(numbers.at(-1), count - 1);
});
