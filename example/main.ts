// The example: a terminal full of bouncing balls, ours and everybody else's. This file is the program: it
// joins relay, world and view, and is the one that exits. Start reading at `play`, the game's loop; the flags
// and the help are in options.ts.

import { frames, rateLimit } from "../client.ts";
import { parseSimulation, seededRandom } from "../motion.ts";
import { variable } from "./environment.ts";
import { Golden } from "./golden.ts";
import { Link } from "./link.ts";
import { Output } from "./output.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { Recorder } from "./recorder.ts";
import { gameScene, splitScene } from "./scenes.ts";
import { Split } from "./split.ts";
import { Rates } from "./status.ts";
import { type Ending, HUNG_UP, onEveryEnd, Terminal } from "./terminal.ts";
import { linesView, pictureView, type Scene } from "./views.ts";
import { World, type WorldOptions } from "./world.ts";

/** A second signal, or an error while it ends, leaves so much time to give the terminal back. */
const SECOND_END_MS = 50;
/** How long the end waits until its error is printed: the terminal may take nothing. */
const LAST_WORD_MS = 500;

/** The game: its loop, and the scene that shows it. */
interface Game {
  scene: Scene;
  play(show: (isNewSecond: boolean) => void): Promise<void>;
}

/** The game with everybody on the relay; plays until `signal` is aborted. */
function sharedGame(options: Options, link: Link, signal: AbortSignal): Game {
  const world = new World({ ...worldOptions(options), clock: options.plain ? "sender" : "shared" });
  const due = rateLimit(options.hz);
  const golden = new Golden();
  const rates = new Rates(performance.now());

  async function play(show: (isNewSecond: boolean) => void): Promise<void> {
    using recorder = options.record === undefined ? undefined : new Recorder(options.record);
    for await (const seconds of frames(options.fps, { signal })) {
      const { relay } = link; // none before the first connection: the balls bounce all the same
      const nowMs = link.now();
      world.members = link.members;
      for (const event of relay?.drain() ?? []) world.receive(event, nowMs);
      world.step(seconds, nowMs);
      if (link.isUp && link.room !== undefined) golden.step(link.room, world.local, nowMs);
      if (link.isUp && due()) {
        for (const ball of world.local) relay?.send(ball.toEvent(link.stamp(nowMs)));
      }
      link.tellRtt();
      recorder?.note(world.local, performance.now());
      show(rates.frame(relay?.stats ?? { received: 0, sent: 0 }, performance.now()));
    }
  }
  return { scene: gameScene(world, link, rates), play };
}

/** The game with itself over a simulated network; plays until `signal` is aborted. */
function splitGame(options: Options, signal: AbortSignal): Game {
  const { hz, network } = options;
  const split = new Split(
    { ...worldOptions(options), hz, network: parseSimulation(network) },
    performance.now(),
  );
  const rates = new Rates(performance.now());

  async function play(show: (isNewSecond: boolean) => void): Promise<void> {
    for await (const seconds of frames(options.fps, { signal })) {
      split.step(seconds, performance.now());
      show(rates.frame(split, performance.now()));
    }
  }
  return { scene: splitScene(split, network, rates), play };
}

function worldOptions({ name, balls, drawing, seed }: Options): WorldOptions {
  return {
    // Two players of one name must not move each other's balls.
    prefix: `${name}-${crypto.randomUUID().slice(0, 6)}`,
    balls,
    drawing,
    random: seed === undefined ? undefined : seededRandom(seed),
  };
}

/** Runs the program; returns how it ended. */
async function main(options: Options): Promise<Ending> {
  const aborter = new AbortController();
  let ending: Ending | undefined;
  const stop = (end: Ending) => {
    // A terminal that is gone is told twice, by a signal and by the end of the input: nobody asks again.
    if (ending?.exitCode === HUNG_UP && end.exitCode === HUNG_UP) return;
    // Somebody has asked before, and waits: what is still open is left as it is.
    if (ending && end.exitCode > 0) setTimeout(() => Deno.exit(end.exitCode), SECOND_END_MS);
    ending ??= end;
    aborter.abort();
  };
  onEveryEnd(stop);
  if (options.seconds < Infinity) setTimeout(() => stop({ exitCode: 0 }), options.seconds * 1000);

  const giveUp = (error: Error) => {
    const isBadWish = error instanceof TypeError || error instanceof RangeError;
    stop({ exitCode: isBadWish ? 2 : 1, error: error.message });
  };
  const link = options.split ? undefined : new Link(options, aborter.signal, giveUp);
  // What can't ever work, a target that is none or a missing permission, comes out before the terminal is
  // taken.
  await new Promise((resolve) => setTimeout(resolve));
  if (ending) return ending;
  const { scene, play } = link === undefined
    ? splitGame(options, aborter.signal)
    : sharedGame(options, link, aborter.signal);
  const view = Terminal.available ? pictureView(scene, stop) : linesView(scene, stop);
  try {
    await play(view.show);
  } catch (error) {
    stop({ exitCode: 1, error });
  }
  // The terminal first: whatever takes long or fails after this is seen on a terminal that works.
  await view.close();
  await link?.relay?.close();
  return ending!;
}

/** Prints why the program ends, if stderr takes it. */
async function printError(error: unknown): Promise<void> {
  const output = new Output(Deno.stderr);
  const isCoded = Deno.stderr.isTerminal() && !Deno.noColor;
  const text = typeof error === "string" ? `example: ${error}` : Deno.inspect(error, { colors: isCoded });
  void output.write(`${text}\n`);
  await output.settled(LAST_WORD_MS);
}

function readOptions(): Options {
  try {
    const options = parseOptions(Deno.args);
    options.token ??= variable("EVENTRELAY_TOKEN"); // the command line shows it to all on this machine
    return options;
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
  if (error !== undefined) await printError(error);
  // A read that waits for the next key would keep the process alive.
  Deno.exit(exitCode);
}
