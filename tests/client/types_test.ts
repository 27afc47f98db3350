// Type tests of client.ts: what a program that names the types of its events and state may write, and what
// the compiler refuses. That this file passes `deno check` is the test; each @ts-expect-error has to be one.

import assert from "node:assert/strict";
import { connect, type Message, type Peer, type Relay, type States } from "../../client.ts";

type Events = { kind: "move"; x: number } | { kind: "shot"; at: string };

/** The same keys for the room and for members. */
interface Scores {
  score: number;
  name: string;
}

interface Table {
  ball: { by: string };
  round: number;
}

interface Player {
  colour: "red" | "blue";
}

/** Says at compile time that two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

function isSame<_A, _B>(_: Same<_A, _B>): void {}

// Never called: only its types matter.
export function useEvents(relay: Relay<Events, Scores>): void {
  for (const event of relay.drain()) {
    if (event.kind === "move") isSame<typeof event.x, number>(true);
    else isSame<typeof event.at, string>(true);
    // @ts-expect-error -- not each event has it
    event.x;
  }
  for (const { event, from, time } of relay.messages()) {
    isSame<typeof event, Events>(true);
    isSame<typeof from, Peer<Scores> | undefined>(true);
    isSame<typeof time, number>(true);
    isSame<NonNullable<typeof from>["state"]["score"], number | undefined>(true);
  }
  isSame<typeof relay.state.score, number | undefined>(true);
  isSame<typeof relay.state.name, string | undefined>(true);
  // @ts-expect-error -- no such key
  relay.state.colour;
  relay.set("score", 1);
  relay.set("name", "ada", { room: true });
  relay.unset("score");
  // @ts-expect-error -- a text is no score
  relay.set("score", "1");
  // @ts-expect-error -- no such key
  relay.set("colour", 1);
  // @ts-expect-error -- no such key
  relay.unset("colour");
  relay.claim("score", 2, { hold: true });
  // @ts-expect-error -- a text is no score
  relay.claim("score", "2");
  isSame<ReturnType<typeof relay.eachMessage>, AsyncIterableIterator<Message<Events, Scores>, undefined>>(
    true,
  );
}

export function useStates(relay: Relay<unknown, States<Table, Player>>): void {
  isSame<typeof relay.state.ball, { by: string } | undefined>(true);
  for (const peer of relay.peers.values()) {
    isSame<typeof peer.state.colour, "red" | "blue" | undefined>(true);
    relay.send(1, { to: peer });
    relay.passHost(peer);
  }
  relay.set("colour", "red");
  relay.set("round", 2, { room: true });
  relay.claim("ball", { by: relay.id });
  isSame<typeof relay.host, Peer<Player> | undefined>(true);
  // @ts-expect-error -- a member has no round
  relay.set("round", 2);
  // @ts-expect-error -- the room has no colour
  relay.set("colour", "red", { room: true });
  // @ts-expect-error -- there is no green
  relay.set("colour", "green");
  // @ts-expect-error -- members' keys can't be claimed
  relay.claim("colour", "red");
}

export async function useCallbacks(target: string): Promise<Relay<Events, Scores>> {
  const relay = await connect<Events, Scores>(target, {
    onJoin: (peer) => isSame<typeof peer.state.score, number | undefined>(true),
    onLeave: (peer) => isSame<typeof peer.state.name, string | undefined>(true),
    onHost: (host) => isSame<typeof host, Peer<Scores> | undefined>(true),
    onRequest: (event, from) => [isSame<typeof event, unknown>(true), from.state.score],
  });
  isSame<Awaited<ReturnType<typeof relay.joinAny>>, typeof relay>(true);
  return relay;
}

/** A function for any relay object: what it does needs no event, no key. */
function roster(relay: Relay): string[] {
  return [...relay.peers.values()].map(({ name, state }) => `${name} ${Object.keys(state)}`);
}

export function useHelpers(events: Relay<Events>, scores: Relay<Events, Scores>): unknown[] {
  const [event]: unknown[] = scores.drain();
  const messages: Message[] = scores.messages();
  const players: Relay<unknown, States<Table, Player>>[] = [];
  // @ts-expect-error -- what others send is not known to be a move
  const moves: Relay<{ kind: "move"; x: number }> = events;
  return [roster(events), roster(scores), players.map(roster), event, messages, moves];
}

export async function useNothing(target: string): Promise<void> {
  await using relay = await connect(target);
  isSame<typeof relay.state.anything, unknown>(true);
  relay.set("anything", [1]);
  relay.set("anything", [1], { room: true });
  const room = Math.random() < 0.5;
  relay.set("anything", [1], { room });
  relay.unset("anything", { room });
  const events: unknown[] = relay.drain();
  const any: Relay = relay;
  const peer: Peer | undefined = any.messages()[0]?.from;
  for (const { state } of relay.peers.values()) isSame<typeof state.x, unknown>(true);
  void [events, peer];
}

Deno.test("client.ts types events, state and peers as a program names them", () => {
  assert.ok(
    [useEvents, useStates, useCallbacks, useHelpers, useNothing].every((use) => typeof use === "function"),
  );
});
