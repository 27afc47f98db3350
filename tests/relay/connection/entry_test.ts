// Holds Entry against what a connection becomes, with a real lobby and a door that lets in whom the test
// says; the connection only notes it. What comes of it on a socket is in connection_test.ts.

import assert from "node:assert/strict";
import { type Door, type Entrant, Entry } from "../../../src/relay/connection/entry.ts";
import { HTTP_REFUSAL } from "../../../src/relay/connection/first_bytes.ts";
import type { EndReason, Member } from "../../../src/relay/member/member.ts";
import { PlainMember } from "../../../src/relay/member/plain_member.ts";
import { SessionMember } from "../../../src/relay/member/session_member.ts";
import { REAL_ENVIRONMENT, resolveOptions } from "../../../src/relay/options.ts";
import { Room } from "../../../src/relay/room/room.ts";
import type { WireError } from "../../../src/wire/protocol.ts";
import { fromBytes, toBytes } from "../../support/bytes_of_text.ts";
import { ManualTime } from "../../support/manual_time.ts";
import { StubReader } from "../../support/stub_reader.ts";

const HELLO = '{"$hello":{"version":1,"nonce":"n1"}}\n';

const NO_LINE =
  "invalid_json: Cannot go on: line 1 begins another protocol, one JSON value a line is allowed";

/** A connection that has just been accepted. */
class Newcomer implements Entrant {
  readonly address = "192.0.2.1:5";
  readonly time = new ManualTime();
  readonly settings = resolveOptions({ log: (_level, message) => this.noted.push(message) }, {
    ...REAL_ENVIRONMENT,
    ...this.time,
  });
  readonly lobby = new Room("lobby", this.settings, () => {});
  isBlank = true;
  ending: EndReason | undefined;
  member: Member | undefined;
  session: SessionMember | undefined;
  readonly noted: unknown[] = [];
  readonly entry: Entry;

  constructor(door: Partial<Door> = {}, isBrowsing?: (host: string) => boolean) {
    const shut: Door = {
      host: "192.0.2.1",
      admit: () => assert.fail("nobody says hello"),
      refusePlain: () => undefined,
    };
    this.entry = new Entry(
      this,
      this.lobby,
      this.settings,
      { ...shut, ...door },
      isBrowsing && { isBrowsing },
    );
  }

  /** Takes text as it is read; what is to be read as lines then. */
  hears(text: string): string | undefined {
    return fromBytes(this.entry.look(toBytes(text), this.time.nowMs));
  }

  /** Whether it speaks for a plain member. */
  get isPlain(): boolean {
    return this.member instanceof PlainMember;
  }

  speakFor(member: Member | undefined, session?: SessionMember): void {
    this.member = member;
    this.session = session;
  }

  handOver(bytes: Uint8Array): void {
    this.ending = "handed over";
    this.noted.push(`handed over: ${fromBytes(bytes)}`);
  }

  refuse({ code, message }: WireError): void {
    this.ending = "refused";
    this.noted.push(`${code}: ${message}`);
  }

  end(reason: EndReason, lastLine?: Uint8Array): void {
    this.ending = reason;
    this.noted.push(lastLine === HTTP_REFUSAL ? "a 400" : fromBytes(lastLine));
  }

  wake(): void {}
  simulate(): void {}
  leave(): void {}
  cut(): void {}
}

Deno.test("Entry makes a plain member of who sends lines, once they can't be anything else, and keeps all bytes", () => {
  const newcomer = new Newcomer();
  assert.equal(newcomer.hears("GE"), undefined, "it may be a GET");
  assert.deepEqual([newcomer.member, newcomer.entry.isDecided], [undefined, false]);
  assert.equal(newcomer.hears("5\n1"), "GE5\n1");
  assert.equal(newcomer.isPlain, true);
  assert.deepEqual([newcomer.entry.isDecided, newcomer.entry.isHelloDue], [true, false]);
  assert.equal(newcomer.lobby.plain.size, 1, "its place in the lobby is the member's");
});

Deno.test("Entry makes a session of who says hello, and gives its place in the lobby up", () => {
  const newcomer: Newcomer = new Newcomer({ admit: () => ({ member }) });
  const room = new Room("r", newcomer.settings, () => {});
  const member = new SessionMember(room, { id: "k1", name: "" }, "secret", newcomer.settings);
  assert.equal(newcomer.hears(HELLO.slice(0, 5)), undefined);
  assert.equal(newcomer.hears(HELLO.slice(5)), HELLO);
  assert.deepEqual([newcomer.entry.isHelloDue, newcomer.member, newcomer.lobby.plain.size], [
    true,
    undefined,
    0,
  ]);
  newcomer.entry.onHello(toBytes(HELLO), 0, HELLO.length);
  assert.deepEqual([newcomer.member, newcomer.session, newcomer.entry.isHelloDue], [member, member, false]);
  assert.equal(newcomer.entry.nonce, undefined, "it has been let in");
});

