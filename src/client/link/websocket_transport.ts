// A connection by WebSocket: one write is one text message with whole lines, and the messages that come are
// bytes again. Runs wherever there is a WebSocket: in pages, in workers, and beside TCP in Deno, Node and
// Bun.

import { printable } from "../../wire/untrusted.ts";
import { afterThisTurn } from "./after_turn.ts";
import { ImpossibleError, UntoldError } from "./connect_error.ts";
import { type PageLocation, pageLocation, runtime } from "./runtime.ts";
import type { OpenTransport, TlsOptions, Transport } from "./transport.ts";
import { decodeUtf8 } from "../../wire/utf8.ts";

/** How much the browser may keep of what was written, in bytes, before the next write waits… */
export const MAX_BUFFERED_BYTES = 1024 * 1024;

/** …and how often it is asked, in ms, as it doesn't say when there is room again. */
const BUFFER_LOOK_MS = 20;

/** The code with which a browser says that a connection ended without a word, or never was. */
const ABNORMAL = 1006;

/** The codes of ends that are no failure: done, gone away, none named. */
const USUAL_ENDS = [1000, 1001, 1005];

const encoder = new TextEncoder();

/** Returns a function that opens a WebSocket, and is done when the handshake is. */
export function openWebSocket(url: string, tls: TlsOptions = {}): OpenTransport {
  return async (_, signal) => {
    signal.throwIfAborted();
    const { socket, release } = makeSocket(url, tls);
    socket.binaryType = "arraybuffer";
    const { promise, resolve, reject } = Promise.withResolvers<Transport>();
    const abort = () => {
      socket.close();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort);
    socket.onopen = () => resolve(new WebSocketTransport(socket, release));
    socket.onerror = (event) => {
      const page = pageLocation();
      reject(page === undefined ? reasonOf(event, url) : new UntoldError(whyNot(new URL(url), page)));
    };
    socket.onclose = socket.onerror;
    try {
      return await promise;
    } catch (error) {
      release();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  };
}

class WebSocketTransport implements Transport {
  readonly #socket: WebSocket;
  readonly #release: () => void;
  #chunks: Uint8Array[] = [];
  #taken = 0;
  /** How it ended: by the other side, which is no failure, or by this. */
  #hasEnded = false;
  #failure: Error | undefined;
  /** Ends the waits of the read and of the write that are under way. */
  #onNews: (() => void) | undefined;
  #onRoom: (() => void) | undefined;

  constructor(socket: WebSocket, release: () => void) {
    this.#socket = socket;
    this.#release = release;
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onerror = () => {
      // The close that follows says more; node 22 tells none.
      afterThisTurn(() => this.#end(new Error("the connection broke")));
    };
    socket.onclose = ({ code, reason }) => this.#end(endOf(code, reason));
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#taken < this.#chunks.length) return this.#chunks[this.#taken++];
      this.#chunks = [];
      this.#taken = 0;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#hasEnded) return null;
      await new Promise<void>((done) => this.#onNews = done);
    }
  }

  /** Takes all of the bytes: a message may not end in the middle of a line. */
  async write(bytes: Uint8Array): Promise<number> {
    while (this.#isOpen && this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) await this.#room();
    if (!this.#isOpen) throw this.#failure ?? new Error("the connection is closed");
    this.#socket.send(decodeUtf8(bytes));
    return bytes.length;
  }

  /** Says the last; nothing more is received either. */
  endWriting(): Promise<void> {
    this.#socket.close(1000);
    return Promise.resolve();
  }

  close(): void {
    this.#chunks = [];
    this.#taken = 0;
    this.#end(new Error("the connection was closed"));
    this.#socket.close();
  }

  get #isOpen(): boolean {
    return !this.#hasEnded && this.#socket.readyState === 1;
  }

  #take(data: string | ArrayBuffer): void {
    if (this.#hasEnded) return;
    const bytes = typeof data === "string" ? encoder.encode(data) : new Uint8Array(data);
    this.#onRoom?.();
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#onNews?.();
  }

  #end(failure: Error | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#failure = failure;
    this.#release();
    this.#onNews?.();
    this.#onRoom?.();
  }

  /** Waits until there may be room: for a moment, or for a message, as timers of a hidden page come late. */
  #room(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#onRoom = undefined;
        resolve();
      };
      const timer = setTimeout(done, BUFFER_LOOK_MS);
      this.#onRoom = done;
    });
  }
}

