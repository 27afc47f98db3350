// Questions, and answers to them: what this program asks other members and the relay, and what others ask it.
// How a question waits for its answer is in session/asks.ts.
//
//   request(peer) ─→ $to with ask ─→ the other's onRequest ─→ $to with reply ─→ Asks ─→ resolves
//   claim, rooms  ─→ $claim, $rooms with ask ─→ relay ─→ $answer ─→ Asks ─→ resolves

import type { Tag } from "../wire/protocol.ts";
import { quote } from "../wire/untrusted.ts";
import { describeThrown } from "./option_check.ts";
import {
  type ClaimOptions,
  readClaimOptions,
  readRequestOptions,
  type RequestOptions,
} from "./call_options.ts";
import { jsonText } from "./json_text.ts";
import type { ConnectOptions } from "./options.ts";
import type { Outgoing } from "./outgoing.ts";
import { needSession } from "./plain.ts";
import { type Addressee, readPeer } from "./receivers.ts";
import { readRoomList, type RoomList } from "./room_list.ts";
import { forgiving, MAX_REASON_LENGTH } from "./session/asks.ts";
import type { Peer } from "./session/roster.ts";
import type { Session } from "./session/session.ts";
import { checkKey, checkValue } from "./state_check.ts";

const encoder = new TextEncoder();

/** Asks and answers for one program; a plain client, which has no session, can't. */
export class Requests {
  readonly #session: Session | undefined;
  readonly #outgoing: Outgoing;
  readonly #options: Pick<ConnectOptions, "onRequest">;
  #isClosed = false;

  /** Makes it; the options say who answers what others ask. */
  constructor(
    session: Session | undefined,
    outgoing: Outgoing,
    options: Pick<ConnectOptions, "onRequest">,
  ) {
    this.#session = session;
    this.#outgoing = outgoing;
    this.#options = options;
  }

  /** Asks a member, see {@linkcode Relay.request}. */
  request(peer: Addressee, event: unknown, options: RequestOptions): Promise<unknown> {
    return forgiving(() => this.#request(peer, event, options));
  }

  /** Claims a key, see {@linkcode Relay.claim}. */
  claim(key: string, value: unknown, options: ClaimOptions): Promise<boolean> {
    return forgiving(() => this.#claim(key, value, options));
  }

  /** Asks for the rooms, see {@linkcode Relay.rooms}. */
  rooms(options: RequestOptions): Promise<RoomList> {
    return forgiving(() => this.#rooms(options));
  }

  /** Answers what another member asks by what `onRequest` returns, or says why there is no answer. */
  async answer(line: string, from: Peer, ask: string): Promise<void> {
    const { onRequest } = this.#options;
    let text: string, tag: Tag = { reply: ask };
    try {
      if (onRequest === undefined) throw new Error("it answers no requests");
      text = jsonText("answer", await onRequest(JSON.parse(line), from) ?? null);
    } catch (error) {
      const why = describeThrown(error);
      [text, tag] = [JSON.stringify(why.slice(0, MAX_REASON_LENGTH)), { reply: ask, failed: true }];
    }
    if (this.#isClosed) return;
    const fault = this.#reply(text, from, tag);
    if (fault === undefined) return;
    // Where lines are so short that this does not fit either, who has asked is told by its own time limit.
    this.#reply(JSON.stringify(fault.message), from, { reply: ask, failed: true });
  }

  /** Answers nothing from now on, and gets no answer. */
  close(): void {
    this.#isClosed = true;
    this.#session?.asks.failAll("closed", "the relay object was closed");
  }

  #request(peer: Addressee, event: unknown, options: RequestOptions): Promise<unknown> {
    const session = needSession(this.#session, "request");
    const timeoutMs = readRequestOptions("request", options);
    const id = readPeer("request", peer);
    const text = jsonText("send request", event);
    const { ask, answer } = session.asks.open(`request ${quote(id)}`, id, timeoutMs);
    if (this.#isClosed) return this.#failClosed(session, answer);
    try {
      this.#outgoing.sendTo(text, [id], { ask }, "send request");
    } catch (error) {
      session.asks.settle(ask, undefined, id);
      throw error;
    }
    return answer;
  }

  #claim(key: string, value: unknown, options: ClaimOptions): Promise<boolean> {
    const session = needSession(this.#session, "claim", "has no state");
    checkKey(key, "claim");
    const { hold, timeoutMs } = readClaimOptions(options);
    const json = jsonText(`claim ${quote(key)}`, value);
    checkValue(session, json, `claim ${quote(key)}`);
    const answer = this.#ask(session, `claim ${quote(key)}`, timeoutMs, (ask) => {
      const fields = JSON.stringify({ ask, key, hold: hold || undefined });
      return `{"$claim":${fields.slice(0, -1)},"value":${json}}}`;
    });
    return answer.then((body) => {
      const hasWon = (body as { won?: unknown }).won === true;
      if (hasWon && hold) session.source.room.hold(key, true);
      return hasWon;
    });
  }

  #rooms(options: RequestOptions): Promise<RoomList> {
    const session = needSession(this.#session, "list rooms");
    const write = (ask: string) => `{"$rooms":${JSON.stringify({ ask })}}`;
    const timeoutMs = readRequestOptions("list rooms", options);
    return this.#ask(session, "list rooms", timeoutMs, write).then(readRoomList);
  }

  /** Sends an answer; returns what is wrong with it: it is too long. */
  #reply(text: string, to: Peer, tag: Tag): Error | undefined {
    try {
      this.#outgoing.sendTo(text, [to.id], tag, "answer");
    } catch (error) {
      return error as Error;
    }
  }

  /** Asks the relay; `write(ask)` makes the line, without its LF. */
  #ask(
    session: Session,
    what: string,
    timeoutMs: number,
    write: (ask: string) => string,
  ): Promise<unknown> {
    const { ask, answer } = session.asks.open(what, undefined, timeoutMs);
    if (this.#isClosed) return this.#failClosed(session, answer);
    const line = encoder.encode(write(ask) + "\n");
    const bytes = line.length - 1, limit = this.#outgoing.lineLimit;
    if (bytes > limit) {
      session.asks.settle(ask, undefined); // the relay would not read it, so it would never answer
      throw new RangeError(`Cannot ${what}: it has ${bytes} bytes, maxLineBytes is ${limit}`);
    }
    this.#outgoing.sendControl(line);
    return answer;
  }

  #failClosed(session: Session, answer: Promise<unknown>): Promise<unknown> {
    session.asks.failAll("closed", "the relay object is closed");
    return answer;
  }
}
