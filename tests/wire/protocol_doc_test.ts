// Holds docs/PROTOCOL.md against the relay: its transcripts are replayed line by line, and its tables and
// headings are compared with the source in both directions. It reads the source as text: what is only a type
// or a literal there can't be imported.

import assert from "node:assert/strict";
import { RELAY_DEFAULTS, serve } from "../../src/relay/relay.ts";
import { LineClient } from "../support/line_client.ts";

const DOCUMENT = Deno.readTextFileSync(new URL("../../docs/PROTOCOL.md", import.meta.url));
const SOURCE_DIRECTORY = new URL("../../src/", import.meta.url);

/** What stands for what is different each time. */
const PLACEHOLDERS: Record<string, string> = {
  "<secret>": "(?<secret>[\\w-]{22})",
  "<relay>": "[\\w-]{8}",
  "<version>": "\\d+\\.\\d+\\.\\d+",
  "<time>": "\\d+(?:\\.\\d+)?",
  "<counted>": "(?<counted>\\d+)",
  "<sent>": "(?<sent>\\d+)",
  "…": ".*",
};

/** One step of a transcript: `A > line⏎`, `A < line⏎`, or `A connects`. */
interface Step {
  who: string;
  what: ">" | "<" | "connects" | "breaks" | "is closed";
  line: string;
}

function textBlocks(): string[] {
  return Array.from(DOCUMENT.matchAll(/^```text\n(.*?)^```$/gms), ([, block]) => block);
}

function transcripts(): string[] {
  return textBlocks().filter((block) => / connects$/m.test(block));
}

function readStep(text: string): Step {
  const said = /^(\w+) ([<>]) (.*)⏎$/.exec(text);
  if (said !== null) return { who: said[1], what: said[2] as "<" | ">", line: said[3] };
  const did = /^(\w+) (connects|breaks|is closed)$/.exec(text);
  assert.ok(did !== null, `a transcript has the line ${JSON.stringify(text)}`);
  return { who: did[1], what: did[2] as Step["what"], line: "" };
}

/** A participant of a transcript, with what the page says it has to count. */
class Participant implements Disposable {
  client!: LineClient;
  secret = "";
  sentBytes = 0;
  receivedBytes = 0;
  #read = 0;

  async connect(port: number): Promise<void> {
    this.client = await LineClient.connect(port);
    this.#read = 0;
  }

  say(text: string): void {
    const line = text.replace("<secret>", this.secret).replace("<received>", `${this.receivedBytes}`);
    assert.doesNotMatch(line, /<\w+>/, "a placeholder in a line that is sent");
    if (!line.startsWith('{"$hello"')) this.sentBytes += byteLength(line) + 1;
    void this.client.send(line + "\n");
  }

  async hear(text: string): Promise<void> {
    let line = await this.#next();
    while (line.startsWith('{"$time"') && !text.startsWith('{"$time"')) line = await this.#next();
    const match = toPattern(text).exec(line);
    assert.ok(match !== null, `expected ${text}\nreceived ${line}`);
    const { secret, sent, counted } = match.groups ?? {};
    if (secret !== undefined) {
      assert.ok([secret, ""].includes(this.secret), "the secret stays the same");
      this.secret = secret;
    }
    if (sent !== undefined) assert.equal(Number(sent), this.sentBytes);
    if (counted !== undefined) assert.ok(Number(counted) <= this.sentBytes, `${counted} bytes counted`);
  }

  /** The lines that no step has taken. */
  get unheard(): string[] {
    return this.client.lines.slice(this.#read).filter((line) => !/^\{"\$(time|bye)":/.test(line));
  }

  async #next(): Promise<string> {
    const line = await this.client.line(this.#read + 1);
    this.#read++;
    if (!line.startsWith('{"$welcome"')) this.receivedBytes += byteLength(line) + 1;
    return line;
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function toPattern(text: string): RegExp {
  const parts = text.split(/(<\w+>|…)/);
  return new RegExp(`^${parts.map((part) => PLACEHOLDERS[part] ?? escapeRegExp(part)).join("")}$`);
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

async function replay(block: string): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const relay = serve(listener);
  using cast = new DisposableStack();
  const participants = new Map<string, Participant>();
  try {
    for (const { who, what, line } of block.trimEnd().split("\n").map(readStep)) {
      const participant = participants.get(who) ?? cast.use(new Participant());
      participants.set(who, participant);
      if (what === "connects") await participant.connect(listener.addr.port);
      else if (what === "breaks") participant.client.close();
      else if (what === "is closed") await participant.client.ended();
      else if (what === ">") participant.say(line);
      else await participant.hear(line);
    }
    await relay.close();
    for (const { client } of participants.values()) await client.ended();
  } finally {
    await relay.close();
  }
  for (const [who, { unheard }] of participants) assert.deepEqual(unheard, [], `${who} received more`);
}

transcripts().forEach((block, i) => {
  Deno.test(`PROTOCOL.md: transcript ${i + 1} is what the relay says`, () => replay(block));
});

/** The source files, by their path in src/. */
function readSources(folder = ""): Map<string, string> {
  const sources = new Map<string, string>();
  for (const { name, isFile } of Deno.readDirSync(new URL(folder, SOURCE_DIRECTORY))) {
    const path = folder + name;
    if (isFile) sources.set(path, Deno.readTextFileSync(new URL(path, SOURCE_DIRECTORY)));
    else for (const [inner, text] of readSources(`${path}/`)) sources.set(inner, text);
  }
  return sources;
}

function allMatches(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, group]) => group);
}

