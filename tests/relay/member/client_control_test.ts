// Holds the readers of control lines against JSON.parse and tables of what is refused; and the text of a
// value against what was written.

import assert from "node:assert/strict";
import fc from "../../support/fast_check.ts";
import { encodeTo } from "../../../src/wire/protocol.ts";
import {
  type Control,
  Misunderstood,
  readAck,
  readClaim,
  readControl,
  readHello,
  readHost,
  readNonce,
  readPing,
  readPlainAck,
  readPlainTo,
  readRooms,
  readSet,
  readTo,
  type Understood,
} from "../../../src/relay/member/client_control.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Reads a line from within other bytes, as it stands in a chunk. */
function controlIn(line: string): Understood<Control> {
  const before = encoder.encode('"}\n');
  const bytes = encoder.encode(`"}\n${line}\n{"`);
  return readControl(bytes, before.length, bytes.length - 2);
}

function controlOf(line: string): Control {
  const control = controlIn(line);
  if (control instanceof Misunderstood) assert.fail(`${line}: ${control.message}`);
  return control;
}

function helloOf(body: unknown) {
  return readHello(controlOf(JSON.stringify({ $hello: body })));
}

function whyNot(result: unknown): string {
  assert.ok(result instanceof Misunderstood, JSON.stringify(result));
  return result.message;
}

Deno.test("readControl takes one member with an object, its name without the $", () => {
  assert.equal(controlOf('{"$set" :\t{"a":[1]} }\r').name, "set");
  assert.equal(controlOf('{"$":{}}').name, "");
});

Deno.test("readControl says what is wrong", () => {
  const cases: [string, RegExp][] = [
    ['{"$a":{},"b":{}}', /it has several members beside each other, one is allowed/],
    ['{"$set":{"key":"a","value":1},"$set":{"key":"k","value":2}}', /several members/],
    ['{"$set":"{","$set":{"key":"k","value":2}}', /several members/],
    ['{"$a":"\\"}" , "b":1}', /several members/],
    ['{"$a":1}', /"\$a" is no object/],
    ['{"$a":null}', /no object/],
    ['{"$a":[]}', /no object/],
    ['{"$a', /not JSON/],
    [`{"$${"x".repeat(999)}":1}`, /^"\$x{39}…" is no object$/],
  ];
  for (const [line, message] of cases) assert.match(whyNot(controlIn(line)), message);
});

Deno.test("readHello fills in what is not there, and ignores what it doesn't know", () => {
  assert.deepEqual(helloOf({ version: 1 }), {
    version: 1,
    room: "lobby",
    name: "",
    token: "",
    simulate: "",
    echo: false,
    canHost: false,
    maxMembers: undefined,
    any: false,
    base: undefined,
    nonce: undefined,
    resume: undefined,
  });
  const full = {
    version: 7,
    room: "r",
    name: "n",
    token: "t",
    simulate: "s",
    nonce: "7f",
    resume: { session: "x", bytes: 5 },
    echo: true,
    canHost: true,
    maxMembers: 3,
    any: true,
    base: "b",
  };
  assert.deepEqual(helloOf({ ...full, unknown: [] }), full);
});

Deno.test("readHello takes names of 64 code points, and refuses longer ones, control characters, and other types", () => {
  const good = ["🎈".repeat(64), " ", "a/b", "\u2028", "'\"\\"];
  for (const text of good) {
    assert.ok(
      !(helloOf({ version: 1, room: text, name: text }) instanceof Misunderstood),
      JSON.stringify(text),
    );
  }
  const bad = ["x".repeat(65), "🎈".repeat(65), "a\nb", "\0", "\x7f", "\x85", "\x1b[31m", 1, null, {}];
  for (const name of bad) {
    const fault = typeof name !== "string"
      ? "is (a|null)"
      : name.length > 64
      ? "has 65 characters"
      : "has a control";
    assert.match(whyNot(helloOf({ version: 1, room: name })), new RegExp(`^room ${fault}`));
    assert.match(whyNot(helloOf({ version: 1, name })), new RegExp(`^name ${fault}`));
  }
  assert.match(whyNot(helloOf({ version: 1, room: "" })), /room/);
});

Deno.test("readHello refuses other versions, tokens and resumes", () => {
  for (const version of [undefined, 0, -1, 1.5, "1", null, 2 ** 53]) {
    assert.match(whyNot(helloOf({ version })), /version is a whole number from 1/);
  }
  assert.match(whyNot(helloOf({ version: 1, token: 5 })), /token is a string/);
  for (
    const resume of [null, 1, [], {}, { session: "x" }, { session: 1, bytes: 1 }, { session: "x", bytes: -1 }]
  ) {
    assert.match(whyNot(helloOf({ version: 1, resume })), /resume is an object with session/);
  }
});

