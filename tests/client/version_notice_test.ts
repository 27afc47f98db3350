// Tests src/client/version_notice.ts: when a program hears of another version, and what it can do.

import assert from "node:assert/strict";
import { versionNotice } from "../../src/client/version_notice.ts";

const [version, other] = ["0.1.0", "0.2.0"];

const CASES: ["deno" | "node" | "page", string | undefined, string, RegExp | undefined][] = [
  [
    ...["deno", "http://ifilab100:32000/src/client/relay.ts", other] as const,
    /^client\.ts is of version 0\.1\.0 and the relay of 0\.2\.0\. .*: deno run --reload=http:\/\/ifilab100:32000 …$/,
  ],
  ["deno", "https://host/a/src/client/relay.ts", other, /--reload=https:\/\/host\/a …$/],
  ["deno", "http://ifilab100:32000/client.js", other, /--reload=http:\/\/ifilab100:32000 …$/],
  [
    "page",
    "http://ifilab100:32000/client.js",
    other,
    /: load the page again, or let it import the relay's own/,
  ],
  ["deno", "http://ifilab100:32000/src/client/relay.ts", version, undefined],
  ["deno", "http://ifilab100:32000/v0.1.0/src/client/relay.ts", other, undefined],
  ["deno", "http://ifilab100:32000/v0.0.9/src/client/relay.ts", other, /--reload/],
  ["deno", "file:///home/ada/src/client/relay.ts", other, undefined],
  ["node", "file:///home/ada/client.js", other, undefined],
  ["page", undefined, other, undefined],
  ["deno", "http://h/client.js", "0.2\u001b[2J", /of 0\.2\?\[2J\./],
  ["deno", "file:///home/ada/src/client/relay.ts", "", /^the relay is older than client\.ts.* no answer$/],
  ["deno", "http://h/client.js", "9".repeat(1000), /of 9{40}…\./],
];

for (const [runtime, url, relayVersion, notice] of CASES) {
  Deno.test(`versionNotice about ${JSON.stringify(relayVersion)} in ${runtime} from ${url}`, () => {
    const text = versionNotice(relayVersion, { url, runtime, version });
    if (notice === undefined) assert.equal(text, undefined);
    else assert.match(text!, notice);
  });
}
