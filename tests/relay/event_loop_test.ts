// Holds EventLoop against its contract on real sockets: what comes in its turns, and that a busy loop goes on
// looking at its sockets.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { EventLoop } from "../../src/relay/event_loop.ts";
import { pause } from "../support/pause.ts";

Deno.test("EventLoop calls back in later turns, in order, with and without its socket", async () => {
  for (const isOpen of [false, true]) {
    const loop = new EventLoop();
    if (isOpen) await loop.open();
    const called: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    loop.call(() => {
      called.push("a");
      loop.call(() => {
        called.push("c");
        resolve();
      });
    });
    loop.call(() => called.push("b"));
    await Promise.resolve();
    assert.deepEqual(called, [], "not at once");
    await promise;
    assert.deepEqual(called, ["a", "b", "c"]);
    await loop.close();
  }
});

Deno.test("EventLoop.atTurnEnd calls all who ask in a turn at its end, in order, with one time; after close nobody", async () => {
  let nowMs = 7;
  const loop = new EventLoop(() => nowMs), called: [string, number][] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const ask = (name: string, then = () => {}) =>
    loop.atTurnEnd((atMs) => {
      called.push([name, atMs]);
      nowMs++;
      then();
    });
  ask("a", () => ask("c", resolve));
  ask("b");
  assert.deepEqual(called, [], "not at once");
  await promise;
  assert.deepEqual(called, [["a", 7], ["b", 7], ["c", 9]]);
  ask("never");
  await loop.close();
  ask("never");
  await pause(5);
  assert.equal(called.length, 3);
});

Deno.test("EventLoop.atTurnEnd waits for all that the turn's look at the sockets has found, however long its way", async () => {
  const loop = new EventLoop(), pairs = 20, called: string[] = [];
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using stack = new DisposableStack();
  const nears: Deno.Conn[] = [], reads: Promise<void>[] = [];
  for (let i = 0; i < pairs; i++) {
    nears.push(stack.use(await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port })));
    const far = stack.use(await listener.accept());
    reads.push(
      far.read(new Uint8Array(1)).then(async () => {
        for (let hops = i % 7; hops > 0; hops--) await undefined; // a WebSocket's read takes some more than TCP's
        if (called.push("read") > 1) return;
        loop.noteLook(performance.now());
        loop.atTurnEnd(() => called.push("end"));
      }),
    );
  }
  await Promise.all(nears.map((near) => near.write(new Uint8Array(1)))); // all are there before the loop looks
  await Promise.all(reads);
  await pause();
  await loop.close();
  assert.deepEqual(called, [...Array(pairs).fill("read"), "end"]);
});

Deno.test("EventLoop.atTurnEnd waits for all timers that are due, and for those who ask at its end begins a turn anew", async () => {
  const loop = new EventLoop(), called: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const name of ["a", "b", "c"]) {
    setTimeout(() => {
      called.push(name);
      if (name !== "a") return;
      loop.atTurnEnd(() => called.push("end"));
      loop.atTurnEnd(() => loop.atTurnEnd(() => resolve()));
    });
  }
  for (const until = performance.now() + 5; performance.now() < until;); // all are due when the loop looks
  await promise;
  await loop.close();
  assert.deepEqual(called, ["a", "b", "c", "end"]);
});

Deno.test("EventLoop ends what was read before it calls who has work, in the same turn", async () => {
  const loop = new EventLoop();
  await loop.open();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using near = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using far = await listener.accept();
  const called: string[] = [], buffer = new Uint8Array(1);
  for (let turn = 0; turn < 3; turn++) {
    const read = far.read(buffer).then(() => {
      called.push("read");
      loop.atTurnEnd(() => called.push("end"));
    });
    await near.write(buffer); // is there before the loop looks
    const { promise, resolve } = Promise.withResolvers<void>();
    loop.call(() => {
      called.push("work");
      resolve();
    });
    await Promise.all([read, promise]);
  }
  await loop.close();
  assert.deepEqual(called, Array(3).fill(["read", "end", "work"]).flat());
});

Deno.test("EventLoop ends a turn before it calls who has work in it, whoever asked first", async () => {
  const loop = new EventLoop(), called: string[] = [];
  const worked = new Promise<void>((done) => {
    loop.call(() => {
      called.push("work");
      done();
    });
  });
  loop.atTurnEnd(() => called.push("end"));
  await worked;
  await loop.close();
  assert.deepEqual(called, ["end", "work"]);
});

