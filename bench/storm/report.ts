// What a storm has measured, and its row of the table. Pure.

import { median } from "../median.ts";

/** What native/storm.c prints. */
export interface StormReport {
  clients: number;
  /** How many clients have had their answer in the end. */
  answered: number;
  connectedUs: { p50: number; max: number };
  answeredUs: { p50: number; max: number };
  /** When the last of what came of it had arrived: who has joined is told to all. */
  settledUs: number;
  bytes: number;
  /** CPU time of the server until the last answer, and of the whole. */
  answeredCpuUs: number;
  serverCpuUs: number;
  loadCpuUs: number;
}

/** The head of the table; times are in ms. */
export const TABLE_HEAD =
  `|  | all connected, ms | half are answered | all are answered | all is told | CPU until answered | answered |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |`;

/** Takes the median of each figure of several runs; the fewest answers count. */
export function medianStorm(runs: readonly StormReport[]): StormReport {
  const of = (pick: (run: StormReport) => number) => median(runs.map(pick));
  return {
    clients: of((run) => run.clients),
    answered: Math.min(...runs.map((run) => run.answered)),
    connectedUs: { p50: of((run) => run.connectedUs.p50), max: of((run) => run.connectedUs.max) },
    answeredUs: { p50: of((run) => run.answeredUs.p50), max: of((run) => run.answeredUs.max) },
    settledUs: of((run) => run.settledUs),
    bytes: of((run) => run.bytes),
    answeredCpuUs: of((run) => run.answeredCpuUs),
    serverCpuUs: of((run) => run.serverCpuUs),
    loadCpuUs: of((run) => run.loadCpuUs),
  };
}

/** Writes a row of the table. Who is not answered by all has no time for all. */
export function stormRow(name: string, report: StormReport): string {
  const { clients, answered, connectedUs, answeredUs, settledUs, answeredCpuUs } = report;
  const ms = (us: number) => (us / 1000).toFixed(0);
  const all = answered === clients ? ms(answeredUs.max) : "-";
  const cpu = answered === clients ? ms(answeredCpuUs) : "-";
  const cells = [ms(connectedUs.max), ms(answeredUs.p50), all, ms(settledUs), cpu, `${answered}`];
  return `| ${name} | ${cells.join(" | ")} |`;
}
