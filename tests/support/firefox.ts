// Drives a real Firefox over WebDriver BiDi, for tests of what has to hold in another browser, too. It can do
// less than the driver of Chromium (browser.ts), on purpose: what is the same in all browsers is tested
// there.

import { BrowserProcess } from "./browser_process.ts";
import { BrowserSocket, type Params, untilSeen } from "./browser_socket.ts";
import { findProgram, testWith } from "./needed_program.ts";

const PROGRAMS = ["firefox-esr", "firefox"];

/** What a profile for tests must not do: ask, update, or speak to anybody. */
const PREFERENCES = {
  "app.update.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "",
  "toolkit.telemetry.enabled": false,
};

/** Writes them down for a new profile. */
function writePreferences(profile: string): Promise<void> {
  const lines = Object.entries(PREFERENCES).map(([name, value]) =>
    `user_pref("${name}", ${JSON.stringify(value)});\n`
  );
  return Deno.writeTextFile(`${profile}/user.js`, lines.join(""));
}

/**
 * The Firefox of this machine, also that named by the environment's FIREFOX; `undefined` if there is none.
 */
export function findFirefox(): string | undefined {
  return findProgram(PROGRAMS, Deno.env.get("FIREFOX"));
}

/**
 * Registers a test that needs Firefox, and gives it one that is closed when the test ends, however it ends.
 */
export function testInFirefox(
  name: string,
  fn: (firefox: Firefox, t: Deno.TestContext) => Promise<void>,
): void {
  testWith(findFirefox(), "firefox", name, async (t) => {
    await using firefox = await Firefox.launch();
    await fn(firefox, t);
  });
}

/** A Firefox with one tab and a profile of its own; `await using` ends it and removes its files. */
export class Firefox implements AsyncDisposable {
  readonly #process: BrowserProcess;
  readonly #socket: BrowserSocket;
  #context = "";
  /** What pages wrote to the console as warnings and errors, and what they did not catch. */
  readonly errors: string[] = [];

  private constructor(process: BrowserProcess, socket: BrowserSocket) {
    this.#process = process;
    this.#socket = socket;
    socket.onEvent = (_, { level, text }) => {
      if (level === "error" || level === "warn") this.errors.push(text);
    };
  }

  /** Starts it. */
  static async launch(): Promise<Firefox> {
    const process = await BrowserProcess.start({
      name: "Firefox",
      program: findFirefox(),
      args: (
        profile,
      ) => ["--headless", "--no-remote", "--remote-debugging-port=0", "--profile", profile, "about:blank"],
      env: (profile) => ({ HOME: profile }), // it writes into its home, whatever its profile is
      prepare: writePreferences,
      line: /WebDriver BiDi listening on (ws:\/\/\S+)/,
    });
    try {
      const firefox = new Firefox(process, await BrowserSocket.open(`${process.match[1]}/session`));
      await firefox.send("session.new", { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
      await firefox.send("session.subscribe", { events: ["log.entryAdded"] });
      const { contexts } = await firefox.send("browsingContext.getTree");
      firefox.#context = contexts[0].context;
      return firefox;
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Calls a method of the protocol: https://www.w3.org/TR/webdriver-bidi/ */
  send(method: string, params: Params = {}): Promise<Params> {
    return this.#socket.send(method, params);
  }

  /** Goes to an address, and waits for the page's `load`. */
  async navigate(url: string): Promise<void> {
    await this.send("browsingContext.navigate", { context: this.#context, url, wait: "complete" });
  }

  /** Goes back in the tab's history. */
  async back(): Promise<void> {
    await this.send("browsingContext.traverseHistory", { context: this.#context, delta: -1 });
  }

  /**
   * Evaluates statements in the page, of which the last is `return VALUE` if one is wanted; `await` may be
   * used.
   */
  async run<T = unknown>(statements: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("script.evaluate", {
      expression: `(async () => { ${statements} })().then((value) => JSON.stringify(value) ?? "null")`,
      target: { context: this.#context },
      awaitPromise: true,
    });
    if (exceptionDetails !== undefined) throw new Error(`in the page: ${exceptionDetails.text}`);
    return JSON.parse(result.value);
  }

  /** Waits until an expression is true in the page, and returns its value. Errors in it count as not yet. */
  async until<T = unknown>(expression: string): Promise<T> {
    return await untilSeen(() => this.run<T>(`return ${expression};`), expression, this.errors);
  }

  /** Moves and presses the mouse; it stays where and as it is from one call to the next. */
  async pointer(actions: Params[]): Promise<void> {
    await this.#perform({ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions });
  }

  /** Presses and lets go of keys. */
  async keys(actions: Params[]): Promise<void> {
    await this.#perform({ type: "key", id: "keyboard", actions });
  }

  async #perform(source: Params): Promise<void> {
    await this.send("input.performActions", { context: this.#context, actions: [source] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await this.#socket.close();
  }
}
