// Tests the client in Node 22, Node 24 and Bun, over TCP, TLS and WebSockets: programs that import client.js,
// beside a client of Deno in the same room. They have to end by themselves.

import assert from "node:assert/strict";
import { connect } from "../../client.ts";
import { listenTls } from "../../src/program/tls_listener.ts";
import { serve } from "../../src/relay/relay.ts";
import { testWith } from "../support/needed_program.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { NewRelay } from "../support/new_relay.ts";
import { RUNTIMES } from "../support/runtimes.ts";
import { readCertificate } from "../support/certificates.ts";

/** What pages get, and the sources, which these runtimes strip of their types. */
const BUNDLE = new URL("../../src/relay/web/assets/client.js", import.meta.url).href;
const SOURCE = new URL("../../client.ts", import.meta.url).href;

/** How many events go each way, and again after the connection has been cut. */
const EVENTS = 2000;

/** A game: takes what comes by drain(), and answers each event. The connection is cut in the middle of it. */
const GAME = `
  const relay = await connect(target, {
    name: "game",
    onStatus: (status, { resumed, error }) => told.push([status, resumed, error?.message]),
    onLost: (lost) => told.push(lost),
  });
  const { id } = relay;
  relay.set("score", 7);
  const got = [];
  for await (const _ of frames(100)) {
    for (const n of relay.drain()) {
      got.push(n);
      relay.send({ n });
    }
    if (got.length === ${2 * EVENTS}) break;
  }
  const { rtt, stats, peers } = relay;
  await relay.close();
  answer = {
    isInOrder: got.every((n, index) => n === index),
    isSameId: relay.id === id,
    hasRoundTrip: rtt > 0 && rtt < 5000,
    reconnects: stats.reconnects,
    peers: [...peers.values()].map(({ name }) => name),
    status: relay.status,
    told,
  };
`;

/** Throws in a callback: the program's own mistake, which the connection outlives. */
const THROWING = `
  process.on("uncaughtException", (error) => told.push(error.message));
  const relay = await connect(target, {
    onState: () => {
      throw new Error("mine");
    },
  });
  relay.set("a", 1, { room: true });
  relay.set("b", 1, { room: true });
  for await (const _ of frames(100)) if (told.length === 2) break;
  relay.set("c", 1, { room: true });
  for await (const _ of frames(100)) if (told.length === 3) break;
  answer = [told, Object.keys(relay.state), relay.stats.reconnects];
  await relay.close();
`;

/** Says why there is no connection. */
const REFUSED = `answer = await connect(target, options).then(() => "connected", (error) => error.message);`;

/** Sends and receives over what is encrypted. */
const TLS = `
  const relay = await connect(target, options);
  relay.send("from " + relay.name);
  for await (const event of relay) {
    answer = event;
    break;
  }
  await relay.close();
`;

