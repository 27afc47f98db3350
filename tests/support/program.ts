// Starts the relay as a program of its own, from source or as a binary, and holds what it prints. For tests
// of server.ts and of the binary.

import { V8_FLAGS } from "../../bench/relay_process.ts";
import { inTime } from "./deadline.ts";

/** How to start: the program and its arguments up to the relay's own. */
export interface Launch {
  program: string;
  args: string[];
  cwd?: string;
}

/** The relay from source, with the permissions and the flags of V8 that `deno task start` gives it. */
export const FROM_SOURCE: Launch = {
  program: Deno.execPath(),
  args: [
    "run",
    "--no-config",
    V8_FLAGS,
    "--no-prompt",
    "--allow-net",
    "--allow-env",
    "--allow-sys=hostname",
    new URL("../../server.ts", import.meta.url).pathname,
  ],
};

/** A running program. It is killed when the test ends, if it hasn't ended by then. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #outputs: Promise<void>[];
  #waiting = new Set<() => void>();
  #hasEnded = false;
  stdout = "";
  stderr = "";

  /** Starts it with an environment that holds nothing but `env`. */
  constructor({ program, args, cwd }: Launch, relayArgs: string[] = [], env: Record<string, string> = {}) {
    this.#child = new Deno.Command(program, {
      args: [...args, ...relayArgs],
      cwd,
      clearEnv: true,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#outputs = [
      this.#collect(this.#child.stdout, (text) => this.stdout += text),
      this.#collect(this.#child.stderr, (text) => this.stderr += text),
    ];
    void this.#child.status.then(() => {
      this.#hasEnded = true;
      this.#note();
    });
  }

  /** Waits for the ready line, and returns the port in it. */
  async port(): Promise<number> {
    await this.#until(() => this.stdout.split("\n").length > 2, "the two lines of a relay that is ready");
    const match = /listening on \S+:(\d+)\n/.exec(this.stdout);
    if (match === null) throw new Error(`this is no ready line: ${this.stdout}`);
    return Number(match[1]);
  }

  /** Waits until stderr holds what is sought, and returns the match. */
  async logs(pattern: RegExp): Promise<RegExpExecArray> {
    await this.#until(() => pattern.test(this.stderr), `${pattern} on stderr`);
    return pattern.exec(this.stderr)!;
  }

  get pid(): number {
    return this.#child.pid;
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for the end, and returns the exit code. */
  async code(): Promise<number> {
    const { code } = await inTime(this.#child.status, "the end of the program");
    await Promise.all(this.#outputs);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.#child.kill("SIGKILL");
    await this.#child.status;
    await Promise.all(this.#outputs);
  }

  async #collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      take(decoder.decode(chunk, { stream: true }));
      this.#note();
    }
  }

  #note(): void {
    for (const done of this.#waiting) done();
  }

  async #until(isSo: () => boolean, what: string): Promise<void> {
    while (!isSo()) {
      if (this.#hasEnded) {
        throw new Error(`the program has ended before ${what}: ${this.stdout}${this.stderr}`);
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await inTime(promise, `${what}; it printed ${this.stdout}${this.stderr}`);
      this.#waiting.delete(resolve);
    }
  }
}
