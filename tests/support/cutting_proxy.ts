// A TCP proxy on loopback that cuts connections at any byte, in one direction or both, or holds them up. For
// tests of what a broken connection means; it knows nothing of lines.

/** How many bytes a connection lets through before it is cut; `up` is to the relay. */
export interface Budget {
  up: number;
  down: number;
}

/** Passes connections on to a port of this machine. */
export class CuttingProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #accepting: Promise<void>;
  readonly #links = new Set<{ close(): void; isMute: boolean; done: Promise<unknown> }>();
  /** The port to pass connections on to. */
  port: number;
  /** Asked at every connection. */
  budget: () => Budget;
  /** The connections so far. */
  connections = 0;
  /** Set: nothing is passed on, and nothing is closed. */
  isMute = false;

  constructor(port: number, budget: () => Budget = () => ({ up: Infinity, down: Infinity })) {
    this.port = port;
    this.budget = budget;
    this.#accepting = this.#accept();
  }

  get target(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Ends all connections at once. */
  cut(): void {
    for (const link of this.#links) link.close();
  }

  /** Passes nothing on any more over the connections that there are; closes nothing, and takes new ones. */
  mute(): void {
    for (const link of this.#links) link.isMute = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    this.cut();
    await Promise.all([...this.#links].map((link) => link.done));
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) {
      this.connections++;
      let far: Deno.TcpConn;
      try {
        far = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
      } catch {
        near.close();
        continue;
      }
      for (const conn of [near, far]) conn.setNoDelay(true);
      let isClosed = false;
      const close = () => {
        if (isClosed) return;
        isClosed = true;
        near.close();
        far.close();
      };
      const { up, down } = this.budget();
      const link = { close, isMute: false, done: Promise.resolve<unknown>(undefined) };
      const isMute = () => this.isMute || link.isMute;
      const pump = (from: Deno.TcpConn, to: Deno.TcpConn, budget: number) =>
        this.#pump(from, to, budget, isMute, close);
      const done = link.done = Promise.all([pump(near, far, up), pump(far, near, down)]);
      this.#links.add(link);
      done.then(() => {
        close();
        this.#links.delete(link);
      });
    }
  }

  /** Passes on so many bytes, then closes both sides; a clean end is passed on. */
  async #pump(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    budget: number,
    isMute: () => boolean,
    close: () => void,
  ): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) return await to.closeWrite();
        if (isMute()) continue;
        let bytes = buffer.subarray(0, Math.min(count, budget));
        budget -= bytes.length;
        while (bytes.length > 0) bytes = bytes.subarray(await to.write(bytes));
        if (budget <= 0) return close();
      }
    } catch {
      close(); // one of the two sides is gone
    }
  }
}
