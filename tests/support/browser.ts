// Drives a real Chromium over the DevTools protocol, for tests of what runs in pages. No library stands
// between: those switch off what is to be tested here, the throttling of hidden tabs and the back/forward
// cache. It knows nothing of relays.
//
// One browser is enough for many tests: `await using` it in one Deno.test, and make steps of it.

import { BrowserProcess } from "./browser_process.ts";
import { BrowserSocket, type Params, untilSeen } from "./browser_socket.ts";
import { findProgram, testWith } from "./needed_program.ts";
import { inTime } from "./deadline.ts";

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A lab host by its name: pages of http from there are no secure context, as those of localhost are.
  "--host-resolver-rules=MAP ifilab100 127.0.0.1",
  "--hide-scrollbars",
  "--remote-debugging-port=0",
];

/**
 * The Chromium of this machine, also that named by the environment's CHROMIUM; `undefined` if there is none.
 */
export function findChromium(): string | undefined {
  return findProgram(PROGRAMS, Deno.env.get("CHROMIUM"));
}

/**
 * Registers a test that needs Chromium, and gives it one that is closed when the test ends, however it ends.
 */
export function testInChromium(
  name: string,
  fn: (browser: Browser, t: Deno.TestContext) => Promise<void>,
  flags: readonly string[] = [],
): void {
  testWith(findChromium(), "chromium", name, async (t) => {
    await using browser = await Browser.launch(flags);
    await fn(browser, t);
  });
}

/** A Chromium with a profile of its own; `await using` ends it and removes its files. */
export class Browser implements AsyncDisposable {
  readonly #process: BrowserProcess;
  readonly #origin: string;
  readonly #pages = new Set<Page>();

  private constructor(process: BrowserProcess) {
    this.#process = process;
    this.#origin = `http://127.0.0.1:${process.match[1]}`;
  }

  /** Starts it, with flags beside those of all tests. */
  static async launch(flags: readonly string[] = []): Promise<Browser> {
    return new Browser(
      await BrowserProcess.start({
        name: "Chromium",
        program: findChromium(),
        args: (profile) => [...FLAGS, ...flags, `--user-data-dir=${profile}`, "about:blank"],
        line: /DevTools listening on ws:\/\/[^:]+:(\d+)\//,
      }),
    );
  }

  /** Opens a tab in the foreground, and a page in it if one is named. */
  async newPage(url?: string): Promise<Page> {
    const tab = await this.#ask("PUT", "/json/new?about:blank");
    const page = await Page.attach(tab.webSocketDebuggerUrl, tab.id);
    this.#pages.add(page);
    if (url !== undefined) await page.navigate(url);
    return page;
  }

  /** Puts another tab in front of all others: they are hidden, and their timers are throttled. */
  async hideAll(): Promise<void> {
    const tab = await this.#ask("PUT", "/json/new?about:blank");
    await this.#activate(tab.id);
  }

  /** Puts a page in front, as choosing its tab does. */
  async show(page: Page): Promise<void> {
    await this.#activate(page.id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const page of this.#pages) await page[Symbol.asyncDispose]();
    await this.#process[Symbol.asyncDispose]();
  }

  async #activate(id: string): Promise<void> {
    const response = await fetch(`${this.#origin}/json/activate/${id}`);
    await response.body?.cancel();
  }

  async #ask(method: string, path: string): Promise<Params> {
    const response = await fetch(this.#origin + path, { method });
    return await response.json();
  }
}

/** One tab, and what went wrong in it. */
export class Page implements AsyncDisposable {
  readonly #socket: BrowserSocket;
  readonly #listeners = new Map<string, Set<(params: Params) => void>>();
  /** How DevTools names the tab. */
  readonly id: string;
  /** What the page wrote to its console: `"log: …"`, `"warning: …"`, `"error: …"`. */
  readonly console: string[] = [];
  /**
   * Errors: uncaught ones, those written to the console, and the browser's own (refused by a policy, not
   * found).
   */
  readonly errors: string[] = [];
  /** The address of every request, that of the page itself included, but not WebSockets. */
  readonly requests: string[] = [];
  /** The address of every WebSocket. */
  readonly sockets: string[] = [];