interface Globals {
  WebSocket?: new (url: string, options?: unknown) => WebSocket;
  Deno?: { createHttpClient(options: { caCerts: string[] }): { close(): void } };
  Bun?: unknown;
}

/** Makes a WebSocket that trusts `caCerts`, too, and a function that frees what that takes. */
function makeSocket(url: string, { caCerts }: TlsOptions): { socket: WebSocket; release(): void } {
  const { WebSocket, Deno, Bun } = globalThis as unknown as Globals;
  if (WebSocket === undefined) {
    throw new ImpossibleError("there is no WebSocket here, Node has one from version 22 on");
  }
  let options: unknown;
  let release = () => {};
  if (caCerts !== undefined) {
    if (Deno !== undefined) {
      const client = Deno.createHttpClient({ caCerts });
      options = { client };
      release = () => client.close();
    } else if (Bun !== undefined) {
      options = { tls: { ca: caCerts } };
    } else {
      throw new ImpossibleError(`${whoTrusts()}, leave out caCerts`);
    }
  }
  try {
    return { socket: options === undefined ? new WebSocket(url) : new WebSocket(url, options), release };
  } catch (cause) {
    release();
    if ((cause as Error).name !== "SecurityError") throw cause;
    throw new ImpossibleError(mixedContent(new URL(url)), { cause });
  }
}

function whoTrusts(): string {
  return runtime() === "page"
    ? "whom to trust is the browser's decision"
    : "a WebSocket of Node trusts the certificates that NODE_EXTRA_CA_CERTS names";
}

function mixedContent({ host }: URL): string {
  return "this page came by https, and its browser lets such a page open nothing but wss://: open the page " +
    `from the relay itself (http://${host}/), or let the relay speak TLS and name it as wss://`;
}

/** What runtimes beside a browser say of a handshake that failed. */
function reasonOf(event: Event, url: string): Error {
  const { message = "", error } = event as Partial<ErrorEvent>;
  const { code } = (error ?? {}) as { code?: unknown };
  const isSilent = message === "" || /non-101 status code/.test(message); // so is Node, about TLS as well
  return isSilent ? new UntoldError(noReason(url)) : Object.assign(new Error(message), { code });
}

function noReason(url: string): string {
  const what = "no reason was given, is the relay running there";
  return url.startsWith("wss:")
    ? `${what}, and does it speak TLS with a certificate that NODE_EXTRA_CA_CERTS names`
    : what;
}

/**
 * Says what to look at. In a page that is all that can be done: a browser tells 1006, whatever the reason, so
 * that pages can't look around in a network.
 */
function whyNot({ protocol, host, hostname }: URL, page: PageLocation): string {
  const isSecure = protocol === "wss:";
  const hints = [`is the relay running there (http${isSecure ? "s" : ""}://${host}/ shows it)`];
  if (page.protocol === "file:" || page.origin === "null") {
    hints.push(
      "may a page that is a file connect to it (serve the page, or start the relay with --allow-origin null)",
    );
  } else if (hostname !== page.hostname && !/^(localhost|127\..*|\[::1\])$/.test(page.hostname)) {
    hints.push(`may a page of ${page.origin} connect to it (--allow-origin ${page.origin})`);
  }
  if (isSecure) hints.push("does the browser trust its certificate");
  return `the browser does not say why (code ${ABNORMAL}): ${hints.join(", ")}`;
}

function endOf(code: number, reason: string): Error | undefined {
  if (USUAL_ENDS.includes(code)) return undefined;
  if (code === ABNORMAL || code === 0) return new Error("the connection broke");
  return new Error(`it was closed with code ${code}${reason === "" ? "" : `, ${printable(reason)}`}`);
}