Deno.test("readAck and readPing take numbers", () => {
  assert.equal(readAck(controlOf('{"$ack":{"bytes":0}}')), 0);
  for (const bytes of ["-1", "1.5", '"1"', "null", "1e99", "[]"]) {
    assert.match(whyNot(readAck(controlOf(`{"$ack":{"bytes":${bytes}}}`))), /bytes is a whole number/);
  }
  const nothing = { rttMs: undefined, lagMs: undefined };
  assert.deepEqual(readPing(controlOf('{"$ping":{"t":-1.5e3}}')), { t: -1500, told: nothing });
  const told = { rttMs: 12.5, lagMs: 0 };
  assert.deepEqual(readPing(controlOf('{"$ping":{"t":1,"rtt":12.5,"lag":0}}')), { t: 1, told });
  for (const wrong of ["-1", '"5"', "null", "1e999", "3600001", "{}"]) {
    const ping = readPing(controlOf(`{"$ping":{"t":1,"rtt":${wrong},"lag":${wrong}}}`));
    assert.deepEqual(ping, { t: 1, told: nothing }, wrong);
  }
  for (const t of ['"1"', "null", "1e999", "{}"]) {
    assert.match(whyNot(readPing(controlOf(`{"$ping":{"t":${t}}}`))), /t is a number/);
  }
});

Deno.test("readPlainAck takes an $ack without spaces, and nothing else", () => {
  const read = (line: string) => {
    const bytes = new TextEncoder().encode(`"before"\n${line}\n"after"\n`);
    return readPlainAck(bytes, 9, 9 + line.length + 1);
  };
  for (const count of [0, 7, 70123, 999_999_999_999_999]) {
    assert.equal(read(`{"$ack":{"bytes":${count}}}`), count);
  }
  const others = [
    '{"$ack":{"bytes":}}',
    '{"$ack":{"bytes":-1}}',
    '{"$ack":{"bytes":1.5}}',
    '{"$ack":{"bytes":1e3}}',
    '{"$ack":{"bytes": 1}}',
    '{"$ack":{"bytes":1} }',
    '{"$ack":{"bytes":1234567890123456}}',
    '{"$ack":{"bytes":1,"more":2}}',
    '{"$ack":{"bytes":1}}}',
    '{"$ack":{"byte":1}}',
    '{"$ack":{',
    '{"$',
    '{"$ping":{"t":1}}',
  ];
  for (const line of others) assert.equal(read(line), undefined, line);
});

Deno.test("readSet says what is wrong with a key and a room", () => {
  const cases: [string, RegExp][] = [
    ['{"$set":{}}', /^key is undefined, a string is allowed$/],
    [
      String.raw`{"$set":{"key":"\ud800"}}`,
      /^key has half of a surrogate pair, whole characters are allowed$/,
    ],
    ['{"$set":{"key":""}}', /^key has 0 characters, 1 to 128 are allowed$/],
    [`{"$set":{"key":"${"x".repeat(129)}"}}`, /^key has 129 characters/],
    [`{"$set":{"key":"${"🎈".repeat(129)}"}}`, /^key has 129 characters/],
    ['{"$set":{"key":1}}', /^key is a number/],
    ['{"$set":{"key":"k","room":null}}', /room is true or false/],
  ];
  for (const [line, message] of cases) assert.match(whyNot(readSet(controlOf(line))), message, line);
});

Deno.test("readSet finds the value's text as it was written, the last one of that name", () => {
  const cases: [string, string | undefined][] = [
    ['{"$set":{"key":"k"}}', undefined],
    ['{"$set":{"key":"k","value":null}}', "null"],
    ['{ "$set" : { "value" : 1152921504606846975 , "key" : "k" } }\r', "1152921504606846975"],
    ['{"$set":{"value":[1,{"value":2}],"key":"k"}}', '[1,{"value":2}]'],
    ['{"$set":{"other":{"value":1,"x":"}\\\\\\""},"key":"k","value":"\\"}]{[,"}}', '"\\"}]{[,"'],
    ['{"$set":{"value":1,"key":"k","v\\u0061lue": 2.50e+00}}', "2.50e+00"],
    ['{"$set":{"key":"value","value":{}}}', "{}"],
    ['{"$set":{"key":"k","":"value","value":[ ]}}', "[ ]"],
  ];
  for (const [line, value] of cases) {
    const set = readSet(controlOf(line));
    assert.ok(!(set instanceof Misunderstood), line);
    assert.equal(set.value && decoder.decode(set.value), value, line);
  }
});

