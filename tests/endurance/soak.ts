// A class that plays for hours: clients of client.ts with ten objects each, ten times a second, while members
// come and go, connections are cut and the relay is killed. Prints a line every ten seconds, and fails when
// something is missing that nobody was told of, or memory grows.

import { connect, type Relay } from "../../client.ts";
import { mixSeed, type Random } from "../../bench/motion/random.ts";
import { seededRandom } from "../../src/simulation/random.ts";
import type { TransportKind } from "../support/websocket_conn.ts";
import { anySeed, flagsOrExit } from "./flags.ts";
import { growth, type Sample } from "./growth.ts";
import { RelayProcess } from "./relay_process.ts";
import { type Cut, RoughProxy } from "./rough_proxy.ts";
import { type Counts, Tally } from "./tally.ts";
import { pause } from "../support/pause.ts";

const HELP =
  `deno task soak: lets a class play, and checks that nothing is missing untold and that memory does not grow

USAGE: deno task soak [--minutes N] [options]

  --minutes N       how long (10)
  --kill-every N    minutes between kill -9 of the relay; 0 never (1)
  --cut-every N     seconds between cuts of a connection; 0 never (5)
  --clients N       members that stay (30); one more joins, and one leaves, every second
  --websocket N     per cent of the members that come by WebSocket, the others by TCP (50)
  --max-growth N    per cent by which the median memory, of the relay's process or of what this program holds
                    after a collection, may be higher in the last third than in the second; less than 8 MiB, or
                    a run under 3 minutes, is none (10)
  --seed S          of the cuts (another one each time; it is printed)
  --help

Prints received events, those missing and told, and those doubled and unreported, which have to stay 0.
Exit code: 0, or 1 if something was doubled, out of order or unreported, or the end was wrong, or memory grew,
or 2 for wrong options.`;

const OBJECTS = 10;
const TICK_MS = 100;
const REPORT_MS = 10_000;
const PROXIED = 4;
const GUESTS = 3;
/** After so many more guests one is forgotten. */
const FORGET_GUESTS = 60;
/** Time for everybody to be back, and to hear of each other, before and after the last event. */
const RECOVERY_MS = 8000;
const LAST_WORDS_MS = 3000;

/** What is to be done. */
export interface SoakOptions {
  minutes: number;
  killEveryMinutes: number;
  cutEverySeconds: number;
  clients: number;
  websocketPercent: number;
  maxGrowthPercent: number;
  seed: number;
  say(line: string): void;
}

/** What happens on the wire of a soak. */
interface Move {
  from: string;
  number: number;
  /** How many events its sender knows to have lost. */
  forgone: number;
  object: number;
  pos: [number, number];
}

/** A member with its objects, and what it has counted. */
class Player {
  readonly name: string;
  readonly tally = new Tally();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly relay: Relay<Move>;
  number = 0;
  forgone = 0;
  beats = 0;
  isSending = true;

  private constructor(name: string, relay: Relay<Move>) {
    this.name = name;
    this.relay = relay;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  static async join(name: string, port: number, transport: TransportKind): Promise<Player> {
    const scheme = transport === "websocket" ? "ws://" : "";
    // Nothing is told before the program has the relay object.
    const relay = await connect<Move>(`${scheme}127.0.0.1:${port}/soak`, {
      name,
      retry: true,
      inboxLimit: 1_000_000,
      onStatus: () => {}, // connections are cut on purpose
      onLost: (lost) => player.#onLost(lost),
    });
    const player = new Player(name, relay);
    return player;
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer);
    await this.relay.close();
  }

  say(): void {
    for (let object = 0; object < OBJECTS; object++) {
      const number = ++this.number;
      const pos: [number, number] = [Math.round(1e4 * Math.sin(number)) / 1e4, number];
      this.relay.send({ from: this.name, number, forgone: this.forgone, object, pos });
    }
  }

  #tick(): void {
    this.drain();
    if (!this.isSending) return;
    this.say();
    if (++this.beats % 10 === 0) this.relay.set("beats", this.beats);
  }

  drain(): void {
    for (const { from, number, forgone } of this.relay.drain()) this.tally.note(from, number, forgone);
  }

  #onLost({ reason, lines }: { reason: string; lines: number }): void {
    this.drain(); // what is in the inbox came before
    if (reason === "unconfirmed") {
      this.tally.restart();
      this.forgone += lines;
    } else if (["behind", "stale", "inbox"].includes(reason)) this.tally.tell(lines);
    else this.forgone += lines;
  }
}

