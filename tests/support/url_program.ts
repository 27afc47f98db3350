// A program of a user that imports client.ts by URL from a running relay, run by Deno with an empty cache,
// without a configuration and with the least permissions. For tests of what the relay serves.

import { inTime } from "./deadline.ts";

/**
 * Runs it against the relay on `port`: imports from `path` there, joins room "url", says a thing and waits
 * for its echo in state.
 */
export async function runByUrl(
  port: number,
  path: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = await Deno.makeTempDir();
  const host = `127.0.0.1:${port}`;
  try {
    await Deno.writeTextFile(
      `${folder}/main.ts`,
      `import { connect } from "http://${host}${path}/client.ts";
import { Track } from "http://${host}${path}/motion.ts";
const track: Track = new Track();
await using ada = await connect<{ n: number }>("${host}", { room: "url", name: "ada" });
await using bo = await connect<{ n: number }>("${host}", { room: "url", name: "bo" });
ada.send({ n: 7 });
for await (const event of bo) {
  console.log("n", event.n, typeof track.at);
  break;
}
`,
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-config",
        "--no-lock",
        "--no-prompt",
        `--allow-net=${host}`,
        `--allow-import=${host}`,
        "--check",
        `${folder}/main.ts`,
      ],
      env: { DENO_DIR: `${folder}/cache`, NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const { code, stdout, stderr } = await inTime(child, "the end of a program that imports by URL");
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
