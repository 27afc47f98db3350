// Serves a page that has the client, for tests in browsers: from another port than the relay's, as a
// student's own server would.
//
// In the page, `start(target, options)` connects, and what happens is noted in `told`, `events` and `relay`.

const ASSETS = new URL("../../src/relay/web/assets/", import.meta.url);

const PAGE =
  `<!doctype html><meta charset="utf-8"><title>a game</title><link rel="icon" href="data:,"><script type="module">
  import * as client from "/client.js";
  globalThis.client = client;
  globalThis.told = [];
  globalThis.events = [];
  globalThis.start = async (target, options = {}) => {
    const note = (what) => (...args) => told.push([what, ...args]);
    const relay = await client.connect(target, {
      onStatus: (status, { error, resumed }) => told.push([status, ...(resumed === undefined ? [] : [resumed]), ...(error ? [error.message] : [])]),
      onLost: note("lost"),
      onLeave: (peer, reason) => told.push(["leave", peer.name, reason]),
      ...options,
    });
    globalThis.relay = relay;
    (async () => { for await (const event of relay) { events.push(event); if (event?.echo) relay.send({ echoed: event.echo }); } })();
    return relay.id;
  };
  addEventListener("pagehide", () => globalThis.relay?.send("last words"));
  globalThis.ready = true;
</script>`;

/** The server; `await using` stops it. */
export class PageServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #scheme: string;

  /** Listens, with TLS if there is a certificate. */
  constructor(tls?: { cert: string; key: string }) {
    this.#scheme = tls === undefined ? "http" : "https";
    const options = { hostname: "127.0.0.1", port: 0, onListen() {}, ...tls };
    this.#server = Deno.serve(options, async (request) => {
      const { pathname } = new URL(request.url);
      if (/^\/\w+\.js$/.test(pathname)) {
        return new Response(await Deno.readTextFile(new URL(`.${pathname}`, ASSETS)), {
          headers: { "content-type": "text/javascript", "access-control-allow-origin": "*" },
        });
      }
      if (pathname !== "/") return new Response("nothing", { status: 404 });
      return new Response(PAGE, { headers: { "content-type": "text/html" } });
    });
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** The address of the page, under a name that the browser may know. */
  url(host = "127.0.0.1"): string {
    return `${this.#scheme}://${host}:${this.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