  private constructor(socket: BrowserSocket, id: string) {
    this.#socket = socket;
    this.id = id;
    socket.onEvent = (event, params) => {
      for (const listener of this.#listeners.get(event) ?? []) listener(params);
    };
    this.#listen();
  }

  /** Attaches to a tab. */
  static async attach(url: string, id: string): Promise<Page> {
    const page = new Page(await BrowserSocket.open(url), id);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.send(`${domain}.enable`);
    return page;
  }

  /** Calls a method of the protocol: https://chromedevtools.github.io/devtools-protocol/ */
  send(method: string, params: Params = {}): Promise<Params> {
    return this.#socket.send(method, params);
  }

  /** Calls back for each event of the protocol; returns a function that ends it. */
  on(event: string, listener: (params: Params) => void): () => void {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    const listeners = this.#listeners.get(event)!;
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Waits for an event of the protocol. Ask before doing what brings it. */
  next(event: string, isIt: (params: Params) => boolean = () => true): Promise<Params> {
    const { promise, resolve } = Promise.withResolvers<Params>();
    const stop = this.on(event, (params) => {
      if (!isIt(params)) return;
      stop();
      resolve(params);
    });
    return inTime(promise, event).finally(stop);
  }

  /**
   * Goes to an address, and waits for the page's `load`. What its modules do may end later: see `until()`.
   */
  async navigate(url: string): Promise<void> {
    const loaded = this.next("Page.loadEventFired");
    loaded.catch(() => {});
    const { errorText } = await this.send("Page.navigate", { url });
    if (errorText !== undefined) throw new Error(`Cannot go to ${url}: ${errorText}`);
    await loaded;
  }

  /** Goes back in the tab's history; without reloading if the page was kept in the back/forward cache. */
  async back(): Promise<void> {
    const { currentIndex, entries } = await this.send("Page.getNavigationHistory");
    const shown = this.next("Page.frameNavigated", ({ frame }) => frame.parentId === undefined);
    await this.send("Page.navigateToHistoryEntry", { entryId: entries[currentIndex - 1].id });
    await shown;
  }

  /**
   * Evaluates an expression in the page, waits for it if it is a promise, and returns its value as JSON can
   * hold it. `await` may be used at the top. What the page throws is thrown here.
   */
  async evaluate<T = unknown>(expression: string): Promise<T> {
    const answer = await this.send("Runtime.evaluate", { expression, replMode: true, userGesture: true });
    const { objectId, subtype } = answer.result;
    if (objectId === undefined || answer.exceptionDetails !== undefined) return valueOf(answer) as T;
    return valueOf(
      subtype === "promise"
        ? await this.send("Runtime.awaitPromise", { promiseObjectId: objectId, returnByValue: true })
        : await this.send("Runtime.callFunctionOn", {
          objectId,
          functionDeclaration: "function () { return this; }",
          returnByValue: true,
        }),
    ) as T;
  }

  /** Waits until an expression is true in the page, and returns its value. Errors in it count as not yet. */
  async until<T = unknown>(expression: string, what = expression): Promise<T> {
    return await untilSeen(() => this.evaluate<T>(expression), what, this.errors);
  }

  /** Sets the size of the window, in CSS pixels, and whether the person likes it dark. */
  async look(
    size: { width: number; height: number; isDark?: boolean; isMobile?: boolean; scale?: number },
  ): Promise<void> {
    const { width, height, isDark = false, isMobile = false, scale = 1 } = size;
    await this.send("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: scale,
      mobile: isMobile,
    });
    await this.send("Emulation.setTouchEmulationEnabled", { enabled: isMobile });
    const features = [{ name: "prefers-color-scheme", value: isDark ? "dark" : "light" }];
    await this.send("Emulation.setEmulatedMedia", { features });
  }

  /** Takes a picture of what is to be seen, as PNG, and writes it to a file if one is named. */
  async screenshot(path?: string): Promise<Uint8Array> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    if (path !== undefined) await Deno.writeFile(path, bytes);
    return bytes;
  }

  /**
   * Stops the page's timers, callbacks and messages, as a browser does with tabs long hidden; or lets it go
   * on.
   */
  async freeze(isFrozen = true): Promise<void> {
    await this.send("Page.setWebLifecycleState", { state: isFrozen ? "frozen" : "active" });
  }

  /** Takes the network away, or gives it back: `navigator.onLine` and its events, and new connections. */
  async offline(isOffline = true): Promise<void> {
    await this.send("Network.emulateNetworkConditions", {
      offline: isOffline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
    });
  }

  /** Presses and releases a key, named as KeyboardEvent.key does: "a", "ArrowLeft", "Tab", "Enter". */
  async press(key: string): Promise<void> {
    const text = key.length === 1 ? key : key === "Enter" ? "\r" : undefined;
    const code = key.length === 1 ? `Key${key.toUpperCase()}` : key;
    const windowsVirtualKeyCode = KEY_CODES[key] ?? key.toUpperCase().charCodeAt(0);
    const event = { key, code, windowsVirtualKeyCode };
    await this.send("Input.dispatchKeyEvent", {
      type: text === undefined ? "rawKeyDown" : "keyDown",
      text,
      ...event,
    });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** Types a text into what has the focus. */
  async type(text: string): Promise<void> {
    await this.send("Input.insertText", { text });
  }

  /** Closes the tab. May be called again. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.isOpen) await this.send("Page.close").catch(() => {}); // it may end before it answers
    await this.#socket.close();
  }

  #listen(): void {
    this.on(
      "Runtime.exceptionThrown",
      ({ exceptionDetails }) => this.errors.push(describe(exceptionDetails)),
    );
    this.on("Runtime.consoleAPICalled", ({ type, args }) => {
      const text = args.map(({ value, description }: Params) => value ?? description ?? "").join(" ");
      this.console.push(`${type}: ${text}`);
      if (type === "error" || type === "assert") this.errors.push(text);
    });
    this.on("Log.entryAdded", ({ entry }) => {
      if (entry.level === "error") this.errors.push(`${entry.text} (${entry.url ?? ""})`);
    });
    this.on("Network.requestWillBeSent", ({ request }) => this.requests.push(request.url));
    this.on("Network.webSocketCreated", ({ url }) => this.sockets.push(url));
  }
}

const KEY_CODES: Readonly<Record<string, number>> = {
  Backspace: 8,
  Tab: 9,
  Enter: 13,
  Escape: 27,
  " ": 32,
  ArrowLeft: 37,
  ArrowUp: 38,
  ArrowRight: 39,
  ArrowDown: 40,
};

function valueOf({ result, exceptionDetails }: Params): unknown {
  if (exceptionDetails !== undefined) throw new Error(`in the page: ${describe(exceptionDetails)}`);
  return result.value;
}

function describe({ text, exception }: Params): string {
  return exception?.description ??
    (exception === undefined ? text : `${text} ${JSON.stringify(exception.value)}`);
}
