// Holds the program against outputs that take nothing, and against signals: neither what it prints nor who
// prods it stops the service. The outputs and signals are those of Linux.

import assert from "node:assert/strict";
import { LineClient } from "../support/line_client.ts";
import { FROM_SOURCE, Program } from "../support/program.ts";

const PATHS = ["HOME", "DENO_DIR", "PATH"].map((name) => [name, Deno.env.get(name) ?? ""]);
const LOOPBACK = ["0", "--host", "127.0.0.1"];

/** What a pipe holds that nobody reads. */
const PIPE_BYTES = 64 * 1024;

/**
 * Starts the relay from a shell that does something with its outputs first: in `script`, "$@" is the relay.
 */
function start(script: string, args = LOOPBACK, env: Record<string, string> = {}): Program {
  const launch = {
    program: "/bin/sh",
    args: ["-c", script, "sh", FROM_SOURCE.program, ...FROM_SOURCE.args],
  };
  return new Program(launch, args, { ...Object.fromEntries(PATHS), ...env });
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: Deno.build.os !== "linux" });
}

/** A directory of its own. */
function makeDirectory(): { path: string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "eventrelay_test_" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** Checks that two clients hear each other, while each has something logged. */
async function assertRelays(port: number): Promise<void> {
  using ada = await LineClient.connect(port);
  using bo = await LineClient.connect(port);
  ada.send("\n"); // plain, at once and not after a while
  bo.send("bad\n0\n");
  await ada.line(1);
  ada.send("bad\n1\n");
  await bo.line(2);
  assert.equal(bo.lines[1], "1");
}

test("server.ts relays while its log is on a full disk", async () => {
  await using program = start('exec "$@" 2>/dev/full', [...LOOPBACK, "--verbose"]);
  const port = await program.port();
  for (let i = 0; i < 3; i++) await assertRelays(port);
  program.signal("SIGTERM");
  assert.equal(await program.code(), 0);
});

test("server.ts relays while its log's reader has gone", async () => {
  using directory = makeDirectory();
  const pipe = `${directory.path}/pipe`;
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  const reader = await Deno.open(pipe, { read: true, write: true });
  await using program = start('exec "$@" 2>"$PIPE"', [...LOOPBACK, "--verbose"], { PIPE: pipe });
  const port = await program.port();
  reader.close();
  for (let i = 0; i < 3; i++) await assertRelays(port);
  program.signal("SIGTERM");
  assert.equal(await program.code(), 0);
});

test("server.ts relays while its log's reader stands still, writes all of it later, and ends all the same", async () => {
  using directory = makeDirectory();
  const pipe = `${directory.path}/pipe`;
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  using reader = await Deno.open(pipe, { read: true, write: true }); // never blocks, and holds it open
  await using program = start('exec "$@" 2>"$PIPE"', LOOPBACK, { PIPE: pipe });
  const port = await program.port();
  const clients = await Promise.all(Array.from({ length: 50 }, () => LineClient.connect(port)));
  for (const client of clients) client.send("bad\n");
  await Promise.all(clients.map((client) => client.line(1)));
  for (let i = 0; i < 20; i++) { // 51 lines of 150 bytes each time, more than a pipe holds
    program.signal("SIGUSR2");
    await assertRelays(port);
  }
  program.signal("SIGALRM"); // the last line
  let text = "";
  const decoder = new TextDecoder(), buffer = new Uint8Array(65536);
  while (!text.includes(" signal=SIGALRM")) {
    text += decoder.decode(buffer.subarray(0, (await reader.read(buffer))!), { stream: true });
  }
  // Two signals that come before the first is looked at are one.
  const statuses = text.split(" info status ").length - 1, members = text.split(" info member ").length - 1;
  assert.ok(text.length > 2 * PIPE_BYTES, `${statuses} of 20 signals were seen`);
  assert.ok(members >= 50 * (statuses - 1) && !text.includes("dropped"), `${members} members in ${statuses}`);
  await assertRelays(port);
  for (let i = 0; i < 20; i++) {
    program.signal("SIGUSR2");
    await assertRelays(port);
  }
  for (const client of clients) client.close();
  program.signal("SIGTERM");
  assert.equal(await program.code(), 0);
});

test("server.ts relays when nobody takes its ready line", async () => {
  for (const output of [">/dev/full", ">&-"]) {
    using held = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = held.addr;
    held.close();
    await using program = start(`exec "$@" ${output}`, [`${port}`, "--host", "127.0.0.1", "--verbose"]);
    for (let isUp = false; !isUp;) {
      isUp = await Deno.connect({ hostname: "127.0.0.1", port }).then((conn) => {
        conn.close();
        return true;
      }, () => new Promise((done) => setTimeout(() => done(false), 20)));
    }
    await assertRelays(port);
    program.signal("SIGTERM");
    assert.equal(await program.code(), 0, output);
  }
});

test("server.ts --help says that stdout is full, and exits with 1", async () => {
  await using program = start('exec "$@" >/dev/full', ["--help"]);
  assert.equal(await program.code(), 1);
  assert.match(program.stderr, /^eventrelay: Cannot write to stdout: No space left on device[^\n]*\n$/);
});

test("server.ts exits with 2 for a bad flag also when stderr is full", async () => {
  await using program = start('exec "$@" 2>/dev/full', ["--bad"]);
  assert.equal(await program.code(), 2);
});

for (const signal of ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGABRT", "SIGPWR", "SIGXCPU"] as const) {
  test(`server.ts stops in order on ${signal}, and says goodbye to sessions`, async () => {
    await using program = start('exec "$@"');
    using ada = await LineClient.connect(await program.port());
    ada.send('{"$hello":{"version":1}}\n');
    await ada.line(1);
    program.signal(signal);
    await ada.line(2);
    assert.equal(JSON.parse(ada.lines[1]).$bye.reason, "shutdown");
    assert.equal(await program.code(), 0);
    assert.match(program.stderr, new RegExp(` info stopping signal=${signal}\n`));
  });
}

test("server.ts goes on after signals that mean nothing to it, and logs each once", async () => {
  await using program = start('exec "$@"');
  const port = await program.port();
  for (const signal of ["SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGSTKFLT", "SIGXFSZ"] as const) {
    program.signal(signal);
    await program.logs(new RegExp(` warn signal ignored signal=${signal}\n`));
    program.signal(signal); // not before: two that nobody has dealt with are one
  }
  for (const signal of ["SIGPIPE", "SIGWINCH", "SIGCHLD", "SIGURG", "SIGCONT"] as const) {
    program.signal(signal);
  }
  await assertRelays(port);
  assert.equal(program.stderr.split("signal=SIGALRM").length, 2);
});

test("server.ts stops in order when its terminal goes away, which may send more than one SIGHUP", async () => {
  await using program = start('exec "$@"');
  const port = await program.port();
  using ada = await LineClient.connect(port);
  using late = await LineClient.connect(port, { reads: false }); // the program waits a second for it
  late.send('"here"\n');
  await ada.line(1);
  await ada.send(`${JSON.stringify("x".repeat(1000))}\n`.repeat(8000));
  program.signal("SIGHUP");
  await program.logs(/ info stopping signal=SIGHUP\n/);
  program.signal("SIGHUP");
  program.signal("SIGPWR");
  assert.equal(await program.code(), 0);
  assert.equal(program.stderr.split(" info stopping ").length, 2, "they are one call to end");
});

test("server.ts under nohup outlives SIGHUP", async () => {
  await using program = start('exec env _=/usr/bin/nohup nohup "$@"');
  const port = await program.port();
  program.signal("SIGHUP");
  await program.logs(/ warn signal ignored signal=SIGHUP\n/);
  await assertRelays(port);
});

test("server.ts goes on when its log is as long as it may be", async () => {
  using directory = makeDirectory();
  const log = `${directory.path}/log`;
  await using program = start('exec "$@" 2>"$LOG"', [...LOOPBACK, "--verbose"], { LOG: log });
  const port = await program.port();
  // Not from the start on: Deno's own cache could not be opened where no other program has it open.
  await new Deno.Command("prlimit", { args: [`--pid=${program.pid}`, "--fsize=512"] }).output();
  for (let i = 0; i < 10; i++) await assertRelays(port);
  assert.equal(Deno.statSync(log).size, 512);
  program.signal("SIGTERM");
  assert.equal(await program.code(), 0);
});

test("server.ts starts when its log is as long as it may be already", async () => {
  using directory = makeDirectory();
  const log = `${directory.path}/log`, bytes = 2 ** 30; // more than Deno's own cache, of which nothing is written
  Deno.createSync(log).close();
  Deno.truncateSync(log, bytes);
  await using program = start(`ulimit -f ${bytes / 512} && exec "$@" 2>>"$LOG"`, LOOPBACK, { LOG: log });
  await assertRelays(await program.port());
  assert.equal(Deno.statSync(log).size, bytes);
  program.signal("SIGTERM");
  assert.equal(await program.code(), 0);
});
