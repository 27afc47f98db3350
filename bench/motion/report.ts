// Runs the study and writes it down: docs/motion/report.md and the plots beside it. Everything is seeded, so
// a second run writes the same files.
//
//   deno run -A bench/motion/report.ts [--rate 10]...   (a minute for all; a rate alone prints its tables only)

import { parseArgs } from "node:util";
import { runCommand } from "../command.ts";
import { DEFAULT_NAME, GECKOS_NAME, OLD_NAME } from "./contenders.ts";
import { FRAMES_HZ, JUMP_PX } from "./measure.ts";
import { NETWORKS } from "./networks.ts";
import { PATHS } from "./paths.ts";
import { plotErrors, plotExcerpt, plotRates, plotSender } from "./plots.ts";
import {
  BOUND_NAME,
  CALM_BOUND_NAME,
  CALM_STRAIGHT_NAME,
  MAIN_RATE_HZ,
  OBJECTS,
  pooled,
  RATES_HZ,
  type Row,
  SECONDS,
  SEED,
  type SenderRow,
  senderStudy,
  STRAIGHT_NAME,
  study,
} from "./study.ts";

const FOLDER = new URL("../../docs/motion/", import.meta.url);

/** The network on which the sending side is shown. */
const SENDER_NETWORK = NETWORKS[1];

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const rule = head.map((_, i) => i === 0 ? "---" : "---:");
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const px = (value: number) => value.toFixed(2);
/** Beyond this a ratio says no more than that one of both is nearly zero. */
const MANY_TIMES = 1_000;
const times = (value: number) =>
  value > MANY_TIMES ? `> ${MANY_TIMES} x` : `${value.toFixed(value < 10 ? 1 : 0)} x`;

function find(rows: readonly Row[], path: string, network: string, name: string): Row {
  return rows.find((row) =>
    row.path === path && row.network === network && row.name === name && row.rateHz === MAIN_RATE_HZ
  )!;
}

/** The goal: the default strategy against both peers, with the bounds, by network and path. */
function goalTable(rows: readonly Row[]): string {
  const head = [
    "network, path",
    OLD_NAME,
    "geckos",
    "**default**",
    "better than old",
    "than geckos",
    "its jumps/min",
    "`interpolate`'s",
    "`history`",
    "its jumps/min",
    BOUND_NAME,
    CALM_BOUND_NAME,
    CALM_STRAIGHT_NAME,
  ];
  const lines: string[][] = [];
  for (const { name: network } of NETWORKS) {
    for (const { name: path } of PATHS) {
      const of = (name: string) => find(rows, path, network, name);
      const ours = of(DEFAULT_NAME);
      lines.push([
        `${network}, ${path}`,
        px(of(OLD_NAME).rmse),
        px(of(GECKOS_NAME).rmse),
        `**${px(ours.rmse)}**`,
        times(of(OLD_NAME).rmse / ours.rmse),
        times(of(GECKOS_NAME).rmse / ours.rmse),
        ours.jumpsPerMinute.toFixed(1),
        of("interpolate").jumpsPerMinute.toFixed(1),
        px(of("history").rmse),
        of("history").jumpsPerMinute.toFixed(1),
        px(of(BOUND_NAME).rmse),
        px(of(CALM_BOUND_NAME).rmse),
        px(of(CALM_STRAIGHT_NAME).rmse),
      ]);
    }
    const all = (name: string) => pooled(rows, network, MAIN_RATE_HZ, name);
    lines.push([
      `**${network}, all paths**`,
      px(all(OLD_NAME)),
      px(all(GECKOS_NAME)),
      `**${px(all(DEFAULT_NAME))}**`,
      times(all(OLD_NAME) / all(DEFAULT_NAME)),
      times(all(GECKOS_NAME) / all(DEFAULT_NAME)),
      "",
      "",
      px(all("history")),
      "",
      px(all(BOUND_NAME)),
      px(all(CALM_BOUND_NAME)),
      px(all(CALM_STRAIGHT_NAME)),
    ]);
  }
  return table(head, lines);
}

/** Every figure of one network and path. */
function fullTable(rows: readonly Row[]): string {
  const head = [
    "",
    "RMSE",
    "p95",
    "max",
    "RMSE then",
    "p95 then",
    "max then",
    "delay ms",
    "jumps/min",
    "restless",
    "starved",
  ];
  return table(
    head,
    rows.map((row) => [
      row.name,
      px(row.rmse),
      row.p95.toFixed(1),
      row.max.toFixed(0),
      px(row.rmseThen),
      row.p95Then.toFixed(1),
      row.maxThen.toFixed(0),
      row.delayMs.toFixed(0),
      row.jumpsPerMinute.toFixed(1),
      px(row.restless),
      `${(row.starvedShare * 100).toFixed(1)} %`,
    ]),
  );
}

function fullTables(rows: readonly Row[]): string {
  const cells = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.path}, ${row.network}`;
    cells.set(key, [...(cells.get(key) ?? []), row]);
  }
  return [...cells].map(([key, some]) => `### ${key}\n\n${fullTable(some)}`).join("\n\n");
}

function ratesTable(rows: readonly Row[]): string {
  const names = [OLD_NAME, GECKOS_NAME, DEFAULT_NAME, "interpolate", BOUND_NAME, CALM_BOUND_NAME];
  return table(
    ["network, messages/s", ...names],
    NETWORKS.flatMap(({ name: network }) =>
      RATES_HZ.map((rateHz) => [
        `${network}, ${rateHz}`,
        ...names.map((name) => px(pooled(rows, network, rateHz, name))),
      ])
    ),
  );
}