function sorted(names: Iterable<string>): string[] {
  return [...new Set(names)].sort();
}

/**
 * The part of the page between the heading of a control line and the next heading, by the control line's
 * name.
 */
function controlSections(): Map<string, string> {
  const sections = DOCUMENT.split(/^#+ /m).map((section) => /^`\$(\w+)`\n([^]*)/.exec(section));
  return new Map(sections.filter((match) => match !== null).map(([, name, text]) => [name, text]));
}

Deno.test("PROTOCOL.md has a section for each control line that the source sends or takes, and for no other", () => {
  const sources = readSources();
  const source = [...sources.values()].join("\n");
  const sent = allMatches(source, /\bencodeControl\(\s*"(\w+)"/g);
  const spelled = allMatches(source, /\{"\$(\w+)":/g);
  const [, dispatch] = sources.get("relay/member/session_control.ts")!.split("switch (control.name) {");
  const taken = allMatches(dispatch.split(/^ {2}\}$/m)[0], /case "(\w+)":/g);
  assert.deepEqual(sorted(taken), ["ack", "bye", "claim", "host", "ping", "rooms", "set", "to"]);
  assert.deepEqual(sorted(controlSections().keys()), sorted([...sent, ...spelled, ...taken]));
});

Deno.test("PROTOCOL.md names each field of its examples in the section they stand in", () => {
  for (const [name, section] of controlSections()) {
    const lines = allMatches(section, /^[<>] (.*)⏎$/gm);
    assert.ok(lines.length > 0, `$${name} has an example`);
    for (const line of lines) {
      const [[key, body]] = Object.entries(JSON.parse(line));
      assert.equal(key, `$${name}`);
      for (const field of Object.keys(body as object)) {
        assert.ok(section.includes(`\`${field}\``), `$${name} has the field ${field}, unexplained`);
      }
    }
  }
});

Deno.test("PROTOCOL.md names each field of a control line that the source reads", () => {
  const source = readSources().get("relay/member/client_control.ts")!;
  for (const name of ["hello", "ack", "ping", "set", "to", "claim", "rooms", "host"]) {
    const [, fields] = new RegExp(`^const ${name.toUpperCase()}_FIELDS = \\[([^;]*)\\]`, "m").exec(source)!;
    for (const field of allMatches(fields, /"(\w+)"/g)) {
      assert.ok(
        controlSections().get(name)!.includes(`\`${field}\``),
        `$${name} takes the field ${field}, unexplained`,
      );
    }
  }
});

Deno.test("PROTOCOL.md has the error codes of the source, and no other", () => {
  const [, union] = /export type ErrorCode =([^;]*);/.exec(readSources().get("wire/protocol.ts")!)!;
  const [, table] = /^\| code +\|.*\n((?:\|.*\n)+)/m.exec(DOCUMENT)!;
  assert.deepEqual(allMatches(table, /^\| `(\w+)`/gm).sort(), allMatches(union, /"(\w+)"/g).sort());
});

Deno.test("PROTOCOL.md has the limits of a $welcome with the relay's defaults", () => {
  const [, section] = DOCUMENT.split(/^### Limits\n/m);
  const rows = section.matchAll(/^\| `(\w+)` *\| *(\d+) \|/gm);
  const documented = Object.fromEntries(Array.from(rows, ([, name, value]) => [name, Number(value)]));
  const example = JSON.parse(/^< (\{"\$welcome".*)⏎$/m.exec(DOCUMENT)![1]).$welcome.limits;
  assert.deepEqual(documented, example);
  for (const [name, value] of Object.entries(documented)) {
    assert.equal(value, RELAY_DEFAULTS[name as keyof typeof RELAY_DEFAULTS], name);
  }
});
