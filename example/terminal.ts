// The terminal while the game has it: raw keys in, whole frames out, and the way back. Knows nothing of balls or
// relays, and never exits the process: whatever ends the game calls `stop`, and whoever opened the terminal closes it.
// Used by main.ts.

/** Other screen, no cursor, no wrapping at the right edge (so that the last cell of a row can be written). */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";

/** Undoes {@linkcode ENTER}, and any colour. Cleared first: tmux brings back what was there if the size has changed. */
const LEAVE = "\x1b[0m\x1b[2J\x1b[?7h\x1b[?25h\x1b[?1049l";

/** How long closing waits for a terminal that takes no bytes, in milliseconds. */
const LAST_WRITE_MS = 500;

/** What raw mode makes of Ctrl-C. */
const CTRL_C = "\x03";
const ESCAPE = "\x1b";

/** The size taken where the terminal doesn't know its own. */
const FALLBACK_SIZE = { cols: 80, rows: 24 };

/** Signals that end a program, by the number a shell reports them with (128 + number). */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

const encoder = new TextEncoder();

/** Why the game ends: the exit code, and the error if it was one. */
export interface Ending {
  exitCode: number;
  error?: unknown;
}

/**
 * Calls `stop` for everything that would end the process from outside of the game's own loop: a signal (128 + its
 * number), an exception in a callback, a promise rejected with nobody to catch it (1, with the error). Returns what undoes that.
 */
export function onEveryEnd(stop: (ending: Ending) => void): () => void {
  const undo: (() => void)[] = [];
  for (const [name, number] of Object.entries(SIGNALS)) {
    const signal = name as keyof typeof SIGNALS;
    const stopBySignal = () => stop({ exitCode: 128 + number });
    try {
      Deno.addSignalListener(signal, stopBySignal);
      undo.push(() => Deno.removeSignalListener(signal, stopBySignal));
    } catch {
      // Windows has not all of them.
    }
  }
  const stopByError = (event: ErrorEvent) => {
    event.preventDefault();
    stop({ exitCode: 1, error: event.error });
  };
  const stopByRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    stop({ exitCode: 1, error: event.reason });
  };
  addEventListener("error", stopByError);
  addEventListener("unhandledrejection", stopByRejection);
  undo.push(() => removeEventListener("error", stopByError));
  undo.push(() => removeEventListener("unhandledrejection", stopByRejection));
  return () => undo.forEach((step) => step());
}

/** The terminal on stdin and stdout, taken over until it is closed. */
export class Terminal implements AsyncDisposable {
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor() {}

  /** Says whether there is a terminal to take: both stdin and stdout must be one. */
  static get available(): boolean {
    return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  }

  /**
   * Takes the terminal: raw mode and the other screen. Each key is handed to `onKey` as one character; Ctrl-C, and
   * the end of the input, call `onQuit`. The read that waits for the next key keeps the process alive until `Deno.exit`.
   */
  static open(onKey: (key: string) => void, onQuit: () => void): Terminal {
    Deno.stdin.setRaw(true);
    const terminal = new Terminal();
    terminal.write(ENTER);
    readKeys(onKey, onQuit);
    return terminal;
  }

  /** Returns the size as it is now; cheap enough to be asked for every frame, so a resize needs no signal. */
  get size(): { cols: number; rows: number } {
    try {
      const { columns, rows } = Deno.consoleSize();
      if (columns > 0 && rows > 0) return { cols: columns, rows };
    } catch {
      // Hung up, or a terminal that has no size.
    }
    return FALLBACK_SIZE;
  }

  /** Says whether the last write is still under way: a slow link has not taken the last frame, so leave this one out. */
  get busy(): boolean {
    return this.#writing !== undefined;
  }

  /** Begins to write `text`, and returns at once; not to be called while {@linkcode busy}, or after close. */
  write(text: string): void {
    if (this.busy) {
      throw new Error("Cannot write to the terminal: the last write is under way, busy must be false");
    }
    if (text === "" || this.#closing) return;
    this.#writing = writeAll(encoder.encode(text)).finally(() => this.#writing = undefined);
  }

  /** Gives the terminal back as it was. May be called more than once. */
  close(): Promise<void> {
    return this.#closing ??= this.#restore();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #restore(): Promise<void> {
    // The rest of a frame after the way back would litter the shell.
    await settled(this.#writing, LAST_WRITE_MS);
    await settled(writeAll(encoder.encode(LEAVE)), LAST_WRITE_MS);
    try {
      Deno.stdin.setRaw(false);
    } catch {
      // Hung up: there is nothing left to restore.
    }
  }
}

/** Writes all of `bytes`. A terminal that is gone is no error here: the end comes as a signal, or as the end of input. */
async function writeAll(bytes: Uint8Array): Promise<void> {
  try {
    while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
  } catch {
    // Gone.
  }
}

async function readKeys(onKey: (key: string) => void, onQuit: () => void): Promise<void> {
  const buffer = new Uint8Array(256);
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const size = await Deno.stdin.read(buffer);
      if (size === null) break;
      const text = decoder.decode(buffer.subarray(0, size), { stream: true });
      if (text.includes(CTRL_C)) break;
      // An arrow key or a terminal's answer: letters that nobody typed.
      if (!text.startsWith(ESCAPE)) { for (const key of text) onKey(key); }
    }
  } catch {
    // Hung up while reading.
  }
  onQuit();
}

async function settled(promise: Promise<void> | undefined, withinMs: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, withinMs);
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
