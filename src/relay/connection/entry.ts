// What a connection becomes: its first bytes, its hello or its silence make it a session, a plain member,
// HTTP or nothing. Until then it has a place in the lobby's log (arrival.ts) and speaks for nobody. Who may
// take part is asked at the door.

import { type Hello, Misunderstood, readControl, readHello, readNonce } from "../member/client_control.ts";
import type { EndReason, Member, Outlet } from "../member/member.ts";
import { PlainMember } from "../member/plain_member.ts";
import type { SessionMember } from "../member/session_member.ts";
import type { Settings } from "../options.ts";
import type { Room } from "../room/room.ts";
import type { WireError } from "../../wire/protocol.ts";
import { HELLO_MS, type Silent } from "../silence_watch.ts";
import { Arrival, type Opening } from "./arrival.ts";
import { HTTP_REFUSAL } from "./first_bytes.ts";

/** Where a connection asks whether it may take part. */
export interface Door {
  /** Where the client comes from. */
  readonly host: string;
  /** Lets a client that said hello in: the member it speaks for from now on, or why it can't. */
  admit(hello: Hello, outlet: Outlet): { member: SessionMember } | { error: WireError };
  /** Says why a client that does not say hello can't be served; undefined if it can. */
  refusePlain(): WireError | undefined;
}

/** To whom a connection is left that turns out to be HTTP. */
export interface HttpTaker {
  /** Whether a host speaks HTTP on other connections, now or a moment ago. */
  isBrowsing(host: string): boolean;
}

/** The connection that becomes something. */
export interface Entrant extends Outlet {
  /** Why it is ending; undefined while it goes on. */
  readonly ending: EndReason | undefined;
  /** Whether HTTP could be answered on it: it is a bare socket, to which nothing was written. */
  readonly isBlank: boolean;
  /** Speaks for a member from now on, for nobody if it is undefined. */
  speakFor(member: Member | undefined, session?: SessionMember): void;
  /** Leaves the socket, with what has come on it, to who serves HTTP. */
  handOver(bytes: Uint8Array): void;
  /** Ends with an `$error` line that says why. */
  refuse(error: WireError): void;
  /** Ends, with this last line. */
  end(reason: EndReason, lastLine?: Uint8Array): void;
}

/**
 * How long a silent connection of a host that browses may be a browser's socket in reserve, in ms: they drop
 * those after 10 s.
 */
const RESERVE_MS = 15_000;

/**
 * How long one for whom there is no place is waited for, in ms: the hello of a session that has its place may
 * have got lost once on its way.
 */
const LATE_HELLO_MS = 1000;

/** What one is told who reads lines, as what it is written shows, and begins with no line. */
const FOREIGN_LINE: WireError = {
  code: "invalid_json",
  message: "Cannot go on: line 1 begins another protocol, one JSON value a line is allowed",
  line: 1,
};

/** The way of one connection into the relay. */
export class Entry implements Silent {
  readonly #entrant: Entrant;
  readonly #lobby: Room;
  readonly #settings: Settings;
  readonly #door: Door;
  readonly #httpTaker: HttpTaker | undefined;
  readonly #startedAt: number;
  /** Until its first bytes have said what it is. */
  #arrival: Arrival | undefined;
  /** What it is taken for once it has been silent for long enough. */
  #plain: PlainMember | undefined;
  #isHelloDue = false;
  #nonce: string | undefined;

  constructor(entrant: Entrant, lobby: Room, settings: Settings, door: Door, httpTaker?: HttpTaker) {
    this.#entrant = entrant;
    this.#lobby = lobby;
    this.#settings = settings;
    this.#door = door;
    this.#httpTaker = httpTaker;
    this.#startedAt = settings.clock();
    this.#arrival = new Arrival(lobby, settings, this);
  }

  /** Whether its first bytes have said what it is. */
  get isDecided(): boolean {
    return this.#arrival === undefined;
  }

  /** Whether they begin a hello that has not ended. */
  get isHelloDue(): boolean {
    return this.#isHelloDue;
  }

  /** What a client that was not let in asks to be repeated. */
  get nonce(): string | undefined {
    return this.#nonce;
  }

  /** How long a line was begun that does not tell yet what it is, in ms. */
  midLineMs(nowMs: number): number {
    return this.#arrival?.midLineMs(nowMs) ?? 0;
  }

