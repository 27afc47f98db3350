// A relay of sessions in a screenful: what the load is tried against that speaks them. It writes control
// lines of several lengths between events, in pieces that end anywhere, and remembers what is acknowledged.
// One room, no window, no checks.

/** One connection that said hello. */
export interface TinySession {
  /** Where each line ended that was written to it after its `$welcome`, ascending. */
  lineEnds: number[];
  /** The bytes of its `$ack` lines. */
  acks: number[];
}

export interface TinySessionsOptions {
  /** The event that nobody gets, counted from 0 in the order of arrival. */
  loses?: number;
}

/** Pieces of this length fit no line. */
const PIECE_BYTES = 1021;
const HELLO = '{"$hello":{"version":1,"room":';
const WELCOME = '{"$welcome":{"version":1,"resumed":false,"more":0,"peers":[],"state":{}}}\n';
/** An event in so many has a `$time` before it. */
const TIME_EVERY = 7;

const encoder = new TextEncoder();

class Member implements TinySession {
  readonly lineEnds: number[] = [];
  readonly acks: number[] = [];
  sentEvents = 0;
  #queue = Promise.resolve();
  #bytes = 0;

  constructor(readonly conn: Deno.Conn) {}

  /** Writes lines that count. */
  say(lines: readonly string[]): void {
    for (const line of lines) this.lineEnds.push(this.#bytes += line.length);
    this.write(lines.join(""));
  }

  write(text: string): void {
    this.#queue = this.#queue.then(() => writePieces(this.conn, encoder.encode(text))).catch(() => {});
  }

  flushed(): Promise<void> {
    return this.#queue;
  }
}

/** Passes events on between sessions; disposing waits until all have left. */
export class TinySessions implements AsyncDisposable {
  readonly port: number;
  /** What clients said that they should not have. */
  readonly complaints: string[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #members: Member[] = [];
  readonly #running: Promise<void>[] = [];
  readonly #loses: number | undefined;
  #events = 0;

  constructor({ loses }: TinySessionsOptions = {}) {
    this.#loses = loses;
    this.port = this.#listener.addr.port;
    this.#running.push(this.#accept());
  }

  /** The sessions that sent no event. */
  get listeners(): TinySession[] {
    return this.#members.filter(({ sentEvents }) => sentEvents === 0);
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) this.#running.push(this.#serve(conn));
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    const member = new Member(conn);
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(16 * 1024);
    let rest = "";
    let isGreeted = false;
    try {
      for (let count; (count = await conn.read(buffer)) !== null;) {
        const lines = (rest + decoder.decode(buffer.subarray(0, count))).split("\n");
        rest = lines.pop()!;
        if (!isGreeted && lines.length > 0) {
          isGreeted = true;
          if (!lines.shift()!.startsWith(HELLO)) this.complaints.push("no hello");
          member.write(WELCOME);
          this.#members.push(member);
        }
        this.#follow(member, lines);
      }
    } catch {
      // The load has closed the connection.
    }
    await member.flushed();
    conn.close();
  }

  #follow(sender: Member, lines: readonly string[]): void {
    const out: string[] = [];
    for (const line of lines) {
      if (line.startsWith('{"$ack":')) sender.acks.push(JSON.parse(line).$ack.bytes);
      else if (line.startsWith('{"$ping":')) {
        const bytes = sender.lineEnds.length;
        sender.say([`{"$pong":{"t":${JSON.parse(line).$ping.t},"time":${bytes},"bytes":${bytes}}}\n`]);
      } else if (line.startsWith('{"$')) this.complaints.push(line);
      else {
        sender.sentEvents++;
        const index = this.#events++;
        if (index % TIME_EVERY === 0) out.push(`{"$time":{"time":${10 ** (index % 5)}}}\n`);
        if (index !== this.#loses) out.push(line + "\n");
      }
    }
    if (out.length === 0) return;
    for (const member of this.#members) if (member !== sender) member.say(out);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await Promise.all(this.#running);
  }
}

async function writePieces(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at, at + PIECE_BYTES));
}
