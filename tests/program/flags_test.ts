// Holds readCommand against tables: each flag and its environment twin, what wins, what is refused and in
// which words; and the help.

import assert from "node:assert/strict";
import { type Command, helpText, readCommand, type ServerOptions } from "../../src/program/flags.ts";
import { DEFAULT_PORT } from "../../src/wire/protocol.ts";
import { RELAY_DEFAULTS } from "../../src/relay/relay.ts";

function read(args: string[], env: Record<string, string> = {}): Command {
  return readCommand(args, (name) => env[name]);
}

function readOptions(args: string[], env?: Record<string, string>): ServerOptions {
  const command = read(args, env);
  if (command.kind !== "serve") assert.fail(`${args.join(" ")}: ${JSON.stringify(command)}`);
  return command.options;
}

function readRefusal(args: string[], env?: Record<string, string>): string {
  const command = read(args, env);
  if (command.kind !== "refuse") assert.fail(`${args.join(" ")} is not refused`);
  assert.doesNotMatch(command.message, /\n/, "a refusal is one line");
  return command.message;
}

/** Option, text, and which option comes to have which value. */
const GOOD: [option: string, text: string, pick: (options: ServerOptions) => unknown, value: unknown][] = [
  ["host", "127.0.0.1", (o) => o.host, "127.0.0.1"],
  ["host", "::1", (o) => o.host, "::1"],
  ["max-line", "500", (o) => o.relay.maxLineBytes, 500],
  ["max-line", "64k", (o) => o.relay.maxLineBytes, 65536],
  ["max-line", "64K", (o) => o.relay.maxLineBytes, 65536],
  ["max-line", "64kb", (o) => o.relay.maxLineBytes, 65536],
  ["max-line", "1.5m", (o) => o.relay.maxLineBytes, 1572864],
  ["max-clients", "1", (o) => o.relay.maxClients, 1],
  ["max-clients", "100000", (o) => o.relay.maxClients, 100000],
  ["max-rooms", "0", (o) => o.relay.maxRooms, 0],
  ["max-rooms", "20", (o) => o.relay.maxRooms, 20],
  ["ping-timeout", "3s", (o) => o.relay.pingTimeoutMs, 3000],
  ["max-lag", "500ms", (o) => o.relay.maxLagMs, 500],
  ["max-lag", "2.5s", (o) => o.relay.maxLagMs, 2500],
  ["max-lag", "2m", (o) => o.relay.maxLagMs, 120000],
  ["max-memory", "1g", (o) => o.relay.maxMemoryBytes, 2 ** 30],
  ["max-log", "1g", (o) => o.relay.maxLogBytes, 2 ** 30],
  ["when-behind", "close", (o) => o.relay.whenBehind, "close"],
  ["when-behind", "skip", (o) => o.relay.whenBehind, "skip"],
  ["write-deadline", "10s", (o) => o.relay.writeDeadlineMs, 10000],
  ["log", "json", (o) => o.logFormat, "json"],
  ["log", "text", (o) => o.logFormat, "text"],
];

const SWITCHES: [option: string, pick: (options: ServerOptions) => unknown, on: unknown, off: unknown][] = [
  ["unchecked", (o) => o.relay.isChecked, false, true],
  ["no-web", (o) => o.relay.servesWeb, false, true],
  ["quiet", (o) => o.logLevel, "error", "info"],
  ["verbose", (o) => o.logLevel, "debug", "info"],
];

/** Option, text, and what the refusal says is allowed. */
const BAD: [option: string, text: string, allowed: RegExp][] = [
  ["host", " ", /an address such as/],
  ["host", "a b", /an address such as/],
  ...["x", "64q", "64 k", "-1", "0", "15", "1e3", "64k8", "1g", "0x10"].map((
    text,
  ): [string, string, RegExp] => ["max-line", text, /a size in bytes, such as .* from 16 to 67108864/]),
  ...["0", "-1", "1.5", "many", "1000001", "1k"].map((
    text,
  ): [string, string, RegExp] => ["max-clients", text, /a whole number from 1 to 1000000/]),
  ...["5", "5h", "s", "-5s", "1ms", "61m", "5 s"].map((
    text,
  ): [string, string, RegExp] => [
    "max-lag",
    text,
    /a time with its unit, such as 500ms, 5s or 2m, from 10ms to 60m/,
  ]),
  ["max-memory", "15m", /a size in bytes/],
  ["max-log", "4095", /a size in bytes/],
  ["max-log", "5g", /a size in bytes/],
  ["when-behind", "jump", /skip or close/],
  ["when-behind", "Skip", /skip or close/],
  ["write-deadline", "5", /a time with its unit/],
  ["log", "xml", /text or json/],
  ...["x.org", "https://x.org/", "https://", "https://x.org,", "http://a b", "https://x.org,**"].map((
    text,
  ): [string, string, RegExp] => ["allow-origin", text, /an origin with http.* without a path, such as/]),
  ...["ftp://x", "ws://x.org", "file://x", "chrome-extension://abcdef", "https://x.org,ftp://x"].map((
    text,
  ): [string, string, RegExp] => ["allow-origin", text, /with http:\/\/ or https:\/\/ .*, or null, or \*/]),
  ...["x.org:80", "http://x.org", "a..b", ".a", "a,,b"].map((
    text,
  ): [string, string, RegExp] => ["allow-host", text, /a name without a port, such as/]),
];

