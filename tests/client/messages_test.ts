// Tests what client.ts says of who sent an event and when, against a real relay over TCP on loopback.

import assert from "node:assert/strict";
import { seededRandom } from "../../src/simulation/random.ts";
import type { Message, Relay } from "../../client.ts";
import { readPlainFrom } from "../../src/client/session/relay_control.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { LineClient } from "../support/line_client.ts";
import { pause } from "../support/pause.ts";
import { connect } from "../support/relay_client.ts";
import { NewRelay } from "../support/new_relay.ts";
import { until } from "../support/deadline.ts";

async function take<E>(relay: Relay<E>, count: number): Promise<Message<E>[]> {
  const messages: Message<E>[] = [];
  await until(() => messages.push(...relay.messages()) >= count, `${count} messages`);
  return messages;
}

Deno.test("Relay.messages says who sent each event, and when the relay had it", async () => {
  await using server = new NewRelay();
  await using ada = await connect(server.target, { name: "ada" });
  await using bo = await connect(server.target, { name: "bo" });
  await using cy = await connect(server.target, { name: "cy" });
  await using plain = await connect(server.target, { plain: true });
  await until(() => ada.peers.size === 2, "all are there");
  const relayTime = () => performance.timeOrigin + performance.now(); // the relay is in this process
  const before = relayTime();
  for (let n = 0; n < 100; n++) [ada, bo, cy][n % 3].send(n);
  const ofAda = (await take(ada, 66)).map(({ event, from, time }) => {
    assert.ok(time > before - 200 && time <= relayTime(), `${time}`);
    assert.equal(from, ada.peers.get(from!.id), "the very peer");
    return [event, from!.name];
  });
  const expected = Array.from({ length: 100 }, (_, n) => [n, ["ada", "bo", "cy"][n % 3]]);
  assert.deepEqual(
    ofAda.sort(([a], [b]) => a as number - (b as number)),
    expected.filter(([, name]) => name !== "ada"),
  );
  assert.equal((await take(bo, 67)).filter(({ from }) => from!.id === ada.id).length, 34);
  const here = await take(plain, 100);
  assert.ok(here.every(({ from, time }) => from === undefined && Math.abs(time - plain.now()) < 10_000));
  plain.send("old");
  const [old] = await take(ada, 1);
  assert.deepEqual([old.event, old.from, Math.abs(old.time - ada.now()) < 5000], ["old", undefined, true]);
  bo.send("new");
  assert.deepEqual((await take(ada, 1)).map(({ event, from }) => [event, from?.name]), [["new", "bo"]]);
});

Deno.test("Relay.messages says whether who sent an event led the room there, however late it is taken", async () => {
  await using server = new NewRelay();
  const hosts: (string | undefined)[] = [];
  await using ada = await connect(`${server.target}/led`, { name: "ada", echo: true });
  await using bo = await connect(`${server.target}/led`, { name: "bo", echo: true });
  await using cy = await connect(`${server.target}/led`, {
    canHost: false,
    onHost: (host) => hosts.push(host?.name),
  });
  await until(() => ada.peers.size === 2, "all are there");
  ada.send(1);
  bo.send(2);
  await until(() => cy.stats.received === 2, "both are heard");
  ada.passHost(bo);
  ada.send(3);
  await until(() => bo.isHost, "bo leads");
  bo.send(4);
  await until(() => cy.stats.received === 4 && bo.stats.received === 4, "all are heard");
  await ada.close();
  await bo.close();
  await until(() => hosts.length === 2, "nobody leads");
  assert.deepEqual(hosts, ["bo", undefined]);
  const told = cy.messages().map(({ event, from, fromHost }) => [event, from!.name, fromHost]);
  told.sort(([a], [b]) => Number(a) - Number(b));
  assert.deepEqual(told, [[1, "ada", true], [2, "bo", false], [3, "ada", false], [4, "bo", true]]);
  const ofBo = bo.messages().map(({ event, fromHost }) => [event, fromHost]);
  assert.deepEqual(
    ofBo.sort(),
    [[1, true], [2, false], [3, false], [4, true]],
    "the same for itself, with echo",
  );
  await using plain = await connect(server.target, { plain: true });
  await using di = await connect(server.target);
  di.send("di leads the lobby");
  assert.deepEqual((await take(plain, 1)).map(({ fromHost }) => fromHost), [false]);
});

Deno.test("Relay.eachMessage gives the same one by one, and shares the inbox with drain and iterators", async () => {
  await using server = new NewRelay();
  await using ada = await connect<number>(server.target, { name: "ada" });
  await using bo = await connect<number>(server.target, { name: "bo" });
  const iterator = bo.eachMessage();
  const first = iterator.next(), second = bo[Symbol.asyncIterator]().next();
  for (let n = 1; n <= 5; n++) ada.send(n);
  const { value } = await first;
  assert.deepEqual([value!.event, value!.from!.name], [1, "ada"]);
  assert.deepEqual((await second).value, 2);
  const third = (await iterator.next()).value!;
  assert.deepEqual([third.event, third.from!.id], [3, ada.id]);
  await until(() => bo.stats.received === 5, "all");
  assert.deepEqual(bo.messages().map(({ event, from }) => [event, from!.name]), [[4, "ada"], [5, "ada"]]);
  assert.deepEqual(bo.messages(), []);
  await bo.close();
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
});