Deno.test("EventLoop.laterTurn lets no more than 64 go in a turn, however little time they take", async () => {
  const loop = new EventLoop(() => 0);
  let letGo = 0;
  for (let i = 0; i < 150; i++) void loop.laterTurn().then(() => letGo++);
  const seen: number[] = [];
  for (let turn = 0; turn < 4; turn++) {
    await new Promise<void>((done) => loop.call(done));
    seen.push(letGo);
  }
  await loop.close();
  assert.deepEqual(seen, [0, 64, 128, 150]);
});

Deno.test("EventLoop.callLater calls all who take no time in one turn, and all others in the end, though nobody else asks", async () => {
  for (const [tookMs, turns] of [[0, 1], [1, 100]]) {
    let nowMs = 0, called = 0;
    const loop = new EventLoop(() => nowMs), seen = new Set<number>();
    const { promise, resolve } = Promise.withResolvers<void>();
    let turn = 0;
    const countTurn = () => {
      turn++;
      if (called < 200) setImmediate(countTurn);
    };
    setImmediate(countTurn);
    for (let i = 0; i < 200; i++) {
      loop.callLater(() => {
        seen.add(turn);
        nowMs += tookMs;
        if (++called === 200) resolve();
      });
    }
    await promise;
    await loop.close();
    assert.ok(tookMs === 0 ? seen.size === turns : seen.size >= turns, `${seen.size} turns`);
  }
});

Deno.test("EventLoop.laterTurn comes again and again, though nobody else asks", async () => {
  for (const isOpen of [false, true]) {
    const loop = new EventLoop();
    if (isOpen) await loop.open();
    for (let i = 0; i < 5; i++) {
      await loop.laterTurn();
      await new Promise<void>((done) => setImmediate(done)); // that turn is over
    }
    await loop.close();
  }
});

Deno.test("EventLoop.atTurnEnd comes after a read before any immediate, and looks at the clock once for all who ask", async () => {
  let looks = 0;
  const loop = new EventLoop(() => looks++), called: string[] = [];
  const later = new Promise<void>((done) =>
    setImmediate(() => {
      called.push("immediate");
      done();
    })
  );
  loop.noteLook(0);
  for (let i = 0; i < 3; i++) loop.atTurnEnd(() => called.push("end"));
  await later;
  assert.deepEqual([called, looks], [["end", "end", "end", "immediate"], 1]);
  for (let i = 0; i < 3; i++) loop.atTurnEnd(() => called.push("end"));
  await new Promise<void>((done) => setImmediate(() => setImmediate(done)));
  assert.equal(looks, 2, "also where nothing was read");
  await loop.close();
});

Deno.test("EventLoop looks at the sockets before each turn, however busy it is", async () => {
  const loop = new EventLoop();
  await loop.open();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using near = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using far = await listener.accept();
  const buffer = new Uint8Array(1);
  const waits: number[] = [];
  for (let i = 0; i < 20; i++) {
    let turns = 0, isRead = false;
    const read = far.read(buffer).then(() => isRead = true);
    const { promise, resolve } = Promise.withResolvers<void>();
    const goOn = () => {
      if (isRead) return resolve();
      if (turns++ === 3) void near.write(buffer);
      loop.call(goOn);
    };
    goOn();
    await Promise.all([read, promise]);
    waits.push(turns - 4);
  }
  await loop.close();
  assert.ok(Math.max(...waits) < 10, `turns until a byte was seen: ${waits}`);
});

Deno.test("EventLoop.callLater gives way to what is called in the next turn, as often as there is more than time for", async () => {
  for (const isOpen of [false, true]) {
    let nowMs = 0;
    const loop = new EventLoop(() => nowMs);
    if (isOpen) await loop.open();
    const called: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    for (let i = 0; i < 5; i++) {
      loop.callLater(() => {
        called.push(`later ${i}`);
        nowMs += 0.3; // two of these are all that a turn has time for
        if (i === 4) resolve();
      });
    }
    const callAgain = () => void (called.push("next") < 20 && loop.call(callAgain));
    loop.call(callAgain);
    await promise;
    assert.deepEqual(
      called.slice(0, 8),
      ["next", "later 0", "later 1", "next", "later 2", "later 3", "next", "later 4"],
    );
    await loop.close();
  }
});

