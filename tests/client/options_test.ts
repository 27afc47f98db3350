// Tests src/client/options.ts: defaults, and what is said about wrong options. Limits are tested in
// client_test.ts.

import assert from "node:assert/strict";
import { type ConnectOptions, readJoinOptions, readOptions, takeOptions } from "../../src/client/options.ts";

Deno.test("readOptions takes an option that is undefined for one that is missing, and every one that the types have", () => {
  const none = Object.fromEntries(Object.keys(readOptions({}, {})).map((name) => [name, undefined]));
  assert.deepEqual(readOptions(none, {}), readOptions({}, {}));
  readOptions(
    { plain: true, retry: false, signal: AbortSignal.timeout(0), onJoin() {}, onLost() {} },
    {},
  );
});

Deno.test("readOptions puts in the defaults, and takes the room of the target", () => {
  assert.deepEqual(readOptions({}, {}), {
    plain: false,
    room: "lobby",
    name: "",
    echo: false,
    any: false,
    canHost: true,
    maxMembers: undefined,
    token: "",
    simulate: "",
    tls: undefined,
    offlineBytes: 256 * 1024,
    maxQueuedBytes: 64 * 1024 * 1024,
    inboxLimit: 10_000,
    maxLineBytes: 64 * 1024,
  });
  assert.equal(readOptions({}, { room: "pong" }).room, "pong");
  assert.equal(readOptions({ room: "pong" }, { room: "pong" }).room, "pong");
  assert.equal(readOptions({ name: "😀".repeat(64) }, {}).name.length, 128, "characters, not units");
  assert.deepEqual(readOptions({ tls: true }, {}).tls, {});
  assert.equal(readOptions({ tls: false }, {}).tls, undefined);
});

Deno.test("takeOptions returns what stays as it was looked at, whatever becomes of the program's object", () => {
  const options: ConnectOptions = { name: "ada", retry: undefined };
  const taken = takeOptions(options);
  options.name = "bo";
  options.onJoin = () => {};
  assert.deepEqual(taken, { name: "ada" });
  let reads = 0;
  const { signal } = takeOptions({
    get signal() {
      return reads++ === 0 ? undefined : "none";
    },
  });
  assert.deepEqual([signal, reads], [undefined, 1]);
});

Deno.test("readJoinOptions takes options of connect, and no other room beside the one that is named", () => {
  assert.deepEqual(readJoinOptions({}, "pong"), { room: "pong" });
  const all: ConnectOptions = { room: "pong", name: "ada", token: undefined };
  assert.deepEqual(readJoinOptions(all, "pong"), { room: "pong", name: "ada" });
  for (
    const options of [null, 1, "x", [], { rom: "pong" }, { room: "chess" }, { room: 1 }, { onJoin: "x" }]
  ) {
    assert.throws(() => readJoinOptions(options as ConnectOptions, "pong"), {
      name: "TypeError",
      message: /^Cannot join a room: .*, .*allowed/,
    });
  }
});

