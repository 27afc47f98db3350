// connect(): how a program gets a Relay. What it can be told is in options.ts, what it may name in target.ts.

import type { ConnectOptions } from "./options.ts";
import { openRelay, type Relay } from "./relay.ts";
import type { Target } from "./target.ts";

/**
 * Connects to a relay and opens a session in a room, or, with `plain`, just connects.
 *
 * Resolves when all who are in the room are known; from then on the relay object reconnects by itself, with
 * waits that double from 250 ms to 5 s, drawn evenly between 0 and that, longer if the relay asks for it. An
 * attempt may take 10 s, the relay's answer to it 3 s, not counted while the program itself stands still.
 *
 * @example
 * ```ts
 * import { connect } from "../../client.ts";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }); // a relay, to try it
 * const { port } = listener.addr;
 *
 * await using relay = await connect<{ id: string; pos: number[] }>(`127.0.0.1:${port}`, { plain: true });
 * relay.send({ id: "ada-1", pos: [3, 4] });
 * for (const event of relay.drain()) console.log(event?.id, event?.pos); // null is an event, too
 * ```
 *
 * @throws {TypeError} when the target or an option has the wrong form
 * @throws {RangeError} when the port or an option is out of range
 * @throws {Error} `Cannot connect to ifilab100:32100: connection refused, is the relay running there`, and
 * the like, with the network's own error as its `cause`, or the relay's refusal, whose `code` is that of the
 * protocol (`bad_token`, `relay_full` …). With `retry` only when trying again can't help. When `signal` is
 * aborted, its reason.
 */
// deno-lint-ignore require-await -- a wrong target rejects, too: one way for all errors
export async function connect<E = unknown, S extends object = Record<string, unknown>>(
  target?: Target,
  options: ConnectOptions<E, S> = {},
): Promise<Relay<E, S>> {
  return openRelay(target, options);
}