  /**
   * Looks at what was read at `nowMs`: once that tells what the connection is, it becomes that, and all that
   * has come is returned.
   */
  look(chunk: Uint8Array, nowMs: number): Uint8Array | undefined {
    const opening = this.#arrival!.look(chunk, nowMs);
    if (opening === undefined) return undefined;
    this.#become(opening);
    this.#arrival = undefined;
    return opening.bytes;
  }

  #become({ kind, bytes }: Opening): void {
    const { address, isBlank } = this.#entrant, { log } = this.#settings;
    switch (kind) {
      case "hello":
        this.#leaveLobby();
        this.#isHelloDue = true;
        return;
      case "lines":
        return this.becomePlain();
      case "http":
        if (this.#httpTaker !== undefined && isBlank) {
          this.#leaveLobby();
          return this.#entrant.handOver(bytes);
        }
        if (!isBlank) return this.#entrant.refuse(FOREIGN_LINE);
        log("warn", "HTTP request refused", { address });
        return this.#entrant.end("refused", HTTP_REFUSAL);
      case "foreign":
        if (!isBlank) return this.#entrant.refuse(FOREIGN_LINE);
        log("warn", "another protocol refused", { address, begins: beginning(bytes) });
        this.#entrant.end("refused");
    }
  }

  /**
   * Takes the end of the input: what has come by then, and does not tell what it is, is returned; it is
   * lines.
   */
  takeEnd(): Uint8Array | undefined {
    const rest = this.#arrival?.bytes;
    if (rest === undefined || rest.length === 0) return undefined;
    this.becomePlain();
    return this.#entrant.ending === undefined ? rest : undefined;
  }

  /** Gives its place in the lobby up, if it still has it. */
  leave(): void {
    this.#arrival?.leave();
  }

  /**
   * @internal For the watch: it has said nothing for a moment. It is a client that only listens, or a
   * browser's socket in reserve, which must not be written to.
   */
  onSilence(): void {
    const ageMs = this.#settings.clock() - this.#startedAt;
    if (ageMs < RESERVE_MS && this.#httpTaker?.isBrowsing(this.#door.host)) return this.#arrival?.waitOn();
    this.becomePlain(ageMs < LATE_HELLO_MS);
  }

  /**
   * Lets a connection that did not say hello take part as a plain client; its first bytes are looked at all
   * the same.
   * @param mayWait whether one that can't is waited for, as it may be a session that has its place
   */
  becomePlain(mayWait = false): void {
    if (this.#arrival === undefined || this.#plain !== undefined) return;
    if (this.#entrant.ending !== undefined) return;
    const refusal = this.#door.refusePlain();
    if (refusal !== undefined) return mayWait ? this.#arrival.waitOn() : this.#entrant.refuse(refusal);
    this.#plain = this.#arrival.handOn((cursor) =>
      new PlainMember(this.#lobby, this.#entrant, this.#settings, cursor)
    );
    this.#entrant.speakFor(this.#plain);
  }

  /** Gives up what a client has that may yet be a plain one. */
  #leaveLobby(): void {
    this.#arrival?.leave();
    if (this.#plain === undefined) return;
    this.#plain.detach(this.#entrant, "replaced");
    this.#plain.cursor.close();
    this.#plain = undefined;
    this.#entrant.speakFor(undefined);
  }

  /** Takes the hello: `bytes[start, end)` with its LF. */
  onHello(bytes: Uint8Array, start: number, end: number): void {
    const control = readControl(bytes, start, end);
    if (control instanceof Misunderstood) return this.refuseHello(control.message);
    const hello = readHello(control);
    if (hello instanceof Misunderstood) {
      this.#nonce = readNonce(control);
      return this.refuseHello(hello.message);
    }
    this.#nonce = hello.nonce;
    const answer = this.#door.admit(hello, this.#entrant);
    if ("error" in answer) return this.#entrant.refuse(answer.error);
    this.#isHelloDue = false;
    this.#nonce = undefined;
    this.#entrant.speakFor(answer.member, answer.member);
  }

  /** Refuses a hello that took too long. */
  sweep(midLineMs: number): void {
    if (!this.#isHelloDue || midLineMs <= HELLO_MS) return;
    this.refuseHello(`it did not end within ${HELLO_MS / 1000} s`);
  }

  /** Refuses the hello. */
  refuseHello(why: string): void {
    this.#isHelloDue = false;
    this.#entrant.refuse({ code: "bad_hello", message: `Cannot understand $hello: ${why}`, line: 1 });
  }
}

/** Shows how another protocol begins, in hexadecimal digits. */
function beginning(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