Deno.test("Entry refuses a hello with what the door says, or with what is wrong with it; the nonce is known then", () => {
  const error: WireError = { code: "bad_token", message: "Cannot enter: a token is needed" };
  const cases: [line: string, nonce: string | undefined, why: string][] = [
    [HELLO, "n1", "bad_token: Cannot enter: a token is needed"],
    [
      '{"$hello":{"version":0,"nonce":"n2"}}\n',
      "n2",
      "bad_hello: Cannot understand $hello: version is a whole number from 1",
    ],
    ['{"$hello":5}\n', undefined, 'bad_hello: Cannot understand $hello: "$hello" is no object'],
  ];
  for (const [line, nonce, why] of cases) {
    const newcomer = new Newcomer({ admit: () => ({ error }) });
    newcomer.hears(line);
    newcomer.entry.onHello(toBytes(line), 0, line.length);
    assert.deepEqual([newcomer.noted, newcomer.entry.nonce, newcomer.member], [[why], nonce, undefined]);
  }
});

Deno.test("Entry refuses a hello that has not ended after 5 s, and no other line", () => {
  const newcomer = new Newcomer();
  newcomer.hears(HELLO.slice(0, 20));
  newcomer.entry.sweep(5000);
  assert.deepEqual(newcomer.noted, []);
  newcomer.entry.sweep(5001);
  assert.deepEqual(newcomer.noted, ["bad_hello: Cannot understand $hello: it did not end within 5 s"]);
  const plain = new Newcomer();
  plain.hears("[1");
  plain.entry.sweep(1e9);
  assert.deepEqual(plain.noted, []);
});

Deno.test("Entry takes who says nothing for 250 ms for a plain client, until its first bytes say something else", async () => {
  const newcomer = new Newcomer({}, () => false);
  await newcomer.time.pass(249);
  assert.equal(newcomer.member, undefined);
  await newcomer.time.pass(1);
  assert.equal(newcomer.isPlain, true);
  const { cursor } = newcomer.member!;
  assert.equal(newcomer.hears(HELLO), HELLO);
  assert.deepEqual([newcomer.member, newcomer.lobby.plain.size], [undefined, 0]);
  const { plain } = newcomer.lobby;
  plain.append(toBytes("1\n"), 0, 2, 1, undefined, new StubReader(plain));
  assert.equal(cursor.take(100), undefined, "the log keeps nothing for it");
});

Deno.test("Entry leaves a silent connection of a host that browses undecided for 15 s", async () => {
  const newcomer = new Newcomer({}, (host) => host === "192.0.2.1");
  await newcomer.time.pass(14_900);
  assert.equal(newcomer.member, undefined);
  await newcomer.time.pass(250);
  assert.equal(newcomer.isPlain, true);
});

Deno.test("Entry hands HTTP over on a socket that nothing was written to, and refuses it elsewhere, with a 400 or a line if that can be read", () => {
  const request = "GET / HTTP/1.1\r\n";
  const cases: [isBlank: boolean, isTaken: boolean, noted: unknown[]][] = [
    [true, true, [`handed over: ${request}`]],
    [false, true, [NO_LINE]],
    [true, false, ["HTTP request refused", "a 400"]],
    [false, false, [NO_LINE]],
  ];
  for (const [isBlank, isTaken, noted] of cases) {
    const newcomer = new Newcomer({}, isTaken ? () => false : undefined);
    newcomer.isBlank = isBlank;
    newcomer.hears(request);
    assert.deepEqual([newcomer.noted, newcomer.lobby.plain.size], [noted, isBlank && isTaken ? 0 : 1]);
    newcomer.entry.leave();
    assert.equal(newcomer.lobby.plain.size, isBlank && isTaken ? 0 : 1);
  }
});

Deno.test("Entry ends another protocol without a word, where lines are read with one, and lets no plain client in where the door does not", () => {
  const tls = new Newcomer();
  tls.entry.look(Uint8Array.of(0x16, 0x03, 0x01), 0);
  assert.deepEqual([tls.noted, tls.ending], [["another protocol refused", undefined], "refused"]);
  for (const begins of ["\x00", "SSH-2.0-x"]) {
    const reader = new Newcomer();
    reader.isBlank = false;
    reader.hears(begins);
    assert.deepEqual([reader.noted, reader.ending], [[NO_LINE], "refused"], begins);
  }
  const plain = new Newcomer({ refusePlain: () => ({ code: "bad_token", message: "a token is needed" }) });
  plain.hears("1\n");
  assert.deepEqual([plain.noted, plain.member], [["bad_token: a token is needed"], undefined]);
});

Deno.test("Entry gives what came before the end and tells nothing as lines, and nothing where nothing came", () => {
  const newcomer = new Newcomer();
  newcomer.hears("GE");
  assert.equal(fromBytes(newcomer.entry.takeEnd()), "GE");
  assert.equal(newcomer.isPlain, true);
  const silent = new Newcomer();
  assert.deepEqual([silent.entry.takeEnd(), silent.member], [undefined, undefined]);
  silent.entry.leave();
  assert.equal(silent.lobby.plain.size, 0);
});
