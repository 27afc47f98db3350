// A TCP proxy on loopback that treats connections badly: ends them with FIN or RST, in the middle of a line,
// on one side or both, and holds them up. It knows nothing of lines. CuttingProxy cuts gently; this one can
// reset.

import net from "node:net";

/**
 * How a connection ends: both sides by FIN or RST, or only the client's side, so that the relay finds out
 * later.
 */
export type Cut = "fin" | "rst" | "half";

/** How long after a half cut the relay's side ends. */
const HALF_MS = 1500;

interface Link {
  near: net.Socket;
  far: net.Socket;
  /** Once set: how many bytes more pass in each direction before the cut. */
  cut?: { how: Cut; bytesLeft: number };
  isEnding?: boolean;
}

/** Passes connections on to a port of this machine. */
export class RoughProxy implements AsyncDisposable {
  readonly #server: net.Server;
  readonly #links = new Set<Link>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #isStalled = false;

  private constructor(server: net.Server) {
    this.#server = server;
  }

  static async listen(port: number): Promise<RoughProxy> {
    const server = net.createServer({ allowHalfOpen: true });
    const proxy = new RoughProxy(server);
    server.on("connection", (near) => proxy.#onConnection(near, port));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /**
   * Ends the connections after so many bytes more, which may be in the middle of a line; 0 ends them at once.
   */
  cut(how: Cut, afterBytes = 0): void {
    for (const link of this.#links) {
      if (afterBytes === 0) this.#end(link, how);
      else link.cut = { how, bytesLeft: afterBytes };
    }
  }

  /** Holds everything up, in both directions, until told otherwise. */
  stall(isStalled: boolean): void {
    this.#isStalled = isStalled;
    for (const { near, far } of this.#links) {
      for (const socket of [near, far]) {
        if (isStalled) socket.pause();
        else socket.resume();
      }
    }
  }

  /** Treats them well from now on: holds nothing up, and cuts nothing that is not cut yet. */
  comfort(): void {
    this.stall(false);
    for (const link of this.#links) if (!link.isEnding) link.cut = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { near, far } of this.#links) {
      near.destroy();
      far.destroy();
    }
    await new Promise((done) => this.#server.close(done));
  }

  #onConnection(near: net.Socket, port: number): void {
    const far = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const link: Link = { near, far };
    this.#links.add(link);
    for (const [from, to] of [[near, far], [far, near]]) {
      from.setNoDelay(true);
      from.on("data", (chunk) => this.#pass(link, from, to, chunk));
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => {
        if (link.cut?.how !== "half") to.destroy();
        if (near.destroyed && far.destroyed) this.#links.delete(link);
      });
      if (this.#isStalled) from.pause();
    }
  }

  #pass(link: Link, from: net.Socket, to: net.Socket, chunk: Uint8Array): void {
    if (to.destroyed || to.writableEnded) return;
    const { cut } = link;
    const bytes = cut === undefined ? chunk : chunk.subarray(0, cut.bytesLeft);
    if (cut !== undefined) {
      cut.bytesLeft -= bytes.length;
      if (cut.bytesLeft === 0) return void to.write(bytes, () => this.#end(link, cut.how));
    }
    // A receiver that takes nothing holds its sender up.
    if (!to.write(bytes)) {
      from.pause();
      to.once("drain", () => this.#isStalled || from.resume());
    }
  }

  #end(link: Link, how: Cut): void {
    const { near, far } = link;
    if (link.isEnding) return;
    link.isEnding = true;
    link.cut = { how, bytesLeft: 0 };
    if (how === "rst") {
      near.resetAndDestroy();
      far.resetAndDestroy();
    } else if (how === "fin") {
      for (const socket of [near, far]) {
        socket.end();
        socket.destroySoon();
      }
    } else {
      near.destroy();
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        far.destroy();
      }, HALF_MS);
      this.#timers.add(timer);
    }
  }
}