function senderTable(rows: readonly SenderRow[]): string {
  return table(
    ["path, updates", "messages/s", "RMSE", "p95", "max", "jumps/min"],
    rows.map((row) => [
      `${row.path}, ${row.name}`,
      row.messagesPerSecond.toFixed(1),
      px(row.rmse),
      row.p95.toFixed(1),
      row.max.toFixed(0),
      row.jumpsPerMinute.toFixed(1),
    ]),
  );
}

function report(rows: readonly Row[], senders: readonly SenderRow[]): string {
  const main = rows.filter(({ rateHz }) => rateHz === MAIN_RATE_HZ);
  const networks = NETWORKS.map(({ name, delayMs, jitterMs, spikeMs, spikeEveryMs }) =>
    `- **${name}**: ${delayMs} ± ${jitterMs} ms` +
    (spikeMs > 0 ? `, and nothing for ${spikeMs} ms, every ${spikeEveryMs / 1000} s on average` : "")
  );
  return `<!-- deno-fmt-ignore-file -->

# How well motion.ts draws

Made by \`deno run -A bench/motion/report.ts\`, with seed ${SEED}: a second run gives the same numbers. Lengths are pixels.

## What is measured

${OBJECTS} objects a path, each for ${
    SECONDS - 3
  } s after 3 s that are not counted, drawn ${FRAMES_HZ} times a second. Samples carry position,
velocity and time (on a shared clock, but for "sender's clock", whose sender is a day off). They are taken in by the first frame after their arrival. Everything delivers in order, as TCP does.

${PATHS.map(({ name, about }) => `- **${name}**: ${about}`).join("\n")}

${networks.join("\n")}

- **RMSE, p95, max**: distance between what a frame shows and where the object is at that moment. **then**: to where it was at
  the moment that is drawn, which is **delay** ms ago.
- **jumps**: frames in which the object moved by more than ${JUMP_PX} px further than in any frame of its true motion in the three seconds before.
- **restless**: root mean square of how much the way moved changes from frame to frame, in pixels.
- **starved**: frames for which there was nothing (geckos), which lay beyond the newest sample (interpolate) or more than \`maxExtrapolateMs\` after it (ours).
- **${OLD_NAME}**: position + velocity x time since arrival, as in the example that this one replaces. **${GECKOS_NAME}**:
  @geckos.io/snapshot-interpolation with its defaults.
- **${BOUND_NAME}**: the mean over all futures of the state at the newest sample that has arrived, hidden parts of the state and the path's laws included: walls,
  turn rates, how likely a stop is. Nothing that knows less can have a smaller RMSE. Computed from 64 futures, which makes it 0.8 % too large where chance plays a part.
- **${STRAIGHT_NAME}**: position + velocity x true age of the newest sample: the best that can be said of a ball by whoever doesn't know its walls.
- **no jumps**: the same, followed as fast as a frame may move without being a jump.

## The default strategy against both peers, ${MAIN_RATE_HZ} updates a second

${goalTable(main)}

"All paths" is the root of the mean square over the four paths.

![RMSE by path and network](errors.svg)

READING

![a ball on Wi-Fi](ball-wifi.svg)

![a player on a mobile network](player-mobile.svg)

## More and fewer updates

RMSE over all paths.

${ratesTable(rows)}

![RMSE over the rate](rates.svg)

## Sending only when it is due

\`Sender\` beside fixed rates: the default strategy with \`maxExtrapolateMs: 1200\`, network ${SENDER_NETWORK.name}, the sender's loop at ${FRAMES_HZ} Hz.

${senderTable(senders)}

![RMSE over messages a second](sender.svg)

## Everything, ${MAIN_RATE_HZ} updates a second

${fullTables(main)}
`;
}

/** What the numbers say, kept beside the code that makes them, so that it is read again when they change. */
const READING = await Deno.readTextFile(new URL("./reading.md", import.meta.url));

const HELP = `bench/motion/report.ts: measures how near to the truth motion.ts draws, and what else there is

USAGE: deno task bench:motion [options]      (a minute; writes docs/motion/report.md and its plots)

  --rate HZ    print the tables of this many updates a second, write nothing; several times for several
  --help`;

/** Reads the rates to print, none for the whole report. */
function readOptions(args: string[]): { rates: number[] } | null {
  const { values } = parseArgs({
    args,
    options: { rate: { type: "string", multiple: true }, help: { type: "boolean", short: "h" } },
    strict: true,
  });
  if (values.help) return null;
  const wrong = values.rate?.find((text) => !(Number(text) > 0 && Number(text) <= FRAMES_HZ));
  if (wrong !== undefined) {
    throw new RangeError(`Cannot use --rate ${JSON.stringify(wrong)}: a number above 0, up to ${FRAMES_HZ}`);
  }
  return { rates: values.rate?.map(Number) ?? [] };
}

async function run({ rates }: { rates: number[] }): Promise<number> {
  if (rates.length > 0) return console.log(fullTables(await study(rates))), 0;
  const rows = await study();
  const senders = senderStudy(SENDER_NETWORK);
  const files: Record<string, string> = {
    "report.md": report(rows, senders).replace("READING", READING.trim()),
    "errors.svg": await plotErrors(rows),
    "rates.svg": await plotRates(rows),
    "ball-wifi.svg": await plotExcerpt("ball", "wifi", 11_500, 15_500),
    "player-mobile.svg": await plotExcerpt("player", "mobile", 25_000, 34_000),
    "sender.svg": await plotSender(senders),
  };
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(new URL(name, FOLDER), text);
  console.log(goalTable(rows.filter(({ rateHz }) => rateHz === MAIN_RATE_HZ)));
  return 0;
}

await runCommand({ help: HELP, readOptions, run });