/** Runs it, and returns what did not hold. */
export async function runSoak(options: SoakOptions): Promise<string[]> {
  const {
    minutes,
    killEveryMinutes,
    cutEverySeconds,
    clients,
    websocketPercent,
    maxGrowthPercent,
    seed,
    say,
  } = options;
  const random = seededRandom(mixSeed(seed, 3));
  const faults: string[] = [];
  await using relay = await new RelayProcess().start();
  const proxies: RoughProxy[] = [];
  const players: Player[] = [];
  const guests: Player[] = [];
  const gone: string[] = [];
  const jobs: Promise<unknown>[] = [];
  const timers: ReturnType<typeof setInterval>[] = [];
  for (let i = 0; i < clients; i++) {
    if (i < PROXIED) proxies.push(await RoughProxy.listen(relay.port));
    const port = proxies[i]?.port ?? relay.port;
    players.push(await Player.join(`player ${i}`, port, transportOf(i, websocketPercent)));
  }
  const startMs = performance.now();
  let lives = 1, cuts = 0, guestCount = 0, bornMs = startMs;
  const relaySamples: Sample[] = [], ownSamples: Sample[] = [];
  const report = () => {
    const atS = (performance.now() - startMs) / 1000;
    const ageS = (performance.now() - bornMs) / 1000;
    const [mib, heldMib] = [relay.rssMib, measureHeld()];
    if (mib !== undefined) relaySamples.push({ atS, mib });
    if (heldMib !== undefined) ownSamples.push({ atS, mib: heldMib });
    const { received, missing, told, doubled, reordered, unreported } = total(players);
    const rss = `rss ${mib?.toFixed(0) ?? "-"} MiB (relay ${lives}, ${ageS.toFixed(0)} s old)`;
    const ownMib = Deno.memoryUsage().rss / 1024 ** 2;
    const here = `here ${ownMib.toFixed(0)} MiB, holds ${heldMib?.toFixed(0) ?? "-"}`;
    const counts = `received ${received}  missing ${missing}  told ${told}  doubled ${doubled + reordered}`;
    say(
      `${
        atS.toFixed(0).padStart(5)
      } s  ${rss}  ${here}  ${counts}  unreported ${unreported}  cuts ${cuts}  guests ${guestCount}`,
    );
  };
  timers.push(setInterval(report, REPORT_MS));
  timers.push(setInterval(() => {
    jobs.push((async () => {
      const transport = transportOf(++guestCount, websocketPercent);
      guests.push(await Player.join(`guest ${guestCount}`, relay.port, transport));
      if (guests.length <= GUESTS) return;
      const guest = guests.shift()!;
      await guest.leave();
      gone.push(guest.name);
      // By now nothing of those who left long ago is on its way.
      if (gone.length <= FORGET_GUESTS) return;
      const name = gone.shift()!;
      for (const { tally } of players) tally.retire(name);
    })());
  }, 1000));
  if (cutEverySeconds > 0 && proxies.length > 0) {
    timers.push(setInterval(() => {
      cuts++;
      cutOne(proxies, random);
    }, cutEverySeconds * 1000));
  }
  let restarting: Promise<void> | undefined;
  if (killEveryMinutes > 0) {
    timers.push(setInterval(() => {
      restarting = (async () => {
        await relay.kill();
        await relay.start();
        lives++;
        bornMs = performance.now();
      })();
    }, killEveryMinutes * 60_000));
  }
  await pause(minutes * 60_000);
  for (const timer of timers) clearInterval(timer);
  await restarting;
  await Promise.all(jobs);
  await Promise.all(guests.map((guest) => guest.leave()));
  await pause(RECOVERY_MS);
  for (const player of players) {
    player.isSending = false;
    player.say();
    player.relay.set("beats", player.beats);
  }
  await pause(LAST_WORDS_MS);
  report();
  for (const player of players) {
    for (const { name, number, forgone } of players) {
      if (name !== player.name) player.tally.finish(name, number, forgone);
    }
  }
  const { doubled, reordered, unreported } = total(players);
  if (doubled > 0) faults.push(`${doubled} events were received twice`);
  if (reordered > 0) faults.push(`${reordered} events came out of order`);
  if (unreported > 0) faults.push(`${unreported} events are missing and nobody was told`);
  faults.push(...wrongEnds(players), ...relay.alarms.map((alarm) => `the relay said ${alarm}`));
  for (const [whose, samples] of [["the relay", relaySamples], ["this program", ownSamples]] as const) {
    const share = growth(samples);
    say(
      `memory of ${whose}: ${
        share === undefined
          ? "too short a run to tell, or not to be measured"
          : `grew by ${(share * 100).toFixed(1)} %`
      }`,
    );
    if (share !== undefined && share * 100 > maxGrowthPercent) {
      faults.push(`the memory of ${whose} grew by ${(share * 100).toFixed(1)} %`);
    }
  }
  await Promise.all(players.map((player) => player.leave()));
  for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  return faults;
}

