// What to paste to connect a program to this relay, with its host and port filled in. Pure: a place in, texts
// out. Every one of them is run by a test.

import type { Place } from "../shared/place.ts";

/** One thing to do: in words, and the text to copy; for a file its name, `-` for what is
 * typed into the command before, else it is for a shell. */
export interface Step {
  says: string;
  code: string;
  file?: string;
}

/** How one kind of program connects. */
export interface Recipe {
  id: string;
  title: string;
  steps: Step[];
}

/** What a recipe is written for. */
export interface Recipient {
  place: Place;
  /** The relay's version, so that what is imported stays the same; empty if not known. */
  version: string;
  /** Whether the relay asks for a token. */
  hasToken: boolean;
}

/** Returns the recipes, the one for web pages first. */
export function recipes(to: Recipient): Recipe[] {
  return [page(to), deno(to), node(to), python(to), nc(to)];
}

function page({ place, hasToken }: Recipient): Recipe {
  const options = hasToken ? `"/lobby", { token: "…" }` : "";
  return {
    id: "page",
    title: "Web page",
    steps: [
      {
        says: "Save this as index.html in a folder of its own, such as mygame.",
        file: "mygame/index.html",
        code: `<!doctype html>
<meta charset="utf-8">
<title>My game</title>
<button>Wave</button>
<pre></pre>
<script type="module">
  import { connect } from "/client.js";

  const relay = await connect(${options});
  document.querySelector("button").onclick = () => relay.send({ wave: "hello" });
  for await (const event of relay) {
    document.querySelector("pre").append(JSON.stringify(event) + "\\n");
  }
</script>
`,
      },
      {
        says:
          "Start a relay with that folder, in place of this one or on another port: it serves the page, too. " +
          `Then open it in two tabs, at ${place.origin}/ if it runs here.`,
        code: `./eventrelay ${place.port} --web mygame/\n`,
      },
    ],
  };
}

function deno({ place, version, hasToken }: Recipient): Recipe {
  const path = version === "" ? "/client.ts" : `/v${version}/client.ts`;
  return {
    id: "deno",
    title: "Deno",
    steps: [
      {
        says: "Save this as hello.ts.",
        file: "hello.ts",
        code: `import { connect } from "${place.origin}${path}";

await using relay = await connect("${targetOf(place)}", { ${nameAndToken(hasToken, ": ")} });
relay.send({ hello: "from Deno" });
for await (const event of relay) console.log(event);
`,
      },
      {
        says: "Run it. Deno fetches the client from this relay.",
        code: `deno run --allow-net --allow-import=${authorityOf(place)} hello.ts\n`,
      },
    ],
  };
}

function node({ place, hasToken }: Recipient): Recipe {
  return {
    id: "node",
    title: "Node, Bun",
    steps: [
      { says: "Fetch the client.", code: `curl ${place.origin}/client.js -o client.mjs\n` },
      {
        says: "Save this as hello.mjs beside it.",
        file: "hello.mjs",
        code: `import { connect } from "./client.mjs";

const relay = await connect("${targetOf(place)}", { ${nameAndToken(hasToken, ": ")} });
relay.send({ hello: "from Node" });
for await (const event of relay) console.log(event);
`,
      },
      { says: "Run it, with Node 22.3 or newer, or Bun.", code: "node hello.mjs\n" },
    ],
  };
}

/** The port of a relay that nobody has given another one. */
const USUAL_PORT = 32100;

function python({ place, hasToken }: Recipient): Recipe {
  const { host, isSecure } = place, port = isSecure ? USUAL_PORT : place.port;
  const url = `${place.origin}/python`;
  return {
    id: "python",
    title: "Python",
    steps: [
      {
        says: "Fetch the client: five files, no packages.",
        code: ["session_client.py", "session_link.py", "session_asks.py", "session_parts.py", "relay_wire.py"]
          .map((file) => `curl -O ${url}/${file}\n`).join(""),
      },
      {
        says: isSecure
          ? "Save this as hello.py beside them. It speaks no TLS: it needs a port of this relay without it, " +
            `which ${port} stands for here.`
          : "Save this as hello.py beside them.",
        file: "hello.py",
        code: `import time

from session_client import Session

with Session("${host}:${port}", ${nameAndToken(hasToken, "=")}) as relay:
    relay.send({"hello": "from Python"})
    while relay.status != "closed":
        for event in relay.drain():
            print(event)
        time.sleep(0.1)
`,
      },
      { says: "Run it.", code: "python3 hello.py\n" },
    ],
  };
}

function nc({ place }: Recipient): Recipe {
  const { host, port, isSecure } = place;
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  return {
    id: "nc",
    title: "nc",
    steps: [
      {
        says: "The wire is text: each line is one JSON value.",
        code: isSecure ? `openssl s_client -quiet -connect ${host}:${port}\n` : `nc ${bare} ${port}\n`,
      },
      { says: "Type this and Enter: everybody sees it.", file: "-", code: `{"hello":"from a terminal"}\n` },
    ],
  };
}

/** What a program names: over TLS by the scheme that says so. */
function targetOf({ target, isSecure }: Place): string {
  return isSecure ? `wss://${target}` : target;
}

/** Host and port as Deno's permissions name them. */
function authorityOf({ host, port }: Place): string {
  return `${host}:${port}`;
}

function nameAndToken(hasToken: boolean, is: ": " | "="): string {
  const comma = hasToken ? `, token${is}"…"` : "";
  return `name${is}"ada"${comma}`;
}
