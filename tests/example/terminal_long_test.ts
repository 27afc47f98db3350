// The example on a pseudo-terminal: what it writes, and that every way out leaves the terminal as it was. A
// few lines of Python hold the pseudo-terminal, which Deno can't make; without python3 these tests are
// skipped, and say so.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { connect } from "../../client.ts";
import { DEADLINE_MS, until } from "../support/deadline.ts";
import { NewRelay } from "../support/new_relay.ts";
import { OldRelay } from "../support/old_relay.ts";
import { hasPython } from "../support/python.ts";
import { sideBySide } from "../support/side_by_side.ts";

const MAIN = fileURLToPath(import.meta.resolve("../../example/main.ts"));
const CONFIG = fileURLToPath(import.meta.resolve("../../deno.json"));

/** What the example writes when it takes the terminal, and when it gives it back. */
const TAKEN = "\x1b[?1049h\x1b[?25l";
const GIVEN_BACK = "\x1b[?25h\x1b[?1049l";

/**
 * Runs a command on a pseudo-terminal; its output goes to stdout, orders come in as lines of JSON, and at the
 * end a line on stderr tells the exit code and whether the terminal's modes are what they were.
 */
const HOLDER = `
import fcntl, json, os, pty, select, struct, subprocess, sys, termios, threading, time
master, slave = pty.openpty()
def resize(cols, rows):
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
resize(100, 30)
before = termios.tcgetattr(slave)
def own_terminal(): fcntl.ioctl(0, termios.TIOCSCTTY, 0)
child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave, start_new_session=True, preexec_fn=own_terminal)
def is_raw(): return not termios.tcgetattr(slave)[3] & termios.ICANON
reading = threading.Event()
reading.set()
hung_up = threading.Event()
def obey():
    for line in sys.stdin:
        order = json.loads(line)
        if "keys" in order: os.write(master, order["keys"].encode())
        if "size" in order: resize(*order["size"])
        if "signal" in order: child.send_signal(order["signal"])
        if "flowing" in order: termios.tcflow(slave, termios.TCOON if order["flowing"] else termios.TCOOFF)
        if "raw" in order:
            while is_raw() != order["raw"]: time.sleep(0.01)
        if "stopped" in order:
            while (open(f"/proc/{child.pid}/stat").read().rsplit(")", 1)[1].split()[0] == "T") != order["stopped"]: time.sleep(0.01)
        if "hangup" in order: hung_up.set()
        if "reading" in order: (reading.set if order["reading"] else reading.clear)()
    child.kill()
    reading.set()
threading.Thread(target=obey, daemon=True).start()
while True:
    if hung_up.is_set():
        os.close(slave)
        os.close(master)
        sys.exit(child.wait())
    if not reading.wait(0.02):
        if child.poll() is not None: break
        continue
    ready, _, _ = select.select([master], [], [], 0.02)
    if ready:
        sys.stdout.buffer.write(os.read(master, 65536))
        sys.stdout.flush()
    elif child.poll() is not None:
        break
restored = termios.tcgetattr(slave) == before
print(json.dumps({"code": child.returncode, "restored": restored}), file=sys.stderr)
`;

interface Order {
  keys?: string;
  size?: [cols: number, rows: number];
  signal?: number;
  /** Whether anybody reads what the terminal is sent. */
  reading?: boolean;
  /** Whether output is held, as by Ctrl-S. */
  flowing?: boolean;
  /** Waits until the terminal is in raw mode, or in none. */
  raw?: boolean;
  /** Waits until the game is stopped, or goes on. */
  stopped?: boolean;
  /** Closes the terminal; the exit code is then the holder's. */
  hangup?: true;
}

interface End {
  code: number;
  restored: boolean;
}

/** The example on a pseudo-terminal of 100 x 30. */
class Game implements AsyncDisposable {
  #text = "";
  #changed = Promise.withResolvers<void>();
  readonly #process: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: Promise<void>;
  readonly #errors: Promise<string>;

  constructor(args: string[], denoArgs: string[] = [], { isTask = false, term = "xterm" } = {}) {
    const game = isTask
      ? [Deno.execPath(), "task", "--config", CONFIG, "example", ...args]
      : [Deno.execPath(), "run", "--no-prompt", "--allow-net", ...denoArgs, MAIN, ...args];
    this.#process = new Deno.Command("python3", {
      args: ["-c", HOLDER, ...game],
      env: { NO_COLOR: "", TERM: term },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#orders = this.#process.stdin.getWriter();
    this.#output = this.#read();
    this.#errors = new Response(this.#process.stderr).text();
  }

  /** All that the game has written so far. */
  get text(): string {
    return this.#text;
  }