/** All options that have a value. */
const VALUED = valuedOptions();

function valuedOptions(): string[] {
  const twins: string[] = [];
  readCommand([], (twin) => void twins.push(twin));
  return twins.map((twin) => twin.slice("EVENTRELAY_".length).toLowerCase().replaceAll("_", "-"))
    .filter((option) => !/ alone is allowed$/.test(readRefusal([`--${option}=`])));
}

function twinOf(option: string): string {
  return `EVENTRELAY_${option.toUpperCase().replaceAll("-", "_")}`;
}

Deno.test("readCommand without arguments takes the defaults", () => {
  const { log: _1, name: _0, idleLineMs: _2, handshakeMs: _8, resumeMs: _3, windowBytes: _4, ...others } =
    RELAY_DEFAULTS;
  const { maxKeys: _5, maxValueBytes: _6, maxStateBytes: _7, ...defaults } = others;
  assert.deepEqual(read([]), {
    kind: "serve",
    options: {
      host: "0.0.0.0",
      ports: [DEFAULT_PORT, DEFAULT_PORT],
      relay: defaults,
      tokenFile: undefined,
      tls: undefined,
      logFormat: "text",
      logLevel: "info",
    },
    warnings: [],
  });
});

Deno.test("readCommand reads each option as --name value, as --name=value and from its environment twin", () => {
  for (const [option, text, pick, value] of GOOD) {
    const roomy: Record<string, string> = option === "max-line" ? { EVENTRELAY_MAX_LOG: "1g" } : {};
    assert.equal(pick(readOptions([`--${option}`, text], roomy)), value, `--${option} ${text}`);
    assert.equal(pick(readOptions([`--${option}=${text}`], roomy)), value, `--${option}=${text}`);
    assert.equal(
      pick(readOptions([], { ...roomy, [twinOf(option)]: text })),
      value,
      `${twinOf(option)}=${text}`,
    );
  }
});

Deno.test("readCommand reads options that have no default", () => {
  const { relay, tokenFile, tls } = readOptions([
    "--max-clients-per-host=9",
    "--max-rate=100",
    "--token-file=secret.txt",
    "--tls-cert=cert.pem",
    "--tls-key=key.pem",
  ]);
  assert.deepEqual(
    [relay.maxClientsPerHost, relay.maxLinesPerSecond, relay.token, tokenFile, tls],
    [9, 100, "", "secret.txt", { certFile: "cert.pem", keyFile: "key.pem" }],
  );
  assert.equal(readOptions([], { EVENTRELAY_TOKEN: "secret" }).relay.token, "secret");
});

Deno.test("readCommand reads options that may be given several times, or as a list with commas", () => {
  const origins = ["https://x.org", "http://y.org:8080", "null", "*"];
  const { relay } = readOptions([
    "--allow-origin=HTTPS://X.org:443",
    "--allow-origin",
    "http://y.org:8080, null,*",
    "--allow-host=Games.Example.org.",
    "--allow-host=b",
  ], { EVENTRELAY_ALLOW_HOST: "c" });
  assert.deepEqual(relay.allowedOrigins, origins);
  assert.deepEqual(relay.allowedHosts, ["games.example.org", "b"]);
  const fromEnvironment = readOptions([], { EVENTRELAY_ALLOW_ORIGIN: origins.join(",") });
  assert.deepEqual(fromEnvironment.relay.allowedOrigins, origins);
});

