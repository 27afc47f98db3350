// Holds the program against what an operator sees: its two lines on stdout, its log, its refusals, signals
// and exit codes. It runs as a process of its own, from source. Signals are those of Unix, so these tests
// don't run on Windows.

import assert from "node:assert/strict";
import { readCpuUs } from "../../bench/process_stats.ts";
import config from "../../deno.json" with { type: "json" };
import { LineClient } from "../support/line_client.ts";
import { pause } from "../support/pause.ts";
import { FROM_SOURCE, Program } from "../support/program.ts";

const HOME = { HOME: Deno.env.get("HOME") ?? "/", DENO_DIR: Deno.env.get("DENO_DIR") ?? "" };
const LOOPBACK = ["0", "--host", "127.0.0.1"];

/** The same, where it may read files. */
const READING = { ...FROM_SOURCE, args: FROM_SOURCE.args.toSpliced(-1, 0, "--allow-read") };

function start(args: string[], env: Record<string, string> = {}): Program {
  return new Program(FROM_SOURCE, args, { ...HOME, ...env });
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: Deno.build.os === "windows" });
}

/** Holds a port of loopback, so that nobody else gets it. */
function hold(port = 0): { port: number } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  return { port: listener.addr.port, [Symbol.dispose]: () => listener.close() };
}

/** Holds two ports that follow each other. */
function holdTwo(): { first: number; free(): void } & Disposable {
  for (;;) {
    const first = hold();
    try {
      const second = hold(first.port + 1);
      let isFree = false;
      const free = () => {
        if (!isFree) second[Symbol.dispose]();
        isFree = true;
      };
      return {
        first: first.port,
        free,
        [Symbol.dispose]: () => {
          free();
          first[Symbol.dispose]();
        },
      };
    } catch {
      first[Symbol.dispose](); // the next port is taken, so try elsewhere
    }
  }
}

test("server.ts prints the ready line and whom to connect to, and nothing else, on stdout", async () => {
  await using program = start(["0"]);
  const port = await program.port();
  using ada = await LineClient.connect(port);
  using bo = await LineClient.connect(port);
  ada.send("bad\n1\n");
  await ada.line(1);
  program.signal("SIGTERM");
  assert.equal(await program.code(), 0);
  await bo.ended();
  assert.equal(
    program.stdout,
    `eventrelay ${config.version} listening on 0.0.0.0:${port}\n` +
      `clients on other machines connect to ${Deno.hostname()}:${port}\n`,
  );
});

