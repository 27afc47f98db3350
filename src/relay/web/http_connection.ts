// One connection that speaks HTTP: a request after the other, each answered before the next is looked at,
// with a deadline for all that is waited for. It owns the socket until it closes it, or until a WebSocket
// takes it over. What is answered is not its business.
//
//   idle ─▶ head ─▶ answer ─▶ idle …     last answer ─▶ end of output ─▶ input dropped for a while ─▶ closed
//                      └─▶ 101 ─▶ handed over

import { concat } from "../../wire/concat.ts";
import { Deadline, type DeadlineSettings } from "../deadline.ts";
import type { MemoryAccount, MemoryBudget } from "../memory_budget.ts";
import { closeQuietly, isExpectedEnd, type Transport } from "../connection/transport.ts";
import { type Answer, type BodySource, encodeHead, faultAnswer, textAnswer } from "./answer.ts";
import { encodeSwitch, handshakeFault, isHandshake } from "./websocket_handshake.ts";
import { hasBody, HeadReader, HttpFault, lists, type RequestHead } from "./head.ts";

/** How long a head may take from its first byte to its end, in ms. */
export const HEAD_MS = 5000;

/**
 * How long a connection is kept without a request, in ms: a page that asks for numbers every second keeps its
 * own.
 */
export const IDLE_MS = 15_000;

/**
 * How long an answer may make no progress, in ms: a kernel tells of none before a third of its buffer is free,
 * which takes a slow network 20 s.
 */
export const WRITE_MS = 30_000;

/** How long it may take to find an answer, in ms: a file may lie on another machine. */
const ANSWER_MS = 5000;

/** After so long without progress an answer's connection may be given up for another one, in ms. */
const STALLED_MS = 2000;

/**
 * How long what still comes is dropped after the last answer, in ms: closing at once would make the kernel
 * discard the answer.
 */
const LINGER_MS = 500;

/** …and how much of it at the most, in bytes. */
const MAX_LINGER_BYTES = 256 * 1024;

const READ_BYTES = 2048;

/** Up to this length, in bytes, a body is copied to go out in one write with its head. */
const MAX_COPIED_BYTES = 16 * 1024;

/** How much of a body that is no buffer is read and written at a time, in bytes… */
const CHUNK_BYTES = 64 * 1024;

/** …and when memory is short. */
const MIN_CHUNK_BYTES = 4 * 1024;

/** What a connection takes in memory beside its buffers, in bytes. */
const CONNECTION_BYTES = 8 * 1024;

/** An answer up to this length, in bytes, is made even if all memory is in use: what says so is one. */
const MAX_FREE_ANSWER_BYTES = 1024;

/** A WebSocket that was asked for, and may be: the 101 is written. */
export interface Upgrade {
  /** What came behind the head. */
  readonly rest: Uint8Array;
  /**
   * Where it comes from, as a host and as an address with a port: behind a proxy that is trusted what that
   * says.
   */
  readonly host: string;
  readonly address: string;
}

/** What a connection asks of its door. */
export interface HttpService extends DeadlineSettings {
  /** From which each connection draws what it holds. */
  readonly memory: MemoryBudget;
  /** Whether no further request is answered on a connection. */
  readonly isStopping: boolean;
  /** Waits, if need be, until it is a further request's turn, or that of a further part of an answer. */
  turn(): Promise<void> | undefined;
  /** Answers a request that asks for no WebSocket. May reject: then the answer is a 500. */
  answer(head: RequestHead, connection: HttpConnection): Answer | HttpFault | Promise<Answer | HttpFault>;
  /** Says why a WebSocket may not be opened, which is asked for rightly; otherwise for whom. */
  admit(head: RequestHead, connection: HttpConnection): HttpFault | Pick<Upgrade, "host" | "address">;
  /** Is told how each request was answered. */
  onAnswered(connection: HttpConnection, head: RequestHead | undefined, status: number, why: string): void;
  /** Is told that answering has failed in a way that nobody foresaw. */
  onFailed(connection: HttpConnection, error: unknown): void;
}

