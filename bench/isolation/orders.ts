// How isolation.ts speaks with its helpers: a line to stdin is an order, a line on stdout the answer. Both
// ends are here.

import { signal } from "../relay_process.ts";

/** In this order: a helper is `ready`, should `go`, may be `done`, should `stop`; last is its report. */
export type Word = "ready" | "go" | "done" | "stop";

/** The helper's end. */
export class Orders {
  #waiting = new Map<string, PromiseWithResolvers<void>>();

  constructor() {
    void this.#read();
  }

  /** Resolves when the word has been said, or the one who says it is gone. */
  heard(word: Word): Promise<void> {
    return this.#of(word).promise;
  }

  say(word: Word): void {
    console.log(word);
  }

  #of(word: string): PromiseWithResolvers<void> {
    const there = this.#waiting.get(word) ?? Promise.withResolvers<void>();
    this.#waiting.set(word, there);
    return there;
  }

  async #read(): Promise<void> {
    for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
      for (const word of text.split("\n").filter(Boolean)) this.#of(word).resolve();
    }
    for (const word of ["go", "stop"]) this.#of(word).resolve();
  }
}

/** The other end: a helper that runs as a process of its own. */
export class Helper implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  readonly #said = new Set<string>();
  readonly #lines: string[] = [];
  readonly #ended: Promise<void>;
  #note = Promise.withResolvers<void>();
  #hasEnded = false;

  /** Starts `script` with one argument, as a process that gives way to others by `niceness`. */
  constructor(script: URL, argument: unknown, niceness: number) {
    const deno = [
      Deno.execPath(),
      "run",
      "-A",
      "--no-lock",
      decodeURIComponent(script.pathname),
      JSON.stringify(argument),
    ];
    const [program, ...args] = niceness > 0 ? ["nice", "-n", String(niceness), ...deno] : deno;
    this.#child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "inherit" })
      .spawn();
    this.#orders = this.#child.stdin.getWriter();
    this.#ended = this.#read();
  }

  /** Resolves once it has said the word. Rejects if it ends without. */
  async said(word: Word): Promise<void> {
    while (!this.#said.has(word)) {
      if (this.#hasEnded) throw new Error(`Cannot measure: a helper ended before it was ${word}, see above`);
      await this.#note.promise;
    }
  }

  async tell(word: Word): Promise<void> {
    await this.#orders.write(new TextEncoder().encode(`${word}\n`)).catch(() => {});
  }

  /** Tells it to stop; resolves with its report. Rejects if there is none within `deadlineMs`. */
  async report<Report>(deadlineMs: number): Promise<Report> {
    await this.tell("stop");
    const timer = setTimeout(() => signal(this.#child, "SIGKILL"), deadlineMs);
    await this.#ended;
    clearTimeout(timer);
    const last = this.#lines.at(-1);
    if (last === undefined || !last.startsWith("{")) {
      throw new Error("Cannot measure: a helper left no report");
    }
    return JSON.parse(last);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    signal(this.#child, "SIGKILL");
    await this.#ended;
    await this.#orders.close().catch(() => {});
  }

  async #read(): Promise<void> {
    let text = "";
    for await (const chunk of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) {
        this.#lines.push(line);
        this.#said.add(line);
      }
      this.#wake();
    }
    await this.#child.status;
    this.#hasEnded = true;
    this.#wake();
  }

  #wake(): void {
    const { resolve } = this.#note;
    this.#note = Promise.withResolvers<void>();
    resolve();
  }
}
