// Makes lines of the protocol that are right, nearly right, and wrong, in both directions, from a random
// generator. Pure, but for the time in a good welcome.

import type { Random } from "../../bench/motion/random.ts";
import {
  hostileKey,
  hostileNumber,
  hostileSimulation,
  hostileString,
  hostileValue,
  pick,
  whole,
} from "./hostile_values.ts";

/** Members of an object, each as it should be, or hostile, or missing, or twice. */
function object(random: Random, members: Record<string, [good: string, hostile: () => string]>): string {
  const parts: string[] = [];
  for (const [name, [good, hostile]] of Object.entries(members)) {
    const dice = random();
    if (dice < 0.1) continue;
    parts.push(`"${name}":${dice < 0.65 ? good : hostile()}`);
    if (dice > 0.97) parts.push(`"${name}":${hostile()}`);
  }
  if (random() < 0.1) parts.push(`${hostileKey(random)}:${hostileValue(random)}`);
  if (random() < 0.1) parts.reverse();
  return `{${parts.join(pick(random, [",", ",", ",", " , "]))}}`;
}

/** A hello that is right. */
export function goodHello(fields: Record<string, unknown> = {}): string {
  return JSON.stringify({ $hello: { version: 1, ...fields } });
}

/** A hello whose fields may be anything. */
export function hostileHello(random: Random, room: string): string {
  const resume = () =>
    object(random, {
      session: ['"aaaaaaaaaaaaaaaaaaaaaa"', () => hostileString(random)],
      bytes: ["0", () => hostileNumber(random)],
    });
  const simulate = () => JSON.stringify(hostileSimulation(random));
  return `{"$hello":${
    object(random, {
      version: ["1", () => hostileNumber(random)],
      room: [JSON.stringify(room), () => hostileString(random)],
      name: ['"fuzz"', () => hostileString(random)],
      token: ['""', () => hostileString(random)],
      ...random() < 0.4 ? { simulate: [simulate(), simulate] } : {},
      ...random() < 0.3 ? { resume: [resume(), resume] } : {},
      ...random() < 0.3 ? { echo: ["true", () => hostileValue(random)] } : {},
      ...random() < 0.3 ? { canHost: ["true", () => hostileValue(random)] } : {},
      ...random() < 0.2 ? { maxMembers: ["3", () => hostileNumber(random)] } : {},
      ...random() < 0.2 ? { any: ["true", () => hostileValue(random)] } : {},
      ...random() < 0.2 ? { base: [JSON.stringify(room), () => hostileString(random)] } : {},
    })
  }}`;
}

/** A line from a client, within a session or not. */
export function lineToRelay(random: Random): string {
  const value = () => hostileValue(random),
    number = () => hostileNumber(random),
    text = () => hostileString(random);
  const id = () => pick(random, ['"k1"', '"k2"', `"k${whole(random, 3, 60).toString(36)}"`, text()]);
  const ids = () =>
    random() < 0.3
      ? value()
      : `[${Array.from({ length: whole(random, 0, random() < 0.05 ? 300 : 4) }, id).join(",")}]`;
  switch (whole(random, 0, 16)) {
    case 0:
    case 1:
      return `{"$set":${
        object(random, { key: ['"a"', text], value: ["1", value], room: ["false", value] })
      }}`;
    case 2:
      return `{"$set":{"key":"k${whole(random, 0, 400)}","value":${value()},"room":${
        pick(random, ["true", "false"])
      }}}`;
    case 3:
      return `{"$set":{"key":"k${whole(random, 0, 400)}"}}`;
    case 4:
      return `{"$ping":${object(random, { t: ["1.5", number] })}}`;
    case 5:
      return `{"$ack":${object(random, { bytes: ["0", number] })}}`;
    case 6:
      return hostileHello(random, "fuzz");
    case 7:
      return `{"$${
        pick(random, [
          "bye",
          "welcome",
          "join",
          "leave",
          "peers",
          "pong",
          "error",
          "lost",
          "time",
          "from",
          "answer",
          "",
          "dance",
        ])
      }":${pick(random, ["{}", value()])}}`;
    case 8:
      return pick(random, [
        "",
        " ",
        "\r",
        "{",
        "}",
        "[1,2",
        '{"$',
        '{"$set"',
        "NaN",
        "nul",
        '"',
        "\ufeff1",
        "1 2",
        '{"a":1,}',
        "'a'",
      ]);
    case 9:
      return `{"$set":{"key":"a"},"$ping":{"t":1}}`;
    case 10:
      return JSON.stringify({ say: "x".repeat(whole(random, 0, random() < 0.1 ? 70_000 : 500)) });
    case 11:
      return `{"$to":${
        object(random, {
          ids: [ids(), ids],
          event: ['{"psst":1}', value],
          ...random() < 0.3 ? { ask: ['"7"', text] } : {},
          ...random() < 0.3 ? { reply: ['"7"', text], failed: ["true", value] } : {},
        })
      }}`;
    case 12:
      return `{"$claim":${
        object(random, { ask: ['"7"', text], key: ['"a"', text], value: ["1", value], hold: ["true", value] })
      }}`;
    case 13:
      return `{"$rooms":${object(random, { ask: ['"7"', text] })}}`;
    case 14:
      return `{"$host":${random() < 0.5 ? "{}" : object(random, { id: [id(), id] })}}`;
    default:
      return value();
  }
}