async function run<T>(
  program: string,
  code: string,
  values: Record<string, unknown>,
  { env = {}, client = BUNDLE }: { env?: Record<string, string>; client?: string } = {},
): Promise<T> {
  const file = await Deno.makeTempFile({ suffix: ".mjs" });
  const given = Object.entries(values).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`)
    .join("\n");
  await Deno.writeTextFile(
    file,
    `import { connect, frames } from ${
      JSON.stringify(client)
    };\n${given}\nconst told = [];\nlet answer;\n${code}\n` +
      `console.log(JSON.stringify(answer));\n`,
  );
  try {
    const child = new Deno.Command(program, {
      args: [file],
      stdin: "null",
      env: { NO_COLOR: "1", ...env },
      signal: AbortSignal.timeout(60_000),
    });
    const { code, stdout, stderr } = await child.output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.equal(new TextDecoder().decode(stderr), "");
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(file);
  }
}

const NO_TLS =
  "it ended the connection instead of speaking TLS, leave out tls (ws:// for wss://) if it doesn't";

const options = { name: "game", tls: { caCerts: [readCertificate("ca.pem")] } };

for (const { name, program } of RUNTIMES) {
  const test = (what: string, fn: () => Promise<void>) =>
    testWith(program, name, `The client in ${name} ${what}`, fn);

  for (const [kind, scheme, client] of [["TCP", "", SOURCE], ["a WebSocket", "ws://", BUNDLE]]) {
    test(`plays over ${kind}, goes on after a cut, and ends`, async () => {
      await using relay = new NewRelay();
      await using proxy = new CuttingProxy(relay.port);
      await using ada = await connect<{ n: number }>(`${relay.target}/game`, {
        name: "ada",
        onJoin: () => joined.resolve(),
        onState: (_, key, value) => void states.push([key, value]),
      });
      const joined = Promise.withResolvers<void>();
      const states: unknown[] = [];
      const running = run<Record<string, unknown>>(program!, GAME, {
        target: `${scheme}${proxy.target}/game`,
      }, { client });
      await Promise.race([joined.promise, running]);
      const answers: number[] = [];
      const play = async (first: number) => {
        for (let n = first; n < first + EVENTS; n++) ada.send(n);
        for await (const { n } of ada) {
          answers.push(n);
          if (answers.length === EVENTS / 2) proxy.cut();
          if (answers.length === first + EVENTS) break;
        }
      };
      await play(0);
      await play(EVENTS);
      const { told, ...answer } = await running;
      assert.deepEqual(answer, {
        isInOrder: true,
        isSameId: true,
        hasRoundTrip: true,
        reconnects: 1,
        peers: ["ada"],
        status: "closed",
      });
      assert.deepEqual(answers, Array.from({ length: 2 * EVENTS }, (_, n) => n));
      const statuses = (told as unknown[][]).filter(Array.isArray).map((
        [status, resumed],
      ) => [status, resumed ?? null]);
      assert.deepEqual(statuses.filter(([status]) => status !== "reconnecting"), [
        ["connecting", null],
        ["connected", null],
        ["connected", true],
        ["closed", null],
      ]);
      assert.equal((told as unknown[]).filter((each) => !Array.isArray(each)).length, 0, "nothing is lost");
      assert.deepEqual(states, [["score", 7]]);
    });
  }

  test("goes on when a callback throws, and the mistake is reported", async () => {
    await using relay = new NewRelay();
    for (const client of [SOURCE, BUNDLE]) {
      const answer = await run(program!, THROWING, { target: `${relay.target}/throw` }, { client });
      assert.deepEqual(answer, [["mine", "mine", "mine"], ["a", "b", "c"], 0]);
    }
  });

  test("speaks TLS, and says what is wrong with a certificate", async () => {
    const listener = listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: readCertificate("good.pem"),
      key: readCertificate("good.key"),
    });
    const expired = listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: readCertificate("expired.pem"),
      key: readCertificate("expired.key"),
    });
    const relays = [serve(listener), serve(expired)];
    const target = `127.0.0.1:${listener.addr.port}`;
    try {
      for (
        const [scheme, env] of [["", {}], ["wss://", {
          NODE_EXTRA_CA_CERTS: new URL("../tls/ca.pem", import.meta.url).pathname,
        }]] as const
      ) {
        await using ada = await connect<string>(`${target}/lobby`, options);
        const byNode = scheme !== "" && name !== "Bun";
        const given = byNode ? { name: "game" } : options;
        const running = run<string>(
          program!,
          TLS,
          { target: scheme + target + "/lobby", options: given },
          { env },
        );
        const heard = await Promise.race([ada[Symbol.asyncIterator]().next(), running]) as IteratorResult<
          string
        >;
        ada.send(`to ${heard.value?.slice(5)}`);
        assert.equal(await running, "to game");
        if (byNode) {
          assert.match(
            await run<string>(program!, REFUSED, { target: scheme + target, options }),
            /NODE_EXTRA_CA_CERTS names, leave out caCerts$/,
          );
        }
      }
      assert.match(
        await run(program!, REFUSED, { target, options: { tls: true } }),
        /: its certificate is signed by nobody that is trusted here, name whom to trust/,
      );
      assert.match(
        await run(program!, REFUSED, { target: `127.0.0.1:${expired.addr.port}`, options }),
        /: its certificate has expired, the relay needs a new one$/,
      );
    } finally {
      for (const relay of relays) await relay.close();
    }
  });

  test("says why there is no connection", async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const target = `127.0.0.1:${listener.addr.port}`;
    listener.close();
    assert.equal(
      await run(program!, REFUSED, { target, options: {} }),
      `Cannot connect to ${target}: connection refused, is the relay running there`,
    );
    await using relay = new NewRelay();
    assert.equal(
      await run(program!, REFUSED, { target: relay.target, options: { tls: true } }),
      `Cannot connect to ${relay.target}: ${NO_TLS}`,
    );
    assert.equal(
      await run(program!, REFUSED, { target: "nosuch.invalid", options: {} }),
      "Cannot connect to nosuch.invalid:32100: no such host, is its name spelled right",
    );
    assert.match(
      await run(program!, REFUSED, { target: `ws://${target}/`, options: {} }),
      /^Cannot connect to 127\.0\.0\.1:\d+: .*, is the relay running there$/,
    );
    assert.match(
      await run(program!, REFUSED, { target: `wss://${relay.target}/`, options: {} }),
      name === "Bun"
        ? /speaking TLS, leave out tls \(ws:/
        : /^Cannot connect to [^ ]+: no reason was given, .* TLS with a certificate that NODE_EXTRA/,
    );
    assert.match(
      await run(program!, `answer = await connect().catch((error) => error.message)`, {}),
      /it names no host/,
    );
  });
}