const BAD: [unknown, string | undefined, string, RegExp][] = [
  [
    { room: "pong", maxMembers: 2 ** 53 },
    undefined,
    "RangeError",
    /maxMembers is 9007199254740992, a whole .* to 900/,
  ],
  [{ room: "pong", maxMembers: 1e308 }, undefined, "RangeError", /a whole number from 1 to 9007199254740991/],
  [{ name: {} }, undefined, "TypeError", /name is an object, a string is allowed/],
  [{ room: "" }, undefined, "RangeError", /room has 0 characters, 1 to 64 are allowed/],
  [{ room: "x".repeat(65) }, undefined, "RangeError", /room has 65 characters/],
  [{ room: 5 }, undefined, "TypeError", /room is a number, a string is allowed/],
  [{ name: "\ud800" }, undefined, "TypeError", /name has half of a surrogate pair, whole characters are/],
  [{ room: "a\udc00" }, undefined, "TypeError", /room has half of a surrogate pair/],
  [{ name: "a\nb" }, undefined, "TypeError", /name has a control character/],
  [{ name: "x".repeat(65) }, undefined, "RangeError", /name has 65 characters, 0 to 64 are allowed/],
  [{ token: 5 }, undefined, "TypeError", /token is a number/],
  [{ room: "a" }, "b", "TypeError", /the target names another room than the option room/],
  [{ plain: true }, "b", "TypeError", /a plain client is in the room "lobby", no other is allowed/],
  [
    { tls: { caCert: "" } },
    undefined,
    "TypeError",
    /"caCert" is no option \(caCerts\?\), allowed is caCerts/,
  ],
  [{ plain: "yes" }, undefined, "TypeError", /plain is "yes", true or false is allowed/],
  [{ retry: "no" }, undefined, "TypeError", /retry is "no", true or false is allowed/],
  [{ retry: 1 }, undefined, "TypeError", /retry is 1, true or false is allowed/],
  [{ plain: null }, undefined, "TypeError", /plain is null, true or false is allowed/],
  [{ onJoin: "x" }, undefined, "TypeError", /onJoin is "x", a function is allowed/],
  [{ onLost: null }, undefined, "TypeError", /onLost is null, a function is allowed/],
  [{ onStatus: [] }, undefined, "TypeError", /onStatus is an array, a function is allowed/],
  [{ signal: "x" }, undefined, "TypeError", /signal is "x", an AbortSignal is allowed/],
  [{ signal: null }, undefined, "TypeError", /signal is null, an AbortSignal is allowed/],
  [{ signal: new AbortController() }, undefined, "TypeError", /signal is an object, an AbortSignal is/],
  [
    { onJion: () => {} },
    undefined,
    "TypeError",
    /"onJion" is no option \(onJoin\?\), allowed is plain, room/,
  ],
  [{ onjoin: () => {} }, undefined, "TypeError", /"onjoin" is no option \(onJoin\?\)/],
  [{ constructor: 1 }, undefined, "TypeError", /"constructor" is no option, allowed/],
  [null, undefined, "TypeError", /^Cannot connect: options is null, a plain object is allowed/],
  ["x", undefined, "TypeError", /options is "x", a plain object is allowed/],
  [[], undefined, "TypeError", /options is an array, a plain object is allowed/],
  [{ name: null }, undefined, "TypeError", /name is null, a string is allowed/],
  [{ offlineBytes: null }, undefined, "TypeError", /offlineBytes is null, a number is allowed/],
  [{ maxQueuedBytes: 0 }, undefined, "RangeError", /maxQueuedBytes is 0, a whole number from 1 is allowed/],
  [{ tls: {} }, undefined, "TypeError", /tls is neither true nor false nor has it caCerts/],
  [{ tls: { caCerts: [1] } }, undefined, "TypeError", /an array of PEM texts is allowed/],
];

Deno.test("readOptions encrypts what the target says, or what the page that it runs in came by", () => {
  const [ws, wss] = [{ url: "ws://host/" }, { url: "wss://host/" }];
  const good: [unknown, { url?: string }, boolean, unknown][] = [
    [undefined, {}, false, undefined],
    [undefined, {}, true, {}],
    [false, {}, true, undefined],
    [true, {}, false, {}],
    [undefined, ws, true, undefined],
    [false, ws, false, undefined],
    [undefined, wss, false, {}],
    [true, wss, false, {}],
    [{ caCerts: ["PEM"] }, wss, false, { caCerts: ["PEM"] }],
  ];
  for (const [tls, address, isSecurePage, read] of good) {
    assert.deepEqual(readOptions({ tls } as ConnectOptions<never>, address, isSecurePage).tls, read);
  }
  const message = (one: string, other: string) =>
    `Cannot connect: the target says ${one}:// and the option tls ${other}://, one is allowed`;
  assert.throws(() => readOptions({ tls: true }, ws), { name: "TypeError", message: message("ws", "wss") });
  assert.throws(() => readOptions({ tls: { caCerts: ["PEM"] } }, ws), { message: message("ws", "wss") });
  assert.throws(() => readOptions({ tls: false }, wss), { message: message("wss", "ws") });
});

Deno.test("readOptions wants the room named where the target is a path that names none", () => {
  const address = { url: "wss://host/relay/" };
  assert.equal(readOptions({ room: "pong" }, address).room, "pong");
  assert.throws(() => readOptions({}, address), {
    name: "TypeError",
    message:
      "Cannot connect to wss://host/relay/: it ends with a slash, so it names no room, one in the option " +
      "room is allowed",
  });
});

for (const [options, room, name, message] of BAD) {
  Deno.test(`readOptions refuses ${JSON.stringify(options)}${room === undefined ? "" : ` in "${room}"`}`, () => {
    const given = options as ConnectOptions<never>;
    assert.throws(() => readOptions(takeOptions(given), { room }), { name, message });
  });
}
