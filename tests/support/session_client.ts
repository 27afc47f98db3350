// The client's side of a session, for tests, in the plainest way: it counts, remembers what it sent until
// that is confirmed, and keeps what it was told. No transport: bytes go in by `push`, and out by what the
// methods return. It does not use the client module.

import assert from "node:assert/strict";
import { concat } from "../../src/wire/concat.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The body of a control line, whatever it is. */
// deno-lint-ignore no-explicit-any
export type Body = any;

/** What a session was told, and what it owes. */
export class SessionClient {
  /** The last `$welcome`, and the `$error` that came instead. */
  welcome: Body;
  refusal: Body;
  /** All lines after the first welcome, in order; welcomes are not among them. */
  readonly lines: string[] = [];
  /** The events among them. */
  readonly events: string[] = [];
  /** The id of who sent each of them: null for a plain client, undefined if nothing said whose it is. */
  readonly senders: (string | null | undefined)[] = [];
  #from: string | null | undefined;
  /** The id of who leads the room, as far as it was told. */
  host: string | undefined;
  /** Who is in the room, by id, with their state; and the room's own state, under "". */
  readonly peers = new Map<string, Map<string, unknown>>([["", new Map()]]);
  /** How many bytes of the stream have been received in complete lines. */
  received = 0;
  #rest: Uint8Array = new Uint8Array(0);
  #isOpen = false;
  #unconfirmed: Uint8Array = new Uint8Array(0);
  #confirmed = 0;

  /** The bodies of all control lines of a name. */
  told(name: string): Body[] {
    return this.lines.filter((line) => line.startsWith(`{"$${name}":`)).map((line) =>
      JSON.parse(line)[`$${name}`]
    );
  }

  /** Begins a connection: returns the hello. Goes on with the session if there was one. */
  hello(fields: Record<string, unknown> = {}): string {
    this.#rest = new Uint8Array(0);
    this.#isOpen = false;
    this.refusal = undefined;
    const resume = this.welcome && { session: this.welcome.session, bytes: this.received };
    return JSON.stringify({ $hello: { version: 1, resume, ...fields } }) + "\n";
  }

  /** Remembers what is sent, complete lines, until it is confirmed; returns it. */
  say(text: string): Uint8Array {
    const bytes = encoder.encode(text);
    this.#unconfirmed = concat([this.#unconfirmed, bytes]);
    return bytes;
  }

  /** Says a control line. */
  control(name: string, body: unknown): Uint8Array {
    return this.say(`{"$${name}":${JSON.stringify(body)}}\n`);
  }

  /** Says how much was received. */
  ack(): Uint8Array {
    return this.control("ack", { bytes: this.received });
  }

  /** What the relay has not confirmed: it is to be sent after a resume. */
  get owed(): Uint8Array {
    return this.#unconfirmed;
  }

  /** Takes what came from the relay. */
  push(chunk: Uint8Array): void {
    const bytes = concat([this.#rest, chunk]);
    let start = 0;
    for (let lf = bytes.indexOf(0x0a); lf >= 0; lf = bytes.indexOf(0x0a, start)) {
      this.#onLine(decoder.decode(bytes.subarray(start, lf)), lf + 1 - start);
      start = lf + 1;
    }
    this.#rest = bytes.slice(start);
  }

  #onLine(line: string, bytes: number): void {
    if (!this.#isOpen) {
      const { $welcome, $error } = line.startsWith('{"$') ? JSON.parse(line) : {} as Body;
      if ($error !== undefined) this.refusal = $error;
      if ($welcome !== undefined) this.#onWelcome($welcome);
      return; // what comes before is the lobby's
    }
    this.received += bytes;
    this.lines.push(line);
    if (!line.startsWith('{"$')) {
      this.events.push(line);
      this.senders.push(this.#from);
    } else this.#onControl(JSON.parse(line));
  }

  #onWelcome(welcome: Body): void {
    if (welcome.resumed) {
      assert.equal(welcome.session, this.welcome.session);
      assert.equal(welcome.id, this.welcome.id);
    } else {
      this.received = this.#confirmed = 0;
      this.#from = undefined;
      this.host = welcome.host;
      this.#unconfirmed = new Uint8Array(0);
      this.peers.clear();
      this.peers.set("", new Map(Object.entries(welcome.state)));
      for (const { id, state } of welcome.peers) this.peers.set(id, new Map(Object.entries(state)));
    }
    this.welcome = welcome;
    this.#isOpen = true;
    this.#confirm(welcome.bytes);
  }

  #confirm(bytes: number): void {
    assert.ok(
      bytes >= this.#confirmed && bytes <= this.#confirmed + this.#unconfirmed.length,
      `${bytes} confirmed`,
    );
    this.#unconfirmed = this.#unconfirmed.slice(bytes - this.#confirmed);
    this.#confirmed = bytes;
  }

  #onControl({ $join, $leave, $set, $pong, $peers, $from, $lost, $host }: Body): void {
    if ($host !== undefined) this.host = $host.id;
    if ($from !== undefined) this.#from = $from.id ?? null;
    if ($lost !== undefined) this.#from = undefined; // what was skipped may have changed it
    if ($pong !== undefined) this.#confirm($pong.bytes);
    if ($join !== undefined) {
      assert.equal(this.peers.has($join.id), false, `${$join.id} joins once`);
      this.peers.set($join.id, new Map());
    }
    if ($leave !== undefined) assert.ok(this.peers.delete($leave.id), `${$leave.id} was here`);
    if ($peers !== undefined) this.#onPeers($peers.peers.map(({ id }: Body) => id));
    if ($set === undefined) return;
    const state = this.peers.get($set.room ? "" : $set.from);
    assert.ok(state !== undefined, `the state of ${$set.from} comes after its $join`);
    if ("value" in $set) state.set($set.key, $set.value);
    else state.delete($set.key);
  }

  #onPeers(ids: string[]): void {
    for (const id of this.peers.keys()) if (id !== "" && !ids.includes(id)) this.peers.delete(id);
    for (const id of ids) if (!this.peers.has(id)) this.peers.set(id, new Map());
  }
}