test("deno task start needs no registry, also in a fresh checkout with an empty cache", async () => {
  const cache = await Deno.makeTempDir({ prefix: "eventrelay_test_" });
  try {
    const task = {
      program: Deno.execPath(),
      args: ["task", "start"],
      cwd: new URL("../..", import.meta.url).pathname,
    };
    const nowhere = "http://127.0.0.1:9/"; // the discard port: nobody answers there
    await using program = new Program(task, ["0", "--host", "127.0.0.1"], {
      ...HOME,
      DENO_DIR: cache,
      NPM_CONFIG_REGISTRY: nowhere,
      HTTPS_PROXY: nowhere,
      HTTP_PROXY: nowhere,
    });
    const port = await program.port();
    using ada = await LineClient.connect(port);
    ada.send("bad\n");
    await ada.line(1);
    assert.doesNotMatch(program.stderr, /Download/);
    program.signal("SIGTERM");
    await program.code();
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

test("server.ts on loopback says that only this machine can connect", async () => {
  await using program = start(LOOPBACK);
  const port = await program.port();
  assert.deepEqual(program.stdout.split("\n"), [
    `eventrelay ${config.version} listening on 127.0.0.1:${port}`,
    `only programs on this machine can connect, to 127.0.0.1:${port}`,
    "",
  ]);
});

test("server.ts says in its log where its pages are, and knows itself by that name and those of its machine", async () => {
  const knows = async (port: number, host: string) => {
    using client = await LineClient.connect(port);
    await client.send(`GET /healthz HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
    assert.match(await client.line(1), /^HTTP\/1\.1 (200|503) /, host);
  };
  await using program = start(["0"]);
  const port = await program.port();
  const [, url] = await program.logs(/pages url=(\S+)/);
  assert.equal(url, `http://${Deno.hostname()}:${port}/`);
  for (const host of [Deno.hostname(), `${Deno.hostname().split(".")[0]}.local`]) await knows(port, host);
  await using named = start(["0", "--host", "127.1"]); // not an address for all, but for the system
  const otherPort = await named.port();
  assert.equal((await named.logs(/pages url=(\S+)/))[1], `http://127.1:${otherPort}/`);
  await knows(otherPort, "127.1");
  await using closed = start(["0", "--no-web"]);
  await closed.port();
  closed.signal("SIGTERM");
  await closed.code();
  assert.doesNotMatch(closed.stderr, /pages/);
});

test('server.ts says in its log which folder it serves, as "." is not the same everywhere', async () => {
  await using program = new Program(READING, [...LOOPBACK, "--web", "."], HOME);
  await program.port();
  const [, folder] = await program.logs(/pages url=\S+ folder=(.*)/);
  assert.equal(folder, Deno.cwd());
  await program.logs(/warn "?no index\.html in the folder: \/ is the relay's own page/);
  await using game = new Program(READING, [...LOOPBACK, "--web", "example/web"], HOME);
  await game.port();
  game.signal("SIGTERM");
  await game.code();
  assert.doesNotMatch(game.stderr, /index/);
});

test("server.ts refuses a folder that it can't serve with one line and exit code 2", async () => {
  const file = new URL("../../deno.json", import.meta.url).pathname;
  for (
    const [folder, why] of [["/none/such", "deno was not allowed to"], [file, "deno was not allowed to"]]
  ) {
    await using program = start(["0", "--web", folder]);
    assert.equal(await program.code(), 2);
    assert.match(
      program.stderr,
      new RegExp(`^eventrelay: Cannot serve folder "${folder}": ${why}[^\n]*\\n$`),
    );
  }
  for (const [folder, why] of [["/none/such", "there is no such folder"], [file, "it is no folder"]]) {
    await using program = new Program(READING, ["0", "--web", folder], HOME);
    assert.equal(await program.code(), 2);
    assert.match(
      program.stderr,
      new RegExp(`^eventrelay: Cannot serve folder "${folder}": ${why}[^\n]*\\n$`),
    );
  }
});

test("server.ts refuses a port in use with one line and exit code 2", async () => {
  using held = hold();
  await using program = start([`${held.port}`, "--host", "127.0.0.1"]);
  assert.equal(await program.code(), 2);
  assert.equal(
    program.stderr,
    `eventrelay: Cannot listen on 127.0.0.1:${held.port}: the port is in use, try another one or a range such as 32000-33000 (try --help)\n`,
  );
  assert.equal(program.stdout, "");
});

test("server.ts takes the first free port of a range, and says when none is", async () => {
  using held = holdTwo();
  const range = `${held.first}-${held.first + 1}`;
  {
    await using program = start([range, "--host", "127.0.0.1"]);
    assert.equal(await program.code(), 2);
    assert.equal(
      program.stderr,
      `eventrelay: Cannot listen on a port of ${range}: all are in use, try another range (try --help)\n`,
    );
  }
  held.free();
  await using program = start([range, "--host", "127.0.0.1"]);
  assert.equal(await program.port(), held.first + 1);
});

test("server.ts refuses what it can't understand with one line, no stack trace, and exit code 2", async () => {
  const cases: [string[], Record<string, string>, RegExp][] = [
    [["--prot", "80"], {}, /--prot/],
    [["70000"], {}, /Cannot use port "70000": a port is 0 to 65535/],
    [["--max-line", "many"], {}, /Cannot use --max-line "many": a size in bytes, such as 500, 64k or 8m/],
    [[], { EVENTRELAY_MAX_LAG: "5" }, /Cannot use EVENTRELAY_MAX_LAG "5": a time with its unit/],
    [["0", "--host", "192.0.2.77"], {}, /Cannot listen on 192\.0\.2\.77:0: .*--host 0\.0\.0\.0/],
    [["0", "--host", "no such host"], {}, /Cannot use --host/],
  ];
  await Promise.all(cases.map(async ([args, env, message]) => {
    await using program = start(args, env);
    assert.equal(await program.code(), 2, args.join(" "));
    assert.match(program.stderr, message);
    assert.match(program.stderr, /^eventrelay: [^\n]*\(try --help\)\n$/);
    assert.equal(program.stdout, "");
  }));
});

test("server.ts --help and --version print to stdout and exit with 0", async () => {
  await using help = start(["--help"]);
  assert.equal(await help.code(), 0);
  assert.ok(help.stdout.startsWith(`eventrelay ${config.version}\n`));
  assert.ok(help.stdout.split("\n").length < 30);
  await using version = start(["--version"]);
  assert.equal(await version.code(), 0);
  assert.deepEqual([version.stdout, version.stderr], [`eventrelay ${config.version}\n`, ""]);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`server.ts on ${signal} writes out what members have not had, ends their connections and exits with 0`, async () => {
    await using program = start(LOOPBACK);
    const port = await program.port();
    using ada = await LineClient.connect(port);
    using late = await LineClient.connect(port, { reads: false });
    using bo = await LineClient.connect(port);
    late.send('"here"\n');
    await ada.line(1);
    const line = JSON.stringify("x".repeat(1000)) + "\n";
    await ada.send(line.repeat(5000));
    await bo.line(5000); // bo may have come after "here"
    program.signal(signal);
    await program.logs(/ info stopping signal=SIG/);
    late.startReading();
    await late.ended();
    assert.equal(late.lines.length, 5000);
    assert.equal(await program.code(), 0);
    await assert.rejects(LineClient.connect(port), Deno.errors.ConnectionRefused);
  });
}

test("server.ts on a second signal exits at once, with 1, though clients have not left", async () => {
  await using program = start(LOOPBACK);
  const port = await program.port();
  using ada = await LineClient.connect(port);
  using bo = await LineClient.connect(port);
  bo.send("bad\n");
  await bo.line(1);
  program.signal("SIGTERM");
  program.signal("SIGINT");
  assert.equal(await program.code(), 1);
  assert.equal(program.stderr.match(/ info stopping /g)?.length, 1);
  await ada.ended();
});

test("server.ts obeys a signal that comes as soon as the ready line is out", async () => {
  for (let i = 0; i < 5; i++) {
    await using program = start(LOOPBACK);
    await program.port();
    program.signal("SIGTERM");
    assert.equal(await program.code(), 0);
  }
});

test("server.ts on SIGUSR2 logs the status and a line for each member", async () => {
  await using program = start(LOOPBACK);
  const port = await program.port();
  using ada = await LineClient.connect(port);
  using bo = await LineClient.connect(port);
  bo.send("0\n");
  await ada.line(1);
  ada.send("1\n22\nbad\n");
  await bo.line(2);
  await ada.line(2);
  program.signal("SIGUSR2");
  const [, ...members] = (await program.logs(/ info status [^]* info member [^]* info member .*\n/))[0].trim()
    .split("\n");
  assert.match(
    program.stderr,
    / info status members=2 in=3 out=3 inBytes=\d+ outBytes=\d+ skipped=0 errors=1\n/,
  );
  const expected = new Map([[ada.address, "in=2 out=1 skipped=0 errors=1"], [
    bo.address,
    "in=1 out=2 skipped=0 errors=0",
  ]]);
  assert.equal(members.length, 2);
  for (const line of members) {
    const match =
      / info member address=(\S+) kind=plain room=lobby name="" id="" ageS=\d+ behindBytes=0 behindMs=0 (.*)$/
        .exec(line);
    assert.ok(match, line);
    assert.equal(match[2], expected.get(match[1]), line);
  }
});

test("server.ts on SIGUSR2 names room, name and kind of a session", async () => {
  await using program = start(LOOPBACK);
  using ada = await LineClient.connect(await program.port());
  ada.send('{"$hello":{"version":1,"room":"pong","name":"Ada L."}}\n');
  await ada.line(1);
  program.signal("SIGUSR2");
  await program.logs(
    new RegExp(` member address=${ada.address} kind=session room=pong name="Ada L\\." id=k1 ageS=`),
  );
});

test("server.ts names variables in its environment that are no options", async () => {
  await using program = start(LOOPBACK, { EVENTRELAY_TOKN: "secret" });
  await program.port();
  await program.logs(/ warn EVENTRELAY_TOKN in the environment is no option, see --help\n/);
});

test("server.ts refuses a token that is set and empty", async () => {
  for (const [args, env] of [[["--token", ""], {}], [[], { EVENTRELAY_TOKEN: "" }]] as const) {
    await using program = start([...LOOPBACK, ...args], env);
    assert.equal(await program.code(), 2);
    assert.match(program.stderr, /^eventrelay: Cannot use \S*(token|TOKEN) "": [^\n]*\n$/);
  }
});

test("server.ts reads its environment, and a flag wins", async () => {
  await using program = start(["--max-line", "20"], {
    EVENTRELAY_PORT: "0",
    EVENTRELAY_HOST: "127.0.0.1",
    EVENTRELAY_MAX_LINE: "1k",
    EVENTRELAY_LOG: "json",
    EVENTRELAY_VERBOSE: "1",
  });
  using ada = await LineClient.connect(await program.port());
  ada.send('"3456789012345678901"\n');
  const { $error: error } = JSON.parse(await ada.line(1));
  assert.match(error.message, /it has 21 bytes, at most 20 are allowed/);
  await program.logs(/"bad line"/);
  for (const line of program.stderr.trim().split("\n")) {
    const { time, level, message } = JSON.parse(line);
    assert.ok(time && level && message, line);
  }
  assert.match(program.stderr, /"message":"connected"/);
});

test("server.ts --quiet logs nothing of clients' mistakes", async () => {
  await using program = start([...LOOPBACK, "--quiet"]);
  using ada = await LineClient.connect(await program.port());
  ada.send("bad\n");
  await ada.line(1);
  program.signal("SIGTERM");
  assert.equal(await program.code(), 0);
  assert.equal(program.stderr, "");
});

test("server.ts never shows hostile bytes raw", async () => {
  await using program = start([...LOOPBACK, "--verbose"]);
  const port = await program.port();
  const hostile = [
    "\x1b[31mred\n",
    "\x1b]0;title\x07\n",
    "\x9b31m\n",
    "\u202eevil\n",
    "a\rb\n",
    "\0\x7f\n",
    "\u2028\n",
  ];
  // The first is logged at once, the last at the end: what is between is held back, as of one host.
  // tests/program/logger_test.ts has all.
  using ada = await LineClient.connect(port);
  for (const [n, text] of hostile.entries()) {
    ada.send(`${n}\n${text}`);
    await ada.line(n + 1);
  }
  await program.logs(new RegExp(`bad line address=${ada.address} `));
  program.signal("SIGTERM");
  assert.equal(await program.code(), 0);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(program.stderr, /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]/);
  for (const line of program.stderr.trimEnd().split("\n")) {
    assert.match(line, /^\d{4}-[\dT:.-]+Z (debug|info|warn) /);
  }
});

test("server.ts that runs out of file descriptors says so, goes on, and serves again when some are free", async () => {
  const { program: deno, args } = FROM_SOURCE;
  const limited = { program: "/bin/sh", args: ["-c", 'ulimit -n 40 && exec "$0" "$@"', deno, ...args] };
  await using program = new Program(limited, LOOPBACK, { ...HOME, PATH: "/usr/bin:/bin" });
  const port = await program.port();
  const clients: LineClient[] = [];
  try {
    for (let i = 0; i < 60; i++) clients.push(await LineClient.connect(port));
    const [, retryMs] = await program.logs(/ error cannot accept a connection .*retryMs=(\d+)/);
    assert.ok(Number(retryMs) >= 10);
    clients[0].send("1\n");
    await clients[1].line(1);
  } finally {
    for (const client of clients) client.close();
  }
  using ada = await LineClient.connect(port);
  using bo = await LineClient.connect(port);
  bo.send("bad\n");
  await bo.line(1);
  ada.send('"again"\n');
  await bo.line(2);
  assert.equal(bo.lines.at(-1), '"again"');
});

/**
 * Takes the time that a program needs until it has printed something: of a core, where the system tells that.
 */
async function startMs(launch: () => Deno.ChildProcess): Promise<number> {
  const startedAt = performance.now();
  const child = launch();
  const reader = child.stdout.getReader();
  await reader.read();
  const wallMs = performance.now() - startedAt;
  const coreUs = readCpuUs(child.pid);
  child.kill("SIGKILL");
  await reader.cancel();
  await child.status;
  return coreUs === null ? wallMs : coreUs / 1000;
}

test("server.ts starts in about the time that Deno itself takes", async () => {
  // The least of several, and a wide factor: it must not read, check or compile anything that it doesn't
  // need.
  const launch = (args: string[]) => () =>
    new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped", stderr: "null" }).spawn();
  const denoMs: number[] = [], relayMs: number[] = [];
  for (let i = 0; i < 5; i++) {
    denoMs.push(
      await startMs(launch(["eval", "--no-config", "console.log(0); setInterval(() => {}, 1000)"])),
    );
    relayMs.push(await startMs(launch([...FROM_SOURCE.args, ...LOOPBACK])));
  }
  const deno = Math.min(...denoMs), relay = Math.min(...relayMs);
  assert.ok(relay < 5 * deno + 200, `${relay.toFixed()} ms, deno eval takes ${deno.toFixed()} ms`);
});

/** Waits for a line that begins so. */
async function lineThat(client: LineClient, beginning: string): Promise<string> {
  for (let count = 1;; count++) {
    const line = await client.line(count);
    if (line.startsWith(beginning)) return line;
  }
}

test("server.ts that was stopped for a while blames no client for the silence", async () => {
  await using program = start([...LOOPBACK, "--ping-timeout", "2s"]);
  const port = await program.port();
  const enter = async () => {
    const client = await LineClient.connect(port);
    client.send('{"$hello":{"version":1,"room":"r"}}\n{"$ping":{"t":1}}\n');
    await lineThat(client, '{"$pong":');
    return client;
  };
  using ada = await enter();
  using bo = await enter();
  program.signal("SIGSTOP");
  bo.send('{"$ping":{"t":2}}\n');
  ada.send('{"$ping":{"t":2}}\n');
  await pause(3200);
  program.signal("SIGCONT");
  for (const client of [ada, bo]) await lineThat(client, '{"$pong":{"t":2,');
  for (let i = 3; i < 6; i++) {
    await pause(500);
    for (const client of [ada, bo]) {
      client.send(`{"$ping":{"t":${i}}}\n`);
      await lineThat(client, `{"$pong":{"t":${i},`);
    }
  }
  assert.ok(![...ada.lines, ...bo.lines].some((line) => line.startsWith('{"$leave":')));
});
