// The WebSocket that a browser is driven through: commands and their answers, and events. What DevTools and
// WebDriver BiDi have in common; knows no command of either.

import { DEADLINE_MS, inTime } from "./deadline.ts";
import { pause } from "./pause.ts";

// deno-lint-ignore no-explicit-any -- what the protocols say of themselves is 2 MB of JSON
export type Params = Record<string, any>;

/** How long to wait between two looks at a page that a test waits for, in ms. */
const LOOK_MS = 20;

/** One connection to a browser, or to one of its pages. */
export class BrowserSocket {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, { resolve(result: Params): void; reject(error: Error): void }>();
  readonly #closed = Promise.withResolvers<void>();
  #lastId = 0;
  /** Is called for each event. */
  onEvent: (name: string, params: Params) => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.id === undefined) this.onEvent(message.method, message.params);
      else this.#onAnswer(message);
    };
    socket.onclose = () => {
      for (const { reject } of this.#answers.values()) reject(new Error("the browser has closed this"));
      this.#answers.clear();
      this.#closed.resolve();
    };
  }

  /** Connects. */
  static async open(url: string): Promise<BrowserSocket> {
    const socket = new WebSocket(url);
    const opened = new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error(`Cannot attach to ${url}`));
    });
    await inTime(opened, `an open ${url}`);
    return new BrowserSocket(socket);
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Sends a command, and returns its result. */
  send(method: string, params: Params): Promise<Params> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Params>();
    this.#answers.set(id, { resolve, reject });
    this.#socket.send(JSON.stringify({ id, method, params }));
    return inTime(promise, `an answer to ${method}`);
  }

  /** Closes, and waits until it is closed. May be called again. */
  async close(): Promise<void> {
    this.#socket.close();
    await inTime(this.#closed.promise, "the end of a browser's WebSocket");
  }

  /** The error of DevTools is an object with a message, that of BiDi a code with a message beside it. */
  #onAnswer({ id, result, error, message }: Params): void {
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (error === undefined) answer?.resolve(result);
    else answer?.reject(new Error(error.message ?? `${error}: ${message}`));
  }
}

/**
 * Looks at a page until `look` gives something true, and returns that. Errors of it count as not yet; `errors`
 * are told where it is never true.
 */
export async function untilSeen<T>(look: () => Promise<T>, what: string, errors: string[]): Promise<T> {
  const beganAtMs = performance.now();
  for (let last: unknown;;) {
    try {
      const value = await look();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() - beganAtMs > DEADLINE_MS) {
      throw new Error(`not within ${DEADLINE_MS} ms: ${what}; it is ${last}; errors: ${errors.join(" · ")}`);
    }
    await pause(LOOK_MS);
  }
}
