// The version of this code, relay and client alike: a client is told the relay's, and so knows whether it was
// made for it.

/** The same as in deno.json, which programs that import client.ts by URL do not have. */
export const VERSION = "0.2.0";