Deno.test("EventLoop.laterTurn sees how long that takes which is done once a promise is resolved", async () => {
  let nowMs = 0;
  const loop = new EventLoop(() => nowMs), called: string[] = [];
  await loop.open();
  const work = async (name: string) => {
    await loop.laterTurn();
    await Promise.resolve();
    called.push(name);
    nowMs += 0.3; // two of these are all that a turn has time for
  };
  const all = Array.from({ length: 4 }, (_, i) => work(`later ${i}`));
  loop.call(() => loop.call(() => called.push("next turn")));
  await Promise.all(all);
  assert.deepEqual(called, ["later 0", "later 1", "next turn", "later 2", "later 3"]);
  await loop.close();
});

Deno.test("EventLoop.callLater has less of a turn in which others took long", async () => {
  for (const [tookMs, count] of [[0, 4], [1.5, 2], [30, 2]]) {
    let nowMs = 0;
    const loop = new EventLoop(() => nowMs), called: number[] = [];
    await loop.open();
    for (let i = 0; i < 10; i++) {
      loop.callLater(() => {
        called.push(i);
        nowMs += 0.15;
      });
    }
    const { promise, resolve } = Promise.withResolvers<number>();
    loop.call(() => {
      nowMs += tookMs;
      loop.call(() => resolve(called.length));
    });
    assert.equal(await promise, count, `beside ${tookMs} ms`);
    await loop.close();
  }
});

Deno.test("EventLoop is busy once it has not looked at its sockets for a millisecond", async () => {
  let nowMs = 100;
  const loop = new EventLoop(() => nowMs);
  assert.equal(loop.isBusy(nowMs), true, "nothing is known yet");
  loop.noteLook(nowMs);
  assert.deepEqual([loop.isBusy(101), loop.isBusy(101.1)], [false, true]);
  loop.noteLook(100.5);
  assert.equal(loop.isBusy(101.1), true, "one look a turn");
  await new Promise<void>((done) => loop.atTurnEnd(() => done()));
  nowMs = 200;
  await new Promise<void>((done) => loop.call(done));
  assert.deepEqual([loop.isBusy(201), loop.isBusy(201.1)], [false, true], "each turn of its own is a look");
  await loop.close();
});

Deno.test("EventLoop calls nobody after close, and leaves nothing open", async () => {
  const loop = new EventLoop();
  void loop.open();
  loop.call(() => assert.fail("after close"));
  await loop.close();
  loop.call(() => assert.fail("after close"));
  await pause();
});

Deno.test("EventLoop goes on without its socket where that breaks", async () => {
  const { connect } = Deno;
  let socket: Deno.TcpConn | undefined;
  Deno.connect =
    (async (options: Deno.ConnectOptions) => socket = await connect(options)) as typeof Deno.connect;
  const loop = new EventLoop();
  try {
    await loop.open();
    await socket!.closeWrite();
    for (let i = 0; i < 2; i++) await new Promise<void>((done) => loop.call(done));
  } finally {
    Deno.connect = connect;
  }
  await loop.close();
});

Deno.test({
  name: "EventLoop asks for no permission, and does without its socket where it has none",
  permissions: { net: false },
  async fn() {
    const loop = new EventLoop();
    await loop.open();
    await new Promise<void>((done) => loop.call(done));
    await loop.close();
  },
});

Deno.test("EventLoop.inTurn and turnIfBusy wait for nothing unless the loop is busy, and hand on what is thrown", async () => {
  let nowMs = 0;
  const loop = new EventLoop(() => nowMs), done: string[] = [];
  const fail = () => {
    throw new Error("it fails");
  };
  loop.noteLook(nowMs);
  assert.equal(loop.inTurn(() => void done.push("at once")), undefined);
  assert.equal(loop.turnIfBusy(), undefined);
  assert.throws(() => loop.inTurn(fail), /it fails/);
  nowMs = 100;
  const later = loop.inTurn(() => void done.push("later")),
    failed = assert.rejects(loop.inTurn(fail)!, /it fails/);
  const waited = loop.turnIfBusy()!.then(() => done.push("waited"));
  done.push("meanwhile");
  await Promise.all([later, failed, waited]);
  assert.deepEqual(done, ["at once", "meanwhile", "later", "waited"]);
  await loop.close();
});
