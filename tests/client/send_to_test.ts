// Tests events for single members, and echo, of client.ts against a real relay over TCP on loopback.

import assert from "node:assert/strict";
import { seededRandom } from "../../src/simulation/random.ts";
import type { ConnectOptions, Lost, RelayError } from "../../client.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { NewRelay } from "../support/new_relay.ts";
import { pause } from "../support/pause.ts";
import { connect, take, withoutBackoff } from "../support/relay_client.ts";
import { until } from "../support/deadline.ts";

Deno.test("Relay.send with to reaches those alone, in order with what all get", async () => {
  await using server = new NewRelay();
  await using ada = await connect(server.target, { name: "ada" });
  await using bo = await connect(server.target, { name: "bo" });
  await using cy = await connect(server.target, { name: "cy" });
  await using plain = await connect(server.target, { plain: true });
  await until(() => ada.peers.size === 2, "all are there");
  ada.send("all 1");
  ada.send({ $from: "me" }, { to: bo.id });
  ada.send("both", { to: [ada.peers.get(bo.id)!, cy.id, bo.id] });
  ada.send("all 2");
  ada.send("self and bo", { to: [ada.id, bo.id] });
  ada.send("nobody", { to: [] });
  ada.send("all 3");
  const messages: unknown[] = [];
  await until(() => messages.push(...bo.messages().map(({ event, from }) => [event, from?.name])) >= 6, "bo");
  assert.deepEqual(messages, [
    ["all 1", "ada"],
    [{ $from: "me" }, "ada"],
    ["both", "ada"],
    ["all 2", "ada"],
    ["self and bo", "ada"],
    ["all 3", "ada"],
  ]);
  assert.deepEqual(await take(cy, 4), ["all 1", "both", "all 2", "all 3"]);
  assert.deepEqual(await take(plain, 3), ["all 1", "all 2", "all 3"]);
  const [own] = ada.messages();
  assert.deepEqual([own.event, own.from?.id, own.from?.name], ["self and bo", ada.id, "ada"]);
});

Deno.test("Relay.send to who is not there is dropped and told, and reaches the others", async () => {
  await using server = new NewRelay();
  const errors: RelayError[] = [];
  await using ada = await connect(server.target, { onError: (error) => errors.push(error) });
  await using bo = await connect(server.target);
  await using other = await connect(`${server.target}/elsewhere`);
  const gone = await connect(server.target);
  const { id } = gone;
  await gone.close();
  await until(() => ada.peers.size === 1, "one has left");
  ada.send(1, { to: [id, bo.id, other.id, ""] });
  await until(() => errors.length === 1, "a complaint");
  const [{ code, message, ids }] = errors;
  assert.deepEqual([code, ids], ["no_such_peer", [id, other.id, ""]]);
  assert.match(message, /^Cannot follow line \d+: nobody here has the id "k4" and 2 more$/);
  assert.deepEqual(await take(bo, 1), [1]);
  ada.send(2, { to: Array.from({ length: 10_000 }, (_, n) => n === 9999 ? bo.id : `k${n}x`) });
  assert.deepEqual(await take(bo, 1), [2]);
  await until(() => errors.flatMap(({ ids = [] }) => ids).length === 3 + 9999, "all are named");
  assert.deepEqual([other.drain(), ada.stats.lost], [[], 0]);
});

Deno.test("Relay.send refuses receivers that can be none, lines that are too long, and plain relay objects", async () => {
  await using server = new NewRelay();
  await using ada = await connect(server.target);
  await using plain = await connect(server.target, { plain: true });
  for (
    const [to, shown] of [
      [undefined, "undefined"],
      [null, "null"],
      [3, "3"],
      [[ada.id, undefined], "undefined"],
      [{}, "an object"],
      [[[ada.id]], "an array"],
    ]
  ) {
    assert.throws(() => ada.send(1, { to: to as string }), {
      name: "TypeError",
      message: `Cannot send event: to is ${shown}, peers and ids of peers are allowed`,
    });
  }
  for (const options of ["k1", { id: "k1", name: "bo", state: {} }]) {
    assert.throws(() => ada.send(1, options as never), {
      name: "TypeError",
      message: "Cannot send event: options is a peer or an id, { to: peer } is allowed",
    });
  }
  assert.throws(
    () => ada.send(1, { to: ada.peers as never }),
    { name: "TypeError" },
    "a map of ids and peers",
  );
  assert.throws(() => ada.send(1, { too: "k1" } as never), {
    name: "TypeError",
    message: /"too" is no option \(to\?\)/,
  });
  assert.throws(() => ada.send("x".repeat(65_520), { to: "k1" }), {
    name: "RangeError",
    message: "Cannot send event: with an id it has 65553 bytes, maxLineBytes is 65536",
  });
  assert.throws(() => plain.send(1, { to: "k1" }), {
    name: "TypeError",
    message: /a plain client knows nobody/,
  });
  ada.send("x".repeat(65_480), { to: Array.from({ length: 300 }, () => ada.id).concat("k77", "k78") });
  assert.equal((await take(ada, 1))[0], "x".repeat(65_480));
});

