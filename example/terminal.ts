// The terminal while the game has it: raw keys in, whole frames out, and the way back. Knows nothing of balls
// or relays, and never exits the process: whatever ends the game calls `stop`, and whoever opened the
// terminal closes it.

import { variable } from "./environment.ts";
import { KeyDecoder } from "./keys.ts";
import { Output } from "./output.ts";

/** Other screen, no cursor, no wrapping at the right edge (so that the last cell of a row can be written). */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";

/**
 * Undoes {@linkcode ENTER}, and any colour. Cleared first: tmux brings back what was there if the size has
 * changed.
 */
const LEAVE = "\x1b[0m\x1b[2J\x1b[?7h\x1b[?25h\x1b[?1049l";

/** How long closing waits for a terminal that takes no bytes, in milliseconds. */
const LAST_WRITE_MS = 500;

/** What raw mode makes of Ctrl-C and Ctrl-Z. */
const CTRL_C = "\x03";
const CTRL_Z = "\x1a";

/** The size taken where the terminal doesn't know its own. */
const FALLBACK_SIZE = { cols: 80, rows: 24 };

/** Signals that end a program, by the number a shell reports them with (128 + number). */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

/**
 * The exit code of a program whose terminal is gone, whether the signal or the end of the input tells it
 * first.
 */
export const HUNG_UP = 128 + SIGNALS.SIGHUP;

/** Why the game ends: the exit code, and the error if it was one. */
export interface Ending {
  exitCode: number;
  error?: unknown;
}

/**
 * Calls `stop` for everything that would end the process from outside of the game's own loop: a signal (128 +
 * its number), an exception in a callback, a promise rejected with nobody to catch it (1, with the error).
 */
export function onEveryEnd(stop: (ending: Ending) => void): void {
  for (const [name, number] of Object.entries(SIGNALS)) {
    onSignal(name as Deno.Signal, () => stop({ exitCode: 128 + number }));
  }
  addEventListener("error", (event) => {
    event.preventDefault();
    stop({ exitCode: 1, error: event.error });
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    stop({ exitCode: 1, error: event.reason });
  });
}

function onSignal(signal: Deno.Signal, listener: () => void): void {
  try {
    Deno.addSignalListener(signal, listener);
  } catch {
    // Windows has not all of them.
  }
}

/**
 * Whether Ctrl-Z stops the program: not under `deno task`, which does not stop with it, so that the terminal
 * would have neither the game nor a shell.
 */
const MAY_STOP = variable("INIT_CWD") === undefined;

/** What a terminal tells whoever has taken it. */
export interface TerminalEvents {
  /** A key was pressed: one character. */
  onKey(key: string): void;
  /** Ctrl-C was pressed. */
  onQuit(): void;
  /** The terminal is gone: its input has ended, which in raw mode no key can do. */
  onHangUp(): void;
  /** The terminal was given back for a while and taken again: it is blank. */
  onTakenAgain(): void;
}

/**
 * The terminal on stdin and stdout, taken over until it is closed. While the program is stopped (SIGTSTP, or
 * Ctrl-Z where that may be) it is given back, and taken again when the program goes on (SIGCONT).
 */
export class Terminal implements AsyncDisposable {
  readonly #events: TerminalEvents;
  readonly #output = new Output(Deno.stdout);
  /** Whether it is ours now: raw mode, the other screen. */
  #isTaken = false;
  #changing: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(events: TerminalEvents) {
    this.#events = events;
  }

  /** Says whether there is a terminal to take: stdin and stdout must be one, on which can be drawn. */
  static get available(): boolean {
    return Deno.stdin.isTerminal() && Deno.stdout.isTerminal() && variable("TERM") !== "dumb";
  }

  /**
   * Takes the terminal: raw mode and the other screen. The read that waits for the next key, and the signals
   * that are listened to, keep the process alive until `Deno.exit`.
   */
  static open(events: TerminalEvents): Terminal {
    const terminal = new Terminal(events);
    terminal.#take();
    onSignal("SIGTSTP", () => terminal.#suspend());
    onSignal("SIGCONT", () => terminal.#goOn());
    void terminal.#readKeys();
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

  /**
   * Says whether a frame can't be written now, and is to be left out: the last one is under way, or the
   * terminal is not ours.
   */
  get busy(): boolean {
    return this.#output.busy || !this.#isTaken;
  }

  /**
   * Begins to write `text`, and returns at once; not to be called while {@linkcode busy}. After close nothing
   * is written.
   */
  write(text: string): void {
    if (text === "" || this.#closing) return;
    if (this.busy) {
      throw new Error("Cannot write to the terminal: the last write is under way, busy must be false");
    }
    void this.#output.write(text);
  }

  /**
   * Gives the terminal back as it was, within a second even if it takes no bytes. May be called more than
   * once.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#changing.then(() => this.#giveBack());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(): void {
    Deno.stdin.setRaw(true);
    this.#isTaken = true;
    void this.#output.write(ENTER);
  }

  async #giveBack(): Promise<void> {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    // The rest of a frame after the way back would litter the shell.
    await this.#output.settled(LAST_WRITE_MS);
    void this.#output.write(LEAVE);
    // Behind a write that is stuck the change of mode would wait too, and the whole program with it.
    // Deno.exit does it without.
    if (!await this.#output.settled(LAST_WRITE_MS)) return;
    try {
      Deno.stdin.setRaw(false);
    } catch {
      // Hung up: there is nothing left to restore.
    }
  }

  /** Gives the terminal back, and stops this process as the signal would have done. */
  #suspend(): void {
    this.#changing = this.#changing.then(async () => {
      if (this.#closing) return;
      await this.#giveBack();
      try {
        Deno.kill(Deno.pid, "SIGSTOP");
      } catch {
        this.#goOn(); // Deno before 2.9 asks for a permission.
      }
    });
  }

  /** Takes the terminal again: the shell had it. */
  #goOn(): void {
    this.#changing = this.#changing.then(async () => {
      // Changing the mode behind a write that is stuck would stop the program, so a terminal that takes
      // nothing is waited for.
      while (!this.#closing && !await this.#output.settled(LAST_WRITE_MS));
      if (this.#closing) return;
      try {
        this.#take();
      } catch {
        return; // Hung up: the end of the input tells.
      }
      this.#events.onTakenAgain();
    });
  }

  async #readKeys(): Promise<void> {
    const { onKey, onQuit, onHangUp } = this.#events;
    const buffer = new Uint8Array(256);
    const decoder = new KeyDecoder();
    try {
      for (;;) {
        const size = await Deno.stdin.read(buffer);
        if (size === null) break;
        for (const key of decoder.take(buffer.subarray(0, size))) {
          if (key === CTRL_C) onQuit();
          else if (key !== CTRL_Z) onKey(key);
          else if (MAY_STOP) this.#suspend();
        }
      }
    } catch {
      // Hung up while reading.
    }
    onHangUp();
  }
}
