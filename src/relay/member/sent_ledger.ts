// What was written to a session and not acknowledged yet, in the order of the stream: so that a count of
// stream bytes, which is all that a client knows, can be told as a place in the log and a version of the
// state. Pure.
//
//   acknowledged ─┬─ log 1200 ─┬─ replies 80 ─┬─ log 64000 ─┬─ state 300 (version 9) ─┬─ sent
//                 0          1200           1280          65280                    65580      stream bytes

/** One piece of the stream, which ends at `end`. */
interface Piece {
  kind: "log" | "replies" | "state" | "letters";
  end: number;
  /** How many bytes of the log, or of letters, in it are not confirmed. */
  ownBytes: number;
  /** The version of the state that the client has when it has this piece. */
  stateVersion: number;
}

/** What a piece takes in memory, in bytes. */
const PIECE_BYTES = 80;

/** The unacknowledged end of a stream. */
export class SentLedger {
  #pieces: Piece[] = [];
  #last: Piece | undefined;
  #sent = 0;
  #acked = 0;
  #ackedLetterBytes = 0;
  #stateVersion: number;

  /** @param stateVersion what the client has at the beginning of the stream */
  constructor(stateVersion: number) {
    this.#stateVersion = stateVersion;
  }

  /** The version of the state that the client is known to have. */
  get stateVersion(): number {
    return this.#stateVersion;
  }

  /** How many bytes of the stream were written so far. */
  get sent(): number {
    return this.#sent;
  }

  /** How many bytes of the stream are confirmed. */
  get acked(): number {
    return this.#acked;
  }

  /** Notes that `bytes` bytes of the log are being written. */
  addLog(bytes: number): void {
    this.#add("log", bytes, bytes);
  }

  /** Notes that `bytes` bytes of letters are being written. */
  addLetters(bytes: number): void {
    this.#add("letters", bytes, bytes);
  }

  /** What it takes in memory, in bytes. */
  get memoryBytes(): number {
    return PIECE_BYTES * this.#pieces.length;
  }

  /** Returns how many bytes of letters were confirmed since the last call. */
  takeAckedLetterBytes(): number {
    const bytes = this.#ackedLetterBytes;
    this.#ackedLetterBytes = 0;
    return bytes;
  }

  /** Notes that `bytes` bytes of lines are being written that are for this client alone. */
  addReplies(bytes: number): void {
    this.#add("replies", bytes, 0);
  }

  /** Notes that `bytes` bytes of state are being written, after which the client has `stateVersion`. */
  addState(bytes: number, stateVersion: number): void {
    this.#add("state", bytes, 0);
    this.passState(stateVersion);
  }

  /**
   * Notes that the client has `stateVersion` when it has all that is written: nothing in between is for it.
   */
  passState(stateVersion: number): void {
    if (this.#last !== undefined) this.#last.stateVersion = stateVersion;
    else this.#stateVersion = stateVersion;
  }

  /**
   * Takes a count of stream bytes from the client, at most {@linkcode sent}, and says how many more bytes of
   * the log it confirms. A count that is lower than an earlier one confirms nothing.
   */
  ack(bytes: number): number {
    let logBytes = 0, done = 0;
    for (const piece of this.#pieces) {
      if (bytes < piece.end) {
        const confirmed = Math.min(piece.ownBytes, Math.max(0, bytes - (piece.end - piece.ownBytes)));
        piece.ownBytes -= confirmed;
        if (piece.kind === "log") logBytes += confirmed;
        else this.#ackedLetterBytes += confirmed;
        break;
      }
      if (piece.kind === "log") logBytes += piece.ownBytes;
      else this.#ackedLetterBytes += piece.ownBytes;
      this.#stateVersion = piece.stateVersion;
      done++;
    }
    this.#pieces.splice(0, done);
    if (this.#pieces.length === 0) this.#last = undefined;
    this.#acked = Math.max(this.#acked, bytes);
    return logBytes;
  }

  /** Forgets what was written and not confirmed: it will be written again. */
  rewind(): void {
    this.#pieces = [];
    this.#last = undefined;
    this.#sent = this.#acked;
  }

  /** Adds a piece, or to the last one: a client that acknowledges nothing must not make it long. */
  #add(kind: Piece["kind"], bytes: number, ownBytes: number): void {
    const last = this.#last;
    this.#sent += bytes;
    if (kind !== "state" && last?.kind === kind) {
      last.end = this.#sent;
      last.ownBytes += ownBytes;
    } else {
      const stateVersion = last?.stateVersion ?? this.#stateVersion;
      this.#pieces.push(this.#last = { kind, end: this.#sent, ownBytes, stateVersion });
    }
  }
}
