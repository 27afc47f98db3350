// The example: a terminal full of bouncing balls, ours and everybody else's. This file is the program: it joins
// relay, world and view, and is the one that exits. Start reading at `play`, the game's loop; the flags and the help are
// in options.ts.

import { frames, rateLimit } from "../client.ts";
import { Link } from "./link.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { Rates, type Report } from "./status.ts";
import { type Ending, onEveryEnd, Terminal } from "./terminal.ts";
import { linesView, pictureView, type View } from "./views.ts";
import { seededRandom, World } from "./world.ts";

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
    world.members = link.members;
    for (const event of relay?.drain() ?? []) world.receive(event, nowMs);
    world.step(seconds, nowMs);
    if (link.isUp && due()) { for (const ball of world.local) relay!.send(ball.toEvent(link.stamp)); }
    link.tellRtt();

    const { received = 0, sent = 0 } = relay?.stats ?? {};
    const isNewSecond = rates.update({ frames: ++frameCount, received, sent }, nowMs);
    view.show(world, reportOf(world, link, rates), isNewSecond);
  }
}

function reportOf(world: World, { status, detail, roster }: Link, rates: Rates): Report {
  return {
    connection: status,
    detail,
    roster,
    perSecond: rates.perSecond,
    own: world.local.length,
    others: world.remoteCount,
    ignored: world.ignored,
    extrapolate: world.extrapolate,
  };
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
  const link = new Link(options, aborter.signal, (error) => {
    const isBadWish = error instanceof TypeError || error instanceof RangeError;
    stop({ exitCode: isBadWish ? 2 : 1, error: error.message });
  });
  // What can't ever work, a target that is none or a missing permission, comes out before the terminal is taken.
  await new Promise((resolve) => setTimeout(resolve));
  if (ending) return ending;
  const view = Terminal.available ? pictureView(world, quit) : linesView(link.place, quit);
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

/** Reads the token, which the command line would show to everybody on this machine, if that may be done without asking. */
function tokenFromEnvironment(): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "EVENTRELAY_TOKEN" });
  return state === "granted" ? Deno.env.get("EVENTRELAY_TOKEN") : undefined;
}

function readOptions(): Options {
  try {
    const options = parseOptions(Deno.args);
    options.token ??= tokenFromEnvironment();
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
  if (error !== undefined) console.error(typeof error === "string" ? `example: ${error}` : error);
  // A read that waits for the next key would keep the process alive.
  Deno.exit(exitCode);
}
