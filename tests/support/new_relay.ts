// A real relay, with sessions, on loopback: can break all connections, and be stopped and started again on
// the same port. OldRelay is its plain counterpart.

import { type RelayOptions, type RelayServer, serve } from "../../src/relay/relay.ts";
import { pause } from "./pause.ts";

/** A relay that runs from the beginning; `await using` stops it. */
export class NewRelay implements AsyncDisposable {
  readonly #options: RelayOptions;
  readonly port: number;
  #relay: RelayServer | undefined;
  #breakUps: (() => void)[] = [];

  constructor(options: RelayOptions = {}) {
    this.#options = options;
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = listener.addr.port;
    this.#serve(listener);
  }

  get target(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Breaks all connections, as a bad network does; the relay goes on, its sessions can be resumed. */
  cut(): void {
    for (const breakUp of this.#breakUps) breakUp();
    this.#breakUps = [];
  }

  /** Ends it, so that it has forgotten everything when it starts again. */
  async stop(): Promise<void> {
    const relay = this.#relay;
    this.#relay = undefined;
    this.#breakUps = [];
    await relay?.close();
    // What its last member's leaving has to say is still to be flushed, to nobody.
    await pause();
  }

  /** Listens again on the same port. */
  start(): void {
    this.#serve(Deno.listen({ hostname: "127.0.0.1", port: this.port }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #serve(listener: Deno.TcpListener): void {
    const accept = async () => {
      const conn = await listener.accept();
      let isOpen = true;
      const close = () => {
        if (isOpen) conn.close();
        isOpen = false;
      };
      this.#breakUps.push(close);
      return {
        remoteAddr: conn.remoteAddr,
        read: (buffer: Uint8Array) => conn.read(buffer),
        write: (bytes: Uint8Array) => conn.write(bytes),
        closeWrite: () => conn.closeWrite(),
        close,
      };
    };
    this.#relay = serve({ accept, close: () => listener.close() }, this.#options);
  }
}