Deno.test("readSet's value parses to what JSON.parse finds, for any other members around it", () => {
  const member = fc.tuple(fc.oneof(fc.string(), fc.constantFrom("value", "valu\\e", "key2")), fc.jsonValue());
  fc.assert(
    fc.property(
      fc.array(member),
      fc.jsonValue(),
      fc.array(member),
      fc.constantFrom("", " ", "\t"),
      (before, value, after, gap) => {
        const rest = (members: [string, unknown][]) =>
          members.filter(([key]) => key !== "key" && key !== "room").map(([key, value]) =>
            `${gap}${JSON.stringify(key)}${gap}:${JSON.stringify(value)}`
          );
        const parts = [
          ...rest(before),
          '"key":"k"',
          `"value"${gap}:${gap}${JSON.stringify(value)}${gap}`,
          ...rest(after),
        ];
        const line = `{"$set":{${parts.join()}}}`;
        const set = readSet(controlOf(line));
        assert.ok(!(set instanceof Misunderstood));
        assert.deepEqual(JSON.parse(decoder.decode(set.value)), JSON.parse(line).$set.value);
      },
    ),
    { numRuns: 1000 },
  );
});

Deno.test("readHello takes a nonce of up to 64 code points, and readNonce finds it where other fields are wrong", () => {
  for (const nonce of ["", "7f3a", "\u0000\n", "🎈".repeat(64), "x".repeat(64)]) {
    const hello = helloOf({ version: 1, nonce });
    assert.ok(!(hello instanceof Misunderstood));
    assert.equal(hello.nonce, nonce);
    assert.equal(readNonce(controlOf(JSON.stringify({ $hello: { version: "?", nonce } }))), nonce);
  }
  for (const nonce of ["x".repeat(65), "🎈".repeat(65), 1, null, {}, ["a"]]) {
    const fault = typeof nonce === "string" ? "has 65 characters, 0 to 64 are allowed" : "is (a|null)";
    assert.match(whyNot(helloOf({ version: 1, nonce })), new RegExp(`^nonce ${fault}`));
    assert.equal(readNonce(controlOf(JSON.stringify({ $hello: { version: 1, nonce } }))), undefined);
  }
  assert.equal(readNonce(controlOf('{"$hello":{"version":1}}')), undefined);
});

Deno.test("readPlainTo reads what client.ts writes for one member as readTo does, and nothing else", () => {
  const plain = (line: string) => {
    const bytes = encoder.encode(`"before"\n${line}\n"}}\n`), end = bytes.length - 4;
    const to = readPlainTo(bytes, 9, end);
    return to && { ...to, event: decoder.decode(to.event) };
  };
  const whole = (line: string) => {
    const to = readTo(controlOf(line));
    if (to instanceof Misunderstood) assert.fail(line);
    return { ...to, event: decoder.decode(to.event) };
  };
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.json(), (id, event) => {
    const line = decoder.decode(encodeTo([id], event)).trimEnd();
    assert.deepEqual(plain(line), whole(line));
  }));
  for (
    const line of [
      '{"$to":{"ids":["k1"],"event":1,"ask":"7"}}',
      '{"$to":{"ids":["k1"],"event":{},"event":{}}}',
      '{"$to":{"ids":["k1","k2"],"event":1}}',
      '{"$to":{"ids":["k1"],"ask":"7","event":1}}',
      '{"$to":{"ids":["k1"],"event":1 }}',
      '{"$to":{"ids":["k1"],"event": 1}}',
      '{"$to":{"ids":["k1"],"event":1}} ',
      '{"$to":{"ids": ["k1"],"event":1}}',
      '{"$to":{"ids":["k1" ],"event":1}}',
      '{"$to":{"event":1,"ids":["k1"]}}',
      '{"$to":{"ids":[1],"event":1}}',
      '{"$set":{"key":"k","value":1}}',
    ]
  ) assert.equal(plain(line), undefined, line);
});