type Request = { head: RequestHead; rest: Uint8Array };

/** The service of one connection. */
export class HttpConnection {
  readonly address: string;
  readonly host: string;
  readonly #conn: Transport;
  readonly #service: HttpService;
  readonly #reader = new HeadReader();
  /** Made when something is read: a request mostly has come whole when it is known to be one. */
  #buffer: Uint8Array | undefined;
  readonly #memory: MemoryAccount;
  /** What was read and not looked at; null at the end of the input. */
  #input: Uint8Array | null;
  #reading: Promise<Uint8Array | null> | undefined;
  #isWaiting = true;
  /** Whether it is its turn, as it is for what a connection has begun with. */
  #hasTurn = true;
  #progressAt: number;
  /** For what is waited for now, or was last. */
  #deadline: Deadline | undefined;
  /** Ends the wait that has a deadline. */
  #onLate: (() => void) | undefined;
  #isClosed = false;
  readonly #closed = Promise.withResolvers<undefined>();

  /** @param bytes what was read of it already */
  constructor(conn: Transport, bytes: Uint8Array, host: string, address: string, service: HttpService) {
    this.#conn = conn;
    this.#input = bytes;
    this.host = host;
    this.address = address;
    this.#service = service;
    this.#memory = service.memory.open();
    this.#count();
    this.#progressAt = service.clock();
  }

  /** Counts what it holds: `answerBytes` of an answer, and what every connection has. */
  #count(answerBytes = 0): void {
    if (this.#isClosed) return;
    this.#memory.resize(CONNECTION_BYTES + READ_BYTES + this.#reader.heldBytes + answerBytes);
  }

  /**
   * Since when it does nothing that another connection should wait for, in ms of the clock; undefined while
   * it is being answered.
   */
  idleSince(nowMs: number): number | undefined {
    return this.#isWaiting || nowMs - this.#progressAt >= STALLED_MS ? this.#progressAt : undefined;
  }

  /** Serves the connection until it is closed, or returns the WebSocket that it has become. Never rejects. */
  async serve(): Promise<Upgrade | undefined> {
    try {
      for (;;) {
        const request = await this.#nextRequest();
        if (request === undefined) break;
        const upgrade = await this.#respond(request);
        if (upgrade instanceof Object) return upgrade;
        if (upgrade === "last") break;
      }
    } catch (error) {
      if (!this.#isClosed && !isExpectedEnd(error)) this.#service.onFailed(this, error);
    } finally {
      this.#memory.close();
    }
    this.close();
  }

  /** Closes it at once. */
  close(): void {
    this.#deadline?.end();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#memory.close();
    closeQuietly(this.#conn);
    this.#onLate?.();
    this.#closed.resolve(undefined);
  }

  /** Resolves when it is closed, even if what was under way then never ends; not when it is handed over. */
  get closed(): Promise<undefined> {
    return this.#closed.promise;
  }

  // Reading

  /** Waits for the next request, or for what is wrong with it; undefined if there is none any more. */
  async #nextRequest(): Promise<Request | HttpFault | undefined> {
    this.#isWaiting = true;
    this.#progressAt = this.#service.clock();
    let late: Promise<"late"> | undefined, isForHead = false;
    while (this.#input !== null) {
      const request = this.#input.length > 0 ? this.#push(this.#input) : undefined;
      if (request !== undefined) return await this.#begin(request);
      if (late === undefined || !isForHead && !this.#reader.isEmpty) {
        isForHead = !this.#reader.isEmpty;
        late = this.#late(isForHead ? HEAD_MS : IDLE_MS);
      }
      this.#hasTurn = false;
      const chunk = await Promise.race([this.#read(), late]);
      if (chunk === "late") {
        if (this.#isClosed || !isForHead) return undefined;
        return await this.#begin(new HttpFault(408, `The head did not end within ${HEAD_MS / 1000} s`));
      }
      this.#reading = undefined;
      this.#input = chunk;
    }
  }

  #push(input: Uint8Array): Request | HttpFault | undefined {
    this.#input = EMPTY;
    const request = this.#reader.push(input);
    this.#count();
    return request;
  }

  /** Begins with a request, once it is its turn. */
  async #begin(request: Request | HttpFault): Promise<Request | HttpFault> {
    this.#deadline?.end();
    this.#isWaiting = false;
    this.#progressAt = this.#service.clock();
    if (!this.#hasTurn) await this.#service.turn();
    this.#hasTurn = false;
    if (!(request instanceof HttpFault)) this.#input = request.rest;
    return request;
  }

  /** Reads some bytes; one read is under way at the most. */
  #read(): Promise<Uint8Array | null> {
    const buffer = this.#buffer ??= new Uint8Array(READ_BYTES);
    this.#reading ??= this.#conn.read(buffer).then((n) => n === null ? null : buffer.slice(0, n));
    this.#reading.catch(() => {}); // if nobody waits for it any more
    return this.#reading;
  }

  #late(ms: number): Promise<"late"> {
    return new Promise((done) => {
      this.#onLate = () => done("late");
      this.#setDeadline(ms, this.#onLate);
    });
  }

  #setDeadline(ms: number, onPassed: () => void): void {
    this.#deadline?.end();
    this.#deadline = new Deadline(this.#service, ms, onPassed);
  }

