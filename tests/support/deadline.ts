// How long tests wait for what should come soon: a safety net for one that would hang, nothing that a busy
// machine reaches.

/** The net, in ms: a minute, as a test beside others on a busy core may be twenty times as slow as alone. */
export const DEADLINE_MS = 60_000;
