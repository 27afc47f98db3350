// The example: a terminal full of bouncing balls, ours and everybody else's. This file is the program: it joins
// relay, world and screen, and is the only one that prints or exits. Start reading at `play`, the game's loop; the flags
// and the help are in options.ts.

import { connect, frames, rateLimit, type Relay } from "../client.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { Screen } from "./screen.ts";
import { Rates, type Report, statusLine, statusRecord } from "./status.ts";
import { type Ending, onEveryEnd, Terminal } from "./terminal.ts";
import { seededRandom, World } from "./world.ts";

/** Where a game is seen: on the whole terminal, or as a line a second. */
interface View {
  /** Shows this frame; `isNewSecond` says that the rates in `report` are new. */
  show(world: World, report: Report, isNewSecond: boolean): void;
  close(): Promise<void>;
}

/** The relay as the game has it: from before the first connection, through every break. */
interface Link {
  relay?: Relay<unknown>;
  status: string;
  /** Where it goes, or why it does not. */
  detail: string;
}

/** The game: plays until `signal` is aborted. */
async function play(
  world: World,
  link: Link,
  view: View,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const due = rateLimit(options.hz);
  const rates = new Rates(performance.now());
  let frameCount = 0;

  for await (const seconds of frames(options.fps, { signal })) {
    const { relay } = link; // none before the first connection: the balls bounce all the same
    const nowMs = performance.now();
    for (const event of relay?.drain() ?? []) world.receive(event, nowMs);
    world.step(seconds, nowMs);
    if (due()) { for (const ball of world.local) relay?.send(ball.toEvent()); }

    const totals = {
      frames: ++frameCount,
      received: relay?.stats.received ?? 0,
      sent: relay?.stats.sent ?? 0,
    };
    const isNewSecond = rates.update(totals, nowMs);
    view.show(world, reportOf(world, link, rates), isNewSecond);
  }
}

function reportOf(world: World, { status, detail }: Link, rates: Rates): Report {
  return {
    connection: status,
    detail,
    perSecond: rates.perSecond,
    own: world.local.length,
    others: world.remoteCount,
    ignored: world.ignored,
    extrapolate: world.extrapolate,
  };
}

/** Begins to connect, and never stops trying; `giveUp` is called with what no patience mends. */
function join(target: string, signal: AbortSignal, giveUp: (error: Error) => void): Link {
  const link: Link = { status: "connecting", detail: target };
  connect(target, {
    retry: true,
    signal,
    onStatus(status, { error }) {
      link.status = status;
      link.detail = error?.message ?? target;
    },
    // By default it would be printed, into the middle of the picture.
    onError({ message }) {
      link.detail = `the relay says: ${message.replaceAll(/\p{Cc}/gu, "?")}`; // text from outside
    },
  }).then((relay) => link.relay = relay, giveUp);
  return link;
}

/** Shows the world on the whole terminal. */
function pictureView(world: World, quit: () => void): View {
  const screen = new Screen({ colour: !Deno.noColor });
  const terminal = Terminal.open(onKey, quit);

  function onKey(key: string): void {
    if (key === "q") quit();
    if (key === "e") world.extrapolate = world.extrapolate === "none" ? "speed" : "none";
  }
  return {
    show(world, report) {
      if (terminal.busy) return;
      const { size } = terminal;
      terminal.write(screen.draw(world, statusLine(report, size.cols), size));
    },
    close: () => terminal.close(),
  };
}

/** Prints a line a second to stdout, and to stderr what is wrong with the connection. */
function linesView(target: string, quit: () => void): View {
  let told = target;
  return {
    show(_world, report, isNewSecond) {
      const { connection, detail } = report;
      if (detail !== told && detail !== target) {
        console.error(`example: ${detail}${connection === "connected" ? "" : " (trying again)"}`);
      }
      told = detail;
      if (isNewSecond) print(statusRecord(report) + "\n", quit);
    },
    close: () => Promise.resolve(),
  };
}

/** Writes to stdout; `onGone` is called when nobody reads it any more, as with `| head`. */
function print(text: string, onGone: () => void): void {
  try {
    Deno.stdout.writeSync(new TextEncoder().encode(text));
  } catch {
    onGone();
  }
}

/** Runs the program; returns how it ended. */
async function main(options: Options): Promise<Ending> {
  const aborter = new AbortController();
  let ending: Ending | undefined;
  const stop = (end: Ending) => {
    ending ??= end;
    aborter.abort();
  };
  const quit = () => stop({ exitCode: 0 });
  const letEndsBe = onEveryEnd(stop);
  if (options.seconds < Infinity) setTimeout(quit, options.seconds * 1000);

  const world = new World({
    // Two players of one name must not move each other's balls.
    prefix: `${options.name}-${crypto.randomUUID().slice(0, 6)}`,
    balls: options.balls,
    extrapolate: options.extrapolate,
    random: options.seed === undefined ? undefined : seededRandom(options.seed),
  });
  const link = join(options.target, aborter.signal, (error) => {
    const isBadTarget = error instanceof TypeError || error instanceof RangeError;
    stop({ exitCode: isBadTarget ? 2 : 1, error: error.message });
  });
  // What can't ever work, a target that is none or a missing permission, comes out before the terminal is taken.
  await new Promise((resolve) => setTimeout(resolve));
  if (ending) return ending;
  const view = Terminal.available ? pictureView(world, quit) : linesView(options.target, quit);
  try {
    await play(world, link, view, options, aborter.signal);
  } catch (error) {
    stop({ exitCode: 1, error });
  }
  // The terminal first: whatever takes long or fails after this is seen on a terminal that works.
  await view.close();
  letEndsBe(); // now a second signal, or another error, ends the process at once
  await link.relay?.close();
  return ending!;
}

function readOptions(): Options {
  try {
    return parseOptions(Deno.args);
  } catch (error) {
    console.error(`example: ${(error as Error).message}. Try --help`);
    Deno.exit(2);
  }
}

if (import.meta.main) {
  const options = readOptions();
  if (options.help) {
    console.log(HELP.trimEnd());
    Deno.exit(0);
  }
  const { exitCode, error } = await main(options);
  if (error !== undefined) console.error(typeof error === "string" ? `example: ${error}` : error);
  // A read that waits for the next key would keep the process alive.
  Deno.exit(exitCode);
}
