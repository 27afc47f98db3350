// Who may take part: a seat, the token, a session that goes on or a new one in its room, and the sessions
// whose clients are away. Knows neither sockets nor what members write.

import type { Door } from "./connection/entry.ts";
import type { Hello } from "./member/client_control.ts";
import type { Outlet } from "./member/member.ts";
import { type SessionKeeper, SessionMember } from "./member/session_member.ts";
import type { Settings } from "./options.ts";
import { type Seat, Seats } from "./seats.ts";
import type { RoomEntries, Rooms } from "./room/rooms.ts";
import { isSame, makeSecret, SECRET_BYTES } from "./secrets.ts";
import { parseSimulation, type SimulationOptions } from "../simulation/parse_simulation.ts";
import { encodeId, type WireError } from "../wire/protocol.ts";
import { WrongTokens } from "./wrong_tokens.ts";

/** What somebody at the door is told: whom it speaks for from now on, or why it may not. */
export type Answer = { member: SessionMember } | { error: WireError };

/** What is wrong with a token: there is none, it is another one, or it is not looked at yet. */
export type TokenFault = "none" | "wrong" | "wait";

/** How many absent sessions are given up at a time when memory is short. */
const MAX_GIVEN_UP = 100;

/** The sessions of a relay, and the way in. */
export class Admission implements SessionKeeper {
  readonly #settings: Settings;
  readonly #rooms: Rooms;
  readonly #seats: Seats;
  readonly #wrongTokens = new WrongTokens();
  /** By their secret. */
  readonly #sessions = new Map<string, { member: SessionMember; seat: Seat }>();
  /** Those whose clients are away, the oldest absence first. */
  readonly #absent = new Set<SessionMember>();
  #lastId = 0;