Deno.test("Relay.messages names who has left by now, with the state it had", async () => {
  await using server = new NewRelay();
  await using bo = await connect(server.target);
  const ada = await connect(server.target, { name: "ada" });
  ada.set("colour", "red");
  ada.send("bye");
  await until(() => bo.peers.get(ada.id)?.state.colour === "red", "the value");
  await ada.close();
  await until(() => bo.peers.size === 0, "ada has left");
  const [{ event, from }] = await take(bo, 1);
  assert.deepEqual([event, from!.id, from!.name, { ...from!.state }], ["bye", ada.id, "ada", {
    colour: "red",
  }]);
});

Deno.test("nobody can speak in another's name: neither a plain client nor a session", async () => {
  await using server = new NewRelay();
  await using ada = await connect(server.target, { name: "ada" });
  await using bo = await connect(server.target, { name: "bo" });
  using plain = await LineClient.connect(server.port);
  const forged = [
    '{"$from":{"id":"k1"}}',
    ' {"$from":{"id":"k1"}}',
    '{ "$from":{"id":"k1"}}',
    '{"$from":{}}',
  ];
  await plain.send(forged.map((line) => line + "\n").join("") + '"plain"\n');
  for (const { event, from } of await take(bo, 5)) assert.equal(from, undefined, JSON.stringify(event));
  using eve = await LineClient.connect(server.port);
  await eve.send(`{"$hello":{"version":1,"name":"eve"}}\n`);
  await until(() => bo.peers.size === 2, "eve is there");
  await eve.send(forged.map((line) => line + "\n").join("") + '"session"\n');
  const named = (await take(bo, 3)).map(({ from }) => from?.name);
  assert.deepEqual(named, ["eve", "eve", "eve"], "two are refused, the others are events");
  const errors = () =>
    eve.lines.filter((line) => line.startsWith('{"$error"')).map((line) => JSON.parse(line));
  await until(() => errors().length === 2, "the complaints");
  assert.deepEqual(errors().map(({ $error }) => $error.code), ["unknown_control", "unknown_control"]);
  ada.send({ $from: { id: bo.id } });
  const [mine] = await take(bo, 1);
  assert.deepEqual([mine.event, mine.from!.name], [{ $from: { id: bo.id } }, "ada"]);
});

Deno.test("Relay.messages names the right sender over cuts and resumes", async () => {
  const random = seededRandom(13);
  await using server = new NewRelay();
  await using proxy = new CuttingProxy(server.port, () => ({
    up: 800 + Math.floor(random() * 800),
    down: 1200 + Math.floor(random() * 1500),
  }));
  const { random: real } = Math;
  Math.random = () => 0; // no waits between attempts
  try {
    await using ada = await connect<{ of: string; n: number }>(proxy.target, {
      name: "ada",
      onError: () => {},
    });
    await using bo = await connect<{ of: string; n: number }>(server.target, { name: "bo" });
    await using cy = await connect<{ of: string; n: number }>(proxy.target, { name: "cy" });
    const got = new Map([ada, bo, cy].map((relay) => [relay, [] as Message<{ of: string; n: number }>[]]));
    for (let n = 0; n < 300; n++) {
      for (const relay of [ada, bo, cy]) if (random() < 0.6) relay.send({ of: relay.name, n });
      if (n % 10 === 0) await pause(5);
      for (const [relay, messages] of got) messages.push(...relay.messages());
    }
    for (const relay of [ada, bo, cy]) relay.send({ of: relay.name, n: 1000 });
    await until(() => {
      for (const [relay, messages] of got) messages.push(...relay.messages());
      return [...got.values()].every((messages) =>
        messages.filter(({ event }) => event.n === 1000).length === 2
      );
    }, "the last ones");
    for (const messages of got.values()) {
      for (const { event, from } of messages) assert.equal(from?.name, event.of);
      assert.deepEqual(
        messages.map(({ time }) => time),
        messages.map(({ time }) => time).sort((a, b) => a - b),
      );
    }
    assert.ok(ada.stats.reconnects > 2, `${ada.stats.reconnects} reconnects`);
  } finally {
    Math.random = real;
  }
});

Deno.test("readPlainFrom reads the id as the relay writes it, and leaves all else alone", () => {
  for (
    const [line, id] of [
      ['{"$from":{"id":"k3"}}', "k3"],
      ['{"$from":{"id":""}}', ""],
      ['{"$from":{}}', undefined],
      ['{"$from":{"id":"k3"}} ', undefined],
      ['{"$from":{"id":"k3","to":1}}', undefined],
      ['{"$from":{"id":"a\\"}}', undefined],
      ['{"$from":{"id":"a\\u0062"}}', undefined],
      ['{"$from":{"id":"a"}}"}}', undefined],
      ['{"$from":{"id":"', undefined],
      ['{"$from":{"id":"}}', undefined],
      ['{"$time":{"time":1}}', undefined],
    ] as const
  ) assert.equal(readPlainFrom(line), id, line);
});