Deno.test("readTo takes up to 256 ids and the event's text as it was written, and refuses all else", () => {
  const read = (text: string) => {
    const to = readTo(controlOf(`{"$to":${text}}`));
    return to instanceof Misunderstood ? to : { ...to, event: new TextDecoder().decode(to.event) };
  };
  const many = (count: number) => JSON.stringify(Array.from({ length: count }, (_, n) => `k${n}`));
  assert.deepEqual(read('{"event": {"n": 1.0} ,"ids":["k1"]}'), {
    ids: ["k1"],
    event: '{"n": 1.0}',
    tag: undefined,
  });
  assert.deepEqual(read('{"ids":["k1"],"event":null,"more":1}'), {
    ids: ["k1"],
    event: "null",
    tag: undefined,
  });
  assert.equal((read(`{"ids":${many(256)},"event":1}`) as { ids: string[] }).ids.length, 256);
  for (
    const [text, message] of [
      [`{"ids":${many(257)},"event":1}`, "ids has 257 members, 1 to 256 are allowed"],
      ['{"ids":[],"event":1}', "ids has 0 members, 1 to 256 are allowed"],
      ['{"ids":"k1","event":1}', "ids is no array, 1 to 256 are allowed"],
      ['{"ids":["k1",2],"event":1}', "ids has members that are no strings"],
      ['{"ids":["k1"]}', "event is missing"],
      ['{"event":1}', "ids is no array, 1 to 256 are allowed"],
      ['{"ids":["k1"],"event":1,"ask":""}', "ask has 0 characters, 1 to 64 are allowed"],
      ['{"ids":["k1"],"event":1,"reply":5}', "reply is a number, a string is allowed"],
      ['{"ids":["k1"],"event":1,"ask":"a","reply":"b"}', "ask and reply are there, one is allowed"],
      ['{"ids":["k1"],"event":1,"reply":"a","failed":"yes"}', "failed is true or false"],
      ['{"ids":["k1"],"event":1,"reply":"a","failed":null}', "failed is true or false"],
      ['{"ids":["k1","k2"],"event":1,"ask":"a"}', "ids has 2 members, with ask or reply one is allowed"],
    ]
  ) assert.deepEqual(read(text), new Misunderstood(message), text);
});

Deno.test("readHello takes what a room is opened for, and refuses limits that are none, and those of the lobby", () => {
  for (const maxMembers of [0, -1, 1.5, "2", null, 1e999]) {
    assert.match(
      whyNot(helloOf({ version: 1, room: "r", maxMembers })),
      /^maxMembers is a whole number from 1$/,
    );
  }
  for (const field of ["echo", "canHost", "any"]) {
    assert.match(whyNot(helloOf({ version: 1, room: "r", [field]: 1 })), /is true or false$/);
  }
  assert.match(whyNot(helloOf({ version: 1, maxMembers: 2 })), /open to all/);
  assert.match(whyNot(helloOf({ version: 1, any: true })), /open to all/);
  assert.match(whyNot(helloOf({ version: 1, room: "r", any: true, base: "lobby" })), /open to all/);
  for (const base of ["", 5, null, "x".repeat(65), "\n"]) {
    assert.match(whyNot(helloOf({ version: 1, room: "r", any: true, base })), /^base (is|has) /);
  }
});

Deno.test("readClaim, readRooms and readHost take what is right, and say what is not", () => {
  const claim = (text: string) => readClaim(controlOf(`{"$claim":${text}}`));
  const good = claim('{"hold":true,"value": [1.0] ,"key":"ball","ask":"7"}');
  assert.ok(!(good instanceof Misunderstood));
  assert.deepEqual({ ...good, value: new TextDecoder().decode(good.value) }, {
    ask: "7",
    key: "ball",
    value: "[1.0]",
    isHeld: true,
  });
  for (
    const [text, message] of [
      ['{"key":"a","value":1}', /^ask is undefined/],
      ['{"ask":"7","value":1}', /^key is undefined/],
      ['{"ask":"7","key":"a"}', /^value is missing/],
      ['{"ask":"7","key":"a","value":1,"hold":1}', /^hold is true or false/],
    ] as const
  ) assert.match(whyNot(claim(text)), message);
  assert.equal(readRooms(controlOf('{"$rooms":{"ask":"8"}}')), "8");
  assert.match(whyNot(readRooms(controlOf('{"$rooms":{}}'))), /^ask is undefined/);
  assert.equal(readHost(controlOf('{"$host":{}}')), undefined);
  assert.equal(readHost(controlOf('{"$host":{"id":"k1"}}')), "k1");
  assert.match(whyNot(readHost(controlOf('{"$host":{"id":1}}'))), /^id is a string$/);
});