  constructor(settings: Settings, rooms: Rooms) {
    this.#settings = settings;
    this.#rooms = rooms;
    this.#seats = new Seats(settings);
    settings.memory.onShort("absent sessions", (neededBytes) => this.#giveUpAbsent(neededBytes));
  }

  /** Lets a connection from `host` come to the door; returns undefined if not even that is possible. */
  arrive(host: string): Visit | undefined {
    const seat = this.#seats.enter(host);
    return seat && new Visit(this, host, seat);
  }

  /** Counts who is there. */
  stats(): { waiting: number; sessions: number; absentSessions: number } {
    const absentSessions = this.#absent.size;
    return { waiting: this.#seats.waiting, sessions: this.#sessions.size - absentSessions, absentSessions };
  }

  /**
   * Ends sessions that nobody came back for. Is called every so often, and goes on from step to step as its
   * caller likes.
   */
  *sweep(nowMs: number): Generator<void> {
    for (const member of this.#absent) {
      member.sweepAbsence(nowMs);
      yield;
    }
  }

  /** Ends all sessions. */
  close(): void {
    for (const { member } of this.#sessions.values()) member.close("closed");
  }

  onAway(member: SessionMember): void {
    this.#absent.add(member);
  }

  listRooms(): RoomEntries {
    return this.#rooms.list();
  }

  onOver(member: SessionMember): void {
    this.#absent.delete(member);
    this.#sessions.get(member.secret)?.seat.drop();
    this.#sessions.delete(member.secret);
  }

  /**
   * Looks at a token that somebody gives to see numbers: says why they may not, and how long to wait;
   * undefined if they may.
   */
  tokenFault(given: string, host: string): { kind: TokenFault; waitMs: number } | undefined {
    const fault = this.#judgeToken(given, host, false);
    return fault && { kind: fault, waitMs: this.#wrongTokens.waitMs(host, this.#settings.clock()) };
  }

  /** @internal For {@linkcode Visit}. */
  refusePlain(seat: Seat): WireError | undefined {
    if (this.#settings.needsToken) {
      const message =
        "Cannot serve a plain client: this relay needs a token, which a session's $hello can carry";
      return { code: "bad_token", message };
    }
    const why = seat.claim();
    return why === undefined ? undefined : relayFull(why);
  }

  /** @internal For {@linkcode Visit}: the member, and the seat that its connection holds from now on. */
  admit(hello: Hello, outlet: Outlet, host: string, seat: Seat): Answer & { seat: Seat } {
    const known = hello.resume && this.#sessions.get(hello.resume.session);
    const refusal = this.#checkToken(hello.token, host, known !== undefined);
    if (refusal !== undefined) return { error: refusal, seat };
    const simulation = this.#simulationFor(hello);
    if (typeof simulation === "string") {
      return {
        error: { code: "bad_hello", message: `Cannot simulate a network: ${simulation}`, line: 1 },
        seat,
      };
    }
    let place = seat;
    if (known !== undefined) {
      place = known.seat; // also if it can't go on: its own dead connection may hold the last one
      place.hold();
      place.moveTo(host);
      const { member } = known;
      if (member.resume(outlet, hello.resume!.bytes, simulation, hello.nonce)) {
        this.#absent.delete(member);
        return { member, seat: place };
      }
      member.close("lost");
    }
    return { ...this.#begin(hello, simulation, outlet, place), seat: place };
  }

  /** Begins a new session, which holds `seat`; or says why it can't. */
  #begin(hello: Hello, simulation: SimulationOptions | undefined, outlet: Outlet, seat: Seat): Answer {
    const why = seat.claim();
    if (why !== undefined) return { error: relayFull(why) };
    const { base = hello.room } = hello, comesBack = hello.base !== undefined;
    const room = this.#rooms.open(hello.room, hello.maxMembers, hello.any ? base : undefined, comesBack);
    if ("code" in room) return { error: room };
    const peer = { id: encodeId(++this.#lastId), name: hello.name };
    const member = new SessionMember(room, peer, makeSecret(SECRET_BYTES), this.#settings, this, hello);
    this.#sessions.set(member.secret, { member, seat });
    seat.hold();
    member.attach(outlet, simulation, hello.nonce);
    return { member };
  }

  /** @param isKnown whether the hello names a session's secret, which nobody can guess */
  #checkToken(given: string, host: string, isKnown: boolean): WireError | undefined {
    const fault = this.#judgeToken(given, host, isKnown);
    switch (fault) {
      case "wait": {
        const waitMs = this.#wrongTokens.waitMs(host, this.#settings.clock());
        const message =
          `Cannot enter: too many wrong tokens came from ${host}, the next one is looked at in ${
            Math.ceil(waitMs / 1000)
          } s`;
        return { code: "relay_full", message, line: 1 };
      }
      case "none":
        return {
          code: "bad_token",
          message: "Cannot enter: this relay needs a token, and none was given",
          line: 1,
        };
      case "wrong":
        return {
          code: "bad_token",
          message: "Cannot enter: the token that was given is not the relay's",
          line: 1,
        };
    }
  }

  #judgeToken(given: string, host: string, isKnown: boolean): TokenFault | undefined {
    const { token, needsToken, clock } = this.#settings;
    if (!needsToken) return undefined;
    if (given === "") return "none";
    const nowMs = clock();
    if (!isKnown && this.#wrongTokens.waitMs(host, nowMs) > 0) return "wait";
    if (isSame(given, token)) return undefined;
    this.#wrongTokens.note(host, given, nowMs);
    return "wrong";
  }

  /** Reads the simulated network that a client wants, or takes the one for all; or says why not. */
  #simulationFor({ simulate }: Hello): SimulationOptions | undefined | string {
    if (simulate === "") return this.#settings.simulate?.();
    if (!this.#settings.allowsSimulation) return "this relay doesn't, it was started with --no-simulate";
    try {
      return parseSimulation(simulate);
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Gives up sessions whose clients are away for the longest time. */
  #giveUpAbsent(neededBytes: number): number {
    const { memory } = this.#settings;
    const before = memory.usedBytes;
    let left = MAX_GIVEN_UP;
    for (const member of this.#absent) {
      if (left-- === 0 || before - memory.usedBytes >= neededBytes) break;
      member.close("lost");
    }
    return Math.max(0, before - memory.usedBytes);
  }
}

/** One connection at the door, until it has gone. */
export class Visit implements Door {
  readonly #admission: Admission;
  readonly host: string;
  #seat: Seat;

  /** @internal Use {@linkcode Admission.arrive}. */
  constructor(admission: Admission, host: string, seat: Seat) {
    this.#admission = admission;
    this.host = host;
    this.#seat = seat;
  }

  refusePlain(): WireError | undefined {
    return this.#admission.refusePlain(this.#seat);
  }

  admit(hello: Hello, outlet: Outlet): Answer {
    const answer = this.#admission.admit(hello, outlet, this.host, this.#seat);
    if (answer.seat !== this.#seat) {
      this.#seat.drop();
      this.#seat = answer.seat;
    }
    return answer;
  }

  /** Gives up what the connection has taken, once its socket is closed. */
  end(): void {
    this.#seat.drop();
  }
}

function relayFull(why: string): WireError {
  return { code: "relay_full", message: `Cannot serve this connection: ${why}` };
}
