// Connections between accept and the end of their TLS handshake: each has a deadline. Who they are and what
// comes after is not its business.

import { closeQuietly } from "./connection/transport.ts";
import type { LogFunction } from "./log.ts";
import { Deadline, type DeadlineSettings } from "./deadline.ts";

/** A connection whose handshake can be waited for. */
export interface ShakingConn {
  handshake(): Promise<unknown>;
  close(): void;
}

/** What handshakes need of their relay. */
export interface HandshakeSettings extends DeadlineSettings {
  handshakeMs: number;
  log: LogFunction;
}

/**
 * How many times as long as the slowest of late a handshake may take, if that took no more than one may by
 * itself: a thousand at once are seconds of arithmetic for both sides, and the last of them no slower clients.
 */
const PATIENCE = 6;

/** The handshakes that are under way. */
export class TlsHandshakes {
  readonly #settings: HandshakeSettings;
  readonly #underWay = new Set<Promise<void>>();
  /** Ends the wait for each of them. */
  readonly #closers = new Set<() => void>();
  /** How long the slowest of late took, in ms, and when it ended. */
  #slowestMs = 0;
  #slowestAt = -Infinity;

  constructor(settings: HandshakeSettings) {
    this.#settings = settings;
  }

  /**
   * Waits for a handshake, then calls `next`; if it fails or takes too long, closes the connection and calls
   * `failed`. Too long is more than `handshakeMs`, and more than others need.
   */
  start(conn: ShakingConn, address: string, next: () => void, failed: () => void): void {
    const done = this.#wait(conn, address).then((isDone) => isDone ? next() : failed()).catch((error) => {
      closeQuietly(conn);
      failed();
      this.#settings.log("error", "cannot serve a connection", { error: String(error) });
    }).finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  /** Closes all of them, and waits for that. */
  async close(): Promise<void> {
    for (const close of this.#closers) close();
    await Promise.all(this.#underWay);
  }

  async #wait(conn: ShakingConn, address: string): Promise<boolean> {
    const { handshakeMs, log, clock } = this.#settings, startedMs = clock();
    // Whatever comes first, because old versions of Deno leave the handshake of a closed connection unsettled.
    const { promise, resolve, reject } = Promise.withResolvers<"done" | "late" | "closing">();
    let deadline: Deadline | undefined, waitedMs = 0;
    const wait = (ms: number) => {
      deadline = new Deadline(this.#settings, ms, () => {
        waitedMs += ms;
        const patienceMs = this.#patienceMs();
        if (waitedMs < patienceMs) wait(patienceMs - waitedMs);
        else resolve("late");
      });
    };
    wait(handshakeMs);
    const close = () => resolve("closing");
    this.#closers.add(close);
    try {
      conn.handshake().then(() => resolve("done"), reject);
      const outcome = await promise;
      if (outcome === "done") {
        this.#note(clock() - startedMs);
        return true;
      }
      if (outcome === "late") {
        log("warn", "TLS handshake took too long, closed", { address, afterMs: Math.round(waitedMs) });
      }
    } catch (error) {
      if (error instanceof Deno.errors.InvalidData) {
        log("warn", "TLS handshake failed", { address, error: explain(error.message) });
      } else log("debug", "connection ended before its TLS handshake", { address, error: String(error) });
    } finally {
      deadline?.end();
      this.#closers.delete(close);
    }
    closeQuietly(conn);
    return false;
  }

  /** Notes how long a handshake took, in ms. */
  #note(tookMs: number): void {
    if (tookMs < this.#slowestOfLateMs()) return;
    this.#slowestMs = tookMs;
    this.#slowestAt = this.#settings.clock();
  }

  #slowestOfLateMs(): number {
    const { clock, handshakeMs } = this.#settings;
    return clock() - this.#slowestAt > PATIENCE * handshakeMs ? 0 : this.#slowestMs;
  }

  /** How long a handshake may take as things are, in ms. */
  #patienceMs(): number {
    const { handshakeMs } = this.#settings;
    return Math.max(handshakeMs, PATIENCE * Math.min(this.#slowestOfLateMs(), handshakeMs));
  }
}

/** Says in words for operators what went wrong; what it doesn't know, it leaves as it is. */
function explain(message: string): string {
  if (/InvalidContentType|wrong version number/i.test(message)) return "the client does not speak TLS";
  if (/alert.*(unknown ?ca|certificate)/i.test(message)) return "the client does not trust the certificate";
  return message;
}