  // Answering

  /** Answers a request: returns the WebSocket that comes of it, or whether it was the last one here. */
  async #respond(request: Request | HttpFault): Promise<Upgrade | "last" | "next"> {
    if (request instanceof HttpFault) return await this.#write(undefined, request, true);
    const { head } = request;
    if (isHandshake(head)) {
      const admitted = handshakeFault(head) ?? this.#service.admit(head, this);
      if (admitted instanceof HttpFault) return await this.#write(head, admitted, true);
      return await this.#switch(request, admitted);
    }
    if (head.method !== "GET" && head.method !== "HEAD") {
      const fault = new HttpFault(405, "Only GET and HEAD are answered here", { Allow: "GET, HEAD" });
      return await this.#write(head, fault, true);
    }
    if (hasBody(head)) return await this.#write(head, new HttpFault(400, "A GET has no body here"), true);
    const isLast = head.minor < 1 || lists(head, "connection", "close");
    return await this.#write(head, await this.#ask(head), isLast);
  }

  async #ask(head: RequestHead): Promise<Answer | HttpFault> {
    try {
      const asked = this.#service.answer(head, this);
      if (!(asked instanceof Promise)) return asked;
      const answer = await Promise.race([asked, this.#late(ANSWER_MS)]);
      if (answer !== "late") return answer;
      asked.then(discard, () => {});
      return new HttpFault(503, `The answer took longer than ${ANSWER_MS / 1000} s`);
    } catch (error) {
      this.#service.onFailed(this, error);
      return textAnswer(500, "The relay could not answer that.\n");
    }
  }

  async #switch(
    { head, rest }: Request,
    { host, address }: Pick<Upgrade, "host" | "address">,
  ): Promise<Upgrade> {
    this.#setDeadline(WRITE_MS, () => this.close());
    await this.#writeAll(encodeSwitch(head));
    this.#deadline?.end();
    if (this.#isClosed) throw new Deno.errors.Interrupted("the connection was closed");
    this.#isClosed = true; // to this one: it is somebody else's from now on
    this.#service.onAnswered(this, head, 101, "");
    return { rest, host, address };
  }

  async #write(
    head: RequestHead | undefined,
    outcome: Answer | HttpFault,
    isLast: boolean,
  ): Promise<"last" | "next"> {
    if (!(outcome instanceof HttpFault) && !this.#hasMemoryFor(head, outcome)) {
      outcome = new HttpFault(503, "The memory of the relay is full", { "Retry-After": "1" });
    }
    const answer = outcome instanceof HttpFault ? faultAnswer(outcome) : outcome;
    const { body } = answer;
    isLast ||= this.#service.isStopping;
    try {
      this.#service.onAnswered(
        this,
        head,
        answer.status,
        outcome instanceof HttpFault ? outcome.message : "",
      );
      this.#watchWriting();
      const opening = encodeHead(answer, isLast, new Date());
      if (head?.method === "HEAD" || answer.status === 304) await this.#writeAll(opening);
      else if (body instanceof Uint8Array) await this.#writeBody(opening, body);
      else await this.#writeSource(opening, body);
    } finally {
      if (!(body instanceof Uint8Array)) body.close();
      this.#count();
    }
    if (!isLast) return "next";
    await this.#end();
    return "last";
  }

  /**
   * Counts what an answer takes while it is written; returns false, and counts nothing, if that is too much.
   * What is read while it is written can do with little.
   */
  #hasMemoryFor(head: RequestHead | undefined, { status, body, isShared }: Answer): boolean {
    if (head?.method === "HEAD" || status === 304 || !(body instanceof Uint8Array)) return true;
    const copyBytes = body.length > MAX_COPIED_BYTES ? 0 : body.length, ownBytes = isShared ? 0 : body.length;
    const bytes = copyBytes + ownBytes;
    if (bytes > MAX_FREE_ANSWER_BYTES && !this.#service.memory.hasRoomFor(bytes)) return false;
    this.#count(bytes);
    return true;
  }

  /** Closes the connection once nothing has been taken for too long. */
  #watchWriting(leftMs = WRITE_MS): void {
    this.#setDeadline(leftMs, () => {
      const nextMs = this.#progressAt + WRITE_MS - this.#service.clock();
      if (nextMs <= 0) this.close();
      else this.#watchWriting(nextMs);
    });
  }

  async #writeBody(opening: Uint8Array, body: Uint8Array): Promise<void> {
    if (body.length > MAX_COPIED_BYTES) {
      await this.#writeAll(opening);
      return await this.#writeAll(body);
    }
    await this.#writeAll(concat([opening, body]));
  }

  /** Writes as much as the head has promised; what is shorter than that by now ends the connection. */
  async #writeSource(opening: Uint8Array, body: BodySource): Promise<void> {
    await this.#writeAll(opening);
    const { memory } = this.#service;
    const chunkBytes = memory.isShort || !memory.hasRoomFor(CHUNK_BYTES) ? MIN_CHUNK_BYTES : CHUNK_BYTES;
    const buffer = new Uint8Array(Math.min(chunkBytes, body.length));
    this.#count(buffer.length);
    for (let left = body.length; left > 0;) {
      await this.#service.turn(); // what files bring keeps the loop from looking at its sockets
      const n = await body.read(buffer.subarray(0, Math.min(left, buffer.length)));
      if (n === null) throw new Deno.errors.UnexpectedEof("what is answered has become shorter");
      await this.#writeAll(buffer.subarray(0, n));
      left -= n;
    }
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#conn.write(bytes.subarray(at));
      this.#progressAt = this.#service.clock();
    }
  }

  /** Ends the output, and waits a moment for the other side to have read it. */
  async #end(): Promise<void> {
    this.#input = EMPTY;
    this.#isWaiting = true;
    const late = this.#late(LINGER_MS);
    await Promise.race([this.#conn.closeWrite(), late]);
    for (let dropped = 0; dropped < MAX_LINGER_BYTES;) {
      const chunk = await Promise.race([this.#read(), late]);
      if (chunk === null || chunk === "late") return;
      this.#reading = undefined;
      dropped += chunk.length;
    }
  }
}

const EMPTY = new Uint8Array(0);

/** Lets go of an answer that came too late. */
function discard(answer: Answer | HttpFault): void {
  if (!(answer instanceof HttpFault) && !(answer.body instanceof Uint8Array)) answer.body.close();
}
