// A real browser as a process of a test: started with a profile of its own, ended with all that it has
// written. How it is driven, browser.ts and firefox.ts know.

import { pause } from "./pause.ts";
import { inTime } from "./deadline.ts";

/** How a browser is started. */
export interface Launch {
  /** What people call it. */
  name: string;
  program: string | undefined;
  /** The arguments, for a profile in this folder. */
  args: (profile: string) => string[];
  env?: (profile: string) => Record<string, string>;
  /** Is called before, with the empty folder. */
  prepare?: (profile: string) => Promise<void>;
  /** What it says on stderr once it can be spoken to. */
  line: RegExp;
}

/** A browser that runs; `await using` ends it and removes its files. */
export class BrowserProcess implements AsyncDisposable {
  /** What it has said, with the groups. */
  readonly match: RegExpExecArray;
  readonly #child: Deno.ChildProcess;
  readonly #profile: string;
  readonly #rest: Promise<unknown>;
  /** Ends it also where a test runner gives up and leaves. */
  readonly #kill = () => {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  };

  private constructor(
    child: Deno.ChildProcess,
    profile: string,
    match: RegExpExecArray,
    rest: Promise<unknown>,
  ) {
    this.#child = child;
    this.#profile = profile;
    this.match = match;
    this.#rest = rest;
    globalThis.addEventListener("unload", this.#kill);
  }

  /** Starts it, and waits until it can be spoken to. */
  static async start({ name, program, args, env, prepare, line }: Launch): Promise<BrowserProcess> {
    if (program === undefined) throw new Error(`Cannot start ${name}: it is not here`);
    const profile = await Deno.makeTempDir({ prefix: `eventrelay_${name.toLowerCase()}_` });
    await prepare?.(profile);
    const child = new Deno.Command(program, {
      args: args(profile),
      env: env?.(profile),
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    try {
      const { match, rest } = await inTime(readLine(child.stderr, line), `${name}'s address`);
      return new BrowserProcess(child, profile, match, rest);
    } catch (error) {
      child.kill("SIGKILL");
      await child.status;
      await removeFolder(profile);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    globalThis.removeEventListener("unload", this.#kill);
    this.#kill();
    await this.#child.status;
    await this.#rest;
    await removeFolder(this.#profile);
  }
}

/** Reads up to what matches, and then on, so that who writes is never held up. */
async function readLine(
  output: ReadableStream<Uint8Array>,
  pattern: RegExp,
): Promise<{ match: RegExpExecArray; rest: Promise<unknown> }> {
  const reader = output.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = "";;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the browser ended before it listened: ${text}`);
    text += value;
    const match = pattern.exec(text);
    if (match !== null) return { match, rest: drain(reader) };
  }
}

async function drain(reader: ReadableStreamDefaultReader<string>): Promise<void> {
  while (!(await reader.read()).done);
}

/** Removes a profile, in which a process of the browser may still be writing. */
async function removeFolder(path: string): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      return await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (attempt === 50) throw error;
      await pause(100);
    }
  }
}
