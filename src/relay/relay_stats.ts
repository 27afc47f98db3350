// What a relay counts, and what is known of each of its connections: the numbers that who embeds it asks for,
// that status lines and the web door show. How they are counted stands where it happens.

/** What a relay has done since it was started. */
export interface RelayStats {
  /** Connections that are served now. */
  members: number;
  /** How many of them are sessions, and how many more sessions may be resumed. */
  sessions: number;
  absentSessions: number;
  /** Rooms that somebody is in. */
  rooms: number;
  /** Lines and bytes that came in and were good. */
  receivedLines: number;
  receivedBytes: number;
  /** Lines and bytes that went out: a line for 30 members counts 30 times. */
  sentLines: number;
  sentBytes: number;
  /** Lines that members missed because they were behind. */
  skippedLines: number;
  /** Lines that were refused. */
  errors: number;
  /** The memory that the log takes, in bytes. */
  logBytes: number;
}

/** The part of it that each connection has its own share of. */
export type Counts = Pick<
  RelayStats,
  "receivedLines" | "receivedBytes" | "sentLines" | "sentBytes" | "skippedLines" | "errors"
>;

/** Counts of nothing, to be added to. */
export function noCounts(): Counts {
  return { receivedLines: 0, receivedBytes: 0, sentLines: 0, sentBytes: 0, skippedLines: 0, errors: 0 };
}

/** What a connection has done so far. */
export interface ConnectionStats extends Counts {
  address: string;
  /** Which level of the protocol it speaks. */
  kind: "plain" | "session";
  /** What carries it. */
  transport: "tcp" | "websocket";
  room: string;
  /** The member's name and id; "" for plain members. */
  name: string;
  id: string;
  ageMs: number;
  /** How far the member is behind the room, its own lines not counted. */
  behindBytes: number;
  behindMs: number;
  /** How long a write has made no progress; 0 if none is under way. */
  stuckMs: number;
  /**
   * How long an answer takes, and how old what comes is when it comes, where the client or the transport says
   * so.
   */
  rttMs: number | undefined;
  lagMs: number | undefined;
}

/** Lines and bytes that came in and went out in some time. */
export interface Traffic {
  inLines: number;
  inBytes: number;
  outLines: number;
  outBytes: number;
}

/** Traffic of nothing, to be added to. */
export function noTraffic(): Traffic {
  return { inLines: 0, inBytes: 0, outLines: 0, outBytes: 0 };
}
