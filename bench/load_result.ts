// What a load has measured and found.

import { countFaults, type Faults } from "./line_verifier.ts";

/**
 * What a load has measured. Counts and times are those between warm-up and end; faults are of the whole run.
 */
export interface LoadResult {
  elapsedMs: number;
  sent: number;
  deliveries: number;
  latencyUs: { p50: number; p90: number; p99: number; p999: number; max: number };
  /** How late the load's own ticks were, in a run at a rate. */
  tickLateUs: { p50: number; p99: number } | null;
  relayCpuUs: number | null;
  loadCpuUs: number | null;
  /** CPU time that neither relay nor load has used: how disturbed the run was. */
  otherCpuUs: number | null;
  /** Lines that were to come in the whole run, and the lines that came. */
  expected: number;
  received: number;
  faults: Faults;
  /** Receivers whose connection ended before the run did. */
  disconnected: number;
  /** The first line received that nobody had sent. */
  sample: string | null;
  idle: IdleResult | null;
}

/** Memory of the relay before and with idle connections, in KiB; null where it can't be read. */
export interface IdleResult {
  connections: number;
  /** Connections that were held before those, the sender's included. */
  warmConnections: number;
  /** With no connection at all. */
  coldKib: number | null;
  /** With the warm connections, after a line to each. */
  warmKib: number | null;
  idleKib: number | null;
  /** After one line was delivered to each of them. */
  afterLineKib: number | null;
}

/**
 * Says whether a run is one that a relay may be proud of: everything came, once, in order, and nobody was cut
 * off.
 */
export function isFaultless(result: LoadResult): boolean {
  return countFaults(result.faults) === 0 && result.disconnected === 0;
}