/**
 * A line from a relay, with fields that may be anything. `isTame`: nothing in it says that events are to be
 * left out.
 */
export function lineToClient(random: Random, isTame: boolean): string {
  const value = () => hostileValue(random),
    number = () => hostileNumber(random),
    text = () => hostileString(random);
  const peer = () => object(random, { id: ['"k7"', text], name: ['"dan"', text], state: ['{"a":1}', value] });
  const peers = () =>
    random() < 0.2 ? value() : `[${Array.from({ length: whole(random, 0, 4) }, peer).join(",")}]`;
  const kinds = [
    () => `{"$join":${object(random, { id: ['"k7"', text], name: ['"dan"', text] })}}`,
    () => `{"$leave":${object(random, { id: ['"k7"', text], reason: ['"lost"', text] })}}`,
    () =>
      `{"$set":${
        object(random, {
          key: ['"a"', text],
          value: ["1", value],
          from: ['"k7"', text],
          room: ["true", value],
        })
      }}`,
    () =>
      `{"$pong":${
        object(random, { t: ["1", number], time: ["1700000000000", number], bytes: ["0", number] })
      }}`,
    () => `{"$peers":${object(random, { peers: [peers(), peers] })}}`,
    () =>
      `{"$error":${
        object(random, { code: ['"invalid_json"', text], message: ['"Cannot"', text], line: ["3", number] })
      }}`,
    () => `{"$${pick(random, ["dance", "hello", "", "ping", "ack"])}":${pick(random, ["{}", value()])}}`,
    () => `{"$set":${value()}}`,
    () => `{"$from":${random() < 0.2 ? value() : object(random, { id: ['"k7"', text] })}}`,
    () => `{"$host":${object(random, { id: ['"k7"', text] })}}`,
    () =>
      `{"$answer":${
        object(random, {
          ask: ['"1"', text],
          won: ["true", value],
          value: ["1", value],
          rooms: ['[{"name":"a","members":1}]', value],
          more: ["0", number],
          ...random() < 0.3 ? { code: ['"state_full"', text], message: ['"Cannot"', text] } : {},
        })
      }}`,
    () => `{"$join":{"id":"k${whole(random, 0, 50)}","name":"x"},"more":1}`,
    () =>
      pick(random, [
        '{"$',
        '{"$set":',
        '{"$}',
        '{"$pong":null}',
        '{"$peers":[]}',
        '{"$welcome":{}}',
        '{"$join":"k1"}',
      ]),
  ];
  if (!isTame) {
    kinds.push(
      () => `{"$time":${object(random, { time: ["1700000000000", number] })}}`,
      () => `{"$lost":${object(random, { lines: ["3", number], bytes: ["30", number] })}}`,
      () =>
        `{"$from":${
          object(random, {
            id: ['"k7"', text],
            ask: ['"1"', text],
            reply: ['"1"', text],
            failed: ["true", value],
          })
        }}`,
      () => `{"$bye":${object(random, { reason: ['"shutdown"', text], retryMs: ["10", number] })}}`,
      () => pick(random, ["", "\r", "[", "nul", "\ufeff{}"]),
      value,
    );
  }
  return pick(random, kinds)();
}

/** The limits of a welcome as they should be. */
const LIMITS = {
  maxLineBytes: 65536,
  windowBytes: 262144,
  maxLagMs: 5000,
  resumeMs: 30000,
  pingTimeoutMs: 15000,
  maxKeys: 256,
  maxValueBytes: 16384,
  maxStateBytes: 4194304,
};

/** A welcome that is right. */
export function goodWelcome(fields: Record<string, unknown> = {}): string {
  const welcome = {
    version: 1,
    id: "k3",
    room: "fuzz",
    relay: "Zk3xQ0aB",
    session: "q1s4hCWYJ0w9Jrl0vXjRQg",
    time: performance.timeOrigin + performance.now(),
    bytes: 0,
    resumed: false,
    more: 0,
    limits: LIMITS,
    peers: [{ id: "k1", name: "bo", state: { a: 1 } }],
    state: { score: 3 },
    ...fields,
  };
  return JSON.stringify({ $welcome: welcome });
}

/** A welcome whose fields may be anything; `nonce` is the one of the hello. */
export function hostileWelcome(random: Random, nonce: string): string {
  const value = () => hostileValue(random),
    number = () => hostileNumber(random),
    text = () => hostileString(random);
  const limits = () =>
    object(
      random,
      Object.fromEntries(Object.entries(LIMITS).map(([name, good]) => [name, [String(good), number]])),
    );
  const peers = '[{"id":"k1","name":"bo","state":{"a":1}}]';
  return `{"$welcome":${
    object(random, {
      version: ["1", number],
      nonce: [JSON.stringify(nonce), text],
      id: ['"k3"', text],
      room: ['"fuzz"', text],
      relay: ['"Zk3xQ0aB"', text],
      session: ['"q1s4hCWYJ0w9Jrl0vXjRQg"', text],
      time: ["1700000000000", number],
      bytes: ["0", number],
      resumed: [pick(random, ["false", "true"]), value],
      more: [pick(random, ["0", "0", "3"]), number],
      limits: [JSON.stringify(LIMITS), limits],
      peers: [peers, () =>
        pick(random, [value(), "[null]", "[[]]", '[{"id":"k1"}]', '[{"id":"","name":1,"state":[]}]', peers])],
      state: ['{"score":3}', value],
    })
  }}`;
}