Deno.test("Relay.send takes receivers in whatever gives them one after the other, each once", async () => {
  await using server = new NewRelay();
  await using ada = await connect(server.target);
  await using bo = await connect(server.target);
  await until(() => ada.peers.size === 1, "bo is there");
  const peer = ada.peers.get(bo.id)!;
  const all = [
    peer,
    bo.id,
    [peer],
    [bo.id, peer],
    new Set([peer, bo.id]),
    ada.peers.values(),
    ada.peers.keys(),
  ];
  for (const [n, to] of all.entries()) ada.send(n, { to });
  ada.send("nobody", { to: [] });
  ada.send("nobody", { to: new Set<string>() });
  assert.deepEqual(await take(bo, all.length), Array.from(all.keys()));
  ada.send("end", { to: bo });
  assert.deepEqual(await take(bo, 1), ["end"]);
});

Deno.test("Relay.send to single members arrives once and in order, whatever breaks", async () => {
  await using server = new NewRelay();
  for (let seed = 1; seed <= 10; seed++) {
    const random = seededRandom(seed);
    const budget = (most: number) => most / 2 + Math.floor(random() * most);
    await using proxy = new CuttingProxy(server.port, () => ({ up: budget(1500), down: budget(1500) }));
    await withoutBackoff(async () => {
      const lost: Lost[] = [];
      const options = { echo: seed % 2 === 0, onLost: (loss: Lost) => void lost.push(loss) };
      const relays = [
        await connect<number>(`${proxy.target}/r`, options),
        await connect<number>(`${proxy.target}/r`, options),
        await connect<number>(`${server.target}/r`, options),
      ];
      const got = relays.map((): [string, number][] => []);
      const expected = relays.map(() => relays.map((): number[] => []));
      const look = () => {
        for (const [i, relay] of relays.entries()) {
          for (const { from, event } of relay.messages()) got[i].push([from!.id, event]);
        }
      };
      for (let n = 0; n < 250; n++) {
        const by = Math.floor(random() * 3), to = [0, 1, 2].filter(() => random() < 0.4);
        if (random() < 0.5) {
          relays[by].send(n);
          for (const i of [0, 1, 2]) if (i !== by || options.echo) expected[i][by].push(n);
        } else {
          relays[by].send(n, { to: to.map((i) => relays[i].id) });
          for (const i of to) expected[i][by].push(n);
        }
        if (n % 10 === 0) await pause(3);
        look();
      }
      const ids = relays.map(({ id }) => id);
      await until(() => {
        look();
        return got.every((all, i) => all.length >= expected[i].flat().length);
      }, "all");
      for (const [i, all] of got.entries()) {
        for (const [by, id] of ids.entries()) {
          assert.deepEqual(
            all.filter(([from]) => from === id).map(([, n]) => n),
            expected[i][by],
            `seed ${seed}`,
          );
        }
      }
      assert.deepEqual(lost, []);
      for (const relay of relays) await relay.close();
    });
  }
});

Deno.test("connect with echo gives all members that ask for it the very same sequence", async () => {
  await using server = new NewRelay();
  await using proxy = new CuttingProxy(server.port, () => ({ up: 1500, down: 2000 }));
  await withoutBackoff(async () => {
    const options: ConnectOptions<number> = { name: "ada", echo: true };
    await using ada = await connect<number>(proxy.target, options);
    await using bo = await connect<number>(server.target, { ...options, name: "bo" });
    await using cy = await connect<number>(server.target);
    await using plain = await connect<number>(server.target, { plain: true });
    ada.set("mine", [1]);
    for (let n = 0; n < 300; n++) {
      [ada, bo, cy, plain][n % 4].send(n);
      if (n % 20 === 0) await pause(2);
    }
    const all: (readonly [number, string | undefined])[] = [];
    let state: unknown;
    await until(() => {
      for (const { event, from } of ada.messages()) {
        all.push([event, from?.id]);
        if (from?.id === ada.id) state = { name: from.name, ...from.state };
      }
      return all.length === 300;
    }, "all, its own too");
    assert.deepEqual(state, { name: "ada", mine: [1] });
    const here: typeof all = [];
    await until(
      () => here.push(...bo.messages().map(({ event, from }) => [event, from?.id] as const)) >= 300,
      "bo",
    );
    assert.deepEqual(here, all);
    assert.equal((await take(cy, 225)).length, 225, "who doesn't ask for it does not hear itself");
    assert.ok(ada.stats.reconnects > 0);
  });
});

Deno.test("what waits for single members is dropped and told when the relay was restarted: their ids are others' then", async () => {
  await using server = new NewRelay();
  await withoutBackoff(async () => {
    const lost: Lost[] = [];
    await using ada = await connect<string>(server.target, { onLost: (loss) => void lost.push(loss) });
    await using bo = await connect<string>(server.target);
    await server.stop();
    await until(() => ada.status !== "connected" && bo.status !== "connected", "nobody is connected");
    ada.send("for bo", { to: bo.id });
    ada.send("for all");
    server.start();
    await until(
      () => ada.status === "connected" && bo.status === "connected" && ada.peers.size === 1,
      "both are back",
    );
    ada.send("later");
    const events: string[] = [];
    await until(() => events.push(...bo.drain()) > 0 && events.includes("later"), "bo hears");
    assert.ok(!events.includes("for bo"));
    assert.deepEqual(ada.drain(), []);
    await until(() => lost.some(({ reason, lines }) => reason === "outbox" && lines === 1), "it is told");
  });
});