for (
  const [args, message] of [
    [["--token=a", "--token-file=b"], /two places/],
    [["--tls-cert=a"], /--tls-cert and --tls-key go together/],
    [["--tls-key=a"], /--tls-cert and --tls-key go together/],
    [["--token="], /a text that isn't empty/],
    [["--max-rate=0"], /a whole number from 1/],
  ] as const
) {
  Deno.test(`readCommand refuses ${args.join(" ")}`, () => {
    const command = read([...args]);
    assert.ok(command.kind === "refuse");
    assert.match(command.message, message);
  });
}

Deno.test("readCommand reads switches, and their environment twins as 1 or 0", () => {
  for (const [option, pick, on, off] of SWITCHES) {
    assert.equal(pick(readOptions([])), off);
    assert.equal(pick(readOptions([`--${option}`])), on);
    for (const text of ["1", "true", "yes", "on"]) {
      assert.equal(pick(readOptions([], { [twinOf(option)]: text })), on, `${twinOf(option)}=${text}`);
    }
    for (const text of ["0", "false", "no", "off"]) {
      assert.equal(pick(readOptions([], { [twinOf(option)]: text })), off, `${twinOf(option)}=${text}`);
    }
    assert.equal(
      readRefusal([], { [twinOf(option)]: "maybe" }),
      `Cannot use ${twinOf(option)} "maybe": 1 or 0`,
    );
  }
});

Deno.test("readCommand knows an environment twin for every option of the help", () => {
  const options = [...helpText("0").matchAll(/--([a-z-]+)/g)].map(([, option]) => option);
  const asked = new Set<string>();
  readCommand([], (name) => void asked.add(name));
  for (const option of options) {
    if (option !== "help" && option !== "version") assert.ok(asked.has(twinOf(option)), twinOf(option));
  }
  assert.ok(asked.has("EVENTRELAY_PORT"));
});

Deno.test("readCommand lets a flag win over its twin, even over a bad one", () => {
  assert.equal(readOptions(["--max-clients", "5"], { EVENTRELAY_MAX_CLIENTS: "7" }).relay.maxClients, 5);
  assert.equal(readOptions(["--max-clients", "5"], { EVENTRELAY_MAX_CLIENTS: "x" }).relay.maxClients, 5);
  assert.deepEqual(readOptions(["1234"], { EVENTRELAY_PORT: "99" }).ports, [1234, 1234]);
});

Deno.test("readCommand refuses what is set and empty, on the command line and in the environment", () => {
  const asked = new Set<string>();
  readCommand([], (name) => void asked.add(name));
  assert.ok(asked.size > 20);
  for (const twin of asked) {
    assert.ok(readRefusal([], { [twin]: "" }).startsWith(`Cannot use ${twin} "": `), twin);
    const option = twin.slice("EVENTRELAY_".length).toLowerCase().replaceAll("_", "-");
    const isSwitch = ["unchecked", "quiet", "verbose", "no-simulate", "no-web"].includes(option);
    if (!isSwitch) {
      assert.ok(readRefusal([`--${option}`, ""]).startsWith(`Cannot use --${option} "": `), option);
    }
  }
  assert.match(readRefusal([""]), /^Cannot use port "": a port is/);
});

Deno.test("readCommand names variables that look like its options and are none", () => {
  const names = [
    "EVENTRELAY_TOKN",
    "PATH",
    "EVENTRELAY_PORT",
    "EVENTRELAY_MAXLINE",
    "EVENTRELAY_",
    "EVENTRELAY_MAX_LINE",
  ];
  const command = readCommand([], () => undefined, names);
  assert.ok(command.kind === "serve");
  assert.deepEqual(command.warnings, [
    "EVENTRELAY_ in the environment is no option, see --help",
    "EVENTRELAY_MAXLINE in the environment is no option, see --help",
    "EVENTRELAY_TOKN in the environment is no option, see --help",
  ]);
  const many = readCommand([], () => undefined, Array.from({ length: 1000 }, (_, i) => `EVENTRELAY_${i}`));
  assert.equal(many.kind === "serve" && many.warnings.length, 20, "no more than can be read");
});

Deno.test("readCommand takes the port bare, as -p and as --port, but only once", () => {
  for (const args of [["1234"], ["-p", "1234"], ["-p1234"], ["--port", "1234"], ["--port=1234"]]) {
    assert.deepEqual(readOptions(args, { EVENTRELAY_PORT: "99" }).ports, [1234, 1234], args.join(" "));
  }
  assert.deepEqual(readOptions(["-p", "32000-33000"]).ports, [32000, 33000]);
  assert.match(readRefusal(["--port", "x"]), /^Cannot use --port "x": a port is 0 to 65535/);
  assert.match(readRefusal(["--port", "1", "1"]), /two places: --port or the bare one/);
});

Deno.test("readCommand refuses a bad value by name, with the text and with what is allowed", () => {
  for (const [option, text, allowed] of BAD) {
    for (
      const message of [readRefusal([`--${option}=${text}`]), readRefusal([], { [twinOf(option)]: text })]
    ) {
      assert.match(message, allowed);
    }
    assert.ok(
      readRefusal([`--${option}=${text}`]).startsWith(`Cannot use --${option} ${JSON.stringify(text)}: `),
    );
    assert.ok(readRefusal([], { [twinOf(option)]: text }).startsWith(`Cannot use ${twinOf(option)} `));
  }
});

Deno.test("readCommand takes 0, a port and a range, as argument and from EVENTRELAY_PORT", () => {
  const cases: [string, [number, number]][] = [
    ["0", [0, 0]],
    ["1", [1, 1]],
    ["65535", [65535, 65535]],
    ["32000-33000", [32000, 33000]],
    ["5-5", [5, 5]],
  ];
  for (const [text, ports] of cases) {
    assert.deepEqual(readOptions([text]).ports, ports);
    assert.deepEqual(readOptions([], { EVENTRELAY_PORT: text }).ports, ports);
  }
});

Deno.test("readCommand refuses what is no port, and names whence it has it", () => {
  for (const text of ["65536", "x", "80x", "1-65536", "-", "1-", "1-2-3", "1,2", "3.5", " 80"]) {
    assert.match(
      readRefusal([], { EVENTRELAY_PORT: text }),
      /^Cannot use EVENTRELAY_PORT ".*": a port is 0 to 65535/,
    );
    if (!text.startsWith("-")) {
      assert.match(readRefusal([text]), /^Cannot use port ".*": a port is 0 to 65535/, text);
    }
  }
  for (const text of ["33000-32000", "0-10"]) {
    assert.match(readRefusal([text]), /a range begins with its smaller port/);
  }
});

Deno.test("readCommand refuses unknown flags, values where none is allowed, and a second argument", () => {
  const cases: [string[], RegExp][] = [
    [["--prot", "80"], /^Cannot use "--prot": it is no option$/],
    [["--prot=80"], /^Cannot use "--prot": it is no option/],
    [["-x"], /^Cannot use "-x": it is no option/],
    [["--no-quiet"], /^Cannot use "--no-quiet": it is no option/],
    [["--constructor"], /^Cannot use "--constructor": it is no option/],
    [["--=1"], /^Cannot use "--=1": it is no option/],
    [[`--${"x".repeat(60_000)}`], /^Cannot use "--x{38}…": it is no option/],
    [["--quiet=1"], /^Cannot use --quiet with a value: it is "1", --quiet alone is allowed$/],
    [["--no-web=no", "--host"], /^Cannot use --no-web with a value/],
    [["1", "2"], /^Cannot use "2": one port or range/],
    [["1", "--", "--quiet"], /^Cannot use "--quiet": one port or range/],
  ];
  for (const [args, message] of cases) {
    const refusal = readRefusal(args);
    assert.match(refusal, message);
    assert.ok(!refusal.includes("\n"), refusal);
  }
});

Deno.test("readCommand names each flag that lacks its value, and says what is allowed", () => {
  for (const option of VALUED) {
    const [, allowed] = /^Cannot use \S+ "": (.*)$/.exec(readRefusal([`--${option}=`])) ??
      assert.fail(option);
    assert.equal(readRefusal([`--${option}`]), `Cannot use --${option} without a value: ${allowed}`);
    assert.equal(
      readRefusal([`--${option}`, "--quiet"]),
      `Cannot use --${option} without a value: ${allowed}; what begins with - is written as "--${option}=--quiet"`,
    );
  }
  assert.match(readRefusal(["-p"]), /^Cannot use -p without a value: a port is 0 to 65535/);
  assert.match(readRefusal(["-p", "-5"]), /written as "-p-5"$/);
  assert.equal(readOptions(["--token=-x"]).relay.token, "-x");
});

Deno.test("readCommand refuses a flag that is given twice and has one value, and takes switches and lists again", () => {
  const lists = ["trust-proxy", "allow-origin", "allow-host"];
  for (const option of VALUED) {
    const refusal = readCommand([`--${option}=5`, "--quiet", `--${option}`, "10.0.0.1"], () => undefined);
    const twice = `Cannot use --${option} twice: it is "5" and "10.0.0.1", one is allowed`;
    assert.equal(refusal.kind === "refuse" && refusal.message === twice, !lists.includes(option), option);
  }
  assert.match(readRefusal(["--web", "A", "--web", "B"]), /^Cannot use --web twice: it is "A" and "B"/);
  assert.match(readRefusal(["--web", "A", "--web", "A"]), /^Cannot use --web twice/);
  assert.match(readRefusal(["-p1", "--port", "2"]), /^Cannot use --port twice: it is "1" and "2"/);
  assert.equal(readOptions(["--quiet", "--quiet"]).logLevel, "error");
});

Deno.test("readCommand refuses what contradicts itself", () => {
  assert.match(readRefusal(["--quiet", "--verbose"]), /--quiet and --verbose: choose one/);
  assert.match(readRefusal(["--web=A", "--no-web"]), /choose one of --web and --no-web/);
  const environment = { EVENTRELAY_QUIET: "1", EVENTRELAY_VERBOSE: "1" };
  assert.match(readRefusal([], environment), /--quiet and --verbose: choose one/);
  assert.match(readRefusal([], { EVENTRELAY_WEB: "A", EVENTRELAY_NO_WEB: "1" }), /choose one of/);
  assert.match(readRefusal([], { EVENTRELAY_TOKEN: "a", EVENTRELAY_TOKEN_FILE: "b" }), /two places/);
  assert.match(
    readRefusal(["--max-log", "4k", "--max-line", "2k"]),
    /--max-log is at least 4 times --max-line/,
  );
  assert.equal(readOptions(["--max-log", "4k", "--max-line", "1k"]).relay.maxLogBytes, 4096);
});

Deno.test("readCommand lets a flag win over what says the opposite in the environment, even over a bad one", () => {
  for (const no of ["1", "maybe", ""]) {
    assert.equal(readOptions(["--quiet"], { EVENTRELAY_VERBOSE: no }).logLevel, "error");
    assert.equal(readOptions(["--verbose"], { EVENTRELAY_QUIET: no }).logLevel, "debug");
    assert.equal(readOptions(["--no-web"], { EVENTRELAY_WEB: no }).relay.webFolder, "");
    const { servesWeb, webFolder } = readOptions(["--web", "A"], { EVENTRELAY_NO_WEB: no }).relay;
    assert.deepEqual([servesWeb, webFolder], [true, "A"]);
    const byText = readOptions(["--token=a"], { EVENTRELAY_TOKEN_FILE: no });
    assert.deepEqual([byText.relay.token, byText.tokenFile], ["a", undefined]);
    const byFile = readOptions(["--token-file=a"], { EVENTRELAY_TOKEN: no });
    assert.deepEqual([byFile.relay.token, byFile.tokenFile], ["", "a"]);
  }
});

Deno.test("readCommand answers --help and --version before it looks at anything else", () => {
  assert.deepEqual(read(["--help"], { EVENTRELAY_MAX_LINE: "x" }), { kind: "help" });
  assert.deepEqual(read(["-h"]), { kind: "help" });
  assert.deepEqual(read(["--prot", "-h"]), { kind: "help" });
  assert.deepEqual(read(["--version", "70000"]), { kind: "version" });
});

Deno.test("helpText has under 30 lines of at most 100 columns and names every default rightly", () => {
  const lines = helpText("1.2.3").trimEnd().split("\n");
  assert.ok(lines.length < 30, `${lines.length} lines`);
  for (const line of lines) assert.ok(line.length <= 100, line);
  assert.equal(lines[0], "eventrelay 1.2.3");
  const defaults = readOptions([]);
  for (const [option, , pick] of GOOD) {
    const line = lines.find((line) => line.trimStart().startsWith(`--${option} `));
    const shown = /\(([^\s()]+)\)/.exec(line ?? "")?.[1] ?? assert.fail(`--${option} is not in the help`);
    const roomy: Record<string, string> = option === "max-line" ? { EVENTRELAY_MAX_LOG: "1g" } : {};
    assert.equal(pick(readOptions([`--${option}`, shown], roomy)), pick(defaults), `--${option}: ${shown}`);
  }
});