  /** Does things to the terminal or the game, in this order. */
  async order(...orders: Order[]): Promise<void> {
    for (const order of orders) {
      await this.#orders.write(new TextEncoder().encode(JSON.stringify(order) + "\n"));
    }
  }

  /** Waits until `pattern` is in what the game has written from `from` on. */
  async waitFor(pattern: string | RegExp, from = 0): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`no ${pattern} in ${JSON.stringify(this.#text.slice(-500))}`)),
      DEADLINE_MS,
    );
    try {
      while (this.#text.slice(from).search(pattern instanceof RegExp ? pattern : literally(pattern)) < 0) {
        await Promise.race([this.#changed.promise, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits until the game has ended. */
  async end(): Promise<End> {
    await this.#output;
    return JSON.parse(await this.#errors);
  }

  /** Waits until the game has ended without its terminal, and returns its exit code. */
  async code(): Promise<number> {
    return (await this.#process.status).code;
  }

  /** Ends the game if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orders.close().catch(() => {});
    await this.#output;
    await this.#process.status;
  }

  async #read(): Promise<void> {
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      this.#text += text;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

function literally(text: string): RegExp {
  return new RegExp(text.replaceAll(/[\\[\]?(){}.*+^$|]/g, "\\$&"));
}

const ignore = !hasPython("import pty, termios");
if (ignore) console.warn("SKIPPED: the example's terminal tests, which need python3 with a pty module");

const test = sideBySide("the example on a terminal", 3);

/** A module that is loaded before the game and does something once the game has the terminal. */
async function preload(then: string): Promise<{ args: string[] } & AsyncDisposable> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    path,
    `const setRaw = Deno.stdin.setRaw.bind(Deno.stdin);
     Deno.stdin.setRaw = (mode) => { setRaw(mode); if (mode) setTimeout(() => { ${then} }, 200); };`,
  );
  return { args: [`--preload=${path}`], [Symbol.asyncDispose]: () => Deno.remove(path) };
}

test(
  { name: "example draws balls and a status line, follows a resize and takes keys", ignore },
  async () => {
    await using relay = new OldRelay();
    await using game = new Game([relay.target, "--plain", "--name", "ada"]);
    await game.waitFor(" | 10 balls, 0 others | ");
    assert.ok(game.text.includes(TAKEN));
    await game.waitFor("\x1b[0;93m█");
    const from = game.text.length;
    await game.order({ size: [60, 20] });
    await game.waitFor("\x1b[2J", from);
    await game.waitFor("\x1b[20;1H\x1b[0;7m connected | ", from);
    await game.order({ size: [140, 30] });
    await game.waitFor("| 4: blend | in ", from);
    await game.order({ keys: "1" });
    await game.waitFor("\x1b[0;7m1", from); // only the cells that differ from "4: blend"
    await game.order({ keys: "w" });
    await game.waitFor("unk", from);
    await game.order({ keys: "q" });
    assert.deepEqual(await game.end(), { code: 0, restored: true });
  },
);

test({ name: "example shows ghosts of others' balls while g is on", ignore }, async () => {
  await using relay = new OldRelay();
  await using game = new Game([relay.target, "--plain", "--balls", "0"]);
  await game.waitFor("0 balls, 0 others");
  await (await relay.member(0)).write(`{"id":"a","pos":[320,240],"vel":[120,0]}\n`);
  await game.waitFor("\x1b[0;96m"); // drawn, moving away from its ghost
  assert.ok(!game.text.includes("\x1b[0;90m"));
  await game.order({ keys: "g" });
  await game.waitFor("\x1b[0;90m");
  await game.order({ keys: "q" });
  assert.deepEqual(await game.end(), { code: 0, restored: true });
});

test(
  { name: "example --split shows both sides, the error and its graph, and takes keys", ignore },
  async () => {
    await using game = new Game(["--split", "--simulate", "mobile"]);
    const styles = ["\x1b[0;92m", "\x1b[0;93m", "\x1b[0;96m"];
    for (const part of ["sender:", "receiver,", "mobile", "│", "error,", ...styles]) await game.waitFor(part);
    let from = game.text.length, cols = 120;
    for (const [key, name] of [["1", "hold"], ["2", "speed"], ["3", "history"], ["5", "interpolate"]]) {
      await game.order({ keys: key });
      // Only a new size is written whole, and it may be seen before the key.
      for (let isShown = false; !isShown && cols < 200;) {
        from = game.text.length;
        await game.order({ size: [++cols, 30] });
        await game.waitFor("| w: walls unknown", from);
        isShown = game.text.slice(from).includes(`| ${key}: ${name} | w: walls unknown`);
      }
      await game.waitFor(`px, worst`, from);
      await game.waitFor(`| ${key}: ${name} | w: walls unknown`, from);
    }
    await game.order({ keys: "g" });
    await game.waitFor("\x1b[0;90m");
    await game.order({ size: [36, 9] });
    await game.waitFor("\x1b[9;1H\x1b[0;7m error ", from);
    await game.order({ keys: "q" });
    assert.deepEqual(await game.end(), { code: 0, restored: true });
  },
);

test({ name: "example shows who is in the room above the status line", ignore }, async () => {
  await using relay = new NewRelay();
  await using bo = await connect(`${relay.target}/pong`, { name: "bö" });
  bo.set("rtt", 123.4);
  await using game = new Game([`${relay.target}/pong`, "--name", "ada"]);
  // Words alone: blanks that are there already are skipped.
  for (const word of ["pong:", "ada", "(you)", "bö", "123"]) await game.waitFor(word);
  await game.order({ keys: "q" });
  assert.deepEqual(await game.end(), { code: 0, restored: true });
});

test({ name: "example does not take the terminal for a target that is none", ignore }, async () => {
  await using game = new Game(["localhost:99999"]);
  assert.deepEqual(await game.end(), { code: 2, restored: true });
  assert.match(game.text, /example: Cannot connect to localhost:99999: a port is 1 to 65535\r\n$/);
  assert.ok(!game.text.includes(TAKEN));
});

const ENDINGS: { name: string; order: Order; code: number }[] = [
  { name: "q", order: { keys: "q" }, code: 0 },
  { name: "Ctrl-C", order: { keys: "\x03" }, code: 0 },
  { name: "SIGHUP", order: { signal: 1 }, code: 129 },
  { name: "SIGINT", order: { signal: 2 }, code: 130 },
  { name: "SIGQUIT", order: { signal: 3 }, code: 131 },
  { name: "SIGTERM", order: { signal: 15 }, code: 143 },
];

for (const { name, order, code } of ENDINGS) {
  test({ name: `example leaves the terminal as it was after ${name}`, ignore }, async () => {
    await using relay = new OldRelay();
    await using game = new Game([relay.target, "--plain"]);
    await game.waitFor("10 balls");
    await game.order(order);
    assert.deepEqual(await game.end(), { code, restored: true });
    assert.ok(game.text.endsWith(GIVEN_BACK), "nothing is written after the way back");
  });
}

const ERRORS: { name: string; then: string }[] = [
  { name: "an exception in a callback", then: `throw new Error("boom")` },
  { name: "a rejection nobody handles", then: `Promise.reject(new Error("boom"))` },
  { name: "an exception in the loop", then: `Math.floor = () => { throw new Error("boom") }` },
];

for (const { name, then } of ERRORS) {
  test(
    { name: `example leaves the terminal as it was after ${name}, then prints it`, ignore },
    async () => {
      await using relay = new OldRelay();
      await using module = await preload(then);
      await using game = new Game([relay.target, "--plain"], module.args);
      assert.deepEqual(await game.end(), { code: 1, restored: true });
      assert.ok(game.text.includes(TAKEN));
      const after = game.text.slice(game.text.lastIndexOf(GIVEN_BACK) + GIVEN_BACK.length);
      // deno-lint-ignore no-control-regex
      assert.match(after, /^(\x1b\[0m)?Error: boom\r\n/);
    },
  );
}

/**
 * Starts a game whose terminal then takes nothing, and waits until it has played on for longer than that
 * fits.
 */
async function stalledGame(relay: OldRelay, hold: Order = { reading: false }): Promise<Game> {
  relay.isForgetful = true;
  const game = new Game([relay.target, "--plain", "--balls", "300", "--fps", "60", "--hz", "20"]);
  await game.waitFor("300 balls");
  await game.order(hold);
  await using watcher = await connect(relay.target, { plain: true });
  // Two seconds of play; a hundred of its frames are a few hundred KiB, a terminal holds 64 KiB at most.
  await until(
    () => watcher.stats.received > 12_000,
    "events from a game whose terminal takes nothing",
    DEADLINE_MS,
  );
  return game;
}

test(
  { name: "example plays on while the terminal takes nothing, and leaves frames out", ignore },
  async () => {
    await using relay = new OldRelay();
    await using game = await stalledGame(relay);
    const from = game.text.length;
    await game.order({ reading: true });
    await game.waitFor("\x1b[30;", from); // the status line is written again
    await game.order({ keys: "q" });
    assert.deepEqual(await game.end(), { code: 0, restored: true });
  },
);

const HELD: { name: string; hold: Order }[] = [
  { name: "is not read", hold: { reading: false } },
  { name: "is held by Ctrl-S", hold: { flowing: false } },
];

for (const { name, hold } of HELD) {
  for (const count of [1, 3]) {
    test({ name: `example ends at ${count} SIGTERM while the terminal ${name}`, ignore }, async () => {
      await using relay = new OldRelay();
      await using game = await stalledGame(relay, hold);
      const startedMs = performance.now();
      await game.order(...Array.from({ length: count }, () => ({ signal: 15 })));
      // With its modes as they were: what the terminal does not take it can't be told, but the kernel can.
      assert.deepEqual(await game.end(), { code: 143, restored: true });
      assert.ok(performance.now() - startedMs < 10_000);
    });
  }
}

const SUSPENDING: { name: string; order: Order }[] = [
  { name: "SIGTSTP", order: { signal: 20 } },
  { name: "Ctrl-Z", order: { keys: "\x1a" } },
];

for (const { name, order } of SUSPENDING) {
  test(
    { name: `example gives the terminal back at ${name}, and takes it again when it goes on`, ignore },
    async () => {
      await using relay = new OldRelay();
      await using game = new Game([relay.target, "--plain"]);
      await game.waitFor("10 balls");
      for (let round = 0; round < 2; round++) {
        const from = game.text.length;
        await game.order(order, { stopped: true }, { raw: false });
        await game.waitFor(GIVEN_BACK, from);
        const stopped = game.text.length;
        await game.order({ signal: 18 }, { stopped: false }, { raw: true });
        await game.waitFor(TAKEN, stopped);
        await game.waitFor("10 balls", stopped); // the whole frame, not what has changed
      }
      await game.order({ keys: "q" });
      assert.deepEqual(await game.end(), { code: 0, restored: true });
    },
  );
}

test({ name: "example prints lines on a terminal that can't be drawn on", ignore }, async () => {
  await using relay = new OldRelay();
  const args = [relay.target, "--plain", "--seconds", "1.5"];
  await using game = new Game(args, [], { isTask: true, term: "dumb" });
  await game.waitFor("connection=connected");
  assert.deepEqual(await game.end(), { code: 0, restored: true });
  assert.ok(!game.text.includes(TAKEN), game.text);
});

test(
  { name: "example goes on at Ctrl-Z under deno task, which would not stop with it", ignore },
  async () => {
    await using relay = new OldRelay();
    await using game = new Game([relay.target, "--plain"], [], { isTask: true });
    await game.waitFor("10 balls");
    const from = game.text.length;
    await game.order({ keys: "\x1a" }, { keys: "1" });
    await game.waitFor("hold", from);
    await game.order({ keys: "q" });
    assert.deepEqual(await game.end(), { code: 0, restored: true });
  },
);

test(
  { name: "example takes the terminal again after a SIGSTOP, which it can't see coming", ignore },
  async () => {
    await using relay = new OldRelay();
    await using game = new Game([relay.target, "--plain"]);
    await game.waitFor("10 balls");
    await game.order({ signal: 19 }, { stopped: true });
    const from = game.text.length;
    await game.order({ signal: 18 });
    await game.waitFor(TAKEN, from);
    await game.waitFor("10 balls", from);
    await game.order({ signal: 15 });
    assert.deepEqual(await game.end(), { code: 143, restored: true });
  },
);

test(
  { name: "example can be stopped, go on and end while the terminal takes nothing", ignore },
  async () => {
    await using relay = new OldRelay();
    await using game = await stalledGame(relay, { reading: false });
    await game.order({ signal: 20 }, { stopped: true }, { signal: 18 }, { stopped: false }, { signal: 15 });
    assert.deepEqual(await game.end(), { code: 143, restored: true });
  },
);

test({ name: "example takes a key that comes in one read with arrows", ignore }, async () => {
  await using relay = new OldRelay();
  await using game = new Game([relay.target, "--plain"]);
  await game.waitFor("10 balls");
  await game.order({ keys: "\x1b[A\x1b[Bq\x1b[C" });
  assert.deepEqual(await game.end(), { code: 0, restored: true });
});

test({ name: "example says goodbye and ends when its terminal is gone", ignore }, async () => {
  await using relay = new NewRelay();
  const left: string[] = [];
  await using _observer = await connect(relay.target, { onLeave: (_, reason) => left.push(reason) });
  await using game = new Game([relay.target]);
  await game.waitFor("10 balls");
  await game.order({ hangup: true });
  assert.equal(await game.code(), 129);
  await until(() => left.length > 0, "the game to leave", DEADLINE_MS);
  assert.deepEqual(left, ["closed"]);
});