/**
 * What this program holds, in MiB, once its garbage is gone: V8 lets a heap that is filled so fast grow to
 * four times what is in use, over many minutes. Undefined where it can't be asked to collect.
 */
function measureHeld(): number | undefined {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) return undefined;
  gc();
  const { heapUsed, external } = Deno.memoryUsage();
  return (heapUsed + external) / 1024 ** 2;
}

/** By what the how many-th member comes, so that the shares are right among any few in a row. */
function transportOf(index: number, websocketPercent: number): TransportKind {
  const share = websocketPercent / 100;
  return Math.floor((index + 1) * share) > Math.floor(index * share) ? "websocket" : "tcp";
}

function cutOne(proxies: RoughProxy[], random: Random): void {
  const how = (["fin", "rst", "half"] satisfies Cut[])[Math.floor(random() * 3)];
  proxies[Math.floor(random() * proxies.length)].cut(how, Math.floor(random() * 2000));
}

function total(players: readonly Player[]): Counts {
  const sum = { received: 0, missing: 0, told: 0, unreported: 0, doubled: 0, reordered: 0 };
  for (const { tally } of players) {
    const counts = tally.counts;
    for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += counts[key];
  }
  return sum;
}

/** At the end all are connected, and know each other and their last values, and nobody else. */
function wrongEnds(players: readonly Player[]): string[] {
  const faults: string[] = [];
  for (const { name, relay } of players) {
    if (relay.status !== "connected") faults.push(`${name} is ${relay.status}`);
    const others = players.filter((other) => other.name !== name);
    for (const other of others) {
      const beats = relay.peers.get(other.relay.id)?.state.beats;
      if (beats !== other.beats) {
        faults.push(`${name} has ${beats} as beats of ${other.name}, ${other.beats} is right`);
      }
    }
    const ghosts = relay.peers.size - others.length;
    if (ghosts > 0) faults.push(`${name} has ${ghosts} ghosts in its peers`);
  }
  return faults;
}

if (import.meta.main) {
  const flags = flagsOrExit("soak", HELP, {
    minutes: { value: 10, least: 0.1, most: 10_000 },
    "kill-every": { value: 1, least: 0, most: 10_000 },
    "cut-every": { value: 5, least: 0, most: 10_000 },
    clients: { value: 30, least: 2, most: 1000, isWhole: true },
    websocket: { value: 50, least: 0, most: 100 },
    "max-growth": { value: 10, least: 0, most: 1000 },
    seed: anySeed(),
  });
  console.log(`seed ${flags.seed}`);
  const faults = await runSoak({
    minutes: flags.minutes,
    killEveryMinutes: flags["kill-every"],
    cutEverySeconds: flags["cut-every"],
    clients: flags.clients,
    websocketPercent: flags.websocket,
    maxGrowthPercent: flags["max-growth"],
    seed: flags.seed,
    say: (line) => console.log(line),
  });
  for (const fault of faults.slice(0, 20)) console.log(`FAULT ${fault}`);
  console.log(
    faults.length === 0 ? "nothing was missing untold" : `${faults.length} faults, seed ${flags.seed}`,
  );
  Deno.exit(faults.length === 0 ? 0 : 1);
}
